"""Dense oracles of the singular normal, independent of the package."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytensor
import pytest
from numpy.typing import NDArray
from scipy import linalg

Array = NDArray[np.float64]


class Oracle:
    """What a Gaussian effect must be, by dense linear algebra on small cases."""

    @staticmethod
    def covariance(precision: Array, constraint: Array) -> Array:
        """Covariance of the effect with that precision on the space the constraints leave."""
        size = precision.shape[0]
        free = linalg.null_space(constraint) if len(constraint) else np.eye(size)
        return free @ np.linalg.inv(free.T @ precision @ free) @ free.T

    @staticmethod
    def log_density(x: Array, covariance: Array, rank: int) -> float:
        """Density of a singular normal on the space of its `rank` largest eigenvalues."""
        value, vector = np.linalg.eigh(covariance)
        value, vector = value[-rank:], vector[:, -rank:]
        z = (vector.T @ x) / np.sqrt(value)
        return float(-0.5 * (z @ z + np.log(value).sum() + rank * np.log(2 * np.pi)))

    @staticmethod
    def assert_moments(sample: Array, covariance: Array) -> None:
        """Hold mean and covariance of draws (draw, size) to five of their Monte Carlo errors."""
        draws, variance = len(sample), np.diag(covariance)
        error = np.sqrt((np.outer(variance, variance) + covariance**2) / draws)
        found = np.cov(sample.T).reshape(covariance.shape)
        assert np.all(np.abs(found - covariance) <= 5.0 * error + 1e-9)
        assert np.all(np.abs(sample.mean(axis=0)) <= 5.0 * np.sqrt(variance / draws) + 1e-9)

    @staticmethod
    def line_graph(size: int) -> Array:
        """Graph Laplacian of a path."""
        step = np.diff(np.eye(size), axis=0)
        return step.T @ step


@pytest.fixture
def oracle() -> type[Oracle]:
    return Oracle


@pytest.fixture
def quick_compile() -> Iterator[None]:
    """Let PyMC's functions run without seconds of compilation; the values are the same."""
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        yield
