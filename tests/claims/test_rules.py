"""Rules of a ledger: known answers, and what holds for any figure."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from remitstats.claims.evidence import Evidence, NoEvidenceError
from remitstats.claims.regime import CONTRADICTED, INCONCLUSIVE, SUPPORTED
from remitstats.claims.rules import KINDS, Rule, chance

NUMBERS = st.floats(-1e6, 1e6)
OPPOSITE = {SUPPORTED: CONTRADICTED, CONTRADICTED: SUPPORTED, INCONCLUSIVE: INCONCLUSIVE}


def figure(value, lower=None, upper=None):
    return Evidence(value, value if lower is None else lower, value if upper is None else upper)


@pytest.mark.parametrize(
    ("kind", "found", "claimed", "verdict"),
    [
        ("near", figure(109), (100, 100), SUPPORTED),
        ("near", figure(111), (100, 100), INCONCLUSIVE),
        ("near", figure(126), (100, 100), CONTRADICTED),
        ("near", figure(74), (100, 100), CONTRADICTED),
        ("near", figure(100, 80, 120), (100, 100), INCONCLUSIVE),
        ("near", figure(100, 91, 109), (100, 100), SUPPORTED),
        ("near", figure(60, 40, 74), (100, 100), CONTRADICTED),
        ("near", figure(98), (80, 90), SUPPORTED),
        ("near", figure(-109), (-100, -100), SUPPORTED),
        ("near", figure(-130), (-100, -100), CONTRADICTED),
        ("at least", figure(7, 7, 9), (7, 7), SUPPORTED),
        ("at least", figure(6, 5, 6.9), (7, 7), CONTRADICTED),
        ("at least", figure(7, 6, 8), (7, 7), INCONCLUSIVE),
        ("at most", figure(7, 6, 7), (7, 7), SUPPORTED),
        ("at most", figure(9, 8, 10), (7, 7), CONTRADICTED),
        ("lower bound", figure(8), (7, 7), SUPPORTED),
        ("lower bound", figure(1), (7, 7), INCONCLUSIVE),
        ("rise", figure(5), None, SUPPORTED),
        ("rise", figure(4.9), None, INCONCLUSIVE),
        ("rise", figure(-5), None, CONTRADICTED),
        ("fall", figure(-20, -30, -10), None, SUPPORTED),
        ("fall", figure(-20, -30, 10), None, INCONCLUSIVE),
        ("fall", figure(20), None, CONTRADICTED),
        ("share", figure(95), None, SUPPORTED),
        ("share", figure(5), None, CONTRADICTED),
        ("share", figure(50), None, INCONCLUSIVE),
        ("probability", Evidence(probability=0.95), None, SUPPORTED),
        ("probability", Evidence(probability=0.949), None, INCONCLUSIVE),
        ("probability", Evidence(probability=0.05), None, CONTRADICTED),
        ("calibrated", Evidence(verdict=CONTRADICTED, reason="so"), None, CONTRADICTED),
    ],
)
def test_known_answers(kind, found, claimed, verdict):
    assert Rule("r", kind).judge(found, claimed)[0] == verdict


@given(NUMBERS, st.floats(0, 1e6), st.floats(0, 1e6), NUMBERS, st.sampled_from(sorted(KINDS)))
def test_a_verdict_is_one_of_three_and_has_a_reason(value, below, above, claimed, kind):
    assume(kind not in ("calibrated", "probability"))
    found = figure(value, value - below, value + above)
    verdict, reason = Rule("r", kind).judge(found, (claimed, claimed))
    assert verdict in OPPOSITE
    assert reason


@given(NUMBERS, st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), NUMBERS)
def test_more_doubt_never_turns_a_verdict_around(value, below, above, more, claimed):
    for kind in ("near", "at least", "at most", "rise", "fall"):
        rule = Rule("r", kind)
        sure = rule.judge(figure(value, value - below, value + above), (claimed, claimed))[0]
        wider = figure(value, value - below - more, value + above + more)
        assert rule.judge(wider, (claimed, claimed))[0] in (sure, INCONCLUSIVE)


@given(NUMBERS, st.floats(0, 1e6))
def test_a_rise_is_a_fall_seen_the_other_way(value, width):
    found = figure(value, value - width, value + width)
    mirrored = figure(-value, -value - width, -value + width)
    assert Rule("r", "rise").judge(found, None)[0] == Rule("r", "fall").judge(mirrored, None)[0]
    assert (
        Rule("r", "fall").judge(found, None)[0] == OPPOSITE[Rule("r", "rise").judge(found, None)[0]]
    )


@given(st.floats(0, 1))
def test_for_and_against_have_the_same_limits(p):
    rule = Rule("r", "probability")
    here = rule.judge(Evidence(probability=p), None)[0]
    there = rule.judge(Evidence(probability=1 - p), None)[0]
    if min(abs(p - 0.05), abs(p - 0.95)) > 1e-9:  # 1 - p rounds
        assert there == OPPOSITE[here]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"within_percent": 30.0}, "within_percent must be at least 0 and at most"),
        ({"within_percent": -1.0}, "within_percent must be"),
        ({"supported_at": 0.04}, "must be probabilities"),
        ({"supported_at": math.nan}, "must be probabilities"),
        ({"margin": -1.0}, "margin must be at least 0"),
    ],
)
def test_limits_in_no_order_are_refused(limits, said):
    with pytest.raises(ValueError, match=said):
        Rule("r", "near", **limits)


def test_a_probability_is_never_shown_as_a_certainty_that_it_is_not():
    assert chance(0.99999) == "above 0.999"
    assert chance(0.00001) == "below 0.001"
    assert (chance(0.0), chance(1.0), chance(0.5)) == ("0.000", "1.000", "0.500")


def test_what_is_no_probability_or_no_figure_is_no_evidence():
    with pytest.raises(NoEvidenceError, match="no probability"):
        Evidence.probable(1.2, "x")
    with pytest.raises(NoEvidenceError, match="no figure"):
        Evidence.exact(math.nan, "x")
