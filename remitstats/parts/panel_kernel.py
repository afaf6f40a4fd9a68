# ruff: noqa: PLR0912, PLR0915 - loops written out are what the compiler makes fast
"""Compiled functions behind `nested_normal` and `dynamic_panel`.

They stand in one file on purpose: Numba keeps compiled code between runs and looks for changes only
in the file of the function that was called.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LANES = (
    64  # municipalities worked on side by side: enough that what a loop costs to begin is little
)
LOG_TWO_PI = math.log(2.0 * math.pi)


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "arcp"}, error_model="numpy")  # type: ignore[untyped-decorator]
def _add(out: Array, x: Array, y: Array) -> None:
    """Add x y to `out`, lane by lane."""
    for lane in range(numba.uint64(out.shape[0])):  # indices without a sign become vector code
        out[lane] += x[lane] * y[lane]


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "arcp"}, error_model="numpy")  # type: ignore[untyped-decorator]
def _take(out: Array, x: Array, y: Array) -> None:
    """Take x y from `out`, lane by lane."""
    for lane in range(numba.uint64(out.shape[0])):
        out[lane] -= x[lane] * y[lane]


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "arcp"}, error_model="numpy")  # type: ignore[untyped-decorator]
def _invert_lanes(v: Array, w: Array, log_det: Array) -> None:
    """Invert the matrices v[:, :, lane] into w; nan where not definite.

    Of v the lower triangle is read, and overwritten.
    """
    size = v.shape[0]
    log_det[:] = 0.0
    for j in range(size):
        for i in range(j, size):
            for k in range(j):
                _take(v[i, j], v[i, k], v[j, k])
        diagonal = v[j, j]
        for lane in range(numba.uint64(LANES)):
            pivot = diagonal[lane]
            root = np.sqrt(pivot) if pivot > 0.0 else np.nan
            log_det[lane] += 2.0 * np.log(root)
            diagonal[lane] = 1.0 / root
        for i in range(j + 1, size):
            row = v[i, j]
            for lane in range(numba.uint64(LANES)):
                row[lane] *= diagonal[lane]
    # inverse of the factor, in place: its diagonal is inverted already
    room = w[0, 0]
    for j in range(size):
        for i in range(j + 1, size):
            room[:] = 0.0
            for k in range(j, i):
                _add(room, v[i, k], v[k, j])
            row, diagonal = v[i, j], v[i, i]
            for lane in range(numba.uint64(LANES)):
                row[lane] = -room[lane] * diagonal[lane]
    for a in range(size):
        for b in range(a + 1):
            w[a, b] = 0.0
            for k in range(a, size):
                _add(w[a, b], v[k, a], v[k, b])
            w[b, a] = w[a, b]


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _fill_lanes(
    v: Array,
    at: Integers,
    group_of: Integers,
    known: NDArray[np.bool_],
    pairs: Integers,
    unit: Array,
    noise: Array,
    noise_pair: Array,
) -> None:
    """Write the covariances of what was measured of the units `at` into the lower triangle of v."""
    size = v.shape[0]
    for a in range(size):
        for c in range(a + 1):
            for lane in range(LANES):
                v[a, c, lane] = unit[group_of[at[lane]], a, c]
        for lane in range(LANES):
            v[a, a, lane] += noise[at[lane], a]
    for p in range(pairs.shape[0]):
        a, c = max(pairs[p, 0], pairs[p, 1]), min(pairs[p, 0], pairs[p, 1])
        for lane in range(LANES):
            v[a, c, lane] += noise_pair[at[lane], p]
    for a in range(size):
        for lane in range(LANES):
            if not known[at[lane], a]:
                v[a, :a, lane] = 0.0
                v[a:, a, lane] = 0.0
                v[a, a, lane] = 1.0


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _solve_tilted(precision: Array, covariance: Array) -> tuple[Array, float]:
    """Return (I + precision covariance)^-1 and half the log of the determinant."""
    size = precision.shape[0]
    tilt = np.eye(size) + precision @ covariance
    if not np.isfinite(tilt).all():
        return np.full((size, size), np.nan), np.nan
    sign, log_det = np.linalg.slogdet(tilt)
    if not (sign > 0.0 and np.isfinite(log_det)):
        return np.full((size, size), np.nan), np.nan
    return np.ascontiguousarray(np.linalg.inv(tilt)), 0.5 * log_det


@numba.njit(cache=True, fastmath={"contract", "nsz", "arcp"}, error_model="numpy")  # type: ignore[untyped-decorator]
def nested_density(
    y: Array,
    known: NDArray[np.bool_],
    order: Integers,
    start: Integers,
    group_of_block: Integers,
    pairs: Integers,
    root_variance: float,
    unit: Array,
    block: Array,
    noise: Array,
    noise_pair: Array,
) -> tuple[float, Array, Array, Array, Array]:
    """Return the log density and its gradients; see `nested_normal_gradient`."""
    units, size = y.shape
    blocks, groups, pair_count = len(group_of_block), unit.shape[0], pairs.shape[0]
    batches = (units + LANES - 1) // LANES
    block_of, group_of = np.empty(units, dtype=np.int64), np.empty(units, dtype=np.int64)
    for b in range(blocks):
        for place in range(start[b], start[b + 1]):
            block_of[order[place]] = b
            group_of[order[place]] = group_of_block[b]
    at = np.empty((batches, LANES), dtype=np.int64)  # units of a batch; the last stands in for none
    for place in range(batches * LANES):
        at[place // LANES, place % LANES] = order[min(place, units - 1)]

    total, count = 0.0, 0
    weight = np.empty((batches, size, size, LANES))
    v, log_det = np.empty((size, size, LANES)), np.empty(LANES)
    measured, pull = np.empty((size, LANES)), np.empty((size, LANES))
    precision = np.zeros((blocks, size, size))
    load = np.zeros((blocks, size))
    for batch in range(batches):
        w, here = weight[batch], at[batch]
        filled = min(LANES, units - batch * LANES)
        _fill_lanes(v, here, group_of, known, pairs, unit, noise, noise_pair)
        _invert_lanes(v, w, log_det)
        for a in range(size):
            for lane in range(LANES):
                measured[a, lane] = y[here[lane], a]
                if not known[here[lane], a]:
                    w[a, a, lane] = 0.0
        for a in range(size):
            pull[a] = 0.0
            for c in range(size):
                _add(pull[a], w[a, c], measured[c])
            for lane in range(filled):
                load[block_of[here[lane]], a] += pull[a, lane]
                total -= 0.5 * pull[a, lane] * measured[a, lane]
                count += known[here[lane], a]
        for lane in range(filled):
            total -= 0.5 * log_det[lane]
        first = 0
        while first < filled:
            b = block_of[here[first]]
            last = min(start[b + 1] - batch * LANES, filled)
            _sum_lanes(precision[b], w, first, last)
            first = last

    # U = R R' is a block's own covariance, A its units' precision: (U^-1 + A)^-1 = R H R' where
    # H = (I + R' A R)^-1, also where U has no inverse
    own = np.empty((blocks, size, size))
    gain = np.empty((blocks, size, size))  # (I + A U)^-1
    up_precision = np.empty((blocks, size, size))
    up_load = np.empty((blocks, size))
    group_precision = np.zeros((groups, size, size))
    group_load = np.zeros((groups, size))
    block_root = np.zeros((groups, size, size))
    for g in range(groups):
        if not np.isfinite(block[g]).all():
            total = np.nan
        _semidefinite_root(block[g], block_root[g])
    tilted = np.empty((size, size, LANES))
    for first in range(0, blocks, LANES):
        for lane in range(LANES):
            b = min(first + lane, blocks - 1)
            if first + lane < blocks:
                _mirror(precision[b])
            half_way = block_root[group_of_block[b]]
            v[:, :, lane] = half_way.T @ (precision[b] @ half_way)
            for a in range(size):
                v[a, a, lane] += 1.0
        _invert_lanes(v, tilted, log_det)
        for lane in range(min(LANES, blocks - first)):
            b = first + lane
            g = group_of_block[b]
            total -= 0.5 * log_det[lane]
            wide_own = block_root[g] @ np.ascontiguousarray(tilted[:, :, lane]) @ block_root[g].T
            own[b] = 0.5 * (wide_own + wide_own.T)
            pulled = precision[b] @ own[b]
            gain[b] = np.eye(size) - pulled
            up = precision[b] - pulled @ precision[b]
            up_precision[b] = 0.5 * (up + up.T)
            center_pull = own[b] @ load[b]
            up_load[b] = load[b] - precision[b] @ center_pull
            total += 0.5 * np.dot(load[b], center_pull)
            group_precision[g] += up_precision[b]
            group_load[g] += up_load[b]

    spread = np.empty((groups, size, size))  # posterior covariance of the groups' means
    mean = np.empty((groups, size))
    root = root_variance * np.eye(size)
    for g in range(groups):
        inverse, half = _solve_tilted(group_precision[g], root)
        total -= half
        wide = root_variance * inverse
        spread[g] = 0.5 * (wide + wide.T)
        mean[g] = spread[g] @ group_load[g]
        total += 0.5 * np.dot(group_load[g], mean[g])
    total -= 0.5 * count * LOG_TWO_PI
    if not np.isfinite(total):
        total = -np.inf

    by_unit = np.zeros((groups, size, size))
    by_block = np.zeros((groups, size, size))
    center = np.empty((blocks, size))  # mean of a block's units, and a root of its covariance
    half_root = np.zeros((blocks, size, size))
    for b in range(blocks):
        g = group_of_block[b]
        miss = up_load[b] - up_precision[b] @ mean[g]
        change = up_precision[b] @ spread[g] @ up_precision[b] - up_precision[b]
        for a in range(size):
            for c in range(size):
                by_block[g, a, c] += 0.5 * (miss[a] * miss[c] + change[a, c])
        back = np.ascontiguousarray(gain[b].T)  # (I + U A)^-1
        center[b] = back @ mean[g] + own[b] @ load[b]
        _semidefinite_root(own[b] + back @ spread[g] @ gain[b], half_root[b])

    by_noise = np.empty((units, size))
    by_pair = np.empty((units, pair_count))
    z, found = np.empty((size, size, LANES)), np.empty((size, size, LANES))
    wide_root = np.zeros((size, size, LANES))
    for batch in range(batches):
        here, filled = at[batch], min(LANES, units - batch * LANES)
        for a in range(size):
            for lane in range(LANES):
                measured[a, lane] = y[here[lane], a] - center[block_of[here[lane]], a]
            for c in range(a + 1):
                for lane in range(LANES):
                    wide_root[a, c, lane] = half_root[block_of[here[lane]], a, c]
        _sandwich(weight[batch], wide_root, measured, pull, z, found)
        for a in range(size):
            for lane in range(filled):
                by_noise[here[lane], a] = found[a, a, lane]
        for p in range(pair_count):
            a, c = max(pairs[p, 0], pairs[p, 1]), min(pairs[p, 0], pairs[p, 1])
            for lane in range(filled):
                by_pair[here[lane], p] = 2.0 * found[a, c, lane]
        first = 0
        while first < filled:
            b = block_of[here[first]]
            last = min(start[b + 1] - batch * LANES, filled)
            _sum_lanes(by_unit[group_of_block[b]], found, first, last)
            first = last
    for g in range(groups):
        _mirror(by_unit[g])
    return total, by_unit, by_block, by_noise, by_pair


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "reassoc"})  # type: ignore[untyped-decorator]
def _sum_lanes(out: Array, lanes: Array, first: int, last: int) -> None:
    """Add the sum over some lanes to the lower triangle of `out`."""
    for a in range(out.shape[0]):
        for c in range(a + 1):
            value = 0.0
            for lane in range(numba.uint64(first), numba.uint64(last)):
                value += lanes[a, c, lane]
            out[a, c] += value


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _mirror(matrix: Array) -> None:
    """Write the lower triangle into the upper one."""
    for a in range(matrix.shape[0]):
        for c in range(a):
            matrix[c, a] = matrix[a, c]


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _semidefinite_root(around: Array, root: Array) -> None:
    """Write a lower root of a covariance, which may have zeros on its diagonal, into `root`."""
    for a in range(around.shape[0]):
        for c in range(a + 1):
            rest = around[a, c]
            for k in range(c):
                rest -= root[a, k] * root[c, k]
            if a == c:
                root[a, a] = np.sqrt(max(rest, 0.0))
            else:
                root[a, c] = rest / root[c, c] if root[c, c] > 0.0 else 0.0


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def unit_weights(
    known: NDArray[np.bool_],
    group_of: Integers,
    pairs: Integers,
    unit: Array,
    noise: Array,
    noise_pair: Array,
) -> Array:
    """Return the inverse of the covariance of what was measured of each unit, zero elsewhere."""
    units, size = known.shape
    out = np.empty((units, size, size))
    v, w = np.empty((size, size, LANES)), np.empty((size, size, LANES))
    log_det, at = np.empty(LANES), np.empty(LANES, dtype=np.int64)
    for first in range(0, units, LANES):
        for lane in range(LANES):
            at[lane] = min(first + lane, units - 1)
        _fill_lanes(v, at, group_of, known, pairs, unit, noise, noise_pair)
        _invert_lanes(v, w, log_det)
        for lane in range(min(LANES, units - first)):
            i = first + lane
            for a in range(size):
                for c in range(size):
                    out[i, a, c] = w[a, c, lane] if known[i, a] and known[i, c] else 0.0
    return out


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "arcp"}, error_model="numpy")  # type: ignore[untyped-decorator]
def _sandwich(
    weight: Array, root: Array, residual: Array, pull: Array, z: Array, found: Array
) -> None:
    """Write (W (r r' + root root') W - W) / 2 of every lane into the lower triangle of `found`."""
    size = root.shape[0]
    for a in range(size):
        for c in range(size):
            z[a, c] = 0.0
            for k in range(c, size):
                _add(z[a, c], weight[a, k], root[k, c])
        pull[a] = 0.0
        for k in range(size):
            _add(pull[a], weight[a, k], residual[k])
    for a in range(size):
        for c in range(a + 1):
            found[a, c] = 0.0
            _add(found[a, c], pull[a], pull[c])
            for k in range(size):
                _add(found[a, c], z[a, k], z[c, k])
            row, own = found[a, c], weight[a, c]
            for lane in range(numba.uint64(LANES)):
                row[lane] = 0.5 * (row[lane] - own[lane])


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def loading_of(links: Array, earlier_link: Array) -> Array:
    """Return how what is new enters all measurements: the waves' states, then the earlier ones."""
    intervals, count, _ = links.shape
    waves = intervals + 1
    earlier = earlier_link.shape[0]
    size = waves * count + earlier
    out = np.zeros((size, size))
    for t in range(waves):
        for k in range(count):
            out[t * count + k, t * count + k] = 1.0
        for s in range(t):
            for a in range(count):
                for b in range(count):
                    value = 0.0
                    for k in range(count):
                        value += links[t - 1, a, k] * out[(t - 1) * count + k, s * count + b]
                    out[t * count + a, s * count + b] = value
    for e in range(earlier):
        row = waves * count + e
        out[row, row] = 1.0
        for b in range(count):
            out[row, b] = earlier_link[e, b]
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def spread_of(innovation: Array, earlier_innovation: Array) -> Array:
    """Return the covariance of what is new in all waves and in the earlier measurements."""
    waves, count, _ = innovation.shape
    earlier = earlier_innovation.shape[0]
    size = waves * count + earlier
    out = np.zeros((size, size))
    for t in range(waves):
        for a in range(count):
            for b in range(count):
                out[t * count + a, t * count + b] = innovation[t, a, b]
    for a in range(earlier):
        for b in range(earlier):
            out[waves * count + a, waves * count + b] = earlier_innovation[a, b]
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def reach_of(variable_of: Integers, count: int, earlier_scale: Array) -> Array:
    """Return how what lasts about a unit enters all measurements, shape (measurement, variable)."""
    size, earlier = len(variable_of), len(earlier_scale)
    out = np.zeros((size, count))
    for a in range(size):
        late = a - (size - earlier)
        out[a, variable_of[a]] = earlier_scale[late] if late >= 0 else 1.0
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _links_pullback(
    links: Array, loading: Array, spread: Array, gradient: Array
) -> tuple[Array, Array]:
    """Return the gradients in links and earlier links, given that in the covariance."""
    intervals, count, _ = links.shape
    waves = intervals + 1
    earlier = loading.shape[0] - waves * count
    by_loading = 2.0 * (gradient @ loading @ spread)
    by_links = np.zeros((intervals, count, count))
    by_earlier = by_loading[waves * count :, :count].copy()
    for back in range(intervals):
        t = waves - 1 - back
        for s in range(t):
            for a in range(count):
                for b in range(count):
                    value = by_loading[t * count + a, s * count + b]
                    for k in range(count):
                        row = (t - 1) * count + k
                        by_links[t - 1, a, k] += value * loading[row, s * count + b]
                        by_loading[row, s * count + b] += links[t - 1, a, k] * value
    return by_links, by_earlier.reshape(earlier, count)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def panel_density(
    y: Array,
    known: NDArray[np.bool_],
    order: Integers,
    start: Integers,
    group_of_block: Integers,
    pairs: Integers,
    root_variance: float,
    relative: Array,
    variable_of: Integers,
    links: Array,
    intercept: Array,
    innovation: Array,
    intercept_share: float,
    innovation_share: float,
    noise_scale: Array,
    noise_correlation: float,
    earlier_scale: Array,
    earlier_link: Array,
    earlier_innovation: Array,
) -> tuple[float, Array, Array, Array, float, float, Array, float, Array, Array, Array]:
    """Return the log density and its gradient in the last ten arguments.

    See `nested_normal` for the data, `dynamic_panel` for the parameters; the shares are those of
    the blocks in intercepts and innovations, `noise_scale` (variable,) multiplies `relative`,
    `noise_correlation` is that of the pairs, and `variable_of` the variable of every measurement.
    """
    groups, _, count, _ = links.shape
    units, size = y.shape
    waves, earlier = innovation.shape[0], earlier_link.shape[0]
    unit = np.empty((groups, size, size))
    block = np.empty((groups, size, size))
    loading = np.empty((groups, size, size))
    from_innovation = np.empty((groups, size, size))
    spread = spread_of(innovation, earlier_innovation)
    reach = reach_of(variable_of, count, earlier_scale)
    from_intercept = reach @ intercept @ reach.T
    for g in range(groups):
        loading[g] = loading_of(links[g], earlier_link)
        found = loading[g] @ spread @ loading[g].T
        from_innovation[g] = 0.5 * (found + found.T)
        block[g] = intercept_share * from_intercept + innovation_share * from_innovation[g]
        unit[g] = from_intercept + from_innovation[g] - block[g]
    noise = np.empty((units, size))
    for i in range(units):
        for a in range(size):
            noise[i, a] = noise_scale[variable_of[a]] * relative[i, a]
    noise_pair = np.empty((units, pairs.shape[0]))
    for i in range(units):
        for p in range(pairs.shape[0]):
            root = np.sqrt(noise[i, pairs[p, 0]] * noise[i, pairs[p, 1]])
            noise_pair[i, p] = noise_correlation * root

    total, by_unit, by_block, by_noise, by_pair = nested_density(
        y, known, order, start, group_of_block, pairs, root_variance, unit, block, noise, noise_pair
    )

    by_links = np.zeros(links.shape)
    by_innovation = np.zeros((waves, count, count))
    by_earlier_link = np.zeros((earlier, count))
    by_earlier_innovation = np.zeros((earlier, earlier))
    by_intercept_share, by_innovation_share, by_correlation = 0.0, 0.0, 0.0
    lasting = np.zeros((size, size))  # gradient in the covariance that comes from what lasts
    for g in range(groups):
        away = by_block[g] - by_unit[g]
        by_intercept_share += np.sum(away * from_intercept)
        by_innovation_share += np.sum(away * from_innovation[g])
        lasting += by_unit[g] + intercept_share * away
        mixed = by_unit[g] + innovation_share * away
        by_links[g], back = _links_pullback(links[g], loading[g], spread, mixed)
        by_earlier_link += back
        inner = loading[g].T @ mixed @ loading[g]
        for t in range(waves):
            by_innovation[t] += inner[t * count : (t + 1) * count, t * count : (t + 1) * count]
        by_earlier_innovation += inner[waves * count :, waves * count :]
    by_intercept = reach.T @ lasting @ reach
    by_reach = 2.0 * (lasting @ reach @ intercept)
    by_earlier_scale = np.zeros(earlier)
    for e in range(earlier):
        a = waves * count + e
        by_earlier_scale[e] = by_reach[a, variable_of[a]]
    by_scale = np.zeros(count)
    for i in range(units):
        for p in range(pairs.shape[0]):
            a, b = pairs[p, 0], pairs[p, 1]
            root = np.sqrt(noise[i, a] * noise[i, b])
            by_correlation += by_pair[i, p] * root
            pull = by_pair[i, p] * noise_correlation * 0.5 * root
            by_scale[variable_of[a]] += pull / noise_scale[variable_of[a]]
            by_scale[variable_of[b]] += pull / noise_scale[variable_of[b]]
        for a in range(size):
            by_scale[variable_of[a]] += by_noise[i, a] * relative[i, a]
    return (
        total,
        by_links,
        by_intercept,
        by_innovation,
        by_intercept_share,
        by_innovation_share,
        by_scale,
        by_correlation,
        by_earlier_scale,
        by_earlier_link,
        by_earlier_innovation,
    )
