"""Priors on scales, shares, ratios and correlations, in words a user can weigh.

Scales have penalised-complexity priors, "P(sd > U) = a"; so have correlations, "P(rho > U) = a".

All priors share one protocol, `HyperPrior`. Engines work with a number t that is standard normal
under the prior (t is the normal quantile of the prior's distribution function), so that
``prior.constrain(rng.standard_normal())`` is a draw from it. A scale or a share whose posterior
reaches the edge of its range then has normal tails in t, where a logarithm or a logit would have
long exponential ones. No PyMC is imported until a model is built.

References
----------
Simpson, Rue, Riebler, Martins and Sørbye (2017), "Penalising model component complexity",
Statistical Science 32(1): 1-28.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import special

SMALLEST, LARGEST = 1e-3, 100.0  # bounds of scales and shapes: beyond them arithmetic breaks down
FARTHEST = 30.0  # a logit beyond which every share is 0 or 1
CLOSEST = 1e-8  # how near a correlation may come to -1 or 1: there precisions become infinite


@runtime_checkable
class HyperPrior(Protocol):
    """What every prior of one number can do."""

    def constrain(self, t: float) -> float:
        """Return the value at `t`, a standard normal number under the prior; never falling in t."""

    def unconstrain(self, value: float) -> float:
        """Return the t of a value: the inverse of `constrain`."""

    def to_pymc(self, name: str) -> Any:
        """Add the prior to the PyMC model in whose context this is called."""

    def describe(self) -> dict[str, Any]:
        """Return the prior as plain values, for provenance."""


def draw(
    prior: HyperPrior, rng: np.random.Generator, size: int | tuple[int, ...]
) -> NDArray[np.float64]:
    """Draw from a prior.

    Parameters
    ----------
    prior : HyperPrior
        The prior.
    rng : numpy.random.Generator
        Stream of the draws.
    size : int or tuple of int
        Shape of the result.
    """
    noise = rng.standard_normal(size)
    values = [prior.constrain(float(t)) for t in noise.ravel()]
    return np.array(values, dtype=float).reshape(noise.shape)


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} must lie between {least:g} and {most:g}, found {value:g}")


@dataclass(frozen=True)
class ScalePrior:
    """Penalised-complexity prior of a standard deviation: exponential with P(sd > upper) = tail.

    Parameters
    ----------
    upper : float
        A standard deviation (in the units of the linear predictor) that would be surprising.
    tail : float
        Prior probability, at most 0.9, that the standard deviation exceeds `upper`.

    Notes
    -----
    Simpson, Rue, Riebler, Martins and Sørbye (2017), "Penalising model component complexity",
    Statistical Science 32(1): 1-28, section 3.3.
    """

    upper: float
    tail: float

    def __post_init__(self) -> None:
        _check("upper", self.upper, SMALLEST, LARGEST)
        _check("tail, a probability,", self.tail, 1e-9, 0.9)

    @property
    def rate(self) -> float:
        """Rate of the exponential distribution."""
        return -math.log(self.tail) / self.upper

    def constrain(self, t: float) -> float:
        """Return the standard deviation at `t`."""
        return max(-float(special.log_ndtr(-t)) / self.rate, 1e-300)

    def unconstrain(self, value: float) -> float:
        """Return the t of a standard deviation."""
        return -float(special.ndtri_exp(-self.rate * value))

    def to_pymc(self, name: str) -> Any:
        """Add the standard deviation to the PyMC model in whose context this is called."""
        import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it

        return pm.Exponential(name, lam=self.rate)

    def describe(self) -> dict[str, Any]:
        """Return the prior as plain values, for provenance."""
        return {"prior": "scale", **asdict(self)}


@dataclass(frozen=True)
class SharePrior:
    """Beta prior of a share in (0, 1), such as the spatial share of a BYM2 effect's variance.

    Parameters
    ----------
    alpha, beta : float
        Parameters of the beta distribution.
    """

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        _check("alpha", self.alpha, SMALLEST, LARGEST)
        _check("beta", self.beta, SMALLEST, LARGEST)

    @classmethod
    def from_tail(cls, upper: float, tail: float) -> SharePrior:
        """Return the prior with P(share > upper) = tail whose density falls from a share of zero.

        Beta(1, log(tail) / log(1 - upper)): for shares that a simpler model sets to zero, such as
        the intraclass correlation of overdispersed counts.

        Parameters
        ----------
        upper : float
            A share, between 0 and 1, that would be surprising.
        tail : float
            Prior probability, at most 0.9, that the share exceeds `upper`.
        """
        _check("upper, a share,", upper, SMALLEST, 1.0 - SMALLEST)
        _check("tail, a probability,", tail, 1e-9, 0.9)
        return cls(alpha=1.0, beta=math.log(tail) / math.log1p(-upper))

    def constrain(self, t: float) -> float:
        """Return the share at `t`."""
        return float(special.betaincinv(self.alpha, self.beta, special.ndtr(t)))

    def unconstrain(self, value: float) -> float:
        """Return the t of a share."""
        return float(special.ndtri(special.betainc(self.alpha, self.beta, value)))

    def to_pymc(self, name: str) -> Any:
        """Add the share to the PyMC model in whose context this is called."""
        import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it

        return pm.Beta(name, alpha=self.alpha, beta=self.beta)

    def describe(self) -> dict[str, Any]:
        """Return the prior as plain values, for provenance."""
        return {"prior": "share", **asdict(self)}


@dataclass(frozen=True)
class RatioPrior:
    """Log-normal prior of a positive ratio with median 1.

    Parameters
    ----------
    log_sd : float
        Standard deviation of the logarithm of the ratio.
    """

    log_sd: float

    def __post_init__(self) -> None:
        _check("log_sd", self.log_sd, SMALLEST, 10.0)

    def constrain(self, t: float) -> float:
        """Return the ratio at `t`."""
        return math.exp(self.log_sd * t)

    def unconstrain(self, value: float) -> float:
        """Return the t of a ratio."""
        return math.log(value) / self.log_sd

    def to_pymc(self, name: str) -> Any:
        """Add the ratio to the PyMC model in whose context this is called."""
        import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it

        return pm.LogNormal(name, mu=0.0, sigma=self.log_sd)

    def describe(self) -> dict[str, Any]:
        """Return the prior as plain values, for provenance."""
        return {"prior": "ratio", **asdict(self)}


@dataclass(frozen=True)
class NormalPrior:
    """Normal prior of a location.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation.
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _check("mean", self.mean, -FARTHEST, FARTHEST)
        _check("sd", self.sd, SMALLEST, LARGEST)

    def constrain(self, t: float) -> float:
        """Return the location at `t`."""
        return self.mean + self.sd * t

    def unconstrain(self, value: float) -> float:
        """Return the t of a location."""
        return (value - self.mean) / self.sd

    def to_pymc(self, name: str) -> Any:
        """Add the location to the PyMC model in whose context this is called."""
        import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it

        return pm.Normal(name, mu=self.mean, sigma=self.sd)

    def describe(self) -> dict[str, Any]:
        """Return the prior as plain values, for provenance."""
        return {"prior": "normal", **asdict(self)}


