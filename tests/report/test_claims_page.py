"""The page of the claims: verdicts as the ledger gives them, numbers as the files hold them."""

from __future__ import annotations

import json
import re
from html import unescape

import pandas as pd
import pytest

import remitstats
from remitstats.claims.read import read_ledger
from remitstats.panel.panel import Panel
from remitstats.report import build_report

MINE = """
format = 1
title = "Mine"
source = "<b>Nobody</b>"

[rule.figure]
is = "near"
why = "<i>as rounded</i>"

[[claim]]
id = "hostile"
kind = "figure"
section = "<script>1</script>"
says = "<script>window.hacked=1</script> {{ 7 * 7 }}"
value = 3
unit = "<img src=x>"
date = "=cmd"
needs = "<script>2</script>"
caveats = ["<script>3</script>"]
"""


def words(page) -> str:
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def with_series(results, grid_panel) -> Panel:
    """The simulated panel with the shipped national series."""
    panel = grid_panel(results, shapes=False)
    mexico = remitstats.load_mexico()
    for name in ("national_year", "country_year", "country_migration", "published_figure"):
        panel = panel.with_table(name, mexico.table(name))
    return panel


@pytest.fixture(scope="module")
def claims_site(results, with_series, tmp_path_factory):
    out = tmp_path_factory.mktemp("claims")
    return build_report(results, with_series, out, ledger=read_ledger()).parent


def test_every_claim_of_the_ledger_stands_on_the_page_once_under_its_verdict(claims_site):
    html = (claims_site / "claims.html").read_text("utf-8")
    held = json.loads((claims_site / "claims/results.json").read_text("utf-8"))
    for claim in held["claims"]:
        assert html.count(f'id="claim-{claim["id"]}"') == 1
    words_of = {"not testable here": "untestable"}
    for verdict, number in held["counts"].items():
        word = words_of.get(verdict, verdict)
        assert html.count(f'<span class="badge {word}">') == number


def test_every_number_is_the_one_in_the_files(claims_site, walk_numbers):
    assert walk_numbers(claims_site, "claims.html") > 40
    assert walk_numbers(claims_site) > 500


def test_the_front_page_counts_and_links_to_the_claims(claims_site):
    html = (claims_site / "index.html").read_text("utf-8")
    held = json.loads((claims_site / "claims/results.json").read_text("utf-8"))
    for verdict in held["counts"]:
        assert f'data-source="claims/results.json|counts/{verdict}"' in html
    assert sum(held["counts"].values()) == len(held["claims"])
    assert sum(number > 0 for number in held["counts"].values()) > 1
    for page in claims_site.glob("*.html"):
        assert '<a href="claims.html"' in page.read_text("utf-8"), page.name


def test_every_link_of_the_page_leads_somewhere(claims_site):
    html = (claims_site / "claims.html").read_text("utf-8")
    for address in re.findall(r'(?:href|src)="([^"]*)"', html):
        path, _, anchor = address.partition("#")
        if not address.startswith("data:"):
            target = claims_site / (path or "claims.html")
            assert target.is_file(), address
            assert not anchor or f'id="{anchor}"' in target.read_text("utf-8"), address


def test_the_table_of_verdicts_can_be_taken_away(claims_site):
    table = pd.read_csv(claims_site / "claims/claims.csv", encoding="utf-8-sig")
    assert len(table) == len(read_ledger().claims)
    assert set(table["verdict"]) <= {
        *("supported", "contradicted", "inconclusive", "not testable here"),
    }


def test_verdicts_that_need_a_fit_that_failed_say_so_and_the_others_stand(
    simulated, with_series, tmp_path
):
    build_report(
        simulated(converged=False), with_series, tmp_path, ledger=read_ledger(), languages=["en"]
    )
    text = words(tmp_path / "claims.html")
    assert not text.startswith("This fit did not converge")
    assert "remitstats fit circle" in text
    assert words(tmp_path / "index.html").startswith("This fit did not converge")


def test_without_a_ledger_or_on_a_part_of_the_country_there_is_no_page_of_claims(
    site, simulated, grid_panel, tmp_path
):
    assert not (site / "claims.html").exists()
    results = simulated()
    build_report(
        results,
        grid_panel(results, shapes=False, all_states=False),
        tmp_path,
        ledger=read_ledger(),
        languages=["en"],
    )
    assert not (tmp_path / "claims.html").exists()
    assert not (tmp_path / "claims").exists()
    assert "claims.html" not in (tmp_path / "index.html").read_text("utf-8")


def test_hostile_texts_of_a_ledger_stay_text(results, grid_panel, tmp_path):
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    ledger = read_ledger(tmp_path / "mine.toml")
    build_report(
        results,
        grid_panel(results, shapes=False),
        tmp_path / "out",
        ledger=ledger,
        languages=["en"],
    )
    html = (tmp_path / "out/claims.html").read_text("utf-8")
    assert re.findall(r"<script[^>]*>", html) == ['<script src="assets/language.js" defer>']
    assert "<img src=x" not in html
    assert "{{ 7 * 7 }}" in html
    assert "&lt;script&gt;window.hacked=1" in html


def test_the_page_stays_small(claims_site):
    assert (claims_site / "claims.html").stat().st_size < 400_000


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_opens_without_error_request_or_sideways_scroll(browser, claims_site, width):
    page = browser.new_page(viewport={"width": width, "height": 844})
    trouble = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:")) else trouble.append(r)
    )
    page.goto((claims_site / "claims.html").as_uri())
    page.locator("#claim-most-dynamic-source summary").click()
    shown = page.locator("#claim-most-dynamic-source details")
    assert "rule" in shown.inner_text().lower()
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(too_wide) <= 0
    page.close()
    assert trouble == []
