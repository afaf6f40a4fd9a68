"""The engine for heavy tails: a Student t is a normal whose precision was drawn from a gamma.

Given the precision multipliers w of all cells the model is Gaussian, and everything the sparse
engine knows holds exactly. One iteration of a chain, over w, the hyperparameters theta and the
latent field:

1. w given the linear predictor: independent gammas. Then once more, cell by cell of a column,
   with all that is the column's own integrated out (`local_blocks`): an outlier that has more
   than one explanation changes between them.
2. theta given w and the fields that columns share, all that is a column's own integrated out:
   Hamiltonian steps with the exact gradient, whitened by the curvature.
   Then those of a map, and of effects it shares variation with, once more with the map
   integrated out too (`wide_field`): random steps.
3. In every other iteration, the standard deviations of shared effects (states) given w, the
   whole field integrated out: they trade with the map, which step 2 holds fixed. Then the whole
   field given theta and w: one draw of the sparse engine, without memory.
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
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import qdldl
from numpy.typing import NDArray

from remitstats.fitting.emulator import covariance_root
from remitstats.fitting.gaussian_system import Conditional, GaussianSystem, Surrogate
from remitstats.fitting.laplace import ChainDraws
from remitstats.fitting.local_blocks import NO_DATA, factorise
from remitstats.fitting.mixture_density import (
    Given,
    Joint,
    ScaleMixture,
    draw_multiplier,
    given_multipliers,
    log_density,
    own_density,
    surrogate_of,
)
from remitstats.fitting.moves import FARTHEST, STEPS, Leap, Walk
from remitstats.fitting.surrogate import approx_gradient, newton_mode
from remitstats.fitting.wide_field import find_wide_field
from remitstats.parts.latent_gaussian import LatentGaussian, Values

__all__ = ["Chain", "Preparation", "ScaleMixture", "State", "prepare"]

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

PILOT = (10, 20, 30, *[10] * 5)  # iterations of the pilot, the curvature taken after each
KEPT = 5  # curvatures that are averaged: a single place may be an odd one
SPREAD = 1.5  # standard deviations by which chains start apart
THIN = 2  # iterations a kept draw
WALK = 3  # steps with the map integrated out
SINGLE_TARGET = 0.44  # acceptance of moves of one hyperparameter
TOO_FAR = 1000.0  # error of the energy that counts as a divergence


@dataclass
class State:
    """Where a chain is: hyperparameters, field and linear predictor."""

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
    state : State
        Where a pilot chain ended.
    columns, own : tuple of array and float
        Root of the covariance and log length of the steps of hyperparameters of the columns, and
        of the likelihood's own.
    wide : array, shape (hyperparameter, moved hyperparameter)
        Root of the covariance of those moved with the map integrated out.
    """

    joint: Joint
    state: State
    columns: tuple[Array, float]
    own: tuple[Array, float]
    wide: Array


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
    small = 0.1 * np.eye(len(joint.names))
    state = State(model.initial(), conditional.mean, conditional.eta(conditional.mean))
    start = Preparation(
        joint,
        state,
        (small[:, joint.of_columns], math.log(0.3)),
        (small[:, joint.of_likelihood], math.log(0.3)),
        small[:, joint.of_wide],
    )
    pilot = Chain(start, seed, spread=0.0)
    done = 0
    for window in PILOT:
        pilot.tune(window)
        pilot.learn_shape()
        done += window
        tell("finding the mode", done / sum(PILOT))
    return pilot.preparation()


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
        self.wide = find_wide_field(joint.blocks)
        self.of_columns, self.of_own = Leap(*preparation.columns), Leap(*preparation.own)
        self.of_wide = Walk(preparation.wide)
        self.log_groups, self.count = np.full(len(joint.names), -1.0), 0
        self.log_shared = np.full(len(joint.names), -1.0)
        self.log_length = np.full(len(joint.names), -3.0)  # of the steps of `_rescale`
        self.curvature: dict[str, deque[Array]] = {}
        self.spare: qdldl.Solver | None = None
        self.other: qdldl.Solver | None = None
        apart = self.of_columns.root @ self.rng.standard_normal(len(joint.of_columns))
        theta = preparation.state.theta + spread * apart
        self.state = replace(preparation.state, theta=theta)
        self.gain = 0.0

    def iterate(self) -> tuple[Conditional, float, float]:
        """Move once; return the field's law, the acceptance of step 2 and its energy error."""
        state, model, rng = self.state, self.model, self.rng
        multiplier = draw_multiplier(self.likelihood, model.constrain(state.theta), state.eta, rng)
        given = given_multipliers(self.joint, multiplier, state.field)
        multiplier = self.redraw(state.theta, given)
        given = replace(given, multiplier=multiplier)
        theta, accept, error = self.of_columns.move(
            state.theta, lambda t: log_density(self.joint, given, t), rng, self.gain
        )
        theta = self._move_shared(theta, given)
        if self.wide is not None:
            density = self.of_wide_density(given, state.field)
            theta = self.of_wide.move(theta, density, rng, self.gain, WALK)
        values = model.constrain(theta)
        surrogate = surrogate_of(self.likelihood, values, multiplier)
        conditional = self.system.condition(theta, surrogate, self.spare)
        self.spare = conditional.solver
        self.count += 1
        if self.count % 2 and self.joint.of_groups:
            theta, conditional = self._move_groups(theta, conditional, surrogate)
        field = conditional.field(rng.standard_normal(self.system.noise))
        eta = conditional.eta(field)
        theta, _, _ = self.of_own.move(
            theta, lambda t: own_density(self.joint, eta, t), rng, self.gain
        )
        self.state = self._rescale(State(theta, field, eta))
        return conditional, accept, error

    def _move_shared(self, theta: Array, given: Given) -> Array:
        """Move the standard deviations of shared fields, one by one, given the fields."""
        joint, rng = self.joint, self.rng
        values = self.model.constrain(theta)

        def density(at: Values, i: int) -> float:
            fields = joint.fields[i]
            return sum(joint.field_density(number, at, given.gram[number]) for number in fields)

        for i in [*joint.of_shared, *joint.of_shared]:
            t = theta[i] + math.exp(self.log_shared[i]) * rng.standard_normal()
            if abs(t) > FARTHEST:
                continue
            new = joint.at(values, i, t)
            ratio = density(new, i) - density(values, i) - 0.5 * (t**2 - theta[i] ** 2)
            accept = math.exp(min(0.0, ratio))
            self.log_shared[i] += self.gain * (accept - SINGLE_TARGET)
            if rng.random() < accept:
                theta = theta.copy()
                theta[i], values = t, new
        return theta

    def _move_groups(
        self, theta: Array, here: Conditional, surrogate: Surrogate
    ) -> tuple[Array, Conditional]:
        """Move the standard deviations of shared effects, the whole field integrated out."""
        trial = theta.copy()
        i = int(self.rng.choice(self.joint.of_groups))
        trial[i] += math.exp(self.log_groups[i]) * self.rng.standard_normal()
        if abs(trial[i]) > FARTHEST:
            return theta, here
        there = self.system.condition(trial, surrogate, self.other)
        ratio = there.log_marginal - here.log_marginal
        ratio += self.model.log_prior(trial) - self.model.log_prior(theta)
        accept = math.exp(min(0.0, ratio)) if math.isfinite(ratio) else 0.0
        self.log_groups[i] += self.gain * (accept - SINGLE_TARGET)
        if self.rng.random() < accept:
            self.spare, self.other = there.solver, here.solver
            return trial, there
        self.other = there.solver
        return theta, here

    def of_wide_density(self, given: Given, field: Array) -> Callable[[Array], float]:
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

    def redraw(self, theta: Array, given: Given) -> Array:
        """Move the multipliers with the columns' own effects integrated out."""
        blocks, rng = self.joint.blocks, self.rng
        values = self.model.constrain(theta)
        _, scale, degrees = self.likelihood.mixture(values)
        shape = given.residual.shape
        known = given.multiplier.reshape(shape) > 0
        square = np.where(known, scale.reshape(shape) ** 2, NO_DATA)
        current = np.where(known, given.multiplier.reshape(shape), 1.0)
        covariance = blocks.covariance(values, square / current)
        density = factorise(covariance).log_density(given.residual)
        for row in range(len(square)):
            trial = rng.standard_gamma(0.5 * degrees, shape[1]) / (0.5 * degrees)  # its prior
            kept = covariance[row, row].copy()
            with np.errstate(divide="ignore"):
                covariance[row, row] += square[row] * (1.0 / trial - 1.0 / current[row])
            new = factorise(covariance).log_density(given.residual)
            with np.errstate(invalid="ignore"):
                taken = (np.log(rng.random(shape[1])) < new - density) & known[row]
            current[row] = np.where(taken, trial, current[row])
            covariance[row, row] = np.where(taken, covariance[row, row], kept)
            density = np.where(taken, new, density)
        # then all of a column together: a municipality may be an outlier in every row
        log_factor = np.asarray(rng.standard_normal(shape[1]))
        scaled = np.where(known, current * np.exp(log_factor), current)
        new = factorise(blocks.covariance(values, square / scaled)).log_density(given.residual)
        count = known.sum(axis=0)
        prior = 0.5 * degrees * count * log_factor
        prior += 0.5 * degrees * np.where(known, current - scaled, 0.0).sum(axis=0)
        taken = np.log(rng.random(shape[1])) < new - density + prior
        current, density = np.where(taken, scaled, current), np.where(taken, new, density)
        return np.where(known, current, 0.0).ravel()

    def _rescale(self, state: State) -> State:
        """Move the hyperparameters of effects, their fields held fixed in units of the prior."""
        joint, model, rng = self.joint, self.model, self.rng
        theta, eta = state.theta, state.eta
        values, layers = model.constrain(theta), self.system.layers(state.field)
        layers = [layer.copy() for layer in layers]
        density = float(self.likelihood.log_density(eta, values).sum())
        for i in joint.of_effects:
            length = math.exp(self.log_length[i])
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
            self.log_length[i] += self.gain * (accept - SINGLE_TARGET)
            if rng.random() < accept:
                theta, values, eta, density = trial, new, there, density + gained
                for number, layer in changed.items():
                    layers[number] = layer
        return State(theta, np.concatenate([layer.ravel() for layer in layers]), eta)

    def learn_shape(self) -> None:
        """Whiten the steps by the mean curvature of the last places the chain has been to."""
        joint, theta = self.joint, self.state.theta
        multiplier = draw_multiplier(
            self.likelihood, self.model.constrain(theta), self.state.eta, self.rng
        )
        given = given_multipliers(joint, multiplier, self.state.field)

        def root(name: str, moved: list[int], slope: Callable[[Array], Array]) -> Array:
            def at(some: Array) -> Array:
                there = theta.copy()
                there[moved] = some
                return slope(there)[moved]

            found = np.zeros((len(theta), len(moved)))
            if moved:
                here = covariance_root(at, theta[moved])
                seen = self.curvature.setdefault(name, deque(maxlen=KEPT))
                seen.append(np.linalg.inv(here @ here.T))
                found[moved] = np.linalg.cholesky(np.linalg.inv(np.mean(seen, axis=0)))
            return found

        self.of_columns.root = root(
            "columns", joint.of_columns, lambda t: log_density(joint, given, t)[1]
        )
        eta = self.state.eta
        self.of_own.root = root("own", joint.of_likelihood, lambda t: own_density(joint, eta, t)[1])
        if self.wide is not None:
            density = self.of_wide_density(given, self.state.field)
            self.of_wide.root = root(
                "wide", joint.of_wide, lambda t: approx_gradient(density, t, 1e-3)
            )

    def preparation(self) -> Preparation:
        """Return where the chain is and what it learnt, for other chains to start from."""
        return Preparation(
            self.joint,
            self.state,
            (self.of_columns.root, self.of_columns.log_length),
            (self.of_own.root, self.of_own.log_length),
            self.of_wide.root,
        )

    def tune(self, iterations: int, tick: Callable[[], None] | None = None) -> None:
        """Run `iterations` that are thrown away; adapt lengths of steps."""
        for i in range(iterations):
            self.gain = 0.7 / (i + 2.0) ** 0.6
            self.iterate()
            if tick:
                tick()
        self.gain = 0.0

    def draw(self, iterations: int, tick: Callable[[], None] | None = None) -> ChainDraws:
        """Run `THIN` times `iterations` and keep one of so many."""
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
            for _ in range(THIN):
                conditional, out.accept_hyper[i], error = self.iterate()
                out.diverging[i] |= error > TOO_FAR
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
