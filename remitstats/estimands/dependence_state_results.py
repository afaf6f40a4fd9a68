"""What a fit of the state model of dependence found, as labelled tables, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import pandas as pd

from remitstats.estimands.model_results import ModelResults
from remitstats.estimands.summary import ESTIMATE

_PLACE = ("level", "code", "name")
_PERIOD = ("from_year", "to_year", "predicted")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "level": (*_PLACE, "year", "quantity", "observed", "predicted", *ESTIMATE),
    "change": (*_PLACE, *_PERIOD, "observed", *ESTIMATE, "p_rising", "p_tendency"),
    "tendency": (*_PLACE, *ESTIMATE, "p_rising"),
    "rank": ("code", "name", "year", "observed", "predicted", *ESTIMATE, "p_first"),
    "rank_change": ("code", "name", *_PERIOD, "observed", *ESTIMATE, "p_up"),
    "concentration": ("year", "quantity", "observed", "predicted", *ESTIMATE),
    "concentration_change": (*_PERIOD, "quantity", "observed", *ESTIMATE, "p_rising"),
    "decomposition": (*_PLACE, "from_year", "to_year", "ratio", "dollars", "exchange", "product"),
    "predictive": (
        *("statistic", "description", "observed", "replicated_mean"),
        *("replicated_eti90_lower", "replicated_eti90_upper", "p_value"),
    ),
    "claim": ("claim", "estimand", "description", "known", *ESTIMATE, "probability"),
    "parameter": ("name", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
    "forecast": (
        *("year", "method", "states", "inside_50", "inside_80", "inside_90"),
        *("crps", "crps_no_change", "mean_error", "mean_width_90"),
    ),
}
TABLES = tuple(COLUMNS)
_TEXT = ("method",)


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows: what results hold where nothing has filled it."""
    return pd.DataFrame(
        {
            column: pd.Series(dtype="str" if column in _TEXT else "float64")
            for column in COLUMNS[name]
        }
    )


@dataclass(frozen=True, repr=False)
class DependenceStateResults(ModelResults):
    """Posterior summaries of the state model of dependence.

    Ratios are remittances over the state's product in per cent; changes are per cent of the ratio
    a year. Intervals are equal-tailed with 90% posterior probability. A column ``observed`` holds
    what the statistics say, which is known; estimates beside it are of the trend behind it, which
    is not. ``predicted`` marks years without product, whose ratio is known pesos over predicted
    product.

    Parameters
    ----------
    level : DataFrame
        One row a place, year and quantity: "trend" in every year, "ratio" in predicted ones. The
        nation is the sum of its states: national pesos over national product.
    change : DataFrame
        One row a place and period: mean yearly change of the trend; `p_rising`, the probability
        that the trend stood higher at the end; `p_tendency`, the probability that the mean growth
        behind the period was positive, were it free to differ from period to period: a rise that
        yearly moves of the usual size would also bring leaves it near one half.
    tendency : DataFrame
        Mean yearly growth behind the whole path, of the typical state and of every state.
    rank, rank_change : DataFrame
        Rank of the trend (1: most dependent) by year and its change (positive: moved up).
    concentration, concentration_change : DataFrame
        Share of the nation's remittances that the top states receive, in per cent, and the
        effective number of states; estimates are of trend money.
    decomposition : DataFrame
        Known: how the yearly change of the ratio (log, per cent) is made of dollars, the exchange
        rate and product. ``ratio = dollars + exchange - product``.
    predictive : DataFrame
        Statistics of the data against replications.
    claim : DataFrame
        Quantities that claims refer to by `estimand`, with their probability.
    parameter : DataFrame
        Hyperparameters with their convergence figures.
    summary : dict
        What ``results.json`` holds.
    forecast : DataFrame
        Scores of one-step-ahead predictions; empty until they were made
        (`remitstats.forecast_dependence_state`).
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS

    level: pd.DataFrame
    change: pd.DataFrame
    tendency: pd.DataFrame
    rank: pd.DataFrame
    rank_change: pd.DataFrame
    concentration: pd.DataFrame
    concentration_change: pd.DataFrame
    decomposition: pd.DataFrame
    predictive: pd.DataFrame
    claim: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]
    forecast: pd.DataFrame = field(default_factory=partial(empty, "forecast"))

    def title(self) -> str:
        """Return in a few words what the results are of."""
        states = self.level.loc[self.level["level"] == "state", "code"].nunique()
        years = self.level["year"]
        return f"Dependence of {states} states, {years.min()} to {years.max()}"
