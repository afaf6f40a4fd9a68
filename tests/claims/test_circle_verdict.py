"""Verdicts on the circle: what the curve takes away, and when no verdict may be given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import remitstats
from remitstats.claims.circle import judged
from remitstats.claims.circle_calibration import Calibration
from remitstats.claims.circle_specifications import (
    Specification,
    core_chances,
    curve_rows,
    data_of,
    specification_curve,
    specifications,
)
from remitstats.claims.regime import CLAIMS
from remitstats.estimands.circle_results import COLUMNS, CircleResults, empty
from remitstats.models.circle_form import Form
from remitstats.models.circle_measures import Measures
from remitstats.simulate import SCENARIOS

FORM = Form().describe()


def curve(p_vicious: float, core: bool = True) -> pd.DataFrame:
    rows = [
        {
            "specification": "another", "headline": False, "core": core, "reading": reading,
            "quantity": f"p_{claim}", "mean": p, "sd": 0.0, "median": p, "eti90_lower": p,
            "eti90_upper": p,
        }
        for reading in ("lagged", "ordered total")
        for claim, p in (("vicious", p_vicious), ("virtuous", 0.0))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def calibration(*, met: bool = True) -> Calibration:
    outcomes = pd.DataFrame(
        [{"scenario": "no loop", "verdict": "neither supported", "count": 100, "share": 1.0}]
    )
    held = {"coverage": 0.9, "eti90_lower": 0.84, "eti90_upper": 0.94}
    coverage = pd.DataFrame([{"scenario": "no loop", "to": "reliance", "from": "migration"} | held])
    bar = {"bar": "held", "asked": "at most 0.05", "found": 0.01 if met else 0.2, "met": met}
    return Calibration({"form": FORM}, outcomes, coverage, pd.DataFrame([bar]))


@pytest.fixture
def results() -> CircleResults:
    """Results in which the vicious circle is certain: only what a verdict needs is filled in."""
    place = {"level": "nation", "code": "00", "name": "All municipalities"}
    known = {"mean": 0.3, "sd": 0.05, "median": 0.3, "eti90_lower": 0.2, "eti90_upper": 0.4}
    chances = {"delta": 0.05, "p_vicious": 0.99, "p_virtuous": 0.0, "p_none": 0.01}
    readings = ("lagged", "ordered total")
    loop = [
        place | {"reading": reading, "quantity": quantity} | known
        for reading in readings
        for quantity in ("gain", "deepening", "feedback")
    ]
    regime = [place | {"reading": r, "p_undefined": 0.0} | chances for r in readings]
    return CircleResults(
        link=empty("link"),
        loop=pd.DataFrame(loop),
        regime=pd.DataFrame(regime),
        impulse=empty("impulse"),
        parameter=empty("parameter"),
        summary={"converged": True},
    )


def verdicts(found: CircleResults) -> dict[str, str]:
    return {claim: found.summary["verdict"][claim]["verdict"] for claim in CLAIMS}


def test_a_probable_circle_that_no_core_specification_undoes_is_supported(
    results: CircleResults,
) -> None:
    found = judged(results, curve(0.9), FORM, calibration())
    assert verdicts(found) == {"vicious": "supported", "virtuous": "contradicted"}
    assert found.confusion["count"].tolist() == [100]
    assert list(found.specification.columns) == list(COLUMNS["specification"])
    assert found.specification["headline"].any()


def test_a_core_specification_that_finds_it_improbable_takes_the_verdict_away(
    results: CircleResults,
) -> None:
    found = judged(results, curve(0.2), FORM, calibration())
    assert verdicts(found)["vicious"] == "inconclusive"
    assert "another" in found.summary["verdict"]["vicious"]["reason"]


def test_one_that_is_not_core_takes_nothing_away(results: CircleResults) -> None:
    core = pd.concat([curve(0.2, core=False), curve(0.9).assign(specification="core")])
    assert verdicts(judged(results, core, FORM, calibration()))["vicious"] == "supported"


@pytest.mark.parametrize(
    ("given", "form", "why"),
    [
        (None, FORM, "has not been calibrated"),
        (calibration(met=False), FORM, "0.20"),
        (calibration(), Form(by_state=True).describe(), "another form"),
    ],
)
def test_without_a_calibration_that_met_its_bars_nothing_is_supported_or_contradicted(
    results: CircleResults, given: Calibration | None, form: dict[str, object], why: str
) -> None:
    found = judged(results, curve(0.9), form, given)
    assert verdicts(found) == {"vicious": "none", "virtuous": "none"}
    assert why in found.summary["verdict"]["vicious"]["reason"]


def test_readings_that_contradict_each_other_leave_it_open_with_or_without_calibration(
    results: CircleResults,
) -> None:
    regime = results.regime.assign(p_vicious=[0.0, 1.0], p_virtuous=[1.0, 0.0])
    open_ = replace(results, regime=regime)
    for given in (None, calibration()):
        found = judged(open_, curve(0.9), FORM, given)
        assert verdicts(found) == {"vicious": "inconclusive", "virtuous": "inconclusive"}
        assert "contradict each other" in found.summary["verdict"]["vicious"]["reason"]


def test_a_fit_that_did_not_converge_has_no_verdict(results: CircleResults) -> None:
    failed = replace(results, summary=results.summary | {"converged": False})
    assert set(verdicts(judged(failed, curve(0.9), FORM, calibration())).values()) == {"none"}


def test_regimes_of_a_known_truth_are_found_in_both_readings() -> None:
    truth = SCENARIOS["vicious"]
    rng = np.random.default_rng(1)
    nation = truth.links + 0.01 * rng.standard_normal((50, 2, 5, 5))
    innovation = np.broadcast_to(truth.innovations(3)[1:], (50, 2, 5, 5))
    rows = curve_rows(nation, innovation).set_index(["reading", "quantity"])["mean"]
    for reading in ("lagged", "ordered total"):
        assert rows[reading, "p_vicious"] > 0.95
        assert rows[reading, "deepening"] > 0.2


def test_names_of_specifications_differ_and_core_ones_are_measured_otherwise() -> None:
    every = specifications()
    assert len({one.name for one in every}) == len(every)
    assert sum(one.core for one in every) >= 8


def test_curve_of_a_small_country_leaves_out_what_it_cannot_serve() -> None:
    panel = remitstats.load_mexico().select(["01", "06", "18"])
    chosen = (
        Specification("as it is", core=False),
        Specification("low wages", measures=Measures(stability="low wages")),
        Specification("without the border", without="border"),
        Specification("without large ones", without="large"),
    )
    found = specification_curve(panel, draws=100, chosen=chosen)
    assert found["specification"].unique().tolist() == [one.name for one in chosen]
    assert set(core_chances(found, "vicious")) == {one.name for one in chosen[1:]}
    by = found.set_index(["specification", "reading", "quantity"])["mean"]
    # none of these states touches the border
    pd.testing.assert_series_equal(by["without the border"], by["as it is"], atol=0.02)


def test_a_mean_of_people_is_another_than_one_of_municipalities_where_links_differ() -> None:
    panel = remitstats.load_mexico().select(["02", "06"])
    by_state = Form(by_state=True)
    chosen = (
        Specification("municipalities", form=by_state),
        Specification("people", form=by_state, weighted="population"),
        Specification("dwellings", form=by_state, weighted="dwellings"),
        Specification("alike", weighted="population"),
        Specification("alike, municipalities"),
    )
    found = specification_curve(panel, draws=100, chosen=chosen)
    by = found.set_index(["specification", "reading", "quantity"])["mean"]
    deepening = {one.name: float(by[one.name, "lagged", "deepening"]) for one in chosen}
    # Baja California has few municipalities and most of the people
    moved = abs(deepening["people"] - deepening["municipalities"])
    assert moved > 4 * abs(deepening["people"] - deepening["dwellings"])
    pd.testing.assert_series_equal(by["alike"], by["alike, municipalities"])


def test_metropolitan_areas_are_large_municipalities_and_those_beside_them() -> None:
    panel = remitstats.load_mexico().select(["01", "32"])
    whole = data_of(panel, Specification("all")).coords["municipality"].tolist()
    left = data_of(panel, Specification("outside", without="metropolitan"))
    left_out = set(whole) - set(left.coords["municipality"].tolist())
    pairs = panel.table("adjacency")[["cvegeo_a", "cvegeo_b"]].astype(str)
    beside = {b for a, b in pairs.to_numpy() if a == "01001"}
    beside |= {a for a, b in pairs.to_numpy() if b == "01001"}
    assert {"01001", *beside} <= left_out | (beside - set(whole))  # the city of Aguascalientes
    assert len(left_out) < len(whole)
