"""What a fit of the transition model found, as labelled tables, and how it is written to disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from remitstats.estimands.model_results import ModelResults
from remitstats.estimands.summary import ESTIMATE

_CHANGE = ("series", "period", "reading", "from_window", "to_window")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "country_path": ("series", "path", "country", "year", "observed", *ESTIMATE),
    "reversal": (
        *("path", "country", "rule", "by", "p_reversed"),
        *("year_median", "year_eti90_lower", "year_eti90_upper"),
    ),
    "level": ("path", "country", "window", *ESTIMATE, "p_below_zero"),
    "change": (*_CHANGE, "path", "country", *ESTIMATE, "p_rose", "p_fell", "p_above_zero"),
    "path_reversal": (
        *("path", "countries", "rule", "by", "p_all", "p_none"),
        *("reversed_mean", "reversed_eti90_lower", "reversed_eti90_upper"),
    ),
    "path_level": ("path", "countries", "window", *ESTIMATE, "p_all_below_zero"),
    "path_change": (
        *(*_CHANGE, "path", "countries", *ESTIMATE),
        *("p_all_rose", "p_none_rose", "p_all_fell"),
    ),
    "background": ("rule", "by", "senders_mean", *ESTIMATE),
    "predictive": (
        *("series", "statistic", "observed", "replicated_mean"),
        *("replicated_eti90_lower", "replicated_eti90_upper", "p_value"),
    ),
    "parameter": ("series", "name", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
}
TABLES = tuple(COLUMNS)


@dataclass(frozen=True, repr=False)
class TransitionResults(ModelResults):
    """Posterior summaries of the transition model.

    Net migration is per thousand persons a year, remittances are in per cent of product, income in
    per cent of that of the United States, changes in per cent of what was before. Intervals are
    equal-tailed with 90% posterior probability.

    Parameters
    ----------
    country_path : DataFrame
        One row a series, country of the paths and year: published figure and lasting path.
    reversal : DataFrame
        Whether, and when, a country had turned to net immigration as seen from `by`, by two rules
        (`estimands.transition_rules`). Dates are given it had; nan where that has a probability
        below 0.05.
    level : DataFrame
        Lasting net migration in windows of years.
    change : DataFrame
        Change between two windows of remittances over product and of relative income; `p_rose` and
        `p_fell` by more than the rules' margins. Reading "reporting" takes sudden moves for changes
        of reporting.
    path_reversal, path_level, path_change : DataFrame
        The same of all countries of a path together; estimates are means of its countries. They are
        about these countries and about no others.
    background : DataFrame
        Of all other countries that lost people in 1960 to 1974: how many per cent had turned.
    predictive : DataFrame
        A statistic of all countries as observed and as replicated by the model.
    parameter : DataFrame
        The parameters with their convergence figures.
    summary : dict
        What ``results.json`` holds.
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS

    country_path: pd.DataFrame
    reversal: pd.DataFrame
    level: pd.DataFrame
    change: pd.DataFrame
    path_reversal: pd.DataFrame
    path_level: pd.DataFrame
    path_change: pd.DataFrame
    background: pd.DataFrame
    predictive: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]

    def title(self) -> str:
        """Return in a few words what the results are of."""
        countries = self.country_path["country"].nunique()
        return f"Net migration, remittances and income of {countries} countries"
