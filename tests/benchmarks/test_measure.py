"""What is measured of a run, and how long the next one is made."""

import numpy as np
import pytest

from benchmarks import ladder, measure
from benchmarks.bym2 import Draws
from benchmarks.plan import full

PLAN = full(480.0, 480.0, 1)
LAPLACE, NUTS = PLAN.entries[0], PLAN.entries[1]


def autoregressive(rng, rho, draws, quantities):
    x = rng.standard_normal((4, draws, quantities))
    for i in range(1, draws):
        x[:, i] = rho * x[:, i - 1] + np.sqrt(1 - rho**2) * x[:, i]
    return x


def made(eta, work=None):
    return Draws(
        hyper={"sd": eta[:, :, 0]}, eta=eta, divergences=0, sampling_seconds=8.0, work=work
    )


def test_the_worst_quantity_speaks_for_the_run():
    rng = np.random.default_rng(1)
    eta = rng.standard_normal((4, 500, 5))
    eta[:, :, 3:4] = autoregressive(rng, 0.95, 500, 1)
    report, moments = measure.measure(made(eta), 100, 10.0)
    assert report["ess_worst"] == "eta[3]"
    assert report["ess_min"] == min(moments["ess"])
    assert report["ess_per_second"] == pytest.approx(report["ess_min"] / 10.0)
    assert not report["reached"]
    assert report["seconds_to_target"] is None


def test_a_quantity_that_never_moves_is_not_sampled():
    eta = np.random.default_rng(2).standard_normal((4, 200, 3))
    eta[:, :, 1] = 0.5
    found = measure.convergence(eta)
    assert found.ess[1] == 0.0
    assert not found.good


def test_the_target_is_reached_in_the_midst_of_a_long_run():
    eta = autoregressive(np.random.default_rng(3), 0.3, 2000, 4)
    report, _ = measure.measure(made(eta), 500, 10.0)
    kept = report["draws_to_target"]
    assert report["reached"]
    assert kept < 2000
    assert measure.convergence(eta[:, :kept]).good
    # two seconds beside the sampling's eight, which warm-up and draws share evenly
    assert report["seconds_to_target"] == pytest.approx(2.0 + 8.0 * (500 + kept) / 2500)


def test_seconds_go_with_gradient_evaluations():
    work = np.concatenate([np.full((4, 100), 9.0), np.full((4, 300), 1.0)], axis=1)
    draws = made(np.random.default_rng(4).standard_normal((4, 300, 2)), work)
    assert measure.share_of_work(draws, 100, 0) == pytest.approx(0.75)
    assert measure.share_of_work(draws, 100, 150) == pytest.approx(0.875)


def run(**changes):
    base = {
        "warmup": 300,
        "draws": 300,
        "wall": 20.0,
        "sampling": 12.0,
        "warmup_share": 0.5,
        "ess_min": 30.0,
        "r_hat_max": 1.1,
        "reached": False,
        "lengths": (300, 300),
    }
    return base | changes


def test_a_second_run_is_long_enough_for_the_target():
    warmup, draws = ladder.next_lengths(NUTS, PLAN, [run()])
    assert warmup == 1000
    assert draws >= 300 * 400 / 30
    assert ladder.seconds(run(), warmup, draws) < PLAN.limit


def test_a_run_that_can_not_reach_the_target_fills_the_time_limit():
    slow = run(wall=200.0, sampling=180.0, ess_min=4.0)
    warmup, draws = ladder.next_lengths(NUTS, PLAN, [slow | {"warmup": 1000, "draws": 100}])
    expected = ladder.FILL * PLAN.limit
    assert ladder.seconds(slow | {"warmup": 1000, "draws": 100}, warmup, draws) == pytest.approx(
        expected, rel=0.02
    )


def test_no_more_runs_once_the_target_is_reached_or_the_first_run_failed():
    assert ladder.next_lengths(NUTS, PLAN, [run(reached=True)]) is None
    failed = {"failed": "not finished within 480 s", "lengths": (300, 300)}
    assert ladder.next_lengths(NUTS, PLAN, [failed]) is None


def test_the_laplace_engine_starts_with_its_own_defaults():
    from remitstats.fitting.settings import Settings

    assert ladder.next_lengths(LAPLACE, PLAN, []) == (Settings().tune, Settings().draws)
    assert ladder.next_lengths(NUTS, PLAN, []) == (300, 300)
