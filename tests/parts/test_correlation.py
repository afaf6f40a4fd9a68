"""Correlation matrices from partial correlations, and their LKJ prior."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from remitstats.parts import correlation

SIZE = 4
PAIRS = SIZE * (SIZE - 1) // 2


@given(st.lists(st.floats(-0.99, 0.99), min_size=PAIRS, max_size=PAIRS))
def test_factor_makes_a_correlation_matrix(partial: list[float]) -> None:
    factor = correlation.correlation_factor(np.array(partial), SIZE)
    matrix = factor @ factor.T
    assert np.diag(matrix) == pytest.approx(np.ones(SIZE))
    assert np.linalg.eigvalsh(matrix).min() > -1e-12
    assert matrix[1, 0] == pytest.approx(partial[0])


def test_partial_correlations_are_those_of_the_first_variables() -> None:
    partial = np.array([0.5, -0.3, 0.4])
    factor = correlation.correlation_factor(partial, 3)
    r = factor @ factor.T
    given_first = (r[2, 1] - r[2, 0] * r[1, 0]) / np.sqrt((1 - r[2, 0] ** 2) * (1 - r[1, 0] ** 2))
    assert r[2, 0] == pytest.approx(partial[1])
    assert given_first == pytest.approx(partial[2])


def test_pullback_is_the_gradient_by_differences() -> None:
    rng = np.random.default_rng(1)
    partial, weight = rng.uniform(-0.8, 0.8, PAIRS), rng.normal(size=(SIZE, SIZE))
    found = correlation.correlation_factor_pullback(partial, weight)
    for p in range(PAIRS):
        step = np.zeros(PAIRS)
        step[p] = 1e-6
        ends = [
            np.sum(weight * correlation.correlation_factor(partial + s * step, SIZE))
            for s in (1, -1)
        ]
        assert found[p] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_prior_gives_every_pair_the_same_marginal() -> None:
    # under LKJ every correlation is Beta(concentration + (size - 2) / 2) on (-1, 1)
    concentration = 2.0
    shape = correlation.beta_shape(SIZE, concentration)
    rng = np.random.default_rng(2)
    partial = 2.0 * rng.beta(shape, shape, size=(20_000, PAIRS)) - 1.0
    factor = correlation.correlation_factor(partial, SIZE)
    matrix = factor @ np.swapaxes(factor, -1, -2)
    marginal = concentration + (SIZE - 2) / 2
    law = stats.beta(marginal, marginal, loc=-1, scale=2)
    for i, j in zip(*np.tril_indices(SIZE, -1), strict=True):
        assert stats.kstest(matrix[:, i, j], law.cdf).pvalue > 1e-4


def test_pymc_builds_the_same_covariance() -> None:
    with pm.Model() as model:
        covariance = correlation.to_pymc("effect", 2.0, 1.5, SIZE)
    rng = np.random.default_rng(3)
    sd, half = rng.uniform(0.5, 2.0, SIZE), rng.uniform(0.1, 0.9, PAIRS)
    found = covariance.eval({model["effect_sd"]: sd, model["effect_partial"]: half})
    factor = sd[:, None] * correlation.correlation_factor(2 * half - 1, SIZE)
    assert found == pytest.approx(factor @ factor.T)
