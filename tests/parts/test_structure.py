"""The common form of Gaussian effects against dense linear algebra."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg

from remitstats.parts import icar, structure
from remitstats.parts.structure import Structure, independent, kronecker, log_density

Array = NDArray[np.float64]


def random_structure(seed: int, size: int, constraints: int) -> Structure:
    """Some precision in two unconnected blocks, constrained within and across them."""
    rng = np.random.default_rng(seed)
    first = max(1, size // 2)
    root = linalg.block_diag(
        *(np.vstack([np.eye(k), rng.standard_normal((k, k))]) for k in (first, size - first))
    )
    rows = rng.standard_normal((constraints, size))
    rows[: constraints // 2, first:] = 0.0
    return Structure(sp.csr_array(root), sp.csr_array(rows), size - constraints)


@st.composite
def structures(draw: st.DrawFn, most: int = 8) -> Structure:
    size = draw(st.integers(3, most))
    return random_structure(draw(st.integers(0, 10**6)), size, draw(st.integers(0, 2)))


def dense(part: Structure, oracle: Any) -> Array:
    return oracle.covariance(part.precision.toarray(), part.constraint.toarray())


@pytest.mark.parametrize("sd", [0.2, 1.0, 3.0])
@pytest.mark.parametrize(("seed", "size", "constraints"), [(1, 7, 0), (2, 7, 1), (3, 8, 3)])
def test_log_density_is_that_of_the_singular_normal(
    oracle: Any, seed: int, size: int, constraints: int, sd: float
) -> None:
    part = random_structure(seed, size, constraints)
    covariance = sd**2 * dense(part, oracle)
    for x in sd * part.sample(np.random.default_rng(4), 3):
        expected = oracle.log_density(x, covariance, part.rank)
        assert log_density(x, part, sd) == pytest.approx(expected, abs=1e-9)


def test_every_view_of_the_covariance_agrees(oracle: Any) -> None:
    @settings(deadline=None, max_examples=50)
    @given(structures())
    def check(part: Structure) -> None:
        covariance = dense(part, oracle)
        assert part.covariance() == pytest.approx(covariance, abs=1e-9)
        assert part.marginal_variance() == pytest.approx(np.diag(covariance), abs=1e-9)
        basis = part.basis()
        assert basis.shape == (part.size, part.rank)
        assert basis @ basis.T == pytest.approx(covariance, abs=1e-9)
        # draws are a linear map of noise: its square is their covariance, without Monte Carlo
        from_noise = part.from_noise(np.eye(part.root.shape[0]))
        assert from_noise @ from_noise.T == pytest.approx(covariance, abs=1e-9)

    check()


def test_a_kronecker_product_has_the_product_of_the_covariances(oracle: Any) -> None:
    @settings(deadline=None, max_examples=40)
    @given(structures(most=5), structures(most=5))
    def check(left: Structure, right: Structure) -> None:
        both = kronecker(left, right)
        expected = np.kron(dense(left, oracle), dense(right, oracle))
        # by the factors, and by the dense oracle from the product's own root and constraints
        assert both.covariance() == pytest.approx(expected, abs=1e-8)
        assert dense(both, oracle) == pytest.approx(expected, abs=1e-8)
        assert both.marginal_variance() == pytest.approx(np.diag(expected), abs=1e-8)
        from_noise = both.from_noise(np.eye(both.root.shape[0]))
        assert from_noise @ from_noise.T == pytest.approx(expected, abs=1e-8)
        whole = Structure(both.root, both.constraint, both.rank)
        assert both.log_determinant == pytest.approx(whole.log_determinant, abs=1e-8)

    check()


def test_constraints_of_a_product_are_independent_and_all_that_is_needed() -> None:
    @settings(deadline=None, max_examples=40)
    @given(structures(most=6), structures(most=6))
    def check(left: Structure, right: Structure) -> None:
        both = kronecker(left, right)
        rows = both.constraint.toarray()
        assert rows.shape[0] == both.size - left.rank * right.rank
        assert np.linalg.matrix_rank(rows) == rows.shape[0]

    check()


def test_draws_have_the_moments_and_meet_the_constraints(oracle: Any) -> None:
    part = random_structure(5, 6, 2)
    sample = part.sample(np.random.default_rng(1), 40_000)
    oracle.assert_moments(sample, dense(part, oracle))
    assert np.abs(part.constraint @ sample.T).max() < 1e-9


def test_draws_made_in_batches_are_as_good(oracle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    part = random_structure(6, 5, 1)
    monkeypatch.setattr(structure, "BATCH", 700 * part.root.shape[0])
    sample = part.sample(np.random.default_rng(1), 20_050)
    assert sample.shape == (20_050, 5)
    oracle.assert_moments(sample, dense(part, oracle))
    assert len(np.unique(sample[:, 0])) == 20_050


def test_replicates_are_independent_copies() -> None:
    part = random_structure(7, 5, 1)
    three = part.replicate(3)
    assert three.rank == 3 * part.rank
    assert three.covariance() == pytest.approx(np.kron(np.eye(3), part.covariance()), abs=1e-12)
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((three.root.shape[0], 2))
    copies = noise.reshape(3, -1, 2)
    expected = np.concatenate([part.from_noise(copy) for copy in copies])
    assert three.from_noise(noise) == pytest.approx(expected, abs=1e-12)


def test_a_thousand_parts_cost_memory_in_proportion() -> None:
    """An archipelago of pairs: a constraint a pair, none of which touches another."""
    first = np.arange(0, 2000, 2)
    pairs = icar.icar(icar.Graph(2000, np.stack([first, first + 1], axis=1)))
    sample = pairs.sample(np.random.default_rng(1), 40)
    assert pairs.constraint.shape[0] == 1000
    assert np.abs(sample[:, ::2] + sample[:, 1::2]).max() < 1e-9
    # scaled: each end of a pair has variance one
    assert pairs.marginal_variance() == pytest.approx(np.ones(2000), rel=1e-5)
    assert sample.var() == pytest.approx(1.0, abs=5 * np.sqrt(2.0 / (1000 * 40)))


def test_a_structure_travels_between_processes() -> None:
    part = kronecker(independent(2), random_structure(8, 5, 1))
    before = part.sample(np.random.default_rng(3), 2)
    arrived = pickle.loads(pickle.dumps(part))
    assert np.array_equal(arrived.sample(np.random.default_rng(3), 2), before)
    assert arrived.log_determinant == part.log_determinant


def test_conditional_mean_is_the_constrained_mode(oracle: Any) -> None:
    part = random_structure(9, 7, 2)
    load = np.random.default_rng(1).standard_normal(7)
    found = structure.conditional_mean(part.precision, part.constraint, load)
    assert found == pytest.approx(dense(part, oracle) @ load, abs=1e-10)


@pytest.mark.parametrize(
    ("columns", "rank", "says"), [(3, 3, "4 columns, found 3"), (4, 4, "rank must be 3")]
)
def test_what_does_not_fit_together_is_refused(columns: int, rank: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Structure(sp.csr_array(np.eye(4)), sp.csr_array(np.ones((1, columns))), rank)
