"""Each way in which a fit fails its gate is found, named and answered with what to try."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from artificial_fits import (
    CHAINS,
    DRAWS,
    Array,
    autocorrelated,
    deep,
    diverging,
    draws,
    heavy,
    make_tree,
    nuts,
    shifted,
)

from remitstats.fitting.gate import gate
from remitstats.fitting.settings import LIMITS


def a_little_shifted() -> xr.DataTree:
    values = draws()
    values[0, :, 3] += 0.4
    return make_tree(percent=values)


def stuck() -> xr.DataTree:
    values = draws()
    values[:, :, 2] = 4.0
    return make_tree(percent=values)


def stuck_chain() -> xr.DataTree:
    values = draws()
    values[1, :, 4] = values[1, 0, 4]
    return make_tree(percent=values)


def stuck_apart() -> xr.DataTree:
    values = draws()
    values[:, :, 4] = np.arange(CHAINS)[:, None]
    return make_tree(percent=values)


def not_a_number() -> xr.DataTree:
    values = draws()
    values[2, 17, 1] = np.nan
    return make_tree(percent=values)


def slow_tail() -> xr.DataTree:
    """Independent in the bulk; one excursion into the tail a chain."""
    values = draws()
    values[:, 400:480, 0] = 9.0 + 0.1 * values[:, 400:480, 0]
    return make_tree(percent=values)


def few_ratios(number: int) -> Array:
    ratios = np.full((CHAINS, DRAWS), np.nan)
    ratios[0, :number] = heavy(0.2)[0, :number]
    return ratios


def one_infinite() -> Array:
    ratios = heavy(0.2)
    ratios[0, 0] = np.inf
    return ratios


def no_posterior() -> xr.DataTree:
    tree = make_tree()
    tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset().drop_vars(["sd", "percent"]))
    return tree


def fewer_statistics() -> xr.DataTree:
    tree = make_tree()
    short = tree["sample_stats"].to_dataset().isel(draw=slice(900))
    tree["sample_stats"] = xr.DataTree(short)
    return tree


# What a fit suffers from, what the gate must find, and what it must advise.
FAILURES: dict[str, tuple[Callable[[], xr.DataTree], str, str]] = {
    "shifted chain": (shifted, "R-hat is 1.1", "--tune 240"),
    "a little shifted chain": (a_little_shifted, "R-hat is 1.0", "--draws "),
    "stuck quantity": (stuck, "1 of 6 quantities (such as percent[01003]) never moved", "--tune"),
    "stuck chain": (stuck_chain, "(such as percent[01005]) never moved in at least one", "--prior"),
    "chains stuck apart": (stuck_apart, "R-hat is inf for percent[01005]", "--engine nuts"),
    "nan": (not_a_number, "missing or not finite", "--seed"),
    "nothing but nan": (lambda: make_tree(percent=np.nan * draws()), "not finite", "fit again"),
    "infinite": (lambda: make_tree(percent=np.inf * draws()), "not finite", "fit again"),
    "missing draws": (
        lambda: make_tree(sd=np.ones((4, 900)) * draws()[:, :900, 0]),
        "only 3600 of 4000 draws",
        "fit again",
    ),
    "missing chain": (lambda: make_tree(sd=draws()[:3, :, 0]), "only 3000 of 4000", "fit again"),
    "two draws": (lambda: make_tree(sd=draws()[:, :2, 0]), "can't be computed", "--draws 800"),
    "single chain": (lambda: make_tree(sd=draws(2, 1)[:, :, 0]), "single chain", "--chains 4"),
    "nothing there": (no_posterior, "no quantity to judge", "fit again"),
    "divergences": (
        lambda: make_tree(diverging=diverging()),
        "3 transitions diverged",
        "--tune 240",
    ),
    "slow chains": (
        lambda: make_tree(percent=autocorrelated(draws(), 0.95)),
        "bulk effective sample size",
        "--draws ",
    ),
    "slow tails": (slow_tail, "tail effective sample size", "--draws "),
    "k-hat": (lambda: make_tree(log_importance_ratio=heavy(1.0)), "k-hat of", "--engine nuts"),
    "infinite ratio": (lambda: make_tree(log_importance_ratio=one_infinite()), "is inf", "--prior"),
    "k-hat of few proposals": (
        lambda: make_tree(log_importance_ratio=few_ratios(24)),
        "can't be estimated from 24 of them",
        "--draws 2700",
    ),
    "k-hat of no proposal": (
        lambda: make_tree(log_importance_ratio=few_ratios(0)),
        "can't be estimated from 0",
        "--draws ",
    ),
    "k-hat of two values": (
        lambda: make_tree(log_importance_ratio=heavy(1.0).round() // 3),
        "k-hat of the hyperparameter proposals is not a number",
        "--prior",
    ),
    "no ratios": (
        lambda: make_tree(log_importance_ratio=None),
        "log_importance_ratio were not recorded",
        "fit again",
    ),
    "E-BFMI": (
        lambda: nuts(energy=autocorrelated(draws(), 0.95)[:, :, 0]),
        "E-BFMI is 0.",
        "--engine laplace",
    ),
    "energy stands still": (lambda: nuts(energy=0 * heavy(1.0)), "E-BFMI is not a num", "--tune"),
    "no energy": (lambda: nuts(energy=None), "energy were not recorded", "fit again"),
    "tree depth": (
        lambda: nuts(tree_depth=deep(0.06)),
        "6% of a chain's transitions ended at the largest tree depth, 10",
        "--tune 1000",
    ),
    "no tree depth": (lambda: nuts(tree_depth=None), "tree_depth were not recorded", "fit again"),
    "fewer statistics": (fewer_statistics, "were not recorded for every draw", "fit again"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_is_refused_named_and_answered(failure: str) -> None:
    make, says, advises = FAILURES[failure]
    verdict = gate(make())
    assert not verdict.converged
    assert len(verdict.remedies) == len(verdict.reasons)
    assert any(says in reason and advises in remedy for reason, remedy in verdict.advice()), verdict


def test_a_few_trees_of_the_largest_depth_are_no_failure() -> None:
    verdict = gate(nuts(tree_depth=deep(0.05)))
    assert verdict.converged
    assert verdict.tree_depth_share == 0.05


def test_every_draw_of_a_fit_of_one_thousand_must_be_there_in_every_chain() -> None:
    """Twice the chains do not make up for half the draws."""
    tree = make_tree(sd=draws(2, 2 * CHAINS, DRAWS // 2)[:, :, 0], log_importance_ratio=None)
    assert any("draws are there" in reason for reason in gate(tree).reasons)


def test_reasons_say_what_is_worst_and_for_how_many() -> None:
    verdict = gate(shifted())
    (reason, *_) = verdict.reasons
    assert "for percent[01004] and above 1.01 for 1 of 6 quantities" in reason
    assert "chains are in different places" in reason
    assert verdict.r_hat_worst == "percent[01004]"


def test_the_draws_advised_would_do() -> None:
    """Of chains with the same autocorrelation, and the same number for every reason."""
    rho = 0.9
    verdict = gate(make_tree(percent=autocorrelated(draws(), rho)))
    advised = {int(n) for text in verdict.remedies for n in re.findall(r"--draws (\d+)", text)}
    assert len(verdict.remedies) >= 2  # bulk and tail at least
    (number,) = advised
    assert DRAWS < number < 10 * DRAWS
    longer = autocorrelated(draws(8, CHAINS, number), rho)
    tree = make_tree(
        sd=longer[:, :, 0], percent=longer, log_importance_ratio=np.resize(heavy(0.2), (4, number))
    )
    assert gate(tree).converged


def test_draws_that_are_worth_little_are_no_advice_alone() -> None:
    verdict = gate(make_tree(percent=autocorrelated(draws(), 0.995)))
    assert any("a draw is worth only 0.0" in remedy for remedy in verdict.remedies)
    assert any("--prior" in remedy for remedy in verdict.remedies)


def test_advice_never_asks_for_more_than_can_be_run() -> None:
    values = np.cumsum(draws(), axis=1) * 1e-3
    tree = make_tree(percent=values)
    asked = {"engine": "laplace", "draws": 999_999, "tune": 999_999, "chains": 4}
    tree["provenance"].attrs["settings"] = json.dumps(asked)
    numbers = [
        int(n) for text in gate(tree).remedies for n in re.findall(r"--(?:draws|tune) (\d+)", text)
    ]
    assert numbers
    assert max(numbers) == LIMITS["draws"][1]