@dataclass(frozen=True)
class CorrelationPrior:
    """Penalised-complexity prior of the lag-one correlation rho of a stationary AR(1) effect.

    Parameters
    ----------
    upper : float
        A correlation between 0 and 1.
    tail : float
        With `base` 1, the prior probability that rho exceeds `upper`; it must be above
        ``sqrt((1 - upper) / 2)``, where the prior stops to favour the base model. With `base` 0,
        the prior probability, at most 0.9, that rho is above `upper` or below ``-upper``.
    base : float
        The simpler model that the prior shrinks to. 1 (the default): an effect that does not
        change over time. With a unit marginal standard deviation that is the model with fewer
        numbers, and it is the one to shrink to for effects of places, whose differences last.
        0: an effect that is anew every time (white noise), for errors and shocks; symmetric.

    Notes
    -----
    With distance d from the base model, sqrt(1 - rho) for base 1 and sqrt(-log(1 - rho^2)) for
    base 0, the prior is exponential in d (cut off at sqrt(2) for base 1), of a rate that meets
    the statement about the tail. Values are kept `CLOSEST` away from -1 and 1.

    Sørbye and Rue (2017), "Penalised complexity priors for stationary autoregressive processes",
    Journal of Time Series Analysis 38: 923-935.
    """

    upper: float
    tail: float
    base: float = 1.0

    def __post_init__(self) -> None:
        if self.base not in (0.0, 1.0):
            raise ValueError(f"base must be 0 or 1, found {self.base:g}")
        _check("upper, a correlation,", self.upper, SMALLEST, 1.0 - SMALLEST)
        if self.base == 1.0:
            # a hair above the limit, or the rate would be zero
            least = math.sqrt((1.0 - self.upper) / 2.0) + SMALLEST
            _check("tail, a probability,", self.tail, least, 1.0 - SMALLEST)
        else:
            _check("tail, a probability,", self.tail, 1e-9, 0.9)

    @cached_property
    def rate(self) -> float:
        """Rate of the exponential distribution of the distance from the base model."""
        from scipy import optimize  # noqa: PLC0415 - a tenth of a second that few need

        if self.base == 0.0:
            return -math.log(self.tail) / math.sqrt(-math.log1p(-(self.upper**2)))
        near = math.sqrt(1.0 - self.upper)

        def excess(rate: float) -> float:
            return math.expm1(-rate * near) / math.expm1(-rate * math.sqrt(2.0)) - self.tail

        # P(d < near) >= 1 - exp(-rate near) bounds the rate from above
        most = -math.log1p(-self.tail) / near
        return float(optimize.brentq(excess, 1e-9, most + 1e-6, xtol=1e-14, rtol=1e-14))

    def constrain(self, t: float) -> float:
        """Return the correlation at `t`."""
        rate = self.rate
        if self.base == 1.0:
            inside = -math.expm1(-rate * math.sqrt(2.0))
            distance = -math.log1p(-inside * float(special.ndtr(-t))) / rate
            rho = 1.0 - distance**2
        else:
            distance = -(float(special.log_ndtr(-abs(t))) + math.log(2.0)) / rate
            rho = math.copysign(math.sqrt(-math.expm1(-(distance**2))), t)
        return min(max(rho, CLOSEST - 1.0), 1.0 - CLOSEST)

    def unconstrain(self, value: float) -> float:
        """Return the t of a correlation."""
        rate = self.rate
        if self.base == 1.0:
            above = math.expm1(-rate * math.sqrt(1.0 - value))
            return -float(special.ndtri(above / math.expm1(-rate * math.sqrt(2.0))))
        distance = math.sqrt(-math.log1p(-(value**2)))
        return math.copysign(float(special.ndtri_exp(-rate * distance - math.log(2.0))), value)

    def log_density(self, value: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the log density at correlations strictly between -1 and 1."""
        rho, rate = np.asarray(value, dtype=float), self.rate
        if self.base == 1.0:
            distance = np.sqrt(1.0 - rho)
            constant = math.log(rate / 2.0) - math.log(-math.expm1(-rate * math.sqrt(2.0)))
            return np.asarray(constant - rate * distance - np.log(distance))
        square = -np.log1p(-(rho**2))
        # |rho| / d tends to 1 at rho = 0
        slope = np.where(rho == 0, 1.0, np.abs(rho) / np.sqrt(np.where(rho == 0, 1.0, square)))
        return np.asarray(math.log(rate / 2.0) - rate * np.sqrt(square) + np.log(slope) + square)

    def to_pymc(self, name: str) -> Any:
        """Add the correlation to the PyMC model in whose context this is called."""
        import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it
        import pytensor.tensor as pt  # noqa: PLC0415

        rate, root_two = self.rate, math.sqrt(2.0)

        def logp(value: Any, rate: Any) -> Any:
            if self.base == 1.0:
                distance = pt.sqrt(1.0 - value)
                constant = pt.log(rate / 2.0) - pt.log(-pt.expm1(-rate * root_two))
                return constant - rate * distance - pt.log(distance)
            # written so that the slope at rho = 0 stays finite
            apart = pt.maximum(pt.abs(value), 1e-10)
            square = -pt.log1p(-(apart**2))
            distance = pt.sqrt(square)
            return pt.log(rate / 2.0) - rate * distance + pt.log(apart / distance) + square

        def logcdf(value: Any, rate: Any) -> Any:
            if self.base == 1.0:
                far = pt.exp(-rate * root_two)
                return pt.log(pt.exp(-rate * pt.sqrt(1.0 - value)) - far) - pt.log1p(-far)
            tail = 0.5 * pt.exp(-rate * pt.sqrt(-pt.log1p(-(value**2))))
            return pt.log(pt.switch(value < 0, tail, 1.0 - tail))

        def random(
            rate: Any,  # noqa: ARG001 - PyMC passes it
            rng: np.random.Generator | None = None,
            size: Any = None,
        ) -> NDArray[np.float64]:
            return draw(self, np.random.default_rng(rng), tuple(size) if size is not None else ())

        return pm.CustomDist(
            name,
            rate,
            logp=logp,
            logcdf=logcdf,
            random=random,
            transform=pm.distributions.transforms.Interval(-1.0, 1.0),
            signature="()->()",
        )

    def describe(self) -> dict[str, Any]:
        """Return the prior as plain values, for provenance."""
        return {"prior": "correlation", **asdict(self)}
