"""Fits shared by the engine's tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import remitstats
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.parts.latent_gaussian import LatentGaussian
from remitstats.simulate import grid_panel

# The helpers beside this file, for the tests and the processes that they start.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def small() -> Panel:
    """Return a panel of 2 waves, 2 states and 6 municipalities."""
    return grid_panel(2, 3, waves=(2010, 2020), states=("01", "02"), seed=3)


@pytest.fixture(scope="session")
def tiny(small: Panel) -> LatentGaussian:
    """Return the model of the small panel: small enough for dense algebra."""
    return reliance.latent_gaussian(reliance.prepare_data(small), reliance.Priors())


@pytest.fixture(scope="session")
def short_fit(model: Any, lattice: Panel) -> xr.DataTree:
    """Return a fit of the lattice too short to converge; tests must not change it."""
    return remitstats.fit(model, lattice, seed=4, draws=40, tune=20, chains=2)
