"""Responses to migration in natural units, around the national mean level of the last wave.

Transformed scales are undone at their mean of that wave: shares move by fewer points where they
are small. Standard deviations are those of the last wave, whatever the years after the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

TEN, ONE_SD = "ten dwellings", "one sd"
STEPS = (TEN, ONE_SD)
TEN_IN_HUNDRED = 0.10
NAMES: Mapping[str, str] = {  # what is reported of a variable in natural units
    "reliance": "reliance",
    "stability": "poverty",
    "underdevelopment": "underdevelopment",
    "growth": "growth",
}


@dataclass(frozen=True)
class NaturalScale:
    """Mean and standard deviation of every transformed variable in the last wave.

    Parameters
    ----------
    mean, sd : mapping of str to float
        By variable; nan where it was not measured.
    """

    mean: Mapping[str, float]
    sd: Mapping[str, float]

    @classmethod
    def of(cls, fit: xr.DataTree) -> NaturalScale:
        """Return the scale of a fit of the circle."""
        data = fit["constant_data"].isel(wave=-1)
        variables = [str(name) for name in data["variable"].to_numpy()]
        mean, sd = data["scale_mean"].to_numpy(), data["scale_sd"].to_numpy()
        return cls(
            dict(zip(variables, map(float, mean), strict=True)),
            dict(zip(variables, map(float, sd), strict=True)),
        )

    def size(self, step: str) -> float:
        """Return the size of a step in standard deviations of migration.

        Ten more emigrant dwellings in a hundred, starting from the mean level, or one standard
        deviation.
        """
        if step == ONE_SD:
            return 1.0
        level = float(_share(self.mean["migration"]))
        more = np.arcsin(np.sqrt(min(level + TEN_IN_HUNDRED, 1.0)))
        return float((more - np.arcsin(np.sqrt(level))) / self.sd["migration"])

    def responses(self, variable: str, draws: Array) -> Iterator[tuple[str, Array]]:
        """Return the response of a variable in its natural unit after each step.

        Parameters
        ----------
        variable : str
            Migration, whose response is not reported, gives none.
        draws : array
            Response in standard deviations to one standard deviation of migration.

        Returns
        -------
        iterator of (str, array)
            The step and the response: reliance and poverty in percentage points,
            underdevelopment in standard deviations, growth as change of population over the
            decade in per cent.
        """
        if variable not in NAMES:
            return
        for step in STEPS:
            yield step, self.convert(variable, draws * self.size(step))

    def convert(self, variable: str, moved: Array) -> Array:
        """Return a move away from the mean, in standard deviations, in the natural unit."""
        mean, far = self.mean[variable], self.sd[variable] * moved
        if variable == "reliance":
            return np.asarray(100.0 * (_share(mean + far) - _share(mean)))
        if variable == "stability":
            return np.asarray(_poverty(mean + far) - _poverty(mean))
        if variable == "growth":
            return np.asarray(100.0 * np.expm1(far))
        return np.asarray(moved)


def _share(arcsine: Array | float) -> Array:
    """Undo the arcsine root; below none and above all there is nothing."""
    return np.asarray(np.sin(np.clip(arcsine, 0.0, np.pi / 2)) ** 2)


def _poverty(stability: Array | float) -> Array:
    """Undo minus the logit of `circle_data`, (p + 0.5) / (100.5 - p), in per cent."""
    return np.asarray(np.clip(101.0 * special.expit(-np.asarray(stability)) - 0.5, 0.0, 100.0))
