"""Remittances per person by municipality and quarter, as the dependence model takes them.

Logarithms of real remittances per person, with what each of them is taken for:

- a **zero** is no observation: it shows how payouts were reported;
- a **gross error** (one quarter far off its neighbours, up or down) is set aside and counted;
- **population** is interpolated between the censuses of 2010 and 2020 and continued after them; how
  far it may be off is part of the model, and CONAPO's yearly figures are not used;
- **unidentified money** of a state is spread over its municipalities in proportion to theirs, as a
  shift of the whole state whose uncertainty is part of the model;
- a municipality is **steady** or **faint** (see `Measures`), and belongs with others of similar
  volatility to a *kind*, whose variances it shares.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import PanelError, Problem
from remitstats.models.dependence_measures import (
    CONSTANT_PESOS,
    Measures,
    quarter_name,
    quarter_number,
)
from remitstats.panel.panel import Panel
from remitstats.parts.grouped_paths import GroupedSeries

Array = NDArray[np.float64]
CELLS = ("municipality", "quarter")
CENSUSES = (2010, 2020)
CENSUS_DATE = {2010: 2010.45, 2020: 2020.20}  # 12 June 2010, 15 March 2020
WINDOW = 4  # quarters on either side of the running median
FEWEST = 12  # quarters with remittances under which volatility is not measured
LEAST_QUARTERS = 12  # of a panel
FAINT_CLASSES = 3  # of volatility
TABLES = ("municipality_quarter", "state_quarter", "municipality_census")


@dataclass(frozen=True, eq=False)
class DependenceData:
    """Arrays of a panel as the dependence model takes them.

    Parameters
    ----------
    coords : mapping of str to array
        `municipality` (cvegeo), `state`, `quarter`, `kind` (names of the kinds).
    observed : array, shape (municipality, quarter)
        Logarithm of real remittances per person, unidentified money spread; nan where there is
        none.
    dollars : array, shape (municipality, quarter)
        Millions of dollars, as published.
    log_population : array, shape (municipality, quarter)
        Interpolated or continued.
    log_value : array, shape (quarter,)
        Logarithm of what a million dollars is in single units of `measures.unit`.
    shift, shift_sd : array, shape (state, quarter)
        What the unidentified money adds to the logarithms of a state, and how far it may be off.
    unidentified : array, shape (state, quarter)
        Millions of dollars, as published.
    state_of, kind_of : array of int, shape (municipality,)
        Position of each municipality's state and kind.
    faint : array of bool, shape (kind,)
        Whether the municipalities of a kind are faint.
    errors : array of bool, shape (municipality, quarter)
        Gross errors that were set aside.
    measures : Measures
        The choices behind it.
    """

    coords: Mapping[str, NDArray[Any]]
    observed: Array
    dollars: Array
    log_population: Array
    log_value: Array
    shift: Array
    shift_sd: Array
    unidentified: Array
    state_of: NDArray[np.int64]
    kind_of: NDArray[np.int64]
    faint: NDArray[np.bool_]
    errors: NDArray[np.bool_]
    measures: Measures

    @cached_property
    def grouped(self) -> GroupedSeries:
        """What the density needs of the series."""
        states, kinds = len(self.coords["state"]), len(self.coords["kind"])
        return GroupedSeries.of(self.observed, self.state_of, self.kind_of, states, kinds)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """The quarters as whole numbers (`quarter_number`)."""
        return np.array([quarter_number(str(q)) for q in self.coords["quarter"]])

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        return {"log_per_person": (CELLS, self.observed)}

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs, as variables with dims."""
        return {
            "state_of": (("municipality",), self.state_of),
            "kind_of": (("municipality",), self.kind_of),
            "faint": (("kind",), self.faint),
            "log_population": (CELLS, self.log_population),
            "log_value": (("quarter",), self.log_value),
            "shift": (("state", "quarter"), self.shift),
            "shift_sd": (("state", "quarter"), self.shift_sd),
            "gross_error": (CELLS, self.errors),
        }


