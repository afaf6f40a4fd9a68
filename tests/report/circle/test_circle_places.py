"""The pages of the circle by region and by state, from made-up results."""

from __future__ import annotations

import re
from html import unescape

import pytest

from remitstats.report import build_report


@pytest.fixture(scope="module")
def places_site(simulated_circle, results, grid_panel, tmp_path_factory):
    out = tmp_path_factory.mktemp("places")
    others = dict.fromkeys(("circle_region", "circle_state"), simulated_circle(trials=False))
    build_report(results, grid_panel(results), out, others=others)
    return out


def words(site, page, language=""):
    text = (site / language / f"{page}.html").read_text("utf-8")
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_a_region_page_has_regions_and_no_states(places_site):
    text = words(places_site, "circle_region")
    assert "Standard deviation of links between regions" in text
    assert "between the states of a region" not in text
    html = (places_site / "circle_region.html").read_text("utf-8")
    assert '<th scope="row">North</th>' in html
    assert '<th scope="row">Uno</th>' not in html


def test_a_state_page_has_nation_regions_and_states(places_site):
    html = (places_site / "circle_state.html").read_text("utf-8")
    for name in ("Nowhere", "North", "Centre", "Uno", "Dos"):
        assert f'<th scope="row">{name}</th>' in html
    assert "between the states of a region" in words(places_site, "circle_state")
    assert "circle_state_regimes.png" in html
    assert "circle_state_regions.svg" in html


def test_no_page_of_places_gives_a_verdict(places_site):
    for page in ("circle_region", "circle_state"):
        assert "No verdict is taken from this page" in words(places_site, page)
    assert "No verdict" not in words(places_site, "index")


def test_their_numbers_are_those_of_their_files(places_site, walk_numbers):
    for page in ("circle_region", "circle_state"):
        assert walk_numbers(places_site, f"{page}.html") > 100


def test_they_are_there_in_spanish(places_site):
    assert "¿Difiere el círculo entre regiones?" in words(places_site, "circle_region", "es")
    text = words(places_site, "circle_state", "es")
    assert "¿Difiere el círculo entre entidades?" in text
    assert "Desviación estándar de los eslabones entre las entidades" in text


def test_a_fit_that_did_not_pass_says_so_first(simulated_circle, results, grid_panel, tmp_path):
    others = {"circle_state": simulated_circle(converged=False, trials=False)}
    build_report(results, grid_panel(results), tmp_path, others=others, languages=["en"])
    text = words(tmp_path, "circle_state")
    assert "This fit did not pass its gate" in text
    assert "No verdict is taken" not in text
