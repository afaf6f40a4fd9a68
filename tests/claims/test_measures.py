"""Estimands: known answers on made-up series and results, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from remitstats.claims.evidence import NoEvidenceError, Sources
from remitstats.claims.measures import MEASURES
from remitstats.claims.regime import CONTRADICTED, INCONCLUSIVE, SUPPORTED
from remitstats.errors import RemitstatsError
from remitstats.estimands.circle import NO_RULE

MONEY, OIL = "remittances_usd_million", "oil_exports_usd_million"
TOURISM = "tourism_receipts_usd_million"
TABLE = {"table": "national_year"}


def find(sources, name, **at):
    return MEASURES[name].find(sources, **at)


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("panel.cell", {**TABLE, "column": OIL, "row": {"year": 2001}}, 104),
        (
            "panel.ratio",
            {
                "top": {**TABLE, "column": MONEY, "row": {"year": 2003}},
                "bottom": {**TABLE, "column": MONEY},
                "scale": 100,
            },
            100 * 30 / 112,
        ),
        (
            "panel.change_of_ratio",
            {
                "top": {**TABLE, "column": MONEY},
                "bottom": {**TABLE, "column": OIL},
                "from_year": 2000,
                "to_year": 2004,
            },
            300,
        ),
        ("census.declining_percent", {"from_year": 2000, "to_year": 2005}, 50),
        ("census.declining_percent", {"from_year": 2005, "to_year": 2010}, 100 / 3),
        ("census.change_of_declining", {"first": [2000, 2005], "last": [2005, 2010]}, -50 / 3),
        ("series.rank", {"column": MONEY, "among": [OIL, TOURISM], "year": 2000}, 2),
        ("series.difference", {"column": MONEY, "from_year": 2000, "to_year": 2004}, 30),
        ("series.change_percent", {"column": OIL, "first": [2000], "last": [2003, 2004]}, 31.25),
        (
            "series.fastest_windows",
            {"column": MONEY, "against": [OIL, TOURISM], "first": [2000], "last": [2001, 2003]},
            100,
        ),
        (
            "series.fastest_windows",
            {"column": OIL, "against": [MONEY], "first": [2000, 2001], "last": [2003]},
            0,
        ),
        ("migration.reversed", {"countries": ["ESP"], "first": [2000], "last": [2004]}, 1),
        ("migration.reversed", {"countries": ["ESP", "MEX"], "first": [2000], "last": [2003]}, 1),
        ("migration.yearly_loss", {"country": "MEX", "first": 2000, "last": 2001}, 9),
        ("migration.total_loss", {"country": "MEX", "first": 2000, "last": 2002}, 0.026),
        (
            "migration.change_of_loss",
            {"country": "MEX", "first": [2000, 2001], "last": [2003, 2004]},
            -100 * 2 / 3,
        ),
    ],
)
def test_known_answers(sources, name, at, value):
    found = find(sources, name, **at)
    assert found.value == pytest.approx(value)
    assert found.lower == found.upper == found.value
    assert found.source.startswith("panel/")


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("panel.cell", {"table": "state_year", "column": "x", "row": {}}),
        ("panel.cell", {**TABLE, "column": OIL, "row": {"year": 1900}}),
        ("panel.cell", {**TABLE, "column": TOURISM, "row": {"year": 2004}}),
        ("census.declining_percent", {"from_year": 1990, "to_year": 2000}),
        ("series.rank", {"column": MONEY, "among": [TOURISM], "year": 2004}),
        ("series.fastest_windows", {"column": MONEY, "against": [], "first": [9], "last": [8]}),
        ("series.fastest_windows", {"column": MONEY, "against": [], "first": [], "last": []}),
        ("series.change_percent", {"column": MONEY, "first": [], "last": [2000]}),
        ("migration.reversed", {"countries": ["USA"], "first": [2000], "last": [2004]}),
        ("migration.yearly_loss", {"country": "MEX", "first": 1990, "last": 2000}),
        ("migration.yearly_loss", {"country": "MEX", "first": 2004, "last": 2000}),
        (
            "migration.change_of_loss",
            {"country": "ESP", "first": [2003, 2004], "last": [2000, 2001]},
        ),
    ],
)
def test_what_the_panel_does_not_hold_is_no_evidence(sources, name, at):
    with pytest.raises(NoEvidenceError):
        find(sources, name, **at)


@pytest.mark.parametrize(
    ("name", "at", "said"),
    [
        ("panel.cell", {**TABLE, "column": "oil_export", "row": {}}, f"Did you mean '{OIL}'"),
        ("panel.cell", {**TABLE, "column": OIL, "row": {"yaer": 2000}}, "Did you mean 'year'"),
        (
            "panel.cell",
            {**TABLE, "column": OIL, "row": {}},
            "5 rows of the table national_year fit",
        ),
        ("panel.ratio", {"top": {"tabel": "x"}, "bottom": {}}, "Did you mean 'table'"),
        ("panel.ratio", {"top": {"table": "x"}, "bottom": {}}, "column is missing"),
        ("census.change_of_declining", {"first": [2000], "last": [1, 2]}, "An interval is two"),
        ("results.estimate", {"model": "relance", "table": "x", "row": {}}, "Did you mean 'reli"),
    ],
)
def test_what_no_panel_holds_is_refused_with_the_nearest(sources, name, at, said):
    with pytest.raises(RemitstatsError, match=said):
        find(sources, name, **at)


@pytest.fixture
def group():
    row = {"level": "nation", "code": "MX", "name": "Mexico", "median": 4.3, "p_high": 0.97}
    ends = {"eti90_lower": 4.2, "eti90_upper": 4.4}
    many = {"mean": 9e5, "eti90_lower": 8e5, "eti90_upper": 1e6}
    many = {f"receiving_dwellings_{key}": value for key, value in many.items()}
    return pd.DataFrame([{**row, **ends, **many, "wave": wave} for wave in (2000, 2010)])


def test_an_estimate_comes_with_its_interval(series, made_results, group):
    sources = Sources(series, {"reliance": made_results(group=group)})
    found = find(sources, "reliance.national_percent", wave=2010)
    assert (found.value, found.lower, found.upper) == (4.3, 4.2, 4.4)
    assert found.source == "reliance/group"
    many = find(sources, "reliance.national_dwellings", wave=2000)
    assert (many.value, many.lower, many.upper) == (0.9, 0.8, 1.0)
    row = {"level": "nation", "wave": 2000}
    general = find(sources, "results.estimate", model="reliance", table="group", row=row)
    assert general.value == 4.3
    at = {"model": "reliance", "table": "group", "column": "p_high", "row": row}
    assert find(sources, "results.probability", **at).probability == 0.97
    with pytest.raises(RemitstatsError, match="Did you mean 'group'"):
        find(sources, "results.probability", **{**at, "table": "groups"})
    with pytest.raises(NoEvidenceError, match="no row with"):
        find(sources, "reliance.national_percent", wave=2020)


def test_a_model_without_a_converged_fit_is_no_evidence_and_says_what_to_run(
    series, made_results, group
):
    for results, said in (
        ({}, "no fit"),
        ({"reliance": made_results(converged=False, group=group)}, "no converged fit"),
    ):
        with pytest.raises(NoEvidenceError, match=said) as caught:
            find(Sources(series, results), "reliance.national_percent", wave=2000)
        assert caught.value.run == "remitstats fit reliance"


@pytest.fixture
def circle(made_results):
    """Return a maker of results of the circle with one link, in two readings."""

    def make(p=(0.97, 0.96), verdict=None, calibration=None):
        rows = [
            {
                "level": "nation",
                "interval": "all",
                "from": "migration",
                "to": "reliance",
                "reading": reading,
                "p_positive": each,
            }
            for reading, each in zip(("lagged", "ordered total"), p, strict=True)
        ]
        results = made_results(link=pd.DataFrame(rows))
        results.summary |= {"verdict": verdict, "calibration": calibration}
        return results

    return make


LINK = {"start": "migration", "end": "reliance"}


@pytest.mark.parametrize(
    "verdict", [None, {}, {"vicious": dict(NO_RULE), "virtuous": dict(NO_RULE)}, "supported"]
)
def test_the_circle_gets_no_verdict_before_its_rule_is_calibrated(series, circle, verdict):
    sources = Sources(series, {"circle": circle(verdict=verdict)})
    link = find(sources, "circle.link", **LINK)
    regime = find(sources, "circle.regime", regime="vicious")
    for found in (link, regime):
        assert found.verdict == INCONCLUSIVE
        assert found.reason.startswith("rule not calibrated")


def test_once_it_is_calibrated_links_and_regimes_have_verdicts(series, circle):
    given = {
        "vicious": {"verdict": CONTRADICTED, "probability": 0.01, "reason": "clear"},
        "virtuous": {"verdict": INCONCLUSIVE, "probability": 0.3, "reason": "open"},
    }
    for p, verdict, sign in (
        ((0.97, 0.96), SUPPORTED, "positive"),
        ((0.97, 0.90), INCONCLUSIVE, "positive"),
        ((0.01, 0.02), CONTRADICTED, "positive"),
        ((0.01, 0.02), SUPPORTED, "negative"),
    ):
        sources = Sources(series, {"circle": circle(p, given, {"panels": 100})})
        assert find(sources, "circle.link", **LINK, sign=sign).verdict == verdict
    found = find(sources, "circle.regime", regime="vicious")
    assert (found.verdict, found.probability, found.reason) == (CONTRADICTED, 0.01, "clear")


def test_verdicts_without_a_calibration_are_not_believed(series, circle):
    given = {"vicious": {"verdict": SUPPORTED, "reason": "x"}, "virtuous": dict(NO_RULE)}
    sources = Sources(series, {"circle": circle(verdict=given)})
    assert find(sources, "circle.link", **LINK).verdict == INCONCLUSIVE
    assert find(sources, "circle.regime", regime="vicious").verdict == INCONCLUSIVE


def test_a_regime_without_a_verdict_after_calibration_says_why(series, circle):
    given = {
        "vicious": {"verdict": "none", "reason": "a specification failed"},
        "virtuous": {"verdict": CONTRADICTED, "probability": 0.01, "reason": "clear"},
    }
    sources = Sources(series, {"circle": circle(verdict=given, calibration={"panels": 100})})
    found = find(sources, "circle.regime", regime="vicious")
    assert (found.verdict, found.reason) == (INCONCLUSIVE, "no verdict: a specification failed")


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_every_estimand_says_what_it_is_and_what_it_takes(name):
    measure = MEASURES[name]
    assert measure.description.endswith(".")
    assert measure.gives in {"figure", "probability", "verdict"}
    assert set(measure.parameters.values()) <= {"int", "float", "str", "dict", "list"}
