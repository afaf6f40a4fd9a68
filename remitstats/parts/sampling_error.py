"""Sampling error of the census waves: what a published percentage is worth.

CONAPO's percentages come from the census long form, a sample of dwellings: whole in the smallest
municipalities, about a tenth in the largest. A published share p of N dwellings, of which n were
sampled, estimates the municipality's underlying rate with variance

    p (1 - p) [ 1/N + deff (1/n - 1/N) ],

the first term for the finite number of dwellings, the second for the sample (with the finite
population correction and a design effect for clusters). Its inverse without p (1 - p) is the
*effective number* of independent dwellings, the denominator of the likelihood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special


@dataclass(frozen=True)
class SamplingDesign:
    """Assumed design of the long-form sample of every wave.

    A municipality of N dwellings has min(N, max(`complete_below`, fraction * N)) of them sampled.

    Parameters
    ----------
    fraction : mapping of int to float
        Sampling fraction of the largest municipalities, by wave. The defaults make the national
        samples 2.3 million dwellings in 2000, 2.9 in 2010 and 4.0 in 2020, about a tenth of all
        (INEGI; National Research Council 2013, "Options for Estimating Illegal Entries at the
        U.S.-Mexico Border", chapter 2, for 2000 and 2010).
    complete_below : float
        Municipalities with at most this many dwellings were enumerated completely; larger ones
        had at least this many sampled. The published counts bear it out: below about 1,000
        dwellings single dwellings appear, above it counts move in steps of the weights.
    design_effect : float
        Variance of the clustered sample over that of a simple random sample of its size.
    default_fraction : float
        Fraction of a wave that `fraction` does not name.
    """

    fraction: Mapping[int, float] = field(
        default_factory=lambda: {2000: 0.0239, 2010: 0.0496, 2020: 0.0807}
    )
    complete_below: float = 1000.0
    design_effect: float = 2.0
    default_fraction: float = 0.05

    def __post_init__(self) -> None:
        if not 1 <= self.design_effect < np.inf:
            raise ValueError(
                f"design_effect must be at least 1 and finite, found {self.design_effect}"
            )
        if not self.complete_below >= 1:
            raise ValueError(f"complete_below must be at least 1, found {self.complete_below}")
        for fraction in (*self.fraction.values(), self.default_fraction):
            if not 0 < fraction <= 1:
                raise ValueError(f"a fraction must be above 0 and at most 1, found {fraction}")

    def describe(self) -> dict[str, Any]:
        """Return the design as plain values, for provenance."""
        return {
            "fraction": {str(wave): value for wave, value in self.fraction.items()},
            "complete_below": self.complete_below,
            "design_effect": self.design_effect,
            "default_fraction": self.default_fraction,
        }


def sampled_dwellings(
    dwellings: NDArray[np.float64], wave: int, design: SamplingDesign
) -> NDArray[np.float64]:
    """Return the assumed number of sampled dwellings of each municipality of one wave.

    Parameters
    ----------
    dwellings : array, shape (municipality,)
        Dwellings; nan where not measured (nan comes back).
    wave : int
        Year of the wave.
    design : SamplingDesign
        The assumed design.
    """
    fraction = design.fraction.get(wave, design.default_fraction)
    return np.minimum(dwellings, np.maximum(design.complete_below, fraction * dwellings))


def effective_dwellings(
    dwellings: NDArray[np.float64], sampled: NDArray[np.float64], design_effect: float
) -> NDArray[np.float64]:
    """Return the effective number of independent dwellings behind each published share."""
    return 1.0 / (1.0 / dwellings + design_effect * (1.0 / sampled - 1.0 / dwellings))


def draw_published(
    rng: np.random.Generator,
    eta: NDArray[np.float64],
    effective: NDArray[np.float64],
    size: tuple[int, ...] | None = None,
) -> NDArray[np.float64]:
    """Draw the shares that the sample would publish.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the draws.
    eta : array
        Logits of the underlying rates.
    effective : array
        Effective numbers of dwellings, rounded to whole ones here; 0 where not measured.
    size : tuple of int, optional
        Shape of the draws; by default that of `eta` and `effective`.

    Returns
    -------
    array
        Shares between 0 and 1; nan where not measured.
    """
    trials = np.maximum(np.round(effective), 1.0)
    share = rng.binomial(trials.astype(np.int64), special.expit(eta), size=size) / trials
    return np.where(effective > 0, share, np.nan)


@dataclass(frozen=True)
class EffectiveBinomial:
    """Binomial kernel on the logit scale with real-valued counts.

    log L = receiving * eta - dwellings * log(1 + exp(eta)); cells with `dwellings` = 0 say nothing.

    Parameters
    ----------
    receiving, dwellings : array, shape (cell,)
        Effective counts: published share times effective dwellings, and effective dwellings.
    """

    receiving: NDArray[np.float64]
    dwellings: NDArray[np.float64]

    def measurement_sd(self, values: Mapping[str, float]) -> float:  # noqa: ARG002 - protocol
        """Return 1: the counts alone say how exact they are."""
        return 1.0

    def log_density(
        self,
        eta: NDArray[np.float64],
        values: Mapping[str, float] | None = None,  # noqa: ARG002 - protocol
    ) -> NDArray[np.float64]:
        """Return the kernel of every cell."""
        return self.receiving * eta - self.dwellings * np.logaddexp(0.0, eta)

    def gradient(
        self,
        eta: NDArray[np.float64],
        values: Mapping[str, float] | None = None,  # noqa: ARG002 - protocol
    ) -> NDArray[np.float64]:
        """Return the derivative of every cell's kernel with respect to eta."""
        return np.asarray(self.receiving - self.dwellings * special.expit(eta))

    def curvature(
        self,
        eta: NDArray[np.float64],
        values: Mapping[str, float] | None = None,  # noqa: ARG002 - protocol
    ) -> NDArray[np.float64]:
        """Return minus the second derivative of every cell's kernel; never negative."""
        share = special.expit(eta)
        return np.asarray(self.dwellings * share * (1.0 - share))

    def initial(self) -> NDArray[np.float64]:
        """Return a data-based start for eta: the smoothed empirical logit; 0 without data."""
        smoothed = np.log(self.receiving + 0.5) - np.log(self.dwellings - self.receiving + 0.5)
        overall = special.logit((self.receiving.sum() + 0.5) / (self.dwellings.sum() + 1.0))
        return np.where(self.dwellings > 0, smoothed, overall)
