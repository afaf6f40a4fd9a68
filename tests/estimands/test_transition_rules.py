from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.estimands.transition_rules import RULES, margin, reversal

YEARS = np.arange(1950, 2024)


def path(**spans: float) -> np.ndarray:
    """Return a path made of values from years on, such as y1950=-3."""
    out = np.zeros(len(YEARS))
    for name, value in spans.items():
        out[int(name[1:]) <= YEARS] = value
    return out


@pytest.mark.parametrize("rule", RULES)
def test_a_plain_turn_is_dated_to_its_year(rule):
    assert reversal(path(y1950=-3.0, y1990=2.0), YEARS, rule, 2023) == 1990


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "still",
    [
        path(y1950=-3.0),
        path(y1950=3.0),  # never lost people: there is nothing to turn
        path(y1950=-3.0, y2020=2.0),  # four years are not five
        path(y1950=-3.0, y1990=2.0, y2000=-5.0),
    ],
)
def test_no_turn(rule, still):
    assert np.isnan(reversal(still, YEARS, rule, 2023))


def test_a_relapse_ends_an_unbroken_turn_and_is_forgiven_on_balance():
    relapse = path(y1950=-3.0, y1990=5.0, y2010=-2.0, y2015=4.0)
    assert reversal(relapse, YEARS, "unbroken", 2023) == 2015
    assert reversal(relapse, YEARS, "balance", 2023) == 1990
    assert reversal(relapse, YEARS, "unbroken", 2005) == 1990


def test_what_comes_later_does_not_change_what_had_turned_by_then():
    first, other = path(y1950=-3.0, y1990=2.0), path(y1950=-3.0, y1990=2.0, y2006=-9.0)
    for rule in RULES:
        assert reversal(first, YEARS, rule, 2005) == reversal(other, YEARS, rule, 2005) == 1990


@given(st.integers(0, 10_000), st.sampled_from(RULES), st.sampled_from([2005, 2023]))
def test_the_margin_is_above_zero_where_the_path_turned_and_nowhere_else(seed, rule, by):
    paths = np.cumsum(np.random.default_rng(seed).standard_normal((5, len(YEARS))), axis=1) - 1
    turned = np.isfinite(reversal(paths, YEARS, rule, by))
    assert ((margin(paths, YEARS, rule, by) > 0) == turned).all()


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="unbroken, balance"):
        reversal(path(y1950=-1.0), YEARS, "soon", 2023)
