r"""Collapsed likelihood of a dynamic panel with unit intercepts, noise and neighbours alike.

Unit i of group (state) g has K variables at T waves,

    y_it = m_gt + a_i + z_it + noise_it                     measurements, standardised
    z_i1 = e_i1,      z_it = links_g,t-1 z_i,t-1 + e_it     dynamics around the unit's own level
    a_i ~ Normal(0, intercept),  e_it ~ Normal(0, innovation_t)

so that what lasts about a unit (a) is told apart from what one wave passes on to the next (links):
the random-intercept cross-lagged panel (Hamaker, Kuiper and Grasman 2015, Psychological Methods 20:
102-116), here with links that differ between groups and intervals, with measurement noise, and
with a share of every intercept and every innovation that a block of neighbours has in common.
States, intercepts, innovations and means are integrated out (`nested_normal`); what is left are
the links and the covariances.

`PanelDensity` is the same as a PyTensor operation with its gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.parts.nested_normal import NestedData
from remitstats.parts.panel_kernel import covariance_of, loading_of, panel_density

Array = NDArray[np.float64]

ARGUMENTS = (
    "links",
    "intercept",
    "innovation",
    "intercept_share",
    "innovation_share",
    "noise_scale",
    "noise_correlation",
)


@dataclass(frozen=True, eq=False)
class PanelNoise:
    """What is known of the noise of the measurements.

    Parameters
    ----------
    relative : array, shape (unit, wave, variable)
        Variance of the noise before it is multiplied by the variable's scale.
    """

    relative: Array

    @property
    def flat(self) -> Array:
        """The variances with waves and variables joined, shape (unit, wave * variable)."""
        return np.ascontiguousarray(self.relative.reshape(len(self.relative), -1))


def covariance(links: Array, intercept: Array, innovation: Array) -> Array:
    """Return the covariance of a unit's vector, waves stacked, without noise.

    Parameters
    ----------
    links : array, shape (group, interval, variable, variable)
        Effect of the second variable on the first a wave later.
    intercept : array, shape (variable, variable)
        Covariance of what lasts about a unit.
    innovation : array, shape (wave, variable, variable)
        Covariance of what is new in every wave.

    Returns
    -------
    array, shape (group, wave * variable, wave * variable)
    """
    groups, intervals, count, _ = links.shape
    waves = intervals + 1
    out = np.empty((groups, waves * count, waves * count))
    for g in range(groups):
        out[g] = covariance_of(loading_of(links[g]), intercept, innovation)
    return out


def log_density(data: NestedData, noise: PanelNoise, **arguments: Any) -> float:
    """Return the log density of all measurements.

    Parameters
    ----------
    data : NestedData
        The measurements, waves stacked (wave by wave, all variables of each).
    noise : PanelNoise
        What is known of their noise.
    **arguments
        `ARGUMENTS`: see `covariance`, and `panel_density` for the rest.
    """
    return float(_call(data, noise, arguments)[0])


def gradient(data: NestedData, noise: PanelNoise, **arguments: Any) -> tuple[float, dict[str, Any]]:
    """Return the log density and its gradient by argument."""
    value, *found = _call(data, noise, arguments)
    return float(value), dict(zip(ARGUMENTS, found, strict=True))


def _call(data: NestedData, noise: PanelNoise, arguments: dict[str, Any]) -> Any:
    values = [np.array(arguments[name], dtype=float, order="C") for name in ARGUMENTS]
    return panel_density(*data.arrays, noise.flat, *(v if v.ndim else float(v) for v in values))
