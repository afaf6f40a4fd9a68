"""R-hat and ESS of many quantities at once are those of ArviZ, one at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from remitstats.fitting.convergence import CHUNK, convergence, convergence_of

Array = NDArray[np.float64]
NUMBERS = ["r_hat", "ess_bulk", "ess_tail"]
QUANTITIES = 3


def autoregressive(noise: Array, rho: float) -> Array:
    out = noise.copy()
    for i in range(1, out.shape[1]):
        out[:, i] = rho * out[:, i - 1] + np.sqrt(1 - rho**2) * noise[:, i]
    return out


def apart(noise: Array) -> Array:
    return noise + np.arange(len(noise))[:, None, None]


def trend(noise: Array) -> Array:
    return noise + np.linspace(0.0, 3.0, noise.shape[1])[:, None]


CONTINUOUS: dict[str, Callable[[Array], Array]] = {
    "ordinary": lambda noise: noise,
    "far from nought": lambda noise: 1e8 + noise,
    "tiny": lambda noise: 1e-12 * noise,
    "autocorrelated": lambda noise: autoregressive(noise, 0.95),
    "antithetic": lambda noise: autoregressive(noise, -0.9),
    "heavy tails": lambda noise: noise / noise[:, ::-1] ** 2,
    "skew": lambda noise: np.exp(3 * noise),
    "chains apart": apart,
    "trend": trend,
}
TIED: dict[str, Callable[[Array], Array]] = {
    "whole numbers": lambda noise: np.round(2 * noise).astype(np.int32),
    "ranks that hardly move": lambda noise: 1 + (noise > 1.5).astype(np.int32),
    "coin": np.sign,
    "single precision": lambda noise: (20 + 1e-5 * noise).astype(np.float32),
    "neighbouring numbers": lambda noise: 1 + np.round(3 * noise) * np.finfo(float).eps,
    "one draw stands out": lambda noise: (noise == noise.max(axis=(0, 1))).astype(float),
    "most draws at the top": lambda noise: np.minimum(noise, 0.5),
    "constant": lambda noise: 0 * noise + 0.1,
}


def of_arviz(draws: NDArray[np.generic]) -> pd.DataFrame:
    values = np.asarray(draws, dtype=float)
    axes = {"chain_axis": 0, "draw_axis": 1}
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = [
            array_stats.rhat(values, **axes),
            array_stats.ess(values, method="bulk", **axes),
            array_stats.ess(values, method="tail", prob=(0.05, 0.95), **axes),
        ]
    table = pd.DataFrame(np.stack(numbers, axis=1), columns=NUMBERS)
    # ours to decide: what never varies has no R-hat, and no sample size either
    table[np.ptp(values, axis=(0, 1)) == 0] = np.nan
    return table


def assert_same(draws: NDArray[np.generic], columns: list[str]) -> None:
    found, expected = convergence(draws)[columns], of_arviz(draws)[columns]
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-9, atol=0)


def noise(seed: int, chains: int, length: int) -> Array:
    return np.random.default_rng(seed).standard_normal((chains, length, QUANTITIES))


seeds = st.integers(0, 2**32 - 1)
few_chains = st.integers(1, 5)


@given(seeds, few_chains, st.integers(1, 161), st.sampled_from(sorted(CONTINUOUS | TIED)))
@settings(max_examples=200, deadline=None)
def test_numbers_are_those_of_arviz(seed: int, chains: int, length: int, kind: str) -> None:
    assert_same((CONTINUOUS | TIED)[kind](noise(seed, chains, length)), NUMBERS)


def test_so_they_are_where_autocorrelations_add_up_to_nought() -> None:
    """There it hangs on rounding where Geyer's sequence ends; ours and ArviZ's differs."""
    assert_same(np.random.default_rng(3).integers(0, 2, (2, 10, 1500)), NUMBERS)


@pytest.mark.parametrize("period", range(2, 9))
def test_so_they_are_of_chains_that_go_round_and_of_stairs(period: int) -> None:
    for length in range(4, 60):
        turn = (np.arange(length) + np.arange(2)[:, None]) % period
        stairs = np.broadcast_to(np.arange(length) // period, turn.shape)
        assert_same(np.stack([turn, turn // 2, turn == 0, stairs], axis=2), NUMBERS)


def test_numbers_of_chains_as_long_as_the_countrys_are_those_of_arviz() -> None:
    draws = np.random.default_rng(1).standard_normal((4, 800, 30))
    for part, make in enumerate(CONTINUOUS.values()):
        draws[:, :, 3 * part : 3 * part + 3] = make(draws[:, :, 3 * part : 3 * part + 3])
    assert_same(draws, NUMBERS)
    assert_same(draws.astype(np.float32), NUMBERS)
    rank = np.argsort(np.argsort(draws, axis=2), axis=2).astype(np.int32)
    assert_same(rank, NUMBERS)


def test_draws_that_are_not_finite_have_no_numbers_and_say_so() -> None:
    draws = noise(1, 4, 100)
    draws[2, 17, 0] = np.nan
    draws[3, 99, 2] = -np.inf
    table = convergence(draws)
    assert table["finite"].to_list() == [False, True, False]
    assert table[NUMBERS].notna().all(axis=1).to_list() == [False, True, False]
    assert table.iloc[[1]].equals(convergence(noise(1, 4, 100)).iloc[[1]])


def test_chains_that_never_move_are_counted() -> None:
    draws = noise(2, 4, 100)
    draws[1, :, 0] = 7.0
    draws[:, :, 1] = np.arange(4)[:, None]
    assert convergence(draws)["still_chains"].to_list() == [1, 4, 0]


@pytest.mark.parametrize(("chains", "length"), [(0, 0), (1, 0), (4, 1), (4, 3), (2, 0)])
def test_what_is_too_short_to_judge_has_no_numbers(chains: int, length: int) -> None:
    table = convergence(noise(3, chains, length))
    assert len(table) == QUANTITIES
    assert table[NUMBERS].isna().all(axis=None)


def test_no_quantities_give_an_empty_table() -> None:
    assert list(convergence(np.empty((4, 100, 0)))) == [*NUMBERS, "finite", "still_chains"]
    assert list(convergence_of({})) == ["quantity", *NUMBERS, "finite", "still_chains"]


def test_numbers_do_not_depend_on_how_quantities_are_shared_out() -> None:
    together = np.random.default_rng(4).normal(size=(2, 100, 3 * CHUNK // 200))
    table = convergence(together)
    assert len(table) == together.shape[2]
    for quantity in (0, CHUNK // 200, together.shape[2] - 1):
        alone = convergence(together[:, :, [quantity]])
        pd.testing.assert_frame_equal(
            table.iloc[[quantity]].reset_index(drop=True), alone, rtol=1e-12
        )


def test_draws_are_not_changed_and_may_lie_in_memory_in_any_order() -> None:
    draws = noise(5, 4, 101)
    before = draws.copy()
    table = convergence(draws)
    assert np.array_equal(draws, before)
    pd.testing.assert_frame_equal(convergence(np.asfortranarray(draws)), table, rtol=1e-12)


def test_quantities_are_labelled_by_name_and_coordinates() -> None:
    array = xr.DataArray(
        np.random.default_rng(6).normal(size=(4, 50, 2, 2)),
        dims=("chain", "draw", "wave", "municipality"),
        coords={"wave": [2010, 2020], "municipality": ["01001", "01002"]},
    )
    shares: list[float] = []
    # whatever the order of the dims
    arrays = {"x": array.transpose("wave", "draw", "municipality", "chain"), "sd": array[..., 0, 0]}
    table = convergence_of(arrays, shares.append)
    assert list(table["quantity"]) == [
        "x[2010, 01001]",
        "x[2010, 01002]",
        "x[2020, 01001]",
        "x[2020, 01002]",
        "sd",
    ]
    assert table["r_hat"][0] == table["r_hat"][4]
    assert shares == [0.8, 1.0]


def test_what_is_certain_or_not_defined_at_all_is_left_out() -> None:
    dims = ("chain", "draw", "municipality")
    rank = np.ones((4, 50, 2), dtype=np.int32)
    rank[:, :, 1] += np.random.default_rng(7).integers(0, 3, (4, 50))
    rank[0, :, 1] = 1  # one chain always the same: with whole numbers that may be
    share = noise(8, 4, 50)
    share[:, :, 0] = np.nan
    share[0, 0, 1] = np.nan
    table = convergence_of(
        {"rank": xr.DataArray(rank, dims=dims), "share": xr.DataArray(share, dims=dims)}
    ).set_index("quantity")
    assert list(table.index) == ["rank[1]", "share[1]", "share[2]"]
    assert table["finite"].to_list() == [True, False, True]
    assert table["still_chains"].to_list() == [0, 0, 0]
