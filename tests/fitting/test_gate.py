"""The gate: what converged passes, and each way to fail is named with what to try."""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError
from remitstats.fitting.gate import Gate, NotConvergedError, gate, require_converged
from remitstats.fitting.settings import LIMITS

Array = NDArray[np.float64]
CHAINS, DRAWS, PLACES = 4, 1000, 5
DIMS = ("chain", "draw")


def draws(seed: int = 2, chains: int = CHAINS, size: int = DRAWS) -> Array:
    return np.random.default_rng(seed).normal(5.0, 1.0, (chains, size, PLACES))


def autocorrelated(values: Array, rho: float) -> Array:
    out = values.copy()
    for i in range(1, out.shape[1]):
        out[:, i] = rho * out[:, i - 1] + np.sqrt(1 - rho**2) * values[:, i]
    return out


def heavy(shape: float, seed: int = 5) -> Array:
    """Log importance ratios whose weights have a Pareto tail of this shape."""
    return shape * np.random.default_rng(seed).exponential(1.0, (CHAINS, DRAWS))


def make_tree(
    sd: Array | None = None,
    percent: Array | None = None,
    engine: str = "laplace",
    **statistics: NDArray[Any] | None,
) -> xr.DataTree:
    """Return a fit of one scale and five shares, all independent draws unless given.

    The engine's statistics are good unless given; None leaves one out.
    """
    sd = np.random.default_rng(1).gamma(4.0, 0.1, (CHAINS, DRAWS)) if sd is None else sd
    percent = draws(3, *sd.shape) if percent is None else percent
    good: dict[str, NDArray[Any]] = {"diverging": np.zeros(sd.shape, dtype=bool)}
    if engine == "laplace":
        good |= {"log_importance_ratio": heavy(0.2)[: sd.shape[0], : sd.shape[1]]}
    else:
        good |= {"energy": draws(4, *sd.shape)[:, :, 0], "tree_depth": np.full(sd.shape, 4)}
    recorded = {k: (DIMS, v) for k, v in (good | statistics).items() if v is not None}
    asked = {"engine": engine, "draws": DRAWS, "tune": 60, "chains": CHAINS}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {"sd": (DIMS, sd), "percent": ((*DIMS, "municipality"), percent)},
                coords={"municipality": [f"0100{i}" for i in range(1, PLACES + 1)]},
            ),
            "sample_stats": xr.Dataset(recorded),
            "provenance": xr.Dataset(attrs={"settings": json.dumps(asked)}),
        }
    )


def nuts(**statistics: NDArray[Any] | None) -> xr.DataTree:
    return make_tree(engine="nuts", **statistics)


@pytest.mark.parametrize("engine", ["laplace", "nuts"])
def test_a_converged_fit_passes(engine: str) -> None:
    verdict = gate(make_tree(engine=engine))
    assert verdict.converged
    assert (verdict.reasons, verdict.remedies, verdict.notes) == ((), (), ())
    assert verdict.quantities == 6
    assert (verdict.draws, verdict.chains) == (4000, 4)
    assert verdict.r_hat_max < 1.01
    assert verdict.ess_bulk_min > 2500
    assert verdict.divergences == 0
    if engine == "laplace":
        assert verdict.k_hat < 0.5
        assert math.isnan(verdict.e_bfmi_min)
        assert math.isnan(verdict.tree_depth_share)
    else:
        assert math.isnan(verdict.k_hat)
        assert verdict.e_bfmi_min > 1.5  # independent energies: 2
        assert verdict.tree_depth_share == 0


def shifted() -> xr.DataTree:
    values = draws()
    values[0, :, 3] += 1.0
    return make_tree(percent=values)


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


def diverging() -> NDArray[np.bool_]:
    flags = np.zeros((CHAINS, DRAWS), dtype=bool)
    flags[0, :3] = True
    return flags


def slow_tail() -> xr.DataTree:
    """Independent in the bulk; one excursion into the tail a chain."""
    values = draws()
    values[:, 400:480, 0] = 9.0 + 0.1 * values[:, 400:480, 0]
    return make_tree(percent=values)


