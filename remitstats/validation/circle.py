"""What the circle's estimates and verdicts are worth: simulated countries whose truth is known.

Each panel of a study is drawn from a scenario (`simulate.SCENARIOS`) on the real geography, with
the real sampling sizes and gaps, and fitted by the model as it is by default. What is kept: whether
the 90% interval of every national link holds the truth, its bias, and the verdict that
`claims.regime` gives on the headline fit. (Core specifications, which can only turn a verdict into
"inconclusive", differ in how things are measured; a simulated panel has one measurement.)

A panel is fitted by the normal approximation at the posterior's mode, the one that starts the
chains of a real fit, as chains for hundreds of panels would take days; `circle_chains` fits a panel
both ways. By default a panel has every second block of neighbours of each state: intervals are
wider than on the whole country, and a verdict is harder to reach.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from remitstats.claims.circle_calibration import COVERED, UNMODELLED
from remitstats.claims.regime import CLAIMS, VERDICTS, Chance, Verdict, verdict_on
from remitstats.errors import RemitstatsError, unknown
from remitstats.estimands.circle import LAGGED, ORDERED
from remitstats.estimands.circle_loop import (
    DELTA,
    HORIZON,
    deepening,
    feedback,
    ordered_effects,
    regimes,
)
from remitstats.fitting.collapsed import Laplace, laplace
from remitstats.models.circle_data import CircleData, coarser
from remitstats.models.circle_density import CircleDensity
from remitstats.models.circle_form import Form, Priors
from remitstats.models.circle_measures import VARIABLES
from remitstats.simulate import SCENARIOS, simulate_circle, true_links
from remitstats.validation.resumed import record_from

Array = NDArray[np.float64]
ENDS = (0.05, 0.95)
LINKS = [(to, origin) for to in VARIABLES for origin in VARIABLES]


@dataclass(frozen=True)
class Study:
    """What is simulated and how it is fitted.

    Parameters
    ----------
    panels : int
        Panels of every scenario.
    every : int
        One block of neighbours in how many; 1 is the whole country.
    scenarios : tuple of str
        Keys of `SCENARIOS`.
    seed : int
        Everything random follows from it.
    draws : int
        Draws of every approximate posterior.
    form, priors : optional
        The model that is fitted.

    Raises
    ------
    RemitstatsError
        If a number is too small or a scenario is not known.
    """

    panels: int = 100
    every: int = 2
    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    seed: int = 1
    draws: int = 1000
    form: Form = field(default_factory=Form)
    priors: Priors = field(default_factory=Priors)

    def __post_init__(self) -> None:
        """Refuse what can't be run."""
        for name, least in (("panels", 1), ("every", 1), ("seed", 0), ("draws", 100)):
            if getattr(self, name) < least:
                raise RemitstatsError(
                    f"'{name}' of a study must be at least {least}, found {getattr(self, name)}."
                )
        for name in self.scenarios:
            if name not in SCENARIOS:
                raise unknown("scenario", name, SCENARIOS)

    def describe(self) -> dict[str, Any]:
        """Return the study as plain values, the truths of its scenarios among them."""
        return {
            "every": self.every,
            "seed": self.seed,
            "draws": self.draws,
            "form": self.form.describe(),
            "priors": self.priors.describe(),
            "horizon_waves": HORIZON,
            "delta": DELTA,
            "scenarios": {name: SCENARIOS[name].describe() for name in self.scenarios},
        }

    def cases(self) -> list[Case]:
        """Return all panels, those of all scenarios in turn."""
        return [Case(name, number) for number in range(self.panels) for name in self.scenarios]


@dataclass(frozen=True)
class Case:
    """One simulated panel of a study.

    Parameters
    ----------
    scenario : str
        Key of `SCENARIOS`.
    number : int
        Which of its panels.
    """

    scenario: str
    number: int

    @property
    def name(self) -> str:
        """A name that can be a file's."""
        return f"{self.scenario.replace(' ', '-')}-{self.number:04d}"

    def seed(self, study: Study) -> int:
        """Return the seed of its data: no two cases of a study share one."""
        place = list(SCENARIOS).index(self.scenario)
        entropy = (study.seed, place, self.number)
        return int(np.random.SeedSequence(entropy).generate_state(1)[0])


