"""Moves of a few hyperparameters together: Hamiltonian trajectories and random steps.

Both are whitened by a root of a covariance and adapt their length while a chain is tuned.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEPS = 3  # leapfrog steps of a trajectory: with the length they adapt to, about two radians
TARGET = 0.8  # acceptance of trajectories
WALK_TARGET = 0.3  # of random steps of several hyperparameters
SINGLE_TARGET = 0.44  # of random steps of one
FARTHEST = 12.0  # in prior standard deviations: nothing lies there, and arithmetic breaks down


class Leap:
    """Hamiltonian steps of some hyperparameters together, of a length that adapts.

    Parameters
    ----------
    root : array, shape (hyperparameter, moved hyperparameter)
        Root of about their covariance.
    log_length : float
        Logarithm of the length of a step in units of it.
    """

    def __init__(self, root: Array, log_length: float) -> None:
        self.root, self.log_length = root, log_length

    def move(
        self,
        theta: Array,
        density: Callable[[Array], tuple[float, Array]],
        rng: np.random.Generator,
        gain: float,
    ) -> tuple[Array, float, float]:
        """Return theta after one trajectory, its acceptance and the error of its energy."""
        length = math.exp(self.log_length) * rng.uniform(0.8, 1.2)
        velocity: Array = np.asarray(rng.standard_normal(self.root.shape[1]))
        value, slope = density(theta)
        energy = 0.5 * float(velocity @ velocity) - value
        place, error = theta, math.inf
        for _ in range(STEPS):
            velocity += 0.5 * length * (self.root.T @ slope)
            place = place + length * (self.root @ velocity)
            if np.any(np.abs(place) > FARTHEST):
                break
            value, slope = density(place)
            velocity += 0.5 * length * (self.root.T @ slope)
        else:
            error = 0.5 * float(velocity @ velocity) - value - energy
        accept = math.exp(min(0.0, -error)) if not math.isnan(error) else 0.0
        self.log_length += gain * (accept - TARGET)
        return (place if rng.random() < accept else theta), accept, error


class Walk:
    """Random steps of some hyperparameters together, of a length that adapts.

    Parameters
    ----------
    root : array, shape (hyperparameter, moved hyperparameter)
        Root of a covariance that the steps have, up to their length.
    """

    def __init__(self, root: Array) -> None:
        self.root = root
        self.log_length = math.log(2.4 / math.sqrt(max(1, root.shape[1])))

    def trial(self, theta: Array, rng: np.random.Generator) -> Array:
        """Return where a step from theta leads."""
        step = self.root @ rng.standard_normal(self.root.shape[1])
        return np.asarray(theta + math.exp(self.log_length) * step)

    def learn(self, accept: float, gain: float) -> None:
        """Adapt the length to an acceptance probability; a gain of 0 leaves it."""
        self.log_length += gain * (accept - WALK_TARGET)


class Single:
    """Random steps of one hyperparameter, of a length that adapts.

    Parameters
    ----------
    number : int
        Which hyperparameter.
    """

    def __init__(self, number: int) -> None:
        self.number, self.log_length = number, -1.0

    def trial(self, theta: Array, rng: np.random.Generator) -> float:
        """Return where a step leads."""
        return float(theta[self.number] + math.exp(self.log_length) * rng.standard_normal())

    def accept(self, log_ratio: float, rng: np.random.Generator, gain: float) -> bool:
        """Decide on a step and adapt the length; a ratio that is no number is refused."""
        accept = math.exp(min(0.0, log_ratio)) if not math.isnan(log_ratio) else 0.0
        self.log_length += gain * (accept - SINGLE_TARGET)
        return bool(rng.random() < accept)
