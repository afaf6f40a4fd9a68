"""One factor behind several indicators: known loadings come back."""

from __future__ import annotations

import numpy as np
import pytest

from remitstats.parts.factor import one_factor

LOADING = np.array([0.9, 0.8, 0.7, 0.6, 0.4])


def indicators(units: int = 20_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal(units)
    own = np.sqrt(1 - LOADING**2) * rng.standard_normal((units, len(LOADING)))
    return factor, factor[:, None] * LOADING + own


def test_loadings_and_reliability_come_back() -> None:
    factor, x = indicators()
    found = one_factor(x)
    assert found.loading == pytest.approx(LOADING, abs=0.02)
    told = np.sum(LOADING**2 / (1 - LOADING**2))
    assert found.reliability == pytest.approx(told / (1 + told), abs=0.01)
    assert np.corrcoef(found.score, factor)[0, 1] ** 2 == pytest.approx(found.reliability, abs=0.01)


def test_fit_is_a_maximum_of_the_likelihood() -> None:
    _, x = indicators(units=500, seed=2)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    correlation = z.T @ z / len(z)

    def likelihood(loading: np.ndarray) -> float:
        model = np.outer(loading, loading)
        np.fill_diagonal(model, 1.0)  # own variances fit the variances exactly
        return float(-np.linalg.slogdet(model)[1] - np.trace(np.linalg.solve(model, correlation)))

    found = one_factor(x)
    best = likelihood(found.loading)
    rng = np.random.default_rng(3)
    for _ in range(50):
        assert likelihood(found.loading + 0.02 * rng.standard_normal(len(LOADING))) < best


def test_scale_and_shift_of_indicators_do_not_matter() -> None:
    _, x = indicators(units=300, seed=4)
    found, other = one_factor(x), one_factor(100.0 - 5.0 + 3.0 * x)
    assert other.loading == pytest.approx(found.loading)
    assert other.score == pytest.approx(found.score)


def test_units_with_a_missing_indicator_get_no_score() -> None:
    _, x = indicators(units=300, seed=5)
    x[7, 2] = np.nan
    found = one_factor(x)
    assert np.flatnonzero(np.isnan(found.score)).tolist() == [7]
    assert found.loading == pytest.approx(one_factor(np.delete(x, 7, axis=0)).loading)


@pytest.mark.parametrize(
    ("x", "problem"),
    [
        (np.ones((50, 2)), "at least 3 indicators, found 2"),
        (np.random.default_rng(1).normal(size=(4, 4)), "more complete units"),
        (np.column_stack([np.random.default_rng(1).normal(size=(50, 2)), np.ones(50)]), "not vary"),
    ],
)
def test_what_has_no_factor_is_refused(x: np.ndarray, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        one_factor(x)
