from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.report.formats import KINDS, MISSING, show


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (5.0554, "percent", "5.06"),
        (-0.731, "points", "−0.73"),
        (1.432, "points", "+1.43"),
        (-0.001, "points", "0.00"),
        (1764272.4, "count", "1,764,272"),
        (1.0, "probability", "> 0.99"),
        (0.0, "probability", "< 0.01"),
        (0.5, "probability", "0.50"),
        (0.936, "share", "94%"),
        (0.8808, "share1", "88.1%"),
        (-0.0147, "share_points1", "−1.5"),
        (0.0098, "share_size1", "1.0"),
        (0.0123456, "plain", "0.0123"),
        (1234.5, "plain", "1,234"),
        (None, "percent", MISSING),
        (math.nan, "percent", MISSING),
    ],
)
def test_numbers_look_as_readers_expect(value, kind, text):
    assert show(value, kind) == text


@given(st.floats(0, 1))
def test_a_probability_is_never_shown_as_certain(value):
    assert show(value, "probability") not in {"0.00", "1.00"}


SHARES = [kind for kind in KINDS if kind.startswith("share")]


@given(st.floats(0, 1), st.sampled_from(SHARES))
def test_a_shown_share_is_the_share_in_hundredths_rounded(value, kind):
    text = show(value, kind).replace("−", "-").rstrip("%")
    decimals = len(text.partition(".")[2])
    assert abs(float(text) - 100 * value) <= 0.5 * 10**-decimals + 1e-9


@given(
    st.floats(-1e6, 1e6), st.sampled_from(sorted(set(KINDS) - {"probability", "plain", *SHARES}))
)
def test_a_shown_number_is_the_number_rounded(value, kind):
    text = show(value, kind).replace("−", "-").replace(",", "")
    decimals = len(text.partition(".")[2])
    assert abs(float(text) - value) <= 0.5 * 10**-decimals + 1e-9
    assert text != "-0"
