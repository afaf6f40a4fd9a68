r"""Collapsed likelihood of vectors that share effects of a block and of a group.

Municipality i of block b of group (state) g has a vector y_i of D measurements,

    y_i     ~ Normal(beta_b, V_g + N_i)      own variation, and noise known up to few parameters
    beta_b  ~ Normal(m_g, U_g)               what neighbours (a block) have in common
    m_g     ~ Normal(0, root_sd^2 I)         the group's mean

and this is the density of all y with beta and m integrated out. A block costs a few D x D
factorisations however many effects it stands for, so that a country costs milliseconds: messages
(precision, precision times mean) go up the tree from municipalities to blocks to groups, and the
gradient comes down it by Fisher's identity (the gradient of the log marginal is the posterior mean
of the gradient of the log joint). Entries that were not measured are left out exactly.

`panel_kernel.nested_density` is the compiled function behind both.

References
----------
Willsky (2002), Proceedings of the IEEE 90: 1396-1458, for Gaussian models on trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.parts.panel_kernel import nested_density

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tree:
    """Which municipality belongs to which block, and which block to which group.

    Parameters
    ----------
    block_of : array of int, shape (unit,)
        Block of every unit, numbered from 0.
    group_of_block : array of int, shape (block,)
        Group of every block, numbered from 0.

    Raises
    ------
    ValueError
        If a block or a group has no member.
    """

    block_of: Integers
    group_of_block: Integers

    def __post_init__(self) -> None:
        if set(np.unique(self.block_of)) != set(range(len(self.group_of_block))):
            raise ValueError("every block needs a unit, and every unit a block")
        if set(np.unique(self.group_of_block)) != set(range(self.groups)):
            raise ValueError("every group needs a block")

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.block_of)

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self.group_of_block)

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.group_of_block.max()) + 1

    @property
    def group_of(self) -> Integers:
        """Group of every unit, shape (unit,)."""
        return self.group_of_block[self.block_of]

    @cached_property
    def order(self) -> Integers:
        """Units sorted by block, shape (unit,)."""
        return np.argsort(self.block_of, kind="stable").astype(np.int64)

    @cached_property
    def start(self) -> Integers:
        """Where every block begins in `order`, with the end, shape (block + 1,)."""
        size = np.bincount(self.block_of, minlength=self.blocks)
        return np.concatenate([[0], np.cumsum(size)]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class NestedData:
    """Measurements on a tree.

    Parameters
    ----------
    tree : Tree
        Blocks and groups of the units.
    observed : array, shape (unit, D)
        Measurements; nan where there is none.
    pairs : array of int, shape (pair, 2)
        Entries of y whose noise may be correlated.
    root_sd : float
        Prior standard deviation of every entry of a group's mean.
    """

    tree: Tree
    observed: Array
    pairs: Integers
    root_sd: float

    @property
    def size(self) -> int:
        """Length D of a unit's vector."""
        return int(self.observed.shape[1])

    @cached_property
    def filled(self) -> Array:
        """Measurements, 0 where there is none."""
        return np.ascontiguousarray(np.nan_to_num(self.observed, nan=0.0))

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Whether each entry was measured."""
        return np.ascontiguousarray(np.isfinite(self.observed))

    @cached_property
    def arrays(self) -> tuple[Any, ...]:
        """What the compiled function takes beside the variances."""
        tree = self.tree
        return (
            self.filled,
            self.known,
            tree.order,
            tree.start,
            tree.group_of_block.astype(np.int64),
            np.ascontiguousarray(self.pairs, dtype=np.int64).reshape(-1, 2),
            float(self.root_sd) ** 2,
        )


def nested_normal_log_density(
    data: NestedData, unit: Array, block: Array, noise: Array, noise_pair: Array
) -> float:
    """Return the log density of all measurements.

    Parameters
    ----------
    data : NestedData
        The measurements.
    unit, block : array, shape (group, D, D)
        Covariances V and U of every group.
    noise : array, shape (unit, D)
        Variances of the noise of every unit.
    noise_pair : array, shape (unit, pair)
        Covariances of the noise of the pairs of entries.

    Returns
    -------
    float
        The log density; minus infinity where a covariance is not positive definite.
    """
    return float(nested_density(*data.arrays, unit, block, noise, noise_pair)[0])


def nested_normal_gradient(
    data: NestedData, unit: Array, block: Array, noise: Array, noise_pair: Array
) -> tuple[float, Array, Array, Array, Array]:
    """Return the log density and its gradient in each of the four arguments.

    The gradient in a symmetric matrix is symmetric: entry (a, b) is half of what a change of both
    (a, b) and (b, a) does off the diagonal.
    """
    value, *gradient = nested_density(*data.arrays, unit, block, noise, noise_pair)
    return (float(value), *gradient)  # type: ignore[return-value]
