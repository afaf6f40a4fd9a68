"""The law of a heavy-tailed model in parts: what the moves of its engine explore.

See `mixture` for the engine. `Joint` knows which hyperparameters each part depends on;
`log_density` is their law given the multipliers with all that is a column's own integrated out,
`own_density` that of the likelihood's own with the multipliers integrated out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from remitstats.fitting.gaussian_system import GaussianSystem, Surrogate
from remitstats.fitting.local_blocks import NO_DATA, LocalBlocks
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

    def log_density(self, eta: Array, values: Values) -> Array:
        """Return the log density of every cell, the multipliers integrated out."""


def surrogate_of(likelihood: ScaleMixture, values: Values, multiplier: Array) -> Surrogate:
    """Return the Gaussian measurements that the cells are given their multipliers."""
    observed, scale, _ = likelihood.mixture(values)
    known = np.isfinite(observed)
    return Surrogate(
        np.where(known, observed, 0.0), np.where(known, multiplier / scale**2, 0.0), scale
    )


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
    """

    def __init__(self, system: GaussianSystem) -> None:
        self.system, self.model = system, system.model
        self.names = list(self.model.hyperparameters)
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
        self.of_effects = [i for i in range(size) if self.fields[i]]
        wide = find_wide_field(self.blocks)
        local = set(self.blocks.square)
        self.of_shared = [
            i for i in self.of_effects if not local & set(self.fields[i]) and not self.tail[i]
        ]
        self.of_groups = [
            i
            for i in self.of_shared
            if any(
                system.fields[n].structure.size > 1 and n in self.fields[i]
                for n in range(len(base))
            )
            and not (wide and wide.number in self.fields[i])
        ]
        self.of_columns: list[int] = [
            i for i in range(size) if i not in self.of_shared and not self.tail[i]
        ]
        self.of_wide = [i for i in self.of_effects if wide and wide.number in self.fields[i]]
        near = {number for i in self.of_wide for number in self.fields[i]}
        self.of_wide += [
            i for i in self.of_effects if i not in self.of_wide and near & set(self.fields[i])
        ]
        self.moving = {n for i in self.of_columns for n in self.fields[i]}

    def at(self, values: Values, i: int, t: float) -> dict[str, float]:
        """Return values with hyperparameter i at its unconstrained t."""
        name = self.names[i]
        return {**values, name: self.model.hyperparameters[name].constrain(t)}

    def field_density(self, number: int, values: Values, gram: Array) -> float:
        """Return the log prior density of a field with the given squares X R X'."""
        f = self.system.fields[number]
        lower = np.linalg.cholesky(f.covariance(values))
        inverse = np.linalg.inv(lower)
        determinant = f.structure.rank * float(np.sum(np.log(np.diag(lower))))
        return -determinant - 0.5 * float(np.sum((inverse @ gram) * inverse))

    def chain_rule(self, theta: Array, slope: dict[int, Array], of_log_scale: Array) -> Array:
        """Return the slope in theta from those in the fields' covariances and cells' scales."""
        values, found = self.model.constrain(theta), np.zeros(len(theta))
        scales = self.likelihood.log_scale_slopes(values)
        for i in self.of_columns:
            name = self.names[i]
            up, down = (self.at(values, i, theta[i] + h) for h in (STEP, -STEP))
            for number in self.fields[i]:
                f = self.system.fields[number]
                change = f.covariance(up) - f.covariance(down)
                found[i] += float(np.sum(slope[number] * change)) / (2.0 * STEP)
            if name in scales:
                pace = (up[name] - down[name]) / (2.0 * STEP)
                found[i] += pace * float(of_log_scale @ scales[name])
        return found


def own_density(joint: Joint, eta: Array, theta: Array) -> tuple[float, Array]:
    """Return the log density of theta given the linear predictor, and its gradient.

    The gradient is of the likelihood's own hyperparameters; the others stand still.
    """
    likelihood = joint.likelihood
    values = joint.model.constrain(theta)
    observed, scale, degrees = likelihood.mixture(values)
    known = np.isfinite(observed)
    square = np.where(known, ((observed - eta) / scale) ** 2, 0.0)
    of_log_scale = np.where(known, (degrees + 1.0) * square / (degrees + square) - 1.0, 0.0)
    found = -np.where(np.isin(np.arange(len(theta)), joint.of_likelihood), theta, 0.0)
    scales = likelihood.log_scale_slopes(values)
    for i in joint.of_likelihood:
        up, down = (joint.at(values, i, theta[i] + h) for h in (STEP, -STEP))
        if joint.tail[i]:
            higher, lower = (float(likelihood.log_density(eta, v).sum()) for v in (up, down))
            found[i] += (higher - lower) / (2.0 * STEP)
        else:
            pace = (up[joint.names[i]] - down[joint.names[i]]) / (2.0 * STEP)
            found[i] += pace * float(of_log_scale @ scales[joint.names[i]])
    value = float(likelihood.log_density(eta, values).sum()) - 0.5 * float(theta @ theta)
    return value, found


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
    observed = joint.likelihood.mixture(joint.model.constrain(np.zeros(len(joint.names))))[0]
    blocks = joint.blocks
    shape = (blocks.rows, blocks.columns)
    known = np.isfinite(observed)
    residual = (observed - joint.model.offset).reshape(shape) - blocks.rest(field)
    squares = joint.system.squares(field)
    return Given(
        np.where(known, multiplier, 0.0),
        np.where(known.reshape(shape), residual, 0.0),
        {i: gram for i, gram in enumerate(squares) if i not in blocks.square},
    )


def log_density(joint: Joint, given: Given, theta: Array) -> tuple[float, Array]:
    """Return the log density of theta that step 2 explores, and its gradient."""
    values = joint.model.constrain(theta)
    scale = joint.likelihood.mixture(values)[1]
    known = given.multiplier > 0
    variance = np.where(known, scale**2 / np.where(known, given.multiplier, 1.0), NO_DATA)
    shape = given.residual.shape
    value, slope, cells = joint.blocks.density(values, given.residual, variance.reshape(shape))
    own = theta[joint.of_columns]
    value -= 0.5 * float(own @ own)
    for number, gram in given.gram.items():
        if number not in joint.moving:
            continue
        f = joint.system.fields[number]
        value += joint.field_density(number, values, gram)
        precision = np.linalg.inv(f.covariance(values))
        slope[number] = 0.5 * (precision @ gram @ precision - f.structure.rank * precision)
    of_log_scale = 2.0 * np.where(known, cells.ravel() * variance, 0.0)
    found = joint.chain_rule(theta, slope, of_log_scale)
    found[joint.of_columns] -= own
    return value, found
