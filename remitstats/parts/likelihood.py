"""Likelihoods of the cells: what an engine asks of them, and the plain ones.

Every likelihood factors over the cells of the linear predictor eta and may depend on
hyperparameters (`values`). The binomial of the census waves is in `sampling_error`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Values = Mapping[str, float]


class Likelihood(Protocol):
    """A log likelihood that factors over cells."""

    def log_density(self, eta: Array, values: Values) -> Array:
        """Return the log density of every cell."""

    def gradient(self, eta: Array, values: Values) -> Array:
        """Return its derivative with respect to eta."""

    def curvature(self, eta: Array, values: Values) -> Array:
        """Return minus its second derivative or, where that is negative, a positive stand-in."""

    def measurement_sd(self, values: Values) -> float | Array:
        """Return the factor, of all cells or of each, by which errors of measurement scale."""

    def initial(self) -> Array:
        """Return a data-based start for eta."""


@dataclass(frozen=True)
class Gaussian:
    """Normal measurements: y ~ Normal(eta, sd * relative_sd).

    Parameters
    ----------
    observed : array, shape (cell,)
        Measurements; nan where there is none.
    sd : str or float
        Hyperparameter that is the standard deviation, or a known one.
    relative_sd : array, shape (cell,), optional
        Known relative standard deviations of the cells; 1 by default.
    """

    observed: Array
    sd: str | float
    relative_sd: Array | None = None

    def measurement_sd(self, values: Values) -> float:
        """Return the standard deviation, before `relative_sd`."""
        return values[self.sd] if isinstance(self.sd, str) else self.sd

    def _sd(self, values: Values) -> Array:
        relative = np.ones(len(self.observed)) if self.relative_sd is None else self.relative_sd
        return np.asarray(self.measurement_sd(values) * relative)

    def log_density(self, eta: Array, values: Values) -> Array:
        """Return the log density of every cell; 0 where nothing was measured."""
        sd = self._sd(values)
        density = -0.5 * ((self.observed - eta) / sd) ** 2 - np.log(sd)
        return np.where(np.isnan(self.observed), 0.0, density - 0.5 * math.log(2.0 * math.pi))

    def gradient(self, eta: Array, values: Values) -> Array:
        """Return the derivative of every cell with respect to eta."""
        slope = (self.observed - eta) / self._sd(values) ** 2
        return np.where(np.isnan(self.observed), 0.0, slope)

    def curvature(self, eta: Array, values: Values) -> Array:  # noqa: ARG002 - it is constant
        """Return minus the second derivative of every cell."""
        return np.where(np.isnan(self.observed), 0.0, self._sd(values) ** -2.0)

    def initial(self) -> Array:
        """Return the measurements, and their mean where there is none."""
        known = ~np.isnan(self.observed)
        return np.where(known, self.observed, self.observed[known].mean() if known.any() else 0.0)


@dataclass(frozen=True)
class StudentT:
    """Measurements with heavy tails: y ~ StudentT(degrees, eta, sd * relative_sd).

    Parameters
    ----------
    observed : array, shape (cell,)
        Measurements; nan where there is none.
    sd : str or float
        Hyperparameter that is the scale, or a known one.
    degrees : str or float
        Hyperparameter that is the degrees of freedom, or a known number.
    relative_sd : array, shape (cell,), optional
        Known relative scales of the cells; 1 by default.
    """

    observed: Array
    sd: str | float
    degrees: str | float
    relative_sd: Array | None = None

    def measurement_sd(self, values: Values) -> float:
        """Return the scale, before `relative_sd`."""
        return values[self.sd] if isinstance(self.sd, str) else self.sd

    def _parts(self, eta: Array, values: Values) -> tuple[float, Array, Array]:
        relative = np.ones(len(self.observed)) if self.relative_sd is None else self.relative_sd
        degrees = values[self.degrees] if isinstance(self.degrees, str) else self.degrees
        sd = np.asarray(self.measurement_sd(values) * relative)
        return degrees, sd, (self.observed - eta) / sd

    def log_density(self, eta: Array, values: Values) -> Array:
        """Return the log density of every cell; 0 where nothing was measured."""
        degrees, sd, z = self._parts(eta, values)
        constant = math.lgamma((degrees + 1.0) / 2.0) - math.lgamma(degrees / 2.0)
        constant -= 0.5 * math.log(degrees * math.pi)
        density = constant - np.log(sd) - 0.5 * (degrees + 1.0) * np.log1p(z**2 / degrees)
        return np.where(np.isnan(self.observed), 0.0, density)

    def gradient(self, eta: Array, values: Values) -> Array:
        """Return the derivative of every cell with respect to eta."""
        degrees, sd, z = self._parts(eta, values)
        slope = (degrees + 1.0) * z / (degrees + z**2) / sd
        return np.where(np.isnan(self.observed), 0.0, slope)

    def curvature(self, eta: Array, values: Values) -> Array:
        """Return the precision of the normal whose scale mixture the cell is, given its residual.

        Minus the second derivative is negative in the tails; the expected precision
        (degrees + 1) / (degrees + z^2) / sd^2 of the scale mixture never is, and steps that use
        it are those of the EM algorithm: they never lower the density.
        """
        degrees, sd, z = self._parts(eta, values)
        weight = (degrees + 1.0) / (degrees + z**2) / sd**2
        return np.where(np.isnan(self.observed), 0.0, weight)

    def initial(self) -> Array:
        """Return the measurements drawn halfway to their median, and it where there is none."""
        known = ~np.isnan(self.observed)
        middle = float(np.median(self.observed[known])) if known.any() else 0.0
        return np.where(known, 0.5 * (self.observed + middle), middle)
