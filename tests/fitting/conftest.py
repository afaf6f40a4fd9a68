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
from remitstats.fitting import mixture
from remitstats.fitting.gaussian_system import GaussianSystem
from remitstats.fitting.mixture_density import Joint
from remitstats.models import depopulation, reliance
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


@pytest.fixture(scope="module")
def blocks() -> LatentGaussian:
    """Return the model of a part of Chiapas and two small states, with all it can have."""
    panel = remitstats.load_mexico().select(["01", "06", "07"])
    data = depopulation.prepare_data(panel)
    return depopulation.latent_gaussian(data, depopulation.Priors(), maps_by_interval=True)


@pytest.fixture(scope="module")
def chain(blocks: LatentGaussian) -> mixture.Chain:
    system = GaussianSystem(blocks)
    joint = Joint(system)
    rng = np.random.default_rng(1)
    size = len(joint.names)
    field = 0.3 * rng.standard_normal(system.latent)
    state = mixture.State(np.zeros(size), field, np.zeros(blocks.cells))
    small = 0.1 * np.eye(size)
    start = mixture.Preparation(
        joint,
        state,
        (small[:, joint.of_columns], -1.0),
        (small[:, joint.of_likelihood], -1.0),
        small[:, joint.of_wide],
    )
    return mixture.Chain(start, np.random.SeedSequence(2))


@pytest.fixture(scope="module")
def multiplier(blocks: LatentGaussian) -> np.ndarray:
    return np.random.default_rng(3).gamma(2.0, 0.5, blocks.cells)
