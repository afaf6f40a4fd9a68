"""The gate: what converged passes, and what its verdict measures and says."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from artificial_fits import (
    CHAINS,
    DIMS,
    DRAWS,
    autocorrelated,
    deep,
    diverging,
    draws,
    heavy,
    make_tree,
    nuts,
    shifted,
)
from arviz_stats.base import array_stats

from remitstats.errors import RemitstatsError
from remitstats.fitting.gate import Gate, NotConvergedError, gate, require_converged


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
