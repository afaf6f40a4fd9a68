"""The default engine of collapsed models: Markov chains in coordinates whitened by a Laplace approximation.

A model whose Gaussian part is integrated out has up to a thousand parameters of very different
scales and strong correlations. Step by step:

1. the mode, by L-BFGS on the compiled density;
2. the Hessian there, by differences of gradients. Parameters of different states (or regions) meet
   only through shared ones, so that one difference serves all states at once (`separable`);
3. Hamiltonian Monte Carlo on z, where x = mode + root z and root root' is the inverse of the
   Hessian's negative: nearly independent standard normals (`WhitenedChain`).

The draws have the exact posterior as their law whatever the approximation is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from remitstats.errors import RemitstatsError
from remitstats.parts.collapsed_density import CollapsedDensity, Separable

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

STEP = 1e-4  # of the differences, in units of x: gradients are accurate to about 1e-9
LEAST_CURVATURE = 1e-2  # a direction flatter than this has its prior's scale, about 1, or no scale


@dataclass(frozen=True)
class Laplace:
    """Mode and shape of a posterior.

    Parameters
    ----------
    mode : array, shape (parameter,)
        On the unconstrained scale.
    root : array, shape (parameter, parameter)
        root root' is the covariance.
    value : float
        Log density at the mode.
    log_evidence : float
        Laplace approximation of the log marginal likelihood.
    """

    mode: Array
    root: Array
    value: float
    log_evidence: float

    def draw(self, rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        """Draw from the approximation; return points and their log densities under it."""
        z = rng.standard_normal((draws, len(self.mode)))
        x = self.mode + z @ self.root.T
        size = len(self.mode)
        log_root = float(np.sum(np.log(np.abs(np.diag(self.root)))))
        log_density = -0.5 * np.sum(z**2, axis=1) - 0.5 * size * math.log(2 * math.pi) - log_root
        return x, log_density


def find_mode(
    density: CollapsedDensity, start: Array, *, iterations: int = 2000
) -> tuple[Array, float]:
    """Return the mode and the log density there.

    Raises
    ------
    RemitstatsError
        If the density is not finite at the start.
    """
    value, _ = density.gradient(start)
    if not math.isfinite(value):
        raise RemitstatsError(
            "The posterior density is not finite where the search for its mode begins: check the "
            "data for constant or absurd values."
        )

    def objective(x: Array) -> tuple[float, Array]:
        value, gradient = density.gradient(x)
        return (1e300, np.zeros_like(x)) if not math.isfinite(value) else (-value, -gradient)

    found = optimize.minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": iterations, "maxcor": 30, "ftol": 1e-10, "gtol": 1e-3},
    )
    return np.asarray(found.x), -float(found.fun)


def hessian(
    density: CollapsedDensity, x: Array, separable: Sequence[Separable] = (), cores: int = 1
) -> Array:
    """Return the Hessian at x by central differences of gradients.

    Parameters
    ----------
    density : Density
        The density.
    x : array, shape (parameter,)
        Where.
    separable : sequence of Separable
        What `separable_sets` returns: one difference moves a column of a set at once.
    cores : int
        Differences computed at once; the result does not depend on it.
    """
    size = len(x)
    single = np.ones(size, dtype=bool)
    for one in separable:
        single[one.moved] = False
    together = [np.array([i]) for i in np.flatnonzero(single)]
    source = [-1] * len(together)
    for s, one in enumerate(separable):
        together += list(one.moved.T)
        source += [s] * one.moved.shape[1]

    def difference(moved: NDArray[np.int64]) -> Array:
        step = np.zeros(size)
        step[moved] = STEP
        _, high = density.gradient(x + step)
        _, low = density.gradient(x - step)
        return (high - low) / (2.0 * STEP)

    with ThreadPoolExecutor(max_workers=cores) as pool:
        columns = list(pool.map(difference, together))
    out = np.zeros((size, size))
    for moved, s, column in zip(together, source, columns, strict=True):
        for i in moved:
            rows = single if s < 0 else separable[s].group == separable[s].group[i]
            out[rows, i] = column[rows]
            if s < 0:  # what all share meets everything; its column stands for the row too
                out[:, i] = column
                out[i, ~single] = column[~single]
            else:  # rows of groups nested in this one are found here, their own columns lack them
                inner = rows & ~single & ~np.isin(np.arange(size), separable[s].moved)
                out[i, inner] = column[inner]
    return np.asarray(0.5 * (out + out.T))


def laplace(
    density: CollapsedDensity,
    start: Array,
    separable: Sequence[Separable] = (),
    cores: int = 1,
    progress: Progress | None = None,
) -> Laplace:
    """Return the Laplace approximation of a density (see the module's text)."""
    tell = progress or (lambda _description, _fraction: None)
    tell("finding the mode", 0.0)
    mode, value = find_mode(density, start)
    tell("finding the mode", 0.6)
    curvature = -hessian(density, mode, separable, cores)
    tell("finding the mode", 1.0)
    eigenvalues, vectors = linalg.eigh(curvature)
    eigenvalues = np.maximum(eigenvalues, LEAST_CURVATURE)
    covariance = (vectors / eigenvalues) @ vectors.T
    root = linalg.cholesky(0.5 * (covariance + covariance.T), lower=True)
    log_evidence = value + 0.5 * len(mode) * math.log(2 * math.pi)
    log_evidence -= 0.5 * float(np.sum(np.log(eigenvalues)))
    return Laplace(mode, root, value, log_evidence)


@dataclass
class _State:
    z: Array
    value: float
    slope: Array  # gradient of the log density plus |z|^2 / 2: what is not Gaussian


class WhitenedChain:
    """One chain of Hamiltonian Monte Carlo in the coordinates of a Laplace approximation.

    The Gaussian part of the motion is a rotation, done exactly; only the difference between the
    density and its approximation needs kicks (Neal 2011, Handbook of MCMC, section 5.5.1). A
    density that is nearly Gaussian takes two or three of them for a nearly independent draw.

    Parameters
    ----------
    density : CollapsedDensity
        The density.
    shape : Laplace
        Mode and root of the covariance.
    seed : numpy.random.SeedSequence
        The chain's own stream.
    """

    def __init__(
        self, density: CollapsedDensity, shape: Laplace, seed: np.random.SeedSequence
    ) -> None:
        self.density, self.shape = density, shape
        self.rng = np.random.default_rng(seed)
        self.steps = 3
        for spread in (1.0, 0.5, 0.25, 0.0):  # a far start may lie where nothing is defined
            self.state = self._state(spread * self.rng.standard_normal(density.size))
            if math.isfinite(self.state.value):
                break

    def _state(self, z: Array) -> _State:
        value, gradient = self.density.gradient(self.shape.mode + self.shape.root @ z)
        return _State(z, value, self.shape.root.T @ gradient + z)

    def move(self) -> tuple[float, float, bool]:
        """Move once; return acceptance, energy and whether the move diverged."""
        state, rng = self.state, self.rng
        velocity = rng.standard_normal(len(state.z))
        before = -state.value + 0.5 * float(velocity @ velocity)
        angle = 0.5 * math.pi * rng.uniform(0.8, 1.2) / self.steps
        cos, sin = math.cos(angle), math.sin(angle)
        here = state
        for step in range(self.steps):
            velocity = velocity + (0.5 if step == 0 else 1.0) * angle * here.slope
            z = cos * here.z + sin * velocity
            velocity = cos * velocity - sin * here.z
            here = self._state(z)
            if not math.isfinite(here.value):
                return 0.0, before, True
        velocity = velocity + 0.5 * angle * here.slope
        after = -here.value + 0.5 * float(velocity @ velocity)
        error = after - before
        if not error < 1000.0:
            return 0.0, before, True
        accept = math.exp(min(0.0, -error))
        if rng.random() < accept:
            self.state = here
        return accept, after, False

    def tune(self, iterations: int, tick: Callable[[], None]) -> None:
        """Make moves that are thrown away; adapt the number of steps of a move."""
        window: list[float] = []
        for _ in range(iterations):
            accept, _, _ = self.move()
            window.append(accept)
            if len(window) == 10:
                mean = float(np.mean(window))
                if mean < 0.7:
                    self.steps = min(self.steps + 1, 64)
                elif self.steps > 1 and mean > 0.92:
                    self.steps -= 1
                window.clear()
            tick()

    def draw(self, iterations: int, tick: Callable[[], None]) -> tuple[Array, dict[str, Array]]:
        """Make moves and keep each; return unconstrained draws and statistics by draw."""
        x = np.empty((iterations, len(self.state.z)))
        stats = {
            name: np.empty(iterations) for name in ("lp", "acceptance_rate", "energy", "diverging")
        }
        for i in range(iterations):
            stats["acceptance_rate"][i], stats["energy"][i], stats["diverging"][i] = self.move()
            stats["lp"][i] = self.state.value
            x[i] = self.shape.mode + self.shape.root @ self.state.z
            tick()
        stats["diverging"] = stats["diverging"].astype(bool)
        return x, stats
