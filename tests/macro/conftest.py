"""Series with known drifts, and one short fit that the tests share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import remitstats
from remitstats.estimands.macro import summarise_macro
from remitstats.estimands.macro_results import MacroResults
from remitstats.models import macro
from remitstats.models.macro_data import SOURCES
from remitstats.panel.panel import Panel

DRIFTS = {"remittances": 0.15, "oil": 0.02, "other_exports": 0.06, "tourism": 0.05}
EXTRA = 0.20  # what coverage adds in 2001 to 2003


def simulate(seed: int = 1, shock: float = 0.04, last: int = 2019) -> Panel:
    """Return series of steady drifts with shocks, and wider coverage of remittances."""
    rng = np.random.default_rng(seed)
    years = np.arange(1995, last + 1)
    table: dict[str, Any] = {"year": years}
    for source, column in SOURCES.items():
        growth = DRIFTS[source] + shock * rng.standard_normal(len(years) - 1)
        if source == "remittances":
            growth[(years[1:] >= 2001) & (years[1:] <= 2003)] += EXTRA
        table[column] = 1000.0 * np.exp(np.concatenate([[0.0], np.cumsum(growth)]))
    return Panel({"national_year": pd.DataFrame(table)}, {})


@pytest.fixture(scope="session")
def simulate_series():
    return simulate


@pytest.fixture(scope="session")
def drifts() -> dict[str, float]:
    return DRIFTS


@pytest.fixture(scope="session")
def series() -> Panel:
    return simulate()


@pytest.fixture(scope="session")
def fit(series: Panel) -> xr.DataTree:
    return remitstats.fit(macro.build(series), series, seed=1, draws=500, tune=120, chains=2)


@pytest.fixture(scope="session")
def results(fit: xr.DataTree, series: Panel) -> MacroResults:
    return summarise_macro(fit, series)
