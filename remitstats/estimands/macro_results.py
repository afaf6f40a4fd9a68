"""What a fit of the macro model found, as labelled tables, and how it is written to disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from remitstats.estimands.model_results import ModelResults
from remitstats.estimands.summary import ESTIMATE

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "growth": ("source", "year", "observed", *ESTIMATE),
    "window": (
        *("source", "window", "from_year", "to_year", "observed"),
        *(*ESTIMATE, "p_fastest", "r_hat", "ess_bulk"),
    ),
    "difference": ("window", "against", *ESTIMATE, "p_faster"),
    "turn": ("source", "from_window", "to_window", *ESTIMATE, "p_slower"),
    "coverage": ("year", *ESTIMATE, "p_positive"),
    "predictive": (
        *("statistic", "source", "observed", "replicated_mean"),
        *("replicated_eti90_lower", "replicated_eti90_upper", "p_value"),
    ),
    "parameter": ("name", "source", "description", *ESTIMATE, "r_hat", "ess_bulk", "ess_tail"),
}
TABLES = tuple(COLUMNS)


@dataclass(frozen=True, repr=False)
class MacroResults(ModelResults):
    """Posterior summaries of the macro model.

    Growth is in per cent a year of nominal dollars; "drift" is the growth that lasts. Intervals are
    equal-tailed with 90% posterior probability.

    Parameters
    ----------
    growth : DataFrame
        One row a source and year: observed growth and the drift behind it.
    window : DataFrame
        One row a source and window of years: mean drift, and the probability that no other source
        had a higher one.
    difference : DataFrame
        Mean drift of remittances less that of another source, by window, in percentage points.
    turn : DataFrame
        Mean drift in a later window less that in an earlier one, by source.
    coverage : DataFrame
        What wider coverage added to remittances in 2001 to 2003, per cent.
    predictive : DataFrame
        A statistic of the growths as observed and as replicated by the model.
    parameter : DataFrame
        The standard deviations with their convergence figures.
    summary : dict
        What ``results.json`` holds.
    """

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS

    growth: pd.DataFrame
    window: pd.DataFrame
    difference: pd.DataFrame
    turn: pd.DataFrame
    coverage: pd.DataFrame
    predictive: pd.DataFrame
    parameter: pd.DataFrame
    summary: dict[str, Any]

    def title(self) -> str:
        """Return in a few words what the results are of."""
        years = self.growth["year"]
        return f"Growth of {self.growth['source'].nunique()} sources, {years.min()}-{years.max()}"
