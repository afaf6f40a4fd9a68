"""Proposals for the few hyperparameters: an emulator of their log density.

The log marginal density of theta costs a sparse factorisation; in coordinates where the prior is
standard normal it is smooth and nearly quadratic. A quadratic plus Gaussian radial basis
functions through a few hundred values says so much of it that a chain run on the emulator alone,
at no cost, ends in a proposal for the true density that is mostly accepted (surrogate transition:
Liu 2001, Monte Carlo Strategies in Scientific Computing, section 9.4.3). Points are added round
by round where the emulator itself says that there is mass, so that what it got wrong there is
seen and mended.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

Array = NDArray[np.float64]
LogDensities = Callable[[Array], Array]  # of points, shape (point, hyperparameter)

DEGREES_OF_FREEDOM = 8.0  # of the t from which the emulator's inner chain jumps
JUMPS, LOCAL_STEPS = 40, 2  # of that chain: jumps in the middle, local steps before and after
LOCAL_SHARE = 0.3  # moves that are plain local steps: they leave places the emulator has wrong
LOCAL_STEP = 1.2  # their length, in standard deviations, over the root of the dimension
ROUNDS = 5
POINTS = 90  # of every round
LEAST = 3  # points, for each hyperparameter, that a centre and its shape must rest on
HEAT = 1.5  # points are drawn from the emulator at this temperature
TRIALS = 4000  # draws by which the emulator's mean and covariance are computed
REACH = 1.5  # how far beyond the known box new points are looked for, in standard deviations
RELEVANT = 10.0  # log densities further below the top do not matter to any draw
LENGTHS = (2.0, 3.0, 4.5, 7.0, 11.0)  # of the basis functions, in standard deviations
NUGGET = 1e-4  # of the basis functions' height squared: what they need not pass through
PROBE = 0.1  # length of the difference that gives the slope at the edge of the fitted box


def covariance_root(gradient: Callable[[Array], Array], mode: Array) -> Array:
    """Return a root of the inverse negative Hessian at the mode, from differences of gradients.

    Steps are set to about one standard deviation, so that the curvature describes the bulk of
    the distribution and not the noise at its top. Directions with little curvature get a
    standard deviation of at most one.
    """
    size = len(mode)
    hessian = np.zeros((size, size))
    for i in range(size):
        step = 0.2
        for _ in range(3):
            shift = np.zeros(size)
            shift[i] = step
            column = (gradient(mode + shift) - gradient(mode - shift)) / (2.0 * step)
            sd = 1.0 / math.sqrt(max(-column[i], 1.0))
            if 0.5 * sd <= step <= 2.0 * sd:
                break
            step = sd
        hessian[i] = column
    values, vectors = np.linalg.eigh(-0.5 * (hessian + hessian.T))
    return np.linalg.cholesky((vectors / np.maximum(values, 1.0)) @ vectors.T)


class StudentT:
    """Multivariate t.

    Parameters
    ----------
    center, root : array
        Location and a root of the scale matrix.
    """

    def __init__(self, center: Array, root: Array) -> None:
        self.center, self.root = center, root
        self.inverse = np.linalg.inv(root)

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw `count` thetas, shape (count, hyperparameter)."""
        chi = rng.chisquare(DEGREES_OF_FREEDOM, count) / DEGREES_OF_FREEDOM
        normal = rng.standard_normal((count, len(self.center))) / np.sqrt(chi)[:, None]
        return np.asarray(self.center + normal @ self.root.T)

    def log_density(self, thetas: Array) -> Array:
        """Return the log density of each point, shape (point,), up to a constant."""
        distance = np.sum(((thetas - self.center) @ self.inverse.T) ** 2, axis=-1)
        size = len(self.center)
        weight = -0.5 * (DEGREES_OF_FREEDOM + size)
        return np.asarray(weight * np.log1p(distance / DEGREES_OF_FREEDOM))


