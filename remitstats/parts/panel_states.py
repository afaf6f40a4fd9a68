"""The states of a dynamic panel, given its parameters and all its measurements.

The collapsed likelihood (`dynamic_panel`) integrates them out; a counterfactual path needs them
back, and so does what was measured with noise. `expected_states` is their mean given the
measurements: precisions and pulls go up the tree from units to blocks to groups, what the groups'
and blocks' means turn out to be comes down it. `draw_states` draws them: a panel simulated from the
model, moved by what the mean makes of the difference between its measurements and the real ones
(Hoffman and Ribak 1991, Astrophysical Journal Letters 380: L5-L8), has the states' exact law given
the real ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.parts.dynamic_panel import PanelNoise
from remitstats.parts.nested_normal import NestedData
from remitstats.parts.panel_kernel import loading_of, reach_of, spread_of, unit_weights

Array = NDArray[np.float64]


def expected_states(
    data: NestedData, noise: PanelNoise, observed: Array, **arguments: Any
) -> tuple[Array, Array]:
    """Return the mean, given measurements, of the states and of what was measured.

    Parameters
    ----------
    data : NestedData
        Tree, pairs and which entries are known.
    noise : PanelNoise
        What is known of their noise.
    observed : array, shape (unit, D)
        The measurements, waves stacked, earlier ones last; anything finite where none is known.
    **arguments
        All of `dynamic_panel.ARGUMENTS`.

    Returns
    -------
    states : array, shape (unit, wave, variable)
        What a unit is away from its own level, without what its group has in common.
    measured : array, shape (unit, D)
        The measurements without their noise.
    """
    tree, size = data.tree, data.size
    lasting, moving = _covariances(noise, arguments)
    levels, news = arguments["intercept_share"], arguments["innovation_share"]
    unit = (1.0 - levels) * lasting + (1.0 - news) * moving
    block = levels * lasting + news * moving
    weight = _weights(data, noise, unit, arguments)
    pull = _each(weight, np.where(data.known, observed, 0.0))
    precision = np.add.reduceat(weight[tree.order], tree.start[:-1])
    load = np.add.reduceat(pull[tree.order], tree.start[:-1])
    group = tree.group_of_block
    tilt = np.linalg.inv(np.eye(size) + precision @ block[group])
    up_precision, up_load = tilt @ precision, _each(tilt, load)
    in_group = np.zeros((tree.groups, size, size)) + np.eye(size) / data.root_sd**2
    load_of_group = np.zeros((tree.groups, size))
    np.add.at(in_group, group, up_precision)
    np.add.at(load_of_group, group, up_load)
    mean = np.linalg.solve(in_group, load_of_group[..., None])[..., 0]
    score = up_load - _each(up_precision, mean[group])
    center = mean[group] + _each(block[group], score)
    own = pull - _each(weight, center[tree.block_of])
    waves, count = noise.relative.shape[1:]
    rows = moving[:, : waves * count]
    found = (1.0 - news) * _each(rows[tree.group_of], own)
    found += news * _each(rows[group], score)[tree.block_of]
    truth = center[tree.block_of] + _each(unit[tree.group_of], own)
    return np.asarray(found.reshape(-1, waves, count)), truth


def draw_states(
    data: NestedData, noise: PanelNoise, rng: np.random.Generator, **arguments: Any
) -> tuple[Array, Array]:
    """Return one draw of the states and of what was measured, given the measurements of `data`.

    Parameters
    ----------
    data : NestedData
        The measurements.
    noise : PanelNoise
        What is known of their noise.
    rng : Generator
        Where the draw comes from.
    **arguments
        All of `dynamic_panel.ARGUMENTS`.

    Returns
    -------
    states : array, shape (unit, wave, variable)
        See `expected_states`.
    measured : array, shape (unit, D)
        The measurements without their noise.
    """
    states, truth, measured = _simulate(data, noise, rng, arguments)
    off, missed = expected_states(data, noise, data.filled - measured, **arguments)
    return states + off, truth + missed


def _each(matrix: Array, vector: Array) -> Array:
    """Multiply each vector by its own matrix."""
    return np.asarray(np.matmul(matrix, vector[..., None])[..., 0])


def _covariances(noise: PanelNoise, arguments: dict[str, Any]) -> tuple[Array, Array]:
    """Return those of what lasts, shape (D, D), and of what moves, shape (group, D, D)."""
    reach = _reach(noise, arguments)
    spread = spread_of(arguments["innovation"], arguments["earlier_innovation"])
    moving = np.stack([each @ spread @ each.T for each in _loadings(arguments)])
    return np.asarray(reach @ arguments["intercept"] @ reach.T), moving


def _reach(noise: PanelNoise, arguments: dict[str, Any]) -> Array:
    count = noise.relative.shape[2]
    return np.asarray(reach_of(noise.variable_of, count, arguments["earlier_scale"]))


def _loadings(arguments: dict[str, Any]) -> list[Array]:
    link = np.ascontiguousarray(arguments["earlier_link"])
    return [loading_of(np.ascontiguousarray(own), link) for own in arguments["links"]]


def _variance(noise: PanelNoise, arguments: dict[str, Any]) -> Array:
    return np.asarray(np.asarray(arguments["noise_scale"])[noise.variable_of] * noise.flat)


def _weights(data: NestedData, noise: PanelNoise, unit: Array, arguments: dict[str, Any]) -> Array:
    """Return the inverses of what was measured of each unit, zero where nothing was."""
    variance = _variance(noise, arguments)
    pairs = np.ascontiguousarray(data.pairs, dtype=np.int64).reshape(-1, 2)
    together = arguments["noise_correlation"] * np.sqrt(
        variance[:, pairs[:, 0]] * variance[:, pairs[:, 1]]
    )
    return np.asarray(unit_weights(data.known, data.tree.group_of, pairs, unit, variance, together))


def _simulate(
    data: NestedData, noise: PanelNoise, rng: np.random.Generator, arguments: dict[str, Any]
) -> tuple[Array, Array, Array]:
    """Draw states and measurements from the model, these without and with their noise."""
    tree = data.tree
    waves, count = noise.relative.shape[1:]

    def shared(root: Array, share: float) -> Array:
        own = rng.standard_normal((tree.units, len(root)))
        common = rng.standard_normal((tree.blocks, len(root)))[tree.block_of]
        return np.asarray((np.sqrt(1.0 - share) * own + np.sqrt(share) * common) @ root.T)

    level = shared(np.linalg.cholesky(arguments["intercept"]), arguments["intercept_share"])
    spread = spread_of(arguments["innovation"], arguments["earlier_innovation"])
    new = shared(np.linalg.cholesky(spread), arguments["innovation_share"])
    loading = np.stack(_loadings(arguments))
    moved = _each(loading[tree.group_of], new)
    error = rng.standard_normal((tree.units, data.size))
    together = arguments["noise_correlation"]
    for a, b in data.pairs:
        error[:, b] = together * error[:, a] + np.sqrt(1.0 - together**2) * error[:, b]
    mean = data.root_sd * rng.standard_normal((tree.groups, data.size))
    truth = mean[tree.group_of] + level @ _reach(noise, arguments).T + moved
    measured = truth + error * np.sqrt(_variance(noise, arguments))
    return moved[:, : waves * count].reshape(-1, waves, count), truth, measured
