r"""Series of units around a path that they share, with everything Gaussian integrated out.

    path    ~ Normal(mean, common)                 over the times
    y_unit  ~ Normal(path, covariance_unit)        independent given the path

The density of all series costs one factorisation of (time, time) a unit, never one of
(unit x time). Its gradient in the covariances is Fisher's identity: that of the joint density of
series and path, averaged over the path's law given the series.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LOG_TWO_PI = math.log(2.0 * math.pi)


@dataclass(frozen=True, eq=False)
class PathDensity:
    """Log density of the series, its gradients, and the law of the path given them.

    Parameters
    ----------
    value : float
        Log density.
    by_covariance : array, shape (unit, time, time)
        Derivative in the entries of every unit's covariance.
    by_common : array, shape (time, time)
        Derivative in the entries of the path's covariance.
    by_mean : array, shape (time,)
        Derivative in the path's mean.
    center, spread : array, shape (time,) and (time, time)
        Mean and covariance of the path given the series.
    """

    value: float
    by_covariance: Array
    by_common: Array
    by_mean: Array
    center: Array
    spread: Array


def path_density(series: Array, covariance: Array, mean: Array, common: Array) -> PathDensity:
    """Return the log density of series around a shared path, with its gradients.

    Parameters
    ----------
    series : array, shape (unit, time)
        The series, complete.
    covariance : array, shape (unit, time, time)
        Of every unit's deviations from the path.
    mean : array, shape (time,)
        Prior mean of the path.
    common : array, shape (time, time)
        Prior covariance of the path.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a covariance is not positive definite.
    """
    inverse, log_det = _inverse(covariance)
    prior, prior_log_det = _inverse(common)
    total = prior + inverse.sum(axis=0)
    spread, total_log_det = _inverse(total)
    away = series - mean
    weighted = np.einsum("stu,su->st", inverse, away)
    shift = spread @ weighted.sum(axis=0)
    residual = away - shift
    scaled = np.einsum("stu,su->st", inverse, residual)
    pull = prior @ shift
    # log p(y) = log p(y, path) - log p(path | y), at the path's conditional mean
    value = -0.5 * (
        float(np.sum(residual * scaled))
        + float(shift @ pull)
        + float(log_det.sum() + prior_log_det + total_log_det)
        + series.size * LOG_TWO_PI
    )
    by_covariance = 0.5 * (
        scaled[:, :, None] * scaled[:, None, :] + inverse @ spread @ inverse - inverse
    )
    by_common = 0.5 * (np.outer(pull, pull) + prior @ spread @ prior - prior)
    return PathDensity(value, by_covariance, by_common, pull, mean + shift, spread)


def _inverse(matrix: Array) -> tuple[Array, Array]:
    """Return inverses and log determinants of positive definite matrices."""
    root = np.linalg.cholesky(matrix)
    log_det = 2.0 * np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    flat = np.linalg.inv(matrix)
    return 0.5 * (flat + np.swapaxes(flat, -1, -2)), log_det


def draw_path(
    series: Array, precision: Array, mean: Array, common: Array, rng: np.random.Generator
) -> Array:
    """Draw the path given series that may end before it does.

    Parameters
    ----------
    series : array, shape (..., unit, known)
        The series over the first times.
    precision : array, shape (..., unit, known, known)
        Inverse covariance of every unit's deviations.
    mean, common : array, shape (time,) and (..., time, time)
        Of the path.
    rng : numpy.random.Generator
        Stream of the draws.

    Returns
    -------
    array, shape (..., time)
        One draw for each of the leading dimensions.
    """
    known, times = series.shape[-1], len(mean)
    weighted = (precision @ (series - mean[:known])[..., None])[..., 0].sum(axis=-2)
    total = np.linalg.inv(common)
    total[..., :known, :known] += precision.sum(axis=-3)
    # total = root root': a normal with that precision is the inverse of root' times a standard one
    root = np.linalg.cholesky(0.5 * (total + np.swapaxes(total, -1, -2)))
    right = np.zeros((*weighted.shape[:-1], times, 1))
    right[..., :known, 0] = weighted
    half = np.linalg.solve(root, right)
    noise = rng.standard_normal(half.shape)
    return np.asarray(mean + np.linalg.solve(np.swapaxes(root, -1, -2), half + noise)[..., 0])


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


def draw_noise(
    away: Array, precision: Array, variance: Array, rng: np.random.Generator
) -> Array:
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
