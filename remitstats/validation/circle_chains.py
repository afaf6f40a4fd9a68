"""The circle's study by Markov chains: what its verdicts are worth when they are those of a fit.

Chains for hundreds of panels would take days. So the normal approximation tries all panels
(`validation.circle`), and the first of each scenario are fitted both ways: the same data, the same
rule, once by the approximation and once by chains like those of a real fit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from remitstats.claims.circle_calibration import ByChains
from remitstats.claims.regime import CLAIMS, SUPPORTED
from remitstats.errors import RemitstatsError
from remitstats.fitting.collapsed import laplace
from remitstats.fitting.convergence import convergence
from remitstats.fitting.version import code_of
from remitstats.fitting.whitened import WhitenedChain, tune_together
from remitstats.models.circle import ACCEPTANCE
from remitstats.models.circle_density import CircleDensity
from remitstats.validation.circle import Case, Trial, decide, record_of
from remitstats.validation.circle_study import CODE, find_near, study_key
from remitstats.validation.resumed import Progress, record_from, resumed

Array = NDArray[np.float64]

STUCK = 1000.0  # R-hat of chains none of which moved, which has no number
ENGINE = "fitting/whitened.py"  # of the chains, beside what the study itself depends on


@dataclass(frozen=True)
class Chains:
    """How long the chains of a panel are.

    Parameters
    ----------
    chains, tune, draws : int
        Chains, and discarded and kept moves of each.

    Raises
    ------
    RemitstatsError
        If there are too few of them to tell convergence.
    """

    chains: int = 4
    tune: int = 250
    draws: int = 250

    def __post_init__(self) -> None:
        """Refuse what can't be judged."""
        for name, least in (("chains", 2), ("tune", 20), ("draws", 20)):
            if getattr(self, name) < least:
                raise RemitstatsError(
                    f"'{name}' of chains must be at least {least}, found {getattr(self, name)}."
                )


