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
