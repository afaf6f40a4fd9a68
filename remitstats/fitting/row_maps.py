"""Maps that each row of the grid has of its own: what neighbours share in one interval.

Given the lasting map, the columns' blocks (`local_blocks`) leave one measurement a column of how
far the rows' maps, and the effects that columns share (of states, of size), move together along any
one direction of the rows. One small sparse factorisation draws that move, and tells the law of
standard deviations without it. Directions are the rows themselves, and those in which the columns'
own effects hide what rows differ by: the error of a count moves the growth before and after it
apart.

What all maps have in common can take the place of the lasting map; a move of both needs no data (a
generalised Gibbs move: Liu and Sabatti 2000, Biometrika 87: 353-369).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import qdldl
from numpy.typing import NDArray

from remitstats.fitting.gaussian_system import Conditional, GaussianSystem
from remitstats.fitting.local_blocks import ColumnLaw, LocalBlocks
from remitstats.fitting.moves import FARTHEST, Single
from remitstats.fitting.wide_field import WideField, condition_alone, covers
from remitstats.parts.latent_gaussian import Component, FixedSd, Values
from remitstats.parts.likelihood import Gaussian

Array = NDArray[np.float64]

NEGLIGIBLE = 0.1  # part of a direction below which a row's standard deviation is not moved


class RowMaps:
    """A field of one map a row, the maps independent of each other, with what is shared by row.

    Parameters
    ----------
    blocks : LocalBlocks
        The columns' own effects.
    number : int
        Position of the field among the system's fields.

    Attributes
    ----------
    numbers : list of int
        Positions of the fields that move together: the maps, and shared fields of one layer a row.
    of_row : list of int
        The hyperparameter that is the row's own, by its position; -1 where there is none.
    directions : array, shape (direction, row)
        Unit vectors along which they are moved.

    Raises
    ------
    ValueError
        If the maps depend on each other.
    """

    def __init__(self, blocks: LocalBlocks, number: int) -> None:
        self.blocks, self.number = blocks, number
        model, fields = blocks.system.model, blocks.system.fields
        f, each = fields[number], np.eye(blocks.rows)
        start = model.constrain(model.initial())
        before = f.covariance(start)
        if f.layers != blocks.rows or np.any(before != np.diag(np.diag(before))):
            raise ValueError(f"the field of '{f.components[0].name}' is no map a row")
        self.of_row = [-1] * f.layers
        for i, (name, prior) in enumerate(model.hyperparameters.items()):
            moved = np.diag(f.covariance({**start, name: prior.constrain(0.1)}))
            rows = np.flatnonzero(~np.isclose(moved, np.diag(before), rtol=1e-6))
            if len(rows) == 1:
                self.of_row[rows[0]] = i
        hidden = [fields[local].basis.T for local in blocks.local]
        self.directions = np.vstack([each, *(b for b in hidden if len(b) < blocks.rows)])
        shared = [
            n
            for n, g in enumerate(fields)
            if n != number and n not in blocks.square and np.array_equal(g.basis, each)
        ]
        self.numbers = [number, *shared]
        one = np.ones((1, 1))
        self.system = GaussianSystem(
            replace(
                model,
                components=tuple(
                    Component(f"field {n}", fields[n].structure, one, fields[n].columns, FixedSd(1))
                    for n in self.numbers
                ),
                likelihood=Gaussian(np.zeros(blocks.columns), 1.0),
                offset=np.zeros(blocks.columns),
                scale_name=(None,),
                scale_group=None,
                reported={},
            )
        )

    def variance(self, values: Values) -> Array:
        """Return the prior variances of the rows' maps, shape (row,)."""
        return np.asarray(np.diag(self.blocks.prior(self.number, values).covariance))


def find_row_maps(blocks: LocalBlocks) -> RowMaps | None:
    """Return the first field of one map a row, if there is one."""
    for number, f in enumerate(blocks.system.fields):
        if number not in blocks.square and f.layers > 1 and covers(f, blocks.columns):
            return RowMaps(blocks, number)
    return None


@dataclass(frozen=True)
class DirectionLaw:
    """Law of a move along a direction.

    Parameters
    ----------
    log_marginal : float
        Log density of the measurements and the fields without that move, up to a constant.
    conditional : Conditional
        Of the move.
    """

    log_marginal: float
    conditional: Conditional


