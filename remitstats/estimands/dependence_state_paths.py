"""Draws of everything that the state model of dependence integrates out.

For each draw of the hyperparameters, exactly: growth of product in the years that have none yet,
and with it their ratios; then the national path, what left no trace, and so every state's trend;
then the tendencies behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from remitstats.models.dependence_state_data import StateData
from remitstats.models.dependence_state_density import (
    Pieces,
    Priors,
    centred,
    pieces,
    product_pieces,
)
from remitstats.parts.shared_path import draw_beyond, draw_noise, draw_paths, draw_whole

Array = NDArray[np.float64]
BATCH = 100  # draws worked on together
SHAPED = ("state_scale", "year_scale", "product_scale")


@dataclass(frozen=True, eq=False)
class Paths:
    """Draws over all years with remittances, those without product last.

    Parameters
    ----------
    log_ratio : array, shape (draw, state, year)
        Logarithm of the ratio in per cent: the data in known years, draws in later ones.
    trend : array, shape (draw, state, year)
        What lasts of it.
    national : array, shape (draw, year)
        Path of the typical state.
    product : array, shape (draw, state, later)
        Predicted product, millions of current pesos.
    tendency : array, shape (draw, state)
        Mean growth behind a state's path, the national one included, a year.
    national_tendency : array, shape (draw,)
        Mean growth behind the national path, a year.
    regional : array, shape (draw, region, year)
        Path of the typical state of every region.
    state_variance, national_variance : array, shape (draw, state, year) and (draw, year)
        Variance of a year's lasting move of a state away from the nation, and covariance terms
        summed to the path's start of the nation's growth: `period_sd` uses them.
    persistence : array, shape (draw,)
        Lag-one correlation of national growth.
    """

    log_ratio: Array
    trend: Array
    national: Array
    product: Array
    tendency: Array
    national_tendency: Array
    regional: Array
    state_variance: Array
    national_variance: Array
    persistence: Array

    def period_sd(self, first: int, last: int) -> tuple[Array, Array]:
        """Return how far chance alone moves a state and the nation from one year to another.

        Parameters
        ----------
        first, last : int
            Positions of the years.

        Returns
        -------
        states, nation : array, shape (draw, state) and (draw,)
            Standard deviations of the change of trend, mean growth left out.
        """
        moves = self.state_variance[:, :, first + 1 : last + 1].sum(axis=2)
        lag = np.abs(np.subtract.outer(np.arange(first, last), np.arange(first, last)))
        together = (self.persistence[:, None, None] ** lag).sum(axis=(1, 2))
        nation = self.national_variance[:, 0] * together
        return np.sqrt(moves + nation[:, None]), np.sqrt(nation)


def hyperparameters(posterior: xr.Dataset) -> dict[str, Array]:
    """Return the hyperparameters of a fit, chains after each other, each (draw, *shape)."""
    found = {}
    for name, array in posterior.data_vars.items():
        values = array.transpose("chain", "draw", ...).to_numpy().astype(float)
        found[str(name)] = values.reshape(-1, *values.shape[2:])
    return found


def paths_of(
    values: Mapping[str, Array], data: StateData, priors: Priors, rng: np.random.Generator
) -> Paths:
    """Draw what is integrated out, once for each draw of the hyperparameters.

    Parameters
    ----------
    values : mapping of str to array
        As `hyperparameters` returns them.
    data : StateData
        The data of the fit.
    priors : Priors
        Of the fit.
    rng : numpy.random.Generator
        Stream of the draws.
    """
    count = len(values["walk_sd"])
    found = [
        _batch({k: v[i : i + BATCH] for k, v in values.items()}, data, priors, rng)
        for i in range(0, count, BATCH)
    ]
    return Paths(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _batch(
    values: Mapping[str, Array], data: StateData, priors: Priors, rng: np.random.Generator
) -> tuple[Array, ...]:
    known, times = data.product.shape[1], len(data.years)
    product = draw_product(values, data, priors, rng)
    later = np.log(100.0 * data.pesos[:, known:] / product)
    count = len(later)
    series = np.concatenate(
        [np.broadcast_to(data.log_percent, (count, *data.product.shape)), later], axis=2
    )
    groups, region_of = len(data.coords["region"]), data.region_of
    made = pieces(values, times, groups, priors)
    precision = np.linalg.inv(made.states)
    regional = draw_paths(series, precision, made.mean, made.common, region_of, rng)
    national = draw_whole(regional, made.mean, made.whole, made.own, rng)
    away = series - regional[:, region_of]
    own_noise = np.square(values["state_scale"] * values["noise_sd"][:, None])
    trend = series - draw_noise(away, precision, own_noise, rng)
    since = centred(known, times)
    level, own, divergence = (
        values[name][:, None, None] for name in ("level_sd", "tendency_sd", "divergence")
    )
    own_tendency = _part_given(
        away,
        precision,
        (divergence * level) ** 2 + own**2,
        divergence * level**2 * (1.0 + divergence * since) + own**2 * since,
        rng,
    )
    year = np.arange(times, dtype=float)
    variance = np.full((count, 1, 1), priors.tendency.sd**2)
    together = _part_given(
        (national - made.mean)[:, None],
        np.linalg.inv(made.whole)[:, None],
        variance,
        variance * year,
        rng,
    )[:, 0]
    national_tendency = priors.tendency.mean + together
    state_variance = _moves(made)
    return (
        series,
        trend,
        national,
        product,
        own_tendency + national_tendency[:, None],
        national_tendency,
        regional,
        state_variance,
        np.broadcast_to(values["national_sd"][:, None] ** 2, (count, times)),
        values["persistence"],
    )


def _moves(made: Pieces) -> Array:
    """Return the variance of a year's lasting move away from the nation; 0 in the first year."""
    grown = np.diagonal(made.walk + made.own[..., None, :, :], axis1=-2, axis2=-1)
    return np.concatenate([np.zeros((*grown.shape[:-1], 1)), np.diff(grown, axis=-1)], axis=-1)


