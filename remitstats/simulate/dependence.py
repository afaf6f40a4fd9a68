"""Made-up remittances per municipality and quarter, with the truth they were made from.

`simulate_dependence` draws the model of dependence on the geography, population and reporting of a
panel. `report_by_regime` puts on top of any remittances what the three ways of reporting do to
those of municipalities in which hardly any payouts are registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import unknown
from remitstats.models.dependence_data import DependenceData, prepare_data
from remitstats.models.dependence_density import DependenceDensity
from remitstats.models.dependence_form import Priors, root_of
from remitstats.models.dependence_measures import Measures, quarter_number
from remitstats.models.dependence_terms import NATION, SERIES, STATE
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
NATION_PATH = 7.0  # logarithm of remittances per person in the middle


@dataclass(frozen=True, eq=False)
class DependenceTruth:
    """Simulated series and what they were made from.

    Parameters
    ----------
    data : DependenceData
        The panel's, with simulated observations; kinds and what is missing as they were.
    sds : mapping of str to array
        The true standard deviations.
    trend : array, shape (municipality, quarter)
        The true trend of every municipality, nation and state included.
    nation_trend : array, shape (quarter,)
        That of the nation.
    """

    data: DependenceData
    sds: Mapping[str, Array]
    trend: Array
    nation_trend: Array


def simulate_dependence(
    panel: Panel,
    *,
    seed: int,
    sds: Mapping[str, Any] | None = None,
    measures: Measures | None = None,
    nation: Array | None = None,
) -> DependenceTruth:
    """Draw the dependence model on a panel's municipalities and quarters.

    Parameters
    ----------
    panel : Panel
        Gives geography, population, kinds of municipalities, and which quarters are missing.
    seed : int
        Everything random follows from it.
    sds : mapping of str to float or array, optional
        True standard deviations; by default such as the shipped panel shows.
    measures : Measures, optional
        As for `dependence.build`.
    nation : array, shape (quarter,), optional
        The nation's trend; drawn by default.

    Raises
    ------
    RemitstatsError
        If a standard deviation is not known.
    """
    data = prepare_data(panel, measures)
    density = DependenceDensity(data, Priors())
    chosen = density.constrain(density.start())
    for name, value in (sds or {}).items():
        if name not in chosen:
            raise unknown("standard deviation", name, chosen)
        chosen[name] = np.broadcast_to(np.asarray(value, dtype=float), np.shape(chosen[name]))
    vector = density.vector(chosen)
    made = draw_series(density, vector, np.random.default_rng(seed))
    # where the nation stands is chosen, not drawn: its prior is wide
    nation_trend = (
        made.nation_trend - made.nation_trend.mean() + NATION_PATH if nation is None else nation
    )
    nation_rest = made.nation_rest - made.nation_rest.mean()
    trend = nation_trend + made.state_trend[data.state_of] + made.own_trend
    rest = nation_rest + made.state_rest[data.state_of] + made.reporting + made.own_rest
    observed = np.where(np.isfinite(data.observed), trend + rest, np.nan)
    return DependenceTruth(replace(data, observed=observed), chosen, trend, nation_trend)


@dataclass(frozen=True, eq=False)
class DrawnSeries:
    """What the observations of a draw of the model are the sum of.

    Parameters
    ----------
    nation_trend, nation_rest : array, shape (quarter,)
        The nation's trend, and its season.
    state_trend, state_rest : array, shape (state, quarter)
        The same of states; in the rest also single quarters and unidentified money.
    reporting : array, shape (municipality, quarter)
        The path that faint municipalities' reporting has in common; 0 for the others.
    own_trend, own_rest : array, shape (municipality, quarter)
        What is a municipality's own.
    """

    nation_trend: Array
    nation_rest: Array
    state_trend: Array
    state_rest: Array
    reporting: Array
    own_trend: Array
    own_rest: Array


def draw_series(density: DependenceDensity, sds: Array, rng: np.random.Generator) -> DrawnSeries:
    """Draw what the model governs given its standard deviations.

    Parameters
    ----------
    density : DependenceDensity
        The model; of its data, the observations are not looked at.
    sds : array, shape (parameter,)
        The standard deviations.
    rng : numpy.random.Generator
        Stream of the draws.
    """
    data, form = density.data, density.form
    times = data.observed.shape[1]

    def drawn(part: str, kind: int, count: int) -> tuple[Array, Array]:
        trend, rest = form.split(part, kind, sds, density.kernel)
        return tuple(  # type: ignore[return-value]
            rng.standard_normal((count, times)) @ root_of(cov).T for cov in (trend, rest)
        )

    nation_trend, nation_rest = (x[0] for x in drawn(NATION, 0, 1))
    state_trend, state_rest = drawn(STATE, 0, len(data.coords["state"]))
    state_rest = state_rest + data.shift_sd * rng.standard_normal(data.shift_sd.shape)
    reporting, own_trend, own_rest = np.zeros((3, *data.observed.shape))
    spread = np.sqrt(form.reporting_variance(sds))
    reporting[data.faint[data.kind_of]] = density.extra @ (
        spread * rng.standard_normal(len(spread))
    )
    for kind in range(len(data.faint)):
        members = np.flatnonzero(data.kind_of == kind)
        own_trend[members], own_rest[members] = drawn(SERIES, kind, len(members))
    return DrawnSeries(
        nation_trend, nation_rest, state_trend, state_rest, reporting, own_trend, own_rest
    )


def report_by_regime(
    panel: Panel,
    log_per_person: pd.DataFrame,
    faint: NDArray[np.bool_],
    *,
    seed: int,
    measures: Measures | None = None,
    most: float = 12.0,
) -> Panel:
    """Return a panel whose remittances were reported the way CE166 was.

    Parameters
    ----------
    panel : Panel
        Gives population, prices and everything else.
    log_per_person : DataFrame
        Logarithm of dollars per person and quarter that are truly paid out; index `cvegeo`, columns
        quarters.
    faint : array of bool, shape (municipality,)
        Municipalities without a registered payout point: nothing is reported of them under the
        first and third way of reporting but for a tenth of the quarters, where a small amount
        appears; under the second an amount builds up from nothing to `most` dollars per person,
        whatever is truly paid out.
    seed : int
        Everything random follows from it.
    measures : Measures, optional
        Gives the breaks.
    most : float
        See `faint`.
    """
    chosen = measures or Measures()
    rng = np.random.default_rng(seed)
    quarters = [str(q) for q in log_per_person.columns]
    codes = [str(code) for code in log_per_person.index]
    numbers = np.array([quarter_number(q) for q in quarters])
    first, last = (quarter_number(q) for q in chosen.breaks)
    dollars = np.exp(log_per_person.to_numpy(dtype=float))
    share = np.clip((numbers - first + 1.0) / (last - first), 0.0, 1.0)
    spread = np.exp(0.5 * rng.standard_normal(dollars.shape))
    level = np.exp(0.8 * rng.standard_normal((len(codes), 1)))
    ascribed = most * level * np.maximum(share, 0.01) ** 2 * spread
    middle = (numbers >= first) & (numbers < last)
    trickle = np.where(rng.random(dollars.shape) < 0.1, 0.3 * level * spread, 0.0)
    reported = np.where(middle, ascribed, trickle)
    dollars = np.where(faint[:, None], reported, dollars)
    base = prepare_data(panel, chosen)
    at = pd.Index(base.coords["municipality"]).get_indexer(pd.Index(codes))
    when = pd.Index(base.coords["quarter"]).get_indexer(pd.Index(quarters))
    people = np.exp(base.log_population[np.ix_(at, when)])
    money = pd.DataFrame(dollars * people / 1e6, index=codes, columns=quarters)
    table = money.rename_axis("cvegeo").reset_index()
    table = table.melt("cvegeo", var_name="quarter", value_name="remittances_usd_million")
    states = panel.table("state_quarter")
    states["unidentified_usd_million"] = states["unidentified_usd_million"] * 0.0
    title = str(panel.metadata.get("title", "panel")).removeprefix("Simulated: ")
    changed = panel.with_table("municipality_quarter", table)
    changed = changed.with_table("state_quarter", states)
    return Panel(changed.tables, {**panel.metadata, "title": f"Simulated: {title}"})
