"""Moves of standard deviations given the effects that they scale."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from remitstats.parts.collapsed_density import GroupMeans, Pooled

MEMBERS = np.array([2, 5, 8, 8])
LINKS = 10  # effects of every group
RATE = 15.0
MEANS = GroupMeans(0, 1, slice(2, 2 + len(MEMBERS) * LINKS), MEMBERS, RATE)
EFFECTS = slice(MEANS.unit.stop, MEANS.unit.stop + 60)


def start(seed: int, log_sd: float = -3.0, log_inner: float = -2.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    units = rng.standard_normal(EFFECTS.stop - 2)
    units[: MEANS.unit.stop - 2] *= MEANS.sds(log_sd, log_inner)
    return np.concatenate([[log_sd, log_inner], units])


def on_a_grid(log_density, low: float, high: float) -> tuple[float, float]:
    grid = np.linspace(low, high, 4001)
    weight = np.array([log_density(g) for g in grid])
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    mean = float(weight @ grid)
    return mean, math.sqrt(float(weight @ (grid - mean) ** 2))


def test_a_small_standard_deviation_of_groups_does_not_squeeze_their_means() -> None:
    expected = np.repeat(math.exp(-2.2) / np.sqrt(MEMBERS), LINKS)
    assert MEANS.sds(-20.0, -2.2) == pytest.approx(expected)


def test_the_pull_of_the_means_is_the_gradient_of_their_density() -> None:
    x, out = start(7), np.zeros(EFFECTS.stop)
    value = MEANS.pull(x, out)
    sds = MEANS.sds(x[0], x[1])
    assert value == pytest.approx(float(np.sum(stats.norm.logpdf(x[MEANS.unit], 0.0, sds))))
    for i in (0, 1, 5, MEANS.unit.stop - 1):
        step = np.zeros(len(x))
        step[i] = 1e-6
        up, down = (MEANS.pull(x + sign * step, np.zeros(len(x))) for sign in (1, -1))
        assert out[i] == pytest.approx((up - down) / 2e-6, rel=1e-5)
    assert not out[EFFECTS].any()


def test_standard_deviation_of_groups_is_drawn_given_their_means() -> None:
    x, rng = start(2), np.random.default_rng(3)
    effects = x[MEANS.unit]

    def log_density(log_sd: float) -> float:
        variance = math.exp(2 * log_sd) + math.exp(2 * x[1]) / np.repeat(MEMBERS, LINKS)
        value = -0.5 * float(np.sum(np.log(variance) + effects**2 / variance))
        return value + log_sd - RATE * math.exp(log_sd)

    mean, sd = on_a_grid(log_density, -14.0, 1.0)
    draws, here = [], x
    for _ in range(6000):
        here = MEANS.rescaled(here, rng)
        draws.append(here[0])
    assert np.array_equal(here[1:], x[1:])
    assert np.mean(draws) == pytest.approx(mean, abs=0.1 * sd)
    assert np.std(draws) == pytest.approx(sd, rel=0.1)


def test_standard_deviation_within_groups_is_drawn_given_their_means_too() -> None:
    x, rng = start(4), np.random.default_rng(5)
    pooled = Pooled(1, EFFECTS, RATE, means=MEANS)
    means, effects = x[MEANS.unit], x[EFFECTS] * math.exp(x[1])

    def log_density(log_sd: float) -> float:
        variance = math.exp(2 * x[0]) + math.exp(2 * log_sd) / np.repeat(MEMBERS, LINKS)
        value = -0.5 * float(np.sum(np.log(variance) + means**2 / variance))
        value += -0.5 * float(effects @ effects) / math.exp(2 * log_sd) - len(effects) * log_sd
        return value + log_sd - RATE * math.exp(log_sd)

    mean, sd = on_a_grid(log_density, -4.0, 0.0)
    draws, here = [], x
    for _ in range(4000):
        here = pooled.rescaled(here, rng)
        draws.append(here[1])
    assert np.array_equal(here[MEANS.unit], means)
    assert here[EFFECTS] * math.exp(here[1]) == pytest.approx(effects)
    assert np.mean(draws) == pytest.approx(mean, abs=0.1 * sd)
    assert np.std(draws) == pytest.approx(sd, rel=0.1)


def test_the_search_for_the_mode_finds_the_standard_deviation_of_known_means() -> None:
    x = start(6, log_sd=-1.0)
    x[MEANS.unit] *= 0.5
    effects, none = x[MEANS.unit], np.zeros(len(x))
    for _ in range(30):
        x[0] = MEANS.update(x, none)

    def log_density(log_sd: float) -> float:
        return MEANS.log_density(effects, log_sd, x[1]) + log_sd - RATE * math.exp(log_sd)

    grid = np.linspace(-6, 0, 6001)
    assert x[0] == pytest.approx(grid[np.argmax([log_density(g) for g in grid])], abs=0.01)
    assert MEANS.spread(x, none) > 0.0
