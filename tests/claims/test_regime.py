"""The verdict rule: what is supported, what contradicted, and what a defensible choice undoes."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.claims.regime import (
    NO_CHANCE,
    VERDICTS,
    Chance,
    VerdictRule,
    chances_of,
    regime_verdicts,
    verdict_on,
)
from remitstats.errors import RemitstatsError

SHARES = st.floats(0, 1)


def both(lagged: float, ordered: float | None = None) -> dict[str, Chance]:
    ordered = lagged if ordered is None else ordered
    return {"lagged": Chance(lagged), "ordered total": Chance(ordered)}


def table(vicious: float, virtuous: float = 0.0, undefined: float = 0.0) -> pd.DataFrame:
    row = {"level": "nation", "code": "00", "p_vicious": vicious, "p_virtuous": virtuous}
    row |= {"p_undefined": undefined, "delta": 0.05}
    state = row | {"level": "state", "code": "14", "p_vicious": 0.5, "reading": "lagged"}
    return pd.DataFrame([row | {"reading": r} for r in ("lagged", "ordered total")] + [state])


@pytest.mark.parametrize(
    ("headline", "others", "expected"),
    [
        (both(0.95), {}, "supported"),
        (both(0.99, 0.94), {}, "inconclusive"),
        (both(0.98), {"poverty": both(0.5), "floors": both(0.9)}, "supported"),
        (both(0.98), {"poverty": both(0.9, 0.49)}, "inconclusive"),
        (both(0.05), {}, "contradicted"),
        (both(0.02, 0.06), {}, "inconclusive"),
        (both(0.01), {"poverty": both(0.05)}, "contradicted"),
        (both(0.01), {"poverty": both(0.051)}, "inconclusive"),
        (both(0.5), {"poverty": both(1.0)}, "inconclusive"),
    ],
)
def test_rule_as_it_is_documented(headline, others, expected):
    assert verdict_on(headline, others).verdict == expected


def test_readings_that_contradict_each_other_say_so():
    found = verdict_on(both(0.99, 0.01))
    assert found.verdict == "inconclusive"
    assert "contradict each other" in found.reason
    assert (found.probability, found.probability_most) == (0.01, 0.99)


def test_reason_names_the_specifications_that_turn_the_verdict_around():
    others = {"poverty": both(0.7), "earth floors": both(0.31), "no border": both(0.4, 0.45)}
    reason = verdict_on(both(0.97), others).reason
    assert "below 0.5 in 2 of 3 core specifications" in reason
    assert "earth floors, no border; 0.310 in earth floors" in reason
    assert "poverty" not in reason


def test_reason_of_a_verdict_says_what_carries_it():
    assert (
        "at least 0.610 in all 2 core"
        in verdict_on(both(0.97), {"a": both(0.8, 0.61), "b": both(0.9)}).reason
    )
    assert "No other specification was tried" in verdict_on(both(0.97)).reason
    assert "above 0.999 (lagged)" in verdict_on(both(0.99999)).reason


def test_fit_that_did_not_pass_its_gate_gives_no_verdict():
    found = verdict_on(both(1.0), converged=False)
    assert found.verdict == "none"
    assert math.isnan(found.probability)
    assert "gate" in found.reason


def test_headline_without_a_reading_gives_no_verdict():
    found = verdict_on({"lagged": Chance(1.0)})
    assert found.verdict == "none"
    assert "ordered total" in found.reason
    assert verdict_on(both(1.0) | {"lagged": NO_CHANCE}).verdict == "none"
    one = VerdictRule(readings=("lagged",))
    assert verdict_on({"lagged": Chance(1.0)}, rule=one).verdict == "supported"


def test_specification_without_a_fit_counts_only_where_the_verdict_depends_on_it():
    missing = {"wages": {"lagged": NO_CHANCE}}
    assert verdict_on(both(0.99), missing).verdict == "none"
    assert verdict_on(both(0.99), {"wages": {}}).verdict == "none"
    assert verdict_on(both(0.6), missing).verdict == "inconclusive"
    assert verdict_on(both(0.99), missing | {"floors": both(0.1)}).verdict == "inconclusive"


def test_draws_that_leave_a_claim_undefined_count_on_neither_side():
    loose = {name: Chance(0.02, undefined=0.1) for name in ("lagged", "ordered total")}
    found = verdict_on(loose)
    assert found.verdict == "inconclusive"
    assert "does not exist in 0.100 of the draws" in found.reason
    assert found.probability_most == pytest.approx(0.12)
    tight = {name: Chance(0.96, undefined=0.03) for name in loose}
    assert verdict_on(tight).verdict == "supported"


@given(lagged=SHARES, ordered=SHARES, other=SHARES)
def test_opposite_claims_are_never_supported_together(lagged, ordered, other):
    def opposite(chances):
        return {name: Chance(1 - chance.holds) for name, chance in chances.items()}

    here, there = both(lagged, ordered), {"other": both(other)}
    found = verdict_on(here, there).verdict
    against = verdict_on(opposite(here), {"other": opposite(there["other"])}).verdict
    assert found in VERDICTS
    assert {found, against} != {"supported"}
    if found == "supported":  # more probable everywhere: still supported
        assert verdict_on(both(1.0), there).verdict == "supported"


@pytest.mark.parametrize(
    "wrong",
    [
        {"supported_at": 0.4},
        {"contradicted_at": 0.5},
        {"supported_at": 1.2},
        {"contradicted_at": -0.1},
        {"readings": ()},
    ],
)
def test_rules_that_contradict_themselves_are_refused(wrong):
    with pytest.raises(RemitstatsError, match="verdict"):
        VerdictRule(**wrong)


def test_shares_that_are_none_are_refused():
    with pytest.raises(ValueError, match="no shares"):
        Chance(0.8, undefined=0.3)


def test_verdicts_of_a_fit_are_those_of_the_nation():
    found = regime_verdicts(table(0.97, 0.01), {"floors": table(0.8, 0.02)})
    assert found["vicious"].verdict == "supported"
    assert found["virtuous"].verdict == "contradicted"
    unfit = regime_verdicts(table(0.97, 0.01), {"floors": None})
    assert {v.verdict for v in unfit.values()} == {"none"}
    assert set(found["vicious"].describe()) >= {"verdict", "probability", "reason"}


def test_a_table_of_several_deltas_is_refused():
    twice = pd.concat([table(0.9), table(0.8).assign(delta=0.1)])
    with pytest.raises(ValueError, match="choose a delta"):
        chances_of(twice, "vicious")
