"""Mode and shape of densities whose truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from remitstats.fitting import collapsed
from remitstats.parts.collapsed_density import Pooled, Separable


def normal(plain: Any, seed: int = 1, size: int = 6) -> tuple[Any, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size)) * np.logspace(-2, 0, size)[:, None]
    covariance, mean = root @ root.T, 10.0 * rng.normal(size=size)
    precision = np.linalg.inv(covariance)

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        slope = -precision @ (x - mean)
        return 0.5 * float((x - mean) @ slope), slope

    return plain(size, function), mean, covariance


def test_laplace_of_a_normal_is_that_normal(plain: Any) -> None:
    density, mean, covariance = normal(plain)
    found = collapsed.laplace(density)
    sd = np.sqrt(np.diag(covariance))
    assert (found.mode - mean) / sd == pytest.approx(np.zeros(6), abs=0.05)
    scaled = (found.root @ found.root.T) / np.outer(sd, sd)
    assert scaled == pytest.approx(covariance / np.outer(sd, sd), abs=1e-3)
    size = 0.5 * (6 * math.log(2 * math.pi) + np.linalg.slogdet(covariance)[1])
    assert found.log_evidence == pytest.approx(size, abs=1e-2)


def test_one_difference_serves_all_groups(plain: Any) -> None:
    # groups of two parameters each, nested in two outer groups of one, and two shared ones
    groups, outer = 4, np.array([0, 0, 1, 1])
    size = 2 + 2 + 2 * groups
    inner = 4 + np.arange(2 * groups).reshape(groups, 2)

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = 0.0, np.zeros(size)
        for g in range(groups):
            a, b, o = inner[g, 0], inner[g, 1], 2 + outer[g]
            mix = x[a] + 0.5 * x[b] + 0.3 * x[o] + x[0] * 0.2 - 0.1 * x[1]
            value -= math.cosh(mix) + 0.5 * x[a] ** 2
            for i, weight in ((a, 1.0), (b, 0.5), (o, 0.3), (0, 0.2), (1, -0.1)):
                slope[i] -= weight * math.sinh(mix)
            slope[a] -= x[a]
        return value - 0.5 * float(x @ x), slope - x

    group = np.full(size, -1)
    group[inner] = np.arange(groups)[:, None]
    wide = np.full(size, -1)
    wide[[2, 3]] = [0, 1]
    wide[inner] = outer[:, None]
    sets = [Separable(np.array([[2], [3]]), wide), Separable(inner, group)]
    density = plain(size, function, sets)
    x = np.random.default_rng(2).normal(size=size)
    found = collapsed.hessian(density, x, sets)
    assert found == pytest.approx(collapsed.hessian(density, x), abs=1e-3)
    assert found == pytest.approx(found.T, abs=1e-3)


def test_standard_deviation_of_pooled_effects_is_where_its_own_posterior_has_its_mode(
    plain: Any,
) -> None:
    # effects sd * u measured once each with known errors: the sd can be integrated on a line
    rng, count, rate = np.random.default_rng(3), 40, 2.0
    y = rng.normal(0.0, math.hypot(0.8, 0.5), count)

    @dataclass
    class Effects(plain):  # type: ignore[misc, valid-type]
        def pooled(self) -> list[Pooled]:
            return [Pooled(0, slice(1, count + 1), rate)]

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        sd, unit = math.exp(x[0]), x[1:]
        miss = (y - sd * unit) / 0.25
        value = -0.125 * float(np.sum((y - sd * unit) ** 2)) / 0.0625
        value -= 0.5 * float(unit @ unit) + rate * sd - x[0]
        slope = np.concatenate([[sd * float(miss @ unit) - rate * sd + 1.0], sd * miss - unit])
        return value + 0.0 * sd, slope

    def marginal(log_sd: float) -> float:
        variance = math.exp(2 * log_sd) + 0.25
        return -0.5 * count * math.log(variance) - 0.5 * float(y @ y) / variance - rate * math.exp(
            log_sd
        ) + log_sd  # fmt: skip

    grid = np.linspace(-2, 1, 3001)
    best = grid[np.argmax([marginal(g) for g in grid])]
    found = collapsed.laplace(Effects(count + 1, function))
    assert found.mode[0] == pytest.approx(best, abs=0.05)


def test_start_without_density_is_said(plain: Any) -> None:
    density = plain(2, lambda x: (-math.inf, np.zeros(2)))
    with pytest.raises(collapsed.RemitstatsError, match="not finite where the search"):
        collapsed.laplace(density)
