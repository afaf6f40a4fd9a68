"""Are ranks uniform? Simultaneous bands around the distribution of the ranks of true values.

If truth and data are drawn from a model and the posterior is the model's, the rank of the truth
among independent posterior draws is uniform, whatever the quantity (Talts et al. 2018, Validating
Bayesian inference algorithms with simulation-based calibration, arXiv:1804.06788). With a random
place among the values that share a rank, it is a uniform number between 0 and 1. The empirical
distribution of N such numbers is held against bands that, if they are uniform, contain all of it
at once with a given probability (Säilynoja, Bürkner and Vehtari 2022, Statistics and Computing 32:
32, algorithm 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Array = NDArray[np.float64]

POINTS = 100  # where the distribution is looked at
PROBABILITY = 0.99
TRIALS = 4000  # samples of uniform numbers that the bands are found from
SEED = 20220315


@dataclass(frozen=True, eq=False)
class Bands:
    """Limits of an empirical distribution function of uniform numbers.

    Parameters
    ----------
    points : array, shape (point,)
        Where, between 0 and 1.
    lower, upper : array, shape (point,)
        Between which shares of the numbers at most that large lie, all at once.
    probability : float
        That they do, if the numbers are uniform.
    """

    points: Array
    lower: Array
    upper: Array
    probability: float

    def hold(self, distribution: Array) -> bool:
        """Whether a distribution (see `distribution_of`) lies between the limits everywhere."""
        return bool(np.all((distribution >= self.lower) & (distribution <= self.upper)))


@lru_cache
def bands(count: int, probability: float = PROBABILITY) -> Bands:
    """Return simultaneous bands for a number of simulations.

    Parameters
    ----------
    count : int
        How many numbers there are.
    probability : float
        Of uniform ones to stay within.
    """
    points = np.arange(1, POINTS + 1) / POINTS
    rng = np.random.default_rng(SEED)
    worst = np.empty(TRIALS)
    for trial in range(TRIALS):
        below = count * distribution_of(rng.random(count))
        worst[trial] = np.min(2.0 * _tail(below[:-1], count, points[:-1]))
    # as small a tail as this somewhere is what uniform numbers show with 1 - probability
    each = float(np.quantile(worst, 1.0 - probability))
    lower = stats.binom.ppf(0.5 * each, count, points) / count
    upper = stats.binom.ppf(1.0 - 0.5 * each, count, points) / count
    return Bands(points, lower, upper, probability)


def distribution_of(values: ArrayLike) -> Array:
    """Return the share of values at most as large as each of `POINTS` points.

    Parameters
    ----------
    values : array, shape (simulation,)
        Between 0 and 1.
    """
    points = np.arange(1, POINTS + 1) / POINTS
    ordered = np.sort(np.asarray(values, dtype=float))
    return np.asarray(np.searchsorted(ordered, points, side="right") / len(ordered))


def place_among(truth: float, draws: ArrayLike, rng: np.random.Generator) -> float:
    """Return where a true value stands among posterior draws, from 0 to 1.

    Parameters
    ----------
    truth : float
        The true value.
    draws : array, shape (draw,)
        Nearly independent draws of the posterior (`thinned`).
    rng : numpy.random.Generator
        Chooses the place among equals, and within a rank.
    """
    values = np.asarray(draws, dtype=float)
    below, equal = int(np.sum(values < truth)), int(np.sum(values == truth))
    rank = below + int(rng.integers(equal + 1))
    return float((rank + rng.random()) / (len(values) + 1))


def thinned(draws: Array, effective: float) -> Array:
    """Return about as many draws, evenly spaced, as independent ones would tell as much.

    Parameters
    ----------
    draws : array, shape (chain, draw)
        Posterior draws.
    effective : float
        Their effective sample size.
    """
    chains, length = draws.shape
    step = max(1, int(np.ceil(chains * length / max(effective, 1.0))))
    return np.asarray(draws[:, ::step].ravel())


def _tail(below: Array, count: int, points: Array) -> Array:
    """Return the smaller of the two tails of a binomial count at each point."""
    at_most = stats.binom.cdf(below, count, points)
    at_least = stats.binom.sf(below - 1, count, points)
    return np.asarray(np.minimum(at_most, at_least))
