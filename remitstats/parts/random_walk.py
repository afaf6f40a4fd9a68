"""Random walks of first and second order, at any times, scaled to a typical variance of one.

First order: steps from one time to the next are independent normals whose variance is the time
between them (Brownian motion seen at those times). Second order: the slopes between
neighbouring times make such a walk, with the time between the middles of their intervals; on a
regular grid these are the classical second differences, on others the form of Lindgren and Rue
(2008). Neither says where the path lies, and the second not how it is inclined; these are
constraints, and belong to the intercept and the trend of the model.

The walk is scaled so that the geometric mean of the marginal variances is one, so that a standard
deviation, and "P(sd > U) = a", mean the same for 3 waves or 53 quarters, in years or in decades.

References
----------
Rue and Held (2005), Gaussian Markov Random Fields, sections 3.3 and 3.4.
Sørbye and Rue (2014), Spatial Statistics 8: 39-51 (scaling).
Lindgren and Rue (2008), Scandinavian Journal of Statistics 35: 691-700 (irregular times).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.parts.structure import Structure

Array = NDArray[np.float64]
Times = Sequence[float] | NDArray[Any]


def _check(times: Times, order: int, trend_sd: float | None) -> Array:
    at = np.asarray(times, dtype=float)
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, found {order}")
    if at.ndim != 1 or len(at) <= order:
        raise ValueError(
            f"a walk of order {order} needs {order + 1} times or more, found {at.size}"
        )
    if not (np.all(np.isfinite(at)) and np.all(np.diff(at) > 0)):
        raise ValueError(f"times must be finite and rise, found {', '.join(map(str, at))}")
    if trend_sd is not None and (order == 1 or not trend_sd > 0):
        raise ValueError(
            f"trend_sd is for order 2 and must be positive, found {trend_sd} with order {order}"
        )
    return at


def differences(times: Times, order: int = 1) -> sp.csr_array:
    """Return the matrix that takes a path to its unscaled, independent unit innovations.

    Parameters
    ----------
    times : sequence of float
        Rising times.
    order : int
        1 or 2.

    Returns
    -------
    sparse array, shape (len(times) - order, len(times))
    """
    at = _check(times, order, None)
    step = np.diff(at)
    size = len(at)
    slope = sp.diags_array(
        [-1.0 / step, 1.0 / step], offsets=[0, 1], shape=(size - 1, size), format="csr"
    )
    if order == 1:
        return sp.csr_array(sp.diags_array(np.sqrt(step)) @ slope)
    apart = 0.5 * (step[:-1] + step[1:])
    change = sp.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(size - 2, size - 1))
    return sp.csr_array(sp.diags_array(1.0 / np.sqrt(apart)) @ change @ slope)


def null_space(times: Times, order: int = 1) -> Array:
    """Return an orthonormal basis of what the walk says nothing about, shape (order, time).

    The level and, for order 2, the linear trend (rising).
    """
    at = _check(times, order, None)
    level = np.full((1, len(at)), 1.0 / math.sqrt(len(at)))
    if order == 1:
        return level
    trend = at - at.mean()
    return np.vstack([level, trend / np.linalg.norm(trend)])


def scaling_factor(times: Times, order: int = 1) -> float:
    """Return the geometric mean of the marginal variances of the unscaled, constrained walk."""
    path = _unscaled_basis(_check(times, order, None), order)
    return float(np.exp(np.mean(np.log(np.sum(path**2, axis=1)))))


def _unscaled_basis(at: Array, order: int) -> Array:
    """Return the path as a linear map of its innovations, shape (time, innovation)."""
    step = np.diff(at)
    path = np.zeros((len(at), len(at) - order))
    if order == 1:
        path[1:] = np.cumsum(np.diag(np.sqrt(step)), axis=0)
    else:
        slope = np.zeros((len(at) - 1, len(at) - 2))
        slope[1:] = np.cumsum(np.diag(np.sqrt(0.5 * (step[:-1] + step[1:]))), axis=0)
        path[1:] = np.cumsum(step[:, None] * slope, axis=0)
    null = null_space(at, order)
    return np.asarray(path - null.T @ (null @ path))


def structure(times: Times, order: int = 1, trend_sd: float | None = None) -> Structure:
    """Return the scaled structure of a random walk.

    Parameters
    ----------
    times : sequence of float
        Rising times, regular or not; their unit does not matter.
    order : int
        1 or 2.
    trend_sd : float, optional
        For order 2. By default the linear trend is constrained to zero: the model has it as an
        effect of its own. A number leaves it in, as an independent normal of that standard
        deviation (root mean square over the times) relative to the walk's. An improper, flat
        trend is not offered: no prior predictive could be drawn from it.

    Returns
    -------
    Structure
        Sums to zero; for order 2 without `trend_sd` also orthogonal to time. The space that the
        constraints take away is filled up with a unit precision, which makes R dense, len(times)
        squared, and nothing about the effect less exact.

    Raises
    ------
    ValueError
        If the order is not 1 or 2, times are too few or do not rise, or trend_sd is not positive.
    """
    at = _check(times, order, trend_sd)
    null = null_space(at, order)
    root = [differences(at, order) * math.sqrt(scaling_factor(at, order)), null[:1]]
    if order == 2:
        root.append(null[1:] if trend_sd is None else null[1:] / (math.sqrt(len(at)) * trend_sd))
    constraint = null if trend_sd is None else null[:1]
    return Structure(
        root=sp.csr_array(sp.vstack([sp.csr_array(part) for part in root])),
        constraint=sp.csr_array(constraint),
        rank=len(at) - len(constraint),
    )


def to_pymc(
    name: str,
    times: Times,
    sd: Any,
    dims: str | tuple[str, ...],
    *,
    order: int = 1,
    trend_sd: float | None = None,
    copies: int | None = None,
) -> Any:
    """Add a random walk to the PyMC model in whose context this is called.

    Parameters
    ----------
    name : str
        The free variable is ``{name}_innovation``, and ``{name}_trend_unit`` with `trend_sd`.
    times : sequence of float
        Rising times of the last dim.
    sd : float or PyMC variable
        Standard deviation of the walk.
    dims : str or tuple of str
        Named dims; the last is time. A coordinate ``{name}_step`` is added for the innovations.
    order, trend_sd
        As for `structure`.
    copies : int, optional
        Number of independent walks along the first dim; None for a single one.

    Returns
    -------
    tensor
        The walk; wrap it in a `pm.Deterministic` to keep it.

    Notes
    -----
    Free are the independent unit innovations; the path is their cumulative sum with the level
    (and trend) taken out, which has the law of `structure` exactly and needs no soft constraint.
    Not `pm.GaussianRandomWalk`, which logs a rewrite failure beside long vectors, knows no
    irregular times and leaves the level in; not a density on the path, which NUTS finds hard to
    move in where few data speak, as with three waves.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it
    import pytensor.tensor as pt  # noqa: PLC0415

    at = _check(times, order, trend_sd)
    dims = (dims,) if isinstance(dims, str) else tuple(dims)
    model = pm.modelcontext(None)
    if f"{name}_step" not in model.coords:
        model.add_coord(f"{name}_step", values=np.asarray(times)[order:].tolist())
    shape = () if copies is None else (copies,)
    unit = pm.Normal(f"{name}_innovation", dims=(*dims[:-1], f"{name}_step"))
    step = np.diff(at)
    zero = pt.zeros((*shape, 1))
    if order == 1:
        path = pt.cumsum(np.sqrt(step) * unit, axis=-1)
    else:
        turns = pt.cumsum(np.sqrt(0.5 * (step[:-1] + step[1:])) * unit, axis=-1)
        path = pt.cumsum(step * pt.concatenate([zero, turns], axis=-1), axis=-1)
    path = pt.concatenate([zero, path], axis=-1)
    null = null_space(at, order)
    path = (path - (path @ null.T) @ null) / math.sqrt(scaling_factor(at, order))
    if trend_sd is not None:
        trend = pm.Normal(f"{name}_trend_unit", dims=dims[:-1] or None)
        path = path + trend[..., None] * (trend_sd * math.sqrt(len(at)) * null[1])
    return sd * path
