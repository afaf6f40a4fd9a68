"""What an engine asks of a model whose Gaussian part is integrated out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Array = NDArray[np.float64]

LOG_TWO_PI = math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Separable:
    """Parameters whose mixed derivatives vanish between groups.

    Parameters
    ----------
    moved : array of int, shape (group, position)
        The parameters of every group; a column of them can be moved at once.
    group : array of int, shape (parameter,)
        Group of these parameters and of those of groups nested in them; -1 elsewhere.
    """

    moved: NDArray[np.int64]
    group: NDArray[np.int64]


@dataclass(frozen=True)
class Pooled:
    """Normal effects with a standard deviation of their own.

    Parameters
    ----------
    scale : int
        Place of the logarithm of the standard deviation.
    unit : slice
        Places of the standard normal numbers that are multiplied by it or, if `centred`, of the
        effects themselves.
    rate : float
        Rate of the standard deviation's exponential prior.
    centred : bool
        Better where the data say much about each effect.
    """

    scale: int
    unit: slice
    rate: float
    centred: bool = False
    means: GroupMeans | None = None  # of groups of these effects, if they are parameters too

    def update(self, x: Array, variance: Array) -> float:
        """Return the log standard deviation to take next.

        MacKay's fixed point (1992, Neural Computation 4: 415-447) with the exponential prior: what
        EM tends to, in fewer rounds where the data say little of many units.

        Parameters
        ----------
        x : array, shape (parameter,)
            Mode of the units given the present standard deviation.
        variance : array, shape (parameter,)
            Their posterior variances.
        """
        log_sd = float(x[self.scale])
        size = math.exp(log_sd) if self.centred else 1.0
        square = float(x[self.unit] @ x[self.unit]) / size**2
        step = 0.5 * math.log(
            (square + 1.0) / (self._told(x, variance) + self.rate * math.exp(log_sd))
        )
        return log_sd + max(-1.0, min(1.0, step))

    def spread(self, x: Array, variance: Array) -> float:
        """Return about how uncertain the log standard deviation is."""
        return 1.0 / math.sqrt(2.0 * self._told(x, variance) + 1.0)

    def rescaled(self, x: Array, rng: np.random.Generator) -> Array:
        """Draw the standard deviation anew given the effects, which stay where they are.

        Effects and their standard deviation move slowly together where the data say much of some
        effects and little of others; this move costs no likelihood (interweaving: Yu and Meng
        2011, Journal of Computational and Graphical Statistics 20: 531-570).

        Parameters
        ----------
        x : array, shape (parameter,)
            Present parameters; not changed.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        array, shape (parameter,)
        """
        now = float(x[self.scale])
        effects = x[self.unit] * (1.0 if self.centred else math.exp(now))
        square, count = float(effects @ effects), len(effects)

        def log_density(log_sd: float) -> float:
            size = math.exp(log_sd)
            value = -0.5 * square / size**2 - (count - 1) * log_sd - self.rate * size
            if self.means is not None:
                means = self.means
                value += means.log_density(x[means.unit], float(x[means.scale]), log_sd)
            return value

        out = x.copy()
        out[self.scale] = slice_step(log_density, now, 3.0 / math.sqrt(2.0 * count), rng)
        if not self.centred:
            out[self.unit] = effects * math.exp(-float(out[self.scale]))
        return out

    def _told(self, x: Array, variance: Array) -> float:
        """Return the number of units that the data determine."""
        size = math.exp(float(x[self.scale])) if self.centred else 1.0
        return float(np.sum(np.maximum(1.0 - variance[self.unit] / size**2, 0.0)))


@dataclass(frozen=True)
class GroupMeans:
    """Means of groups of normal effects, where groups differ by a standard deviation of their own.

    With deviations of groups (standard deviation s) and of their members within them (t), the mean
    of a group of n is normal with variance s^2 + t^2 / n, and the members' distances from it do not
    depend on s. So s can be small without the means being squeezed: there is no funnel.

    Parameters
    ----------
    scale, inner : int
        Places of the logarithms of s and of t.
    unit : slice
        Places of the means themselves, groups in turn.
    members : array of int, shape (group,)
        n.
    rate : float
        Rate of the exponential prior of s.
    """

    scale: int
    inner: int
    unit: slice
    members: NDArray[np.int64]
    rate: float
    centred: bool = False  # s is drawn anew given the means, as no gradient is needed for that

    def sds(self, log_sd: float, log_inner: float) -> Array:
        """Return the standard deviation of every mean."""
        by_group = np.sqrt(math.exp(2.0 * log_sd) + math.exp(2.0 * log_inner) / self.members)
        return np.repeat(by_group, (self.unit.stop - self.unit.start) // len(self.members))

    def log_density(self, means: Array, log_sd: float, log_inner: float) -> float:
        """Return the log density of means given both standard deviations."""
        sds = self.sds(log_sd, log_inner)
        z = means / sds
        return float(np.sum(-0.5 * z**2 - np.log(sds) - 0.5 * LOG_TWO_PI))

    def pull(self, x: Array, out: Array) -> float:
        """Add the gradient of the means' log density to `out` and return the density."""
        log_sd, log_inner = float(x[self.scale]), float(x[self.inner])
        sds = self.sds(log_sd, log_inner)
        z = x[self.unit] / sds
        out[self.unit] -= z / sds
        by_variance = (z**2 - 1.0) / sds**2
        own = math.exp(2.0 * log_sd)
        out[self.scale] += own * float(np.sum(by_variance))
        out[self.inner] += float(np.sum(by_variance * (sds**2 - own)))
        return self.log_density(x[self.unit], log_sd, log_inner)

    def update(self, x: Array, variance: Array) -> float:
        """Return the log standard deviation to take next, by EM (see `Pooled.update`)."""
        now, inner = float(x[self.scale]), float(x[self.inner])
        size = np.sqrt(x[self.unit] ** 2 + variance[self.unit])

        def loss(log_sd: float) -> float:
            value = self.log_density(size, log_sd, inner)
            return -value + self.rate * math.exp(log_sd) - log_sd

        return float(optimize.minimize_scalar(loss, bounds=(now - 1, now + 1), method="bounded").x)

    def spread(self, x: Array, variance: Array) -> float:
        """Return about how uncertain the log standard deviation is."""
        sds = self.sds(float(x[self.scale]), float(x[self.inner]))
        share = math.exp(2.0 * float(x[self.scale])) / sds**2
        told = np.maximum(1.0 - variance[self.unit] / sds**2, 0.0) * share**2
        return 1.0 / math.sqrt(2.0 * float(np.sum(told)) + 1.0)

    def rescaled(self, x: Array, rng: np.random.Generator) -> Array:
        """Draw the standard deviation anew given the means (see `Pooled.rescaled`)."""
        means, inner = x[self.unit], float(x[self.inner])

        def log_density(log_sd: float) -> float:
            value = self.log_density(means, log_sd, inner)
            return value + log_sd - self.rate * math.exp(log_sd)

        out = x.copy()
        out[self.scale] = slice_step(log_density, float(x[self.scale]), 1.0, rng)
        return out


