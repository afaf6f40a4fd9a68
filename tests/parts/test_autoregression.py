"""AR(1) against its correlation matrix, and its two limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from remitstats.parts import autoregression, random_walk
from remitstats.parts.structure import log_density

correlation = st.floats(-0.99, 0.99)


@settings(deadline=None, max_examples=60)
@given(correlation, st.integers(1, 12))
def test_precision_is_the_inverse_of_the_correlation_matrix(rho: float, size: int) -> None:
    dense = linalg.toeplitz(rho ** np.arange(size))
    assert autoregression.covariance(rho, size) == pytest.approx(dense, abs=1e-12)
    precision = autoregression.precision(rho, size)
    assert precision @ dense == pytest.approx(np.eye(size), abs=1e-8)
    assert precision.nnz <= 3 * size - 2
    root = autoregression.root(rho, size)
    assert (root.T @ root).toarray() == pytest.approx(precision.toarray())
    assert root.nnz <= 2 * size - 1


@settings(deadline=None, max_examples=60)
@given(correlation, st.integers(1, 12), st.floats(0.1, 5.0), st.integers(0, 1000))
def test_log_density_is_that_of_the_dense_normal(
    rho: float, size: int, sd: float, seed: int
) -> None:
    x = sd * np.random.default_rng(seed).standard_normal(size)
    covariance = sd**2 * linalg.toeplitz(rho ** np.arange(size))
    expected = stats.multivariate_normal(np.zeros(size), covariance).logpdf(x)
    found = autoregression.log_density(x, rho, sd)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-7)
    part = autoregression.structure(rho, size)
    assert log_density(x, part, sd) == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.9])
def test_draws_have_the_covariance(oracle: Any, rho: float) -> None:
    sample = autoregression.sample(np.random.default_rng(1), rho, 6, 40_000)
    oracle.assert_moments(sample, linalg.toeplitz(rho ** np.arange(6)))


@pytest.mark.parametrize("size", [3, 8, 53])
def test_deviations_tend_to_a_random_walk_as_rho_tends_to_one(size: int) -> None:
    rho = 1.0 - 1e-7
    centre = np.eye(size) - 1.0 / size
    deviations = centre @ autoregression.covariance(rho, size) @ centre
    # x_t - x_(t-1) has variance 2 (1 - rho): the walk of that step, with its level taken out
    scale = random_walk.scaling_factor(np.arange(size), 1)
    walk = scale * random_walk.structure(np.arange(size), 1).covariance()
    assert deviations / (2 * (1 - rho)) == pytest.approx(walk, rel=1e-4, abs=1e-4 * walk.max())
    # and the effect itself to one number for all times
    assert autoregression.covariance(rho, size) == pytest.approx(np.ones((size, size)), abs=1e-5)


def test_rho_of_zero_is_white_noise() -> None:
    assert np.array_equal(autoregression.precision(0.0, 5).toarray(), np.eye(5))


def test_free_correlation_reads_the_hyperparameter() -> None:
    free = autoregression.FreeCorrelation("persistence", 3)
    found = free({"persistence": 0.5, "other": 9.0})
    assert np.array_equal(found, [[1.0, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 1.0]])


@pytest.mark.parametrize(("size", "copies"), [(5, None), (5, 3), (1, 2)])
@pytest.mark.usefixtures("quick_compile")
def test_pymc_has_one_value_a_copy(size: int, copies: int | None) -> None:
    dims = ("time",) if copies is None else ("place", "time")
    shape = (size,) if copies is None else (copies, size)
    x = np.random.default_rng(2).normal(size=shape)
    with pm.Model(coords={"place": range(copies or 1), "time": range(size)}) as model:
        rho = pm.Uniform("rho", -1.0, 1.0)
        effect = autoregression.to_pymc("a", size, rho, 0.7, dims, copies)
        pm.Deterministic("effect", effect, dims=dims)
        log_density_at = model.compile_logp(jacobian=False)
    for value in (-0.5, 0.97):
        t = np.log((1 + value) / (1 - value))
        point = {"rho_interval__": np.array(t), "a_unit": x}
        rows = [autoregression.log_density(row, value) for row in np.atleast_2d(x)]
        assert log_density_at(point) == pytest.approx(np.sum(rows) - np.log(2.0), rel=1e-9)
        with model:
            one = pm.logp(model["a_unit"], x).eval({rho: value})
        assert one.shape == (() if copies is None else (copies,))
        assert np.atleast_1d(one) == pytest.approx(rows, rel=1e-9)


@pytest.mark.parametrize("copies", [None, 2])
@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_forward(oracle: Any, copies: int | None) -> None:
    dims = ("time",) if copies is None else ("place", "time")
    with pm.Model(coords={"place": range(copies or 1), "time": range(4)}) as model:
        effect = autoregression.to_pymc("a", 4, 0.8, 0.7, dims, copies)
        pm.Deterministic("effect", effect, dims=dims)
        tree = pm.sample_prior_predictive(draws=4000, model=model, random_seed=1)
    draws = tree["prior"]["effect"].to_numpy()[0].reshape(4000, -1)
    one = 0.49 * linalg.toeplitz(0.8 ** np.arange(4))
    oracle.assert_moments(draws, np.kron(np.eye(copies or 1), one))


@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_with_the_rho_of_the_same_draw() -> None:
    with pm.Model(coords={"time": range(2)}) as model:
        rho = pm.Uniform("rho", 0.0, 1.0)
        autoregression.to_pymc("a", 2, rho, 1.0, "time")
        tree = pm.sample_prior_predictive(draws=3000, model=model, random_seed=1)
    unit = tree["prior"]["a_unit"].to_numpy()[0]
    rho_of = tree["prior"]["rho"].to_numpy()[0]
    z = (unit[:, 1] - rho_of * unit[:, 0]) / np.sqrt(1 - rho_of**2)
    assert stats.kstest(z, "norm").pvalue > 1e-4


@pytest.mark.parametrize(
    ("rho", "size", "says"),
    [(1.0, 3, "between -1 and 1"), (-1.0, 3, "between -1 and 1"), (0.5, 0, "one time or more")],
)
def test_impossible_values_are_refused(rho: float, size: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        autoregression.structure(rho, size)
