"""Pages of dependence of states and of pay-outs: numbers, findings, and none without a gate."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

import remitstats
from remitstats.estimands.dependence_state_results import DependenceStateResults
from remitstats.models import dependence_state
from remitstats.report import build_report

STATES = ["01", "06", "16"]


def words(page: Path) -> str:
    """The visible text of a page's body."""
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def found() -> DependenceStateResults:
    panel = remitstats.load_mexico().select(STATES)
    model = dependence_state.build(panel)
    fit = remitstats.fit(model, panel, seed=1, draws=40, tune=30, chains=2)
    return remitstats.summarise_dependence_state(fit, panel)


@pytest.fixture(scope="module")
def made(found, results, grid_panel, tmp_path_factory):
    """Report with the states' page, of a fit that passed and of one that did not."""

    def build(converged: bool) -> Path:
        summary = {**found.summary, "converged": converged, "reasons": [], "remedies": []}
        if not converged:
            summary |= {"reasons": ["bulk ESS of walk_sd is 12"], "remedies": ["--draws 9000"]}
        out = tmp_path_factory.mktemp("state")
        others = {"dependence_state": replace(found, summary=summary)}
        languages = ["en", "es"] if converged else ["en"]
        build_report(results, grid_panel(results), out, others=others, languages=languages)
        return out

    return {converged: build(converged) for converged in (True, False)}


def test_every_number_of_the_page_is_the_one_in_the_files(made, walk_numbers):
    assert walk_numbers(made[True], "dependence_state.html") > 100


def test_known_and_estimated_are_told_apart(made):
    text = words(made[True] / "dependence_state.html")
    assert "That is known, as is that the ratio was higher at the end" in text
    assert "tendency stands behind" in text
    assert "(predicted)" in text


def test_fit_that_did_not_converge_states_no_finding(made):
    text = words(made[False] / "dependence_state.html")
    assert text.startswith("This fit did not converge")
    assert "No finding is stated" in text
    assert "That is known" not in text
    assert "That is known" not in words(made[False] / "index.html")


def test_front_page_says_what_was_found(made):
    assert "That is known" in words(made[True] / "index.html")


def test_tables_lie_beside_the_page(made):
    folder = made[True] / "dependence_state"
    assert json.loads((folder / "results.json").read_text())["model"] == "dependence_state"
    html = (made[True] / "dependence_state.html").read_text("utf-8")
    for address in re.findall(r'href="(dependence_state/[^"]*)"', html):
        assert (made[True] / address).is_file(), address
