"""The engine for heavy tails: a Student t is a normal whose precision was drawn from a gamma.

Given the precision multipliers w of all cells the model is Gaussian, and everything the sparse
engine knows holds exactly. One iteration of a chain, over w, the hyperparameters theta and the
latent field:

1. w given the linear predictor: independent gammas.
2. theta given w and the fields that columns share, all that is a column's own integrated out
   (`local_blocks`): Hamiltonian steps with the exact gradient, whitened by the curvature.
   Then those of a map, and of effects it shares variation with, once more with the map
   integrated out too (`wide_field`): random steps.
3. The whole field given theta and w: one draw of the sparse engine, without memory.
4. The likelihood's own hyperparameters (scales, degrees of freedom) given the linear predictor,
   w integrated out.
5. The hyperparameters of effects with the field, in units of its own prior, held fixed, w
   integrated out too: what step 2 finds narrow is wide here (Yu and Meng 2011, Journal of
   Computational and Graphical Statistics 20: 531-570, on interweaving).

Nothing is approximated but that a cell without data counts as a measurement with a standard
deviation of a thousand units (`gaussian_system.LEAST_WEIGHT`), which moves nothing reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import qdldl
from numpy.typing import NDArray

from remitstats.fitting.emulator import covariance_root
from remitstats.fitting.gaussian_system import Conditional, GaussianSystem, Surrogate
from remitstats.fitting.laplace import ChainDraws
from remitstats.fitting.local_blocks import NO_DATA, LocalBlocks
from remitstats.fitting.surrogate import approx_gradient, newton_mode
from remitstats.fitting.wide_field import find_wide_field
from remitstats.parts.latent_gaussian import LatentGaussian, Values

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

PILOT = (10, 20, 30, 60)  # iterations of the pilot, its shape learnt after each
SPREAD = 1.5  # standard deviations by which chains start apart
STEPS = 4  # leapfrog steps of step 2
TARGET = 0.8  # their acceptance
WALK = 4  # steps with the map integrated out
WALK_TARGET = 0.3  # their acceptance
SINGLE_TARGET = 0.44  # acceptance of moves of one hyperparameter
STEP = 1e-5  # of the differences that give slopes of cheap functions
FARTHEST = 12.0  # in prior standard deviations: nothing lies there, and arithmetic breaks down
TOO_FAR = 1000.0  # error of the energy that counts as a divergence


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
        self.blocks = LocalBlocks(system)
        wide = find_wide_field(self.blocks)
        self.of_wide = [i for i in self.of_effects if wide and wide.number in self.fields[i]]
        near = {number for i in self.of_wide for number in self.fields[i]}
        self.of_wide += [
            i for i in self.of_effects if i not in self.of_wide and near & set(self.fields[i])
        ]

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
        for i, name in enumerate(self.names):
            up, down = (self.at(values, i, theta[i] + h) for h in (STEP, -STEP))
            for number in self.fields[i]:
                f = self.system.fields[number]
                change = f.covariance(up) - f.covariance(down)
                found[i] += float(np.sum(slope[number] * change)) / (2.0 * STEP)
            if name in scales:
                change = (up[name] - down[name]) / (2.0 * STEP)
                found[i] += change * float(of_log_scale @ scales[name])
        return found


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
    value -= 0.5 * float(theta @ theta)
    for number, gram in given.gram.items():
        f = joint.system.fields[number]
        value += joint.field_density(number, values, gram)
        precision = np.linalg.inv(f.covariance(values))
        slope[number] = 0.5 * (precision @ gram @ precision - f.structure.rank * precision)
    of_log_scale = 2.0 * np.where(known, cells.ravel() * variance, 0.0)
    return value, joint.chain_rule(theta, slope, of_log_scale) - theta


@dataclass
class _State:
    theta: Array
    field: Array
    eta: Array


@dataclass(frozen=True)
class Preparation:
    """What every chain starts from.

    Parameters
    ----------
    joint : Joint
        The prepared model.
    state : _State
        Where a pilot chain ended.
    root : array, shape (hyperparameter, free hyperparameter)
        Root of the inverse curvature there, of those that step 2 moves.
    log_step : float
        Logarithm of the length of the pilot's steps.
    wide_root : array, shape (hyperparameter, moved hyperparameter)
        Root of the covariance of those moved with the map integrated out.
    """

    joint: Joint
    state: _State
    root: Array
    log_step: float
    wide_root: Array


def prepare(
    model: LatentGaussian, seed: np.random.SeedSequence, progress: Progress | None = None
) -> Preparation:
    """Prepare the sparse pattern and run a pilot chain to where the posterior has its mass.

    Parameters
    ----------
    model : LatentGaussian
        Model whose likelihood is a `ScaleMixture`; its effects enter all cells alike.
    seed : numpy.random.SeedSequence
        Of the pilot.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.
    """
    tell = progress or (lambda _description, _fraction: None)
    system = GaussianSystem(model)
    joint = Joint(system)
    _, conditional, _ = newton_mode(system, model.initial(), model.likelihood.initial())
    size, free = len(joint.names), np.flatnonzero(~joint.tail)
    small = 0.1 * np.eye(size)
    state = _State(model.initial(), conditional.mean, conditional.eta(conditional.mean))
    pilot = Chain(
        Preparation(joint, state, small[:, free], math.log(0.3), small[:, joint.of_wide]),
        seed,
        spread=0.0,
    )
    for window in PILOT:
        pilot.tune(window)
        pilot.learn_shape()
        tell("finding the mode", sum(PILOT[: PILOT.index(window) + 1]) / sum(PILOT))
    return Preparation(joint, pilot.state, pilot.root, pilot.log_step, pilot.wide_root)


class Sweep:
    """Moves of single hyperparameters by a density that is cheap, with lengths that adapt.

    Parameters
    ----------
    index : sequence of int
        Positions of the hyperparameters that are moved.
    """

    def __init__(self, index: Sequence[int], length: Array) -> None:
        self.index = list(index)
        self.log_length = np.log(length)

    def move(
        self,
        theta: Array,
        density: Callable[[Array, int], float],
        rng: np.random.Generator,
        gain: float,
    ) -> Array:
        """Return theta after one pass; lengths adapt by `gain`, 0 for not.

        `density` gives what depends on hyperparameter i of the log likelihood of theta, whose
        prior is standard normal.
        """
        for i in self.index:
            trial = theta.copy()
            trial[i] += math.exp(self.log_length[i]) * rng.standard_normal()
            gained = density(trial, i) - density(theta, i)
            gained -= 0.5 * (trial[i] ** 2 - theta[i] ** 2)
            accept = math.exp(min(0.0, gained)) if math.isfinite(gained) else 0.0
            self.log_length[i] += gain * (accept - SINGLE_TARGET)
            if rng.random() < accept:
                theta = trial
        return theta


class Chain:
    """One chain; see the module's text.

    Parameters
    ----------
    preparation : Preparation
        Sparse pattern and start.
    seed : numpy.random.SeedSequence
        The chain's own stream.
    """

    def __init__(
        self, preparation: Preparation, seed: np.random.SeedSequence, *, spread: float = SPREAD
    ) -> None:
        joint = self.joint = preparation.joint
        self.system, self.model, self.likelihood = joint.system, joint.model, joint.likelihood
        self.rng = np.random.default_rng(seed)
        self.free = np.flatnonzero(~joint.tail)
        self.root, self.log_step = preparation.root, preparation.log_step
        self.wide, self.wide_root = find_wide_field(joint.blocks), preparation.wide_root
        self.log_wide = math.log(2.4 / math.sqrt(max(1, len(joint.of_wide))))
        sd = np.maximum(np.sqrt(np.sum(self.root**2, axis=1)), 0.05)
        self.of_likelihood, self.of_effects = (
            Sweep(joint.of_likelihood, sd),
            Sweep(joint.of_effects, sd),
        )
        self.spare: qdldl.Solver | None = None
        apart = self.root @ self.rng.standard_normal(len(self.free))
        theta = preparation.state.theta + spread * apart
        self.state = replace(preparation.state, theta=theta)
        self.gain = 0.0

    def iterate(self) -> tuple[Conditional, float, float]:
        """Move once; return the field's law, the acceptance of step 2 and its energy error."""
        state, model, rng = self.state, self.model, self.rng
        multiplier = draw_multiplier(self.likelihood, model.constrain(state.theta), state.eta, rng)
        given = given_multipliers(self.joint, multiplier, state.field)
        theta, accept, error = self._leap(state.theta, given)
        self.log_step += self.gain * (accept - TARGET)
        theta = self._walk(theta, given, state.field)
        values = model.constrain(theta)
        surrogate = surrogate_of(self.likelihood, values, multiplier)
        conditional = self.system.condition(theta, surrogate, self.spare)
        self.spare = conditional.solver
        field = conditional.field(rng.standard_normal(self.system.noise))
        eta = conditional.eta(field)
        theta = self.of_likelihood.move(
            theta,
            lambda t, _i: float(self.likelihood.log_density(eta, model.constrain(t)).sum()),
            rng,
            self.gain,
        )
        self.state = self._rescale(_State(theta, field, eta))
        return conditional, accept, error

    def _leap(self, theta: Array, given: Given) -> tuple[Array, float, float]:
        """Take Hamiltonian steps; return theta, the acceptance and the error of the energy."""
        rng, root = self.rng, self.root
        step = math.exp(self.log_step) * rng.uniform(0.8, 1.2)
        velocity = rng.standard_normal(root.shape[1])
        value, slope = log_density(self.joint, given, theta)
        energy = 0.5 * float(velocity @ velocity) - value
        place = theta
        for _ in range(STEPS):
            velocity = velocity + 0.5 * step * (root.T @ slope)
            place = place + step * (root @ velocity)
            if np.any(np.abs(place) > FARTHEST):
                return theta, 0.0, math.inf
            try:
                value, slope = log_density(self.joint, given, place)
            except np.linalg.LinAlgError:
                return theta, 0.0, math.inf
            velocity = velocity + 0.5 * step * (root.T @ slope)
        error = 0.5 * float(velocity @ velocity) - value - energy
        if not math.isfinite(error):
            return theta, 0.0, math.inf
        accept = math.exp(min(0.0, -error))
        return (place if rng.random() < accept else theta), accept, error

    def _of_wide(self, given: Given, field: Array) -> Callable[[Array], float]:
        """Return the log density of theta with the map integrated out."""
        assert self.wide is not None  # noqa: S101 - only asked for where there is a map
        wide, joint = self.wide, self.joint
        known = given.multiplier.reshape(given.residual.shape) > 0
        residual = np.where(known, given.residual + wide.rest(field), 0.0)
        multiplier = np.where(known, given.multiplier.reshape(known.shape), 1.0)

        def density(theta: Array) -> float:
            scale = joint.likelihood.mixture(joint.model.constrain(theta))[1]
            variance = np.where(known, scale.reshape(known.shape) ** 2 / multiplier, NO_DATA)
            return wide.log_density(theta, residual, variance) - 0.5 * float(theta @ theta)

        return density

    def _walk(self, theta: Array, given: Given, field: Array) -> Array:
        """Take random steps in the hyperparameters of the map, the map integrated out."""
        if self.wide is None:
            return theta
        density, rng = self._of_wide(given, field), self.rng
        value = density(theta)
        for _ in range(WALK):
            kick = rng.standard_normal(self.wide_root.shape[1])
            trial = theta + math.exp(self.log_wide) * (self.wide_root @ kick)
            new = density(trial) if np.all(np.abs(trial) < FARTHEST) else -math.inf
            accept = math.exp(min(0.0, new - value))
            self.log_wide += self.gain * (accept - WALK_TARGET)
            if rng.random() < accept:
                theta, value = trial, new
        return theta

    def _rescale(self, state: _State) -> _State:
        """Move the hyperparameters of effects, their fields held fixed in units of the prior."""
        joint, model, rng = self.joint, self.model, self.rng
        theta, eta = state.theta, state.eta
        values, layers = model.constrain(theta), self.system.layers(state.field)
        layers = [layer.copy() for layer in layers]
        density = float(self.likelihood.log_density(eta, values).sum())
        for i in self.of_effects.index:
            length = math.exp(self.of_effects.log_length[i])
            trial = theta.copy()
            trial[i] += length * rng.standard_normal()
            new = joint.at(values, i, trial[i])
            changed, there = {}, eta.copy()
            for number in joint.fields[i]:
                f = self.system.fields[number]
                before, after = (np.linalg.cholesky(f.covariance(v)) for v in (values, new))
                changed[number] = after @ np.linalg.solve(before, layers[number])
                more = changed[number] - layers[number]
                there += (f.basis @ np.asarray(f.columns @ more.T).T).ravel()
            gained = float(self.likelihood.log_density(there, new).sum()) - density
            ratio = gained - 0.5 * (trial[i] ** 2 - theta[i] ** 2)
            accept = math.exp(min(0.0, ratio)) if math.isfinite(ratio) else 0.0
            self.of_effects.log_length[i] += self.gain * (accept - SINGLE_TARGET)
            if rng.random() < accept:
                theta, values, eta, density = trial, new, there, density + gained
                for number, layer in changed.items():
                    layers[number] = layer
        return _State(theta, np.concatenate([layer.ravel() for layer in layers]), eta)

    def learn_shape(self) -> None:
        """Take the curvature where the chain is as what step 2 is whitened by."""
        joint, state = self.joint, self.state
        values = self.model.constrain(state.theta)
        multiplier = draw_multiplier(self.likelihood, values, state.eta, self.rng)
        given = given_multipliers(joint, multiplier, state.field)

        def slope(free: Array) -> Array:
            theta = state.theta.copy()
            theta[self.free] = free
            return log_density(joint, given, theta)[1][self.free]

        if self.wide is not None:
            density, moved = self._of_wide(given, state.field), joint.of_wide

            def wide_slope(some: Array) -> Array:
                def at(free: Array) -> float:
                    theta = state.theta.copy()
                    theta[moved] = free
                    return density(theta)

                return approx_gradient(at, some, 1e-3)

            self.wide_root = np.zeros((len(state.theta), len(moved)))
            self.wide_root[moved] = covariance_root(wide_slope, state.theta[moved])
        self.root = np.zeros((len(state.theta), len(self.free)))
        self.root[self.free] = covariance_root(slope, state.theta[self.free])

    def tune(self, iterations: int, tick: Callable[[], None] | None = None) -> None:
        """Run `iterations` that are thrown away; adapt lengths of steps."""
        for i in range(iterations):
            self.gain = 0.7 / (i + 2.0) ** 0.6
            self.iterate()
            if tick:
                tick()
        self.gain = 0.0

    def draw(self, iterations: int, tick: Callable[[], None] | None = None) -> ChainDraws:
        """Run `iterations` and keep each."""
        model, system = self.model, self.system
        size = {c.name: c.size for c in model.components}
        out = ChainDraws(
            theta=np.empty((iterations, len(model.hyperparameters))),
            eta=np.empty((iterations, model.cells), dtype=np.float32),
            reported={
                name: np.empty((iterations, size[parts[0]]), dtype=np.float32)
                for name, (parts, _) in model.reported.items()
            },
            log_joint=np.empty(iterations),
            accept_field=np.ones(iterations),
            accept_hyper=np.empty(iterations),
            diverging=np.zeros(iterations, dtype=bool),
            log_ratio=np.full(iterations, np.nan),
            steps=STEPS,
        )
        for i in range(iterations):
            conditional, out.accept_hyper[i], error = self.iterate()
            out.diverging[i] = error > TOO_FAR
            state = self.state
            values = model.constrain(state.theta)
            # the parts of a field follow the hyperparameters that the last moves left
            effects = system.components(replace(conditional, values=values), state.field, self.rng)
            out.theta[i], out.eta[i] = state.theta, state.eta
            out.log_joint[i] = self.likelihood.log_density(state.eta, values).sum()
            out.log_joint[i] += model.log_prior(state.theta) + sum(
                self.joint.field_density(number, values, gram)
                for number, gram in enumerate(system.squares(state.field))
            )
            for name, (parts, _) in model.reported.items():
                out.reported[name][i] = sum(effects[part] for part in parts)
            if tick:
                tick()
        return out
