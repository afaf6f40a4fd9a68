"""The specification curve of the circle: the same quantities under other defensible choices.

Each specification is fitted by the normal approximation at the mode of its posterior, from which
the chains of a whole fit start: twenty whole fits would take an hour, and a specification can only
take a verdict away (`claims.regime`). The approximation of the headline itself stands in the curve
beside the headline's chains, so that anybody can see what it is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from remitstats.claims.regime import CLAIMS, Chance, Chances
from remitstats.errors import PanelError, RemitstatsError
from remitstats.estimands.circle import LAGGED, ORDERED
from remitstats.estimands.circle_loop import (
    DELTA,
    deepening,
    feedback,
    gain,
    ordered_effects,
    regimes,
)
from remitstats.estimands.summary import estimate
from remitstats.fitting.collapsed import laplace
from remitstats.fitting.settings import available_cores
from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_density import CircleDensity
from remitstats.models.circle_form import Form, Priors
from remitstats.models.circle_measures import COMPONENTS, Measures
from remitstats.models.reliance_data import design_of
from remitstats.panel.code_form import codes_of
from remitstats.panel.panel import Panel
from remitstats.parts.priors import NormalPrior, ScalePrior
from remitstats.parts.sampling_error import SamplingDesign

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

HEADLINE = "headline"
QUANTITIES = ("deepening", "feedback", "gain")
BORDER = ("02", "05", "08", "19", "26", "28")  # states that touch the United States
LARGE = 100_000  # people
DRAWS = 1000


@dataclass(frozen=True)
class Specification:
    """One way to measure and to fit.

    Parameters
    ----------
    name : str
        What it is called in the curve.
    core : bool
        Whether it is as defensible as the headline: only such can take a verdict away.
    measures, design, form, priors
        What the circle model takes.
    without : str
        "border" leaves out the states at the northern border, "large" the municipalities with
        100,000 people or more, "metropolitan" these and all that border on one (the panel holds
        no delimitation of metropolitan areas); empty for none.
    weighted : str
        Whose mean the nation's links are, which matters where links differ between states: that
        of municipalities if empty, of people if "population", of dwellings if "dwellings", both
        in the last wave.
    """

    name: str
    core: bool = True
    measures: Measures = field(default_factory=Measures)
    design: SamplingDesign = field(default_factory=SamplingDesign)
    form: Form = field(default_factory=Form)
    priors: Priors = field(default_factory=Priors)
    without: str = ""
    weighted: str = ""

    def fitted_as(self) -> Specification:
        """Return what distinguishes its fit: specifications with the same share one."""
        return replace(self, name="", core=True, weighted="")


def specifications() -> tuple[Specification, ...]:
    """Return the specifications of the curve beside the headline.

    Not core are those that the data plainly reject (links that never change; no lasting
    differences), that use less of the data (no measurements of 1990) or measure less
    (underdevelopment by one of its components).
    """
    base = Priors()
    return (
        Specification("headline, normal approximation", core=False),
        Specification("links by region", form=Form(by_region=True)),
        Specification("links by state", form=Form(by_state=True)),
        Specification("links by state, by people", form=Form(by_state=True), weighted="population"),
        Specification(
            "links by state, by dwellings", form=Form(by_state=True), weighted="dwellings"
        ),
        Specification(
            "circular migration counted", measures=Measures(migration="emigrants and circular")
        ),
        Specification("stability: no low wages", measures=Measures(stability="low wages")),
        Specification("size not taken out", measures=Measures(size_adjusted=False)),
        Specification("without border states", without="border"),
        Specification("without large municipalities", without="large"),
        Specification("without large and their neighbours", without="metropolitan"),
        Specification("census design effect 4", design=SamplingDesign(design_effect=4.0)),
        Specification(
            "cross-links held near zero",
            priors=replace(base, cross_link=NormalPrior(0.0, 0.1)),
        ),
        Specification(
            "wide priors of links",
            priors=replace(
                base,
                own_link=NormalPrior(0.5, 0.5),
                cross_link=NormalPrior(0.0, 0.5),
                interval_sd=ScalePrior(0.4, 0.05),
            ),
        ),
        Specification("links alike in all decades", core=False, form=Form(by_interval=False)),
        Specification("without 1990", core=False, measures=Measures(earlier=False)),
        Specification("no lasting differences", core=False, form=Form(own_level=False)),
        *(
            Specification(
                f"underdevelopment: {name.removesuffix('_percent').replace('_', ' ')}",
                core=False,
                measures=Measures(underdevelopment=name),
            )
            for name in COMPONENTS
            if not name.startswith("incomplete")  # not the same in all waves
        ),
    )  # fmt: skip


def specification_curve(
    panel: Panel,
    *,
    seed: int = 1,
    draws: int = DRAWS,
    chosen: tuple[Specification, ...] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the halves of the loop, its gain and the regimes under every specification.

    Parameters
    ----------
    panel : Panel
        The whole panel.
    seed : int
        Of the draws of the approximations.
    draws : int
        Draws of each.
    chosen : tuple of Specification, optional
        By default `specifications`.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    DataFrame
        Columns specification, headline, core, reading, quantity ("deepening", "feedback", "gain",
        "p_vicious", "p_virtuous"), and the estimate; of a probability the mean alone has a sense.
        A specification that the panel can't serve (no such column) is left out.
    """
    tell = progress or (lambda _description, _fraction: None)
    every = specifications() if chosen is None else chosen
    frames, fit = [], None
    for number, one in enumerate(every):
        tell(f"specification: {one.name}", number / len(every))
        try:
            if fit is None or fit.of != one.fitted_as():
                fit = _fit(panel, one, seed, draws)
            weight = _weight_of_states(panel, fit.data, one.weighted)
        except RemitstatsError:  # the panel lacks what it is measured by
            continue
        nation = np.einsum("s,nsiab->niab", weight, fit.links)
        frame = curve_rows(nation, fit.innovation)
        frames.append(frame.assign(specification=one.name, headline=False, core=one.core))
    tell("specifications", 1.0)
    return pd.concat(frames, ignore_index=True)


