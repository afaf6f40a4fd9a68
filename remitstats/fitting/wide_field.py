"""Hyperparameters of a map, with the map and all that is a column's own integrated out.

Given the multipliers and the few effects that many columns share (intervals, states), the
columns' blocks (`local_blocks`) leave a map with one measurement a column, which is one small
sparse factorisation. The law of the map's standard deviation and of how it shares variation with
the columns' own effects is then known without the map: where the map is held fixed it hardly
moves.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import qdldl
from numpy.typing import NDArray

from remitstats.fitting.gaussian_system import Field, GaussianSystem, Surrogate
from remitstats.fitting.local_blocks import LocalBlocks, factorise
from remitstats.parts.latent_gaussian import Component
from remitstats.parts.likelihood import Gaussian

Array = NDArray[np.float64]


class WideField:
    """The law of hyperparameters with one map integrated out beside the columns' own effects.

    Parameters
    ----------
    blocks : LocalBlocks
        The columns' own effects.
    number : int
        Position of the map among the system's fields: one layer, one element a column.
    """

    def __init__(self, blocks: LocalBlocks, number: int) -> None:
        self.blocks, self.number = blocks, number
        f = blocks.system.fields[number]
        self.basis = f.basis[:, 0]
        model = blocks.system.model
        components = tuple(
            Component(c.name, c.structure, (f.basis.T @ c.rows), f.columns, c.log_sd, c.correlation)
            for c in f.components
        )
        alone = replace(
            model,
            components=components,
            likelihood=Gaussian(np.zeros(blocks.columns), 1.0),
            offset=np.zeros(blocks.columns),
            scale_name=(None,),
            scale_group=None,
            reported={},
        )
        self.system = GaussianSystem(alone)
        self.spare: qdldl.Solver | None = None

    def rest(self, field: Array) -> Array:
        """Return what the map adds to the cells, shape (row, column)."""
        f = self.blocks.system.fields[self.number]
        layer = self.blocks.system.layers(field)[self.number]
        return np.asarray(f.basis @ np.asarray(f.columns @ layer.T).T)

    def log_density(self, theta: Array, residual: Array, variance: Array) -> float:
        """Return the log density of residuals given theta, up to a constant.

        Parameters
        ----------
        theta : array
            Unconstrained hyperparameters.
        residual, variance : array, shape (row, column)
            Measurements less what the other shared fields say, and their variances.
        """
        values = self.system.model.constrain(theta)
        factors = factorise(self.blocks.covariance(values, variance))
        weighted, square = factors.solve(residual)
        basis = np.broadcast_to(self.basis[:, None], residual.shape)
        weight = self.basis @ factors.solve(basis)[0]
        value = (self.basis @ weighted) / weight
        found = self.system.condition(theta, Surrogate(value, weight), self.spare)
        self.spare = found.solver
        gained = found.log_marginal + 0.5 * float(weight @ value**2)
        return gained - 0.5 * factors.log_determinant - 0.5 * square


def find_wide_field(blocks: LocalBlocks) -> WideField | None:
    """Return the first map of one layer that covers the columns one by one, if there is one."""
    for number, f in enumerate(blocks.system.fields):
        if number not in blocks.square and f.layers == 1 and _covers(f, blocks.columns):
            return WideField(blocks, number)
    return None


def _covers(f: Field, columns: int) -> bool:
    diagonal = f.columns.diagonal()
    return bool(
        f.structure.size == columns and f.columns.nnz == columns and np.all(diagonal == 1.0)
    )
