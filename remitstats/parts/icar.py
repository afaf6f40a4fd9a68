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

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

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
        """Scaling factor of each connected component; kept, for it takes seconds on a country."""
        return scaling_factors(self)


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

    Computed with the sum-to-zero constraint by sparse solves on the grounded Laplacian (one unit
    held at zero), never by an unconstrained pseudo-inverse. Islands get 1.
    """
    factors = np.ones(len(graph.component_size))
    for label, size in enumerate(graph.component_size):
        if size == 1:
            continue
        members = np.flatnonzero(graph.component == label)
        position = np.full(graph.size, -1)
        position[members] = np.arange(size)
        inside = graph.component[graph.edges[:, 0]] == label
        matrix = laplacian(int(size), position[graph.edges[inside]])
        solve = splu(sp.csc_array(matrix[1:, 1:]), permc_spec="MMD_AT_PLUS_A").solve
        diagonal, row_sum = np.zeros(size), np.zeros(size)
        for start in range(0, size - 1, 512):
            columns = np.arange(start, min(start + 512, size - 1))
            unit = np.zeros((size - 1, len(columns)))
            unit[columns, np.arange(len(columns))] = 1.0
            solved = solve(unit)
            diagonal[columns + 1] = solved[columns, np.arange(len(columns))]
            row_sum[1:] += solved.sum(axis=1)
        variance = diagonal - 2.0 * row_sum / size + row_sum.sum() / size**2
        factors[label] = np.exp(np.mean(np.log(variance)))
    return factors


@dataclass(frozen=True)
class Structure:
    """Unit-scale Gaussian structure: precision R = root' root, and what must sum to zero.

    Parameters
    ----------
    root : sparse array, shape (k, size)
        Any matrix with root' root = R; used to draw from the posterior by perturbation.
    constraint : sparse array, shape (number of constraints, size)
        Rows that the effect is orthogonal to.
    rank : int
        Rank of R on the constrained space: the power of the precision in the density.
    """

    root: sp.csr_array
    constraint: sp.csr_array
    rank: int

    @property
    def size(self) -> int:
        """Length of the effect."""
        return int(self.root.shape[1])

    @cached_property
    def precision(self) -> sp.csc_array:
        """The matrix R, shape (size, size)."""
        return sp.csc_array(self.root.T @ self.root)

    def replicate(self, times: int) -> Structure:
        """Return the structure of `times` independent copies, one after another."""
        eye = sp.eye_array(times)
        return Structure(
            root=sp.csr_array(sp.kron(eye, self.root)),
            constraint=sp.csr_array(sp.kron(eye, self.constraint)),
            rank=self.rank * times,
        )

    def sample(self, rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
        """Draw unit-scale effects from the prior, shape (draw, size).

        Perturbation sampling: solving R x = root' e with standard normal e gives covariance R^-1;
        conditioning by kriging then makes the constraints hold exactly (Rue and Held 2005,
        Gaussian Markov Random Fields, algorithm 2.6).
        """
        factor = splu(self.precision, permc_spec="MMD_AT_PLUS_A")
        noise = rng.standard_normal((self.root.shape[0], draws))
        effects = factor.solve(np.ascontiguousarray(self.root.T @ noise))
        if self.constraint.shape[0]:
            solved = factor.solve(np.ascontiguousarray(self.constraint.toarray().T))
            gram = self.constraint @ solved
            effects -= solved @ np.linalg.solve(gram, self.constraint @ effects)
        return np.asarray(effects.T)


def independent(size: int) -> Structure:
    """Return the structure of `size` exchangeable unit normals."""
    return Structure(
        root=sp.csr_array(sp.eye_array(size)),
        constraint=sp.csr_array((0, size)),
        rank=size,
    )


def icar(graph: Graph) -> Structure:
    """Return the scaled ICAR structure of a graph (see the module's text)."""
    factor = graph.scaling[graph.component]
    edge_weight = np.sqrt(factor[graph.edges[:, 0]])
    ridge = np.where(graph.island, 1.0, np.sqrt(RIDGE * factor))
    root = sp.vstack(
        [sp.diags_array(edge_weight) @ _incidence(graph.size, graph.edges), sp.diags_array(ridge)],
        format="csr",
    )
    labels = np.flatnonzero(graph.component_size > 1)
    rows = [np.flatnonzero(graph.component == label) for label in labels]
    constraint = sp.csr_array(
        (
            np.ones(sum(map(len, rows))),
            (np.repeat(np.arange(len(rows)), [len(r) for r in rows]), np.concatenate([*rows, []])),
        ),
        shape=(len(rows), graph.size),
    )
    return Structure(root=root, constraint=constraint, rank=graph.size - len(rows))


def log_density(x: NDArray[np.float64], structure: Structure, sd: float = 1.0) -> float:
    """Return the log density of an effect, up to a constant that does not depend on `sd`."""
    quadratic = float(np.sum((structure.root @ x) ** 2))
    return -structure.rank * float(np.log(sd)) - 0.5 * quadratic / sd**2


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
    A `CustomDist`, so that prior predictive sampling works. Each component's sum is held at
    zero by a normal with standard deviation 0.001 times its size, as PyMC's own ICAR does.
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; engines do without it
    import pytensor.tensor as pt  # noqa: PLC0415

    structure = icar(graph)
    factor = graph.scaling[graph.component]
    first, second = graph.edges.T
    weight = factor[first]
    ridge = np.where(graph.island, 1.0, RIDGE * factor)
    members = [row.indices for row in structure.constraint]

    def logp(value: Any, _shape_of: Any) -> Any:
        quadratic = (weight * (value[..., first] - value[..., second]) ** 2).sum(axis=-1)
        quadratic = quadratic + (ridge * value**2).sum(axis=-1)
        for member in members:
            quadratic = quadratic + (value[..., member].mean(axis=-1) / 0.001) ** 2
        return -0.5 * quadratic

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
