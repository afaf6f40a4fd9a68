"""The page on foreign exchange: what it says follows from the tables."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

from remitstats.estimands.macro_results import MacroResults
from remitstats.report import build_report

SOURCES = ("remittances", "oil", "other_exports", "tourism")
GATE = {"converged": True, "reasons": [], "r_hat_max": 1.002, "ess_bulk_min": 900.0}
STUCK = {**GATE, "converged": False, "reasons": ["R-hat of drift is 1.3"], "remedies": ["wait"]}


def estimate(value):
    ends = {"eti90_lower": value - 1, "eti90_upper": value + 1}
    return {"mean": value, "sd": 0.6, "median": value, **ends}


def simulate_macro(p=(0.97, 0.02), *, converged=True) -> MacroResults:
    """Made-up tables; nothing here is an estimate of anything."""
    windows = (("1995-2005", 1995, 2005, p[0]), ("2005-2019", 2005, 2019, p[1]))
    judged = {"r_hat": 1.001, "ess_bulk": 1000.0}
    rest = {"replicated_mean": 1.0, "replicated_eti90_lower": 0.5, "replicated_eti90_upper": 2.0}
    return MacroResults(
        growth=pd.DataFrame(
            [
                {"source": s, "year": y, "observed": 5.0 + i, **estimate(4.0 + i)}
                for i, s in enumerate(SOURCES)
                for y in range(1996, 2020)
            ]
        ),
        window=pd.DataFrame(
            [
                {
                    **{"source": s, "window": name, "from_year": a, "to_year": b, "observed": 3.0},
                    **estimate(5.0 + i),
                    **{"p_fastest": chance if s == "remittances" else (1 - chance) / 3, **judged},
                }
                for name, a, b, chance in windows
                for i, s in enumerate(SOURCES)
            ]
        ),
        difference=pd.DataFrame(
            [
                {"window": name, "against": s, **estimate(1.0), "p_faster": 0.7}
                for name, *_ in windows
                for s in SOURCES[1:]
            ]
        ),
        turn=pd.DataFrame(
            [
                {
                    **{"source": s, "from_window": "1995-2005", "to_window": "2005-2019"},
                    **estimate(-2.0),
                    "p_slower": 0.99,
                }
                for s in SOURCES
            ]
        ),
        coverage=pd.DataFrame(
            [{"year": y, **estimate(9.0), "p_positive": 0.9} for y in (2001, 2002, 2003)]
        ),
        predictive=pd.DataFrame(
            [
                {"statistic": "a <b>", "source": s, "observed": 1.0, **rest, "p_value": 0.4}
                for s in SOURCES
            ]
        ),
        parameter=pd.DataFrame(
            [
                {"name": "shock_sd", "source": s, "description": "<i>sd</i>", **estimate(3.0)}
                | {**judged, "ess_tail": 900.0}
                for s in SOURCES
            ]
        ),
        summary={"model": "macro", **(GATE if converged else STUCK), "command": "<script>"},
    )


def words(page) -> str:
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def macro_site(results, grid_panel, tmp_path_factory):
    out = tmp_path_factory.mktemp("macro")
    return build_report(
        results, grid_panel(results, shapes=False), out, others={"macro": simulate_macro()}
    ).parent


def test_every_number_is_the_one_in_the_files(macro_site, walk_numbers):
    assert walk_numbers(macro_site, "macro.html") > 60
    assert walk_numbers(macro_site, "index.html") > 20


def test_findings_follow_the_probabilities(macro_site, tmp_path, report_with):
    text = words(macro_site / "macro.html")
    assert "From 1995 to 2005 remittances had the highest lasting growth" in text
    assert "From 2005 to 2019 remittances did not have the highest" in text
    assert "Their lasting growth was slower after 2005" in text
    front = words(macro_site / "index.html")
    assert "From 1995 to 2005 remittances had the highest lasting growth" in front
    open_ = simulate_macro((0.8, 0.3))
    report_with(macro=open_)
    assert "had the highest lasting growth of the four from 1995 to 2005 is open" in words(
        tmp_path / "macro.html"
    )


def test_a_fit_that_did_not_pass_says_so_first_and_finds_nothing(tmp_path, report_with):
    stuck = simulate_macro(converged=False)
    report_with(macro=stuck)
    text = words(tmp_path / "macro.html")
    assert text.startswith("This fit did not converge")
    front = words(tmp_path / "index.html")
    for finding in ("the highest lasting growth", "was slower"):
        assert finding not in text
        assert finding not in front
    assert "Nothing is stated here of: Foreign exchange" in front


def test_texts_of_the_results_stay_text(macro_site):
    html = (macro_site / "macro.html").read_text("utf-8")
    assert re.findall(r"<script[^>]*>", html) == ['<script src="assets/language.js" defer>']
    assert "&lt;script&gt;" in html
    assert "A &lt;b&gt;" in html


def test_every_link_leads_somewhere_and_figures_have_alternative_texts(macro_site):
    html = (macro_site / "macro.html").read_text("utf-8")
    for address in re.findall(r'(?:href|src)="([^"#]+)', html):
        assert address.startswith("data:") or (macro_site / address).is_file(), address
    images = re.findall(r"<img[^>]*>", html)
    assert len(images) == 2
    assert all(re.search(r'alt="[^"]{40,}"', image) for image in images)


def test_a_panel_without_coverage_years_draws_nothing_shaded(tmp_path, report_with):
    bare = replace(simulate_macro(), coverage=simulate_macro().coverage.iloc[:0])
    report_with(macro=bare)
    assert (tmp_path / "assets/macro_growth.svg").stat().st_size > 1000
