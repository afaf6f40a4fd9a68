"""Moves of the whole field and of the hyperparameters of its effects, given the multipliers.

Steps 3 and 4 of the engine for heavy tails (`mixture`): the map and what lasts first, then the
shared effects, then the rows' maps, then what is a column's own; hyperparameters move where their
field is integrated out.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import qdldl
from numpy.typing import NDArray

from remitstats.fitting.local_blocks import ColumnLaw
from remitstats.fitting.mixture_density import Joint
from remitstats.fitting.moves import FARTHEST, Single, Walk
from remitstats.fitting.row_maps import RowMoves
from remitstats.fitting.shared_fields import Information
from remitstats.fitting.wide_field import WideLaw

Array = NDArray[np.float64]

WALK = 3  # steps with the map integrated out


class FieldMoves:
    """What a chain moves given the multipliers, and the lengths of its steps.

    Parameters
    ----------
    joint : Joint
        The prepared model.
    wide : array, shape (hyperparameter, moved hyperparameter)
        Root of the covariance of those moved with the map integrated out.
    rng : numpy.random.Generator
        The chain's stream.
    """

    def __init__(self, joint: Joint, wide: Array, rng: np.random.Generator) -> None:
        self.joint, self.rng = joint, rng
        self.of_wide = Walk(wide)
        self.of_lasting = [Single(i) for i in joint.of_lasting]
        self.of_shared = [Single(i) for i in joint.of_shared]
        # what is known least well is moved more often
        self.twice = [single for single in self.of_shared if single.number in joint.of_lasting]
        maps = joint.row_maps
        self.of_rows = None if maps is None else RowMoves(maps, rng)
        self.spare: list[qdldl.Solver] = []
        self.gain = 0.0

    def redraw(self, theta: Array, multiplier: Array, field: Array) -> tuple[Array, Array]:
        """Take steps 3 and 4: theta's effects and the whole field, given the multipliers."""
        joint, blocks, rng = self.joint, self.joint.blocks, self.rng
        multiplier = multiplier.reshape(joint.known.shape)
        layers = list(joint.system.layers(field))
        if joint.wide is not None:
            theta, law = self._move_wide(theta, multiplier, layers)
            for number, layer in joint.wide.draw(law, layers, rng).items():
                layers[number] = layer
            columns = law.columns
        else:
            values = joint.values(theta)
            columns = blocks.law(values, joint.variance(values, multiplier))
        residual = joint.measured.copy()
        for found in (joint.wide, joint.row_maps):
            if found is not None:
                residual -= blocks.enter(found.number, layers[found.number])
        residual = np.where(joint.known, residual, 0.0)
        theta, changed = self._move_shared(theta, joint.shared.information(columns, residual))
        for number, layer in changed.items():
            layers[number] = layer
            residual -= np.where(joint.known, blocks.enter(number, layer), 0.0)
        if self.of_rows is not None:
            theta, residual = self._move_rows(theta, layers, residual, columns)
        values = joint.values(theta)
        variance = joint.variance(values, multiplier)
        for number, layer in blocks.draw(values, columns, residual, variance, rng).items():
            layers[number] = layer
        return theta, np.concatenate([layer.ravel() for layer in layers])

    def wide_law(
        self, theta: Array, multiplier: Array, layers: list[Array], columns: ColumnLaw | None = None
    ) -> WideLaw:
        """Return the law of the map and what lasts, given the rest of the shared fields.

        Parameters
        ----------
        theta : array
            Unconstrained hyperparameters.
        multiplier : array, shape (row, column)
            Precision multipliers of the cells.
        layers : list of array
            The fields; of the map and of what lasts nothing is used.
        columns : ColumnLaw, optional
            Law of the columns, if it is known.
        """
        joint = self.joint
        assert joint.wide is not None  # noqa: S101 - only asked for where there is a map
        values = joint.values(theta)
        if columns is None:
            columns = joint.blocks.law(values, joint.variance(values, multiplier))
        residual = np.where(joint.known, joint.measured - joint.wide.known(values, layers), 0.0)
        return joint.wide.law(values, residual, columns, self.spare.pop() if self.spare else None)

    def _move_wide(
        self, theta: Array, multiplier: Array, layers: list[Array]
    ) -> tuple[Array, WideLaw]:
        """Move the hyperparameters of the map and of what it shares variation with."""
        joint, rng = self.joint, self.rng
        assert joint.wide is not None  # noqa: S101 - only asked for where there is a map
        here = self.wide_law(theta, multiplier, layers)
        for _ in range(WALK):
            trial = self.of_wide.trial(theta, rng)
            if np.any(np.abs(trial) > FARTHEST):
                self.of_wide.learn(0.0, self.gain)
                continue
            there = self.wide_law(trial, multiplier, layers)
            ratio = (
                there.log_density - here.log_density - 0.5 * float(trial @ trial - theta @ theta)
            )
            accept = math.exp(min(0.0, ratio)) if math.isfinite(ratio) else 0.0
            self.of_wide.learn(accept, self.gain)
            if rng.random() < accept:
                theta, here, there = trial, there, here
            self.spare.append(there.conditional.solver)
        if self.of_lasting:  # one of those whose fields take the map's place
            single = self.of_lasting[rng.integers(len(self.of_lasting))]
            i = single.number
            trial = theta.copy()
            trial[i] = single.trial(theta, rng)
            there = self.wide_law(trial, multiplier, layers, here.columns)
            ratio = there.log_density - here.log_density - 0.5 * (trial[i] ** 2 - theta[i] ** 2)
            for part in joint.wide.lasting:
                if part.number in joint.fields[i]:
                    after, before = (
                        part.log_density_of_rest(joint.values(t), layers[part.number])
                        for t in (trial, theta)
                    )
                    ratio += after - before
            if single.accept(ratio, rng, self.gain):
                theta, here, there = trial, there, here
            self.spare.append(there.conditional.solver)
        self.spare.append(here.conditional.solver)
        return theta, here

    def _move_shared(
        self, theta: Array, information: Information
    ) -> tuple[Array, dict[int, Array]]:
        """Move the hyperparameters of shared fields, these integrated out; draw the fields."""
        joint, rng = self.joint, self.rng
        values = joint.values(theta)
        here = joint.shared.law(values, information)
        for single in [*self.of_shared, *self.twice]:
            i, t = single.number, single.trial(theta, rng)
            if abs(t) > FARTHEST:
                continue
            new = joint.at(values, i, t)
            there = joint.shared.law(new, information)
            ratio = there.log_marginal - here.log_marginal - 0.5 * (t**2 - theta[i] ** 2)
            if single.accept(ratio, rng, self.gain):
                theta = theta.copy()
                theta[i], values, here = t, new, there
        return theta, joint.shared.draw(here, rng)

    def _move_rows(
        self, theta: Array, layers: list[Array], residual: Array, columns: ColumnLaw
    ) -> tuple[Array, Array]:
        """Move the rows' maps and their hyperparameters; return theta and what is left over."""
        joint, moves = self.joint, self.of_rows
        assert moves is not None  # noqa: S101 - only called where there are such maps
        theta, residual = moves.redraw(theta, layers, residual, columns, joint.known, self.gain)
        if joint.wide is not None:
            moves.exchange(joint.values(theta), joint.wide, layers)
        return theta, residual

    def wide_slope(self, multiplier: Array, field: Array) -> Callable[[Array], Array]:
        """Return the slope of the density that step 3 explores, in what it moves."""
        layers = self.joint.system.layers(field)
        weight = multiplier.reshape(self.joint.known.shape)

        def density(theta: Array) -> float:
            law = self.wide_law(theta, weight, layers)
            self.spare.append(law.conditional.solver)
            return law.log_density - 0.5 * float(theta @ theta)

        def slope(theta: Array) -> Array:
            found = np.zeros(len(theta))
            for i in self.joint.of_wide:
                step = np.zeros(len(theta))
                step[i] = 1e-3
                found[i] = (density(theta + step) - density(theta - step)) / 2e-3
            return found

        return slope
