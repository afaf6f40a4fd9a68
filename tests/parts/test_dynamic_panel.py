"""The collapsed dynamic panel: its covariance by recursion, its gradient by differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from remitstats.parts import dynamic_panel
from remitstats.parts.nested_normal import NestedData, Tree, nested_normal_log_density

WAVES, COUNT = 3, 2
EARLIER = np.array([1])  # the second variable was measured once more before
TREE = Tree(np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 1]))


def positive(rng: np.random.Generator, *lead: int) -> np.ndarray:
    root = rng.normal(size=(*lead, COUNT, COUNT))
    return root @ np.swapaxes(root, -1, -2) + 0.3 * np.eye(COUNT)


def example(seed: int = 1) -> tuple[NestedData, dynamic_panel.PanelNoise, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(TREE.units, WAVES * COUNT + 1))
    y[1, 2] = np.nan
    pairs = np.array([[t * COUNT, t * COUNT + 1] for t in range(WAVES)])
    noise = dynamic_panel.PanelNoise(
        rng.uniform(0.1, 0.5, (TREE.units, WAVES, COUNT)),
        rng.uniform(0.1, 0.5, (TREE.units, 1)),
        EARLIER,
    )
    arguments = {
        "links": 0.4 * rng.normal(size=(2, WAVES - 1, COUNT, COUNT)),
        "intercept": positive(rng),
        "innovation": positive(rng, WAVES),
        "intercept_share": 0.3,
        "innovation_share": 0.2,
        "noise_scale": rng.uniform(0.5, 2.0, COUNT),
        "noise_correlation": 0.4,
        "earlier_scale": np.array([0.8]),
        "earlier_link": rng.normal(size=(1, COUNT)),
        "earlier_innovation": np.array([[0.3]]),
    }
    return NestedData(TREE, y, pairs, 1.0), noise, arguments


def test_covariance_is_that_of_simulated_paths() -> None:
    _, _, arguments = example()
    links, intercept, innovation = (arguments[k] for k in ("links", "intercept", "innovation"))
    rng, draws = np.random.default_rng(2), 200_000
    level = rng.standard_normal((draws, COUNT)) @ np.linalg.cholesky(intercept).T
    state = np.zeros((draws, COUNT))
    path = []
    for t in range(WAVES):
        if t:
            state = state @ links[1, t - 1].T
        state = state + rng.standard_normal((draws, COUNT)) @ np.linalg.cholesky(innovation[t]).T
        path.append(level + state)
        if not t:
            rest = np.sqrt(0.3) * rng.standard_normal((draws, 1))
            before = 0.8 * level[:, EARLIER] + state @ arguments["earlier_link"].T + rest
    path.append(before)
    found = np.cov(np.concatenate(path, axis=1).T)
    earlier = {k: v for k, v in arguments.items() if k.startswith("earlier")}
    expected = dynamic_panel.covariance(
        links, intercept, innovation, earlier_of=EARLIER, **earlier
    )[1]
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.max(np.abs(found - expected) / size) < 0.015


def test_density_is_that_of_the_tree_with_these_covariances() -> None:
    data, noise, arguments = example()
    links, intercept, innovation = (arguments[k] for k in ("links", "intercept", "innovation"))
    earlier = {k: v for k, v in arguments.items() if k.startswith("earlier")}
    both = [
        dynamic_panel.covariance(
            links, some * intercept, other * innovation, earlier_of=EARLIER,
            **{**earlier, "earlier_innovation": other * earlier["earlier_innovation"]},
        )
        for some, other in ((1, 0), (0, 1))
    ]  # fmt: skip
    levels, news = both
    variance = arguments["noise_scale"][noise.variable_of] * noise.flat
    pair = 0.4 * np.sqrt(variance[:, data.pairs[:, 0]] * variance[:, data.pairs[:, 1]])
    expected = nested_normal_log_density(
        data, 0.7 * levels + 0.8 * news, 0.3 * levels + 0.2 * news, variance, pair
    )
    assert dynamic_panel.log_density(data, noise, **arguments) == pytest.approx(expected)


@pytest.mark.parametrize("name", dynamic_panel.ARGUMENTS)
def test_gradient_is_that_of_differences(name: str) -> None:
    data, noise, arguments = example()
    value, gradient = dynamic_panel.gradient(data, noise, **arguments)
    assert value == pytest.approx(dynamic_panel.log_density(data, noise, **arguments))
    direction = np.random.default_rng(3).normal(size=np.shape(arguments[name]))
    if name in ("intercept", "innovation", "earlier_innovation"):
        direction = direction + np.swapaxes(direction, -1, -2)
    step = 1e-5

    def at(sign: int) -> float:
        moved = {**arguments, name: arguments[name] + sign * step * direction}
        return dynamic_panel.log_density(data, noise, **moved)

    slope = (at(1) - at(-1)) / (2 * step)
    assert np.sum(gradient[name] * direction) == pytest.approx(slope, rel=1e-5)
