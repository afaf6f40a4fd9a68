"""The sparse Gaussian conditioning against dense algebra on a tiny model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import linalg, stats

from remitstats.fitting.gaussian_system import Conditional, GaussianSystem, Surrogate
from remitstats.fitting.surrogate import log_marginal_gradient
from remitstats.parts.latent_gaussian import LatentGaussian

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dense:
    """Law of the stacked components given theta and pseudo-observations, by dense algebra."""

    design: Array  # eta = offset + design @ components
    mean: Array
    covariance: Array
    log_marginal: float


def dense(system: GaussianSystem, theta: Array, value: Array, weight: Array) -> Dense:
    model = system.model
    values = model.constrain(theta)
    precision = linalg.block_diag(
        *(
            np.kron(np.linalg.inv(c.covariance(values)), c.structure.precision.toarray())
            for c in model.components
        )
    )
    constraint = linalg.block_diag(
        *(np.kron(np.eye(c.copies), c.structure.constraint.toarray()) for c in model.components)
    )
    loading = np.hstack([np.kron(c.rows, c.columns.toarray()) for c in model.components])
    design = model.cell_scale(values)[:, None] * loading
    basis = linalg.null_space(constraint)
    prior = basis.T @ precision @ basis
    posterior = linalg.inv(prior + basis.T @ design.T @ (weight[:, None] * design) @ basis)
    residual = value - model.offset
    total = design @ basis @ linalg.inv(prior) @ basis.T @ design.T + np.diag(1 / weight)
    return Dense(
        design=design,
        mean=basis @ posterior @ basis.T @ design.T @ (weight * residual),
        covariance=basis @ posterior @ basis.T,
        log_marginal=float(stats.multivariate_normal(cov=total).logpdf(residual)),
    )


@pytest.fixture(scope="module")
def system(tiny: LatentGaussian) -> GaussianSystem:
    return GaussianSystem(tiny)


@pytest.fixture(scope="module")
def pseudo(tiny: LatentGaussian) -> Surrogate:
    rng = np.random.default_rng(2)
    return Surrogate(rng.normal(-3, 1, tiny.cells), rng.uniform(0.2, 30.0, tiny.cells))


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
def conditional(at: Array, system: GaussianSystem, pseudo: Surrogate) -> Conditional:
    return system.condition(at, pseudo)


@pytest.fixture(scope="module")
def oracle(at: Array, system: GaussianSystem, pseudo: Surrogate) -> Dense:
    return dense(system, at, pseudo.value, pseudo.weight)


def marginal(system: GaussianSystem, theta: Array, pseudo: Surrogate) -> float:
    return system.condition(theta, pseudo).log_marginal


def test_linear_predictor_has_the_dense_mean(conditional: Conditional, oracle: Dense) -> None:
    eta = conditional.eta(conditional.mean) - conditional.system.model.offset
    assert eta == pytest.approx(oracle.design @ oracle.mean, abs=1e-6)


def test_linear_predictor_has_the_dense_covariance(conditional: Conditional, oracle: Dense) -> None:
    center = conditional.eta(conditional.mean)
    unit = np.eye(conditional.system.noise)
    matrix = np.column_stack([conditional.eta(conditional.field(row)) - center for row in unit])
    expected = oracle.design @ oracle.covariance @ oracle.design.T
    assert matrix @ matrix.T == pytest.approx(expected, abs=1e-6)


def test_components_are_drawn_from_their_joint_law(conditional: Conditional, oracle: Dense) -> None:
    """Held to the Monte Carlo error of 4,000 draws."""
    rng, count = np.random.default_rng(5), 4000
    system = conditional.system
    draws = np.array(
        [
            np.concatenate(
                list(
                    system.components(
                        conditional, conditional.field(rng.standard_normal(system.noise)), rng
                    ).values()
                )
            )
            for _ in range(count)
        ]
    )
    order = [c.name for f in system.fields for c in f.components]
    start = np.cumsum([0] + [c.size for c in system.model.components])
    position = {
        c.name: np.arange(a, b)
        for c, a, b in zip(system.model.components, start, start[1:], strict=False)
    }
    draws = draws[:, np.argsort(np.concatenate([position[name] for name in order]))]
    sd = np.sqrt(np.diag(oracle.covariance))
    z = (draws.mean(axis=0) - oracle.mean) / (np.maximum(sd, 1e-6) / np.sqrt(count))
    assert np.abs(z).max() < 4.5
    spread = np.cov(draws.T) - oracle.covariance
    error = np.sqrt((np.outer(sd**2, sd**2) + oracle.covariance**2) / count)
    assert np.abs(spread / np.maximum(error, 1e-9)).max() < 5.5


def test_components_add_up_to_the_linear_predictor(conditional: Conditional) -> None:
    rng = np.random.default_rng(8)
    system = conditional.system
    field = conditional.field(rng.standard_normal(system.noise))
    components = system.components(conditional, field, rng)
    eta = system.model.linear_predictor(conditional.values, components)
    assert eta == pytest.approx(conditional.eta(field), abs=1e-8)


def test_every_draw_meets_the_constraints(conditional: Conditional) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        field = conditional.field(3.0 * rng.standard_normal(conditional.system.noise))
        assert np.abs(conditional.system.constraint @ field).max() < 1e-5


def test_log_marginal_differs_from_the_dense_one_by_one_constant(
    system: GaussianSystem, pseudo: Surrogate
) -> None:
    ours = np.array([marginal(system, t, pseudo) for t in THETAS])
    theirs = np.array([dense(system, t, pseudo.value, pseudo.weight).log_marginal for t in THETAS])
    assert np.ptp(theirs) > 1.0
    assert ours - theirs == pytest.approx(np.full(3, ours[0] - theirs[0]), abs=1e-4)


def test_a_reused_solver_gives_the_same(system: GaussianSystem, pseudo: Surrogate) -> None:
    other = Surrogate(pseudo.value + 1.0, 2.0 * pseudo.weight)
    spare = system.condition(THETAS[1], other).solver
    again = system.condition(THETAS[2], pseudo, spare)
    fresh = system.condition(THETAS[2], pseudo)
    assert np.array_equal(again.mean, fresh.mean)
    assert again.log_marginal == fresh.log_marginal


def test_slope_is_the_gradient_with_respect_to_the_field(
    conditional: Conditional, tiny: LatentGaussian
) -> None:
    likelihood, step = tiny.likelihood, 1e-5
    rng = np.random.default_rng(6)
    field = conditional.field(rng.standard_normal(conditional.system.noise))

    def log_likelihood(field: Array) -> float:
        density = likelihood.log_density(conditional.eta(field), conditional.values)
        return float(density.sum())

    ours = conditional.slope(likelihood.gradient(conditional.eta(field), conditional.values))
    numeric = [
        (log_likelihood(field + step * row) - log_likelihood(field - step * row)) / (2 * step)
        for row in np.eye(len(field))
    ]
    scale = np.abs(numeric).max()
    assert scale > 1.0
    assert ours == pytest.approx(np.array(numeric), abs=1e-5 * scale)


def test_noise_of_a_spread_makes_the_spread_again(conditional: Conditional) -> None:
    """And is the shortest that does: what is left of any other noise adds nothing."""
    other = np.random.default_rng(6).standard_normal(conditional.system.noise)
    spread = conditional.spread(other)
    shortest = conditional.noise(spread)
    assert conditional.spread(shortest) == pytest.approx(spread, abs=1e-6)
    assert conditional.spread(other - shortest) == pytest.approx(0.0 * spread, abs=1e-6)
    assert shortest @ (other - shortest) == pytest.approx(0.0, abs=1e-4)


def test_components_that_enter_alike_are_one_field(system: GaussianSystem) -> None:
    """Seven effects, of which the shared one and the one by wave of each kind go together."""
    gathered = [tuple(c.name for c in f.components) for f in system.fields]
    assert gathered == [
        ("wave_effect",),
        ("state_effect", "state_wave_effect"),
        ("municipality_spatial", "municipality_wave_spatial"),
        ("municipality_unstructured", "municipality_wave_unstructured"),
    ]
    waves = len(system.model.coords["wave"])
    assert [f.layers for f in system.fields] == [waves] * 4


@pytest.mark.parametrize("theta", THETAS)
def test_marginal_gradient_is_that_of_finite_differences(
    system: GaussianSystem, pseudo: Surrogate, theta: Array
) -> None:
    """It averages over draws, so it is held to its own Monte Carlo error."""
    step, rng = 1e-4, np.random.default_rng(7)
    conditional = system.condition(theta, pseudo)
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
