"""The engine of collapsed models on densities whose truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from remitstats.fitting import collapsed
from remitstats.fitting.convergence import convergence
from remitstats.parts.collapsed_density import Pooled, Separable


@dataclass
class Plain:
    """A density made of a function; no effects are pooled."""

    size: int
    function: object
    sets: list[Separable] = field(default_factory=list)

    def gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        return self.function(x)  # type: ignore[operator]

    def start(self) -> np.ndarray:
        return np.zeros(self.size)

    def separable(self) -> list[Separable]:
        return self.sets

    def pooled(self) -> list[Pooled]:
        return []

    def constrain(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": x}


def normal(seed: int = 1, size: int = 6) -> tuple[Plain, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size)) * np.logspace(-2, 0, size)[:, None]
    covariance, mean = root @ root.T, 10.0 * rng.normal(size=size)
    precision = np.linalg.inv(covariance)

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        slope = -precision @ (x - mean)
        return 0.5 * float((x - mean) @ slope), slope

    return Plain(size, function), mean, covariance


def test_laplace_of_a_normal_is_that_normal() -> None:
    density, mean, covariance = normal()
    found = collapsed.laplace(density)
    sd = np.sqrt(np.diag(covariance))
    assert (found.mode - mean) / sd == pytest.approx(np.zeros(6), abs=0.05)
    scaled = (found.root @ found.root.T) / np.outer(sd, sd)
    assert scaled == pytest.approx(covariance / np.outer(sd, sd), abs=1e-3)
    size = 0.5 * (6 * math.log(2 * math.pi) + np.linalg.slogdet(covariance)[1])
    assert found.log_evidence == pytest.approx(size, abs=1e-2)


def test_chain_draws_from_a_skewed_density() -> None:
    # independent logarithms of gamma variables: mean and variance are known
    shape = np.array([0.7, 2.0, 8.0])

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.sum(shape * x - np.exp(x))), shape - np.exp(x)

    density = Plain(3, function)
    laplace = collapsed.laplace(density)
    draws = []
    for seed in np.random.SeedSequence(1).spawn(4):
        chain = collapsed.WhitenedChain(density, laplace, seed)
        chain.tune(100, lambda: None)
        draws.append(chain.draw(1500, lambda: None)[0])
    x = np.exp(np.stack(draws))
    table = convergence(x)
    assert table["r_hat"].max() < 1.01
    error = np.sqrt(shape / table["ess_bulk"].to_numpy())
    assert (np.abs(x.mean(axis=(0, 1)) - shape) < 4 * error).all()
    assert x.var(axis=(0, 1)) == pytest.approx(shape, rel=0.25)


def test_one_difference_serves_all_groups() -> None:
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
    density = Plain(size, function, sets)
    x = np.random.default_rng(2).normal(size=size)
    found = collapsed.hessian(density, x, sets)
    assert found == pytest.approx(collapsed.hessian(density, x), abs=1e-3)
    assert found == pytest.approx(found.T, abs=1e-3)


def test_standard_deviation_of_pooled_effects_is_where_its_own_posterior_has_its_mode() -> None:
    # effects sd * u measured once each with known errors: the sd can be integrated on a line
    rng, count, rate = np.random.default_rng(3), 40, 2.0
    y = rng.normal(0.0, math.hypot(0.8, 0.5), count)

    @dataclass
    class Effects(Plain):
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


def test_reshaped_coordinates_are_those_of_the_visited_points() -> None:
    density, _, _ = normal()
    shape = collapsed.laplace(density)
    rng = np.random.default_rng(4)
    stretch = np.array([5.0, 1.0, 1.0, 1.0, 1.0, 0.2])
    visited = rng.standard_normal((20_000, 6)) * stretch + 1.0
    found = collapsed.reshaped(shape, visited)
    back = np.linalg.solve(shape.root, found.root)
    assert np.sqrt(np.sum(back**2, axis=1)) == pytest.approx(stretch, rel=0.05)
    assert np.linalg.solve(shape.root, found.mode - shape.mode) == pytest.approx(
        np.ones(6), abs=0.15
    )


def test_few_points_change_no_direction_that_noise_may_have_shown() -> None:
    # 300 parameters, 240 points: the sample covariance is singular, and nearly all of it noise
    size, count = 300, 240
    shape = collapsed.Laplace(np.zeros(size), np.eye(size), 0.0, 0.0)
    rng = np.random.default_rng(7)
    found = collapsed.reshaped(shape, rng.standard_normal((count, size)))
    assert np.array_equal(found.root, np.eye(size))
    assert np.linalg.norm(found.mode) < 0.3 * math.sqrt(size / count)


def test_few_points_show_the_direction_of_a_ridge() -> None:
    size, count, sd = 300, 240, 8.0
    shape = collapsed.Laplace(np.zeros(size), np.eye(size), 0.0, 0.0)
    rng = np.random.default_rng(8)
    ridge = np.ones(size) / math.sqrt(size)
    points = rng.standard_normal((count, size))
    points += np.outer(points @ ridge, (sd - 1.0) * ridge) + 3.0 * ridge
    found = collapsed.reshaped(shape, points)
    covariance = found.root @ found.root.T
    assert ridge @ covariance @ ridge == pytest.approx(sd**2, rel=0.25)
    # seen from the new coordinates the target is nearly round, seen from the old it was not
    target = np.eye(size) + (sd**2 - 1.0) * np.outer(ridge, ridge)
    back = np.linalg.solve(found.root, np.linalg.solve(found.root, target).T)
    assert np.linalg.eigvalsh(0.5 * (back + back.T)).max() < 5.0
    assert found.mode @ ridge == pytest.approx(3.0, abs=1.5)


def test_chains_that_did_not_move_leave_a_shape_that_can_be_used() -> None:
    size = 5
    shape = collapsed.Laplace(np.zeros(size), np.eye(size), 0.0, 0.0)
    point = np.random.default_rng(9).standard_normal(size)
    found = collapsed.reshaped(shape, np.tile(point, (200, 1)))
    assert np.linalg.cond(found.root) < 20
    assert np.linalg.eigvalsh(found.root @ found.root.T).min() > 0.005


@pytest.mark.parametrize("crowding", [0.05, 0.5, 4.0])
def test_variances_within_noise_are_one(crowding: float) -> None:
    lower = (1.0 - math.sqrt(crowding)) ** 2 if crowding < 1.0 else 0.0
    upper = (1.0 + math.sqrt(crowding)) ** 2
    inside = np.linspace(lower, upper, 20)
    assert np.array_equal(collapsed.spiked_variance(inside, crowding), np.ones(20))
    behind = 1.0 + 6.0 * math.sqrt(crowding)
    shown = behind * (1.0 + crowding / (behind - 1.0))
    found = collapsed.spiked_variance(np.array([shown]), crowding)[0]
    assert 1.0 < found < behind
    assert found > 0.5 * behind


def test_start_without_density_is_said() -> None:
    density = Plain(2, lambda x: (-math.inf, np.zeros(2)))
    with pytest.raises(collapsed.RemitstatsError, match="not finite where the search"):
        collapsed.laplace(density)


@pytest.mark.parametrize("error", [0.05, 2.0])
def test_standard_deviation_of_pooled_effects_has_its_own_posterior(error: float) -> None:
    # effects sd * u measured once each, well or badly: the sd can be integrated on a line
    rng, count, rate = np.random.default_rng(5), 60, 2.0
    y = rng.normal(0.0, math.hypot(0.8, error), count)

    @dataclass
    class Effects(Plain):
        def pooled(self) -> list[Pooled]:
            return [Pooled(0, slice(1, count + 1), rate)]

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        sd, unit = math.exp(x[0]), x[1:]
        miss = (y - sd * unit) / error**2
        value = -0.5 * float(miss @ miss) * error**2 - 0.5 * float(unit @ unit) - rate * sd + x[0]
        slope = np.concatenate([[sd * float(miss @ unit) - rate * sd + 1.0], sd * miss - unit])
        return value, slope

    density = Effects(count + 1, function)
    shape = collapsed.laplace(density)
    draws = []
    for seed in np.random.SeedSequence(6).spawn(4):
        chain = collapsed.WhitenedChain(density, shape, seed)
        chain.tune(200, lambda: None)
        draws.append(chain.draw(2000, lambda: None)[0][:, :1])
    found = np.stack(draws)
    grid = np.linspace(-6.0, 2.0, 8001)
    variance = np.exp(2 * grid) + error**2
    weight = -0.5 * count * np.log(variance) - 0.5 * (y @ y) / variance - rate * np.exp(grid) + grid
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    mean = float(weight @ grid)
    sd = math.sqrt(float(weight @ (grid - mean) ** 2))
    ess = float(convergence(found)["ess_bulk"].iloc[0])
    assert ess > 100
    assert found.mean() == pytest.approx(mean, abs=4 * sd / math.sqrt(ess))
    assert found.std() == pytest.approx(sd, rel=0.15)
