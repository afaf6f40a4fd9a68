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
   gradient of D needs steps (Neal 2011, Handbook of MCMC, section 5.5.1). The steps are taken in
   the field, where each costs one sparse solve, and carried back to e at the end.

No approximation is left in the draws; R-hat, ESS and the k-hat of the theta proposals judge
them. Rue, Martino and Chopin (2009), JRSS B 71: 319-392, for the Laplace step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import qdldl
from numpy.typing import NDArray
from scipy import optimize

from remitstats.fitting.emulator import LOCAL_SHARE, Emulator, covariance_root, fit_emulator
from remitstats.fitting.gaussian_system import Conditional, GaussianSystem, Surrogate
from remitstats.fitting.surrogate import (
    approx_gradient,
    averaged_surrogate,
    log_marginal_gradient,
    newton_mode,
)
from remitstats.parts.latent_gaussian import LatentGaussian

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

AVERAGED = 1  # pairs of draws over which the difference D is averaged for the emulator
GRADIENT_DRAWS = 12  # pairs of draws over which the gradient of the marginal is averaged


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
    model: LatentGaussian,
    rng: np.random.Generator,
    progress: Progress | None = None,
    *,
    cores: int = 1,
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
    cores : int
        Densities computed at once; the result does not depend on it.
    """
    tell = progress or (lambda _description, _fraction: None)
    system = GaussianSystem(model)
    theta = model.initial()
    surrogate, _, _ = newton_mode(system, theta, model.likelihood.initial())
    noise = rng.standard_normal((GRADIENT_DRAWS, system.noise))  # common: a smooth objective
    spare: qdldl.Solver | None = None

    def objective(t: Array) -> tuple[float, Array]:
        nonlocal spare
        conditional = system.condition(t, surrogate, spare)
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
        tell("finding the mode", (round_ + 1) / (rounds + 1))
        if moved < 0.05:
            break
    root = covariance_root(lambda t: -objective(t)[1], theta)

    def log_density(t: Array, spare: qdldl.Solver | None) -> tuple[float, qdldl.Solver]:
        conditional = system.condition(t, surrogate, spare)
        center, gap = conditional.mean, 0.0
        for row in noise[:AVERAGED]:  # both signs: what is odd in the field cancels
            away = conditional.field(row) - center
            for field in (center + away, center - away):
                gap += conditional.difference(conditional.eta(field))
        value = conditional.log_marginal + model.log_prior(t) + gap / (2 * AVERAGED)
        return value, conditional.solver

    with ThreadPoolExecutor(max_workers=cores) as pool:

        def share(points: Array) -> list[float]:
            values, own = [], None
            for t in points:
                value, own = log_density(t, own)
                values.append(value)
            return values

        def log_densities(points: Array) -> Array:
            return np.concatenate(list(pool.map(share, np.array_split(points, cores))))

        emulator = fit_emulator(
            log_densities,
            theta,
            root,
            rng,
            lambda fraction: tell("emulating the hyperparameters", fraction),
        )
    return Preparation(system=system, surrogate=surrogate, emulator=emulator)


@dataclass
class _State:
    theta: Array
    noise: Array
    conditional: Conditional
    field: Array
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
        (start,) = preparation.emulator.jump.draw(self.rng, 1)
        theta = preparation.emulator.propose(start, self.rng)
        noise = self.rng.standard_normal(self.system.noise)
        self.state = self._state(theta, noise)

    def _state(self, theta: Array, noise: Array) -> _State:
        conditional = self.system.condition(theta, self.preparation.surrogate, self.spare)
        self.spare = None
        field = conditional.field(noise)
        eta = conditional.eta(field)
        return _State(theta, noise, conditional, field, eta, conditional.difference(eta))

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
        conditional, mean = state.conditional, state.conditional.mean
        kick_noise = self.rng.standard_normal(self.system.noise)
        angle = 0.5 * math.pi * self.rng.uniform(0.8, 1.2) / self.steps
        cos, sin = math.cos(angle), math.sin(angle)
        velocity = conditional.spread(kick_noise)
        position = state.field - mean
        free = position, velocity  # where it would be without force
        energy, eta = 0.0, state.eta
        for step in range(self.steps + 1):
            length = (0.5 if step in {0, self.steps} else 1.0) * angle
            slope = conditional.slope(conditional.difference_gradient(eta))
            kick = conditional.solve(slope)
            energy += length * float(velocity @ slope) + 0.5 * length**2 * float(slope @ kick)
            velocity = velocity + length * kick
            if step == self.steps:
                break
            position, velocity = cos * position + sin * velocity, cos * velocity - sin * position
            free = cos * free[0] + sin * free[1], cos * free[1] - sin * free[0]
            eta = conditional.eta(mean + position)
        difference = conditional.difference(eta)
        error = energy + state.difference - difference
        diverged = not math.isfinite(error) or error > 1000.0
        accept = 0.0 if diverged else math.exp(min(0.0, -error))
        if self.rng.random() < accept:
            cos, sin = math.cos(self.steps * angle), math.sin(self.steps * angle)
            noise = cos * state.noise + sin * kick_noise + conditional.noise(position - free[0])
            self.state = _State(state.theta, noise, conditional, mean + position, eta, difference)
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
                elif self.steps > (1 if mean > 0.999 else 2) and mean > 0.95:
                    self.steps -= 1
                window.clear()
            if tick:
                tick()

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
            effects = system.components(state.conditional, state.field, self.rng)
            out.theta[i], out.eta[i] = state.theta, state.eta
            for name, (parts, _) in model.reported.items():
                out.reported[name][i] = sum(effects[part] for part in parts)
            out.log_joint[i] = self._log_target(state) - 0.5 * float(state.noise @ state.noise)
            if tick:
                tick()
        return out
