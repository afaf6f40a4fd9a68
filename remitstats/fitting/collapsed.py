"""The default engine of collapsed models: Markov chains in whitened coordinates.

A model whose Gaussian part is integrated out has up to a thousand parameters of very different
scales and strong correlations. Step by step:

1. the mode given the standard deviations of pooled effects, by L-BFGS, and these by EM;
2. the Hessian there, by differences of gradients. Parameters of different states (or regions) meet
   only through shared ones, so that one difference serves all states at once (`separable`);
3. Hamiltonian Monte Carlo on z, where x = mode + root z and root root' is the inverse of the
   Hessian's negative: nearly independent standard normals (`WhitenedChain`);
4. after tuning, mean and covariance that the chains have shown take the place of the
   approximation's (`reshaped`), for the posterior may be wider than the curvature at its mode says.

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

STEP = 1e-5  # of the differences, in units of x: gradients are accurate to about 1e-9
FIRST_CLIMB, NEXT_CLIMB = 150, 60  # iterations before the first shape is known, and with one
ROUNDS = 12
SETTLED = 0.03  # move of the logarithms of standard deviations that ends the rounds
LEAST_VARIANCE = 0.01  # of a direction: chains that hardly moved must not make it vanish
WORTH = 3.0  # points of a chain that tell as much as one independent point
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


def climb(
    density: CollapsedDensity,
    start: Array,
    free: NDArray[np.int64],
    root: Array,
    *,
    iterations: int,
) -> tuple[Array, float, bool]:
    """Climb towards the mode of some parameters, the others held, in coordinates scaled by `root`.

    Returns
    -------
    x : array, shape (parameter,)
        Where it ended.
    value : float
        Log density there.
    arrived : bool
        Whether the climb ended by itself.

    Raises
    ------
    RemitstatsError
        If the density is not finite at the start.
    """
    if not math.isfinite(density.gradient(start)[0]):
        raise RemitstatsError(
            "The posterior density is not finite where the search for its mode begins: check the "
            "data for constant or absurd values."
        )

    def at(w: Array) -> Array:
        x = start.copy()
        x[free] += root @ w
        return x

    def objective(w: Array) -> tuple[float, Array]:
        value, gradient = density.gradient(at(w))
        if not math.isfinite(value):
            return 1e300, np.zeros_like(w)
        return -value, -root.T @ gradient[free]

    found = optimize.minimize(
        objective,
        np.zeros(len(free)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": iterations, "maxcor": 20, "ftol": 1e-11, "gtol": 1e-2},
    )
    return at(found.x), -float(found.fun), found.nit < iterations


def hessian(
    density: CollapsedDensity,
    x: Array,
    separable: Sequence[Separable] = (),
    skipped: NDArray[np.int64] | None = None,
    cores: int = 1,
) -> Array:
    """Return the Hessian at x by differences of gradients.

    Parameters
    ----------
    density : Density
        The density.
    x : array, shape (parameter,)
        Where.
    separable : sequence of Separable
        One difference moves a column of a set at once.
    skipped : array of int, optional
        Parameters whose rows and columns are not wanted; zero in the result.
    cores : int
        Differences computed at once; the result does not depend on it.
    """
    size = len(x)
    single = np.ones(size, dtype=bool)
    for one in separable:
        single[one.moved] = False
    wanted = single.copy()
    if skipped is not None:
        wanted[skipped] = False
    together = [np.array([i]) for i in np.flatnonzero(wanted)]
    source = [-1] * len(together)
    for s, one in enumerate(separable):
        together += list(one.moved.T)
        source += [s] * one.moved.shape[1]

    _, here = density.gradient(x)

    def difference(moved: NDArray[np.int64]) -> Array:
        step = np.zeros(size)
        step[moved] = STEP
        return np.asarray((density.gradient(x + step)[1] - here) / STEP)

    with ThreadPoolExecutor(max_workers=cores) as pool:
        columns = list(pool.map(difference, together))
    out = np.zeros((size, size))
    for moved, s, column in zip(together, source, columns, strict=True):
        for i in moved:
            rows = single if s < 0 else separable[s].group == separable[s].group[i]
            out[rows, i] = column[rows]
            if s < 0:  # what all share meets everything; its column stands for the row too
                out[:, i] = column
                out[i, ~wanted] = column[~wanted]
            else:  # rows of groups nested in this one are found here, their own columns lack them
                inner = rows & ~single & ~np.isin(np.arange(size), separable[s].moved)
                out[i, inner] = column[inner]
    return np.asarray(out)


def laplace(
    density: CollapsedDensity,
    cores: int = 1,
    progress: Progress | None = None,
    start: Array | None = None,
    near: Laplace | None = None,
) -> Laplace:
    """Return the centre and shape of a posterior (see the module's text).

    The joint mode of an effect and its standard deviation lies far from where the posterior's
    weight is. So each standard deviation of pooled effects is set by EM (Dempster, Laird and Rubin
    1977) with the Gaussian approximation of the effects given it, and the mode of all else is
    taken there.

    Parameters
    ----------
    density : CollapsedDensity
        The density.
    cores : int
        Gradients computed at once; the result does not depend on it.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.
    start : array, shape (parameter,), optional
        Where to begin; by default the density's own start.
    near : Laplace, optional
        That of a density which is much like this one: the search begins there, in its coordinates,
        and takes a fraction of the time.
    """
    tell = progress or (lambda _description, _fraction: None)
    x = density.start() if start is None else np.array(start)
    if near is not None:
        x = near.mode.copy()
    pooled = density.pooled()
    scales = np.array([one.scale for one in pooled], dtype=np.int64)
    free = np.setdiff1d(np.arange(density.size), scales)
    separable = density.separable()
    root = np.eye(len(free)) if near is None else near.root[np.ix_(free, free)]
    iterations = FIRST_CLIMB
    value = -math.inf
    for round_ in range(ROUNDS):
        tell("finding the mode", round_ / ROUNDS)
        x, value, arrived = climb(density, x, free, root, iterations=iterations)
        curvature = -hessian(density, x, separable, scales, cores)[np.ix_(free, free)]
        root, log_det = _inverse_root(curvature)
        variance = np.zeros(density.size)
        variance[free] = np.sum(root**2, axis=1)
        moved = 0.0
        for one in pooled:
            new = one.update(x, variance)
            moved = max(moved, abs(new - float(x[one.scale])))
            x[one.scale] = new
        iterations = NEXT_CLIMB
        if round_ and arrived and moved < SETTLED:
            break
    # Effects shrink as their standard deviation grows: along that ridge the posterior is as wide as
    # the number of determined effects says, across it as narrow as the effects are given it.
    whole = np.zeros((density.size, density.size))
    whole[np.ix_(free, free)] = root
    if pooled:
        columns = -hessian(density, x, (), free, cores)[:, scales]
        spread = np.array([one.spread(x, variance) for one in pooled])
        whole[np.ix_(free, scales)] = -(root @ (root.T @ columns[free])) * spread
        whole[scales, scales] = spread
    tell("finding the mode", 1.0)
    log_evidence = value + 0.5 * len(free) * math.log(2 * math.pi) - 0.5 * log_det
    return Laplace(x, whole, value, log_evidence)


def _inverse_root(curvature: Array) -> tuple[Array, float]:
    """Return a root of the inverse of a curvature made positive, and its log determinant."""
    eigenvalues, vectors = linalg.eigh(0.5 * (curvature + curvature.T))
    eigenvalues = np.maximum(np.abs(eigenvalues), LEAST_CURVATURE)
    return np.asarray(vectors / np.sqrt(eigenvalues)), float(np.sum(np.log(eigenvalues)))


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
        self.pooled = [one for one in density.pooled() if not one.centred]
        self.inverse = linalg.inv(shape.root) if self.pooled else shape.root
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
        found = self._move()
        if self.pooled:
            x = self.shape.mode + self.shape.root @ self.state.z
            for one in self.pooled:
                x = one.rescaled(x, self.rng)
            self.state = self._state(self.inverse @ (x - self.shape.mode))
        return found

    def _move(self) -> tuple[float, float, bool]:
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

    def tune(self, iterations: int, tick: Callable[[], None]) -> Array:
        """Make moves that are thrown away; adapt the number of steps of a move.

        Returns
        -------
        array, shape (iteration, parameter)
            Where the chain went, in its coordinates z: what `reshaped` learns from.
        """
        window: list[float] = []
        visited = np.empty((iterations, len(self.state.z)))
        for i in range(iterations):
            accept, _, _ = self.move()
            visited[i] = self.state.z
            window.append(accept)
            if len(window) == 10:
                mean = float(np.mean(window))
                if mean < 0.7:
                    self.steps = min(self.steps + 1, 64)
                elif self.steps > 1 and mean > 0.92:
                    self.steps -= 1
                window.clear()
            tick()
        return visited

    def take(self, shape: Laplace) -> None:
        """Go on from where the chain is in the coordinates of another shape."""
        x = self.shape.mode + self.shape.root @ self.state.z
        self.shape = shape
        self.inverse = linalg.inv(shape.root) if self.pooled else shape.root
        self.state = self._state(linalg.solve(shape.root, x - shape.mode))

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


def prepare(
    density: CollapsedDensity,
    seed: np.random.SeedSequence,
    cores: int = 1,
    progress: Progress | None = None,
    *,
    moves: int = 30,
) -> Laplace:
    """Return centre and shape of a posterior that may have ridges and lesser modes.

    The first climb may end on a lesser mode. A short chain in its coordinates goes to where the
    posterior's weight is, and the second climb begins there.

    Parameters
    ----------
    density : CollapsedDensity
        The density.
    seed : numpy.random.SeedSequence
        Stream of the short chain.
    cores : int
        Gradients computed at once; the result does not depend on it.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.
    moves : int
        Length of the short chain.
    """
    tell = progress or (lambda _description, _fraction: None)

    def part(first: float, last: float) -> Progress:
        return lambda name, share: tell(name, first + (last - first) * share)

    found = laplace(density, cores, part(0.0, 0.5))
    chain = WhitenedChain(density, found, seed)
    chain.steps = 8
    chain.tune(moves, lambda: tell("finding the mode", 0.55))
    again = laplace(
        density,
        cores,
        part(0.6, 1.0),
        start=found.mode + found.root @ chain.state.z,
    )
    return again if again.log_evidence >= found.log_evidence else found


def reshaped(shape: Laplace, visited: Array) -> Laplace:
    """Return a shape with the mean and covariance that chains have shown.

    The curvature at a mode says little of a posterior's ridges. But chains are short beside the
    number of parameters, and most of what their covariance shows is noise. Taken over are the
    directions in which it lies beyond what independent standard normals would show (Marchenko and
    Pastur 1967, Mathematics of the USSR-Sbornik 1: 457-483), with the variance that is behind such
    a sight (Donoho, Gavish and Johnstone 2018, Annals of Statistics 46: 1742-1778, for the
    Frobenius loss). In all others the shape stays, and the mean is shrunk towards its own (James
    and Stein 1961).

    Parameters
    ----------
    shape : Laplace
        In whose coordinates the chains moved.
    visited : array, shape (point, parameter)
        Where they went, without their way from the start.
    """
    count, size = visited.shape
    if count < 2:
        return shape
    worth = count / WORTH
    crowding = size / worth
    mean = visited.mean(axis=0)
    _, singular, directions = linalg.svd(visited - mean, full_matrices=False)
    variance = spiked_variance(singular**2 / (count - 1), crowding)
    variance = np.maximum(variance, LEAST_VARIANCE)
    told = np.abs(variance - 1.0) > 1e-6
    across, variance = directions[told].T, variance[told]
    along = across @ (across.T @ mean)
    rest = mean - along
    noise = (size - len(variance)) / worth
    rest *= max(0.0, 1.0 - noise / max(float(rest @ rest), 1e-300))
    center = shape.mode + shape.root @ (along + rest)
    root = shape.root + (shape.root @ across) * (np.sqrt(variance) - 1.0) @ across.T
    return Laplace(center, root, shape.value, shape.log_evidence)


def spiked_variance(shown: Array, crowding: float) -> Array:
    """Return the variances behind eigenvalues of a covariance that is the identity but for a few.

    Parameters
    ----------
    shown : array, shape (direction,)
        Eigenvalues of the sample covariance.
    crowding : float
        Parameters over independent points.

    Returns
    -------
    array, shape (direction,)
        One where noise alone may show as much; else drawn towards one by as much as the direction
        shown is off the true one.
    """
    upper = (1.0 + math.sqrt(crowding)) ** 2
    lower = (1.0 - math.sqrt(crowding)) ** 2 if crowding < 1.0 else 0.0
    middle = shown + 1.0 - crowding
    width = np.sqrt(np.maximum(middle**2 - 4.0 * shown, 0.0))
    behind = np.where(shown > upper, 0.5 * (middle + width), 1.0)
    behind = np.where(shown < lower, 0.5 * (middle - width), behind)
    excess = behind - 1.0
    known = np.abs(excess) > math.sqrt(crowding)
    safe = np.where(known, excess, 1.0)
    alike = np.where(known, (1.0 - crowding / safe**2) / (1.0 + crowding / safe), 0.0)
    return np.asarray(1.0 + excess * np.clip(alike, 0.0, 1.0))