def prepare_data(
    panel: Panel, measures: Measures | None = None, *, last_quarter: str | None = None
) -> DependenceData:
    """Return the arrays the dependence model needs from a panel.

    Parameters
    ----------
    panel : Panel
        With the tables `TABLES` and, for constant pesos, `national_month`.
    measures : Measures, optional
        Defaults as `Measures` documents them.
    last_quarter : str, optional
        Nothing after this quarter is looked at, neither to classify nor to fit.

    Raises
    ------
    PanelError
        If a table is missing, quarters are missing or few, or a municipality has no population in
        the censuses of 2010 and 2020.
    """
    measures = measures or Measures()
    _require(panel, TABLES)
    money = panel.table("municipality_quarter").pivot(
        index="cvegeo", columns="quarter", values="remittances_usd_million"
    )
    if last_quarter is not None:
        quarter_number(last_quarter)
        money = money.loc[:, [q for q in money.columns if str(q) <= last_quarter]]
    quarters = [str(q) for q in money.columns]
    _check_quarters(quarters)
    codes = np.array([str(code) for code in money.index])
    dollars = money.to_numpy(dtype=float)
    if not (dollars > 0).any():
        raise PanelError("No municipality of the panel has remittances in any quarter.")
    states = np.unique([code[:2] for code in codes])
    state_of = np.searchsorted(states, [code[:2] for code in codes])
    numbers = np.array([quarter_number(q) for q in quarters])
    log_population = _log_population(panel, codes, numbers)
    log_value = log_values(panel, quarters, measures.unit)
    unidentified, total = _unidentified(panel, states, quarters)
    share = np.clip(unidentified / np.where(total > 0, total, np.inf), 0.0, 0.9)
    shift = -np.log1p(-share)

    with np.errstate(divide="ignore", invalid="ignore"):
        per_person = np.where(dollars > 0, np.log(dollars), np.nan) - log_population
    path = log_value - log_value.mean()
    errors = gross_errors(per_person + path, measures)
    observed = np.where(errors, np.nan, per_person + log_value + shift[state_of])
    quarterly = np.nan_to_num(dollars) * 1e6 * np.exp(-log_population)
    faint = _faint(quarterly, quarters, measures)
    kind_of, names, kind_faint = _kinds(observed, faint, measures.classes)
    return DependenceData(
        coords={
            "municipality": codes,
            "state": states,
            "quarter": np.array(quarters),
            "kind": np.array(names),
        },
        observed=observed,
        dollars=dollars,
        log_population=log_population,
        log_value=log_value,
        shift=shift,
        shift_sd=measures.unidentified_sd * shift,
        unidentified=unidentified,
        state_of=state_of.astype(np.int64),
        kind_of=kind_of,
        faint=kind_faint,
        errors=errors,
        measures=measures,
    )


