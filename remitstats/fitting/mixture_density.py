"""The law of a heavy-tailed model in parts: what the moves of its engine explore.

See `mixture` for the engine. `Joint` knows which hyperparameters each part depends on;
`log_density` is their law given the multipliers with all that is a column's own integrated out,
`own_density` that of the likelihood's own with the multipliers integrated out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.fitting.columns_kernel import student_parts, student_sum
from remitstats.fitting.gaussian_system import GaussianSystem
from remitstats.fitting.local_blocks import KEPT, NO_DATA, LocalBlocks
from remitstats.fitting.row_maps import find_row_maps
from remitstats.fitting.shared_fields import SharedFields
from remitstats.fitting.wide_field import find_wide_field
from remitstats.parts.latent_gaussian import Values

Array = NDArray[np.float64]

STEP = 1e-5  # of the differences that give slopes of cheap functions


@runtime_checkable
class ScaleMixture(Protocol):
    """A likelihood that is Gaussian given precision multipliers drawn from a gamma."""

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the hyperparameters that the likelihood depends on."""

    def mixture(self, values: Values) -> tuple[Array, Array, float]:
        """Return the measurements and scales of the cells, and the degrees of freedom."""

    def log_scale_slopes(self, values: Values) -> Mapping[str, Array]:
        """Return by hyperparameter how the logarithms of the scales change, shape (cell,)."""

    def degrees(self, values: Values) -> float:
        """Return the degrees of freedom."""

    def log_density(self, eta: Array, values: Values) -> Array:
        """Return the log density of every cell, the multipliers integrated out: Student's t."""


def draw_multiplier(
    likelihood: ScaleMixture, values: Values, eta: Array, rng: np.random.Generator
) -> Array:
    """Draw the multipliers given the linear predictor."""
    observed, scale, degrees = likelihood.mixture(values)
    rate = 0.5 * (degrees + ((observed - eta) / scale) ** 2)
    return np.asarray(rng.standard_gamma(0.5 * (degrees + 1.0), len(eta)) / rate)


class Joint:
    """The log joint density of a model in parts, and which hyperparameters each depends on.

    Parameters
    ----------
    system : GaussianSystem
        The prepared model.

    Attributes
    ----------
    of_likelihood, of_columns, of_wide, of_lasting, of_shared, of_local : list of int
        Hyperparameters of the likelihood; those explored with all that is a column's own
        integrated out; with the map and what lasts integrated out too, of which some belong to
        shared fields that lie on the map; with all shared fields but the map integrated out; and
        those on which columns' own fields or the map depend.
    """

    def __init__(self, system: GaussianSystem) -> None:
        self.system, self.model = system, system.model
        self.names = list(self.model.hyperparameters)
        self._kept: dict[bytes, dict[str, float]] = {}
        self.blocks = LocalBlocks(system)
        likelihood = self.model.likelihood
        assert isinstance(likelihood, ScaleMixture)  # noqa: S101 - `fit` chose this engine by it
        self.likelihood = likelihood
        self.of_likelihood = [self.names.index(name) for name in likelihood.hyperparameters]
        size = len(self.names)
        self.fields: list[list[int]] = [[] for _ in range(size)]
        start = self.model.constrain(np.zeros(size))
        base = [f.covariance(start) for f in system.fields]
        degrees = likelihood.mixture(start)[2]
        self.tail = np.zeros(size, dtype=bool)
        for i in range(size):
            values = self.at(start, i, 0.1)
            for number, f in enumerate(system.fields):
                if not np.array_equal(f.covariance(values), base[number]):
                    self.fields[i].append(number)
            self.tail[i] = likelihood.mixture(values)[2] != degrees
        self.wide = find_wide_field(self.blocks)
        self.row_maps = find_row_maps(self.blocks)
        map_number = None if self.wide is None else self.wide.number
        maps = {found.number for found in (self.wide, self.row_maps) if found is not None}
        self.shared = SharedFields(self.blocks, maps)
        of_effects = [i for i in range(size) if self.fields[i] and i not in self.of_likelihood]
        shared, local = set(self.shared.numbers), set(self.blocks.square)
        self.of_shared = [i for i in of_effects if shared.issuperset(self.fields[i])]
        self.of_columns: list[int] = [
            i
            for i in range(size)
            if not self.tail[i] and (i in self.of_likelihood or local & set(self.fields[i]))
        ]
        near = {
            number for i in of_effects if map_number in self.fields[i] for number in self.fields[i]
        }
        self.of_wide = [
            i for i in of_effects if near & set(self.fields[i]) and not shared & set(self.fields[i])
        ]
        lasting = set() if self.wide is None else {part.number for part in self.wide.lasting}
        large = {n for n in lasting if system.fields[n].structure.size > 1}
        self.of_lasting = [i for i in self.of_shared if large & set(self.fields[i])]
        self.of_local = [i for i in of_effects if i not in self.of_shared]
        self.moving = {n for i in self.of_columns for n in self.fields[i]}
        observed = likelihood.mixture(start)[0]
        shape = (self.blocks.rows, self.blocks.columns)
        self.known = np.isfinite(observed).reshape(shape)
        self.measured = np.where(self.known, (observed - self.model.offset).reshape(shape), 0.0)

    def values(self, theta: Array) -> dict[str, float]:
        """Return the hyperparameters on their own scales; the last ones are kept."""
        key = theta.tobytes()
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept = {}
            found = self._kept[key] = self.model.constrain(theta)
        return found

    def at(self, values: Values, i: int, t: float) -> dict[str, float]:
        """Return values with hyperparameter i at its unconstrained t."""
        name = self.names[i]
        return {**values, name: self.model.hyperparameters[name].constrain(t)}

    def variance(self, values: Values, multiplier: Array) -> Array:
        """Return the variances of the cells, shape (row, column); `NO_DATA` where none is known."""
        scale = self.likelihood.mixture(values)[1].reshape(self.known.shape)
        return np.where(self.known, scale**2 / np.where(self.known, multiplier, 1.0), NO_DATA)

    def eta(self, field: Array) -> Array:
        """Return the linear predictor of a field, shape (cell,)."""
        return np.asarray(self.model.offset + self.system.loading @ field)

    def field_density(self, number: int, values: Values, gram: Array) -> float:
        """Return the log prior density of a field with the given squares X R X'."""
        prior = self.blocks.prior(number, values)
        rank = self.system.fields[number].structure.rank
        return -0.5 * (rank * prior.log_determinant + float(np.vdot(prior.precision, gram)))

    def log_likelihood(self, values: Values, eta: Array) -> float:
        """Return the log likelihood, up to a constant in the linear predictor."""
        observed, scale, degrees = self.likelihood.mixture(values)
        return float(-0.5 * (degrees + 1.0) * student_sum(observed, eta, scale, degrees))

    def chain_rule(self, theta: Array, slope: dict[int, Array], of_log_scale: Array) -> Array:
        """Return the slope in theta from those in the fields' covariances and cells' scales."""
        values, found = self.values(theta), np.zeros(len(theta))
        scales = self.likelihood.log_scale_slopes(values)
        for i in self.of_columns:
            name = self.names[i]
            up, down = (self.at(values, i, theta[i] + h) for h in (STEP, -STEP))
            for number in self.fields[i]:
                higher, lower = (self.blocks.prior(number, v).covariance for v in (up, down))
                found[i] += float(np.vdot(slope[number], higher - lower)) / (2.0 * STEP)
            if name in scales:
                pace = (up[name] - down[name]) / (2.0 * STEP)
                found[i] += pace * float(of_log_scale @ scales[name])
        return found


