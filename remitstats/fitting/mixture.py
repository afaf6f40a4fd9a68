"""The engine for heavy tails: a Student t is a normal whose precision was drawn from a gamma.

Given the precision multipliers w of all cells the model is Gaussian. One iteration of a chain, over
w, the hyperparameters theta and the latent field:

1. w given the linear predictor: independent gammas. Then once more, cell by cell of a column,
   with all that is the column's own integrated out (`local_blocks`): an outlier that has more
   than one explanation changes between them.
2. theta given w and the fields that columns share, all that is a column's own integrated out:
   Hamiltonian steps with the exact gradient, whitened by the curvature.
3. The hyperparameters of a map, and of effects it shares variation with, with the map and all
   else that lasts integrated out too (`wide_field`): random steps. Then the map and what lasts.
4. The hyperparameters of shared effects (intervals, states, size), these integrated out and the
   map held fixed (`shared_fields`): random steps. Then the shared effects; then the maps that rows
   have of their own, each with its standard deviation (`row_maps`); then all that is a column's
   own: draws without memory.
5. The likelihood's own hyperparameters (scales, degrees of freedom) given the linear predictor,
   w integrated out.
6. The hyperparameters of effects with the field, in units of its own prior, held fixed, w
   integrated out too: what step 2 finds narrow is wide here (Yu and Meng 2011, Journal of
   Computational and Graphical Statistics 20: 531-570, on interweaving).

No factorisation is larger than the map. Nothing is approximated but that a cell without data counts
as a measurement with a standard deviation of a thousand units (`local_blocks.NO_DATA`), which moves
nothing reported.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from remitstats.fitting.columns_kernel import redraw
from remitstats.fitting.emulator import covariance_root
from remitstats.fitting.field_moves import FieldMoves
from remitstats.fitting.gaussian_system import GaussianSystem
from remitstats.fitting.laplace import ChainDraws
from remitstats.fitting.local_blocks import NO_DATA
from remitstats.fitting.mixture_density import (
    Given,
    Joint,
    ScaleMixture,
    draw_multiplier,
    given_multipliers,
    log_density,
    own_density,
)
from remitstats.fitting.moves import FARTHEST, STEPS, Leap, Single
from remitstats.fitting.surrogate import newton_mode
from remitstats.parts.latent_gaussian import LatentGaussian

__all__ = ["Chain", "Preparation", "ScaleMixture", "State", "prepare"]

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

PILOT = (10, 20, 30, *[10] * 5)  # iterations of the pilot, the curvature taken after each
KEPT = 5  # curvatures that are averaged: a single place may be an odd one
SPREAD = 1.5  # standard deviations by which chains start apart
THIN = 2  # iterations a kept draw
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
        self.of_columns, self.of_own = Leap(*preparation.columns), Leap(*preparation.own)
        self.fields = FieldMoves(joint, preparation.wide, self.rng)
        self.of_local = [Single(i) for i in joint.of_local]
        self.curvature: dict[str, deque[Array]] = {}
        apart = self.of_columns.root @ self.rng.standard_normal(len(joint.of_columns))
        theta = preparation.state.theta + spread * apart
        self.state = replace(preparation.state, theta=theta)
        self.gain = 0.0

    def iterate(self) -> tuple[float, float]:
        """Move once; return the acceptance of step 2 and its energy error."""
        joint, state, rng = self.joint, self.state, self.rng
        values = joint.values(state.theta)
        multiplier = draw_multiplier(self.likelihood, values, state.eta, rng)
        given = given_multipliers(joint, multiplier, state.field)
        given = replace(given, multiplier=self.redraw(state.theta, given))
        theta, accept, error = self.of_columns.move(
            state.theta, lambda t: log_density(joint, given, t), rng, self.gain
        )
        self.fields.gain = self.gain
        theta, field = self.fields.redraw(theta, given.multiplier, state.field)
        eta = joint.eta(field)
        theta, _, _ = self.of_own.move(theta, lambda t: own_density(joint, eta, t), rng, self.gain)
        self.state = self._rescale(State(theta, field, eta))
        return accept, error

    def redraw(self, theta: Array, given: Given) -> Array:
        """Move the multipliers with the columns' own effects integrated out."""
        joint, rng = self.joint, self.rng
        known = joint.known
        values = self.joint.values(theta)
        _, scale, degrees = self.likelihood.mixture(values)
        square = scale.reshape(known.shape) ** 2
        current = np.where(known, given.multiplier.reshape(known.shape), 1.0)
        law = joint.blocks.law(values, np.where(known, square / current, NO_DATA))
        weighted = law.weigh(given.residual)
        trial = rng.standard_gamma(0.5 * degrees, known.shape) / (0.5 * degrees)  # its prior
        log_uniform = np.log(rng.random(known.shape))
        redraw(
            law.precision,
            law.log_determinant,
            weighted,
            square,
            known,
            current,
            trial,
            log_uniform,
        )
        density = law.log_density(given.residual)
        # then all of a column together: a municipality may be an outlier in every row
        log_factor = np.asarray(rng.standard_normal(known.shape[1]))
        scaled = current * np.exp(log_factor)
        after = joint.blocks.law(values, np.where(known, square / scaled, NO_DATA))
        new = after.log_density(given.residual)
        prior = 0.5 * degrees * known.sum(axis=0) * log_factor
        prior += 0.5 * degrees * np.where(known, current - scaled, 0.0).sum(axis=0)
        taken = np.log(rng.random(known.shape[1])) < new - density + prior
        return np.where(known, np.where(taken, scaled, current), 0.0).ravel()

    def _rescale(self, state: State) -> State:
        """Move the hyperparameters of effects, their fields held fixed in units of the prior."""
        joint, rng = self.joint, self.rng
        theta, eta = state.theta, state.eta
        values, layers = joint.values(theta), list(self.system.layers(state.field))
        density = joint.log_likelihood(values, eta)
        for single in self.of_local:
            i, t = single.number, single.trial(theta, rng)
            if abs(t) > FARTHEST:
                continue
            new = joint.at(values, i, t)
            changed, there = {}, eta.copy()
            for number in joint.fields[i]:
                before, after = (joint.blocks.prior(number, v).root for v in (values, new))
                changed[number] = (after @ np.linalg.inv(before)) @ layers[number]
                more = changed[number] - layers[number]
                there += joint.blocks.enter(number, more).ravel()
            gained = joint.log_likelihood(new, there) - density
            if single.accept(gained - 0.5 * (t**2 - theta[i] ** 2), rng, self.gain):
                theta = theta.copy()
                theta[i], values, eta, density = t, new, there, density + gained
                for number, layer in changed.items():
                    layers[number] = layer
        return State(theta, np.concatenate([layer.ravel() for layer in layers]), eta)

    def learn_shape(self) -> None:
        """Whiten the steps by the mean curvature of the last places the chain has been to."""
        joint, theta = self.joint, self.state.theta
        multiplier = draw_multiplier(
            self.likelihood, self.joint.values(theta), self.state.eta, self.rng
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
        if joint.wide is not None:
            slope = self.fields.wide_slope(given.multiplier, self.state.field)
            self.fields.of_wide.root = root("wide", joint.of_wide, slope)

    def preparation(self) -> Preparation:
        """Return where the chain is and what it learnt, for other chains to start from."""
        return Preparation(
            self.joint,
            self.state,
            (self.of_columns.root, self.of_columns.log_length),
            (self.of_own.root, self.of_own.log_length),
            self.fields.of_wide.root,
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
                out.accept_hyper[i], error = self.iterate()
                out.diverging[i] |= error > TOO_FAR
            state = self.state
            values = self.joint.values(state.theta)
            effects = system.components_at(values, state.field, self.rng)
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