class RowMoves:
    """What a chain moves of the rows' maps, and the lengths of its steps.

    Parameters
    ----------
    maps : RowMaps
        The fields.
    rng : numpy.random.Generator
        The chain's stream.
    """

    def __init__(self, maps: RowMaps, rng: np.random.Generator) -> None:
        self.maps, self.rng = maps, rng
        self.of_row = [Single(i) if i >= 0 else None for i in maps.of_row]
        self.spare: list[qdldl.Solver] = []

    @property
    def singles(self) -> list[Single]:
        """The steps of the rows' hyperparameters."""
        return [single for single in self.of_row if single is not None]

    def redraw(
        self,
        theta: Array,
        layers: list[Array],
        residual: Array,
        columns: ColumnLaw,
        known: NDArray[np.bool_],
        gain: float,
    ) -> tuple[Array, Array]:
        """Move the standard deviations and the fields along one direction after the other.

        Parameters
        ----------
        theta : array
            Unconstrained hyperparameters.
        layers : list of array
            The fields, each of shape (layer, element); those that move are replaced.
        residual : array, shape (row, column)
            Measurements less all that columns share; 0 where nothing was measured.
        columns : ColumnLaw
            Law of the columns.
        known : array of bool, shape (row, column)
            Where something was measured.
        gain : float
            Of what steps adapt by; 0 leaves their lengths.

        Returns
        -------
        theta, residual : array
            As they are then.
        """
        maps, model = self.maps, self.maps.blocks.system.model
        names, priors = list(model.hyperparameters), list(model.hyperparameters.values())
        values, theta = model.constrain(theta), theta.copy()
        weighted = columns.weigh(residual)
        for direction in maps.directions:
            here = self.law(direction, values, columns, weighted, layers)
            for row in np.flatnonzero(np.abs(direction) > NEGLIGIBLE):
                single = self.of_row[row]
                if single is None:
                    continue
                i, t = single.number, single.trial(theta, self.rng)
                if abs(t) > FARTHEST:
                    continue
                new = {**values, names[i]: priors[i].constrain(t)}
                there = self.law(direction, new, columns, weighted, layers)
                ratio = there.log_marginal - here.log_marginal - 0.5 * (t**2 - theta[i] ** 2)
                if single.accept(ratio, self.rng, gain):
                    theta[i], values, here, there = t, new, there, here
                self.spare.append(there.conditional.solver)
            drawn = here.conditional.field(self.rng.standard_normal(maps.system.noise))
            self.spare.append(here.conditional.solver)
            for number, move in zip(maps.numbers, maps.system.layers(drawn), strict=True):
                layers[number] = layers[number] + direction[:, None] * move
            change = direction[:, None] * (maps.system.loading @ drawn)
            change = np.where(known, change, 0.0)
            weighted -= columns.weigh(change)
            residual = residual - change
        return theta, residual

    def law(
        self,
        direction: Array,
        values: Values,
        columns: ColumnLaw,
        weighted: Array,
        layers: Sequence[Array],
    ) -> DirectionLaw:
        """Return the law of a move along a direction.

        Parameters
        ----------
        direction : array, shape (row,)
            Unit vector.
        values : mapping of str to float
            Hyperparameters.
        columns : ColumnLaw
            Law of the columns.
        weighted : array, shape (row, column)
            Residuals, as for `redraw`, weighed by it.
        layers : sequence of array
            The fields.
        """
        maps = self.maps
        variance, pulls, plain = [], [], 0.0
        for number in maps.numbers:
            prior, layer = maps.blocks.prior(number, values), layers[number]
            structure = maps.blocks.system.fields[number].structure
            toward = direction @ prior.precision
            along = float(toward @ direction)
            bent = np.asarray(structure.precision @ layer.T).T  # X R
            variance.append(1.0 / along)
            pulls.append(-toward @ bent)
            plain += structure.rank * (prior.log_determinant + math.log(along))
            plain += float(np.vdot(prior.precision, bent @ layer.T))
        rows = np.flatnonzero(direction)
        weight = np.zeros(maps.blocks.columns)
        for a in rows:
            for b in rows:
                weight += direction[a] * direction[b] * columns.precision[a, b]
        load = direction @ weighted
        spare = self.spare.pop() if self.spare else None
        found = condition_alone(
            maps.system, values, variance, weight, load, spare, np.concatenate(pulls)
        )
        return DirectionLaw(found.log_marginal - 0.5 * plain, found)

    def exchange(self, values: Values, wide: WideField, layers: list[Array]) -> None:
        """Move what all the maps have in common into the lasting map, or back; change `layers`.

        Nothing that is measured changes, so that the maps' priors alone say how much.
        """
        maps, fields = self.maps, self.maps.blocks.system.fields
        enters, structure = float(wide.basis[0]), fields[maps.number].structure
        if fields[wide.number].structure is not structure or not np.allclose(wide.basis, enters):
            return
        own = 1.0 / maps.variance(values)
        of_lasting = 1.0 / float(maps.blocks.prior(wide.number, values).covariance[0, 0])
        precision = of_lasting / enters**2 + float(own.sum())
        lasting = layers[wide.number]
        mean = own @ layers[maps.number] - of_lasting / enters * lasting[0]
        moved = mean / precision + structure.sample(self.rng, 1)[0] / math.sqrt(precision)
        layers[wide.number] = lasting + moved / enters
        layers[maps.number] = layers[maps.number] - moved
