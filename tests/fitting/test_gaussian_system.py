"""The sparse Gaussian conditioning against dense algebra on a tiny model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import linalg, stats

from remitstats.fitting.gaussian_system import Conditional, GaussianSystem
from remitstats.fitting.surrogate import log_marginal_gradient
from remitstats.parts.latent_gaussian import LatentGaussian

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dense:
    """Law of the field given theta and pseudo-observations, in a basis of the constrained space."""

    basis: Array  # columns span the fields that sum to zero where they must
    mean: Array
    covariance: Array
    log_marginal: float


def dense(system: GaussianSystem, theta: Array, value: Array, weight: Array) -> Dense:
    model = system.model
    values = model.constrain(theta)
    precision = linalg.block_diag(
        *(
            c.structure.precision.toarray() * math.exp(-2 * c.log_sd(values))
            for c in model.components
        )
    )
    constraint = linalg.block_diag(*(c.structure.constraint.toarray() for c in model.components))
    loading = np.hstack([c.loading.toarray() for c in model.components])
    design = model.cell_scale(values)[:, None] * loading
    basis = linalg.null_space(constraint)
    prior = basis.T @ precision @ basis
    posterior = linalg.inv(prior + basis.T @ design.T @ (weight[:, None] * design) @ basis)
    residual = value - model.offset
    total = design @ basis @ linalg.inv(prior) @ basis.T @ design.T + np.diag(1 / weight)
    return Dense(
        basis=basis,
        mean=basis @ posterior @ basis.T @ design.T @ (weight * residual),
        covariance=basis @ posterior @ basis.T,
        log_marginal=float(stats.multivariate_normal(cov=total).logpdf(residual)),
    )


@pytest.fixture(scope="module")
def system(tiny: LatentGaussian) -> GaussianSystem:
    return GaussianSystem(tiny)


@pytest.fixture(scope="module")
def pseudo(tiny: LatentGaussian) -> tuple[Array, Array]:
    rng = np.random.default_rng(2)
    return rng.normal(-3, 1, tiny.cells), rng.uniform(0.2, 30.0, tiny.cells)


THETAS = [
    np.zeros(7),
    np.array([0.5, -1.0, 1.2, 0.3, -0.7, 0.9, -0.5]),
    np.array([-2.0, 1.5, -0.5, -1.8, 0.8, 1.6, 1.1]),
]


@pytest.fixture(scope="module", params=range(3))
def at(request: pytest.FixtureRequest) -> Array:
    """One of a few thetas."""
    return THETAS[request.param]


@pytest.fixture(scope="module")
def conditional(at: Array, system: GaussianSystem, pseudo: tuple[Array, Array]) -> Conditional:
    return system.condition(at, *pseudo)


@pytest.fixture(scope="module")
def oracle(at: Array, system: GaussianSystem, pseudo: tuple[Array, Array]) -> Dense:
    return dense(system, at, *pseudo)


def marginal(system: GaussianSystem, theta: Array, pseudo: tuple[Array, Array]) -> float:
    return system.condition(theta, *pseudo).log_marginal


def linear_map(conditional: Conditional) -> Array:
    """The matrix M of field(noise) = mean + M noise."""
    unit = np.eye(conditional.system.noise)
    return np.column_stack([conditional.field(row) - conditional.mean for row in unit])


def test_mean_is_the_dense_mean(conditional: Conditional, oracle: Dense) -> None:
    assert conditional.mean == pytest.approx(oracle.mean, abs=1e-6)


def test_draws_have_the_dense_covariance(conditional: Conditional, oracle: Dense) -> None:
    matrix = linear_map(conditional)
    assert matrix @ matrix.T == pytest.approx(oracle.covariance, abs=1e-6)


def test_every_draw_meets_the_constraints(conditional: Conditional) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        field = conditional.field(3.0 * rng.standard_normal(conditional.system.noise))
        assert np.abs(conditional.system.constraint @ field).max() < 1e-7


def test_log_marginal_differs_from_the_dense_one_by_one_constant(
    system: GaussianSystem, pseudo: tuple[Array, Array]
) -> None:
    ours = np.array([marginal(system, t, pseudo) for t in THETAS])
    theirs = np.array([dense(system, t, *pseudo).log_marginal for t in THETAS])
    assert np.ptp(theirs) > 1.0
    assert ours - theirs == pytest.approx(np.full(3, ours[0] - theirs[0]), abs=1e-4)


def test_a_reused_solver_gives_the_same(
    system: GaussianSystem, pseudo: tuple[Array, Array]
) -> None:
    spare = system.condition(THETAS[1], pseudo[0] + 1.0, 2.0 * pseudo[1]).solver
    again = system.condition(THETAS[2], *pseudo, spare)
    fresh = system.condition(THETAS[2], *pseudo)
    assert np.array_equal(again.mean, fresh.mean)
    assert again.log_marginal == fresh.log_marginal


def test_pull_back_is_the_gradient_with_respect_to_the_noise(
    conditional: Conditional, tiny: LatentGaussian
) -> None:
    likelihood, step = tiny.likelihood, 1e-5
    noise = np.random.default_rng(6).standard_normal(conditional.system.noise)

    def log_likelihood(e: Array) -> float:
        return float(likelihood.log_density(conditional.eta(conditional.field(e))).sum())

    eta = conditional.eta(conditional.field(noise))
    ours = conditional.pull_back(likelihood.gradient(eta))
    numeric = [
        (log_likelihood(noise + step * row) - log_likelihood(noise - step * row)) / (2 * step)
        for row in np.eye(len(noise))
    ]
    scale = np.abs(numeric).max()
    assert scale > 1.0
    assert ours == pytest.approx(np.array(numeric), abs=1e-5 * scale)


def test_field_splits_into_named_components(system: GaussianSystem) -> None:
    parts = system.split(np.arange(system.latent, dtype=float))
    assert list(parts) == [c.name for c in system.model.components]
    assert np.array_equal(np.concatenate(list(parts.values())), np.arange(system.latent))


@pytest.mark.parametrize("theta", THETAS)
def test_marginal_gradient_is_that_of_finite_differences(
    system: GaussianSystem, pseudo: tuple[Array, Array], theta: Array
) -> None:
    """It averages over draws, so it is held to its own Monte Carlo error."""
    step, rng = 1e-4, np.random.default_rng(7)
    conditional = system.condition(theta, *pseudo)
    batches = np.array(
        [
            log_marginal_gradient(conditional, theta, rng.standard_normal((100, system.noise)))
            for _ in range(50)
        ]
    )
    numeric = np.array(
        [
            (marginal(system, theta + h, pseudo) - marginal(system, theta - h, pseudo)) / (2 * step)
            for h in step * np.eye(len(theta))
        ]
    )
    error = batches.std(axis=0, ddof=1) / np.sqrt(len(batches))
    assert np.all(np.abs(batches.mean(axis=0) - numeric) < 5 * error + 1e-3)
    assert np.all(error < 0.1 + 0.05 * np.abs(numeric))
