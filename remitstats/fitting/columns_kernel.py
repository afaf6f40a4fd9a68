# ruff: noqa: PLR0912 - loops written out are what the compiler makes fast
"""Compiled functions behind `local_blocks` and `mixture`: many small matrices side by side.

They stand in one file on purpose: Numba keeps compiled code between runs and looks for changes only
in the file of the function that was called. They hold no lock, so that chains run side by side.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LANES = 64  # columns worked on side by side: their matrices stay in the fastest memory
MUCH = 1e100  # products are kept within it: another factor of 1e200 is still a number
_FAST = {"contract", "nsz", "arcp", "reassoc"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def _add(out: Array, x: Array, y: Array) -> None:
    for lane in range(numba.uint64(out.shape[0])):  # indices without a sign become vector code
        out[lane] += x[lane] * y[lane]


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def _take(out: Array, x: Array, y: Array) -> None:
    for lane in range(numba.uint64(out.shape[0])):
        out[lane] -= x[lane] * y[lane]


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def precisions(covariance: Array, square: Array, variance: Array) -> tuple[Array, Array]:
    """Invert V_i = sum_f square_fi covariance_f + diag(variance_i) of every column.

    Parameters
    ----------
    covariance : array, shape (field, row, row)
        What a field of unit square adds to the rows.
    square : array, shape (field, column)
        Squares with which the fields enter the columns.
    variance : array, shape (row, column)
        Variances of the cells.

    Returns
    -------
    precision : array, shape (row, row, column)
        The inverses; nan where a matrix is not positive definite.
    log_determinant : array, shape (column,)
        Of V_i.
    """
    fields, rows, columns = len(covariance), variance.shape[0], variance.shape[1]
    precision = np.empty((rows, rows, columns))
    log_determinant = np.zeros(columns)
    v, w = np.zeros((rows, rows, LANES)), np.zeros((rows, rows, LANES))
    own = np.zeros((fields, LANES))
    for start in range(0, columns, LANES):
        width = min(LANES, columns - start)
        for f in range(fields):
            for lane in range(width):
                own[f, lane] = square[f, start + lane]
        for i in range(rows):
            for j in range(i + 1):
                v[i, j] = 0.0
                for f in range(fields):
                    entry = covariance[f, i, j]
                    if entry != 0.0:
                        for lane in range(numba.uint64(LANES)):
                            v[i, j, lane] += entry * own[f, lane]
            for lane in range(width):
                v[i, i, lane] += variance[i, start + lane]
            for lane in range(width, LANES):
                v[i, i, lane] = 1.0
        for j in range(rows):  # the factor, inverses of its diagonal in place of it
            for i in range(j, rows):
                for k in range(j):
                    _take(v[i, j], v[i, k], v[j, k])
            for lane in range(numba.uint64(LANES)):
                pivot = v[j, j, lane]
                v[j, j, lane] = 1.0 / np.sqrt(pivot) if pivot > 0.0 else np.nan
            for i in range(j + 1, rows):
                for lane in range(numba.uint64(LANES)):
                    v[i, j, lane] *= v[j, j, lane]
        for lane in range(width):
            product = 1.0
            for j in range(rows):
                product *= v[j, j, lane]
            log_determinant[start + lane] = -2.0 * np.log(product)
        for j in range(rows):  # the inverse of the factor
            w[j, j] = v[j, j]
            for i in range(j + 1, rows):
                w[i, j] = 0.0
                for k in range(j, i):
                    _take(w[i, j], v[i, k], w[k, j])
                for lane in range(numba.uint64(LANES)):
                    w[i, j, lane] *= v[i, i, lane]
        for i in range(rows):
            for j in range(i + 1):
                v[i, j] = 0.0
                for k in range(i, rows):
                    _add(v[i, j], w[k, i], w[k, j])
                for lane in range(width):
                    precision[i, j, start + lane] = v[i, j, lane]
                    precision[j, i, start + lane] = v[i, j, lane]
    return precision, log_determinant


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def multiply(precision: Array, x: Array) -> Array:
    """Return the product of every column's matrix with its part of x, shape (row, column)."""
    found = np.zeros_like(x)
    for i in range(len(x)):
        for j in range(len(x)):
            _add(found[i], precision[i, j], x[j])
    return found


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def slopes(precision: Array, weighted: Array, square: Array) -> tuple[Array, Array]:
    """Return the slopes of the log density of the residuals.

    Parameters
    ----------
    precision : array, shape (row, row, column)
        V^-1 of every column.
    weighted : array, shape (row, column)
        V^-1 r.
    square : array, shape (field, column)
        Squares with which the fields enter the columns.

    Returns
    -------
    of_fields : array, shape (field, row, row)
        Slopes in what a field of unit square adds to the rows.
    of_cells : array, shape (row, column)
        Slopes in the variances of the cells.
    """
    fields, rows, columns = len(square), weighted.shape[0], weighted.shape[1]
    of_fields, of_cells = np.zeros((fields, rows, rows)), np.empty((rows, columns))
    part = np.empty(columns)
    for i in range(rows):
        for j in range(i + 1):
            for c in range(columns):
                part[c] = 0.5 * (weighted[i, c] * weighted[j, c] - precision[i, j, c])
            for f in range(fields):
                total = 0.0
                for c in range(columns):
                    total += square[f, c] * part[c]
                of_fields[f, i, j] = total
                of_fields[f, j, i] = total
        of_cells[i] = part
    return of_fields, of_cells


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def redraw(
    precision: Array,
    log_determinant: Array,
    weighted: Array,
    square: Array,
    known: NDArray[np.bool_],
    current: Array,
    trial: Array,
    log_uniform: Array,
) -> None:
    """Move the multipliers of the cells, one row of a column after another, by Metropolis steps.

    Variance i changes by square_i (1 / trial_i - 1 / current_i), which changes the column's matrix
    by one rank. `precision`, `log_determinant`, `weighted` and `current` are overwritten.

    Parameters
    ----------
    precision : array, shape (row, row, column)
        V^-1 of every column.
    log_determinant : array, shape (column,)
        Of V.
    weighted : array, shape (row, column)
        V^-1 r.
    square : array, shape (row, column)
        Squares of the cells' scales.
    known : array of bool, shape (row, column)
        Whether a cell was measured; the others stand still.
    current, trial : array, shape (row, column)
        Multipliers, and draws from their prior.
    log_uniform : array, shape (row, column)
        Logarithms of uniform numbers that decide.
    """
    rows, columns = weighted.shape
    p = np.empty((rows, rows))
    u = np.empty(rows)
    line = np.empty(rows)
    for c in range(columns):
        for i in range(rows):
            u[i] = weighted[i, c]
            for j in range(rows):
                p[i, j] = precision[i, j, c]
        for r in range(rows):
            if not known[r, c] or not trial[r, c] > 0.0:
                continue
            change = square[r, c] * (1.0 / trial[r, c] - 1.0 / current[r, c])
            ratio = 1.0 + change * p[r, r]
            if not ratio > 0.0:
                continue
            log_ratio = np.log(ratio)
            if log_uniform[r, c] < 0.5 * (change * u[r] * u[r] / ratio - log_ratio):
                current[r, c] = trial[r, c]
                log_determinant[c] += log_ratio
                factor, step = change / ratio, change * u[r] / ratio
                for i in range(rows):
                    line[i] = p[i, r]
                for i in range(rows):
                    u[i] -= step * line[i]
                    for j in range(rows):
                        p[i, j] -= factor * line[i] * line[j]
        for i in range(rows):
            weighted[i, c] = u[i]
            for j in range(rows):
                precision[i, j, c] = p[i, j]


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def gather(
    precision: Array, weighted: Array, element: Integers, value: Array, size: int
) -> tuple[Array, Array]:
    """Return what the measurements say of fields that many columns share.

    Parameters
    ----------
    precision : array, shape (row, row, column)
        V^-1 of every column.
    weighted : array, shape (row, column)
        V^-1 r.
    element : array of int, shape (field, column)
        Which of all the fields' elements enters the column.
    value : array, shape (field, column)
        And with what factor.
    size : int
        Number of all fields' elements.

    Returns
    -------
    information : array, shape (element * row, element * row)
        X' V^-1 X.
    load : array, shape (element * row,)
        X' V^-1 r.
    """
    rows, columns = weighted.shape
    fields = len(element)
    blocks = np.zeros((size, size, rows, rows))
    load = np.zeros((size, rows))
    p = np.empty((rows, rows))
    for c in range(columns):
        for i in range(rows):
            for j in range(rows):
                p[i, j] = precision[i, j, c]
        for f in range(fields):
            e, v = element[f, c], value[f, c]
            for i in range(rows):
                load[e, i] += v * weighted[i, c]
            for g in range(f + 1):
                product = v * value[g, c]
                block = blocks[e, element[g, c]]
                for i in range(rows):
                    for j in range(rows):
                        block[i, j] += product * p[i, j]
    information = np.zeros((size * rows, size * rows))
    for e in range(size):
        for h in range(size):
            for i in range(rows):
                for j in range(rows):
                    if blocks[e, h, i, j] != 0.0:
                        information[e * rows + i, h * rows + j] = blocks[e, h, i, j]
                        information[h * rows + j, e * rows + i] = blocks[e, h, i, j]
    return information, load.ravel()


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def student_sum(observed: Array, eta: Array, scale: Array, degrees: float) -> float:
    """Return the sum over measured cells of log(1 + z^2 / degrees), z the scaled residual."""
    total, product, inverse = 0.0, 1.0, 1.0 / degrees
    for i in range(len(observed)):
        if not np.isnan(observed[i]):
            z = (observed[i] - eta[i]) / scale[i]
            product *= 1.0 + inverse * z * z
            if product > MUCH:  # one logarithm for many cells
                total += np.log(product)
                product = 1.0
    return float(total + np.log(product))


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def student_parts(
    observed: Array, eta: Array, scale: Array, degrees: float
) -> tuple[float, float, float, Array]:
    """Return what a Student t of measured cells and its slopes are made of.

    Returns
    -------
    log_scale, tail, share : float
        Sums of log scale, of log(1 + z^2 / degrees) and of z^2 / (degrees + z^2).
    of_log_scale : array, shape (cell,)
        Slope of the log density in the logarithm of the scale; 0 where nothing was measured.
    """
    log_scale, tail, share = 0.0, 0.0, 0.0
    scales, product, inverse = 1.0, 1.0, 1.0 / degrees
    of_log_scale = np.zeros(len(observed))
    for i in range(len(observed)):
        if not np.isnan(observed[i]):
            z = (observed[i] - eta[i]) / scale[i]
            square = z * z
            part = square / (degrees + square)
            share += part
            of_log_scale[i] = (degrees + 1.0) * part - 1.0
            scales *= scale[i]
            product *= 1.0 + inverse * square
            if product > MUCH:
                tail += np.log(product)
                product = 1.0
            if scales > MUCH or scales < 1.0 / MUCH:
                log_scale += np.log(scales)
                scales = 1.0
    return log_scale + np.log(scales), tail + np.log(product), share, of_log_scale
