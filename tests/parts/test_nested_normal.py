"""The density of measurements on a tree against the dense normal it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from remitstats.parts.nested_normal import (
    NestedData,
    Tree,
    nested_normal_gradient,
    nested_normal_log_density,
)

SIZE = 4
# blocks of one, of a full set of lanes and of more; three blocks in the first state, one in another
TREE = Tree(np.array([0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3]), np.array([0, 0, 0, 1]))
PAIRS = np.array([[0, 1], [2, 3]])
Arguments = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def example(seed: int = 1, *, missing: bool = True) -> tuple[NestedData, Arguments]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(TREE.units, SIZE))
    if missing:
        y[0, 1] = y[5, 3] = np.nan
        y[3] = np.nan  # nothing at all is known of the only unit of a block
    root = rng.normal(size=(2, TREE.groups, SIZE, SIZE))
    unit, block = root @ np.swapaxes(root, -1, -2)
    noise = rng.uniform(0.5, 1.0, (TREE.units, SIZE))
    pair = rng.uniform(-0.3, 0.3, (TREE.units, len(PAIRS)))
    return NestedData(TREE, y, PAIRS, 1.5), (unit + np.eye(SIZE), 0.3 * block, noise, pair)


def dense(data: NestedData, arguments: Arguments) -> float:
    unit, block, noise, pair = arguments
    group = TREE.group_of
    rows = []
    for i in range(TREE.units):
        row = []
        for j in range(TREE.units):
            cell = np.zeros((SIZE, SIZE))
            if group[i] == group[j]:
                cell += data.root_sd**2 * np.eye(SIZE)
            if TREE.block_of[i] == TREE.block_of[j]:
                cell += block[group[i]]
            if i == j:
                cell += unit[group[i]] + np.diag(noise[i])
                for p, (a, b) in enumerate(PAIRS):
                    cell[[a, b], [b, a]] += pair[i, p]
            row.append(cell)
        rows.append(row)
    known = data.known.ravel()
    covariance = np.block(rows)[np.ix_(known, known)]
    return float(stats.multivariate_normal(cov=covariance).logpdf(data.filled.ravel()[known]))


@pytest.mark.parametrize("missing", [False, True])
def test_density_is_that_of_the_dense_normal(missing: bool) -> None:
    data, arguments = example(missing=missing)
    assert nested_normal_log_density(data, *arguments) == pytest.approx(dense(data, arguments))


@pytest.mark.parametrize("argument", range(4))
def test_gradient_is_that_of_the_dense_normal(argument: int) -> None:
    data, arguments = example()
    value, *gradient = nested_normal_gradient(data, *arguments)
    assert value == pytest.approx(dense(data, arguments))
    direction = np.random.default_rng(2).normal(size=arguments[argument].shape)
    if argument < 2:  # covariances stay symmetric
        direction += np.swapaxes(direction, -1, -2)
    step = 1e-5
    ends = []
    for sign in (1, -1):
        moved = list(arguments)
        moved[argument] = arguments[argument] + sign * step * direction
        ends.append(dense(data, tuple(moved)))
    slope = (ends[0] - ends[1]) / (2 * step)
    assert np.sum(gradient[argument] * direction) == pytest.approx(slope, rel=1e-5)


def test_order_of_units_does_not_matter() -> None:
    data, (unit, block, noise, pair) = example()
    order = np.random.default_rng(3).permutation(TREE.units)
    tree = Tree(TREE.block_of[order], TREE.group_of_block)
    moved = NestedData(tree, data.observed[order], PAIRS, data.root_sd)
    expected, *gradient = nested_normal_gradient(data, unit, block, noise, pair)
    found, *other = nested_normal_gradient(moved, unit, block, noise[order], pair[order])
    assert found == pytest.approx(expected)
    assert other[0] == pytest.approx(gradient[0])
    assert other[2] == pytest.approx(gradient[2][order])


def test_density_is_nothing_where_a_covariance_is_not_positive_definite() -> None:
    data, (unit, block, noise, pair) = example()
    assert nested_normal_log_density(data, unit - 50 * np.eye(SIZE), block, noise, pair) == -np.inf


@pytest.mark.parametrize(
    ("block_of", "group_of_block"), [([0, 0, 2], [0, 0, 0]), ([0, 1, 2], [0, 2, 2])]
)
def test_tree_with_an_empty_block_or_group_is_refused(
    block_of: list[int], group_of_block: list[int]
) -> None:
    with pytest.raises(ValueError, match="needs a"):
        Tree(np.array(block_of), np.array(group_of_block))
