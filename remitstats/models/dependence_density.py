"""The dependence model's posterior density on one vector of unconstrained numbers.

The same posterior as that of the PyMC model of `dependence`; a test holds the two together. The
numbers are standard normal under the prior (see `parts.priors`): a standard deviation of which the
data only say that it is small has normal tails then, where its logarithm would have a long one.
Everything else is integrated out (`parts.grouped_paths`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.models.dependence_data import DependenceData
from remitstats.models.dependence_form import Form, Priors, kernels
from remitstats.parts.collapsed_density import Pooled, Separable
from remitstats.parts.grouped_paths import PathPosterior, density

Array = NDArray[np.float64]
FARTHEST = 30.0  # a number beyond which standard deviations are 0 in floating point
STARTS = {  # of standard deviations, where a search may begin
    "level_sd": 0.9,
    "faint_level_sd": 1.6,
    "growth_sd": 0.02,
    "noise_sd": 0.05,
    "walk_sd": 0.2,
    "season_sd": 0.05,
    "faint_season_sd": 0.06,
    "step_ratio": 0.5,
    "faint_ramp_sd": 1.3,
    "faint_path_sd": 0.2,
    "state_level_sd": 0.5,
    "state_growth_sd": 0.01,
    "state_season_sd": 0.02,
    "nation_walk_sd": 0.1,
}
ELSEWHERE = 0.05
SMALLEST = 1e-300
LOG_TWO_PI = math.log(2.0 * math.pi)


@dataclass(frozen=True, eq=False)
class DependenceDensity:
    """Log posterior density of the dependence model.

    Parameters
    ----------
    data : DependenceData
        The data.
    priors : Priors
        Of the parameters.
    """

    data: DependenceData
    priors: Priors

    @cached_property
    def form(self) -> Form:
        """Parameters and covariances."""
        return Form(self.data, self.priors)

    @cached_property
    def kernel(self) -> dict[str, Array]:
        """The kernels at the fitted quarters."""
        return kernels(self.data.numbers, self.form.centre, self.data.measures)

    @cached_property
    def extra(self) -> Array:
        """Columns of the reporting path."""
        return self.form.reporting_columns(self.data.numbers)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.form.size

    def start(self) -> Array:
        """Return where a search for the mode may begin."""
        x = np.empty(self.size)
        for name, (place, _) in self.form.layout.items():
            x[place] = math.log(STARTS.get(name, ELSEWHERE))
        faint = self.data.faint
        x[self.form.layout["noise_sd"][0]] += np.where(faint, 1.5, 0.0)
        for label in (False, True):  # within each way of reporting kinds grow more restless
            kinds = np.flatnonzero(faint == label)
            more = np.linspace(-0.8, 1.2, len(kinds)) if len(kinds) > 1 else 0.0
            x[self.form.layout["walk_sd"][0]][kinds] += more + 1.6 * label
        return self.unconstrain(np.exp(x))

    def sds(self, t: Array) -> Array:
        """Return the standard deviations at t, shape (..., parameter)."""
        return np.asarray(np.maximum(-special.log_ndtr(-t), SMALLEST) / self.form.rate)

    def unconstrain(self, sds: Array) -> Array:
        """Return the t of standard deviations; the inverse of `sds`."""
        return np.asarray(-special.ndtri_exp(-self.form.rate * sds))

    def separable(self) -> list[Separable]:
        """Return none: every parameter meets every other."""
        return []

    def pooled(self) -> list[Pooled]:
        """Return none: pooled effects are integrated out."""
        return []

    def likelihood(self, sds: Array, *, gradient: bool = True) -> tuple[float, Array]:
        """Return the log density of the data and its gradient in the logarithms of `sds`."""
        value, by, _ = density(
            self.data.grouped,
            self.form.covariances(sds, self.kernel),
            self.form.reported,
            self.extra,
            gradient=gradient,
        )
        if not gradient:
            return value, np.zeros(self.size)
        return value, self.form.pull(sds, by, self.kernel)

    def gradient(self, x: Array) -> tuple[float, Array]:
        """Return log density and gradient at x; minus infinity where it is not defined."""
        if not np.all(np.abs(x) < FARTHEST):
            return -math.inf, np.zeros(self.size)
        upper = special.log_ndtr(-x)
        by_log = np.exp(-0.5 * x**2 - 0.5 * LOG_TWO_PI - upper) / np.maximum(-upper, SMALLEST)
        value, slope = self.likelihood(self.sds(x))
        value += float(np.sum(-0.5 * x**2 - 0.5 * LOG_TWO_PI))
        slope = slope * by_log - x
        if not (math.isfinite(value) and np.isfinite(slope).all()):
            return -math.inf, np.zeros(self.size)
        return value, slope

    def constrain(self, x: Array) -> dict[str, Array]:
        """Return all parameters on their own scales.

        Parameters
        ----------
        x : array, shape (..., parameter)
            Unconstrained parameters.
        """
        sds = self.sds(x)
        return {
            name: sds[..., place] if dim else sds[..., place.start]
            for name, (place, dim) in self.form.layout.items()
        }

    def vector(self, values: dict[str, Array]) -> Array:
        """Return parameters by name as one vector of standard deviations."""
        parts = [np.atleast_1d(values[name]) for name in self.form.layout]
        return np.concatenate(parts).astype(float)

    def paths(self, sds: Array) -> PathPosterior:
        """Return the posterior of nation and states given the parameters."""
        _, _, posterior = density(
            self.data.grouped,
            self.form.covariances(sds, self.kernel),
            self.form.reported,
            self.extra,
            gradient=False,
        )
        return posterior
