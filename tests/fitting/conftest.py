"""Fits shared by the engine's tests."""

from __future__ import annotations

from typing import Any

import pytest
import xarray as xr

import remitstats
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.parts.latent_gaussian import LatentGaussian
from remitstats.simulate import grid_panel


@pytest.fixture(scope="session")
def tiny() -> LatentGaussian:
    """Return a model small enough for dense algebra: 2 waves, 2 states, 6 municipalities."""
    panel = grid_panel(2, 3, waves=(2010, 2020), states=("01", "02"), seed=3)
    return reliance.latent_gaussian(reliance.prepare_data(panel), reliance.Priors())


@pytest.fixture(scope="session")
def short_fit(model: Any, lattice: Panel) -> xr.DataTree:
    """Return a fit of the lattice too short to converge; tests must not change it."""
    return remitstats.fit(model, lattice, seed=4, draws=40, tune=20, chains=2)
