"""Draws of what `parts.local_level` sums out: scale, event, path, given the five parameters.

A joint draw from the prior is moved to the data by the regression on the contrasts, for all draws
of the parameters at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.parts.local_level import Series

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LevelDraws:
    """Draws of one unit.

    Parameters
    ----------
    path : array, shape (draw, year)
        m, with the jump if there is one; on the newest reporting where breaks are known. Years
        before the first observation and after the last are only what the walk allows.
    jump : array, shape (draw, year)
        What the jump contributes: nothing before it, its size from then on.
    scale : array, shape (draw,)
        S.
    """

    path: Array
    jump: Array
    scale: Array

    def without_jump(self) -> Array:
        """Return the path if jumps are taken as a change of reporting, shape (draw, year)."""
        return self.path - self.jump


def draw_levels(series: Series, parameters: Array, rng: np.random.Generator) -> LevelDraws:
    """Draw a unit's path for each draw of the parameters.

    Parameters
    ----------
    series : Series
        The unit.
    parameters : array, shape (draw, 5)
        `local_level.PARAMETERS`.
    rng : numpy.random.Generator
        Stream of the draws.
    """
    typical, noise, nu, size = np.exp(parameters[:, [0, 1, 2, 4]]).T
    draws, years = len(parameters), series.weights.shape[1]
    y, u, contrasts = series.contrast, series.event_contrast, len(series.walk)
    weight = 1.0 / (series.walk + noise[:, None] ** 2)
    q0 = weight @ y**2
    a, b = weight @ (u**2).T, weight @ (u * y).T
    grown = 1.0 + size[:, None] ** 2 * a
    q = np.concatenate([q0[:, None], q0[:, None] - size[:, None] ** 2 * b**2 / grown], axis=1)
    happens = parameters[:, 3, None] if len(u) else np.full((draws, 1), -np.inf)
    prior = np.concatenate(
        [-np.logaddexp(0.0, happens), -np.logaddexp(0.0, -happens) + series.log_prior], axis=1
    )
    base = nu * typical**2
    half = 0.5 * (nu + contrasts)
    joint = prior - half[:, None] * np.log1p(q / base[:, None])
    joint[:, 1:] -= 0.5 * np.log(grown)
    cumulated = np.cumsum(special.softmax(joint, axis=1), axis=1)
    which = (cumulated < rng.random((draws, 1))).sum(axis=1).clip(max=q.shape[1] - 1)
    here = q[np.arange(draws), which]
    scale = np.sqrt(0.5 * (base + here) / rng.standard_gamma(half))

    events = np.concatenate([np.zeros((1, len(series.observed))), series.event])
    contrasted = np.concatenate([np.zeros((1, contrasts)), u])[which]
    size = np.where(which > 0, size, 0.0)
    walk = np.cumsum(rng.standard_normal((draws, years)), axis=1)
    walk -= walk[:, :1]
    blur = noise[:, None] * rng.standard_normal((draws, len(series.observed)))
    event = size * rng.standard_normal(draws)
    simulated = (walk @ series.weights.T + blur) @ series.basis + contrasted * event[:, None]
    away = y / scale[:, None] - simulated
    moved = away * weight
    pull = (contrasted * moved).sum(axis=1) * size**2
    moved -= (
        contrasted
        * weight
        * (pull / (1.0 + size**2 * (contrasted**2 * weight).sum(axis=1)))[:, None]
    )
    year = np.arange(years)
    walk += moved @ (series.basis.T @ series.weights @ np.minimum.outer(year, year))
    blur += noise[:, None] ** 2 * (moved @ series.basis.T)
    event += size**2 * (contrasted * moved).sum(axis=1)
    # what is left are the effects with flat priors, exactly
    left = series.observed / scale[:, None] - walk @ series.weights.T - blur
    left -= events[which] * event[:, None]
    start = (left @ np.linalg.pinv(series.weights @ series.regressors).T)[:, :1]
    since = np.concatenate([[years], np.where(series.jump_year < 0, years, series.jump_year)])
    jump = event[:, None] * (year >= since[which][:, None])
    return LevelDraws(
        scale[:, None] * (walk + start + jump), scale[:, None] * jump, np.asarray(scale)
    )