class Emulator:
    """Stand-in for a log density that is standard normal times a likelihood.

    The normal is kept as it is; the log likelihood is emulated by a quadratic and Gaussian radial
    basis functions. Outside the box of the points it goes on linearly, never upwards, so that a
    flat likelihood leaves the tail to the prior.

    Parameters
    ----------
    center, root : array
        Centre and covariance root: the emulator works with z = root^-1 (theta - center).
    points, values : array, shape (point, hyperparameter) and (point,)
        Where the log density was computed, and what it was.
    length : float
        Length of the basis functions in units of z.
    """

    def __init__(
        self, center: Array, root: Array, points: Array, values: Array, length: float
    ) -> None:
        self.center, self.root, self.length = center, root, length
        self.inverse = np.linalg.inv(root)
        self.jump = StudentT(center, root)
        usable = np.isfinite(values)
        z = (points[usable] - center) @ self.inverse.T
        value = values[usable] - np.max(values[usable])
        likelihood = value + 0.5 * np.sum(points[usable] ** 2, axis=1)
        within = z[value > -RELEVANT]  # a point that strayed says nothing of the bulk's extent
        self.low, self.high = np.quantile(within, (0.01, 0.99), axis=0)
        self._likelihood = RBFInterpolator(
            z,
            likelihood,
            kernel="gaussian",
            epsilon=1.0 / length,
            degree=2,
            smoothing=NUGGET * (1.0 + (value / 6.0) ** 4),  # far below the top matters little
        )

    def log_density(self, theta: Array) -> float:
        """Return the emulated log density at one point, up to a constant."""
        return float(self.log_densities(theta[None])[0])

    def log_densities(self, thetas: Array) -> Array:
        """Return the emulated log density of each point, shape (point,), up to a constant."""
        z = (thetas - self.center) @ self.inverse.T
        inside = np.clip(z, self.low, self.high)
        value = self._likelihood(inside)
        outside = z != inside
        if outside.any():
            point, coordinate = np.nonzero(outside)
            excess = z[outside] - inside[outside]
            probe = inside[point]
            probe[np.arange(len(point)), coordinate] += PROBE * np.sign(excess)
            slope = np.minimum((self._likelihood(probe) - value[point]) / PROBE, 0.0)
            value = value + np.bincount(point, slope * np.abs(excess), len(z))
        return np.asarray(value - 0.5 * np.sum(thetas**2, axis=1))

    def local_step(self, theta: Array, rng: np.random.Generator) -> Array:
        """Return a symmetric random step from theta."""
        size = len(theta)
        step = rng.standard_normal(size) * (LOCAL_STEP / math.sqrt(size))
        return np.asarray(theta + self.root @ step)

    def propose(self, theta: Array, rng: np.random.Generator, *, heat: float = 1.0) -> Array:
        """Return where a short chain on the emulator, started at theta, ends.

        Local steps, then jumps from a t, then local steps: the same forwards and backwards, so
        that it is reversible with respect to the emulator, as the outer acceptance step needs.
        `heat` flattens the emulator. The jumps do not depend on where the chain is, so that
        their densities are computed at once.
        """
        jumps = self.jump.draw(rng, JUMPS)
        log_weight = self.log_densities(jumps) / heat - self.jump.log_density(jumps)
        limit = np.log(rng.random(JUMPS + 2 * LOCAL_STEPS))
        theta, value = self._walk(theta, self.log_density(theta), rng, limit[:LOCAL_STEPS], heat)
        here, last = value / heat - float(self.jump.log_density(theta[None])[0]), -1
        for at in range(JUMPS):
            if limit[LOCAL_STEPS + at] < log_weight[at] - here:
                here, last = log_weight[at], at
        if last >= 0:
            theta = jumps[last]
            value = self.log_density(theta)
        return self._walk(theta, value, rng, limit[LOCAL_STEPS + JUMPS :], heat)[0]

    def _walk(
        self, theta: Array, value: float, rng: np.random.Generator, limits: Array, heat: float
    ) -> tuple[Array, float]:
        """Take local steps, one for each log uniform in `limits`."""
        for limit in limits:
            candidate = self.local_step(theta, rng)
            new = self.log_density(candidate)
            if limit < (new - value) / heat:
                theta, value = candidate, new
        return theta, value