def data_of(panel: Panel, one: Specification) -> CircleData:
    """Return the measurements of a specification; raise `RemitstatsError` where there are none."""
    data = prepare_data(panel, one.measures, design_of(panel, one.design))
    codes = data.coords["municipality"]
    if one.without == "border":
        if codes_of(panel.metadata).own:
            raise PanelError("Which states lie at the border is known of Mexico alone.")
        return data.take(~np.isin(panel.states_of(codes), BORDER))
    if one.without in ("large", "metropolitan"):
        left_out = _people(panel, codes) >= LARGE
        if one.without == "metropolitan":
            left_out |= _beside(panel, codes, left_out)
        return data.take(~left_out)
    return data


def _people(panel: Panel, codes: NDArray[Any]) -> Array:
    """Return the people of municipalities in the last census, 0 where not known."""
    census = panel.table("municipality_census")
    last = census[census["year"] == census["year"].max()].set_index("cvegeo")["population"]
    return np.asarray(pd.to_numeric(last.reindex(codes)).to_numpy(float, na_value=0.0))


def _beside(panel: Panel, codes: NDArray[Any], of: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which municipalities border on one of a set."""
    pairs = panel.table("adjacency")[["cvegeo_a", "cvegeo_b"]].astype(str)
    a, b = (pairs[column].to_numpy() for column in pairs)
    chosen = codes[of].astype(str)
    beside = np.concatenate([b[np.isin(a, chosen)], a[np.isin(b, chosen)]])
    return np.isin(codes.astype(str), beside)


def _weight_of_states(panel: Panel, data: CircleData, weighted: str) -> Array:
    """Return the share of every state in the nation's links, shape (state,)."""
    codes, group = data.coords["municipality"], data.nested.tree.group_of
    if not weighted:
        return np.asarray(np.bincount(group) / len(group))
    if weighted == "population":
        size = _people(panel, codes)
    else:
        waves = panel.table("municipality_wave")
        last = waves[waves["wave"] == waves["wave"].max()].set_index("cvegeo")["dwellings"]
        size = pd.to_numeric(last.reindex(codes)).to_numpy(float, na_value=0.0)
    return np.asarray(np.bincount(group, size) / size.sum())


@dataclass(frozen=True, eq=False)
class _Fit:
    """Draws of a specification's approximate posterior: links of states and what is new."""

    of: Specification
    data: CircleData
    links: Array
    innovation: Array


def _fit(panel: Panel, one: Specification, seed: int, draws: int) -> _Fit:
    data = data_of(panel, one)
    density = CircleDensity(data, one.priors, one.form)
    with threadpool_limits(limits=1):
        shape = laplace(density, available_cores())
    z = np.random.default_rng(seed).standard_normal((draws, density.size))
    x = shape.mode + z @ shape.root.T
    return _Fit(one.fitted_as(), data, density.links(x), density.innovations(x)[:, 1:])


def curve_rows(nation: Array, innovation: Array) -> pd.DataFrame:
    """Return the rows of one specification.

    Parameters
    ----------
    nation : array, shape (draw, interval, to, from)
        The nation's links.
    innovation : array, shape (draw, interval, variable, variable)
        Covariances of what is new in the wave that ends each interval.
    """
    total, within = ordered_effects(nation, innovation)
    rows: list[dict[str, Any]] = []
    for reading, effects, inside in (
        (LAGGED, nation.mean(axis=1), None),
        (ORDERED, total.mean(axis=1), within.mean(axis=1)),
    ):
        halves = deepening(effects, inside), feedback(effects, inside)
        for name, value in zip(QUANTITIES, (*halves, gain(effects, inside)), strict=True):
            rows.append({"reading": reading, "quantity": name, **_plain(estimate(value))})
        which = regimes(*halves, DELTA)
        for claim in CLAIMS:
            found = float(which[claim].mean())
            rows.append(
                {"reading": reading, "quantity": f"p_{claim}"}
                | dict.fromkeys(("mean", "median", "eti90_lower", "eti90_upper"), found)
                | {"sd": 0.0}
            )
    return pd.DataFrame(rows)


def _plain(found: Mapping[str, Array]) -> dict[str, float]:
    return {name: float(value) for name, value in found.items()}


def core_chances(curve: pd.DataFrame, claim: str) -> dict[str, Chances]:
    """Return the probability of a claim by core specification and reading."""
    rows = curve[curve["core"] & ~curve["headline"] & (curve["quantity"] == f"p_{claim}")]
    found: dict[str, dict[str, Chance]] = {}
    for row in rows.to_dict("records"):
        found.setdefault(str(row["specification"]), {})[str(row["reading"])] = Chance(
            float(row["mean"])
        )
    return dict(found)
