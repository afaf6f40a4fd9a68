"""What a fit of the depopulation model found, as labelled tables, and how it is written to disk.

`DepopulationResults` is all the report sees of a fit. On disk it is a folder like that of reliance
(`estimands.folder`), of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from remitstats.estimands.model_results import ModelResults
from remitstats.estimands.summary import ESTIMATE

_PLACE = ("cvegeo", "name", "state")
_UNDERLYING = tuple(f"underlying_{key}" for key in ESTIMATE)
_TRUE = tuple(f"true_{key}" for key in ESTIMATE)

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "municipality": (
        *_PLACE,
        "interval",
        "recorded",
        "joint",
        *_UNDERLYING,
        *_TRUE,
        "p_decline",
        "p_underlying_decline",
        "p_underlying_below_half",
        "p_underlying_below_one",
    ),
    "group": ("level", "code", "name", "interval", "quantity", "recorded", *ESTIMATE),
    "share": (
        *("kind", "definition", "period", "start", "end", "years", "threshold"),
        *("municipalities", "losing", *ESTIMATE, "p_at_least_claimed"),
    ),
    "change": ("kind", "definition", "first", "last", *ESTIMATE, "p_rise"),
    "persistence": ("kind", "period", "given", "municipalities", *ESTIMATE),
    "link": (
        *("measure", "description", "wave", "interval", "when", "within", "quantity"),
        *("municipalities", "reliability", *ESTIMATE, "p_negative"),
    ),
    "outlook": (
        *_PLACE,
        "year",
        "last",
        *ESTIMATE,
        "eti50_lower",
        "eti50_upper",
        "p_decline",
        "p_underlying_decline",
    ),
    "future": ("level", "code", "name", "year", "quantity", *ESTIMATE),
    "hindcast": ("forecast", "quantity", "level", "value", "expected"),
    "hindcast_pit": ("lower", "upper", "share"),
    "hindcast_municipality": ("cvegeo", "observed", *ESTIMATE),
    "predictive": (
        *("statistic", "description", "interval", "observed", "replicated_mean"),
        *("replicated_eti90_lower", "replicated_eti90_upper", "p_value"),
    ),
    "parameter": ("name", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
}
TABLES = tuple(COLUMNS)
_TEXTS = {
    *("cvegeo", "name", "state", "interval", "level", "code", "quantity", "kind", "definition"),
    *(
        "period",
        "given",
        "measure",
        "description",
        "when",
        "within",
        "forecast",
        "statistic",
        "first",
        "last",
    ),
}


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows: what results hold where nothing fills it."""
    numbers = name == "hindcast"  # whose level is a number
    kinds = {
        column: "str" if column in _TEXTS and not (numbers and column == "level") else "float64"
        for column in COLUMNS[name]
    }
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in kinds.items()})


@dataclass(frozen=True, repr=False)
class DepopulationResults(ModelResults):
    """Posterior summaries of the depopulation model.

    Growth is in % a year of the logarithm. "recorded" is what the censuses say on boundaries that
    compare, "true" the same without the errors of counts and survey, "underlying" the rate
    without what passes in one interval. Intervals are equal-tailed with 90% posterior
    probability where not named otherwise.

    Parameters
    ----------
    municipality : DataFrame
        One row a municipality and interval: the three kinds of growth, and how probable decline
        is: `p_decline` of true growth below 0, the others of the underlying rate below 0, -0.5
        and -1. `joint`: the recorded growth is that of a whole territory.
    group : DataFrame
        Nation and states by interval: `mean_rate` (underlying, all municipalities alike),
        `weighted_rate` (by persons), `losing_percent` and `underlying_losing_percent`.
    share, change, persistence, link, outlook, future : DataFrame
        As `depopulation_share`, `depopulation_link` and `depopulation_forecast` describe them.
    hindcast, hindcast_pit, hindcast_municipality : DataFrame
        A forecast made from earlier censuses, scored; empty where it could not be made.
    predictive : DataFrame
        Posterior predictive check.
    parameter : DataFrame
        The hyperparameters with their convergence figures.
    summary : dict
        What ``results.json`` holds: model, engine, convergence, seed, versions.
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    withheld: ClassVar[tuple[str, ...]] = ("shares",)

    municipality: pd.DataFrame
    group: pd.DataFrame
    share: pd.DataFrame
    change: pd.DataFrame
    persistence: pd.DataFrame
    link: pd.DataFrame
    outlook: pd.DataFrame
    future: pd.DataFrame
    hindcast: pd.DataFrame
    hindcast_pit: pd.DataFrame
    hindcast_municipality: pd.DataFrame
    predictive: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]

    def title(self) -> str:
        """Return in a few words what the results are of."""
        intervals = self.municipality["interval"].unique()
        return (
            f"Depopulation of {self.municipality['cvegeo'].nunique():,} municipalities, "
            f"{len(intervals)} intervals ({', '.join(intervals)})"
        )
