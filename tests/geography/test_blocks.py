"""Blocks of neighbouring municipalities: compact, complete, within their state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import remitstats
from remitstats.geography.blocks import compact_blocks


@given(st.integers(1, 80), st.integers(1, 15), st.integers(1, 4), st.integers(0, 1000))
def test_blocks_cover_all_units_and_stay_small_and_within_their_group(
    units: int, size: int, groups: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, units)
    block = compact_blocks(rng.uniform(-110, -90, units), rng.uniform(15, 30, units), group, size)
    assert set(block) == set(range(block.max() + 1))
    assert np.bincount(block).max() <= size
    for b in range(block.max() + 1):
        assert len(set(group[block == b])) == 1


def test_blocks_of_mexico_are_compact() -> None:
    place = remitstats.load_mexico().table("municipality")
    longitude, latitude = place["longitude"].to_numpy(float), place["latitude"].to_numpy(float)
    state = place["state"].astype(int).to_numpy()
    block = compact_blocks(longitude, latitude, state, 12)

    def spread(of: np.ndarray) -> float:
        inside = [np.var(latitude[of == b]) + np.var(longitude[of == b]) for b in np.unique(of)]
        return float(np.average(inside, weights=np.bincount(of)[np.unique(of)]))

    shuffled = block.copy()
    for s in np.unique(state):
        shuffled[state == s] = np.random.default_rng(1).permutation(block[state == s])
    assert np.bincount(block).min() >= 3
    assert spread(block) < 0.2 * spread(shuffled)


def test_missing_centre_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a centre"):
        compact_blocks(np.array([1.0, np.nan]), np.array([1.0, 2.0]), np.array([0, 0]), 2)