@dataclass(frozen=True)
class BothWays:
    """One panel fitted by the approximation and by chains.

    Parameters
    ----------
    scenario, number : str, int
        Which panel.
    r_hat, ess, median_ess : float
        The largest R-hat (at most `STUCK`), the least and the median effective sample size (bulk)
        of the national links, mean of the intervals.
    mean_away, most_away : float
        Mean and largest distance between the two means of a link, in standard deviations of the
        chains.
    sd_ratio, least_ratio, most_ratio : float
        Mean and ends of the approximation's standard deviations over the chains'.
    chance, approximate_chance : mapping of str to (mapping of str to float)
        Probability of every claim by reading, by chains and by the approximation.
    verdict, approximate_verdict : mapping of str to str
        Verdict on every claim.
    held, approximate_held : tuple of int
        Whether the 90% interval of each link of `LINKS` holds the truth, 1 or 0.
    """

    scenario: str
    number: int
    r_hat: float
    ess: float
    median_ess: float
    mean_away: float
    most_away: float
    sd_ratio: float
    least_ratio: float
    most_ratio: float
    chance: Mapping[str, Mapping[str, float]]
    approximate_chance: Mapping[str, Mapping[str, float]]
    verdict: Mapping[str, str]
    approximate_verdict: Mapping[str, str]
    held: tuple[int, ...]
    approximate_held: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of its file."""
        return Case(self.scenario, self.number).name

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> BothWays:
        """Return what `to_json` made a text of.

        Raises
        ------
        ValueError
            If the text is something else.
        """
        return record_from(cls, text, "panel fitted both ways")


def both_ways(trial: Trial, length: Chains, case: Case) -> BothWays:
    """Fit one simulated panel by the approximation and by chains.

    Parameters
    ----------
    trial : Trial
        A study with its country.
    length : Chains
        Of the chains.
    case : Case
        Which panel.
    """
    density = trial.density(case)
    seeds = np.random.SeedSequence((case.seed(trial.study), 2)).spawn(length.chains)
    x = chain_draws(trial, density, length, seeds)
    nation = np.einsum("s,cdsiab->cdiab", trial.weight(), density.links(x))
    links = nation.mean(axis=2).reshape(*x.shape[:2], -1)
    figures = convergence(links)
    flat = x.reshape(-1, x.shape[-1])
    chains = record_of(
        case,
        trial.truth(case),
        nation.reshape(-1, *nation.shape[2:]),
        density.innovations(flat),
    )
    approximate = trial.run(case)
    away = np.abs(np.subtract(approximate.mean, chains.mean)) / np.array(chains.sd)
    ratio = np.divide(approximate.sd, chains.sd)
    held = [
        tuple(int(a <= t <= b) for a, t, b in zip(one.lower, one.truth, one.upper, strict=True))
        for one in (chains, approximate)
    ]
    return BothWays(
        scenario=case.scenario,
        number=case.number,
        r_hat=min(float(figures["r_hat"].max()), STUCK),
        ess=float(figures["ess_bulk"].min()),
        median_ess=float(figures["ess_bulk"].median()),
        mean_away=float(away.mean()),
        most_away=float(away.max()),
        sd_ratio=float(ratio.mean()),
        least_ratio=float(ratio.min()),
        most_ratio=float(ratio.max()),
        chance=chains.chance,
        approximate_chance=approximate.chance,
        verdict={claim: decide(chains.chance[claim]).verdict for claim in CLAIMS},
        approximate_verdict=approximate.verdict,
        held=held[0],
        approximate_held=held[1],
    )


def chain_draws(
    trial: Trial, density: CircleDensity, length: Chains, seeds: list[np.random.SeedSequence]
) -> Array:
    """Return draws of the chains of one panel, shape (chain, draw, parameter).

    They are those of `fitting.run` in small.
    """
    with threadpool_limits(limits=1):
        shape = laplace(density, near=trial.near)
        chains = [WhitenedChain(density, shape, seed) for seed in seeds]
        tune_together(
            chains,
            length.tune,
            lambda moves: [chain.tune(moves, _nothing) for chain in chains],
            ACCEPTANCE,
        )
        found = [chain.draw(length.draws, _nothing)[0] for chain in chains]
    return np.stack(found)


def run_both_ways(
    trial: Trial,
    panels: int,
    folder: Path,
    *,
    length: Chains | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> list[BothWays]:
    """Fit the first panels of every scenario both ways, those that have not been yet.

    Parameters
    ----------
    trial : Trial
        The study and its country.
    panels : int
        How many of every scenario.
    folder : Path
        Where finished ones are kept.
    length : Chains, optional
        Of the chains.
    workers, cluster, progress
        As in `run_study`.

    Returns
    -------
    list of BothWays
        One a panel, those of all scenarios in turn.

    Raises
    ------
    RemitstatsError
        If the cluster can't be reached.
    """
    length = length or Chains()
    name = "-".join([*map(str, asdict(length).values()), code_of(ENGINE)[:8]])
    cases = [Case(name, number) for number in range(panels) for name in trial.study.scenarios]
    return resumed(
        {case.name: case for case in cases},
        partial(both_ways, trial, length),
        BothWays.from_json,
        lambda one: one.name,
        folder / f"circle-{study_key(trial)}" / f"chains-{name}",
        title=f"panels fitted both ways ({panels} of {len(trial.study.scenarios)} scenarios)",
        workers=workers,
        cluster=cluster,
        progress=progress,
        before=partial(find_near, trial),
    )


def agreement(found: Iterable[BothWays]) -> pd.DataFrame:
    """Return what chains and approximation say of the same panels.

    Returns
    -------
    DataFrame
        One row a scenario: scenario; panels; "vicious" and "virtuous", how often chains support
        the claim, and the same with "_approximate"; agree, of how many panels both verdicts are the
        same; coverage and coverage_approximate of the 90% intervals of the national links, and
        gap_sd, the standard deviation over panels of the difference of the two (NaN of a single
        panel); most_away (the mean over panels of the largest distance), sd_ratio (mean), r_hat
        (the largest), ess (the least) and median_ess (the median of the panels').
    """
    table = [
        {
            "scenario": one.scenario,
            "panels": 1,
            **{claim: one.verdict[claim] == SUPPORTED for claim in CLAIMS},
            **{f"{c}_approximate": one.approximate_verdict[c] == SUPPORTED for c in CLAIMS},
            "agree": dict(one.verdict) == dict(one.approximate_verdict),
            "coverage": np.mean(one.held),
            "coverage_approximate": np.mean(one.approximate_held),
            "gap_sd": np.mean(one.held) - np.mean(one.approximate_held),
            "most_away": one.most_away,
            "sd_ratio": one.sd_ratio,
            "r_hat": one.r_hat,
            "ess": one.ess,
            "median_ess": one.median_ess,
        }
        for one in found
    ]
    counts = ("panels", *CLAIMS, *(f"{claim}_approximate" for claim in CLAIMS), "agree")
    how = dict.fromkeys(counts, "sum") | {
        **dict.fromkeys(("coverage", "coverage_approximate", "most_away", "sd_ratio"), "mean"),
        "gap_sd": "std",
        "r_hat": "max",
        "ess": "min",
        "median_ess": "median",
    }
    if not table:
        return pd.DataFrame(columns=["scenario", *how])
    grouped = pd.DataFrame(table).groupby("scenario", sort=False).agg(how).reset_index()
    return grouped.astype(dict.fromkeys(counts, "int64"))


def summary_of(
    trial: Trial, found: Sequence[BothWays], command: str, length: Chains | None = None
) -> ByChains:
    """Return what is kept of a study by chains.

    Parameters
    ----------
    trial : Trial
        The study.
    found : sequence of BothWays
        What `run_both_ways` returned.
    command : str
        What to run to get it again.
    length : Chains, optional
        Of the chains.
    """
    table = agreement(found)
    study = trial.study.describe() | {
        "panels": int(table["panels"].min()) if len(table) else 0,
        "municipalities": trial.base.shape[0],
        "length": asdict(length or Chains()),
        "command": command,
        "code_version": code_of(*CODE, ENGINE),
    }
    return ByChains(study, table, chain_bars(table))


def chain_bars(found: pd.DataFrame) -> pd.DataFrame:
    """Return what is asked of verdicts by chains, and what was found; see `circle.bars`.

    Parameters
    ----------
    found : DataFrame
        What `agreement` returned.
    """
    rows = []

    def bar(text: str, asked: str, share: float, *, met: bool) -> None:
        rows.append({"bar": f"{text} (chains)", "asked": asked, "found": share, "met": met})

    by = {str(row["scenario"]): row for row in found.to_dict("records")}
    for scenario in ("no loop", "fixed differences"):
        if scenario in by:
            share = by[scenario]["vicious"] / by[scenario]["panels"]
            bar(f"vicious supported where there is: {scenario}", "at most 0.05", share,
                met=share <= 0.05)  # fmt: skip
    for scenario in CLAIMS:
        if scenario in by:
            share = by[scenario][scenario] / by[scenario]["panels"]
            bar(f"{scenario} supported where it is so", "at least 0.80", share, met=share >= 0.8)
    return pd.DataFrame(rows, columns=["bar", "asked", "found", "met"])


def _nothing() -> None:
    """Tell nobody of a move."""
