"""Chains in whitened coordinates, on densities whose truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from remitstats.fitting import whitened
from remitstats.fitting.collapsed import Laplace, laplace
from remitstats.fitting.convergence import convergence
from remitstats.parts.collapsed_density import Pooled


def test_chain_draws_from_a_skewed_density(plain: Any) -> None:
    # independent logarithms of gamma variables: mean and variance are known
    shape = np.array([0.7, 2.0, 8.0])

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.sum(shape * x - np.exp(x))), shape - np.exp(x)

    density = plain(3, function)
    approximation = laplace(density)
    draws = []
    for seed in np.random.SeedSequence(1).spawn(4):
        chain = whitened.WhitenedChain(density, approximation, seed)
        chain.tune(100, lambda: None)
        draws.append(chain.draw(1500, lambda: None)[0])
    x = np.exp(np.stack(draws))
    table = convergence(x)
    assert table["r_hat"].max() < 1.01
    error = np.sqrt(shape / table["ess_bulk"].to_numpy())
    assert (np.abs(x.mean(axis=(0, 1)) - shape) < 4 * error).all()
    assert x.var(axis=(0, 1)) == pytest.approx(shape, rel=0.25)


def test_reshaped_coordinates_are_those_of_the_visited_points() -> None:
    rng = np.random.default_rng(4)
    root = rng.normal(size=(6, 6)) * np.logspace(-2, 0, 6)[:, None]
    shape = Laplace(10.0 * rng.normal(size=6), root, 0.0, 0.0)
    stretch = np.array([5.0, 1.0, 1.0, 1.0, 1.0, 0.2])
    visited = rng.standard_normal((20_000, 6)) * stretch + 1.0
    found = whitened.reshaped(shape, shape.mode + visited @ root.T)
    back = np.linalg.solve(shape.root, found.root)
    assert np.sqrt(np.sum(back**2, axis=1)) == pytest.approx(stretch, rel=0.05)
    assert np.linalg.solve(shape.root, found.mode - shape.mode) == pytest.approx(
        np.ones(6), abs=0.15
    )


def test_few_points_change_no_direction_that_noise_may_have_shown() -> None:
    # 300 parameters, 240 points: the sample covariance is singular, and nearly all of it noise
    size, count = 300, 240
    shape = Laplace(np.zeros(size), np.eye(size), 0.0, 0.0)
    rng = np.random.default_rng(7)
    found = whitened.reshaped(shape, rng.standard_normal((count, size)))
    assert np.array_equal(found.root, np.eye(size))
    assert np.linalg.norm(found.mode) < 0.3 * math.sqrt(size / count)


def test_few_points_show_the_direction_of_a_ridge() -> None:
    size, count, sd = 300, 240, 8.0
    shape = Laplace(np.zeros(size), np.eye(size), 0.0, 0.0)
    rng = np.random.default_rng(8)
    ridge = np.ones(size) / math.sqrt(size)
    points = rng.standard_normal((count, size))
    points += np.outer(points @ ridge, (sd - 1.0) * ridge) + 3.0 * ridge
    found = whitened.reshaped(shape, points)
    covariance = found.root @ found.root.T
    assert ridge @ covariance @ ridge == pytest.approx(sd**2, rel=0.25)
    # seen from the new coordinates the target is nearly round, seen from the old it was not
    target = np.eye(size) + (sd**2 - 1.0) * np.outer(ridge, ridge)
    back = np.linalg.solve(found.root, np.linalg.solve(found.root, target).T)
    assert np.linalg.eigvalsh(0.5 * (back + back.T)).max() < 5.0
    assert found.mode @ ridge == pytest.approx(3.0, abs=1.5)


def test_chains_that_did_not_move_leave_a_shape_that_can_be_used() -> None:
    size = 5
    shape = Laplace(np.zeros(size), np.eye(size), 0.0, 0.0)
    point = np.random.default_rng(9).standard_normal(size)
    found = whitened.reshaped(shape, np.tile(point, (200, 1)))
    assert np.linalg.cond(found.root) < 20
    assert np.linalg.eigvalsh(found.root @ found.root.T).min() > 0.005


@pytest.mark.parametrize("crowding", [0.05, 0.5, 4.0])
def test_variances_within_noise_are_one(crowding: float) -> None:
    lower = (1.0 - math.sqrt(crowding)) ** 2 if crowding < 1.0 else 0.0
    upper = (1.0 + math.sqrt(crowding)) ** 2
    inside = np.linspace(lower, upper, 20)
    assert np.array_equal(whitened.spiked_variance(inside, crowding), np.ones(20))
    behind = 1.0 + 6.0 * math.sqrt(crowding)
    shown = behind * (1.0 + crowding / (behind - 1.0))
    found = whitened.spiked_variance(np.array([shown]), crowding)[0]
    assert 1.0 < found < behind
    assert found > 0.5 * behind


@pytest.mark.parametrize("error", [0.05, 2.0])
def test_standard_deviation_of_pooled_effects_has_its_own_posterior(
    plain: Any, error: float
) -> None:
    # effects sd * u measured once each, well or badly: the sd can be integrated on a line
    rng, count, rate = np.random.default_rng(5), 60, 2.0
    y = rng.normal(0.0, math.hypot(0.8, error), count)

    @dataclass
    class Effects(plain):  # type: ignore[misc, valid-type]
        def pooled(self) -> list[Pooled]:
            return [Pooled(0, slice(1, count + 1), rate)]

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        sd, unit = math.exp(x[0]), x[1:]
        miss = (y - sd * unit) / error**2
        value = -0.5 * float(miss @ miss) * error**2 - 0.5 * float(unit @ unit) - rate * sd + x[0]
        slope = np.concatenate([[sd * float(miss @ unit) - rate * sd + 1.0], sd * miss - unit])
        return value, slope

    density = Effects(count + 1, function)
    shape = laplace(density)
    seeds = np.random.SeedSequence(6).spawn(4)
    chains = [whitened.WhitenedChain(density, shape, seed) for seed in seeds]
    whitened.tune_together(
        chains, 200, lambda moves: [chain.tune(moves, lambda: None) for chain in chains]
    )
    found = np.stack([chain.draw(4000, lambda: None)[0][:, :1] for chain in chains])
    grid = np.linspace(-25.0, 2.0, 27001)  # where the data say nothing the prior is long
    variance = np.exp(2 * grid) + error**2
    weight = -0.5 * count * np.log(variance) - 0.5 * (y @ y) / variance - rate * np.exp(grid) + grid
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    mean = float(weight @ grid)
    sd = math.sqrt(float(weight @ (grid - mean) ** 2))
    ess = float(convergence(found)["ess_bulk"].iloc[0])
    assert ess > 1000
    assert found.mean() == pytest.approx(mean, abs=4 * sd / math.sqrt(ess))
    assert found.std() == pytest.approx(sd, rel=0.15)


def test_all_chains_make_the_fewest_steps_that_were_accepted_often_enough() -> None:
    trials = [(2, 0.5)] * 30 + [(3, 0.92)] * 40 + [(4, 0.97)] * 50
    assert whitened.steps_for(trials) == 3
    assert whitened.steps_for(trials, acceptance=0.95) == 4
    assert whitened.steps_for([*trials, *[(1, 1.0)] * (whitened.TRIED - 1)]) == 3  # too few to tell
    assert whitened.steps_for([(2, 0.5)] * 30 + [(3, 0.6)] * 30) == 4
    assert whitened.steps_for([(64, 0.1)] * 30) == 64
    assert whitened.steps_for([]) == whitened.FIRST_STEPS


def test_a_chain_knows_the_trials_of_its_present_shape_alone(plain: Any) -> None:
    density = plain(2, lambda x: (-0.5 * float(x @ x), -x))
    shape = laplace(density)
    chain = whitened.WhitenedChain(density, shape, np.random.SeedSequence(1))
    chain.tune(15, lambda: None)
    assert len(chain.trials) == 15
    chain.take(shape)
    chain.tune(5, lambda: None)
    assert len(chain.trials) == 5


def test_chains_tuned_together_share_the_shape_they_have_shown_and_their_steps(plain: Any) -> None:
    # a normal whose approximation is far off: chains must find its centre and its scales
    sds, center = np.array([0.2, 1.0, 5.0, 1.0]), np.array([0.0, 3.0, 0.0, 0.0])

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        score = (x - center) / sds
        return -0.5 * float(score @ score), -score / sds

    density = plain(4, function)
    start = Laplace(np.zeros(4), np.eye(4), 0.0, 0.0)
    seeds = np.random.SeedSequence(11).spawn(4)
    chains = [whitened.WhitenedChain(density, start, seed) for seed in seeds]
    whitened.tune_together(
        chains, 400, lambda moves: [chain.tune(moves, lambda: None) for chain in chains]
    )
    shape = chains[0].shape
    assert all(chain.shape is shape for chain in chains)
    assert len({chain.steps for chain in chains}) == 1
    assert np.sqrt(np.diag(shape.root @ shape.root.T)) == pytest.approx(sds, rel=0.35)
    assert (np.abs(shape.mode - center) < 0.5 * sds).all()


def test_draws_with_a_move_gone_astray_are_made_anew_with_finer_steps(plain: Any) -> None:
    density = plain(2, lambda x: (-0.5 * float(x @ x), -x))
    shape = laplace(density)
    chains = [whitened.WhitenedChain(density, shape, s) for s in np.random.SeedSequence(1).spawn(2)]
    for chain in chains:
        chain.steps = 4
    none, one = np.zeros(200, dtype=bool), np.arange(200) == 17
    assert not whitened.made_finer(chains, [none, none])
    assert [chain.steps for chain in chains] == [4, 4]
    assert whitened.made_finer(chains, [none, one])
    assert [chain.steps for chain in chains] == [8, 8]
    # where many diverge it is not the steps: the gate has to say so
    assert not whitened.made_finer(chains, [~none, one])
    assert [chain.steps for chain in chains] == [8, 8]
    for chain in chains:
        chain.steps = whitened.MOST_STEPS
    assert not whitened.made_finer(chains, [none, one])


def test_finer_steps_run_less_often_into_a_wall(plain: Any) -> None:
    """Coarse steps meet it now and then at full speed, finer ones see it coming."""

    # normal but for a wall beyond three standard deviations
    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        wall = np.exp(np.minimum(12.0 * (x - 3.2), 700.0))
        return float(np.sum(-0.5 * x**2 - wall)), -x - 12.0 * wall

    density = plain(1, function)
    counts = {}
    for steps in (3, 12):
        chain = whitened.WhitenedChain(density, laplace(density), np.random.SeedSequence(3))
        chain.steps = steps
        counts[steps] = int(chain.draw(12_000, lambda: None)[1]["diverging"].sum())
    assert counts[3] > 0
    assert counts[12] < counts[3]
