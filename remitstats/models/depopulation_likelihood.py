"""Likelihood of recorded growth: Student t whose scale falls with the municipality's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from remitstats.parts.likelihood import StudentT

Array = NDArray[np.float64]
Values = Mapping[str, float]


@dataclass(frozen=True)
class GrowthLikelihood:
    """y ~ StudentT(2 / tail_weight, eta, noise_sd * sqrt(1 + small_size / size)).

    Parameters
    ----------
    observed : array, shape (interval, municipality)
        Recorded growth; nan where there is none.
    size : array, shape (interval, municipality)
        Persons at the start of the interval.
    noise_sd : tuple of str
        Hyperparameters that are the scale of a large municipality's growth, one an interval.
    small_size, tail_weight : str
        Hyperparameters: the size, in units of `unit_size`, at which the variance is twice that
        of a large municipality, and twice the inverse of the degrees of freedom.
    unit_size : float
        Persons.
    """

    observed: Array
    size: Array
    noise_sd: tuple[str, ...]
    small_size: str
    tail_weight: str
    unit_size: float

    @cached_property
    def _flat(self) -> Array:
        return self.observed.ravel()

    @cached_property
    def _inverse_size(self) -> Array:
        return self.unit_size / self.size.ravel()

    def measurement_sd(self, values: Values) -> Array:
        """Return the scale of every cell, shape (cell,)."""
        noise = np.repeat([values[name] for name in self.noise_sd], self.observed.shape[1])
        return np.asarray(noise * np.sqrt(1.0 + values[self.small_size] * self._inverse_size))

    def degrees(self, values: Values) -> float:
        """Return the degrees of freedom."""
        return 2.0 / values[self.tail_weight]

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the hyperparameters that the likelihood depends on."""
        return (*self.noise_sd, self.small_size, self.tail_weight)

    def mixture(self, values: Values) -> tuple[Array, Array, float]:
        """Return the measurements and scales of the cells, and the degrees of freedom."""
        return self._flat, self.measurement_sd(values), self.degrees(values)

    def log_scale_slopes(self, values: Values) -> Mapping[str, Array]:
        """Return by hyperparameter how the logarithms of the scales change, shape (cell,)."""
        found = {name: row / values[name] for name, row in self._rows.items()}
        inverse = self._inverse_size
        return {**found, self.small_size: 0.5 * inverse / (1.0 + values[self.small_size] * inverse)}

    @cached_property
    def _rows(self) -> dict[str, Array]:
        intervals, municipalities = self.observed.shape
        rows = np.repeat(np.eye(intervals), municipalities, axis=1)
        return dict(zip(self.noise_sd, rows, strict=True))

    def _cells(self, values: Values) -> StudentT:
        return StudentT(self._flat, 1.0, self.degrees(values), self.measurement_sd(values))

    def log_density(self, eta: Array, values: Values) -> Array:
        """Return the log density of every cell; 0 where nothing was recorded."""
        return self._cells(values).log_density(eta, values)

    def gradient(self, eta: Array, values: Values) -> Array:
        """Return the derivative of every cell with respect to eta."""
        return self._cells(values).gradient(eta, values)

    def curvature(self, eta: Array, values: Values) -> Array:
        """Return the precision of the normal whose scale mixture the cell is."""
        return self._cells(values).curvature(eta, values)

    def initial(self) -> Array:
        """Return a data-based start for eta."""
        return StudentT(self._flat, 1.0, 4.0).initial()
