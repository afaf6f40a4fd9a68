r"""Series of units around paths that groups of them share, with everything Gaussian integrated out.

    paths   ~ Normal(mean in every group, common)      over groups and times, stacked
    y_unit  ~ Normal(path of its group, covariance)    independent given the paths

The density of all series costs one factorisation of (time, time) a unit and one of the stacked
paths, never one of (unit x time). Its gradient in the covariances is Fisher's identity: that of
the joint density of series and paths, averaged over the paths' law given the series.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remitstats.parts.path_kernel import shared_density

Array = NDArray[np.float64]
Groups = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PathDensity:
    """Log density of the series, with its gradients.

    Parameters
    ----------
    value : float
        Log density.
    by_covariance : array, shape (unit, time, time)
        Derivative in the entries of every unit's covariance.
    by_common : array, shape (group, time, group, time)
        Derivative in the entries of the paths' covariance.
    """

    value: float
    by_covariance: Array
    by_common: Array


def nested(whole: Array, own: Array, groups: int) -> Array:
    """Return the covariance of groups' paths that are a shared path and one of their own.

    Parameters
    ----------
    whole, own : array, shape (..., time, time)
        Covariance of the shared path and of a group's own.
    groups : int
        How many.

    Returns
    -------
    array, shape (..., group x time, group x time)
    """
    times = whole.shape[-1]
    out = np.empty((*whole.shape[:-2], groups, times, groups, times))
    out[...] = whole[..., None, :, None, :]
    for g in range(groups):
        out[..., g, :, g, :] += own
    return out.reshape(*whole.shape[:-2], groups * times, groups * times)


def path_density(
    series: Array, covariance: Array, mean: Array, common: Array, group_of: Groups
) -> PathDensity:
    """Return the log density of series around shared paths, with its gradients.

    Parameters
    ----------
    series : array, shape (unit, time)
        The series, complete.
    covariance : array, shape (unit, time, time)
        Of every unit's deviations from its path.
    mean : array, shape (time,)
        Prior mean of every path.
    common : array, shape (group x time, group x time)
        Prior covariance of the paths.
    group_of : array of int, shape (unit,)
        Group of every unit.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a covariance is not positive definite.
    """
    times = len(mean)
    value, by_covariance, by_common = shared_density(
        np.ascontiguousarray(series - mean, dtype=float),
        np.ascontiguousarray(covariance, dtype=float),
        np.ascontiguousarray(common, dtype=float),
        np.asarray(group_of, dtype=np.int64),
    )
    if math.isnan(value):
        raise np.linalg.LinAlgError("A covariance of the paths is not positive definite.")
    groups = len(common) // times
    return PathDensity(float(value), by_covariance, by_common.reshape(groups, times, groups, times))


def draw_paths(
    series: Array,
    precision: Array,
    mean: Array,
    common: Array,
    group_of: Groups,
    rng: np.random.Generator,
) -> Array:
    """Draw the paths given series that may end before they do.

    Parameters
    ----------
    series : array, shape (..., unit, known)
        The series over the first times.
    precision : array, shape (..., unit, known, known)
        Inverse covariance of every unit's deviations.
    mean, common : array, shape (time,) and (..., group x time, group x time)
        Of the paths.
    group_of : array of int, shape (unit,)
        Group of every unit.
    rng : numpy.random.Generator
        Stream of the draws.

    Returns
    -------
    array, shape (..., group, time)
        One draw for each of the leading dimensions.
    """
    known, times = series.shape[-1], len(mean)
    groups = common.shape[-1] // times
    weighted = (precision @ (series - mean[:known])[..., None])[..., 0]
    total = np.linalg.inv(common)
    right = np.zeros((*total.shape[:-1], 1))
    for g in range(groups):
        place, members = slice(g * times, g * times + known), group_of == g
        total[..., place, place] += precision[..., members, :, :].sum(axis=-3)
        right[..., place, 0] = weighted[..., members, :].sum(axis=-2)
    # total = root root': a normal with that precision is the inverse of root' times a standard one
    root = np.linalg.cholesky(0.5 * (total + np.swapaxes(total, -1, -2)))
    half = np.linalg.solve(root, right) + rng.standard_normal(right.shape)
    found = np.linalg.solve(np.swapaxes(root, -1, -2), half)[..., 0]
    return np.asarray(mean + found.reshape(*found.shape[:-1], groups, times))


def draw_whole(
    paths: Array, mean: Array, whole: Array, own: Array, rng: np.random.Generator
) -> Array:
    """Draw the shared path given the groups' paths, each the shared one and one of its own.

    Parameters
    ----------
    paths : array, shape (..., group, time)
        The groups' paths.
    mean : array, shape (time,)
        Prior mean of the shared path.
    whole, own : array, shape (..., time, time)
        Covariance of the shared path and of a group's own.
    rng : numpy.random.Generator
        Stream of the draws.

    Returns
    -------
    array, shape (..., time)
    """
    groups = paths.shape[-2]
    away = (paths - mean).mean(axis=-2)
    seen = whole + own / groups
    weight = np.swapaxes(np.linalg.solve(seen, whole), -1, -2)
    left = whole - weight @ whole
    values, vectors = np.linalg.eigh(0.5 * (left + np.swapaxes(left, -1, -2)))
    noise = np.sqrt(np.maximum(values, 0.0)) * rng.standard_normal(away.shape)
    drawn = (weight @ away[..., None] + vectors @ noise[..., None])[..., 0]
    return np.asarray(mean + drawn)


def draw_beyond(away: Array, covariance: Array, rng: np.random.Generator) -> Array:
    """Draw deviations at later times given those at the known ones.

    Parameters
    ----------
    away : array, shape (..., unit, known)
        Deviations from the path.
    covariance : array, shape (..., unit, time, time)
        Over the known and the later times.
    rng : numpy.random.Generator
        Stream of the draws.

    Returns
    -------
    array, shape (..., unit, later)
    """
    known = away.shape[-1]
    here, cross = covariance[..., :known, :known], covariance[..., known:, :known]
    weight = np.swapaxes(np.linalg.solve(here, np.swapaxes(cross, -1, -2)), -1, -2)
    rest = covariance[..., known:, known:] - weight @ np.swapaxes(cross, -1, -2)
    root = np.linalg.cholesky(0.5 * (rest + np.swapaxes(rest, -1, -2)))
    noise = rng.standard_normal((*root.shape[:-1], 1))
    return np.asarray((weight @ away[..., None] + root @ noise)[..., 0])


def draw_noise(away: Array, precision: Array, variance: Array, rng: np.random.Generator) -> Array:
    """Draw the part of deviations that is independent noise.

    Parameters
    ----------
    away : array, shape (..., unit, time)
        Deviations from the path.
    precision : array, shape (..., unit, time, time)
        Their inverse covariance, the noise included.
    variance : array, shape (..., unit)
        Of the noise.
    rng : numpy.random.Generator
        Stream of the draws.

    Returns
    -------
    array, shape (..., unit, time)
    """
    each = variance[..., None]
    center = each * (precision @ away[..., None])[..., 0]
    times = away.shape[-1]
    rest = np.eye(times) - each[..., None] * precision
    root = np.linalg.cholesky(rest + 1e-9 * np.eye(times))
    noise = rng.standard_normal((*root.shape[:-1], 1))
    return np.asarray(center + np.sqrt(each) * (root @ noise)[..., 0])
