# ruff: noqa: PLR0912, PLR0915 - loops written out are what the compiler makes fast
"""Compiled functions behind `grouped_paths`.

They stand in one file on purpose: Numba keeps compiled code between runs and looks for changes only
in the file of the function that was called. They hold no lock, so that chains run side by side.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LOG_TWO_PI = math.log(2.0 * math.pi)
_FAST = {"contract", "nsz", "arcp", "reassoc"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def invert(a: Array, size: int) -> float:
    """Invert the leading block of a positive definite matrix in place; return its log determinant.

    Gauss and Jordan's sweeps: every inner loop runs along a row. The result is nan where a pivot is
    not positive.
    """
    log_det = 0.0
    for k in range(size):
        pivot = a[k, k]
        if not pivot > 0.0:
            return np.nan
        log_det += np.log(pivot)
        inverse = 1.0 / pivot
        row = a[k]
        for j in range(size):
            row[j] *= inverse
        row[k] = inverse
        for i in range(size):
            if i == k:
                continue
            other = a[i]
            factor = other[k]
            other[k] = 0.0
            for j in range(size):
                other[j] -= factor * row[j]
    return log_det


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def _times(a: Array, b: Array, out: Array, rows: int, inner: int, columns: int) -> None:
    """Set the leading block of out to a b."""
    for i in range(rows):
        target = out[i]
        for j in range(columns):
            target[j] = 0.0
        for k in range(inner):
            factor = a[i, k]
            source = b[k]
            for j in range(columns):
                target[j] += factor * source[j]


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def _add_times_transposed(a: Array, b: Array, out: Array, rows: int, inner: int) -> None:
    """Add a b' to the square out, a symmetric product: the lower half is copied."""
    for i in range(rows):
        left = a[i]
        for j in range(i + 1):
            right = b[j]
            total = 0.0
            for k in range(inner):
                total += left[k] * right[k]
            out[i, j] += total
            if i != j:
                out[j, i] += total


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def grouped_density(
    observed: Integers,
    length: Integers,
    kind: Integers,
    members: Array,
    scatter_of: Integers,
    scatter: Array,
    cell_start: Integers,
    cell_state: Integers,
    cell_count: Array,
    cell_mean: Array,
    reported: Integers,
    extra: Array,
    covariance: Array,
    state_covariance: Array,
    nation_covariance: Array,
    with_gradient: bool,
) -> tuple[float, Array, Array, Array, Array, Array, Array, Array, Array]:
    """Return the log density and, if wanted, its gradients and the paths' posterior.

    Parameters
    ----------
    observed, length : array of int, shape (group, time) and (group,)
        Which times a group's series have, ascending, and how many.
    kind : array of int, shape (group,)
        Whose covariance it has.
    members : array, shape (group,)
        Number of series.
    scatter_of, scatter : array, shape (group,) and (·, time, time)
        Sums of squares and products around cell means; -1 where there are none.
    cell_start : array of int, shape (group + 1,)
        A group's cells, one a state.
    cell_state, cell_count, cell_mean
        State, number of series and mean series (leading places) of every cell.
    reported : array of int, shape (kind,)
        1 where a kind of series has the extra path of the nation, else 0.
    extra : array, shape (time, k)
        The extra path is extra times k numbers.
    covariance : array, shape (kind, time, time)
        Of a series around nation and state.
    state_covariance : array, shape (state, time, time)
        Of every state's path.
    nation_covariance : array, shape (time + k, time + k)
        Of the nation's path and the k numbers.
    with_gradient : bool
        Whether the gradients are wanted; zero otherwise.

    Returns
    -------
    value : float
    by_covariance, by_state, by_nation : array
        Gradients, of the states summed.
    nation_mean, nation_variance : array, shape (time + k) and its square
        Posterior of the nation's numbers.
    state_information : array, shape (state, time, time + k)
        L below.
    state_variance : array, shape (state, time, time)
        Of a state's path given the nation's.
    state_linear : array, shape (state, time)
        h below.
    """
    kinds, times, _ = covariance.shape
    states = len(state_covariance)
    k = extra.shape[1]
    size = times + k
    by_covariance = np.zeros((kinds, times, times))
    by_state = np.zeros((times, times))
    by_nation = np.zeros((size, size))
    information = np.zeros((states, 2, times, times))
    linear = np.zeros((states, 2, times))
    precision = np.empty((len(kind), times, times))
    weighted = np.empty((len(cell_state), times))
    value = 0.0

    # every group by itself: what its series say of nation and state
    for g in range(len(kind)):
        n, c = length[g], kind[g]
        p = precision[g]
        for i in range(n):
            for j in range(n):
                p[i, j] = covariance[c, observed[g, i], observed[g, j]]
        log_det = invert(p, n)
        value -= 0.5 * members[g] * (log_det + n * LOG_TWO_PI)
        if scatter_of[g] >= 0:
            around = scatter[scatter_of[g]]
            total = 0.0
            for i in range(n):
                for j in range(n):
                    total += p[i, j] * around[i, j]
            value -= 0.5 * total
        f = reported[c]
        for cell in range(cell_start[g], cell_start[g + 1]):
            s, count = cell_state[cell], cell_count[cell]
            quadratic = 0.0
            for i in range(n):
                total = 0.0
                for j in range(n):
                    total += p[i, j] * cell_mean[cell, j]
                weighted[cell, i] = total
                quadratic += total * cell_mean[cell, i]
                linear[s, f, observed[g, i]] += count * total
                into = information[s, f, observed[g, i]]
                for j in range(n):
                    into[observed[g, j]] += count * p[i, j]
            value -= 0.5 * count * quadratic

    # states: their paths integrated out, given the nation's
    joint = nation_covariance.copy()
    value -= 0.5 * invert(joint, size)
    nation_precision = joint.copy()
    right = np.zeros(size)
    left = np.zeros((states, times, size))  # L
    spread = np.empty((states, times, times))  # C, of a state's path given the nation's
    reach = np.empty((states, times, size))  # C L
    own = np.zeros((states, times, times))
    h = np.zeros((states, times))
    scratch = np.zeros((size, size))
    extra_t = np.ascontiguousarray(extra.T)
    all_reported = np.zeros((times, times))
    for s in range(states):
        spread[s] = state_covariance[s]
        value -= 0.5 * invert(spread[s], times)
        for i in range(times):
            h[s, i] = linear[s, 0, i] + linear[s, 1, i]
            right[i] += h[s, i]
            for j in range(times):
                own[s, i, j] = information[s, 0, i, j] + information[s, 1, i, j]
                all_reported[i, j] += information[s, 1, i, j]
                spread[s, i, j] += own[s, i, j]
                left[s, i, j] = own[s, i, j]
                joint[i, j] += own[s, i, j]
        if k:
            _times(information[s, 1], extra, scratch, times, times, k)
            left[s, :, times:] = scratch[:times, :k]
            for a in range(k):
                for i in range(times):
                    right[times + a] += extra_t[a, i] * linear[s, 1, i]
        value -= 0.5 * invert(spread[s], times)
        _times(spread[s], left[s], reach[s], times, times, size)
        for i in range(times):
            along = 0.0
            for j in range(times):
                along += spread[s, i, j] * h[s, j]
            value += 0.5 * along * h[s, i]
            for a in range(size):
                right[a] -= reach[s, i, a] * h[s, i]
        left_t = np.ascontiguousarray(left[s].T)
        _times(left_t, reach[s], scratch, size, times, size)
        for a in range(size):
            for b in range(size):
                joint[a, b] -= scratch[a, b]
    if k:
        _times(all_reported, extra, scratch, times, times, k)
        crossed = scratch[:times, :k].copy()
        corner = np.empty((k, k))
        _times(extra_t, crossed, corner, k, times, k)
        for a in range(k):
            for i in range(times):
                joint[times + a, i] += crossed[i, a]
                joint[i, times + a] += crossed[i, a]
            for b in range(k):
                joint[times + a, times + b] += corner[a, b]
    value -= 0.5 * invert(joint, size)
    nation = np.zeros(size)
    for a in range(size):
        for b in range(size):
            nation[a] += joint[a, b] * right[b]
        value += 0.5 * nation[a] * right[a]
    if not with_gradient:
        return (value, by_covariance, by_state, by_nation, nation, joint, left, spread, h)

    # nation
    pulled = np.zeros(size)
    for a in range(size):
        for b in range(size):
            pulled[a] += nation_precision[a, b] * nation[b]
    _times(nation_precision, joint, scratch, size, size, size)
    _times(scratch, nation_precision, by_nation, size, size, size)
    for a in range(size):
        for b in range(size):
            by_nation[a, b] = 0.5 * (
                by_nation[a, b] + pulled[a] * pulled[b] - nation_precision[a, b]
            )

    # states, and the mean and variance of nation plus state that every series sees
    mean = np.zeros((states, 2, times))
    variance = np.zeros((states, 2, times, times))
    seen = np.zeros((2, states), dtype=np.bool_)
    for cell in range(len(cell_state)):
        seen[0, cell_state[cell]] = True
    for g in range(len(kind)):
        if reported[kind[g]] == 1:
            for cell in range(cell_start[g], cell_start[g + 1]):
                seen[1, cell_state[cell]] = True
    path = np.zeros((times, size))
    path_q = np.zeros((times, size))
    square = np.zeros((times, times))
    for s in range(states):
        gap = np.zeros(times)
        for i in range(times):
            gap[i] = h[s, i]
            for a in range(size):
                gap[i] -= left[s, i, a] * nation[a]
        state = np.zeros(times)
        for i in range(times):
            for j in range(times):
                state[i] += spread[s, i, j] * gap[j]
        for f in range(2):
            if not seen[f, s]:
                continue
            for i in range(times):
                mean[s, f, i] = state[i] + nation[i]
                for a in range(size):
                    path[i, a] = -reach[s, i, a]
                path[i, i] += 1.0
                if f == 1:
                    for a in range(k):
                        path[i, times + a] += extra[i, a]
                        mean[s, f, i] += extra[i, a] * nation[times + a]
            _times(path, joint, path_q, times, size, size)
            variance[s, f] = spread[s]
            _add_times_transposed(path_q, path, variance[s, f], times, size)
        # D^-1 C L = (I - own C) L and D^-1 C D^-1 - D^-1 = -(own - own C own)
        _times(own[s], reach[s], path, times, times, size)
        for i in range(times):
            for a in range(size):
                path[i, a] = left[s, i, a] - path[i, a]
        _times(path, joint, path_q, times, size, size)
        for i in range(times):  # L begins with own: own - own C own stands in the first columns
            for j in range(times):
                square[i, j] = -path[i, j]
        _add_times_transposed(path_q, path, square, times, size)
        slope = gap.copy()
        for i in range(times):
            for j in range(times):
                slope[i] -= own[s, i, j] * state[j]
        for i in range(times):
            for j in range(times):
                by_state[i, j] += 0.5 * (square[i, j] + slope[i] * slope[j])

    # series
    around = np.zeros((times, times))
    half = np.zeros((times, times))
    far = np.zeros(times)
    for g in range(len(kind)):
        n, c = length[g], kind[g]
        f = reported[c]
        p = precision[g]
        if scatter_of[g] >= 0:
            for i in range(n):
                for j in range(n):
                    around[i, j] = scatter[scatter_of[g], i, j]
        else:
            for i in range(n):
                for j in range(n):
                    around[i, j] = 0.0
        for cell in range(cell_start[g], cell_start[g + 1]):
            s, count = cell_state[cell], cell_count[cell]
            for i in range(n):
                far[i] = cell_mean[cell, i] - mean[s, f, observed[g, i]]
            for i in range(n):
                source = variance[s, f, observed[g, i]]
                for j in range(n):
                    around[i, j] += count * (source[observed[g, j]] + far[i] * far[j])
        # Sigma^-1 A Sigma^-1 - n Sigma^-1
        _times(p, around, half, n, n, n)
        for i in range(n):
            half[i, i] -= members[g]
        _times(half, p, around, n, n, n)
        for i in range(n):
            into = by_covariance[c, observed[g, i]]
            for j in range(n):
                into[observed[g, j]] += 0.5 * around[i, j]
    return (value, by_covariance, by_state, by_nation, nation, joint, left, spread, h)
