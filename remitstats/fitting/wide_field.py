"""A map and all else that lasts, with all that is a column's own integrated out.

Given the multipliers and what shared effects (intervals, states) do beside what they do always, the
columns' blocks (`local_blocks`) leave one measurement a column of what lasts there: the map, the
state's lasting part, the nation's, and that of size. These are one small sparse factorisation, and
are drawn together, for they take each other's place. The law of the map's standard deviation and of
how it shares variation with the columns' own effects is then known without the map: where the map
is held fixed it hardly moves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import qdldl
from numpy.typing import NDArray

from remitstats.fitting.gaussian_system import Conditional, Field, GaussianSystem
from remitstats.fitting.local_blocks import ColumnLaw, FieldPriors, LocalBlocks
from remitstats.parts.latent_gaussian import Component, Values
from remitstats.parts.likelihood import Gaussian

Array = NDArray[np.float64]

ROUNDING = 1e-9


@dataclass(frozen=True)
class LastingPart:
    """What a shared field does in every row alike, apart from the rest of it.

    Parameters
    ----------
    blocks : LocalBlocks
        Of the model.
    number : int
        Position of the field.
    direction : array, shape (layer,)
        Unit vector of what is alike in every row, in layers.
    """

    blocks: LocalBlocks
    number: int
    direction: Array

    def log_sd(self, values: Values) -> float:
        """Return the logarithm of its prior standard deviation given the rest of the field."""
        covariance = self.blocks.prior(self.number, values).covariance
        shared = self.others.T @ covariance @ self.direction
        own = self.direction @ covariance @ self.direction
        return 0.5 * math.log(float(own - shared @ self.pull(values)))

    def pull(self, values: Values) -> Array:
        """Return what the rest of the field says of it, shape (layer - 1,)."""
        covariance = self.blocks.prior(self.number, values).covariance
        shared = self.others.T @ covariance @ self.direction
        return np.linalg.solve(self.others.T @ covariance @ self.others, shared)

    def log_density_of_rest(self, values: Values, layer: Array) -> float:
        """Return the log prior density of the rest of the field, up to a constant."""
        structure = self.blocks.system.fields[self.number].structure
        covariance = self.blocks.prior(self.number, values).covariance
        covariance = self.others.T @ covariance @ self.others
        unit = np.asarray(structure.root @ (self.others.T @ layer).T)
        square = float(np.trace(np.linalg.solve(covariance, unit.T @ unit)))
        return -0.5 * (structure.rank * float(np.linalg.slogdet(covariance)[1]) + square)

    @cached_property
    def others(self) -> Array:
        """Orthonormal basis of all that is not the direction, shape (layer, layer - 1)."""
        return np.asarray(np.linalg.svd(self.direction[:, None])[0][:, 1:])

    def known(self, values: Values, layer: Array) -> Array:
        """Return the rest of the field with the prior mean of what lasts, as a field."""
        rest = self.others.T @ layer
        return np.asarray(self.others @ rest + np.outer(self.direction, self.pull(values) @ rest))


@dataclass(frozen=True)
class WideLaw:
    """Law of the map and what lasts, at some hyperparameters.

    Parameters
    ----------
    log_density : float
        Log density of the residuals without them, up to a constant.
    columns : ColumnLaw
        Law of the columns given them.
    conditional : Conditional
        Their own.
    """

    log_density: float
    columns: ColumnLaw
    conditional: Conditional


class WideField:
    """One map, and what lasts of the fields that columns share.

    Parameters
    ----------
    blocks : LocalBlocks
        The columns' own effects.
    number : int
        Position of the map among the system's fields: one layer, one element a column.
    """

    def __init__(self, blocks: LocalBlocks, number: int) -> None:
        self.blocks, self.number = blocks, number
        fields = blocks.system.fields
        f = fields[number]
        self.basis = f.basis[:, 0]
        self.lasting: list[LastingPart] = []
        for other, g in enumerate(fields):
            direction = g.basis.T @ self.basis
            alike = abs(float(direction @ direction) - 1.0) < ROUNDING
            if other not in blocks.square and alike and not covers(g, blocks.columns):
                self.lasting.append(LastingPart(blocks, other, direction))
        components = [
            Component(c.name, c.structure, (f.basis.T @ c.rows), f.columns, c.log_sd, c.correlation)
            for c in f.components
        ]
        components += [
            Component(
                f"lasting part of {fields[part.number].components[0].name}",
                fields[part.number].structure,
                np.ones((1, 1)),
                fields[part.number].columns,
                part.log_sd,
            )
            for part in self.lasting
        ]
        alone = replace(
            blocks.system.model,
            components=tuple(components),
            likelihood=Gaussian(np.zeros(blocks.columns), 1.0),
            offset=np.zeros(blocks.columns),
            scale_name=(None,),
            scale_group=None,
            reported={},
        )
        self.system = GaussianSystem(alone)
        start = alone.constrain(alone.initial())
        self._priors = [FieldPriors(f, start) for f in self.system.fields]

    def known(self, values: Values, layers: list[Array]) -> Array:
        """Return what is held fixed of the shared fields, in the cells, shape (row, column)."""
        parts = {part.number: part for part in self.lasting}
        total = np.zeros((self.blocks.rows, self.blocks.columns))
        for number, layer in enumerate(layers):
            if number in parts:
                total += self.blocks.enter(number, parts[number].known(values, layer))
            elif number != self.number and number not in self.blocks.square:
                total += self.blocks.enter(number, layer)
        return total

    def law(
        self,
        values: Values,
        residual: Array,
        columns: ColumnLaw,
        spare: qdldl.Solver | None = None,
    ) -> WideLaw:
        """Return the law of the map and what lasts, and that of residuals without them.

        Parameters
        ----------
        values : mapping of str to float
            Hyperparameters.
        residual : array, shape (row, column)
            Measurements less what is `known`.
        columns : ColumnLaw
            Law of the columns given the map and what lasts.
        spare : qdldl.Solver, optional
            A solver of this system that is no longer needed.
        """
        weighted = columns.weigh(residual)
        weight = np.einsum("a,b,abc->c", self.basis, self.basis, columns.precision)
        variance = [float(prior(values).covariance[0, 0]) for prior in self._priors]
        load = self.basis @ weighted
        found = condition_alone(self.system, values, variance, weight, load, spare)
        plain = float(columns.log_determinant.sum() + np.vdot(residual, weighted))
        return WideLaw(found.log_marginal - 0.5 * plain, columns, found)

    def draw(self, law: WideLaw, layers: list[Array], rng: np.random.Generator) -> dict[int, Array]:
        """Draw the map and what lasts; return the fields that changed, by number.

        Parameters
        ----------
        law : WideLaw
            Their law, found with `layers` known.
        layers : list of array
            The fields, each of shape (layer, element).
        rng : numpy.random.Generator
            Stream of the draw.
        """
        drawn = law.conditional.field(rng.standard_normal(self.system.noise))
        parts = self.system.layers(drawn)
        names = [f.components[0].name for f in self.system.fields]
        own = dict(zip(names, parts, strict=True))
        fields = self.blocks.system.fields
        changed = {self.number: own[fields[self.number].components[0].name]}
        values: Mapping[str, float] = law.conditional.values
        for part in self.lasting:
            mine = own[f"lasting part of {fields[part.number].components[0].name}"]
            known = part.known(values, layers[part.number])
            changed[part.number] = known + np.outer(part.direction, mine[0])
        return changed


def condition_alone(
    system: GaussianSystem,
    values: Values,
    variance: Sequence[float],
    weight: Array,
    load: Array,
    spare: qdldl.Solver | None = None,
    pull: Array | float = 0.0,
) -> Conditional:
    """Do as `GaussianSystem.condition` does, for fields of one layer and without an offset.

    Parameters
    ----------
    system : GaussianSystem
        Of one row.
    values : mapping of str to float
        Hyperparameters, to be kept with what is found.
    variance : sequence of float
        Prior variances of the fields.
    weight, load : array, shape (column,)
        Precisions of the measurements, and these times the measurements.
    spare : qdldl.Solver, optional
        A solver of this system that is no longer needed.
    pull : array, shape (latent,), optional
        What the prior loads on the fields, if their prior mean is not nought.

    Returns
    -------
    Conditional
        Its `log_marginal` leaves out the square of the measurements themselves.
    """
    matrix = system.with_precisions(1.0 / np.array(variance), weight)
    if spare is None:
        spare = qdldl.Solver(matrix, upper=True)
    else:
        spare.update(matrix, upper=True)
    onto = system.load(load) + pull
    mean = spare.solve(np.concatenate([onto, np.zeros(system.constraints)]))[: system.latent]
    log_prior = sum(
        f.structure.rank * math.log(v) for f, v in zip(system.fields, variance, strict=True)
    )
    log_determinant = float(np.log(np.abs(spare.factors()[1])).sum())
    return Conditional(
        system=system,
        solver=spare,
        values=values,
        log_marginal=0.5 * (float(onto @ mean) - log_prior - log_determinant),
        mean=np.asarray(mean),
        cell_scale=np.ones(len(weight)),
        whitening=tuple(np.array([[v**-0.5]]) for v in variance),
        value=load / weight,
        weight=weight,
        log_weight=0.0,
    )


def find_wide_field(blocks: LocalBlocks) -> WideField | None:
    """Return the first map of one layer that covers the columns one by one, if there is one."""
    for number, f in enumerate(blocks.system.fields):
        if number not in blocks.square and f.layers == 1 and covers(f, blocks.columns):
            return WideField(blocks, number)
    return None


def covers(f: Field, columns: int) -> bool:
    """Whether a field has one element a column."""
    diagonal = f.columns.diagonal()
    return bool(
        f.structure.size == columns and f.columns.nnz == columns and np.all(diagonal == 1.0)
    )