def own_density(joint: Joint, eta: Array, theta: Array) -> tuple[float, Array]:
    """Return the log density of theta given the linear predictor, and its gradient.

    The gradient is of the likelihood's own hyperparameters; the others stand still.
    """
    likelihood = joint.likelihood
    values = joint.values(theta)
    observed, scale, degrees = likelihood.mixture(values)
    log_scale, tail, share, of_log_scale = student_parts(observed, eta, scale, degrees)
    count = int(np.count_nonzero(joint.known))
    constant = math.lgamma(0.5 * (degrees + 1.0)) - math.lgamma(0.5 * degrees)
    value = count * (constant - 0.5 * math.log(degrees)) - log_scale - 0.5 * (degrees + 1.0) * tail
    # the slope of the constant in the degrees of freedom, and that of what follows it
    pace_of_degrees = (
        0.5
        * count
        * (
            float(special.digamma(0.5 * (degrees + 1.0)) - special.digamma(0.5 * degrees))
            - 1.0 / degrees
        )
    )
    pace_of_degrees += 0.5 * ((degrees + 1.0) / degrees * share - tail)
    found = -np.where(np.isin(np.arange(len(theta)), joint.of_likelihood), theta, 0.0)
    scales = likelihood.log_scale_slopes(values)
    for i in joint.of_likelihood:
        up, down = (joint.at(values, i, theta[i] + h) for h in (STEP, -STEP))
        if joint.tail[i]:
            more = likelihood.degrees(up) - likelihood.degrees(down)
            found[i] += pace_of_degrees * more / (2.0 * STEP)
        else:
            pace = (up[joint.names[i]] - down[joint.names[i]]) / (2.0 * STEP)
            found[i] += pace * float(of_log_scale @ scales[joint.names[i]])
    return value - 0.5 * float(theta @ theta), found


@dataclass(frozen=True)
class Given:
    """What step 2 holds fixed.

    Parameters
    ----------
    multiplier : array, shape (cell,)
        Precision multipliers; 0 where nothing was measured.
    residual : array, shape (row, column)
        Measurements less what shared fields say; 0 where nothing was measured.
    gram : dict of int to array
        Squares X R X' of the shared fields.
    """

    multiplier: Array
    residual: Array
    gram: dict[int, Array]


def given_multipliers(joint: Joint, multiplier: Array, field: Array) -> Given:
    """Return what step 2 holds fixed, from the multipliers and the field."""
    blocks = joint.blocks
    residual = np.where(joint.known, joint.measured - blocks.rest(field), 0.0)
    squares = {}
    if joint.moving - set(blocks.square):
        squares = dict(enumerate(joint.system.squares(field)))
    return Given(
        np.where(joint.known.ravel(), multiplier, 0.0),
        residual,
        {i: gram for i, gram in squares.items() if i not in blocks.square},
    )


def log_density(joint: Joint, given: Given, theta: Array) -> tuple[float, Array]:
    """Return the log density of theta that step 2 explores, and its gradient."""
    values = joint.values(theta)
    variance = joint.variance(values, given.multiplier.reshape(joint.known.shape))
    value, slope, cells = joint.blocks.density(values, given.residual, variance)
    own = theta[joint.of_columns]
    value -= 0.5 * float(own @ own)
    for number, gram in given.gram.items():
        if number not in joint.moving:
            continue
        value += joint.field_density(number, values, gram)
        precision = joint.blocks.prior(number, values).precision
        rank = joint.system.fields[number].structure.rank
        slope[number] = 0.5 * (precision @ gram @ precision - rank * precision)
    of_log_scale = 2.0 * np.where(joint.known, cells * variance, 0.0).ravel()
    found = joint.chain_rule(theta, slope, of_log_scale)
    found[joint.of_columns] -= own
    return value, found
