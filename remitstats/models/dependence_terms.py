"""Covariances as sums of scaled kernels, made and differentiated all at once.

A term is a kernel times the square of a product of standard deviations. All covariances are one
product of weights and kernels, and the gradient in the standard deviations comes back by another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SERIES, STATE, NATION = "series", "state", "nation"


@dataclass(frozen=True)
class Term:
    """A part of a covariance: a kernel times the square of a product of parameters.

    Parameters
    ----------
    part : str
        `SERIES`, `STATE` or `NATION`.
    kind : int
        Which kind of series; 0 elsewhere.
    parameters : tuple of int
        Places of the standard deviations that are multiplied; empty for a fixed part.
    kernel : str
        Name of the kernel.
    scale : float
        A fixed standard deviation that multiplies.
    """

    part: str
    kind: int
    parameters: tuple[int, ...]
    kernel: str
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Entries:
    """Terms as arrays: all covariances are one matrix of weights times the kernels.

    Parameters
    ----------
    kernels : tuple of str
        The kernels that appear.
    place, kernel : array of int, shape (term,)
        Covariance that a term enters (the kinds of series, the state, the nation), and its kernel.
    variance : array, shape (term,)
        Square of its fixed standard deviation.
    parameters : array of int, shape (term, ·)
        Places of the parameters; -1 for none.
    covariances : int
        How many.
    """

    kernels: tuple[str, ...]
    place: NDArray[np.int64]
    kernel: NDArray[np.int64]
    variance: Array
    parameters: NDArray[np.int64]
    covariances: int

    @classmethod
    def of(cls, terms: Sequence[Term], kinds: int) -> Entries:
        """Return terms of so many kinds of series as arrays."""
        names = tuple(dict.fromkeys(term.kernel for term in terms))
        place = {STATE: kinds, NATION: kinds + 1}
        most = max(len(term.parameters) for term in terms)
        return cls(
            names,
            np.array([place.get(term.part, term.kind) for term in terms]),
            np.array([names.index(term.kernel) for term in terms]),
            np.array([term.scale**2 for term in terms]),
            np.array(
                [(*term.parameters, *(most - len(term.parameters)) * (-1,)) for term in terms]
            ),
            kinds + 2,
        )

    def sizes(self, sds: Array) -> Array:
        """Return what every term's kernel is multiplied with, shape (term,)."""
        return np.asarray(self.variance * np.append(sds, 1.0)[self.parameters].prod(axis=1) ** 2)

    def weights(self, sds: Array) -> Array:
        """Return the weight of every kernel in every covariance, shape (covariance, kernel)."""
        out = np.zeros((self.covariances, len(self.kernels)))
        np.add.at(out, (self.place, self.kernel), self.sizes(sds))
        return out

    def pull(self, sds: Array, by: Array) -> Array:
        """Return the gradient in the logarithms of the parameters, shape (parameter,).

        Parameters
        ----------
        sds : array, shape (parameter,)
            Where.
        by : array, shape (covariance, kernel)
            The gradient in the weights.
        """
        out = np.zeros(len(sds) + 1)  # the last place takes what no parameter moves
        slope = 2.0 * self.sizes(sds) * by[self.place, self.kernel]
        np.add.at(out, self.parameters, slope[:, None])
        return out[:-1]
