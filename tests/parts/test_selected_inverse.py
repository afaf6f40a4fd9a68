"""The diagonal of a sparse inverse against the dense inverse."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from remitstats.parts.selected_inverse import inverse_diagonal


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 30), st.floats(0.0, 0.5), st.integers(0, 2**32 - 1))
def test_diagonal_is_that_of_the_dense_inverse(size: int, density: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    loading = rng.standard_normal((size, size)) * (rng.random((size, size)) < density)
    matrix = loading @ loading.T + np.diag(rng.uniform(0.5, 2.0, size))
    found = inverse_diagonal(sp.csc_array(matrix))
    assert found == pytest.approx(np.diag(np.linalg.inv(matrix)), rel=1e-8)


def test_a_lattice_with_separate_parts_and_a_lone_unit() -> None:
    """Deep elimination trees, a forest of them, and more fill than non-zeros."""
    step = sp.csc_array(np.diff(np.eye(12), axis=0))
    line = step.T @ step
    lattice = sp.kronsum(line, line, format="csc")
    whole = sp.block_diag([lattice, sp.csc_array([[3.0]]), 2.0 * lattice], format="csc")
    matrix = sp.csc_array(whole + 0.01 * sp.eye_array(whole.shape[0]))
    expected = np.diag(np.linalg.inv(matrix.toarray()))
    assert inverse_diagonal(matrix) == pytest.approx(expected, rel=1e-10)


def test_nothing_has_no_diagonal() -> None:
    assert inverse_diagonal(sp.csc_array((0, 0))).shape == (0,)


def test_a_matrix_that_is_not_positive_definite_is_refused() -> None:
    with pytest.raises(ValueError, match="positive definite"):
        inverse_diagonal(sp.csc_array(np.array([[1.0, 2.0], [2.0, 1.0]])))
