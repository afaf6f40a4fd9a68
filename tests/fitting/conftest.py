"""Fits and densities shared by the engine's tests."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import remitstats
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.parts.collapsed_density import Pooled, Separable
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


@dataclass
class Plain:
    """A density made of a function for the engine of collapsed models; no effects are pooled."""

    size: int
    function: object
    sets: list[Separable] = field(default_factory=list)

    def gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        return self.function(x)  # type: ignore[operator]

    def start(self) -> np.ndarray:
        return np.zeros(self.size)

    def separable(self) -> list[Separable]:
        return self.sets

    def pooled(self) -> list[Pooled]:
        return []

    def constrain(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": x}


@pytest.fixture(scope="session")
def plain() -> type[Plain]:
    """Return what makes a density of a function."""
    return Plain
