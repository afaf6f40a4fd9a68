"""The scaled ICAR against dense linear algebra."""

from __future__ import annotations

import itertools
import pickle
import random
from typing import Any

import numpy as np
import pymc as pm
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


def test_log_density_is_that_of_the_singular_normal(oracle: Any) -> None:
    structure = icar.icar(PARTS)
    covariance = unit_covariance(PARTS)
    for sd in (0.3, 1.0, 2.5):
        for x in sd * structure.sample(np.random.default_rng(2), 4):
            expected = oracle.log_density(x, sd**2 * covariance, structure.rank)
            # the ridge, 1e-6 of the scaling, is in one of them only
            assert icar.log_density(x, structure, sd) == pytest.approx(expected, abs=1e-4)


def test_independent_effects_are_unit_normals() -> None:
    structure = icar.independent(3)
    assert np.array_equal(structure.covariance(), np.eye(3))
    x = np.array([0.3, -1.0, 2.0])
    expected = stats.norm(0, 0.5).logpdf(x).sum()
    assert icar.log_density(x, structure, 0.5) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(graphs(), st.randoms(use_true_random=False))
def test_scaling_does_not_depend_on_the_order_of_units(
    graph: icar.Graph, random: random.Random
) -> None:
    order = list(range(graph.size))
    random.shuffle(order)
    label = np.array(order)
    shuffled = icar.Graph(graph.size, label[graph.edges][:, ::-1])
    assert shuffled.scaling == pytest.approx(graph.scaling, rel=1e-9)
    precision = graph.structure.precision.toarray()
    other = shuffled.structure.precision.toarray()
    assert other[np.ix_(label, label)] == pytest.approx(precision, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(graphs(), min_size=1, max_size=4), st.integers(0, 3))
def test_parts_of_a_map_are_scaled_as_if_alone(parts: list[icar.Graph], islands: int) -> None:
    starts = np.cumsum([0, *(part.size for part in parts)])
    edges = [part.edges + start for part, start in zip(parts, starts[:-1], strict=True)]
    whole = icar.Graph(int(starts[-1]) + islands, np.concatenate(edges))
    alone = [*(part.scaling[0] for part in parts), *[1.0] * islands]
    assert whole.scaling == pytest.approx(alone, rel=1e-9)
    assert whole.structure.rank == whole.size - len(parts)
    # the typical variance of every part is one, and of an island too
    variance = whole.structure.marginal_variance()
    typical = [np.exp(np.log(variance[whole.component == c]).mean()) for c in range(len(alone))]
    assert typical == pytest.approx(np.ones(len(alone)), rel=1e-4)


def test_a_map_of_islands_only_is_exchangeable() -> None:
    structure = icar.icar(icar.Graph(4, np.zeros((0, 2), dtype=np.int64)))
    assert structure.rank == 4
    assert structure.constraint.shape == (0, 4)
    assert structure.covariance() == pytest.approx(np.eye(4))


def test_a_graph_gives_every_caller_the_same_structure() -> None:
    """So that an engine sees that two effects are one field."""
    assert icar.icar(PARTS) is icar.icar(PARTS)
    other = pickle.loads(pickle.dumps(PARTS))
    assert other.structure.log_determinant == PARTS.structure.log_determinant


SMALL = icar.Graph(6, np.array([(0, 1), (1, 2), (2, 0), (3, 4)]))  # two parts and an island


def soft_oracle(graph: icar.Graph) -> Any:
    """The proper normal of PyMC's variable: each part's mean is held to within 0.001."""
    matrix = np.zeros((graph.size, graph.size))
    inverse = np.linalg.pinv(unit_covariance(graph))
    for label in np.unique(graph.component):
        members = np.flatnonzero(graph.component == label)
        block = np.ix_(members, members)
        matrix[block] = inverse[block]
        if len(members) > 1:
            matrix[block] += 1.0 / (0.001 * len(members)) ** 2
    return stats.multivariate_normal(cov=np.linalg.inv(matrix))


def test_soft_log_density_is_that_of_a_proper_normal() -> None:
    rng = np.random.default_rng(3)
    for graph in (SMALL, PARTS, icar.Graph(2, np.zeros((0, 2), dtype=np.int64))):
        law = soft_oracle(graph)
        x = law.rvs(size=3, random_state=rng)
        ours = [icar.soft_log_density(row, graph) for row in x]
        assert ours == pytest.approx(law.logpdf(x), abs=1e-3)


@pytest.mark.parametrize("copies", [None, 3])
@pytest.mark.usefixtures("quick_compile")
def test_pymc_has_one_value_a_copy(copies: int | None) -> None:
    x = np.random.default_rng(1).normal(size=(6,) if copies is None else (copies, 6))
    coords: dict[str, Any] = {"copy": range(copies or 1), "unit": range(6)}
    dims = "unit" if copies is None else ("copy", "unit")
    with pm.Model(coords=coords) as model:
        variable = icar.to_pymc("x", SMALL, dims, copies)
        one = pm.logp(variable, x).eval()
        total = model.compile_logp()({"x": x})
    # the mean is far outside its 0.001 here: the oracle of the soft constraint, to rounding
    expected = np.array([icar.soft_log_density(row, SMALL) for row in np.atleast_2d(x)])
    assert one.shape == (() if copies is None else (copies,))
    assert np.atleast_1d(one) == pytest.approx(expected, rel=1e-9)
    assert total == pytest.approx(expected.sum(), rel=1e-9)


@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_forward(oracle: Any) -> None:
    with pm.Model(coords={"copy": range(2), "unit": range(6)}) as model:
        icar.to_pymc("x", SMALL, ("copy", "unit"), 2)
        tree = pm.sample_prior_predictive(draws=4000, model=model, random_seed=1)
    draws = tree["prior"]["x"].transpose("chain", "draw", "copy", "unit").to_numpy()[0]
    assert np.abs(draws[:, :, :3].sum(axis=-1)).max() < 1e-9
    assert np.abs(draws[:, :, 3:5].sum(axis=-1)).max() < 1e-9
    covariance = np.kron(np.eye(2), unit_covariance(SMALL))
    oracle.assert_moments(draws.reshape(4000, 12), covariance + 1e-6 * np.eye(12))


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
