"""Statistics of the data that a model does not reproduce: by an interval, or by a p-value."""

from __future__ import annotations

import pandas as pd


def outside_interval(predictive: pd.DataFrame) -> pd.DataFrame:
    """Return the rows observed outside the 90% interval of replicated ones."""
    low, high = predictive["replicated_eti90_lower"], predictive["replicated_eti90_upper"]
    observed = predictive["observed"]
    return predictive[(observed < low) | (observed > high)]


def outside_middle(predictive: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose p-value says that they lie outside the middle 90% of replications."""
    p = predictive["p_value"]
    return predictive[(p < 0.05) | (p > 0.95)]
