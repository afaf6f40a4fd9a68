"""Verdicts on claims: which tests decide, what they say together, and the shipped ledger."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

import remitstats
from remitstats import catalogue
from remitstats.claims.assess import (
    NOT_TESTABLE,
    VERDICTS,
    counts,
    document,
    evaluate,
    show_figure,
    show_number,
)
from remitstats.claims.evidence import Sources, read_sources
from remitstats.claims.ledger import KINDS, LedgerError
from remitstats.claims.measures import MEASURES
from remitstats.claims.read import read_ledger
from remitstats.claims.regime import CONTRADICTED, INCONCLUSIVE, SUPPORTED

TEST = """
[[claim.test]]
basis = "{basis}"
estimand = "panel.cell"
at = {{ table = "national_year", column = "oil_exports_usd_million", row = {{ year = {year} }} }}
rule = "figure"
"""
MODEL = """
[[claim.test]]
basis = "own"
estimand = "reliance.probability_of_increase"
at = { from_wave = 2000, to_wave = 2010 }
rule = "sure"
"""


CELL = '{ table = "national_year", column = "oil_exports_usd_million", row = { year = 2001 } }'
YEARS = '{ first = ["2000", "2005"], last = [2005, 2010] }'


@pytest.fixture
def judged(write_ledger, one_claim, sources):
    """Return the one assessment of a claim with some more tests."""

    def judge(more="", sources=sources, claim=one_claim):
        (found,) = evaluate(read_ledger(write_ledger(claim + more)), sources)
        return found

    return judge


def test_a_figure_in_its_own_unit_and_date_decides(judged):
    found = judged()  # 104 against 100
    assert found.verdict == SUPPORTED
    assert found.reason == "in 2001: 104, within 10% of what is claimed"
    assert math.isnan(found.probability)


@pytest.mark.parametrize("basis", ["near", "beside"])
def test_what_is_near_or_beside_decides_nothing_where_there_is_an_own_test(judged, basis):
    found = judged(TEST.format(basis=basis, year=2003))  # 130 contradicts 100
    assert found.verdict == SUPPORTED
    assert [f.verdict for f in found.findings] == [SUPPORTED, CONTRADICTED]


def test_a_near_test_decides_where_there_is_no_own_one(judged, one_claim):
    found = judged(claim=one_claim.replace('"own"', '"near"').replace("2001 }", "2003 }"))
    assert found.verdict == CONTRADICTED


@pytest.mark.parametrize(
    ("year", "said"),
    [(2003, "the tests contradict each other"), (2002, "the tests do not agree")],
)
def test_tests_that_decide_must_agree(judged, year, said):
    found = judged(TEST.format(basis="own", year=year))
    assert found.verdict == INCONCLUSIVE
    assert found.reason.startswith(said)


def test_without_a_test_that_decides_it_is_not_testable_and_says_what_would_be_needed(
    judged, one_claim
):
    claim = one_claim.replace('"own"', '"beside"').replace("date =", 'needs = "a census"\ndate =')
    found = judged(claim=claim)
    assert (found.verdict, found.reason) == (NOT_TESTABLE, "a census")
    assert found.findings[0].verdict == SUPPORTED


def test_without_a_fit_it_is_inconclusive_and_says_what_to_run(judged, series, made_results):
    change = pd.DataFrame(
        [{"level": "nation", "from_wave": 2000, "to_wave": 2010, "p_increase": 0.99}]
    )
    stuck = Sources(series, {"reliance": made_results(converged=False, group_change=change)})
    for sources, said in ((Sources(series), "no fit"), (stuck, "no converged fit")):
        found = judged(MODEL, sources)
        assert found.verdict == INCONCLUSIVE
        assert said in found.reason
        assert found.run == ("remitstats fit reliance",)
    good = Sources(series, {"reliance": made_results(group_change=change)})
    found = judged(MODEL, good)
    assert (found.verdict, found.probability) == (SUPPORTED, 0.99)
    assert found.run == ()


@pytest.mark.parametrize(("chance", "verdict"), [(0.99, SUPPORTED), (0.01, INCONCLUSIVE)])
def test_a_fitted_test_decides_as_well_once_its_model_is_fitted(
    judged, series, made_results, chance, verdict
):
    more = MODEL.replace('"own"', '"fitted"')
    change = pd.DataFrame(
        [{"level": "nation", "from_wave": 2000, "to_wave": 2010, "p_increase": chance}]
    )
    assert (
        judged(more, Sources(series, {"reliance": made_results(group_change=change)})).verdict
        == verdict
    )
    stuck = {"reliance": made_results(converged=False, group_change=change)}
    for sources in (Sources(series), Sources(series, stuck)):
        found = judged(more, sources)
        assert found.verdict == SUPPORTED
        assert found.run == ()
        assert len(found.deciding) == 1
        assert found.findings[1].run == "remitstats fit reliance"


def test_a_fitted_test_alone_waits_for_its_fit(judged, one_claim, series):
    claim = one_claim.split("[[claim.test]]")[0] + MODEL.replace('"own"', '"fitted"')
    found = judged(claim=claim, sources=Sources(series))
    assert found.verdict == INCONCLUSIVE
    assert found.run == ("remitstats fit reliance",)


def test_what_no_table_has_is_an_error_that_names_claim_and_estimand(judged, one_claim):
    claim = one_claim.replace("oil_exports_usd_million", "oil_export")
    with pytest.raises(LedgerError, match=r"claim exports, estimand panel.cell: .*Did you mean"):
        judged(claim=claim)
    with pytest.raises(LedgerError, match="claim exports, estimand census"):
        judged(
            claim=one_claim.replace("panel.cell", "census.change_of_declining").replace(CELL, YEARS)
        )


def test_the_document_is_json_and_counts_what_it_holds(write_ledger, sources):
    ledger = read_ledger(write_ledger())
    found = evaluate(ledger, sources)
    held = json.loads(json.dumps(document(ledger, found), allow_nan=False))
    assert held["counts"] == {"supported": 1} | dict.fromkeys(VERDICTS[1:], 0)
    assert held["rules"]["figure"]["within_percent"] == 10
    (claim,) = held["claims"]
    assert claim["claimed"] == {"value": 100, "unit": "millions", "date": "2001"}
    assert claim["tests"][0]["found"]["value"] == 104


def test_numbers_are_shown_as_people_write_them():
    assert show_number(1_402_000.0) == "1,402,000"
    assert show_number(50.8391) == "50.84"
    assert show_number(0.25) == "0.25"
    assert show_number(4_254_439.37) == "4,254,439"
    assert show_figure((8, 8), "% of households") == "8% of households"
    assert show_figure((80, 90), "") == "80 to 90"


@pytest.fixture(scope="module")
def shipped():
    return read_ledger()


@pytest.fixture(scope="module")
def shipped_verdicts(shipped):
    return {a.claim.id: a for a in evaluate(shipped, Sources(remitstats.load_mexico()))}


def test_the_shipped_ledger_has_every_kind_of_claim_with_ids_of_their_own(shipped):
    assert len({claim.id for claim in shipped.claims}) == len(shipped.claims) > 50
    assert {claim.kind for claim in shipped.claims} == set(KINDS)
    assert all(claim.says and claim.section for claim in shipped.claims)


@pytest.mark.parametrize(
    "value",
    [
        *(1_600_000, 8, 47, 10, 34, 4, 7, 14.3, 40, 272, 40.4, 14, 66, 30, 52.6, 36.7, 2.2, 60),
        *(5.5, 6.5, 68.9, 23.0, 34.9, 623, 9, 15, 5, 156),
    ],
)
def test_every_figure_of_the_paper_has_an_entry(shipped, value):
    assert any(claim.value == (value, value) for claim in shipped.claims), value


def test_imported_components_are_a_range(shipped):
    assert shipped.claim("imported-components").value == (80, 90)


def test_every_test_names_an_estimand_and_a_model_that_exist(shipped):
    for claim in shipped.claims:
        for test in claim.tests:
            assert test.estimand in MEASURES
            model = MEASURES[test.estimand].model or test.at.get("model", "")
            assert not model or catalogue.find(model)


def test_without_any_fit_the_series_alone_give_verdicts(shipped_verdicts):
    for claim, verdict in {
        "depopulation-share": CONTRADICTED,  # 50.8% of municipalities, not 34%
        "depopulation-grows": SUPPORTED,
        "oil-does-not-last": SUPPORTED,
        "most-dynamic-source": INCONCLUSIVE,  # only across the change of coverage
        "asymmetries-grow": INCONCLUSIVE,  # the two data sets disagree
        "emigrants-by-2006": INCONCLUSIVE,
        "demonstrators": NOT_TESTABLE,
    }.items():
        assert shipped_verdicts[claim].verdict == verdict, claim


def depopulation(made_results, losing, rise, decades):
    """Results of the depopulation model with one share and one change, a point either side."""

    def row(value, **names):
        ends = {"median": value, "eti90_lower": value - 1.0, "eti90_upper": value + 1.0}
        return {**names, "definition": "any loss", **ends, "p_at_least_claimed": 0.5}

    share = [
        row(losing, kind=kind, period=period)
        for kind in ("true", "underlying")
        for period in ("2000-2005", "2000-2010")
    ]
    change = [
        row(value, kind=kind, first=first, last=last)
        for kind in ("true", "underlying")
        for first, last, value in (
            ("1995-2000", "2000-2005", rise),
            ("1990-2000", "2000-2010", decades),
        )
    ]
    return made_results(share=pd.DataFrame(share), change=pd.DataFrame(change))


@pytest.mark.parametrize(
    ("losing", "rise", "decades", "verdicts"),
    [
        (50.0, 15.0, 15.0, (CONTRADICTED, SUPPORTED)),
        (50.0, 15.0, 1.0, (CONTRADICTED, INCONCLUSIVE)),  # a rise between counts alone
        (34.0, -15.0, -15.0, (INCONCLUSIVE, INCONCLUSIVE)),  # the model against what was published
    ],
)
def test_claims_on_depopulation_are_held_against_the_model_once_it_is_fitted(
    shipped, made_results, losing, rise, decades, verdicts
):
    results = {"depopulation": depopulation(made_results, losing, rise, decades)}
    found = {a.claim.id: a for a in evaluate(shipped, Sources(remitstats.load_mexico(), results))}
    for name, verdict in zip(("depopulation-share", "depopulation-grows"), verdicts, strict=True):
        assert found[name].verdict == verdict
        assert {f.test.basis for f in found[name].deciding} == {"own", "fitted"}


def test_claims_on_the_circle_wait_for_a_fit(shipped_verdicts):
    waiting = [a for a in shipped_verdicts.values() if "remitstats fit circle" in a.run]
    assert {"vicious-circle", "virtuous-circle"} <= {a.claim.id for a in waiting}
    assert {a.verdict for a in waiting} == {INCONCLUSIVE}


def test_claims_on_paths_of_countries_wait_for_a_fit_and_show_the_published_counts(
    shipped_verdicts,
):
    for claim in ("integration-with-compensation", "state-led-development"):
        found = shipped_verdicts[claim]
        assert found.verdict == INCONCLUSIVE
        assert "remitstats fit transition" in found.run
        counted = [f for f in found.findings if f.test.estimand == "migration.reversed"]
        assert counted[0].verdict == {"i": SUPPORTED, "s": CONTRADICTED}[claim[0]]
        assert all(f.test.basis == "beside" for f in counted)


def test_a_not_testable_claim_says_what_would_be_needed(shipped_verdicts):
    found = [a for a in shipped_verdicts.values() if a.verdict == NOT_TESTABLE]
    assert len(found) > 20
    assert all(len(a.reason) > 20 for a in found)
    assert counts(shipped_verdicts.values())[NOT_TESTABLE] == len(found)


def test_results_of_another_panel_are_set_aside(tmp_path, series):
    (tmp_path / "results.json").write_text(json.dumps({"panel_hash": "other"}))
    sources = read_sources(series, tmp_path)
    assert sources.results == {}
    assert "another panel" in sources.absent["reliance"]
    assert read_sources(series, tmp_path / "none").absent == {}