def draw_product(
    values: Mapping[str, Array], data: StateData, priors: Priors, rng: np.random.Generator
) -> Array:
    """Draw the product of the years that have none, shape (draw, state, later)."""
    known = data.product.shape[1]
    count, later = len(values["product_sd"]), len(data.years) - known
    if not later:
        return np.empty((count, len(data.product), 0))
    growth = data.real_growth
    made = product_pieces(values, growth.shape[1] + later, priors)
    covariance, seen = made.states, growth.shape[1]
    path = draw_paths(
        np.broadcast_to(growth, (count, *growth.shape)),
        np.linalg.inv(covariance[..., :seen, :seen]),
        made.mean,
        made.common,
        np.zeros(len(growth), dtype=np.int64),
        rng,
    )[:, 0]
    beyond = draw_beyond(growth - path[:, None, :seen], covariance, rng)
    steps = path[:, None, seen:] + beyond
    steps = steps + np.diff(np.log(data.prices[known - 1 :]))
    return np.asarray(data.product[:, -1, None] * np.exp(np.cumsum(steps, axis=2)))


def draw_next(
    values: Mapping[str, Array], data: StateData, priors: Priors, rng: np.random.Generator
) -> Array:
    """Draw the log ratio of the year after the last known one from its own past alone.

    Returns
    -------
    array, shape (draw, state)
    """
    known = data.product.shape[1]
    found = []
    for i in range(0, len(values["walk_sd"]), BATCH):
        part = {k: v[i : i + BATCH] for k, v in values.items()}
        made = pieces(part, known + 1, len(data.coords["region"]), priors)
        covariance = made.states
        series = np.broadcast_to(data.log_percent, (len(part["walk_sd"]), *data.product.shape))
        precision = np.linalg.inv(covariance[..., :known, :known])
        path = draw_paths(series, precision, made.mean, made.common, data.region_of, rng)
        path = path[:, data.region_of]
        beyond = draw_beyond(series - path[:, :, :known], covariance, rng)
        found.append(path[:, :, known] + beyond[:, :, 0])
    return np.concatenate(found)


def _part_given(
    away: Array, precision: Array, variance: Array, shared: Array, rng: np.random.Generator
) -> Array:
    """Draw a normal number given series of which it is a part.

    Parameters
    ----------
    away : array, shape (draw, unit, time)
        The series, prior means taken out.
    precision : array, shape (draw, unit, time, time)
        Inverse of the series' covariance, that number's part included.
    variance : array, shape (draw, 1, 1)
        Prior variance of the number.
    shared : array, shape (draw, 1, time)
        Prior covariance of the number with the series.

    Returns
    -------
    array, shape (draw, unit)
    """
    weight = (precision @ shared[..., None])[..., 0]
    center = np.sum(weight * away, axis=-1)
    left = variance[..., 0] - np.sum(weight * shared, axis=-1)
    return np.asarray(center + np.sqrt(np.maximum(left, 0.0)) * rng.standard_normal(center.shape))
