"""Covariances from standard deviations and partial correlations, with an LKJ prior.

The lower Cholesky factor of a correlation matrix is built row by row from canonical partial
correlations z in (-1, 1), which are independent under the LKJ prior (Lewandowski, Kurowicka and Joe
2009, Journal of Multivariate Analysis 100: 1989-2001): in column j of an n x n matrix, (1 + z) / 2
is Beta(b, b) with b = concentration + (n - 2 - j) / 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def pairs(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of the entries below the diagonal, row by row."""
    row, column = np.tril_indices(size, -1)
    return row.astype(np.int64), column.astype(np.int64)


def beta_shape(size: int, concentration: float) -> Array:
    """Return the shape b of every partial correlation's beta prior, shape (pair,)."""
    _, column = pairs(size)
    return np.asarray(concentration + (size - 2 - column) / 2.0, dtype=float)


def correlation_factor(partial: Array, size: int) -> Array:
    """Return the lower Cholesky factor of the correlation matrix of partial correlations.

    Parameters
    ----------
    partial : array, shape (..., pair)
        Canonical partial correlations, in the order of `pairs`.
    size : int
        Number of variables.

    Returns
    -------
    array, shape (..., size, size)
    """
    out = np.zeros((*partial.shape[:-1], size, size))
    out[..., 0, 0] = 1.0
    at = 0
    for i in range(1, size):
        rest = np.ones(partial.shape[:-1])
        for j in range(i):
            z = partial[..., at]
            out[..., i, j] = z * np.sqrt(rest)
            rest = rest * (1.0 - z**2)
            at += 1
        out[..., i, i] = np.sqrt(rest)
    return out


def correlation_factor_pullback(partial: Array, gradient: Array) -> Array:
    """Return the gradient in the partial correlations, given that in the factor.

    Parameters
    ----------
    partial : array, shape (pair,)
        Partial correlations.
    gradient : array, shape (size, size)
        Gradient in the factor; only its lower triangle counts.

    Returns
    -------
    array, shape (pair,)
    """
    size = len(gradient)
    out = np.empty_like(partial)
    for i in range(1, size):
        first = i * (i - 1) // 2
        z = partial[first : first + i]
        rest = np.concatenate([[1.0], np.cumprod(1.0 - z**2)])
        by_rest = 0.5 * gradient[i, i] / np.sqrt(rest[i])
        for j in range(i - 1, -1, -1):
            root = np.sqrt(rest[j])
            out[first + j] = gradient[i, j] * root - 2.0 * by_rest * rest[j] * z[j]
            by_rest = 0.5 * gradient[i, j] * z[j] / root + by_rest * (1.0 - z[j] ** 2)
    return out


def to_pymc(name: str, rate: float, concentration: float, size: int) -> Any:
    """Add a covariance to the PyMC model in whose context this is called, and return it.

    Adds ``{name}_sd`` (exponential) and ``{name}_partial`` (the (1 + z) / 2 of this module).
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it
    import pytensor.tensor as pt  # noqa: PLC0415

    sd = pm.Exponential(f"{name}_sd", lam=rate, shape=size)
    shape = beta_shape(size, concentration)
    half = pm.Beta(f"{name}_partial", alpha=shape, beta=shape, shape=len(shape))
    z = 2.0 * half - 1.0
    rows = [[pt.as_tensor_variable(1.0)] + [pt.as_tensor_variable(0.0)] * (size - 1)]
    at = 0
    for i in range(1, size):
        rest: Any = pt.as_tensor_variable(1.0)
        row = []
        for _ in range(i):
            row.append(z[at] * pt.sqrt(rest))
            rest = rest * (1.0 - z[at] ** 2)
            at += 1
        row += [pt.sqrt(rest)] + [pt.as_tensor_variable(0.0)] * (size - 1 - i)
        rows.append(row)
    factor = sd[:, None] * pt.stack([pt.stack(row) for row in rows])
    return pt.dot(factor, factor.T)
