"""The dependence model's page: what it says, that its numbers are those of the files, its size."""

import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

import remitstats
from remitstats.estimands.dependence import summarise_dependence
from remitstats.models import dependence
from remitstats.models.dependence_measures import Measures
from remitstats.panel.load import load_mexico
from remitstats.report import build_report

MEGABYTE = 1_000_000


def words(page) -> str:
    """The visible text of a page's body."""
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="session")
def stuck():
    """Results of a short fit of two states, which did not pass its gate."""
    panel = load_mexico().select(["01", "06"])
    model = dependence.build(panel, measures=Measures(classes=2))
    fit = remitstats.fit(model, panel, seed=1, draws=40, tune=40, chains=2)
    results = summarise_dependence(fit, panel, origins=(), command="a command")
    rows = [
        {
            **{"origin": "2024Q1", "horizon": h, "reporting": kind, "method": method},
            **{"series": 9, "crps": 0.1 + 0.01 * h, "coverage_50": 55.0 + h},
            **{"coverage_80": 82.0, "coverage_95": 96.0},
        }
        for h in range(1, 9)
        for kind in ("steady", "faint")
        for method in ("remitstats", "seasonal naive")
    ]
    return replace(results, forecast_score=pd.DataFrame(rows))


@pytest.fixture(scope="session")
def good(stuck):
    """The same, said to have converged: to see what the page says then."""
    said = {"converged": True, "reasons": [], "remedies": []}
    return replace(stuck, summary={**stuck.summary, **said})


@pytest.fixture(scope="session")
def page_of(results, grid_panel, tmp_path_factory):
    def make(found, shapes=True, **options):
        out = tmp_path_factory.mktemp("dependence")
        panel = grid_panel(results, shapes=shapes)
        build_report(results, panel, out, others={"dependence": found}, **options)
        return out

    return make


@pytest.fixture(scope="session")
def good_site(good, page_of):
    return page_of(good)


def test_findings_are_those_of_the_tables(good, good_site):
    text = words(good_site / "dependence.html")
    growth = good.rounded().path_growth
    nation = growth[(growth["level"] == "nation")].set_index("period")
    median = nation.loc["2013 to 2025/26", "median"]
    shown = f"{median:+.1f}".replace("-", "−")
    assert f"real remittances per person moved by {shown} %" in text
    assert "a dollar’s worth in constant pesos itself moved by −7.8 % a year" in text
    steady = good.growth[
        (good.growth["reporting"] == "steady") & (good.growth["period"] == "2013 to 2025/26")
    ]
    rose = int((steady["p_positive"] >= 0.95).sum())
    assert f"Of the {len(steady)} steady municipalities, {rose} rose" in text


def test_every_number_is_the_one_in_the_files(good_site, walk_numbers):
    assert walk_numbers(good_site, "dependence.html") > 200


def test_no_finding_is_stated_of_a_fit_that_did_not_converge(stuck, page_of):
    site = page_of(stuck, shapes=False, languages=["en"])
    page = site / "dependence.html"
    text = words(page)
    assert 'id="not-converged"' in page.read_text("utf-8")
    assert "No finding is stated" in text
    assert "real remittances per person moved by" not in text
    assert "Dependence: money per person" in words(site / "index.html")
    assert "real remittances per person moved by" not in words(site / "index.html")


def test_every_link_of_the_page_leads_somewhere(good_site):
    html = (good_site / "dependence.html").read_text("utf-8")
    for address in re.findall(r'(?:href|src)="([^"]*)"', html):
        path, _, anchor = address.partition("#")
        if address.startswith("data:"):
            continue
        target = good_site / (path or "dependence.html")
        assert target.is_file(), address
        if anchor:
            assert f'id="{anchor}"' in target.read_text("utf-8"), address


def test_pictures_say_in_words_what_they_show_and_pages_stay_small(good_site):
    html = (good_site / "dependence.html").read_text("utf-8")
    alts = re.findall(r'<img [^>]*alt="([^"]*)"', html)
    assert len(alts) >= 5 and all(len(alt) > 40 for alt in alts)
    whole = len(html) + sum(
        (good_site / "assets" / name).stat().st_size
        for name in re.findall(r'src="assets/([^"]+)"', html)
    )
    assert whole < 3 * MEGABYTE


def test_what_is_assumed_stands_on_the_page(good_site):
    text = words(good_site / "dependence.html")
    assert "Money is counted where it is paid out" in text
    assert "Zeros count as missing" in text
    assert "statistics lie outside the interval" in text


def test_tables_lie_beside_the_page(good, good_site):
    level = pd.read_csv(good_site / "dependence/summaries/level.csv", dtype={"cvegeo": str})
    assert len(level) == len(good.level)
