"""What an engine asks of a model whose Gaussian part is integrated out."""

from __future__ import annotations

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

    def constrain(self, x: Array) -> dict[str, Array]:
        """Return the parameters on their own scales, and what is reported with them."""
