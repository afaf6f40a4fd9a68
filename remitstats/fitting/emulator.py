"""Proposals for the few hyperparameters: a polynomial emulator of their log density.

The log marginal density of theta costs a sparse factorisation; in coordinates where the prior is
standard normal it is nearly quadratic. A polynomial fitted to a few hundred values says so much
of it that a chain run on the emulator alone, at no cost, ends in a proposal for the true density
that is mostly accepted (surrogate transition: Liu 2001, Monte Carlo Strategies in Scientific
Computing, section 9.4.3). Points are added where the emulator itself says that there is mass,
so that what it got wrong there is seen and mended.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LogDensity = Callable[[Array], float]

DEGREES_OF_FREEDOM = 8.0  # of the t from which the emulator's inner chain jumps
INNER_STEPS = 40
LOCAL_SHARE = 0.3  # moves that are plain local steps: they leave places the emulator has wrong
LOCAL_STEP = 1.2  # their length, in standard deviations, over the root of the dimension
REFINEMENTS = 3
HEAT = 1.5  # refinement points are drawn from the emulator at this temperature
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


def response_surface(
    log_density: LogDensity,
    center: Array,
    root: Array,
    rng: np.random.Generator,
    *,
    rounds: int = 2,
) -> tuple[Array, Array]:
    """Return mode and covariance root of a density that is nearly normal, by a response surface.

    Every round draws points from the current guess, fits a quadratic to the log density there by
    least squares and moves to the quadratic's mode and curvature. The points span the bulk, so
    the fit is to the distribution and not to its top; in coordinates where the prior is
    standard normal (see `parts.priors`) the fit leaves little behind.
    """
    size = len(center)
    pairs = [(i, j) for i in range(size) for j in range(i + 1)]
    for _ in range(rounds):
        z = rng.standard_normal((2 * (1 + size + len(pairs)), size))
        value = np.array([log_density(center + root @ row) for row in z])
        usable = np.isfinite(value)
        z, value = z[usable], value[usable] - np.max(value[usable])
        terms = np.column_stack([np.ones(len(z)), z, *(z[:, i] * z[:, j] for i, j in pairs)])
        coefficient = np.linalg.lstsq(terms, value, rcond=None)[0]
        hessian = np.zeros((size, size))
        for (i, j), c in zip(pairs, coefficient[1 + size :], strict=True):
            hessian[i, j] += c
            hessian[j, i] += c
        values, vectors = np.linalg.eigh(-hessian)
        values = np.clip(values, 0.1, 10.0)  # one round changes a scale by a factor of three
        shift = vectors @ ((vectors.T @ coefficient[1 : 1 + size]) / values)
        shift *= min(1.0, 3.0 / max(float(np.linalg.norm(shift)), 1e-12))
        center = center + root @ shift
        root = np.linalg.cholesky(root @ (vectors / values) @ vectors.T @ root.T)
    return center, root


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

    def draw(self, rng: np.random.Generator) -> Array:
        """Draw one theta."""
        chi = rng.chisquare(DEGREES_OF_FREEDOM) / DEGREES_OF_FREEDOM
        return np.asarray(
            self.center + self.root @ rng.standard_normal(len(self.center)) / math.sqrt(chi)
        )

    def log_density(self, theta: Array) -> float:
        """Return the log density up to a constant."""
        distance = float(np.sum((self.inverse @ (theta - self.center)) ** 2))
        size = len(self.center)
        return -0.5 * (DEGREES_OF_FREEDOM + size) * math.log1p(distance / DEGREES_OF_FREEDOM)


class Emulator:
    """Stand-in for a log density that is standard normal times a likelihood.

    The normal is kept as it is; the log likelihood is emulated by a quadratic with the cubic terms
    of one or two coordinates and the fourth power of each. Outside the box of the points it goes
    on linearly, never upwards, so that a flat likelihood leaves the tail to the prior.

    Parameters
    ----------
    center, root : array
        Mode and covariance root: the emulator works with z = root^-1 (theta - center).
    points, values : array, shape (point, hyperparameter) and (point,)
        Where the log density was computed, and what it was.
    """

    def __init__(self, center: Array, root: Array, points: Array, values: Array) -> None:
        self.center, self.root = center, root
        self.inverse = np.linalg.inv(root)
        self.jump = StudentT(center, root)
        size = len(center)
        cubic = combinations_with_replacement(range(size), 3)
        terms = [
            *(t for d in (1, 2) for t in combinations_with_replacement(range(size), d)),
            *(t for t in cubic if len(set(t)) < 3),
            *((i,) * 4 for i in range(size)),
        ]
        # a position `size` stands for the constant one that pads every term to four factors
        self.index = np.array([(*t, *[size] * (4 - len(t))) for t in terms])
        usable = np.isfinite(values)
        z = (points[usable] - center) @ self.inverse.T
        value = values[usable] - np.max(values[usable])
        likelihood = value + 0.5 * np.sum(points[usable] ** 2, axis=1)
        self.low, self.high = np.quantile(z, (0.01, 0.99), axis=0)
        weight = 1.0 / (1.0 + (value / 6.0) ** 2)  # what lies far below the top matters little
        features = np.column_stack([np.ones(len(z)), self._features(z)])
        degree = np.array([0, *(len(t) for t in terms)])
        penalty = np.select([degree < 3, degree == 3], [1e-6, 0.3], 3.0)
        gram = (features.T * weight) @ features + np.diag(penalty)
        self.coefficient = np.linalg.solve(gram, (features.T * weight) @ likelihood)
        self.residual_sd = float(
            np.sqrt(np.average((likelihood - features @ self.coefficient) ** 2, weights=weight))
        )

    def _features(self, z: Array) -> Array:
        padded = np.concatenate([z, np.ones((*z.shape[:-1], 1))], axis=-1)
        return np.asarray(padded[..., self.index].prod(axis=-1))

    def _likelihood(self, z: Array) -> Array:
        return self._features(z) @ self.coefficient[1:]

    def log_density(self, theta: Array) -> float:
        """Return the emulated log density, up to a constant."""
        z = self.inverse @ (theta - self.center)
        inside = np.clip(z, self.low, self.high)
        value = float(self._likelihood(inside))
        beyond = np.flatnonzero(z != inside)
        if len(beyond):
            excess = z[beyond] - inside[beyond]
            probe = np.repeat(inside[None], len(beyond), axis=0)
            probe[np.arange(len(beyond)), beyond] += PROBE * np.sign(excess)
            slope = (self._likelihood(probe) - value) / PROBE
            value += float(np.minimum(slope, 0.0) @ np.abs(excess))
        return value - 0.5 * float(theta @ theta)

    def local_step(self, theta: Array, rng: np.random.Generator) -> Array:
        """Return a symmetric random step from theta."""
        size = len(theta)
        step = rng.standard_normal(size) * (LOCAL_STEP / math.sqrt(size))
        return np.asarray(theta + self.root @ step)

    def propose(self, theta: Array, rng: np.random.Generator, *, heat: float = 1.0) -> Array:
        """Return where a short chain on the emulator, started at theta, ends.

        Mixes jumps from a t with local steps; it is reversible with respect to the emulator, as
        the outer acceptance step needs. `heat` flattens the emulator.
        """
        value = self.log_density(theta)
        forward = self.jump.log_density(theta)
        for _ in range(INNER_STEPS):
            if rng.random() < 0.5:
                candidate = self.jump.draw(rng)
                own = self.jump.log_density(candidate)
                new = self.log_density(candidate)
                ratio = (new - value) / heat - own + forward
            else:
                candidate = self.local_step(theta, rng)
                own = self.jump.log_density(candidate)
                new = self.log_density(candidate)
                ratio = (new - value) / heat
            if math.log(rng.random()) < ratio:
                theta, value, forward = candidate, new, own
        return theta


def fit_emulator(
    log_density: LogDensity, center: Array, root: Array, rng: np.random.Generator
) -> Emulator:
    """Find the density's bulk by response surfaces and emulate it there.

    Parameters
    ----------
    log_density : callable
        The density to stand in for.
    center, root : array
        A first guess of its mode and of a root of its covariance.
    rng : numpy.random.Generator
        Where to look.
    """
    center, root = response_surface(log_density, center, root, rng)
    size = len(center)
    wide = StudentT(center, 1.15 * root)
    points = np.array([wide.draw(rng) for _ in range((size + 2) * (size + 3))])
    values = np.array([log_density(t) for t in points])
    emulator = Emulator(center, root, points, values)
    for _ in range(REFINEMENTS):
        theta, chain = center, []
        for _ in range(40 * size):
            theta = emulator.propose(theta, rng, heat=HEAT)
            chain.append(theta)
        added = np.array(chain[::4])
        known = np.array([log_density(t) for t in added])
        points = np.concatenate([points, added])
        values = np.concatenate([values, known])
        # a skewed coordinate is centred and scaled by its mean and spread, not by its mode's;
        # an emulator that is wrong where its chain went says nothing of them
        ratio = (known - np.array([emulator.log_density(t) for t in added])) / HEAT
        ratio[~np.isfinite(ratio)] = -np.inf
        weight = np.exp(ratio - max(float(np.max(ratio)), -1e300))
        if weight.sum() ** 2 > 3 * size * np.sum(weight**2):
            weight /= weight.sum()
            center = weight @ added
            away = added - center
            root = np.linalg.cholesky((away.T * weight) @ away / HEAT)
        emulator = Emulator(center, root, points, values)
    return emulator
