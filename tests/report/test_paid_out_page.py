"""The page on pay-outs: what it says follows from the tables."""

from __future__ import annotations

import re
from html import unescape

import pandas as pd
import pytest

from remitstats.estimands.paid_out_flows import PARTS
from remitstats.estimands.paid_out_results import COLUMNS, QUANTITIES, PaidOutResults
from remitstats.report import build_report

GATE = {"converged": True, "reasons": [], "r_hat_max": 1.002, "ess_bulk_min": 900.0}
STUCK = {**GATE, "converged": False, "reasons": ["R-hat of noise is 1.3"], "remedies": ["wait"]}
FINDINGS = ("municipalities are hubs", "outside the municipality that its household lives in")


def estimate(value):
    ends = {"eti90_lower": value - 1, "eti90_upper": value + 1}
    return {"mean": value, "sd": 0.6, "median": value, **ends}


def simulate_paid(results, *, converged=True) -> PaidOutResults:
    """Made-up tables; nothing here is an estimate of anything."""
    codes = sorted(results.level["cvegeo"].unique())
    ends = [f"{q}_{end}" for q in QUANTITIES for end in ("median", "eti90_lower", "eti90_upper")]
    municipality = pd.DataFrame(
        [
            {
                **{"cvegeo": code, "name": f"Town {i}", "state": code[:2], "state_name": "Uno"},
                **{"population": 1e4, "dollars": 1e6 * (i + 1), "receiving_percent": 5.0},
                **dict.fromkeys(ends, 2.0 + i),
                **{"p_hub": 0.95 if i < 3 else 0.1, "p_drained": 0.1},
            }
            for i, code in enumerate(codes)
        ]
    )
    places = [("nation", "00", "All municipalities"), ("state", "01", "Uno")]
    quantities = ("raw", "corrected", "outside")
    described = {"description": "what it is", "known": False}
    tables = {
        "municipality": municipality,
        "hub": municipality[municipality["p_hub"] >= 0.9][list(COLUMNS["hub"])],
        "group": pd.DataFrame(
            [
                {"level": a, "code": b, "name": c, "quantity": q, **estimate(20.0)}
                for a, b, c in places
                for q in quantities
            ]
        ),
        "disagreement": pd.DataFrame(
            [{"part": part, "description": part, **estimate(25.0)} for part in PARTS]
        ),
        "correlation": pd.DataFrame(
            [
                {"pair": pair, **described, "known": pair == "raw", **estimate(0.5)}
                for pair in ("raw", "sampled", "lived")
            ]
        ),
        "claim": pd.DataFrame(
            [
                {
                    **{"claim": "remittances-main-income", "estimand": "each", **described},
                    **estimate(3.0),
                    "probability": 1.0,
                }
            ]
        ),
        "predictive": pd.DataFrame(
            [
                {
                    **{"statistic": "spread", "description": "spread of it", "observed": 1.0},
                    **{"replicated_mean": 2.0, "replicated_eti90_lower": 1.5},
                    **{"replicated_eti90_upper": 2.5, "p_value": 1.0},
                }
            ]
        ),
        "parameter": pd.DataFrame(
            [
                {
                    **{"name": "reach", "description": "how far", **estimate(3.0)},
                    **{"r_hat": 1.0, "ess_bulk": 900.0, "ess_tail": 900.0},
                }
            ]
        ),
        "form": pd.DataFrame(
            [
                {
                    **{"form": form, "municipalities": 18, "log_score": -30.0 - i},
                    **{"difference": -float(i), "difference_se": 2.0, "converged": True},
                }
                for i, form in enumerate(("gravity", "size", "neighbours", "own"))
            ]
        ),
    }
    summary = {"model": "paid_out", "hub_inflow": 1.5, **(GATE if converged else STUCK)}
    return PaidOutResults(**tables, summary=summary)


@pytest.fixture(scope="module")
def sites(results, grid_panel, tmp_path_factory):
    """The report with the page, of a fit that passed its gate and of one that did not."""

    def build(converged):
        out = tmp_path_factory.mktemp("paid")
        others = {"paid_out": simulate_paid(results, converged=converged)}
        languages = ["en", "es"] if converged else ["en"]
        panel = grid_panel(results)
        return build_report(results, panel, out, others=others, languages=languages).parent

    return {converged: build(converged) for converged in (True, False)}


def words(page) -> str:
    """The visible text of a page's body."""
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_every_number_is_the_one_in_the_files(sites, walk_numbers):
    assert walk_numbers(sites[True], "paid_out.html") > 40


def test_findings_stand_on_the_page_and_in_front(sites):
    for page in ("paid_out", "index"):
        text = words(sites[True] / f"{page}.html")
        assert all(finding in text for finding in FINDINGS), page
    assert "3 municipalities are hubs" in words(sites[True] / "index.html")


def test_fit_that_did_not_converge_states_none(sites):
    for page in ("paid_out", "index"):
        text = words(sites[False] / f"{page}.html")
        assert not any(finding in text for finding in FINDINGS), page
    assert "No finding is stated" in words(sites[False] / "paid_out.html")


def test_claim_is_said_to_be_untestable_here(sites):
    assert "can’t test that claim" in words(sites[True] / "paid_out.html")


def test_statistic_that_is_not_reproduced_is_named(sites):
    assert "Not reproduced, so read with care: Spread of it" in words(sites[True] / "paid_out.html")


def test_forms_are_compared_in_words(sites):
    text = words(sites[True] / "paid_out.html")
    assert "no spill-over" in text
    assert "−3.0" in text
