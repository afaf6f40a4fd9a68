"""The default engine of collapsed models: Markov chains in whitened coordinates.

1. centre and shape of the posterior by the Laplace approximation (`collapsed`);
2. Hamiltonian Monte Carlo on z, where x = mode + root z and root root' is the covariance of that
   approximation: nearly independent standard normals (`WhitenedChain`);
3. after each window of tuning, mean and covariance that the chains have shown take the place of the
   approximation's (`reshaped`), for the posterior may be wider than the curvature at its mode says;
4. at the end of tuning all chains get the same number of steps a move (`steps_for`);
5. if a few of the draws' moves diverge, they are made anew with finer steps (`made_finer`).

The draws have the exact posterior as their law whatever the approximation is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from remitstats.fitting.collapsed import Laplace, Progress, laplace
from remitstats.parts.collapsed_density import CollapsedDensity

Array = NDArray[np.float64]

ANGLE = 1.9  # radians of a move: beyond a right angle means mix faster, and tails no slower yet
JITTER = 0.2  # of the angle, so that no direction is visited in a fixed rhythm
FIRST_STEPS, LEAST_STEPS, MOST_STEPS = 4, 3, 64  # a move; fewer than three seldom reach a tail
ACCEPTANCE = 0.9  # of moves: what is aimed at; with less, heavy tails are missed for long
LOW, HIGH = 0.75, 0.97  # acceptance of ten moves that makes a chain try more or fewer steps
TRIED = 20  # moves that tell an acceptance
LEAST_VARIANCE = 0.01  # of a direction: chains that hardly moved must not make it vanish
FEW = 0.01  # of moves that diverged: finer steps may help; where more do, something else is wrong
FINER = 2  # times that draws are made anew with finer steps
WORTH = 3.0  # points of a chain that tell as much as one independent point


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
        self.steps = FIRST_STEPS
        self.trials: list[tuple[int, float]] = []
        for spread in (1.0, 0.5, 0.25, 0.0):  # a far start may lie where nothing is defined
            self.state = self._state(spread * self.rng.standard_normal(density.size))
            if math.isfinite(self.state.value):
                break

    @property
    def x(self) -> Array:
        """Where the chain is, on the unconstrained scale."""
        return np.asarray(self.shape.mode + self.shape.root @ self.state.z)

    def _state(self, z: Array) -> _State:
        value, gradient = self.density.gradient(self.shape.mode + self.shape.root @ z)
        return _State(z, value, self.shape.root.T @ gradient + z)

    def move(self) -> tuple[float, float, bool]:
        """Move once; return acceptance, energy and whether the move diverged."""
        found = self._move()
        if self.pooled:
            x = self.x
            for one in self.pooled:
                x = one.rescaled(x, self.rng)
            self.state = self._state(self.inverse @ (x - self.shape.mode))
        return found

    def _move(self) -> tuple[float, float, bool]:
        state, rng = self.state, self.rng
        velocity = rng.standard_normal(len(state.z))
        before = -state.value + 0.5 * float(velocity @ velocity)
        angle = ANGLE * rng.uniform(1.0 - JITTER, 1.0 + JITTER) / self.steps
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

        `trials` then holds the steps and the acceptance of every move in the present shape.

        Returns
        -------
        array, shape (iteration, parameter)
            Where the chain went, on the unconstrained scale: what `reshaped` learns from.
        """
        window: list[float] = []
        visited = np.empty((iterations, len(self.state.z)))
        for i in range(iterations):
            accept, _, _ = self.move()
            visited[i] = self.x
            self.trials.append((self.steps, accept))
            window.append(accept)
            if len(window) == 10:
                mean = float(np.mean(window))
                if mean < LOW:
                    self.steps = min(self.steps + 1, MOST_STEPS)
                elif self.steps > LEAST_STEPS and mean > HIGH:
                    self.steps -= 1
                window.clear()
            tick()
        return visited

    def take(self, shape: Laplace) -> None:
        """Go on from where the chain is in the coordinates of another shape."""
        x = self.x
        self.shape = shape
        self.trials = []
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
            x[i] = self.x
            tick()
        stats["diverging"] = stats["diverging"].astype(bool)
        return x, stats


def tune_together(
    chains: Sequence[WhitenedChain],
    moves: int,
    tune: Callable[[int], Sequence[Array]],
    acceptance: float = ACCEPTANCE,
) -> None:
    """Tune chains of one posterior: learn its shape thrice, then set the steps of a move.

    Parameters
    ----------
    chains : sequence of WhitenedChain
        All in the same shape.
    moves : int
        Of each chain, thrown away.
    tune : callable
        Lets every chain make so many moves (`WhitenedChain.tune`) and returns where each went.
    acceptance : float
        Share of the moves that should be accepted.
    """
    fourth, last = moves // 4, moves // 6
    seen: list[Array] = []
    for window in (fourth, fourth, moves - 2 * fourth - last):
        way = 0 if seen else window // 2  # from the start to where the posterior's weight is
        seen += [points[way:] for points in tune(window)]
        shape = reshaped(chains[0].shape, np.concatenate(seen))
        for chain in chains:
            chain.take(shape)
    tune(last)
    steps = steps_for((trial for chain in chains for trial in chain.trials), acceptance)
    for chain in chains:
        chain.steps = steps


def steps_for(trials: Iterable[tuple[int, float]], acceptance: float = ACCEPTANCE) -> int:
    """Return the number of steps that all chains should make a move.

    One chain's own trials are few, and a number that is too small by chance costs its chain most
    of its moves.

    Parameters
    ----------
    trials : iterable of (int, float)
        Steps and acceptance of moves of all chains.
    acceptance : float
        What is often enough.

    Returns
    -------
    int
        The fewest that were accepted often enough; where none was, one more than the most tried.
    """
    accepted: dict[int, list[float]] = {}
    for steps, accept in trials:
        accepted.setdefault(steps, []).append(accept)
    known = {steps: found for steps, found in accepted.items() if len(found) >= TRIED}
    if not known:
        return max(accepted, default=FIRST_STEPS)
    good = [steps for steps, found in known.items() if sum(found) / len(found) >= acceptance]
    return min(good) if good else min(max(known) + 1, MOST_STEPS)


def made_finer(chains: Sequence[WhitenedChain], diverging: Sequence[Array]) -> bool:
    """Let all chains take twice the steps a move, if some moves diverged and no more than a few.

    The number of steps is set by the moves of tuning, too few to meet every steep wall of a
    posterior: one move in thousands may then run into one. The draws before are no draws, then,
    but more tuning.

    Parameters
    ----------
    chains : sequence of WhitenedChain
        All of one posterior.
    diverging : sequence of array of bool
        Whether each draw's move diverged, by chain.

    Returns
    -------
    bool
        Whether there is something to be made anew.
    """
    share = float(np.mean(np.concatenate(diverging)))
    if not 0.0 < share <= FEW or chains[0].steps >= MOST_STEPS:
        return False
    for chain in chains:
        chain.steps = min(2 * chain.steps, MOST_STEPS)
    return True


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
        start=chain.x,
    )
    return again if again.log_evidence >= found.log_evidence else found


def reshaped(shape: Laplace, points: Array) -> Laplace:
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
        The shape so far.
    points : array, shape (point, parameter)
        Where they were on the unconstrained scale, without their way from the start.
    """
    count, size = points.shape
    if count < 2:
        return shape
    visited = linalg.solve(shape.root, (points - shape.mode).T).T
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