def log_values(panel: Panel, quarters: list[str], unit: str) -> Array:
    """Return the logarithm of what a million dollars is worth in a quarter, in single units.

    Raises
    ------
    PanelError
        If the exchange rate or prices of a quarter are missing.
    """
    if unit != CONSTANT_PESOS:
        return np.full(len(quarters), np.log(1e6))
    _require(panel, ("national_month",))
    month = panel.table("national_month")
    stamp = month["month"].astype(str)
    name = stamp.str[:4] + "Q" + ((stamp.str[5:7].astype(int) + 2) // 3).astype(str)
    mean = month.assign(quarter=name).groupby("quarter")[["mxn_per_usd", "consumer_price_index"]]
    table = mean.mean().astype(float).reindex(quarters)
    lacking = table.index[table.isna().any(axis=1)]
    if len(lacking):
        raise PanelError(
            "Dollars can't be turned into constant pesos.",
            [
                Problem(
                    "national_month",
                    f"quarter={lacking[0]}",
                    "mxn_per_usd, consumer_price_index",
                    "no figure",
                    "figures for every quarter of municipality_quarter",
                    "Add them, or use unit='dollars'.",
                )
            ],
        )
    rate, prices = table["mxn_per_usd"].to_numpy(), table["consumer_price_index"].to_numpy()
    return np.asarray(np.log(1e6 * rate / (prices / 100.0)))


def gross_errors(y: Array, measures: Measures) -> NDArray[np.bool_]:
    """Return which observations lie so far off their neighbours that they are errors.

    Parameters
    ----------
    y : array, shape (municipality, quarter)
        Logarithms; nan where there is none.
    measures : Measures
        The limits.
    """
    frame = pd.DataFrame(y.T)
    centre = frame.rolling(2 * WINDOW + 1, center=True, min_periods=WINDOW).median()
    apart = (frame - centre).abs()
    spread = 1.4826 * apart.median(axis=0)
    limit = np.maximum(measures.error_least, measures.error_sds * spread)
    return np.asarray((apart > limit).to_numpy().T)


def _faint(quarterly: Array, quarters: list[str], measures: Measures) -> NDArray[np.bool_]:
    """Return which municipalities are faint: dollars per person and quarter, zeros counted."""
    first, last = measures.breaks
    at = np.array(quarters)
    faint = np.zeros(len(quarterly), dtype=bool)
    for chosen in (at < first, at >= last):
        if chosen.sum() >= WINDOW:
            faint |= np.median(quarterly[:, chosen], axis=1) < measures.faint_dollars
    if not (at < first).any() and not (at >= last).any():
        faint |= np.median(quarterly, axis=1) < measures.faint_dollars
    return faint


def _kinds(
    observed: Array, faint: NDArray[np.bool_], classes: int
) -> tuple[NDArray[np.int64], list[str], NDArray[np.bool_]]:
    """Divide municipalities into kinds by how volatile their quarters are.

    Volatility is the geometric mean of two root mean squares: of changes from a quarter to the
    next and of changes over four quarters, both against the median change of the steady ones. Not
    a robust one: municipalities with abrupt changes shall be among their like. Where it can't be
    measured it counts as high.
    """
    log_volatility = np.zeros(len(observed))
    for lag in (1, 4):
        changes = observed[:, lag:] - observed[:, :-lag]
        base = pd.DataFrame(changes[~faint] if (~faint).any() else changes)
        frame = pd.DataFrame(changes - base.median(axis=0).fillna(0.0).to_numpy())
        square = (frame**2).mean(axis=1).to_numpy()
        with np.errstate(divide="ignore"):
            log_volatility += np.log(square)
    enough = np.isfinite(observed).sum(axis=1) >= FEWEST
    volatility = np.where(enough & ~np.isnan(log_volatility), log_volatility, np.inf)
    kind_of = np.zeros(len(observed), dtype=np.int64)
    names: list[str] = []
    kind_faint: list[bool] = []
    for is_faint, label, wanted in ((False, "steady", classes), (True, "faint", FAINT_CLASSES)):
        members = np.flatnonzero(faint == is_faint)
        if not len(members):
            continue
        count = max(1, min(wanted, len(members) // 10))
        order = members[np.argsort(volatility[members], kind="stable")]
        # finer where volatility is high: each class has two thirds of the one below
        weight = (2.0 / 3.0) ** np.arange(count)
        ends = np.round(np.cumsum(weight) / weight.sum() * len(order)).astype(int)
        for number, part in enumerate(np.split(order, ends[:-1])):
            kind_of[part] = len(names)
            names.append(f"{label} {number + 1}")
            kind_faint.append(is_faint)
    return kind_of, names, np.array(kind_faint)


def _log_population(panel: Panel, codes: NDArray[Any], numbers: NDArray[np.int64]) -> Array:
    census = panel.table("municipality_census")
    wide = census.pivot(index="cvegeo", columns="year", values="population")
    wide = wide.reindex(index=codes, columns=list(CENSUSES)).astype(float)
    bad = wide.index[~(wide > 0).all(axis=1)]
    if len(bad):
        raise PanelError(
            "Remittances per person need the population of the censuses of 2010 and 2020.",
            [
                Problem(
                    "municipality_census",
                    f"cvegeo={code}",
                    "population",
                    ", ".join(f"{year}: {wide.loc[code, year]}" for year in CENSUSES),
                    "persons above 0 in both years",
                )
                for code in bad
            ],
        )
    first, last = (np.log(wide[year].to_numpy()) for year in CENSUSES)
    began, ended = (CENSUS_DATE[year] for year in CENSUSES)
    elapsed = (years_of(numbers) - began) / (ended - began)
    return np.asarray(first[:, None] + (last - first)[:, None] * elapsed)


def years_of(numbers: NDArray[np.int64]) -> Array:
    """Return the middles of quarters in years, such as 2013.125."""
    return np.asarray((numbers + 0.5) / 4.0)


def _unidentified(panel: Panel, states: NDArray[Any], quarters: list[str]) -> tuple[Array, Array]:
    table = panel.table("state_quarter")
    found = []
    for column in ("unidentified_usd_million", "remittances_ce166_usd_million"):
        wide = table.pivot(index="state", columns="quarter", values=column)
        wide = wide.reindex(index=list(states), columns=quarters)
        found.append(wide.astype(float).fillna(0.0).to_numpy())
    return found[0], found[1]


def _require(panel: Panel, tables: tuple[str, ...]) -> None:
    lacking = [name for name in tables if name not in panel.tables]
    if lacking:
        raise PanelError(
            f"The dependence model needs the table{'s' if len(lacking) > 1 else ''} "
            f"{', '.join(lacking)}, which the panel does not have."
        )


def _check_quarters(quarters: list[str]) -> None:
    if len(quarters) < LEAST_QUARTERS:
        raise PanelError(
            f"The dependence model needs at least {LEAST_QUARTERS} quarters, found {len(quarters)}."
        )
    numbers = [quarter_number(q) for q in quarters]
    gaps = [quarter_name(n + 1) for n, m in itertools.pairwise(numbers) if m != n + 1]
    if gaps:
        raise PanelError(
            "The quarters of municipality_quarter must follow each other without gaps.",
            [
                Problem("municipality_quarter", "-", "quarter", f"no {gap}", "every quarter")
                for gap in gaps
            ],
        )
