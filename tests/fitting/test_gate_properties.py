"""Whatever the draws: good ones always pass the gate, and a defect of a kind never does."""

from __future__ import annotations

import numpy as np
import xarray as xr
from artificial_fits import (
    CHAINS,
    DIMS,
    DRAWS,
    PLACES,
    autocorrelated,
    draws,
    heavy,
    make_tree,
    nuts,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from remitstats.fitting.gate import gate

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
