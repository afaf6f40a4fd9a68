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

Some variables may have been measured once more, earlier than all were:

    y_ie = scale_e a_i + earlier_link_e z_i1 + e_ie         e_i ~ Normal(0, earlier_innovation)

Nothing is assumed about what made the first wave out of the earlier one (the variables that were
not measured then had their part in it): given the first wave the earlier measurements depend on
what came later through what lasts alone, and so they tell it apart from slow dynamics.

`PanelDensity` is the same as a PyTensor operation with its gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.parts.nested_normal import NestedData
from remitstats.parts.panel_kernel import loading_of, panel_density, reach_of, spread_of

Array = NDArray[np.float64]

ARGUMENTS = (
    "links",
    "intercept",
    "innovation",
    "intercept_share",
    "innovation_share",
    "noise_scale",
    "noise_correlation",
    "earlier_scale",
    "earlier_link",
    "earlier_innovation",
)


@dataclass(frozen=True, eq=False)
class PanelNoise:
    """What is known of the noise of the measurements.

    Parameters
    ----------
    relative : array, shape (unit, wave, variable)
        Variance of the noise before it is multiplied by the variable's scale.
    earlier : array, shape (unit, earlier)
        The same of earlier measurements.
    earlier_of : array of int, shape (earlier,)
        Their variables.
    """

    relative: Array
    earlier: Array
    earlier_of: NDArray[np.int64]

    @property
    def flat(self) -> Array:
        """The variances with waves, variables and earlier ones joined, shape (unit, D)."""
        units = len(self.relative)
        return np.ascontiguousarray(
            np.concatenate([self.relative.reshape(units, -1), self.earlier], axis=1)
        )

    @property
    def variable_of(self) -> NDArray[np.int64]:
        """Variable of every measurement, shape (D,)."""
        _, waves, count = self.relative.shape
        return np.concatenate([np.tile(np.arange(count), waves), self.earlier_of]).astype(np.int64)

    @property
    def arrays(self) -> tuple[Array, NDArray[np.int64]]:
        """What the compiled function takes."""
        return self.flat, self.variable_of


def covariance(
    links: Array,
    intercept: Array,
    innovation: Array,
    *,
    earlier_of: NDArray[np.int64] | None = None,
    earlier_scale: Array | None = None,
    earlier_link: Array | None = None,
    earlier_innovation: Array | None = None,
) -> Array:
    """Return the covariance of a unit's vector, waves stacked, then the earlier ones; no noise.

    Parameters
    ----------
    links : array, shape (group, interval, variable, variable)
        Effect of the second variable on the first a wave later.
    intercept : array, shape (variable, variable)
        Covariance of what lasts about a unit.
    innovation : array, shape (wave, variable, variable)
        Covariance of what is new in every wave.
    earlier_of : array of int, shape (earlier,), optional
        Variables measured once more before the first wave; by default none.
    earlier_scale : array, shape (earlier,), optional
        Weight of what lasts in them.
    earlier_link : array, shape (earlier, variable), optional
        Their regression on the first wave's states.
    earlier_innovation : array, shape (earlier, earlier), optional
        Covariance of the rest.

    Returns
    -------
    array, shape (group, D, D)
        D is waves times variables, plus earlier ones.
    """
    groups, intervals, count, _ = links.shape
    of = np.zeros(0, dtype=np.int64) if earlier_of is None else earlier_of
    scale = np.zeros(0) if earlier_scale is None else earlier_scale
    link = np.zeros((0, count)) if earlier_link is None else earlier_link
    rest = np.zeros((0, 0)) if earlier_innovation is None else earlier_innovation
    variable_of = np.concatenate([np.tile(np.arange(count), intervals + 1), of]).astype(np.int64)
    reach = reach_of(variable_of, count, scale)
    spread = spread_of(innovation, rest)
    out = np.empty((groups, len(variable_of), len(variable_of)))
    for g in range(groups):
        loading = loading_of(np.ascontiguousarray(links[g]), link)
        out[g] = reach @ intercept @ reach.T + loading @ spread @ loading.T
    return out


def log_density(data: NestedData, noise: PanelNoise, **arguments: Any) -> float:
    """Return the log density of all measurements.

    Parameters
    ----------
    data : NestedData
        The measurements, waves stacked (wave by wave, all variables of each), earlier ones last.
    noise : PanelNoise
        What is known of their noise.
    **arguments
        `ARGUMENTS`: see `covariance`, and `panel_density` for the rest. Those of earlier
        measurements may be left out where there are none.
    """
    return float(_call(data, noise, arguments)[0])


def gradient(data: NestedData, noise: PanelNoise, **arguments: Any) -> tuple[float, dict[str, Any]]:
    """Return the log density and its gradient by argument."""
    value, *found = _call(data, noise, arguments)
    return float(value), dict(zip(ARGUMENTS, found, strict=True))


def _call(data: NestedData, noise: PanelNoise, arguments: dict[str, Any]) -> Any:
    count = np.shape(arguments["intercept"])[0]
    none = {
        "earlier_scale": np.zeros(0),
        "earlier_link": np.zeros((0, count)),
        "earlier_innovation": np.zeros((0, 0)),
    }
    given = none | arguments
    values = [np.array(given[name], dtype=float, order="C") for name in ARGUMENTS]
    return panel_density(*data.arrays, *noise.arrays, *(v if v.ndim else float(v) for v in values))
