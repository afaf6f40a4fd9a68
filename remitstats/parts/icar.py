"""Intrinsic conditional autoregression on a graph, scaled by component, islands included.

The structure matrix R is the graph Laplacian of each connected component times a factor that
gives the component a typical marginal variance (geometric mean) of one, so that a standard
deviation means the same on every map. Each component sums to zero. A municipality without
neighbours (an island) has nothing to borrow from and gets an independent unit normal instead.

References
----------
Besag, York and Mollié (1991), Annals of the Institute of Statistical Mathematics 43: 1-20.
Riebler, Sørbye, Simpson and Rue (2016), Statistical Methods in Medical Research 25: 1145-1165.
Freni-Sterrantino, Ventrucci and Rue (2018), Spatial and Spatio-temporal Epidemiology 26: 25-34.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

from remitstats.parts.selected_inverse import inverse_diagonal
from remitstats.parts.structure import Structure, independent, log_density

__all__ = [
    "Graph",
    "Structure",
    "icar",
    "independent",
    "laplacian",
    "log_density",
    "scaling_factors",
    "soft_log_density",
    "to_pymc",
]

SUM_SD = 1e-3  # how far PyMC's draws may have a component's mean from zero
RIDGE = 1e-6  # relative; makes R invertible in the linear algebra, too small to be seen in results


@dataclass(frozen=True)
class Graph:
    """Undirected neighbourhood graph of the units of a panel.

    Parameters
    ----------
    size : int
        Number of units.
    edges : array of int, shape (edge, 2)
        Pairs of positions, each pair once, no unit paired with itself.

    Raises
    ------
    ValueError
        If a pair is out of range, repeated, or pairs a unit with itself.
    """

    size: int
    edges: NDArray[np.int64]

    def __post_init__(self) -> None:
        edges = np.asarray(self.edges, dtype=np.int64).reshape(-1, 2)
        if edges.size and (edges.min() < 0 or edges.max() >= self.size):
            raise ValueError(f"edges must lie between 0 and {self.size - 1}")
        if np.any(edges[:, 0] == edges[:, 1]):
            raise ValueError("a unit can't be its own neighbour")
        edges = np.sort(edges, axis=1)
        if len(np.unique(edges[:, 0] * self.size + edges[:, 1])) != len(edges):
            raise ValueError("each pair of neighbours must be given once")
        object.__setattr__(self, "edges", edges)

    @cached_property
    def component(self) -> NDArray[np.int64]:
        """Label of the connected component of each unit, shape (size,)."""
        ones = np.ones(len(self.edges))
        matrix = sp.coo_array((ones, (self.edges[:, 0], self.edges[:, 1])), (self.size, self.size))
        _, label = csgraph.connected_components(matrix, directed=False)
        return np.asarray(label, dtype=np.int64)

    @cached_property
    def component_size(self) -> NDArray[np.int64]:
        """Number of units in each connected component."""
        return np.bincount(self.component).astype(np.int64)

    @cached_property
    def island(self) -> NDArray[np.bool_]:
        """Whether each unit has no neighbour, shape (size,)."""
        return np.asarray(self.component_size[self.component] == 1)

    @cached_property
    def scaling(self) -> NDArray[np.float64]:
        """Scaling factor of each connected component, kept."""
        return scaling_factors(self)

    @cached_property
    def structure(self) -> Structure:
        """Scaled ICAR structure of the graph, kept: every caller gets the same object."""
        return _scaled(self)


def laplacian(size: int, edges: NDArray[np.int64]) -> sp.csc_array:
    """Return the graph Laplacian (degree minus adjacency), shape (size, size)."""
    incidence = _incidence(size, edges)
    return sp.csc_array(incidence.T @ incidence)


def _incidence(size: int, edges: NDArray[np.int64]) -> sp.csr_array:
    rows = np.repeat(np.arange(len(edges)), 2)
    values = np.tile([1.0, -1.0], len(edges))
    return sp.csr_array((values, (rows, edges.ravel())), shape=(len(edges), size))


def scaling_factors(graph: Graph) -> NDArray[np.float64]:
    """Return the geometric mean of the marginal variances of each component's plain ICAR.

    Computed with the sum-to-zero constraint from the grounded Laplacian (one unit of every
    component held at zero), never by an unconstrained pseudo-inverse; all components at once, by
    a selected inverse, so that the cost grows about linearly with the map. Islands get 1.

    Notes
    -----
    With G the inverse of the grounded Laplacian, filled with zeros at the grounded unit, the
    variances are the diagonal of P G P, P = I - 11'/n: the choice of the unit drops out.
    """
    label, size = graph.component, graph.component_size
    _, grounded = np.unique(label, return_index=True)
    free = np.setdiff1d(np.arange(graph.size), grounded)
    diagonal, row_sum = np.zeros(graph.size), np.zeros(graph.size)
    if len(free):
        matrix = sp.csc_array(laplacian(graph.size, graph.edges)[free][:, free])
        diagonal[free] = inverse_diagonal(matrix)
        row_sum[free] = splu(matrix, permc_spec="MMD_AT_PLUS_A").solve(np.ones(len(free)))
    total = np.bincount(label, weights=row_sum)
    variance = diagonal - 2.0 * row_sum / size[label] + (total / size**2)[label]
    variance[graph.island] = 1.0
    return np.asarray(np.exp(np.bincount(label, weights=np.log(variance)) / size))


def icar(graph: Graph) -> Structure:
    """Return the scaled ICAR structure of a graph (see the module's text)."""
    return graph.structure


def _scaled(graph: Graph) -> Structure:
    factor = graph.scaling[graph.component]
    edge_weight = np.sqrt(factor[graph.edges[:, 0]])
    ridge = np.where(graph.island, 1.0, np.sqrt(RIDGE * factor))
    root = sp.vstack(
        [sp.diags_array(edge_weight) @ _incidence(graph.size, graph.edges), sp.diags_array(ridge)],
        format="csr",
    )
    member = np.flatnonzero(~graph.island)
    labels, row = np.unique(graph.component[member], return_inverse=True)
    constraint = sp.csr_array(
        (np.ones(len(member)), (row, member)), shape=(len(labels), graph.size)
    )
    return Structure(root=root, constraint=constraint, rank=graph.size - len(labels))


def soft_log_density(x: NDArray[np.float64], graph: Graph) -> float:
    """Return the log density of unit-scale effects as `to_pymc` has it.

    Parameters
    ----------
    x : array, shape (size,)
        Any vector: the density is that of a proper normal on the whole space.
    graph : Graph
        Neighbourhood graph.

    Notes
    -----
    Each component's mean is normal around zero with standard deviation `SUM_SD`. The matrix is
    R + A'S A with S the precisions of the sums; its determinant is |R| |I + S A R^-1 A'|.
    """
    structure = graph.structure
    held = (structure.constraint @ x) * _sum_scale(graph)
    quadratic = float(np.sum((structure.root @ x) ** 2) + np.sum(held**2))
    return _soft_constant(graph) - 0.5 * quadratic


def _sum_scale(graph: Graph) -> NDArray[np.float64]:
    """Return one over the standard deviation of each constrained component's sum."""
    return np.asarray(1.0 / (SUM_SD * graph.component_size[graph.component_size > 1]))


def _soft_constant(graph: Graph) -> float:
    """Return the log normalising constant of `soft_log_density`."""
    kept = graph.component_size > 1
    sizes, factor = graph.component_size[kept], graph.scaling[kept]
    # |R| |A R^-1 A'| / |A A'| is the structure's determinant; R 1 = ridge * factor * 1 gives the
    # sums the variance size / (ridge * factor), and A A' holds the sizes
    precision = RIDGE * factor / sizes
    log_det = graph.structure.log_determinant
    log_det += float(np.sum(np.log(sizes) + np.log(precision + _sum_scale(graph) ** 2)))
    return 0.5 * log_det - 0.5 * graph.size * math.log(2.0 * math.pi)


def to_pymc(name: str, graph: Graph, dims: str | tuple[str, ...], copies: int | None = None) -> Any:
    """Add unit-scale ICAR effects to the PyMC model in whose context this is called.

    Parameters
    ----------
    name : str
        Name of the random variable.
    graph : Graph
        Neighbourhood graph of the last dimension.
    dims : str or tuple of str
        Named dims; the last is the graph's.
    copies : int, optional
        Number of independent copies along the first dim; None for a single vector.

    Notes
    -----
    A `CustomDist`, so that prior predictive sampling works, with the density of
    `soft_log_density`, one value a copy. Each component's sum is held at zero by a normal with
    standard deviation 0.001 times its size, as PyMC's own ICAR does; forward draws sum to zero.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it
    import pytensor.tensor as pt  # noqa: PLC0415

    structure = graph.structure
    constant = _soft_constant(graph)
    factor = graph.scaling[graph.component]
    first, second = graph.edges.T
    weight = factor[first]
    ridge = np.where(graph.island, 1.0, RIDGE * factor)
    starts = structure.constraint.indptr[1:-1]
    members = np.split(structure.constraint.indices, starts) if structure.constraint.nnz else []

    def logp(value: Any, _shape_of: Any) -> Any:
        quadratic = (weight * (value[..., first] - value[..., second]) ** 2).sum(axis=-1)
        quadratic = quadratic + (ridge * value**2).sum(axis=-1)
        for member in members:
            quadratic = quadratic + (value[..., member].mean(axis=-1) / SUM_SD) ** 2
        return constant - 0.5 * quadratic

    def random(
        _shape_of: Any, rng: np.random.Generator | None = None, size: Any = None
    ) -> NDArray[np.float64]:
        rng = np.random.default_rng(rng)
        shape = tuple(size) if size is not None else ()
        flat = int(np.prod(shape, dtype=int))
        return structure.sample(rng, flat).reshape(*shape, graph.size)

    size = () if copies is None else (copies,)
    return pm.CustomDist(
        name,
        pt.zeros(graph.size),
        logp=logp,
        random=random,
        signature="(m)->(m)",
        size=size,
        dims=dims,
    )
