"""Stationary first-order autoregression with unit marginal standard deviation.

    x_1 ~ Normal(0, 1),   x_t ~ Normal(rho x_(t-1), sqrt(1 - rho^2)),   corr(x_s, x_t) = rho^|s-t|.

The marginal standard deviation is one for every rho, so that the standard deviation of the effect
and its persistence are separate questions with separate priors (`priors.ScalePrior` and
`priors.CorrelationPrior`). As rho tends to 1 the effect tends to one number for all times, and its
deviations from their mean to a first-order random walk.

References
----------
Rue and Held (2005), Gaussian Markov Random Fields, section 1.2.1.
Sørbye and Rue (2017), Journal of Time Series Analysis 38: 923-935.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.parts.structure import Structure

Array = NDArray[np.float64]


def _check(rho: float, size: int) -> None:
    if not -1 < rho < 1:
        raise ValueError(f"rho must lie between -1 and 1, found {rho}")
    if size < 1:
        raise ValueError(f"an autoregression needs one time or more, found {size}")


def covariance(rho: float, size: int) -> Array:
    """Return the correlation matrix rho^|s-t|, dense, shape (size, size)."""
    _check(rho, size)
    lag = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return np.asarray(np.power(float(rho), lag))


def root(rho: float, size: int) -> sp.csr_array:
    """Return the lower bidiagonal matrix that takes an effect to its unit innovations.

    Its cross product root' root is the precision.
    """
    _check(rho, size)
    scale = 1.0 / math.sqrt((1.0 - rho) * (1.0 + rho))
    main = np.full(size, scale)
    main[0] = 1.0
    return sp.csr_array(
        sp.diags_array([main, np.full(size - 1, -rho * scale)], offsets=[0, -1])
        if size > 1
        else sp.diags_array([main], offsets=[0])
    )


def precision(rho: float, size: int) -> sp.csc_array:
    """Return the tridiagonal precision, shape (size, size)."""
    bidiagonal = root(rho, size)
    return sp.csc_array(bidiagonal.T @ bidiagonal)


def structure(rho: float, size: int) -> Structure:
    """Return the structure for a known rho, for instance as the time of an interaction."""
    return Structure(root=root(rho, size), constraint=sp.csr_array((0, size)), rank=size)


@dataclass(frozen=True)
class FreeCorrelation:
    """Correlation of copies in time with rho a hyperparameter (see `latent_gaussian.Component`).

    Parameters
    ----------
    rho : str
        Name of the hyperparameter.
    size : int
        Number of times.
    """

    rho: str
    size: int

    def __call__(self, values: Mapping[str, float]) -> Array:
        """Return the correlation matrix at `values`."""
        return covariance(values[self.rho], self.size)


def log_density(x: Array, rho: float, sd: float = 1.0) -> float:
    """Return the log density of an effect, shape (size,), normalising constant included."""
    unit = np.asarray(x, dtype=float) / sd
    size = len(unit)
    _check(rho, size)
    variance = (1.0 - rho) * (1.0 + rho)
    square = unit[0] ** 2 + np.sum((unit[1:] - rho * unit[:-1]) ** 2) / variance
    constant = size * (0.5 * math.log(2.0 * math.pi) + math.log(sd))
    return -0.5 * float(square) - 0.5 * (size - 1) * math.log(variance) - constant


def sample(rng: np.random.Generator, rho: float, size: int, draws: int) -> Array:
    """Draw unit-scale effects, shape (draw, size), by the recursion of the module's text."""
    _check(rho, size)
    return _recursion(rng.standard_normal((draws, size)), np.full(draws, rho))


def _recursion(noise: Array, rho: Array) -> Array:
    """Return effects, shape (draw, time), from unit innovations and a rho for every draw."""
    effects, scale = noise.copy(), np.sqrt((1.0 - rho) * (1.0 + rho))
    for t in range(1, noise.shape[1]):
        effects[:, t] = rho * effects[:, t - 1] + scale * noise[:, t]
    return effects


def to_pymc(
    name: str,
    size: int,
    rho: Any,
    sd: Any,
    dims: str | tuple[str, ...],
    copies: int | None = None,
) -> Any:
    """Add an autoregression to the PyMC model in whose context this is called.

    Parameters
    ----------
    name : str
        The free variable is ``{name}_unit``.
    size : int
        Number of times.
    rho, sd : float or PyMC variable
        Lag-one correlation, and marginal standard deviation; one number for all copies.
    dims : str or tuple of str
        Named dims; the last is time.
    copies : int, optional
        Number of independent copies along the first dim; None for a single one.

    Returns
    -------
    tensor
        The effect; wrap it in a `pm.Deterministic` to keep it.

    Notes
    -----
    Non-centred in sd, centred in rho: a `CustomDist` whose log density is a vector operation (one
    value a copy) where the recursion would need a loop, `pm.AR` too.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it
    import pytensor.tensor as pt  # noqa: PLC0415

    if size < 1:
        raise ValueError(f"an autoregression needs one time or more, found {size}")
    times = size  # PyMC calls the shape of the copies `size`

    def logp(value: Any, rho: Any, _shape_of: Any) -> Any:
        variance = (1.0 - rho) * (1.0 + rho)
        step = value[..., 1:] - rho * value[..., :-1]
        square = value[..., 0] ** 2 + (step**2).sum(axis=-1) / variance
        constant = 0.5 * times * math.log(2.0 * math.pi)
        return -0.5 * square - 0.5 * (times - 1) * pt.log(variance) - constant

    def random(
        rho: Any,
        _shape_of: Any,
        rng: np.random.Generator | None = None,
        size: Any = None,
    ) -> NDArray[np.float64]:
        shape = tuple(size) if size is not None else ()
        each = np.broadcast_to(np.asarray(rho, dtype=float), shape).ravel()
        noise = np.random.default_rng(rng).standard_normal((len(each), times))
        return _recursion(noise, each).reshape(*shape, times)

    unit = pm.CustomDist(
        f"{name}_unit",
        rho,
        pt.zeros(times),
        logp=logp,
        random=random,
        signature="(),(m)->(m)",
        size=() if copies is None else (copies,),
        dims=dims,
    )
    return sd * unit
