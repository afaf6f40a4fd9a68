"""Mode and shape of a collapsed model's posterior: the Laplace approximation.

A model whose Gaussian part is integrated out has up to a thousand parameters of very different
scales and strong correlations. Step by step:

1. the mode given the standard deviations of pooled effects, by L-BFGS, and these by EM;
2. the Hessian there, by differences of gradients. Parameters of different states (or regions) meet
   only through shared ones, so that one difference serves all states at once (`separable`).

Chains in the coordinates of this shape are the model's engine (`whitened`).
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
