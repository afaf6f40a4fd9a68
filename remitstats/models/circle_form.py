"""Priors and form of the circle model: what is assumed before the data speak."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from remitstats.models.circle_data import CircleData
from remitstats.models.circle_measures import VARIABLES
from remitstats.parts.dynamic_panel import PanelNoise
from remitstats.parts.priors import NormalPrior, RatioPrior, ScalePrior, SharePrior

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Priors:
    """Priors of the circle model, for standardised variables, with their defaults.

    Parameters
    ----------
    own_link : NormalPrior
        Effect of a variable on itself a wave later.
    cross_link : NormalPrior
        Effect of a variable on another a wave later; centred at none.
    interval_sd, region_sd, state_sd : ScalePrior
        P(sd > upper) = tail for how far links differ between intervals, regions and states.
    intercept_sd, innovation_sd : ScalePrior
        Of lasting differences and of what is new in a wave.
    innovation_ratio : RatioPrior
        Standard deviations of what is new in a later wave over those in the second.
    correlation : float
        Concentration of the LKJ prior of their correlations; above 1 favours none.
    intercept_share, innovation_share : SharePrior
        Share of their variance that a block of neighbours has in common.
    sampling_ratio : RatioPrior
        True over assumed variance of the sampling error of migration and reliance.
    size_noise_sd : ScalePrior
        Noise of the other variables in a municipality of median size.
    sampling_correlation : NormalPrior
        Correlation of the sampling errors of migration and reliance, before it is held within
        (-1, 1) by a hyperbolic tangent: dwellings with emigrants more often receive.
    earlier_scale : RatioPrior
        Weight of what lasts in a measurement before the first wave, over that in a wave.
    earlier_link : NormalPrior
        Regression of these measurements on the first wave's states.
    """

    own_link: NormalPrior = NormalPrior(mean=0.3, sd=0.3)
    cross_link: NormalPrior = NormalPrior(mean=0.0, sd=0.25)
    interval_sd: ScalePrior = ScalePrior(upper=0.2, tail=0.05)
    region_sd: ScalePrior = ScalePrior(upper=0.2, tail=0.05)
    state_sd: ScalePrior = ScalePrior(upper=0.2, tail=0.05)
    intercept_sd: ScalePrior = ScalePrior(upper=1.5, tail=0.05)
    innovation_sd: ScalePrior = ScalePrior(upper=1.5, tail=0.05)
    innovation_ratio: RatioPrior = RatioPrior(log_sd=0.4)
    correlation: float = 2.0
    intercept_share: SharePrior = SharePrior(alpha=1.0, beta=1.0)
    innovation_share: SharePrior = SharePrior(alpha=1.0, beta=1.0)
    sampling_ratio: RatioPrior = RatioPrior(log_sd=0.7)
    size_noise_sd: ScalePrior = ScalePrior(upper=0.2, tail=0.05)
    sampling_correlation: NormalPrior = NormalPrior(mean=0.25, sd=0.15)
    earlier_scale: RatioPrior = RatioPrior(log_sd=0.15)
    earlier_link: NormalPrior = NormalPrior(mean=0.0, sd=0.5)

    def __post_init__(self) -> None:
        """Refuse a concentration that is none."""
        if not 0.1 <= self.correlation <= 100.0:
            raise ValueError(
                f"correlation must lie between 0.1 and 100, found {self.correlation:g}"
            )

    def describe(self) -> dict[str, Any]:
        """Return every prior as plain values, for provenance."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: v.describe() if hasattr(v, "describe") else v for k, v in found.items()}


@dataclass(frozen=True)
class Form:
    """Which links there are and where they may differ.

    Parameters
    ----------
    removed : tuple of (to, from)
        Cross-links that are left out (zero everywhere).
    by_interval, by_region, by_state : bool
        Whether links may differ between intervals, regions and states. Links by region and state
        make a thousand parameters.
    own_level : bool
        Whether municipalities have a level of their own (a). Without it the model is the plain
        cross-lagged panel, which takes lasting differences for effects; for comparison only.
    """

    removed: tuple[tuple[str, str], ...] = ()
    by_interval: bool = True
    by_region: bool = False
    by_state: bool = False
    own_level: bool = True

    def effects_of(self, level: str) -> str:
        """Return the name of the links' deviations of "interval", "region" or "state".

        They are the deviations themselves (centred) where the data say much of each: of decades
        and regions (see `models.circle_state` for regions whose states differ). Those of states are
        multiples of their standard deviation, and the name ends in "_unit".
        """
        return "link_state_unit" if level == "state" else f"link_{level}"

    def mask(self) -> Array:
        """Return 1 for links that there are, 0 for those left out, shape (to, from)."""
        mask = np.ones((len(VARIABLES), len(VARIABLES)))
        for to, origin in self.removed:
            mask[VARIABLES.index(to), VARIABLES.index(origin)] = 0.0
        return mask

    def describe(self) -> dict[str, Any]:
        """Return the form as plain values, for provenance."""
        return {
            "removed": [f"{origin} -> {to}" for to, origin in self.removed],
            "by_interval": self.by_interval,
            "by_region": self.by_region,
            "by_state": self.by_state,
            "own_level": self.own_level,
        }


def interval_contrasts(intervals: int) -> Array:
    """Return how links may differ between intervals, their mean held, shape (interval, contrast).

    The columns are orthonormal and sum to nothing: contrasts that are independent with one
    standard deviation favour no interval.
    """
    return np.asarray(linalg.helmert(intervals).T)


def noise_of(data: CircleData) -> PanelNoise:
    """Return the noise before its scales: sampling variances, and what falls with size."""
    relative = np.array(data.sampling)
    relative[:, :, 2:] = data.smallness[:, None, None]
    earlier = np.broadcast_to(data.smallness[:, None], data.earlier.shape)
    return PanelNoise(np.maximum(relative, 1e-8), np.maximum(earlier, 1e-8), data.earlier_of)


def earlier_shapes(data: CircleData) -> dict[str, tuple[int, ...]]:
    """Return the parameters of earlier measurements and their shapes; none without such."""
    size = data.earlier.shape[1]
    if not size:
        return {}
    return {
        "earlier_scale": (size,),
        "earlier_link": (size, len(VARIABLES)),
        "earlier_sd": (size,),
        "earlier_partial": (size * (size - 1) // 2,),
    }
