"""The default engine: Markov chains in coordinates whitened by a Laplace approximation.

Step by step:

1. Newton steps find the mode of the latent field and replace the likelihood by a Gaussian one
   with the same mode and curvature (the *surrogate*); the surrogate's marginal density of the
   few hyperparameters theta is exact and costs one sparse factorisation.
2. theta is proposed by an emulator of that marginal (`emulator`), the field is written as
   field = mean(theta) + H(theta)^-1 B(theta)' e with e standard normal.
3. What the surrogate gets wrong is a smooth, small function D(eta) = log L - log surrogate.
   Chains over (theta, e) have the exact posterior as their law: the target is
   p(theta) * surrogate marginal(theta) * Normal(e) * exp D(eta(theta, e)). theta moves by
   Metropolis-Hastings with e held fixed (the field moves along with theta); e moves by
   Hamiltonian Monte Carlo whose Gaussian part is solved exactly by rotation, so that only the
   gradient of D needs steps (Neal 2011, Handbook of MCMC, section 5.5.1).

No approximation is left in the draws; R-hat, ESS and the k-hat of the theta proposals judge
them. Rue, Martino and Chopin (2009), JRSS B 71: 319-392, for the Laplace step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import qdldl
from numpy.typing import NDArray
from scipy import optimize

from remitstats.fitting.emulator import LOCAL_SHARE, Emulator, covariance_root, fit_emulator
from remitstats.fitting.gaussian_system import Conditional, GaussianSystem
from remitstats.fitting.surrogate import (
    Surrogate,
    approx_gradient,
    averaged_surrogate,
    difference,
    log_marginal_gradient,
    newton_mode,
)
from remitstats.parts.latent_gaussian import LatentGaussian

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

AVERAGED = 1  # pairs of draws over which the difference D is averaged for the emulator


@dataclass(frozen=True)
class Preparation:
    """What every chain starts from.

    Parameters
    ----------
    system : GaussianSystem
        The prepared sparse pattern.
    surrogate : Surrogate
        Pseudo-observations at the mode.
    emulator : Emulator
        Stand-in for theta's marginal density, for proposals.
    """

    system: GaussianSystem
    surrogate: Surrogate
    emulator: Emulator


@dataclass
class ChainDraws:
    """Draws of one chain after tuning, first axis `draw`."""

    theta: Array
    eta: NDArray[np.float32]
    reported: dict[str, NDArray[np.float32]]
    log_joint: Array
    accept_field: Array
    accept_hyper: Array
    diverging: NDArray[np.bool_]
    log_ratio: Array
    steps: int


def prepare(
    model: LatentGaussian, rng: np.random.Generator, progress: Progress | None = None
) -> Preparation:
    """Find the surrogate of the likelihood and the shape of theta's distribution.

    Parameters
    ----------
    model : LatentGaussian
        Model with its data.
    rng : numpy.random.Generator
        Stream for the Monte Carlo averages.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.
    """
    system = GaussianSystem(model)
    theta = model.initial()
    surrogate, _, _ = newton_mode(system, theta, model.likelihood.initial())
    noise = rng.standard_normal((32, system.noise))  # common to all thetas: a smooth objective
    spare: qdldl.Solver | None = None

    def objective(t: Array) -> tuple[float, Array]:
        nonlocal spare
        conditional = system.condition(t, surrogate.value, surrogate.weight, spare)
        spare = conditional.solver
        value = conditional.log_marginal + model.log_prior(t)
        gradient = log_marginal_gradient(conditional, t, noise)
        gradient += approx_gradient(model.log_prior, t)
        if not (math.isfinite(value) and np.all(np.isfinite(gradient))):
            return 1e300, np.zeros_like(t)
        return -value, -gradient

    rounds = 5
    for round_ in range(rounds):
        found = optimize.minimize(
            objective,
            theta,
            jac=True,
            method="L-BFGS-B",
            bounds=[(t - 1.5, t + 1.5) for t in theta],
            options={"maxiter": 15, "ftol": 1e-8},
        )
        moved = float(np.max(np.abs(found.x - theta)))
        theta = np.asarray(found.x)
        surrogate = averaged_surrogate(system, theta, surrogate, rng)
        if progress:
            progress("finding the mode", (round_ + 1) / (rounds + 1))
        if moved < 0.02:
            break
    root = covariance_root(lambda t: -objective(t)[1], theta)

    def log_density(t: Array) -> float:
        nonlocal spare
        conditional = system.condition(t, surrogate.value, surrogate.weight, spare)
        spare = conditional.solver
        center, gap = conditional.mean, 0.0
        for row in noise[:AVERAGED]:  # both signs: what is odd in the field cancels
            away = conditional.field(row) - center
            for field in (center + away, center - away):
                gap += difference(model.likelihood, surrogate, conditional.eta(field))
        return conditional.log_marginal + model.log_prior(t) + gap / (2 * AVERAGED)

    if progress:
        progress("emulating the hyperparameters", 0.0)
    emulator = fit_emulator(log_density, theta, root, rng)
    if progress:
        progress("emulating the hyperparameters", 1.0)
    return Preparation(system=system, surrogate=surrogate, emulator=emulator)


@dataclass
class _State:
    theta: Array
    noise: Array
    conditional: Conditional
    eta: Array
    difference: float


class Chain:
    """One chain over (theta, e); see the module's text.

    Parameters
    ----------
    preparation : Preparation
        Mode, surrogate and proposal shape.
    seed : numpy.random.SeedSequence
        The chain's own stream.
    """

    def __init__(self, preparation: Preparation, seed: np.random.SeedSequence) -> None:
        self.preparation = preparation
        self.system = preparation.system
        self.model = preparation.system.model
        self.rng = np.random.default_rng(seed)
        self.steps = 3
        self.spare: qdldl.Solver | None = None
        start = preparation.emulator.jump.draw(self.rng)
        theta = preparation.emulator.propose(start, self.rng)
        noise = self.rng.standard_normal(self.system.noise)
        self.state = self._state(theta, noise)

    def _difference_gradient(self, eta: Array) -> Array:
        surrogate = self.preparation.surrogate
        slope = -surrogate.weight * (eta - surrogate.value)
        return self.model.likelihood.gradient(eta) - slope

    def _state(self, theta: Array, noise: Array) -> _State:
        surrogate = self.preparation.surrogate
        conditional = self.system.condition(theta, surrogate.value, surrogate.weight, self.spare)
        self.spare = None
        eta = conditional.eta(conditional.field(noise))
        return _State(
            theta,
            noise,
            conditional,
            eta,
            difference(self.model.likelihood, self.preparation.surrogate, eta),
        )

    def _log_target(self, state: _State) -> float:
        return self.model.log_prior(state.theta) + state.conditional.log_marginal + state.difference

    def move_hyper(self) -> tuple[float, float]:
        """Move theta with the noise held fixed; return acceptance and log importance ratio."""
        state, emulator = self.state, self.preparation.emulator
        local = self.rng.random() < LOCAL_SHARE
        move = emulator.local_step if local else emulator.propose
        candidate = self._state(move(state.theta, self.rng), state.noise)
        log_ratio = self._log_target(candidate) - self._log_target(state)
        importance = math.nan
        if not local:
            emulated = emulator.log_density(candidate.theta)
            log_ratio += emulator.log_density(state.theta) - emulated
            # the difference at the current noise makes candidates comparable
            importance = self._log_target(candidate) - state.difference - emulated
        accept = math.exp(min(0.0, log_ratio)) if math.isfinite(log_ratio) else 0.0
        if self.rng.random() < accept:
            self.spare = state.conditional.solver
            self.state = candidate
        else:
            self.spare = candidate.conditional.solver
        return accept, importance

    def move_field(self) -> tuple[float, bool]:
        """Move the noise by rotation and kicks; return acceptance and whether it diverged."""
        state = self.state
        conditional = state.conditional
        momentum = self.rng.standard_normal(self.system.noise)
        angle = 0.5 * math.pi * self.rng.uniform(0.8, 1.2) / self.steps
        cos, sin = math.cos(angle), math.sin(angle)
        noise, eta = state.noise, state.eta
        start = 0.5 * float(momentum @ momentum) + 0.5 * float(noise @ noise) - state.difference
        kick = conditional.pull_back(self._difference_gradient(eta))
        momentum = momentum + 0.5 * angle * kick
        for step in range(self.steps):
            noise, momentum = cos * noise + sin * momentum, cos * momentum - sin * noise
            eta = conditional.eta(conditional.field(noise))
            kick = conditional.pull_back(self._difference_gradient(eta))
            momentum = momentum + (0.5 if step == self.steps - 1 else 1.0) * angle * kick
        gap = difference(self.model.likelihood, self.preparation.surrogate, eta)
        end = 0.5 * float(momentum @ momentum) + 0.5 * float(noise @ noise) - gap
        error = end - start
        diverged = not math.isfinite(error) or error > 1000.0
        accept = 0.0 if diverged else math.exp(min(0.0, -error))
        if self.rng.random() < accept:
            self.state = _State(state.theta, noise, conditional, eta, gap)
        return accept, diverged

    def tune(self, iterations: int, tick: Callable[[], None] | None = None) -> None:
        """Run `iterations` that are thrown away; adapt the number of steps of the field's moves."""
        window: list[float] = []
        for _ in range(iterations):
            self.move_hyper()
            accept, _ = self.move_field()
            window.append(accept)
            if len(window) == 10:
                mean = float(np.mean(window))
                if mean < 0.75:
                    self.steps = min(self.steps + 1, 30)
                elif mean > 0.95 and self.steps > 2:
                    self.steps -= 1
                window.clear()
            if tick:
                tick()

    def draw(self, iterations: int, tick: Callable[[], None] | None = None) -> ChainDraws:
        """Run `iterations` and keep each."""
        model, system = self.model, self.system
        names = {c.name: i for i, c in enumerate(model.components)}
        out = ChainDraws(
            theta=np.empty((iterations, len(model.hyperparameters))),
            eta=np.empty((iterations, model.cells), dtype=np.float32),
            reported={
                name: np.empty((iterations, system.size[names[parts[0]]]), dtype=np.float32)
                for name, (parts, _) in model.reported.items()
            },
            log_joint=np.empty(iterations),
            accept_field=np.empty(iterations),
            accept_hyper=np.empty(iterations),
            diverging=np.zeros(iterations, dtype=bool),
            log_ratio=np.full(iterations, np.nan),
            steps=self.steps,
        )
        for i in range(iterations):
            out.accept_hyper[i], out.log_ratio[i] = self.move_hyper()
            out.accept_field[i], out.diverging[i] = self.move_field()
            state = self.state
            field = system.split(state.conditional.field(state.noise))
            out.theta[i], out.eta[i] = state.theta, state.eta
            for name, (parts, _) in model.reported.items():
                out.reported[name][i] = sum(field[part] for part in parts)
            out.log_joint[i] = self._log_target(state) - 0.5 * float(state.noise @ state.noise)
            if tick:
                tick()
        return out