def slice_step(
    log_density: Callable[[float], float], now: float, width: float, rng: np.random.Generator
) -> float:
    """Return the next point of a slice sampler (Neal 2003, Annals of Statistics 31: 705-767).

    Parameters
    ----------
    log_density : callable
        Of one number, without constants.
    now : float
        Where it is.
    width : float
        About the density's.
    rng : numpy.random.Generator
        Source of chance.
    """
    level = log_density(now) + math.log(1.0 - rng.random())
    low = now - width * rng.random()
    high = low + width
    while log_density(low) > level:
        low -= width
    while log_density(high) > level:
        high += width
    while True:
        new = rng.uniform(low, high)
        if log_density(new) >= level:
            return float(new)
        low, high = (new, high) if new < now else (low, new)


class CollapsedDensity(Protocol):
    """A log density on one vector of unconstrained parameters."""

    @property
    def size(self) -> int:
        """Number of parameters."""

    def gradient(self, x: Array) -> tuple[float, Array]:
        """Return log density and gradient at x; minus infinity where it is not defined."""

    def start(self) -> Array:
        """Return where a search for the mode may begin."""

    def separable(self) -> list[Separable]:
        """Return sets of parameters that meet only through others, outermost groups first."""

    def pooled(self) -> Sequence[Pooled | GroupMeans]:
        """Return the pooled effects."""

    def constrain(self, x: Array) -> dict[str, Array]:
        """Return the parameters on their own scales, and what is reported with them."""
