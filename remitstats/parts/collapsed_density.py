"""What an engine asks of a model whose Gaussian part is integrated out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Separable:
    """Parameters whose mixed derivatives vanish between groups.

    Parameters
    ----------
    moved : array of int, shape (group, position)
        The parameters of every group; a column of them can be moved at once.
    group : array of int, shape (parameter,)
        Group of these parameters and of those of groups nested in them; -1 elsewhere.
    """

    moved: NDArray[np.int64]
    group: NDArray[np.int64]


@dataclass(frozen=True)
class Pooled:
    """Normal effects with a standard deviation of their own.

    Parameters
    ----------
    scale : int
        Place of the logarithm of the standard deviation.
    unit : slice
        Places of the standard normal numbers that are multiplied by it or, if `centred`, of the
        effects themselves.
    rate : float
        Rate of the standard deviation's exponential prior.
    centred : bool
        Better where the data say much about each effect.
    """

    scale: int
    unit: slice
    rate: float
    centred: bool = False

    def update(self, x: Array, variance: Array) -> float:
        """Return the log standard deviation to take next.

        MacKay's fixed point (1992, Neural Computation 4: 415-447) with the exponential prior: what
        EM tends to, in fewer rounds where the data say little of many units.

        Parameters
        ----------
        x : array, shape (parameter,)
            Mode of the units given the present standard deviation.
        variance : array, shape (parameter,)
            Their posterior variances.
        """
        log_sd = float(x[self.scale])
        size = math.exp(log_sd) if self.centred else 1.0
        square = float(x[self.unit] @ x[self.unit]) / size**2
        step = 0.5 * math.log(
            (square + 1.0) / (self._told(x, variance) + self.rate * math.exp(log_sd))
        )
        return log_sd + max(-1.0, min(1.0, step))

    def spread(self, x: Array, variance: Array) -> float:
        """Return about how uncertain the log standard deviation is."""
        return 1.0 / math.sqrt(2.0 * self._told(x, variance) + 1.0)

    def rescaled(self, x: Array, rng: np.random.Generator) -> Array:
        """Draw the standard deviation anew given the effects, which stay where they are.

        Effects and their standard deviation move slowly together where the data say much of some
        effects and little of others; this move costs no likelihood (interweaving: Yu and Meng
        2011, Journal of Computational and Graphical Statistics 20: 531-570). One step of a slice
        sampler (Neal 2003, Annals of Statistics 31: 705-767) on the log standard deviation.

        Parameters
        ----------
        x : array, shape (parameter,)
            Present parameters; not changed.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        array, shape (parameter,)
        """
        now = float(x[self.scale])
        effects = x[self.unit] * (1.0 if self.centred else math.exp(now))
        square, count = float(effects @ effects), len(effects)

        def log_density(log_sd: float) -> float:
            size = math.exp(log_sd)
            return -0.5 * square / size**2 - (count - 1) * log_sd - self.rate * size

        level = log_density(now) + math.log(1.0 - rng.random())
        width = 3.0 / math.sqrt(2.0 * count)
        low = now - width * rng.random()
        high = low + width
        while log_density(low) > level:
            low -= width
        while log_density(high) > level:
            high += width
        while True:
            new = rng.uniform(low, high)
            if log_density(new) >= level:
                break
            low, high = (new, high) if new < now else (low, new)
        out = x.copy()
        out[self.scale] = new
        if not self.centred:
            out[self.unit] = effects * math.exp(-new)
        return out

    def _told(self, x: Array, variance: Array) -> float:
        """Return the number of units that the data determine."""
        size = math.exp(float(x[self.scale])) if self.centred else 1.0
        return float(np.sum(np.maximum(1.0 - variance[self.unit] / size**2, 0.0)))


class CollapsedDensity(Protocol):
    """A log density on one vector of unconstrained parameters."""

    @property
    def size(self) -> int:
        """Number of parameters."""

    def gradient(self, x: Array) -> tuple[float, Array]:
        """Return log density and gradient at x; minus infinity where it is not defined."""

    def start(self) -> Array:
        """Return where a search for the mode may begin."""

    def separable(self) -> list[Separable]:
        """Return sets of parameters that meet only through others, outermost groups first."""

    def pooled(self) -> list[Pooled]:
        """Return the pooled effects."""

    def constrain(self, x: Array) -> dict[str, Array]:
        """Return the parameters on their own scales, and what is reported with them."""
