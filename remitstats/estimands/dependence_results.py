"""What a fit of the dependence model found, as labelled tables, and how it is written to disk.

`DependenceResults` is all the report sees of a fit. On disk it is a folder like that of reliance
(`estimands.folder`), of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import pandas as pd

from remitstats.estimands.model_results import ModelResults
from remitstats.estimands.summary import ESTIMATE

_MUNICIPALITY = ("cvegeo", "name", "state", "reporting", "quarters")
_PLACE = ("level", "code", "name")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "level": (*_MUNICIPALITY, "window", *ESTIMATE),
    "growth": (*_MUNICIPALITY, "period", *ESTIMATE, "p_positive"),
    "rank": (*_MUNICIPALITY, *ESTIMATE, "p_first_100"),
    "income_share": (
        *_MUNICIPALITY,
        "year",
        "income_source",
        "income_mxn_month",
        *ESTIMATE,
        "p_above_5",
        "p_above_10",
        "p_above_20",
    ),
    "ahead": (*_MUNICIPALITY, "quarter", *ESTIMATE),
    "path": (*_PLACE, "quarter", "series", *ESTIMATE, "observed"),
    "path_growth": (*_PLACE, "period", *ESTIMATE, "p_positive"),
    "example": (
        *_MUNICIPALITY[:-1],
        "why",
        "quarter",
        "series",
        *ESTIMATE,
        "observed",
    ),
    "nation": ("quantity", "municipalities", "of", *ESTIMATE),
    "concentration": ("year", "top", "municipalities", "population_percent", *ESTIMATE),
    "income_sensitivity": ("year", "income_sd", "percent", "probably", "almost_certainly"),
    "predictive": (
        "statistic",
        "description",
        "reporting",
        "observed",
        "replicated_mean",
        "replicated_eti90_lower",
        "replicated_eti90_upper",
        "p_value",
    ),
    "parameter": ("name", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
    "forecast_score": (
        "origin",
        "horizon",
        "reporting",
        "method",
        "series",
        "crps",
        "coverage_50",
        "coverage_80",
        "coverage_95",
    ),
}
TABLES = tuple(COLUMNS)
OPTIONAL = ("income_share", "income_sensitivity", "concentration", "forecast_score")


def empty(name: str) -> pd.DataFrame:
    """Return a table with its columns and no rows."""
    text = ("cvegeo", "name", "state", "reporting", "income_source", "top", "origin", "method")
    types = {c: "str" if c in text else "float64" for c in COLUMNS[name]}
    return pd.DataFrame({c: pd.Series(dtype=t) for c, t in types.items()})


@dataclass(frozen=True, repr=False)
class DependenceResults(ModelResults):
    """Tables of a fit of the dependence model.

    Money is real remittances per person and quarter in the unit of the model (`summary["unit"]`),
    as paid out in the municipality. Trends are without season, single quarters, the steps of
    reporting and the error of population. "faint" municipalities are those in which hardly any
    payouts are registered: what is told of their past rests on the model more than on data.

    Parameters
    ----------
    level : DataFrame
        One row a municipality and window (four quarters): trend.
    growth : DataFrame
        One row a municipality and period: growth of the trend, per cent a year, with the
        probability that it is positive; period "acceleration" is the difference of the two before
        it in percentage points a year.
    rank : DataFrame
        Rank of the newest level, 1 the highest, and the probability of being among the first 100.
    income_share : DataFrame
        Remittances in per cent of income, by year in which income was estimated, with the
        probability that they exceed 5, 10 and 20%. Empty where the panel has no income.
    ahead : DataFrame
        The next quarters as they will be measured; the median is the point forecast.
    path : DataFrame
        One row a place, quarter and series: "trend", and "ahead" for quarters to come; `observed`
        is all money over all people of the place, which is higher than the typical municipality.
    path_growth : DataFrame
        As `growth`, of nation and states.
    example : DataFrame
        Quarterly paths of some municipalities, as `path`; `why` says what for: "highest", "rose",
        "fell", "faint".
    nation : DataFrame
        Counts and totals: municipalities that grow, and national remittances over income.
    concentration : DataFrame
        Share of all money, in per cent, that the municipalities with most receive, by year;
        uncertain only because some money has no municipality.
    income_sensitivity : DataFrame
        Municipalities above a share of income with probability 0.5 and 0.95, by the assumed error
        of income.
    predictive : DataFrame
        Named statistics of the data against replicated ones.
    parameter : DataFrame
        The standard deviations with their convergence figures.
    summary : dict
        What ``results.json`` holds: model, engine, convergence, seed, versions, unit, windows.
    forecast_score : DataFrame
        Forecasts against what came (`dependence_forecast.forecast_check`); empty until it was run.
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS

    level: pd.DataFrame
    growth: pd.DataFrame
    rank: pd.DataFrame
    ahead: pd.DataFrame
    path: pd.DataFrame
    path_growth: pd.DataFrame
    example: pd.DataFrame
    nation: pd.DataFrame
    predictive: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]
    income_share: pd.DataFrame = field(default_factory=partial(empty, "income_share"))
    income_sensitivity: pd.DataFrame = field(default_factory=partial(empty, "income_sensitivity"))
    concentration: pd.DataFrame = field(default_factory=partial(empty, "concentration"))
    forecast_score: pd.DataFrame = field(default_factory=partial(empty, "forecast_score"))

    def title(self) -> str:
        """Return in a few words what the results are of."""
        count = self.rank["cvegeo"].nunique()
        return (
            f"Dependence of {count:,} municipalities, {self.summary.get('quarters', '?')} quarters"
        )
