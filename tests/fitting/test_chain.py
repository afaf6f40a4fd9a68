"""The chains' stationary law against quadrature, on models that have one hyperparameter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from arviz_stats.base import array_stats
from numpy.typing import NDArray
from scipy import linalg, stats

import remitstats
from remitstats.fitting.emulator import Emulator, fit_emulator
from remitstats.fitting.gaussian_system import GaussianSystem
from remitstats.fitting.laplace import Chain, ChainDraws, prepare
from remitstats.fitting.surrogate import newton_mode
from remitstats.parts import icar
from remitstats.parts.latent_gaussian import Component, FreeSd, LatentGaussian
from remitstats.parts.likelihood import Gaussian, Likelihood
from remitstats.parts.priors import ScalePrior
from remitstats.parts.sampling_error import EffectiveBinomial
from remitstats.simulate.reliance import simulate_reliance

Array = NDArray[np.float64]
PRIOR = ScalePrior(upper=2.0, tail=0.05)


def toy(likelihood: Likelihood, structure: icar.Structure) -> LatentGaussian:
    """eta = -1 + x with one standard deviation to be learned."""
    size = structure.size
    itself = sp.csr_array(sp.eye_array(size))
    return LatentGaussian(
        name="toy",
        hyperparameters={"sd": PRIOR},
        components=(Component("x", structure, np.ones((1, 1)), itself, FreeSd("sd")),),
        likelihood=likelihood,
        dims=("cell",),
        coords={"cell": range(size)},
        offset=np.full(size, -1.0),
    )


def run(model: LatentGaussian, draws: int = 1500, chains: int = 2) -> list[ChainDraws]:
    preparation = prepare(model, np.random.default_rng(1))
    found = []
    for seed in np.random.SeedSequence(2).spawn(chains):
        chain = Chain(preparation, seed)
        chain.tune(100)
        found.append(chain.draw(draws))
    return found


def assert_moments(draws: Array, mean: Array, sd: Array) -> None:
    """Hold draws (chain, draw, quantity) to exact moments, by their own Monte Carlo error."""
    axes = {"chain_axis": 0, "draw_axis": 1}
    ess = array_stats.ess(draws, method="mean", **axes)
    assert np.all(ess > 400)
    assert np.all(np.abs(draws.mean(axis=(0, 1)) - mean) < 4.5 * sd / np.sqrt(ess))
    square = (draws - mean) ** 2
    error = square.std(axis=(0, 1)) / np.sqrt(array_stats.ess(square, method="mean", **axes))
    assert np.all(np.abs(square.mean(axis=(0, 1)) - sd**2) < 4.5 * error)
    assert np.all(error < 0.2 * sd**2)


T = np.linspace(-6.0, 4.0, 801)  # unconstrained sd
SD = np.array([PRIOR.constrain(t) for t in T])


def normalised(log_weight: Array) -> Array:
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()


def stacked(found: list[ChainDraws]) -> tuple[Array, Array]:
    theta = np.stack([c.theta for c in found])
    return theta, np.stack([c.eta for c in found]).astype(float)


def test_gaussian_likelihood_gives_the_closed_form() -> None:
    graph = icar.Graph(5, np.array([(0, 1), (1, 2), (2, 3), (3, 0)]))  # a ring and an island
    rng = np.random.default_rng(4)
    weight_of_cell = np.array([1.0, 4.0, 0.5, 2.0, 3.0])
    likelihood = Gaussian(rng.normal(-1.0, 1.5, 5), 1.0, weight_of_cell**-0.5)
    structure = icar.icar(graph)
    found = run(toy(likelihood, structure))
    basis = linalg.null_space(structure.constraint.toarray())
    unit = basis @ np.linalg.inv(basis.T @ structure.precision.toarray() @ basis) @ basis.T
    noise = np.diag(1 / weight_of_cell)
    residual = likelihood.observed + 1.0
    log_weight, means, squares = [], [], []
    for t, sd in zip(T, SD, strict=True):
        total = sd**2 * unit + noise
        gain = sd**2 * unit @ np.linalg.inv(total)
        mean = -1.0 + gain @ residual
        means.append(mean)
        squares.append(mean**2 + np.diag(sd**2 * unit - gain @ (sd**2 * unit)))
        log_weight.append(
            stats.norm.logpdf(t) + stats.multivariate_normal(cov=total).logpdf(residual)
        )
    weight = normalised(np.array(log_weight))
    mean, square = weight @ np.array(means), weight @ np.array(squares)
    theta, eta = stacked(found)
    assert_moments(eta, mean, np.sqrt(square - mean**2))
    assert_moments(theta, *moments(weight, T))
    # nothing is left to correct: every move of the field is taken
    assert min(c.accept_field.min() for c in found) > 1 - 1e-6
    assert not any(c.diverging.any() for c in found)


def moments(weight: Array, value: Array) -> tuple[Array, Array]:
    mean = weight @ value
    return np.atleast_1d(mean), np.atleast_1d(np.sqrt(weight @ (value - mean) ** 2))


def test_zero_counts_and_skewed_posteriors_are_sampled_exactly() -> None:
    """Where a Laplace approximation alone is visibly wrong."""
    receiving, dwellings = np.array([0.0, 0.0, 1.0, 4.0, 7.0]), np.array([3.0, 30.0, 4.0, 9.0, 9.0])
    likelihood = EffectiveBinomial(receiving, dwellings)
    model = toy(likelihood, icar.independent(5))
    z = np.linspace(-9.0, 9.0, 3001)
    log_weight, means, squares = stats.norm.logpdf(T), [], []
    for k, sd in enumerate(SD):
        eta = -1.0 + sd * z
        log_cell = (
            stats.norm.logpdf(z)
            + receiving[:, None] * eta
            - dwellings[:, None] * np.logaddexp(0.0, eta)
        )
        top = log_cell.max(axis=1, keepdims=True)
        cell = np.exp(log_cell - top)
        log_weight[k] += np.sum(np.log(cell.sum(axis=1)) + top[:, 0])
        cell /= cell.sum(axis=1, keepdims=True)
        means.append(cell @ eta)
        squares.append(cell @ eta**2)
    weight = normalised(log_weight)
    mean, square = weight @ np.array(means), weight @ np.array(squares)
    found = run(model, draws=3000)
    theta, eta = stacked(found)
    assert_moments(eta, mean, np.sqrt(square - mean**2))
    assert_moments(theta, *moments(weight, T))
    # the Laplace approximation at the mode of the field is not good enough here
    system = GaussianSystem(model)
    _, conditional, mode = newton_mode(system, theta.mean(axis=(0, 1)), likelihood.initial())
    assert conditional.mean == pytest.approx(mode + 1.0, abs=1e-4)
    assert np.abs(mode - mean).max() > 0.2


def test_newton_finds_the_mode(tiny: LatentGaussian) -> None:
    """At the mode the slope of the log joint density vanishes in every allowed direction."""
    system, theta = GaussianSystem(tiny), 0.3 * np.ones(len(tiny.hyperparameters))
    _, conditional, eta = newton_mode(system, theta, tiny.likelihood.initial())
    rng = np.random.default_rng(1)

    def log_joint(field: Array) -> float:
        prior = sum(np.sum(part**2) for part in system.whitened(conditional.whitening, field))
        likelihood = tiny.likelihood.log_density(conditional.eta(field), conditional.values)
        return float(likelihood.sum()) - 0.5 * float(prior)

    here = log_joint(conditional.mean)
    assert conditional.eta(conditional.mean) == pytest.approx(eta, abs=1e-4)
    for _ in range(10):
        direction = conditional.field(rng.standard_normal(system.noise)) - conditional.mean
        for step in (0.05, -0.05):
            assert log_joint(conditional.mean + step * direction) < here


def banana(theta: Array) -> float:
    return -0.5 * theta[0] ** 2 - 0.5 * (theta[1] - 0.3 * theta[0] ** 2) ** 2


def bananas(thetas: Array) -> Array:
    return np.array([banana(t) for t in thetas])


def test_emulator_proposes_from_the_density_it_emulates() -> None:
    rng = np.random.default_rng(3)
    emulator: Emulator = fit_emulator(bananas, np.zeros(2), np.eye(2), rng)
    inside = 0.8 * rng.standard_normal((50, 2))
    gaps = np.array([emulator.log_density(t) - banana(t) for t in inside])
    assert np.std(gaps) < 0.15
    # its proposals, weighted, have the moments of the density: E t1 = 0.3, var t1 = 1 + 2 * 0.09
    theta, draws = np.zeros(2), []
    for _ in range(4000):
        theta = emulator.propose(theta, rng)
        draws.append(theta)
    sample = np.array(draws)
    weight = np.exp([banana(t) - emulator.log_density(t) for t in sample])
    weight /= weight.sum()
    assert 1.0 / np.sum(weight**2) > 1000
    assert weight @ sample == pytest.approx([0.0, 0.3], abs=0.09)
    assert weight @ (sample - weight @ sample) ** 2 == pytest.approx([1.0, 1.18], abs=0.18)


def test_an_emulator_that_overshoots_at_its_edge_does_not_lose_the_bulk() -> None:
    """Found by simulation: little data, and all weight fell on one far point of the emulator."""
    panel = remitstats.load_mexico().select(["01", "06", "22"])
    made = simulate_reliance(panel, seed=1596810411)
    model = remitstats.reliance.build(made.panel)
    tree = remitstats.fit(model, made.panel, seed=1468352705, draws=20, tune=10, chains=1)
    assert np.isfinite(tree["posterior"]["linear_predictor"]).all()


@pytest.mark.slow
def test_proposals_are_good_whatever_the_seed(model: Any) -> None:
    """A refinement that trusted a wrong emulator once made one start in ten useless."""
    for seed in range(1, 13):
        preparation = prepare(model.latent_gaussian, np.random.default_rng(seed))
        chain = Chain(preparation, np.random.SeedSequence(seed))
        chain.tune(30)
        assert chain.draw(150).accept_hyper.mean() > 0.35, seed
