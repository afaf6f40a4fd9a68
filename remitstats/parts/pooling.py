"""Partial pooling of group effects: exchangeable groups, and groups nested in larger groups.

Levels are counted from the finest, 0, to the coarsest: municipality, state, region, say. With p
the parent of a group, the groups' values are

    x_top ~ Normal(0, sd_top),   x_l[g] ~ Normal(x_(l+1)[p(g)], sd_l)   below the top,

so that every level shrinks towards the one above it. One level without parents is the exchangeable
case. The same law as a sum of independent deviations, which engines use:
x_0[i] = d_0[i] + d_1[p(i)] + d_2[p(p(i))] + …, d_l ~ Normal(0, sd_l).

References
----------
Gelman and Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models,
chapters 12 and 13. Papaspiliopoulos, Roberts and Sköld (2007), Statistical Science 22: 59-73
(centred and non-centred).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.parts.structure import Structure, independent

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nesting:
    """Groups in groups in groups.

    Parameters
    ----------
    parents : sequence of array of int
        For every level but the top, from the finest: position of each group's parent in the
        level above. Empty for one exchangeable level.
    top : int
        Number of groups of the coarsest level.

    Raises
    ------
    ValueError
        If a parent does not exist.
    """

    parents: Sequence[NDArray[np.int64]]
    top: int

    def __post_init__(self) -> None:
        kept = tuple(np.asarray(parent, dtype=np.int64) for parent in self.parents)
        object.__setattr__(self, "parents", kept)
        for level, (parent, above) in enumerate(zip(kept, self.sizes[1:], strict=True)):
            if parent.ndim != 1 or (parent.size and not 0 <= parent.min() <= parent.max() < above):
                raise ValueError(
                    f"parents of level {level} must be positions between 0 and {above - 1}"
                )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of groups of every level, from the finest."""
        return (*(len(parent) for parent in self.parents), self.top)

    @property
    def ancestors(self) -> tuple[NDArray[np.int64], ...]:
        """Position of the ancestor of every finest group in every level; itself in the first."""
        found = [np.arange(self.sizes[0])]
        for parent in self.parents:
            found.append(parent[found[-1]])
        return tuple(found)


def indicator(group: NDArray[np.int64], groups: int) -> sp.csr_array:
    """Return the matrix, shape (unit, group), that gives every unit the effect of its group."""
    place = (np.arange(len(group)), group)
    return sp.csr_array((np.ones(len(group)), place), shape=(len(group), groups))


def deviations(nesting: Nesting) -> list[tuple[Structure, sp.csr_array]]:
    """Return, for every level, the structure of its deviations and how they enter finest groups.

    Multiply by each level's standard deviation and add up: the values of the finest level.
    """
    return [
        (independent(size), indicator(ancestor, size))
        for size, ancestor in zip(nesting.sizes, nesting.ancestors, strict=True)
    ]


def covariance(nesting: Nesting, sds: Sequence[float]) -> Array:
    """Return the covariance of the finest level's values, dense, shape (group, group)."""
    _check(nesting, sds)
    total = np.zeros((nesting.sizes[0], nesting.sizes[0]))
    for ancestor, sd in zip(nesting.ancestors, sds, strict=True):
        total += sd**2 * (ancestor[:, None] == ancestor[None, :])
    return total


def log_density(values: Sequence[Array], nesting: Nesting, sds: Sequence[float]) -> float:
    """Return the joint log density of the values of all levels, normalising constant included.

    Parameters
    ----------
    values : sequence of array
        Values of the groups of every level, from the finest.
    nesting : Nesting
        Which group lies in which.
    sds : sequence of float
        Standard deviation of every level around its parents, from the finest.
    """
    _check(nesting, sds)
    total = 0.0
    for level, (value, sd) in enumerate(zip(values, sds, strict=True)):
        is_top = level == len(nesting.parents)
        mean = 0.0 if is_top else values[level + 1][nesting.parents[level]]
        z = (np.asarray(value) - mean) / sd
        total -= 0.5 * float(z @ z) + len(z) * (math.log(sd) + 0.5 * math.log(2.0 * math.pi))
    return total


def sample(
    rng: np.random.Generator, nesting: Nesting, sds: Sequence[float], draws: int
) -> list[Array]:
    """Draw the values of every level, from the finest, each of shape (draw, group)."""
    _check(nesting, sds)
    levels: list[Array] = []
    for level in range(len(nesting.sizes) - 1, -1, -1):
        drawn = sds[level] * rng.standard_normal((draws, nesting.sizes[level]))
        if levels:
            drawn += levels[0][:, nesting.parents[level]]
        levels.insert(0, drawn)
    return levels


def _check(nesting: Nesting, sds: Sequence[Any]) -> None:
    if len(sds) != len(nesting.sizes):
        raise ValueError(f"one sd a level is needed, {len(nesting.sizes)} in all, found {len(sds)}")


def to_pymc(
    name: str,
    nesting: Nesting,
    sds: Sequence[Any],
    dims: Sequence[str],
    *,
    centred: bool = False,
) -> list[Any]:
    """Add pooled group effects to the PyMC model in whose context this is called.

    Parameters
    ----------
    name : str
        The free variables are ``{name}_{dim}`` if centred, else ``{name}_{dim}_unit``, one a
        level.
    nesting : Nesting
        Which group lies in which.
    sds : sequence of float or PyMC variable
        Standard deviation of every level around its parents, from the finest.
    dims : sequence of str
        Named dim of every level, from the finest.
    centred : bool
        False, the default, is for groups with few data each, True for groups whose data say
        much more than the prior: NUTS moves easily in the one where it gets stuck in the other.

    Returns
    -------
    list of tensor
        Values of every level, from the finest.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it

    _check(nesting, sds)
    if len(dims) != len(sds):
        raise ValueError(f"one dim a level is needed, {len(sds)} in all, found {len(dims)}")
    levels: list[Any] = []
    for level in range(len(sds) - 1, -1, -1):
        mean: Any = levels[0][nesting.parents[level]] if levels else 0.0
        label = f"{name}_{dims[level]}"
        if centred:
            value = pm.Normal(label, mean, sds[level], dims=dims[level])
        else:
            value = mean + sds[level] * pm.Normal(f"{label}_unit", dims=dims[level])
        levels.insert(0, value)
    return levels
