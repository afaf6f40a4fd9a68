"""Diagonal of the inverse of a sparse positive definite matrix, without the inverse.

The entries of the inverse at the non-zeros of the Cholesky factor follow from the factor alone,
last column first (Takahashi, Fagan and Chen 1973). Column j needs only the dense block of the
inverse at the rows of its parent in the elimination tree, so each block is kept until the last of
its children has read it. On a map the cost grows about linearly with the number of units; one
solve a column, the plain way, grows with its square.

References
----------
Takahashi, Fagan and Chen (1973), Formation of a sparse bus impedance matrix and its application to
short circuit study, 8th PICA Conference Proceedings: 63-69.
Erisman and Tinney (1975), Communications of the ACM 18: 177-179.
"""

from __future__ import annotations

import numpy as np
import qdldl
import scipy.sparse as sp
from numpy.typing import NDArray


def inverse_diagonal(matrix: sp.csc_array) -> NDArray[np.float64]:
    """Return the diagonal of the inverse of a sparse symmetric positive definite matrix.

    Parameters
    ----------
    matrix : sparse array, shape (size, size)
        Symmetric and positive definite; both triangles given.

    Returns
    -------
    array, shape (size,)
        Diagonal of the inverse, exact up to rounding.

    Raises
    ------
    ValueError
        If the matrix is not positive definite.
    """
    size = int(matrix.shape[0])
    if size == 0:
        return np.zeros(0)
    upper = sp.csc_matrix(sp.triu(matrix, format="csc"))
    upper.sort_indices()
    lower, pivot, order = qdldl.Solver(upper, upper=True).factors()
    if not np.all(pivot > 0):
        raise ValueError("the matrix must be positive definite")
    lower = sp.csc_array(lower)
    lower.sort_indices()
    start, rows, values = lower.indptr, lower.indices, lower.data
    has_parent = np.diff(start) > 0
    parent = np.full(size, -1)
    parent[has_parent] = rows[start[:-1][has_parent]]
    waiting = np.bincount(parent[has_parent], minlength=size)  # children that still need a block
    members: dict[int, NDArray[np.int64]] = {}
    blocks: dict[int, NDArray[np.float64]] = {}
    diagonal = np.empty(size)
    for j in range(size - 1, -1, -1):
        below, factor = rows[start[j] : start[j + 1]], values[start[j] : start[j + 1]]
        count = len(below)
        block = np.empty((count + 1, count + 1))
        if count:
            above = int(parent[j])
            place = np.searchsorted(members[above], below)
            inner = blocks[above][np.ix_(place, place)]
            column = -(inner @ factor)
            block[1:, 1:], block[1:, 0], block[0, 1:] = inner, column, column
            block[0, 0] = 1.0 / pivot[j] - factor @ column
            waiting[above] -= 1
            if not waiting[above]:
                del blocks[above], members[above]
        else:
            block[0, 0] = 1.0 / pivot[j]
        diagonal[j] = block[0, 0]
        if waiting[j]:
            blocks[j], members[j] = block, np.concatenate([[j], below])
    out = np.empty(size)
    out[order] = diagonal
    return out
