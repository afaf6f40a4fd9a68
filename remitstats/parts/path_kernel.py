# ruff: noqa: PLR0912, PLR0915 - loops written out are what the compiler makes fast
"""Compiled functions behind `grouped_paths` and `shared_path`.

They stand in one file on purpose: Numba keeps compiled code between runs and looks for changes only
in the file of the function that was called. They hold no lock, so that chains run side by side.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LOG_TWO_PI = math.log(2.0 * math.pi)
MISSING_WORTH = 3
"""Of so many times one may be missing for a group's precision to be told from its kind's."""
_FAST = {"contract", "nsz", "arcp", "reassoc"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def invert(a: Array) -> float:
    """Invert a positive definite matrix in place; return its log determinant.

    Sweeps of the lower half (Goodnight 1979, The American Statistician 33: 149-158). The result is
    nan where a pivot is not positive.
    """
    size = len(a)
    log_det = 0.0
    row = np.empty(size)
    for k in range(size):
        pivot = a[k, k]
        if not pivot > 0.0:
            return np.nan
        log_det += np.log(pivot)
        for j in range(k):
            row[j] = a[k, j]
        for j in range(k + 1, size):
            row[j] = a[j, k]
        row[k] = 0.0
        inverse = 1.0 / pivot
        for i in range(size):
            factor = row[i] * inverse
            line = a[i]
            for j in range(i + 1):
                line[j] -= factor * row[j]
        for j in range(k):
            a[k, j] = row[j] * inverse
        for j in range(k + 1, size):
            a[j, k] = row[j] * inverse
        a[k, k] = -inverse
    for i in range(size):
        for j in range(i + 1):
            a[i, j] = -a[i, j]
            a[j, i] = a[i, j]
    return log_det


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")  # type: ignore[untyped-decorator]
def few_missing(precision: Array, gone: Integers, root: Array) -> float:
    """Fill the root of what a precision loses when some of its values are not seen.

    The inverse of the seen part of a covariance is its inverse P less root' root, where root' root
    is P[:, gone] P[gone, gone]^-1 P[gone, :].

    Parameters
    ----------
    precision : array, shape (time, time)
        P.
    gone : array of int, shape (missing,)
        What is not seen.
    root : array, shape (missing, time)
        Is filled.

    Returns
    -------
    float
        Log determinant of P[gone, gone], which that of the covariance's seen part has more; nan
        where it is not positive definite.
    """
    missing, times = root.shape
    lower = np.empty((missing, missing))
    log_det = 0.0
    for a in range(missing):
        for b in range(a + 1):
            total = precision[gone[a], gone[b]]
            for k in range(b):
                total -= lower[a, k] * lower[b, k]
            if a > b:
                lower[a, b] = total / lower[b, b]
        if not total > 0.0:
            return np.nan
        log_det += np.log(total)
        lower[a, a] = math.sqrt(total)
        line = root[a]
        source = precision[gone[a]]
        for i in range(times):
            line[i] = source[i]
        for k in range(a):
            factor, earlier = lower[a, k], root[k]
            for i in range(times):
                line[i] -= factor * earlier[i]
        inverse = 1.0 / lower[a, a]
        for i in range(times):
            line[i] *= inverse
    return log_det


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
        State, number of series and mean series (nought where not seen) of every cell.
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
    groups = len(kind)
    k = extra.shape[1]
    size = times + k
    by_covariance = np.zeros((kinds, times, times))
    by_state = np.zeros((times, times))
    by_nation = np.zeros((size, size))
    information = np.zeros((states, 2, times, times))
    linear = np.zeros((states, 2, times))
    value = 0.0

    # a group that misses few times: its precision is that of its kind, less root' root
    precision = covariance.copy()
    log_det = np.empty(kinds)
    for c in range(kinds):
        log_det[c] = invert(precision[c])
    missing = times - length
    rooted = missing * MISSING_WORTH <= times
    gone = np.zeros((groups, times), dtype=np.int64)
    root_at = np.zeros(groups, dtype=np.int64)
    rows = np.zeros(kinds + 1, dtype=np.int64)  # of roots, kind after kind
    for c in range(kinds):
        rows[c + 1] = rows[c]
        for g in range(groups):
            if kind[g] == c and rooted[g]:
                root_at[g] = rows[c + 1]
                rows[c + 1] += missing[g]
    roots = np.empty((rows[kinds], times))
    all_times = np.arange(times)

    # every group by itself: what its series say of nation and state
    inverses = np.empty(np.sum(length**2))
    room = np.empty((times, times))
    offset = 0
    p: Array
    n: Any
    for g in range(groups):
        c = kind[g]
        f = reported[c]
        if rooted[g]:
            place = 0
            for i in range(times):
                if i - place < length[g] and observed[g, i - place] == i:
                    continue
                gone[g, place] = i
                place += 1
            n, at, p = times, all_times, room
            root = roots[root_at[g] : root_at[g] + missing[g]]
            fewer = log_det[c] + few_missing(precision[c], gone[g, : missing[g]], root)
            if missing[g]:
                np.dot(np.ascontiguousarray(root.T), root, p)
            else:
                p[:] = 0.0
            for i in range(times):
                for j in range(times):
                    p[i, j] = precision[c, i, j] - p[i, j]
        else:
            n, at = length[g], observed[g]
            p = inverses[offset : offset + n * n].reshape((n, n))
            offset += n * n
            for i in range(n):
                source = covariance[c, at[i]]
                for j in range(i + 1):
                    p[i, j] = source[at[j]]
            fewer = invert(p)
        value -= 0.5 * members[g] * (fewer + length[g] * LOG_TWO_PI)
        if scatter_of[g] >= 0:
            around = scatter[scatter_of[g]]
            total = 0.0
            for i in range(n):
                for j in range(n):
                    total += p[i, j] * around[at[i], at[j]]
            value -= 0.5 * total
        for cell in range(cell_start[g], cell_start[g + 1]):
            s, count = cell_state[cell], cell_count[cell]
            quadratic = 0.0
            for i in range(n):
                total = 0.0
                into = information[s, f, at[i]]
                for j in range(n):
                    total += p[i, j] * cell_mean[cell, at[j]]
                    into[at[j]] += count * p[i, j]
                quadratic += total * cell_mean[cell, at[i]]
                linear[s, f, at[i]] += count * total
            value -= 0.5 * count * quadratic

    # states: their paths integrated out, given the nation's
    joint = nation_covariance.copy()
    value -= 0.5 * invert(joint)
    nation_precision = joint.copy()
    right = np.zeros(size)
    left = np.zeros((states, times, size))  # L
    spread = np.empty((states, times, times))  # C, of a state's path given the nation's
    reach = np.empty((states, times, size))  # C L
    own = information[:, 0] + information[:, 1]
    h = linear[:, 0] + linear[:, 1]
    extra_t = np.ascontiguousarray(extra.T)
    all_reported = np.zeros((times, times))
    for s in range(states):
        spread[s] = state_covariance[s]
        value -= 0.5 * invert(spread[s])
        spread[s] += own[s]
        value -= 0.5 * invert(spread[s])
        left[s, :, :times] = own[s]
        right[:times] += h[s]
        joint[:times, :times] += own[s]
        if k:
            all_reported += information[s, 1]
            left[s, :, times:] = np.dot(information[s, 1], extra)
            right[times:] += np.dot(extra_t, linear[s, 1])
        reach[s] = np.dot(spread[s], left[s])
        value += 0.5 * np.dot(h[s], np.dot(spread[s], h[s]))
        reach_t = np.ascontiguousarray(reach[s].T)
        right -= np.dot(reach_t, h[s])
        joint -= np.dot(reach_t, left[s])
    if k:
        crossed = np.dot(all_reported, extra)
        joint[:times, times:] += crossed
        joint[times:, :times] += crossed.T
        joint[times:, times:] += np.dot(extra_t, crossed)
    value -= 0.5 * invert(joint)
    nation = np.dot(joint, right)
    value += 0.5 * np.dot(nation, right)
    if not with_gradient:
        return (value, by_covariance, by_state, by_nation, nation, joint, left, spread, h)

    # nation
    pulled = np.dot(nation_precision, nation)
    by_nation[:] = np.dot(np.dot(nation_precision, joint), nation_precision)
    for a in range(size):
        for b in range(size):
            by_nation[a, b] += pulled[a] * pulled[b] - nation_precision[a, b]
            by_nation[a, b] *= 0.5

    # states, and the mean and variance of nation plus state that every series sees
    mean = np.zeros((states, 2, times))
    variance = np.zeros((states, 2, times, times))
    seen = np.zeros((2, states), dtype=np.bool_)
    for g in range(groups):
        for cell in range(cell_start[g], cell_start[g + 1]):
            seen[reported[kind[g]], cell_state[cell]] = True
    path = np.empty((times, size))
    extra_spread = 0.5 * np.dot(extra, np.ascontiguousarray(joint[times:, times:]))
    shown = nation[:times] + np.dot(extra, nation[times:])
    for s in range(states):
        gap = h[s] - np.dot(left[s], nation)
        state = np.dot(spread[s], gap)
        path[:] = -reach[s]
        for i in range(times):
            path[i, i] += 1.0
        path_q = np.dot(path, joint)
        mean[s, 0] = state + nation[:times]
        variance[s, 0] = spread[s] + np.dot(path_q, np.ascontiguousarray(path.T))
        if seen[1, s]:  # with the extra path added, E of the k numbers
            mean[s, 1] = state + shown
            crossed = np.dot(extra_spread + path_q[:, times:], extra_t)
            variance[s, 1] = variance[s, 0] + crossed + crossed.T
        # D^-1 C L = (I - own C) L, and D^-1 C D^-1 - D^-1 = -(own - own C own), where own - own C
        # own stands in its first columns, as L begins with own
        path[:] = left[s] - np.dot(own[s], reach[s])
        path_q = np.dot(path, joint)
        square = np.dot(path_q, np.ascontiguousarray(path.T))
        slope = gap - np.dot(own[s], state)
        for i in range(times):
            for j in range(times):
                by_state[i, j] += 0.5 * (square[i, j] - path[i, j] + slope[i] * slope[j])

    # series: 1/2 (P A P - members P), A what is expected of squares and products
    far = np.zeros(times)
    rooms = np.empty((3, times * times))
    all_members = np.zeros(kinds)  # of groups whose P is their kind's less root' root
    all_around = np.zeros((kinds, times, times))  # their A
    told = np.empty((len(roots), times))  # root A
    inner = np.empty((len(roots), times))  # (root A root' + members) root
    offset = 0
    for g in range(groups):
        n, c = length[g], kind[g]
        f = reported[c]
        at = observed[g]
        if rooted[g]:
            if scatter_of[g] >= 0:
                room[:] = scatter[scatter_of[g]]
            else:
                room[:] = 0.0
            for cell in range(cell_start[g], cell_start[g + 1]):
                s, count = cell_state[cell], cell_count[cell]
                far[:] = cell_mean[cell] - mean[s, f]
                for j in range(missing[g]):
                    far[gone[g, j]] = 0.0
                for i in range(times):
                    for j in range(times):
                        room[i, j] += count * (variance[s, f, i, j] + far[i] * far[j])
            all_members[c] += members[g]
            all_around[c] += room
            if missing[g]:
                first, last = root_at[g], root_at[g] + missing[g]
                np.dot(roots[first:last], room, told[first:last])
                square = np.dot(told[first:last], np.ascontiguousarray(roots[first:last].T))
                for j in range(missing[g]):
                    square[j, j] += members[g]
                np.dot(square, roots[first:last], inner[first:last])
            continue
        p = inverses[offset : offset + n * n].reshape((n, n))
        offset += n * n
        around = rooms[0, : n * n].reshape((n, n))
        half = rooms[1, : n * n].reshape((n, n))
        whole = rooms[2, : n * n].reshape((n, n))
        if scatter_of[g] >= 0:
            for i in range(n):
                for j in range(n):
                    around[i, j] = scatter[scatter_of[g], at[i], at[j]]
        else:
            around[:] = 0.0
        for cell in range(cell_start[g], cell_start[g + 1]):
            s, count = cell_state[cell], cell_count[cell]
            for i in range(n):
                far[i] = cell_mean[cell, at[i]] - mean[s, f, at[i]]
            for i in range(n):
                source = variance[s, f, at[i]]
                for j in range(n):
                    around[i, j] += count * (source[at[j]] + far[i] * far[j])
        np.dot(p, around, half)
        for i in range(n):
            half[i, i] -= members[g]
        np.dot(half, p, whole)
        for i in range(n):
            into = by_covariance[c, at[i]]
            for j in range(n):
                into[at[j]] += 0.5 * whole[i, j]
    for c in range(kinds):
        if all_members[c] == 0.0:
            continue
        roots_t = np.ascontiguousarray(roots[rows[c] : rows[c + 1]].T)
        crossed = np.dot(np.dot(roots_t, told[rows[c] : rows[c + 1]]), precision[c])
        both = np.dot(np.dot(precision[c], all_around[c]), precision[c])
        both += np.dot(roots_t, inner[rows[c] : rows[c + 1]]) - all_members[c] * precision[c]
        by_covariance[c] += 0.5 * (both - crossed - crossed.T)
    return (value, by_covariance, by_state, by_nation, nation, joint, left, spread, h)


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def solve_series(
    observed: Integers,
    length: Integers,
    kind: Integers,
    order: Integers,
    order_start: Integers,
    covariance: Array,
    residual: Array,
) -> Array:
    """Return the inverse covariance of what each series shows times its residual, 0 elsewhere.

    Parameters
    ----------
    observed, length, kind
        As for `grouped_density`.
    order, order_start : array of int, shape (series,) and (group + 1,)
        The series of every group, one group after the other.
    covariance : array, shape (kind, time, time)
        Of a series around nation and state.
    residual : array, shape (repeat, series, time)
        Ignored where not observed.

    Returns
    -------
    array, shape (repeat, series, time)
    """
    told = np.zeros(residual.shape)
    repeats = len(residual)
    times = covariance.shape[1]
    room = np.empty(times * times)
    for g in range(len(kind)):
        if order_start[g] == order_start[g + 1]:
            continue
        n, c = length[g], kind[g]
        at = observed[g]
        p = room[: n * n].reshape((n, n))
        for i in range(n):
            source = covariance[c, at[i]]
            for j in range(i + 1):
                p[i, j] = source[at[j]]
        invert(p)
        for position in range(order_start[g], order_start[g + 1]):
            series = order[position]
            for r in range(repeats):
                for i in range(n):
                    total = 0.0
                    for j in range(n):
                        total += p[i, j] * residual[r, series, at[j]]
                    told[r, series, at[i]] = total
    return told


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def shared_density(
    away: Array, covariance: Array, common: Array, group_of: Integers
) -> tuple[float, Array, Array]:
    """Return the log density of series around shared paths and its gradients.

    Parameters
    ----------
    away : array, shape (unit, time)
        The series less the paths' mean.
    covariance : array, shape (unit, time, time)
        Of every unit around its path.
    common : array, shape (group x time, group x time)
        Of the paths.
    group_of : array of int, shape (unit,)
        Group of every unit.

    Returns
    -------
    value : float
        nan where a covariance is not positive definite.
    by_covariance, by_common : array
        Gradients.
    """
    units, times = away.shape
    size = len(common)
    groups = size // times
    inverse = covariance.copy()
    told = np.zeros((groups, times, times))  # what the units of a group say of its path
    right = np.zeros(size)
    value = -0.5 * units * times * LOG_TWO_PI
    for u in range(units):
        value -= 0.5 * invert(inverse[u])
        first = group_of[u] * times
        told[group_of[u]] += inverse[u]
        right[first : first + times] += np.dot(inverse[u], away[u])
    prior = common.copy()
    value -= 0.5 * invert(prior)
    spread = prior.copy()
    for g in range(groups):
        for i in range(times):
            for j in range(times):
                spread[g * times + i, g * times + j] += told[g, i, j]
    value -= 0.5 * invert(spread)
    shift = np.dot(spread, right)
    pull = np.dot(prior, shift)
    # log p(y) = log p(y, paths) - log p(paths | y), at the paths' conditional mean
    value -= 0.5 * np.dot(shift, pull)
    by_covariance = np.empty((units, times, times))
    own = np.empty((groups, times, times))
    for g in range(groups):
        first = g * times
        own[g] = spread[first : first + times, first : first + times]
    for u in range(units):
        first = group_of[u] * times
        residual = away[u] - shift[first : first + times]
        scaled = np.dot(inverse[u], residual)
        value -= 0.5 * np.dot(residual, scaled)
        by_covariance[u] = np.dot(np.dot(inverse[u], own[group_of[u]]), inverse[u])
        for i in range(times):
            for j in range(times):
                by_covariance[u, i, j] += scaled[i] * scaled[j] - inverse[u, i, j]
                by_covariance[u, i, j] *= 0.5
    # prior spread prior - prior = told spread told - told, whose blocks are small
    by_common = np.empty((size, size))
    block = np.empty((times, times))
    for g in range(groups):
        at = g * times
        row = np.dot(told[g], spread[at : at + times])
        for h in range(groups):
            to = h * times
            block[:] = row[:, to : to + times]
            by_common[at : at + times, to : to + times] = np.dot(block, told[h])
        by_common[at : at + times, at : at + times] -= told[g]
    for i in range(size):
        for j in range(size):
            by_common[i, j] = 0.5 * (by_common[i, j] + pull[i] * pull[j])
    return value, by_covariance, by_common
