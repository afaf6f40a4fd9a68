"""Priors on scales and shares, in words a user can weigh: "P(sd > U) = a".

Engines work with a number t that is standard normal under the prior (t is the normal quantile of
the prior's distribution function). A scale or a share whose posterior reaches the edge of its
range then has normal tails in t, where a logarithm or a logit would have long exponential ones.
No PyMC is imported until a model is built.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from scipy import special

SMALLEST, LARGEST = 1e-3, 100.0  # bounds of scales and shapes: beyond them arithmetic breaks down
FARTHEST = 30.0  # a logit beyond which every share is 0 or 1


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

    def describe(self) -> dict[str, Any]:
        """Return the prior as plain values, for provenance."""
        return {"prior": "normal", **asdict(self)}


HyperPrior = ScalePrior | SharePrior | RatioPrior
