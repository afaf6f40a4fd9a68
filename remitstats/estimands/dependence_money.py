"""Remittances over income, and how concentrated they are: what needs more than the trend.

Income per person is itself a model's estimate (CONEVAL's of 2020, PNUD's of 2015), for a part of
Oaxaca's municipalities that of their district. It enters as a log-normal factor with a standard
deviation that is an assumption: `IncomeError`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.models.dependence_data import DependenceData, log_values
from remitstats.models.dependence_measures import CONSTANT_PESOS, DOLLARS
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
OWN, DISTRICT = "municipality", "district"
TOPS = (1.0, 5.0, 10.0)  # per cent of municipalities
ALLOCATION_SD = 1.0  # log standard deviation of how unidentified money departs from proportional


@dataclass(frozen=True)
class IncomeError:
    """How far estimated income per person may be off (standard deviation of its logarithm).

    Parameters
    ----------
    sd : float
        Of a municipality's own estimate.
    district_sd : float, optional
        What is added, as a variance, where a municipality has the figure of its district; by
        default the spread of CONEVAL's incomes of 2020 within the districts of Oaxaca.
    """

    sd: float = 0.15
    district_sd: float | None = None

    def describe(self) -> dict[str, Any]:
        """Return the assumption as plain values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Income:
    """Income per person of municipalities in a year.

    Parameters
    ----------
    year : int
        The year.
    mxn_month : array, shape (municipality,)
        Pesos of the year, a month; nan where there is none.
    log_quarter : array, shape (municipality,)
        Logarithm of income a quarter in the unit of the model.
    sd : array, shape (municipality,)
        Standard deviation of its error.
    source : array of str, shape (municipality,)
        "municipality", "district", "remaining part", or "".
    """

    year: int
    mxn_month: Array
    log_quarter: Array
    sd: Array
    source: NDArray[Any]


def incomes(
    panel: Panel, data: DependenceData, error: IncomeError, years: list[int]
) -> list[Income]:
    """Return income per person in those years that have any.

    CONEVAL's own figure of a municipality is preferred to PNUD's where both exist.
    """
    codes = data.coords["municipality"]
    own = _column(panel, "municipality_wave", "wave", "income_per_person_mxn_month")
    other = _column(panel, "municipality_condition", "year", "income_per_person_mxn_month")
    source = _column(panel, "municipality_condition", "year", "income_source")
    extra = error.district_sd
    if extra is None:
        extra = within_districts(panel)
    found = []
    for year in years:
        first = own.get(year, pd.Series(dtype=float)).reindex(codes).astype(float)
        second = other.get(year, pd.Series(dtype=float)).reindex(codes).astype(float)
        label = source.get(year, pd.Series(dtype=object)).reindex(codes)
        value = first.where(first.notna(), second)
        kind = np.where(first.notna(), OWN, label.fillna("").astype(str))
        kind = np.where(value.notna(), kind, "")
        if not (value > 0).any():
            continue
        sd = np.where(kind == DISTRICT, math.hypot(error.sd, extra), error.sd)
        months = np.asarray(value, dtype=float)
        found.append(
            Income(
                year,
                months,
                np.log(3.0 * months) - _log_pesos(panel, year, data.measures.unit),
                sd,
                kind,
            )
        )
    return found


def within_districts(panel: Panel) -> float:
    """Return the spread of log income of 2020 within districts that share a figure.

    0 where no district has two municipalities with an income of their own.
    """
    own = _column(panel, "municipality_wave", "wave", "income_per_person_mxn_month").get(2020)
    other = _column(panel, "municipality_condition", "year", "income_per_person_mxn_month").get(
        2020
    )
    source = _column(panel, "municipality_condition", "year", "income_source").get(2020)
    if own is None or other is None or source is None:
        return 0.0
    table = pd.DataFrame({"own": own, "other": other, "source": source}).dropna()
    table = table[table["source"] == DISTRICT]
    state = table.index.astype(str).str[:2]
    logs = pd.Series(np.log(table["own"].to_numpy(dtype=float)), index=table.index)
    groups = logs.groupby([state, table["other"].to_numpy()])
    apart = groups.transform(lambda x: x - x.mean())
    freedom = len(table) - groups.ngroups
    return float(np.sqrt((apart**2).sum() / freedom)) if freedom > 0 else 0.0


def _log_pesos(panel: Panel, year: int, unit: str) -> float:
    """Return the logarithm of how many pesos of a year are one unit of the model's money."""
    quarters = [f"{year}Q{q}" for q in range(1, 5)]
    constant = log_values(panel, quarters, CONSTANT_PESOS) - math.log(1e6)  # log(rate / prices)
    month = panel.table("national_month")
    rate = float(month.loc[month["month"].astype(str).str[:4] == str(year), "mxn_per_usd"].mean())
    if unit == DOLLARS:
        return math.log(rate)
    return math.log(rate) - float(constant.mean())


def _column(panel: Panel, table: str, over: str, column: str) -> dict[int, pd.Series]:
    if table not in panel.tables or column not in panel.table(table).columns:
        return {}
    frame = panel.table(table)
    return {
        int(str(year)): part.set_index("cvegeo")[column]
        for year, part in frame.groupby(over)
        if part[column].notna().any()
    }


def concentration(
    data: DependenceData, chains: int, draws: int, rng: np.random.Generator
) -> tuple[list[dict[str, Any]], Array]:
    """Return keys and draws of the share of money of the municipalities with most.

    Money without a municipality is spread over its state's in proportion to theirs times a
    log-normal factor each, anew in every draw.

    Returns
    -------
    keys : list of dict
        Year, top, number of municipalities and the share of people in those of the observed order.
    array, shape (chain, draw, key)
        Per cent.
    """
    quarter_year = np.array([int(str(q)[:4]) for q in data.coords["quarter"]])
    keys: list[dict[str, Any]] = []
    found = []
    first = np.searchsorted(data.state_of, np.arange(len(data.coords["state"])))  # codes ascend
    for year in np.unique(quarter_year):
        at = quarter_year == year
        if at.sum() < 4:
            continue
        money = np.nan_to_num(data.dollars[:, at]).sum(axis=1)
        loose = data.unidentified[:, at].sum(axis=1)
        people = np.exp(data.log_population[:, at]).mean(axis=1)
        order = np.argsort(-money)
        counts = [max(1, math.ceil(top / 100.0 * len(money))) for top in TOPS]
        weight = rng.standard_normal((chains * draws, len(money)))
        weight = money * np.exp(ALLOCATION_SD * weight)
        total = np.add.reduceat(weight, first, axis=1)
        rate = np.divide(loose, total, out=np.zeros_like(total), where=total > 0)
        whole = money + weight * rate[:, data.state_of]
        ranked = np.partition(whole, len(money) - counts[-1], axis=1)[:, -counts[-1] :]
        ranked = np.cumsum(-np.sort(-ranked, axis=1), axis=1)
        out = 100.0 * ranked[:, [count - 1 for count in counts]] / whole.sum(axis=1, keepdims=True)
        found.append(out.reshape(chains, draws, -1))
        keys += [
            {
                "year": int(year),
                "top": f"{top:g}%",
                "municipalities": count,
                "population_percent": 100.0 * float(people[order[:count]].sum() / people.sum()),
            }
            for top, count in zip(TOPS, counts, strict=True)
        ]
    whole_draws = np.concatenate(found, axis=2) if found else np.empty((chains, draws, 0))
    return keys, whole_draws