def fit_emulator(
    log_densities: LogDensities,
    center: Array,
    root: Array,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
) -> Emulator:
    """Find the density's bulk and emulate it there.

    Every round computes the density at new points, fits the emulator to all, and takes the
    emulator's own mean and covariance as coordinates for the next. The length of the basis
    functions is the one that foretold a round's values best from those before.

    Parameters
    ----------
    log_densities : callable
        The density to stand in for, at many points at once.
    center, root : array
        A first guess of its mode and of a root of its covariance.
    rng : numpy.random.Generator
        Where to look.
    progress : callable, optional
        Called with a fraction between 0 and 1.
    """
    tell = progress or (lambda _fraction: None)
    size = len(center)
    least = 2 * (size + 1) * (size + 2) // 2  # twice what a quadratic needs
    points = StudentT(center, 1.2 * root).draw(rng, max(POINTS, least))
    values = log_densities(points)
    length = LENGTHS[2]
    for round_ in range(1, ROUNDS):
        tell(round_ / ROUNDS)
        emulator = Emulator(center, root, points, values, length)
        added, center, root = _explore(emulator, rng, POINTS)
        known = log_densities(added)
        length = min(
            LENGTHS,
            key=lambda each: _misfit(Emulator(center, root, points, values, each), added, known),
        )
        points, values = np.concatenate([points, added]), np.concatenate([values, known])
    emulator = Emulator(center, root, points, values, length)
    _, center, root = _explore(emulator, rng, 1)
    tell(1.0)
    return Emulator(center, root, points, values, length)


def _misfit(emulator: Emulator, points: Array, values: Array) -> float:
    """Return the mean squared error of foretold values that matter, their level aside."""
    usable = np.isfinite(values)
    value = values[usable] - np.max(values[usable])
    error = value - emulator.log_densities(points[usable])
    weight = 1.0 / (1.0 + (value / 6.0) ** 4)
    return float(np.average((error - np.average(error, weights=weight)) ** 2, weights=weight))


def _explore(
    emulator: Emulator, rng: np.random.Generator, count: int
) -> tuple[Array, Array, Array]:
    """Draw points from the heated emulator; return them with its mean and covariance root.

    Importance sampling from a wide t. An emulator that is flat by mistake at its edge would send
    points to nowhere; held to a little beyond the edge, they mend it, and the next round goes on
    from there.
    """
    wide = StudentT(emulator.center, 1.5 * emulator.root)
    trial = wide.draw(rng, TRIALS)
    z = (trial - emulator.center) @ emulator.inverse.T
    trial = trial[np.all((z > emulator.low - REACH) & (z < emulator.high + REACH), axis=1)]
    value, proposal = emulator.log_densities(trial), wide.log_density(trial)

    def normalised(log_weight: Array) -> Array:
        weight = np.exp(log_weight - np.max(log_weight))
        return np.asarray(weight / weight.sum())

    heated = normalised(value / HEAT - proposal)
    chosen = rng.choice(len(trial), size=count, p=heated)
    weight = normalised(value - proposal)
    # Where the emulator overshoots at its edge, a point or two have all the weight, and a centre
    # there would lead to nowhere: flattened until enough points tell of it.
    flatter = 1.0
    while 1.0 / np.sum(weight**2) < min(LEAST * len(emulator.center), len(trial)):
        flatter *= 0.7
        weight = normalised(flatter * (value - proposal))
    center = weight @ trial
    away = trial - center
    covariance = (away.T * weight) @ away
    shrunk = covariance + 0.01 * np.diag(np.diag(emulator.root @ emulator.root.T))
    return trial[np.unique(chosen)], center, np.linalg.cholesky(shrunk)
