"""The scaled ICAR against dense linear algebra."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import remitstats
from remitstats.models.reliance import prepare_data
from remitstats.parts import icar

Array = NDArray[np.float64]


def dense_laplacian(graph: icar.Graph) -> Array:
    matrix = np.zeros((graph.size, graph.size))
    for a, b in graph.edges:
        matrix[a, a] += 1
        matrix[b, b] += 1
        matrix[a, b] -= 1
        matrix[b, a] -= 1
    return matrix


def unit_covariance(graph: icar.Graph) -> Array:
    """Covariance of the scaled effects, component by component, from pseudo-inverses."""
    covariance = np.zeros((graph.size, graph.size))
    laplacian = dense_laplacian(graph)
    for label in np.unique(graph.component):
        members = np.flatnonzero(graph.component == label)
        block = np.ix_(members, members)
        if len(members) == 1:
            covariance[block] = 1.0
            continue
        inverse = np.linalg.pinv(laplacian[block])
        covariance[block] = inverse / np.exp(np.mean(np.log(np.diag(inverse))))
    return covariance


def path(*nodes: int) -> list[tuple[int, int]]:
    return list(itertools.pairwise(nodes))


# a ring with a chord and a tail, a path, and two islands
PARTS = icar.Graph(12, np.array([*path(0, 1, 2, 3, 4, 0), (1, 3), (4, 5), *path(6, 7, 8, 9)]))


@st.composite
def graphs(draw: st.DrawFn) -> icar.Graph:
    """Connected graphs: a random tree and some more edges."""
    size = draw(st.integers(2, 9))
    tree = {(draw(st.integers(0, i - 1)), i) for i in range(1, size)}
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    more = {(min(p), max(p)) for p in draw(st.lists(pairs, max_size=8)) if p[0] != p[1]}
    return icar.Graph(size, np.array(sorted(tree | more)))


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_scaling_factor_is_the_geometric_mean_of_constrained_variances(graph: icar.Graph) -> None:
    variance = np.diag(np.linalg.pinv(dense_laplacian(graph)))
    expected = np.exp(np.mean(np.log(variance)))
    assert icar.scaling_factors(graph) == pytest.approx([expected], rel=1e-9)


def test_each_component_has_its_own_factor_and_islands_have_one() -> None:
    factor = icar.scaling_factors(PARTS)
    ring = icar.Graph(6, PARTS.edges[PARTS.edges.max(axis=1) < 6])
    chain = icar.Graph(4, np.array(path(0, 1, 2, 3)))
    assert factor[PARTS.component[0]] == pytest.approx(icar.scaling_factors(ring)[0])
    assert factor[PARTS.component[6]] == pytest.approx(icar.scaling_factors(chain)[0])
    assert list(factor[PARTS.component[10:]]) == [1.0, 1.0]
    assert list(PARTS.scaling) == list(factor)


def test_mexico_is_one_component_with_factor_062() -> None:
    graph = prepare_data(remitstats.load_mexico()).graph
    assert len(graph.component_size) == 1
    assert not graph.island.any()
    # on the space that sums to zero, (L + 11'/n) is inverted as L is
    ones = 1.0 / graph.size
    variance = np.diag(np.linalg.inv(dense_laplacian(graph) + ones)) - ones
    expected = np.exp(np.mean(np.log(variance)))
    assert expected == pytest.approx(0.62, abs=0.01)
    assert graph.scaling == pytest.approx([expected], rel=1e-8)


def test_structure_of_parts_and_islands() -> None:
    structure = icar.icar(PARTS)
    precision = structure.precision.toarray()
    covariance = unit_covariance(PARTS)
    constraint = structure.constraint.toarray()
    assert structure.size == 12
    assert structure.rank == 12 - 2
    # one row a component with neighbours, ones at its members; none for the islands
    assert sorted(map(tuple, constraint)) == sorted(
        [(1.0,) * 6 + (0.0,) * 6, (0.0,) * 6 + (1.0,) * 4 + (0.0,) * 2]
    )
    # R is the inverse of the covariance on the constrained space; the ridge can't be seen
    projector = np.eye(12) - constraint.T @ np.linalg.solve(constraint @ constraint.T, constraint)
    assert projector @ precision @ covariance == pytest.approx(projector, abs=1e-4)
    assert np.exp(np.mean(np.log(np.diag(covariance)[:6]))) == pytest.approx(1.0)
    assert np.exp(np.mean(np.log(np.diag(covariance)[6:10]))) == pytest.approx(1.0)


def test_prior_draws_have_the_constrained_covariance_and_sum_to_zero() -> None:
    draws = 40_000
    sample = icar.icar(PARTS).sample(np.random.default_rng(1), draws)
    covariance = unit_covariance(PARTS)
    variance = np.diag(covariance)
    error = np.sqrt((np.outer(variance, variance) + covariance**2) / draws)
    assert np.all(np.abs(np.cov(sample.T) - covariance) < 5.0 * error + 1e-5)
    assert np.all(np.abs(sample.mean(axis=0)) < 5.0 * np.sqrt(variance / draws))
    assert np.abs(sample[:, :6].sum(axis=1)).max() < 1e-9
    assert np.abs(sample[:, 6:10].sum(axis=1)).max() < 1e-9


def test_replicates_are_independent_copies() -> None:
    one, two = icar.icar(PARTS), icar.icar(PARTS).replicate(2)
    zero = np.zeros((12, 12))
    assert two.rank == 2 * one.rank
    dense = one.precision.toarray()
    assert np.allclose(two.precision.toarray(), np.block([[dense, zero], [zero, dense]]))
    assert np.allclose(
        two.constraint.toarray(),
        np.kron(np.eye(2), one.constraint.toarray()),
    )


def test_log_density_is_that_of_the_singular_normal() -> None:
    structure = icar.icar(PARTS)
    covariance = unit_covariance(PARTS)
    points = structure.sample(np.random.default_rng(2), 4)
    for sd in (0.3, 1.0, 2.5):
        oracle = stats.multivariate_normal(cov=sd**2 * covariance, allow_singular=True)
        ours = [icar.log_density(x, structure, sd) for x in points]
        gaps = np.array(ours) - oracle.logpdf(points)
        # one constant whatever the sd, that of the unit scale
        unit = stats.multivariate_normal(cov=covariance, allow_singular=True)
        constant = icar.log_density(points[0], structure) - unit.logpdf(points[0])
        assert gaps == pytest.approx(constant, abs=1e-3)


def test_independent_effects_are_unit_normals() -> None:
    structure = icar.independent(3)
    sample = structure.sample(np.random.default_rng(3), 20_000)
    assert np.cov(sample.T) == pytest.approx(np.eye(3), abs=0.05)
    x = np.array([0.3, -1.0, 2.0])
    gap = icar.log_density(x, structure, 0.5) - stats.norm(0, 0.5).logpdf(x).sum()
    assert gap == pytest.approx(1.5 * np.log(2 * np.pi))


@pytest.mark.parametrize(
    ("edges", "says"),
    [
        ([(0, 3)], "between 0 and 2"),
        ([(-1, 2)], "between 0 and 2"),
        ([(1, 1)], "own neighbour"),
        ([(0, 1), (1, 0)], "once"),
    ],
)
def test_impossible_neighbours_are_refused(edges: list[tuple[int, int]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        icar.Graph(3, np.array(edges))