@dataclass(frozen=True)
class Record:
    """What came of one panel.

    Parameters
    ----------
    scenario : str
        Its scenario.
    number : int
        Its number.
    truth, mean, sd, lower, upper : tuple of float
        National links, mean of the intervals, in the order of `LINKS`: true values, estimates,
        ends of the 90% interval.
    chance : mapping of str to (mapping of str to float)
        Probability of every claim by reading.
    verdict : mapping of str to str
        Verdict on every claim.
    """

    scenario: str
    number: int
    truth: tuple[float, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    chance: Mapping[str, Mapping[str, float]]
    verdict: Mapping[str, str]

    def to_json(self) -> str:
        """Return the record as text."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Return the record that `to_json` made a text of.

        Raises
        ------
        ValueError
            If the text is something else.
        """
        return record_from(cls, text, "record of a simulated panel")


@dataclass(frozen=True, eq=False)
class Trial:
    """A study with its country, ready to try cases.

    Parameters
    ----------
    study : Study
        What to do.
    country : CircleData
        The measurements of the real country: geography, sampling sizes, gaps.
    """

    study: Study
    country: CircleData

    @cached_property
    def base(self) -> CircleData:
        """The part of the country that is simulated."""
        return coarser(self.country, self.study.every)

    @cached_property
    def near(self) -> Laplace:
        """Mode and shape of one panel, near which those of the others are found."""
        first = Case(self.study.scenarios[0], self.study.panels)  # beyond the study's own panels
        return laplace(self.density(first))

    def data(self, case: Case) -> CircleData:
        """Return the simulated measurements of a case."""
        truth = SCENARIOS[case.scenario]
        found: CircleData = simulate_circle(self.base, truth, seed=case.seed(self.study))
        return found

    def density(self, case: Case) -> CircleDensity:
        """Return the posterior density of a case."""
        return CircleDensity(self.data(case), self.study.priors, self.study.form)

    def weight(self) -> Array:
        """Return the share of every state in the country's municipalities, shape (state,)."""
        group = self.base.nested.tree.group_of
        return np.asarray(np.bincount(group) / len(group))

    def truth(self, case: Case) -> Array:
        """Return the true national links, mean of the intervals, shape (to, from)."""
        links = true_links(self.base, SCENARIOS[case.scenario], seed=case.seed(self.study))
        return np.asarray(np.einsum("s,siab->iab", self.weight(), links).mean(axis=0))

    def run(self, case: Case) -> Record:
        """Simulate a panel, fit it, and return what came of it."""
        density = self.density(case)
        shape = laplace(density, near=self.near)
        rng = np.random.default_rng(np.random.SeedSequence((case.seed(self.study), 1)))
        z = rng.standard_normal((self.study.draws, density.size))
        x = shape.mode + z @ shape.root.T
        nation = np.einsum("s,nsiab->niab", self.weight(), density.links(x))
        return record_of(case, self.truth(case), nation, density.innovations(x))


def record_of(case: Case, truth: Array, nation: Array, innovation: Array) -> Record:
    """Return what is kept of a panel.

    Parameters
    ----------
    case : Case
        Which panel.
    truth : array, shape (to, from)
        True national links.
    nation : array, shape (draw, interval, to, from)
        Draws of the national links.
    innovation : array, shape (draw, wave, variable, variable)
        Draws of the innovation covariances.
    """
    links = nation.mean(axis=1).reshape(len(nation), -1)
    lower, upper = np.quantile(links, ENDS, axis=0)
    chance = regime_chances(nation, innovation)
    verdicts = {claim: decide(chance[claim]).verdict for claim in CLAIMS}

    def plain(values: Array) -> tuple[float, ...]:
        return tuple(round(float(v), 6) for v in np.ravel(values))

    return Record(
        case.scenario,
        case.number,
        plain(truth),
        plain(links.mean(axis=0)),
        plain(links.std(axis=0, ddof=1)),
        plain(lower),
        plain(upper),
        chance,
        verdicts,
    )


def regime_chances(nation: Array, innovation: Array) -> dict[str, dict[str, float]]:
    """Return the share of draws in each regime by claim and reading (see `record_of`)."""
    total, within = ordered_effects(nation, innovation[:, 1:])
    found: dict[str, dict[str, float]] = {claim: {} for claim in CLAIMS}
    for reading, effects, inside in (
        (LAGGED, nation.mean(axis=1), None),
        (ORDERED, total.mean(axis=1), within.mean(axis=1)),
    ):
        which = regimes(deepening(effects, inside), feedback(effects, inside), DELTA)
        for claim in CLAIMS:
            found[claim][reading] = float(which[claim].mean())
    return found


def decide(chance: Mapping[str, float]) -> Verdict:
    """Return the verdict of the rule on the headline fit alone."""
    return verdict_on({reading: Chance(value) for reading, value in chance.items()})


def confusion(records: Iterable[Record]) -> pd.DataFrame:
    """Return how often each verdict was given, by scenario and claim.

    Returns
    -------
    DataFrame
        Columns scenario, claim, verdict, count, share (of the scenario's panels).
    """
    rows = [
        {"scenario": r.scenario, "claim": claim, "verdict": r.verdict[claim]}
        for r in records
        for claim in CLAIMS
    ]
    table = pd.DataFrame(rows, columns=["scenario", "claim", "verdict"])
    count = table.value_counts(sort=False).rename("count")
    panels = table.groupby(["scenario", "claim"], sort=False).size()
    full = pd.MultiIndex.from_tuples(
        [(s, c, v) for s, c in panels.index for v in VERDICTS[:3]],
        names=["scenario", "claim", "verdict"],
    )
    out = count.reindex(full, fill_value=0).reset_index()
    keys = pd.MultiIndex.from_frame(out[["scenario", "claim"]])
    return out.assign(share=out["count"].to_numpy() / panels.reindex(keys).to_numpy())


def outcomes(records: Iterable[Record]) -> pd.DataFrame:
    """Return how often each circle was found, by scenario: the confusion matrix.

    Returns
    -------
    DataFrame
        Columns scenario, verdict ("vicious supported", "virtuous supported" or "neither
        supported"), count, share.
    """
    table = confusion(records)
    said = table[table["verdict"] == "supported"].pivot(
        index="scenario", columns="claim", values="count"
    )
    panels = table.groupby(["scenario", "claim"], sort=False)["count"].sum()
    rows = []
    for scenario in dict.fromkeys(table["scenario"]):
        whole = int(panels[scenario, CLAIMS[0]])
        found = {f"{claim} supported": int(said.loc[scenario, claim]) for claim in CLAIMS}
        found["neither supported"] = whole - sum(found.values())
        rows += [
            {"scenario": scenario, "verdict": name, "count": count, "share": count / whole}
            for name, count in found.items()
        ]
    return pd.DataFrame(rows)


def coverage(records: Iterable[Record]) -> pd.DataFrame:
    """Return how often the 90% intervals of the national links hold the truth, and their bias.

    Returns
    -------
    DataFrame
        Columns scenario, to, from, panels, coverage with the ends of its own 90% interval (a beta
        posterior under Jeffreys' prior: how well so many panels tell it), bias (mean error), error
        (standard deviation of the errors) and sd (mean posterior standard deviation), in standard
        deviations of the variables.
    """
    rows = []
    by_scenario: dict[str, list[Record]] = {}
    for record in records:
        by_scenario.setdefault(record.scenario, []).append(record)
    for scenario, found in by_scenario.items():
        truth, mean, sd, lower, upper = (
            np.array([getattr(r, name) for r in found])
            for name in ("truth", "mean", "sd", "lower", "upper")
        )
        inside = (lower <= truth) & (truth <= upper)
        error = mean - truth
        for j, (to, origin) in enumerate(LINKS):
            held = int(inside[:, j].sum())
            low, high = stats.beta.ppf(ENDS, held + 0.5, len(found) - held + 0.5)
            rows.append(
                {
                    "scenario": scenario,
                    "to": to,
                    "from": origin,
                    "panels": len(found),
                    "coverage": inside[:, j].mean(),
                    "eti90_lower": low,
                    "eti90_upper": high,
                    "bias": error[:, j].mean(),
                    "error": error[:, j].std(ddof=1) if len(found) > 1 else np.nan,
                    "sd": sd[:, j].mean(),
                }
            )
    return pd.DataFrame(rows)


def bars(records: Sequence[Record]) -> pd.DataFrame:
    """Return what is asked of the verdicts and intervals, and what was found.

    Returns
    -------
    DataFrame
        Columns bar, asked, found, met. Without panels of a scenario its bars are left out.
    """
    table = confusion(records)
    said = table[table["verdict"] == "supported"].set_index(["scenario", "claim"])["share"]
    rows = []

    def bar(text: str, asked: str, found: float, *, met: bool) -> None:
        rows.append({"bar": text, "asked": asked, "found": found, "met": met})

    for scenario in ("no loop", "fixed differences"):
        if (scenario, "vicious") in said.index:
            share = float(said[scenario, "vicious"])
            bar(f"vicious supported where there is: {scenario}", "at most 0.05", share,
                met=share <= 0.05)  # fmt: skip
    for scenario in CLAIMS:
        if (scenario, scenario) in said.index:
            share = float(said[scenario, scenario])
            bar(f"{scenario} supported where it is so", "at least 0.80", share, met=share >= 0.8)
    model = [r for r in records if r.scenario != UNMODELLED]
    if model:
        share, (low, high) = float(coverage(model)["coverage"].mean()), COVERED
        bar("90% intervals of links hold the truth", f"{low:.2f} to {high:.2f}", share,
            met=low <= share <= high)  # fmt: skip
    return pd.DataFrame(rows, columns=["bar", "asked", "found", "met"])
