"""BYM2: a spatial effect and an unstructured one that share one standard deviation.

    b = sd (sqrt(share) u + sqrt(1 - share) v),   u scaled ICAR,   v independent unit normals.

`sd` is the standard deviation of a typical unit and `share` the spatial share of its variance, on
every map alike, because u is scaled (see `icar`). On an island u is a unit normal as well, so that
the effect has standard deviation sd there whatever the share.

References
----------
Riebler, Sørbye, Simpson and Rue (2016), Statistical Methods in Medical Research 25: 1145-1165.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from remitstats.parts import icar
from remitstats.parts.icar import Graph
from remitstats.parts.structure import (
    Structure,
    conditional_mean,
    independent,
    log_density,
    log_determinant,
)

Array = NDArray[np.float64]


def _check(sd: float, share: float) -> None:
    if not sd > 0:
        raise ValueError(f"sd must be positive, found {sd}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, found {share}")


def structures(graph: Graph, copies: int = 1) -> tuple[Structure, Structure]:
    """Return the unit-scale structures of the spatial and the unstructured part.

    Parameters
    ----------
    graph : Graph
        Neighbourhood graph of the units.
    copies : int
        Number of independent effects, one after another.
    """
    spatial = icar.icar(graph)
    return (
        spatial if copies == 1 else spatial.replicate(copies),
        independent(copies * graph.size),
    )


def part_sds(sd: float, share: float) -> tuple[float, float]:
    """Return the standard deviations of the spatial and the unstructured part."""
    _check(sd, share)
    return sd * math.sqrt(share), sd * math.sqrt(1.0 - share)


def covariance(graph: Graph, sd: float, share: float) -> Array:
    """Return the covariance of an effect, dense, shape (size, size)."""
    spatial, unstructured = part_sds(sd, share)
    return np.asarray(
        spatial**2 * graph.structure.covariance() + unstructured**2 * np.eye(graph.size)
    )


def sample(rng: np.random.Generator, graph: Graph, sd: float, share: float, draws: int) -> Array:
    """Draw effects from the prior, shape (draw, size)."""
    sds = part_sds(sd, share)
    spatial, unstructured = (part.sample(rng, draws) for part in structures(graph))
    return np.asarray(sds[0] * spatial + sds[1] * unstructured)


def unit_log_density(spatial: Array, unstructured: Array, graph: Graph) -> float:
    """Return the joint log density of the two unit-scale parts, each of shape (size,)."""
    first, second = structures(graph)
    return log_density(spatial, first) + log_density(unstructured, second)


def marginal_log_density(effect: Array, graph: Graph, sd: float, share: float) -> float:
    """Return the log density of an effect with its two parts integrated out.

    Parameters
    ----------
    effect : array, shape (size,)
        The sum of both parts.
    graph : Graph
        Neighbourhood graph.
    sd, share : float
        Standard deviation, and spatial share, below 1 (at 1 the effect has no density on the
        whole space: use `structure.log_density`).

    Returns
    -------
    float
        Log density, normalising constant included, by sparse algebra: p(b) = p(u) p(b | u) /
        p(u | b) at the u that is most probable given b.

    Raises
    ------
    ValueError
        If sd or share is out of range.
    """
    _check(sd, share)
    if share == 1:
        raise ValueError("share must be below 1 for a density of the sum, found 1")
    structure = graph.structure
    constraint, rest = structure.constraint, sd * math.sqrt(1.0 - share)
    slope = math.sqrt(share / (1.0 - share))
    # given b, u has precision Q = R + slope^2 I on the constrained space
    precision = sp.csc_array(structure.precision + slope**2 * sp.eye_array(graph.size))
    at = conditional_mean(precision, constraint, slope * effect / rest)
    given = 0.5 * log_determinant(precision, constraint)
    given -= 0.5 * structure.rank * math.log(2.0 * math.pi)
    residual = (effect - sd * math.sqrt(share) * at) / rest
    noise = -0.5 * float(residual @ residual)
    noise -= graph.size * (math.log(rest) + 0.5 * math.log(2.0 * math.pi))
    return log_density(at, structure) + noise - given


def to_pymc(
    name: str,
    graph: Graph,
    sd: Any,
    share: Any,
    dims: str | tuple[str, ...],
    copies: int | None = None,
) -> Any:
    """Add a BYM2 effect, non-centred, to the PyMC model in whose context this is called.

    Parameters
    ----------
    name : str
        The variables are ``{name}_spatial_unit`` and ``{name}_unstructured_unit``.
    graph : Graph
        Neighbourhood graph of the last dimension.
    sd, share : float or PyMC variable
        Standard deviation, and spatial share of the variance.
    dims : str or tuple of str
        Named dims; the last is the graph's.
    copies : int, optional
        Number of independent copies along the first dim; None for a single vector.

    Returns
    -------
    tensor
        The effect; wrap it in a `pm.Deterministic` to keep it.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it

    spatial = icar.to_pymc(f"{name}_spatial_unit", graph, dims, copies)
    unstructured = pm.Normal(f"{name}_unstructured_unit", dims=dims)
    return sd * (pm.math.sqrt(share) * spatial + pm.math.sqrt(1.0 - share) * unstructured)
