"""States given measurements: equal to the dense normal, and drawn with its law."""

from __future__ import annotations

from typing import Any

import numpy as np

from remitstats.parts import dynamic_panel
from remitstats.parts.nested_normal import NestedData, Tree
from remitstats.parts.panel_states import draw_states, expected_states

WAVES, COUNT = 3, 2
TREE = Tree(np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 1]))
EARLIER = np.array([1])


def example() -> tuple[NestedData, dynamic_panel.PanelNoise, dict[str, Any]]:
    rng = np.random.default_rng(3)

    def positive(*lead: int) -> np.ndarray:
        root = rng.normal(size=(*lead, COUNT, COUNT))
        return root @ np.swapaxes(root, -1, -2) + 0.3 * np.eye(COUNT)

    y = rng.normal(size=(TREE.units, WAVES * COUNT + 1))
    y[1, 2] = y[4, 6] = np.nan
    pairs = np.array([[t * COUNT, t * COUNT + 1] for t in range(WAVES)])
    noise = dynamic_panel.PanelNoise(
        rng.uniform(0.1, 0.5, (TREE.units, WAVES, COUNT)),
        rng.uniform(0.1, 0.5, (TREE.units, 1)),
        EARLIER,
    )
    arguments = {
        "links": 0.5 * rng.normal(size=(2, WAVES - 1, COUNT, COUNT)),
        "intercept": positive(),
        "innovation": positive(WAVES),
        "intercept_share": 0.3,
        "innovation_share": 0.2,
        "noise_scale": rng.uniform(0.5, 2.0, COUNT),
        "noise_correlation": 0.4,
        "earlier_scale": np.array([0.8]),
        "earlier_link": rng.normal(size=(1, COUNT)),
        "earlier_innovation": np.array([[0.3]]),
    }
    return NestedData(TREE, y, pairs, 1.3), noise, arguments


def dense(
    data: NestedData, noise: dynamic_panel.PanelNoise, arguments: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of all states, then of all measurements without noise.

    From one joint normal written out entry by entry.
    """
    size, units, length = data.size, TREE.units, WAVES * COUNT
    earlier = {k: v for k, v in arguments.items() if k.startswith("earlier")}
    none = {"earlier_innovation": np.zeros((1, 1))}
    links, intercept, innovation = (arguments[k] for k in ("links", "intercept", "innovation"))
    lasting = dynamic_panel.covariance(
        links, intercept, 0 * innovation, earlier_of=EARLIER, **(earlier | none)
    )
    moving = dynamic_panel.covariance(
        links, 0 * intercept, innovation, earlier_of=EARLIER, **earlier
    )
    of_y = np.zeros((units, size, units, size))
    between = np.zeros((units, length, units, size))
    of_z = np.zeros((units, length, units, length))
    group = TREE.group_of
    for i in range(units):
        for j in range(units):
            if group[i] != group[j]:
                continue
            g = group[i]
            same_block = TREE.block_of[i] == TREE.block_of[j]
            levels = (0.3 if same_block else 0.0) + (0.7 if i == j else 0.0)
            news = (0.2 if same_block else 0.0) + (0.8 if i == j else 0.0)
            of_y[i, :, j] = 1.3**2 * np.eye(size) + levels * lasting[g] + news * moving[g]
            between[i, :, j] = news * moving[g][:length]
            of_z[i, :, j] = news * moving[g][:length, :length]
    truth = of_y.reshape(units * size, -1)
    cross = between.reshape(units * length, -1)
    both = np.block([[of_z.reshape(units * length, -1), cross], [cross.T, truth]])
    error = np.zeros((units, size, units, size))
    variance = arguments["noise_scale"][noise.variable_of] * noise.flat
    for i in range(units):
        error[i, :, i] = np.diag(variance[i])
        for a, b in data.pairs:
            common = 0.4 * np.sqrt(variance[i, a] * variance[i, b])
            error[i, a, i, b] = error[i, b, i, a] = common
    known = data.known.ravel()
    measured = (truth + error.reshape(units * size, -1))[np.ix_(known, known)]
    seen = np.concatenate([cross, truth])[:, known]
    mean = seen @ np.linalg.solve(measured, data.filled.ravel()[known])
    return mean, both - seen @ np.linalg.solve(measured, seen.T)


def test_expected_states_are_those_of_the_dense_normal() -> None:
    data, noise, arguments = example()
    mean, _ = dense(data, noise, arguments)
    states, measured = expected_states(data, noise, data.filled, **arguments)
    found = np.concatenate([states.ravel(), measured.ravel()])
    np.testing.assert_allclose(found, mean, atol=1e-10)


def test_draws_have_mean_and_covariance_of_the_dense_normal() -> None:
    data, noise, arguments = example()
    mean, covariance = dense(data, noise, arguments)
    rng, count = np.random.default_rng(4), 4000
    both = [draw_states(data, noise, rng, **arguments) for _ in range(count)]
    draws = np.stack([np.concatenate([z.ravel(), y.ravel()]) for z, y in both])
    sd = np.sqrt(np.diag(covariance))
    assert np.max(np.abs(draws.mean(axis=0) - mean) / sd) < 4.5 / np.sqrt(count)
    off = np.abs(np.cov(draws.T) - covariance) / np.outer(sd, sd)
    assert np.max(off) < 6.0 / np.sqrt(count)
