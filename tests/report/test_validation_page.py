"""The page on validation says what the files kept with the package say."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remitstats.claims.model_calibration import ModelCalibration
from remitstats.claims.prior_sensitivity import PriorSensitivity
from remitstats.report import build_report
from remitstats.report import validation_page as page_of
from remitstats.report.validation_page import AGREEMENT, Validation

ROOT = Path(__file__).parents[2]
LARGEST = 500_000  # bytes of the page and what it shows, in one language


def calibration(*, simulations=200, rejected=(), share=80.0, broken=0) -> ModelCalibration:
    """Made-up places; nothing here is a finding."""
    rng = np.random.default_rng(3)
    names = ("national 2020", "municipality_sd <b>")
    points = np.arange(1, 101) / 100
    study = {"model": "reliance", "municipalities": 39, "states": ["01", "06"], "command": "<i>x"}
    return ModelCalibration(
        study,
        failed=2 + broken,
        again=7,
        broken=broken,
        places=pd.DataFrame({name: rng.random(simulations).round(4) for name in names}),
        limits=pd.DataFrame({"point": points, "lower": points - 0.1, "upper": points + 0.1}),
        quantities=pd.DataFrame(
            [
                {
                    "quantity": name,
                    "headline": name == names[0],
                    "rejected": name in rejected,
                    "bias": 0.05,
                    "coverage_50": 51.0,
                    "coverage_80": share,
                    "coverage_95": 94.5,
                }
                for name in names
            ]
        ),
    )


def sensitivity() -> PriorSensitivity:
    """Made-up numbers; nothing here is a finding."""
    rows = [("a", True, 0.01, 0.3), ("b", True, 0.06, 0.3), ("c <b>", False, 0.25, 0.04)]
    table = pd.DataFrame(rows, columns=["quantity", "headline", "prior", "likelihood"])
    study = {"command": "remitstats validate macro --sensitivity"}
    return PriorSensitivity(study, table, {"prior": 0.0552, "likelihood": 0.01})


def words(page: Path) -> str:
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def shown(results, grid_panel, tmp_path_factory):
    """The report of a version that keeps one calibration, in both languages."""
    out = tmp_path_factory.mktemp("validation")
    with pytest.MonkeyPatch.context() as patch:
        given = {"reliance": calibration(rejected=("national 2020",), share=76.5, broken=1)}
        patch.setattr(page_of, "shipped_calibrations", lambda: given)
        patch.setattr(page_of, "shipped_sensitivities", lambda: {"macro": sensitivity()})
        return build_report(results, grid_panel(results, shapes=False), out).parent


def test_the_page_says_what_was_found_and_what_was_missed(shown):
    text = words(shown / "validation.html")
    assert "Of 2 quantities 1 leave their bands" in text
    assert "Of 201 fits 7 were made again, and 3 never passed; 1 of these ended" in text
    assert "The bar is missed: the ranks of 1 headline quantities are not uniform." in text
    assert "The bar is missed: coverage is off by more than allowed." in text
    assert "39 municipalities of the states 01, 06" in text
    assert "76.5" in text
    assert "La exigencia no se cumple" in words(shown / "es" / "validation.html")


def test_the_page_says_what_moves_with_the_priors(shown):
    text = words(shown / "validation.html")
    assert (
        "Foreign exchange: of 2 headline quantities 1 move with the priors, of 1 others 1" in text
    )
    assert "b yes 0.0600 0.300 both move it" in text
    assert "c <b> 0.250 0.0400 the prior speaks" in text
    assert "remitstats validate macro --sensitivity" in text
    assert "to the priors counts from 0.0552 on, to the data from 0.0500 on" in text
    assert "a los datos, a partir de 0.0500" in words(shown / "es" / "validation.html")
    kept = PriorSensitivity.read(shown / "validation" / "sensitivity" / "macro.json")
    assert kept.diagnosis == ["", "conflict", "strong prior"]


def test_what_the_file_says_stays_text(shown):
    html = (shown / "validation.html").read_text("utf-8")
    assert "<code>&lt;i&gt;x</code>" in html
    assert "municipality_sd &lt;b&gt;" in html


def test_the_file_behind_the_page_lies_beside_it(shown):
    kept = ModelCalibration.read(shown / "validation" / "reliance.json")
    assert kept.rejected_headlines == ["national 2020"]
    for folder in (shown, shown / "es"):
        html = (folder / "validation.html").read_text("utf-8")
        for address in re.findall(r'(?:href|src)="([^"#]+)', html):
            assert address.startswith("data:") or (folder / address).is_file(), address
        assert re.search(r'<img[^>]*alt="[^"]{40,}"', html)


@pytest.mark.parametrize(
    ("given", "missed"),
    [
        ({}, []),
        ({"simulations": 100}, ["few"]),
        ({"rejected": ("municipality_sd <b>",)}, []),  # no headline
        ({"rejected": ("national 2020",)}, ["rejected"]),
        ({"share": 76.9}, ["coverage"]),
    ],
)
def test_the_bar_is_met_or_missed_as_the_numbers_say(given, missed):
    (model,) = Validation({"reliance": calibration(**given)}).context()["models"]
    assert model["missed"] == missed


def test_without_anything_to_show_there_is_no_page(monkeypatch):
    monkeypatch.setattr(page_of, "shipped_calibrations", dict)
    assert Validation.shipped().pages == ()


def test_the_page_of_this_version_is_light_and_shows_its_own_files(site):
    kept = sorted((ROOT / "data" / "validation").glob("*.json"))
    assert kept
    page = site / "validation.html"
    size = page.stat().st_size
    for path in kept:
        found = json.loads(path.read_text("utf-8"))
        assert found["study"]["command"] in words(page)
        size += (site / "assets" / f"validation_{path.stem}.png").stat().st_size
    assert size < LARGEST
    assert 'href="validation.html"' in (site / "index.html").read_text("utf-8")


def test_the_tests_that_the_page_names_are_there():
    for _, place in AGREEMENT:
        assert (ROOT / place).is_file(), place
