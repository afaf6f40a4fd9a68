"""Dividing amounts among places: nothing is lost, and PyTensor says what NumPy says."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.parts.allocation import shares, summed, totals_pymc

HOME = np.array([0, 1, 2, 0, 1, 1, 2])
PLACE = np.array([0, 1, 2, 1, 0, 2, 1])


@given(st.integers(0, 10_000), st.floats(0.1, 30.0))
def test_nothing_is_lost(seed: int, wide: float) -> None:
    rng = np.random.default_rng(seed)
    pull, amount = wide * rng.normal(size=(2, 7)), rng.lognormal(size=(2, 3))
    share = shares(pull, HOME, 3)
    assert summed(share, HOME, 3) == pytest.approx(np.ones((2, 3)))
    paid = summed(amount[:, HOME] * share, PLACE, 3)
    assert paid.sum(axis=1) == pytest.approx(amount.sum(axis=1))


def test_shares_are_those_of_the_formula() -> None:
    pull = np.log(np.array([2.0, 1.0, 3.0, 6.0, 4.0, 5.0, 1.0]))
    assert shares(pull, HOME, 3) == pytest.approx([0.25, 0.1, 0.75, 0.75, 0.4, 0.5, 0.25])


def test_a_place_that_pulls_more_takes_from_its_neighbours() -> None:
    pull, amount = np.zeros(7), np.ones(3)
    before = summed(amount[HOME] * shares(pull, HOME, 3), PLACE, 3)
    after = summed(amount[HOME] * shares(pull + (PLACE == 1), HOME, 3), PLACE, 3)
    assert after[1] > before[1]
    assert (after[[0, 2]] < before[[0, 2]]).all()


def test_pytensor_says_the_same() -> None:
    rng = np.random.default_rng(1)
    pull, amount = rng.normal(size=7), rng.lognormal(size=3)
    found = totals_pymc(np.log(amount), pull, HOME, PLACE, 3)
    paid = summed(amount[HOME] * shares(pull, HOME, 3), PLACE, 3)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        assert found.eval() == pytest.approx(np.log(paid))