def few_ratios(number: int) -> Array:
    ratios = np.full((CHAINS, DRAWS), np.nan)
    ratios[0, :number] = heavy(0.2)[0, :number]
    return ratios


def deep(share: float) -> Array:
    """Tree depths of which this share of one chain is the largest."""
    depth = np.full((CHAINS, DRAWS), 5)
    depth[2, : round(share * DRAWS)] = 10
    return depth


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


seeds = st.integers(0, 2**32 - 1)
chain_numbers = st.integers(0, CHAINS - 1)
places = st.integers(0, PLACES - 1)
defects = settings(max_examples=25, deadline=None)


@given(seeds)
@defects
def test_independent_draws_always_pass(seed: int) -> None:
    assert gate(make_tree(percent=draws(seed))).converged


@given(seeds, chain_numbers, places, st.integers(0, DRAWS // 2))
@defects
def test_a_chain_that_stops_moving_never_passes(
    seed: int, chain: int, place: int, stop: int
) -> None:
    values = draws(seed)
    values[chain, stop:, place] = values[chain, stop, place]
    assert not gate(make_tree(percent=values)).converged


@given(seeds, chain_numbers, places, st.sampled_from([-1, 1]))
@defects
def test_a_chain_three_standard_deviations_away_never_passes(
    seed: int, chain: int, place: int, side: int
) -> None:
    values = draws(seed)
    values[chain, :, place] += 3 * side
    verdict = gate(make_tree(percent=values))
    assert not verdict.converged
    assert verdict.r_hat_worst == f"percent[0100{place + 1}]"


@given(
    seeds,
    chain_numbers,
    st.integers(0, DRAWS - 1),
    places,
    st.sampled_from([np.nan, np.inf, -np.inf]),
)
@defects
def test_a_single_draw_that_is_no_number_never_passes(
    seed: int, chain: int, draw: int, place: int, value: float
) -> None:
    values = draws(seed)
    values[chain, draw, place] = value
    assert not gate(make_tree(percent=values)).converged
    derived = {"x": xr.DataArray(values, dims=(*DIMS, "place"))}
    assert not gate(make_tree(), derived).converged


@given(seeds, st.integers(1, CHAINS), st.integers(1, DRAWS))
@defects
def test_fewer_draws_than_asked_for_never_pass(seed: int, chains: int, length: int) -> None:
    tree = make_tree(sd=draws(seed, chains, length)[:, :, 0])
    assert gate(tree).converged == ((chains, length) == (CHAINS, DRAWS))


@given(chain_numbers, st.integers(0, DRAWS - 1), st.sampled_from(["laplace", "nuts"]))
@defects
def test_a_single_divergence_never_passes(chain: int, draw: int, engine: str) -> None:
    flags = np.zeros((CHAINS, DRAWS), dtype=bool)
    flags[chain, draw] = True
    verdict = gate(make_tree(engine=engine, diverging=flags))
    assert (verdict.converged, verdict.divergences) == (False, 1)


@given(seeds, st.floats(2.0, 5.0))
@defects
def test_proposals_with_too_light_tails_never_pass(seed: int, shape: float) -> None:
    """The limit of 0.7 is six standard errors of k-hat (0.2 of 4000 ratios) away."""
    assert not gate(make_tree(log_importance_ratio=heavy(shape, seed))).converged


@given(seeds, st.floats(0.92, 0.999))
@defects
def test_an_energy_that_wanders_never_passes(seed: int, rho: float) -> None:
    """E-BFMI of such an energy is 2 (1 - rho), at most 0.16."""
    assert not gate(nuts(energy=autocorrelated(draws(seed), rho)[:, :, 0])).converged


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


@pytest.mark.parametrize("shape", [0.3, 0.9])
def test_k_hat_is_the_shape_of_the_weights_tail(shape: float) -> None:
    """To the standard error of a fit to the largest 190 of 4000 weights."""
    verdict = gate(make_tree(log_importance_ratio=heavy(shape)))
    assert verdict.k_hat == pytest.approx(shape, abs=0.2)


def test_k_hat_ignores_moves_that_have_no_ratio_and_no_weight() -> None:
    ratios = heavy(0.3)
    ratios[:, ::2] = np.nan
    ratios[0, 1] = -np.inf
    verdict = gate(make_tree(log_importance_ratio=ratios))
    assert verdict.k_hat == pytest.approx(0.3, abs=0.15)


@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_proposals_of_the_posteriors_own_shape_pass_and_that_is_said(noise: float) -> None:
    """To rounding of log densities of ten thousands."""
    ratios = -17_220.25 + noise * heavy(1.0)
    verdict = gate(make_tree(log_importance_ratio=ratios))
    assert verdict.converged
    assert math.isnan(verdict.k_hat)
    assert "importance ratios are all alike" in verdict.notes[0]
    assert verdict.notes[0] in repr(verdict)


def test_e_bfmi_is_that_of_arviz() -> None:
    energy = autocorrelated(draws(9), 0.5)[:, :, 0]
    assert gate(nuts(energy=energy)).e_bfmi_min == pytest.approx(array_stats.bfmi(energy).min())


def test_derived_quantities_are_judged_too() -> None:
    bad = draws()
    bad[0] += 2.0
    derived = {"national": xr.DataArray(bad[:, :, 0], dims=DIMS)}
    verdict = gate(make_tree(), derived)
    assert not verdict.converged
    assert verdict.r_hat_worst == "national"
    assert verdict.quantities == 7


def test_a_rank_that_is_certain_is_no_failure_but_one_that_differs_by_chain_is() -> None:
    rank = np.ones((CHAINS, DRAWS, 2), dtype=np.int32)
    rank[:, :, 1] = np.random.default_rng(4).integers(2, 6, (CHAINS, DRAWS))
    rank[0, 0, 0] = 2  # all but certain
    dims = (*DIMS, "municipality")
    assert gate(make_tree(), {"rank": xr.DataArray(rank, dims=dims)}).converged
    rank[:, :, 0] = 1 + np.arange(CHAINS, dtype=np.int32)[:, None]
    assert not gate(make_tree(), {"rank": xr.DataArray(rank, dims=dims)}).converged


def test_what_is_no_fit_is_refused_in_words() -> None:
    tree = make_tree()
    del tree["provenance"]
    with pytest.raises(RemitstatsError, match="no fit of remitstats, it has no group provenance"):
        gate(tree)


def test_verdict_is_frozen_and_plain_for_json() -> None:
    verdict = gate(nuts(tree_depth=deep(0.5)))
    with pytest.raises(AttributeError):
        verdict.converged = True  # type: ignore[misc]
    plain = json.loads(json.dumps(verdict.describe()))
    assert repr(Gate.read(plain)) == repr(verdict)
    assert replace(Gate.read(plain), k_hat=0.0) == replace(verdict, k_hat=0.0)  # nan is not nan
    assert repr(pickle.loads(pickle.dumps(verdict))) == repr(verdict)


@pytest.mark.parametrize(
    "summary",
    [
        {},
        {"converged": False},
        {"converged": None},
        {"converged": "yes"},
        {"converged": 1},
        {"converged": True, "reasons": ["R-hat is 3"]},
    ],
)
def test_only_a_summary_that_says_so_without_reserve_has_converged(summary: dict[str, Any]) -> None:
    verdict = Gate.read(summary)
    assert not verdict.converged
    assert verdict.explain()
    with pytest.raises(NotConvergedError):
        require_converged(verdict)


def test_a_finding_is_refused_with_every_reason_and_what_to_try() -> None:
    require_converged(gate(make_tree()))
    verdict = gate(make_tree(percent=draws(3) * np.nan, diverging=diverging()))
    with pytest.raises(NotConvergedError) as caught:
        require_converged(verdict)
    assert isinstance(caught.value, RemitstatsError)
    assert caught.value.exit_code == 3
    said = str(caught.value)
    for reason, remedy in verdict.advice():
        assert f"  - {reason}\n    try: {remedy}" in said


def test_the_verdict_as_python_shows_it_begins_with_the_word() -> None:
    assert repr(gate(make_tree())).startswith("Converged\n")
    shown = repr(gate(shifted()))
    assert shown.startswith("NOT CONVERGED")
    assert "    try: tune longer (--tune 240)" in shown
    assert "6 quantities, 4000 draws in 4 chains" in shown
