"""The explorer in a real browser, opened from disk."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from remitstats.report.formats import show

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PATIENCE = 30_000  # milliseconds

pytestmark = pytest.mark.browser


def open_at(page, site, anchor="") -> None:
    page.goto((site / "explorer.html").as_uri() + anchor)
    page.wait_for_selector("html[data-explorer=ready]", timeout=PATIENCE)
    if anchor:
        page.wait_for_selector("#explorer-place h2", timeout=PATIENCE)


def search(page):
    return page.get_by_role("combobox", name="Name, code or state")


def found(page):
    """The municipalities that the search lists."""
    return page.locator("#explorer-list [role=option]")


def read_tables(page) -> dict[tuple[str, str], str]:
    """The cells shown, by quantity and time."""
    shown = page.evaluate(
        """() => [...document.querySelectorAll("#explorer-place table")].flatMap((table) => {
          const name = (th) => th.childNodes[0].textContent;
          const top = [...table.tHead.rows[0].cells].map(name);
          return [...table.tBodies[0].rows].flatMap((row) => {
            const cells = [...row.cells];
            const texts = cells.map((cell) => cell.textContent);
            if (top[1] === "Time") return [[name(cells[0]), texts[1], texts[2]]];
            return cells.slice(1).map((cell, i) => top[0] === "Time"
              ? [top[i + 1], name(cells[0]), cell.textContent]
              : [name(cells[0]), top[i + 1], cell.textContent]);
          });
        })"""
    )
    return {(what, when): text for what, when, text in shown if text != "–"}


@pytest.mark.parametrize("words", ["leon", "LEÓN", "leon de los", "leon, uno", "01002"])
def test_search_needs_no_accents_and_takes_codes(browser, watched, explorer_site, words):
    with watched(browser) as page:
        open_at(page, explorer_site)
        search(page).fill(words)
        options = found(page)
        expect(options.first).to_contain_text("León de los Aldama")
        expect(options.first).to_contain_text("01002")
        options.first.click()
        expect(page.locator("#explorer-place h2")).to_have_text("León de los Aldama")
        assert page.evaluate("location.hash") == "#01002"


def test_a_state_lists_its_municipalities(browser, watched, explorer_site, results):
    codes = results.level.loc[results.level["state"] == "02", "cvegeo"].unique()
    with watched(browser) as page:
        open_at(page, explorer_site)
        page.get_by_label("State", exact=True).select_option(label="Dos")
        expect(found(page)).to_have_count(len(codes))
        page.get_by_label("State", exact=True).select_option(label="All states")
        search(page).fill("dos")
        expect(found(page).last).to_contain_text("Dos")


def test_the_keyboard_alone_finds_a_municipality(browser, watched, explorer_site):
    with watched(browser) as page:
        open_at(page, explorer_site)
        search(page).focus()
        page.keyboard.type("penon")
        expect(found(page).first).to_contain_text("Peñón Blanco")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        second = found(page).nth(1)
        expect(second).to_have_attribute("aria-selected", "true")
        expect(search(page)).to_have_attribute(
            "aria-activedescendant", second.get_attribute("id") or "none"
        )
        page.keyboard.press("Enter")
        expect(page.locator("#explorer-place h2")).to_be_focused()
        expect(page.locator("#explorer-list")).to_be_hidden()
        expect(page.locator("#explorer-status")).to_contain_text("Peñón Blanco")
        search(page).fill("nothing such")
        expect(page.locator("#explorer-status")).to_contain_text("No municipality matches")


def test_a_link_opens_its_municipality(browser, watched, explorer_site):
    with watched(browser) as page:
        open_at(page, explorer_site, "#02015")
        expect(page.locator("#explorer-place h2")).to_have_text("Peñón Blanco")
        expect(page.locator("#explorer-place .where")).to_contain_text("02015")
        page.evaluate("location.hash = '01001'")
        expect(page.locator("#explorer-place h2")).to_have_text("Ácambaro")
        page.go_back()
        expect(page.locator("#explorer-place h2")).to_have_text("Peñón Blanco")
        page.evaluate("location.hash = '99999'")
        expect(page.locator("#explorer-place")).to_contain_text(
            "no municipality with the code 99999"
        )


def test_neighbours_lead_to_each_other(browser, watched, explorer_site):
    with watched(browser) as page:
        open_at(page, explorer_site, "#01001")
        near = page.locator("#section-neighbours a")
        expect(near).to_have_text(["León de los Aldama", "Ácambaro"])
        near.first.click()
        expect(page.locator("#explorer-place .where")).to_contain_text("01002")


def test_the_table_of_all_leads_here_and_back(browser, watched, explorer_site):
    with watched(browser) as page:
        page.goto((explorer_site / "municipalities.html").as_uri())
        page.wait_for_selector("html[data-table=ready]", timeout=PATIENCE)
        page.get_by_role("link", name="Zumpango").first.click()
        page.wait_for_selector("#explorer-place h2", timeout=PATIENCE)
        expect(page.locator("#explorer-place h2")).to_have_text("Zumpango")
        page.get_by_role("link", name="in the table of all").click()
        expect(page.locator("tr.found")).to_contain_text("Zumpango")


@pytest.mark.parametrize("code", ["01001", "02018"])  # the second was not measured in 2000
def test_numbers_shown_and_downloaded_are_those_of_the_tables(
    browser, watched, explorer_site, as_shown, code
):
    level = pd.read_parquet(explorer_site / "summaries/level.parquet")
    level = level[level["cvegeo"] == code].set_index("wave")
    with watched(browser) as page:
        open_at(page, explorer_site, f"#{code}")
        cells = read_tables(page)
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        content = Path(saved.value.path()).read_bytes()
        assert saved.value.suggested_filename == f"municipality-{code}.csv"
        with page.expect_download() as saved:
            page.get_by_role("button", name="JSON").click()
        document = json.loads(Path(saved.value.path()).read_text("utf-8"))

    for wave, row in level.iterrows():
        values = row[["median", "eti90_lower", "eti90_upper"]]
        shown = [show(value, "percent1") for value in values]
        assert as_shown(cells["Reliance", str(wave)]) == shown
        published = cells.get(("Published percentage", str(wave)))
        assert published == (
            show(row["published_percent"], "percent1") if row["measured"] else None
        )

    kinds = {"reliance": "percent1", "published": "percent1", "rank": "count", "change": "points1"}
    kinds |= {"population": "count"}
    downloaded = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert {row["cvegeo"] for row in downloaded} == {code}
    assert len(downloaded) == len(cells) == len(document["numbers"])
    for row, again in zip(downloaded, document["numbers"], strict=True):
        kind = kinds.get(row["quantity"], "probability")
        columns = ("value", "eti90_lower", "eti90_upper")
        numbers = [float(row[column]) for column in columns if row[column]]
        assert as_shown(cells[row["title"], row["time"]]) == [show(x, kind) for x in numbers]
        assert numbers == [again[column] for column in columns if again[column] is not None]
    assert document["cvegeo"] == code
    assert document["not_converged"] == []


def test_charts_say_what_they_show(browser, watched, explorer_site):
    with watched(browser) as page:
        open_at(page, explorer_site, "#01001")
        charts = page.locator(".explorer-chart svg[role=img]")
        expect(charts).to_have_count(2)
        expect(charts.first).to_have_attribute("aria-label", "Reliance by wave, Ácambaro")
        expect(charts.first).to_have_attribute("aria-description", re.compile("The table below"))
        assert page.locator(".explorer-chart figcaption").first.inner_text().startswith("Reliance")


def test_numbers_look_as_everywhere_else(browser, watched, explorer_site):
    rng = np.random.default_rng(1)
    values = [*rng.normal(0, 300, 400).round(6), *rng.normal(0, 1e6, 50).round(6)]
    values += [n / d for n, d in product(range(-41, 42), (2, 4, 8, 16, 5, 10, 20, 40, 1000))]
    kinds = ("percent", "percent1", "points", "points1", "count", "plain", "probability")
    with watched(browser) as page:
        open_at(page, explorer_site)
        shown = page.evaluate(
            """([values, kinds]) => kinds.map((kind) =>
                values.map((value) => remitstatsFormats.kinds[kind](value)))""",
            [values, kinds],
        )
    for kind, texts in zip(kinds, shown, strict=True):
        assert texts == [show(value, kind) for value in values], kind


def test_hostile_names_run_nothing(browser, watched, hostile_explorer_site, hostile_names):
    level = pd.read_parquet(hostile_explorer_site / "summaries/level.parquet")
    places = level.drop_duplicates("cvegeo").set_index("cvegeo")["name"].head(len(hostile_names))
    assert set(places) == set(hostile_names)
    with watched(browser) as page:
        open_at(page, hostile_explorer_site)
        for code, name in places.items():
            page.evaluate("code => { location.hash = code; }", code)
            page.wait_for_selector(f"#explorer-place[data-code='{code}'] h2", timeout=PATIENCE)
            assert page.locator("#explorer-place h2").text_content() == name
            search(page).fill(code)
            assert found(page).first.locator("bdi").first.text_content() == name
            with page.expect_download() as saved:
                page.get_by_role("button", name="CSV").click()
            rows = list(csv.reader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig"))))
            guarded = "'" + name if name.strip()[0] in "=+-@" else name
            assert {row[1] for row in rows[1:]} == {guarded}
            assert page.evaluate("window.hacked") is None
        for path in hostile_explorer_site.glob("municipalities-*.html"):
            page.goto(path.as_uri())
            assert page.evaluate("window.hacked") is None


def test_right_to_left_names_leave_what_stands_beside_them(browser, watched, hostile_explorer_site):
    with watched(browser) as page:
        open_at(page, hostile_explorer_site)
        search(page).fill("01007")
        option = found(page).first
        name, code = (option.locator("bdi").first, option.locator(".quiet"))
        assert name.bounding_box()["x"] < code.bounding_box()["x"]


def test_a_fit_that_did_not_pass_is_named_instead_of_shown(browser, watched, stuck_site):
    with watched(browser) as page:
        open_at(page, stuck_site, "#01001")
        place = page.locator("#explorer-place")
        expect(place).to_contain_text("did not pass its convergence checks")
        expect(place.locator("table, svg")).to_have_count(0)


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_municipality_needs_no_sideways_scroll(browser, watched, explorer_site, viewport):
    with watched(browser, viewport) as page:
        open_at(page, explorer_site, "#02018")
        for details in page.locator("main details").all():
            details.evaluate("element => { element.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        widths = page.locator(".explorer-chart svg").evaluate_all(
            "all => all.map(svg => svg.getBoundingClientRect().right)"
        )
        assert max(widths) <= viewport["width"]


def test_print_holds_the_municipality_and_not_the_search(browser, watched, explorer_site):
    with watched(browser) as page:
        open_at(page, explorer_site, "#01001")
        page.emulate_media(media="print")
        expect(page.locator(".explorer-find")).to_be_hidden()
        expect(page.locator("nav.menu")).to_be_hidden()
        expect(page.locator("#explorer-place h2")).to_be_visible()
        expect(page.locator(".explorer-chart svg").first).to_be_visible()


def test_without_scripts_the_states_tables_are_there(browser, watched, explorer_site):
    with watched(browser, java_script_enabled=False) as page:
        page.goto((explorer_site / "explorer.html").as_uri())
        expect(page.locator("noscript p")).to_be_visible()
        expect(page.locator("main img").first).to_be_visible()
        page.get_by_role("link", name="Dos").click()
        expect(page.locator("h1")).to_have_text("Municipalities of Dos")
        expect(page.locator("tr[id='02015']")).to_contain_text("Peñón Blanco")


def test_a_lost_file_of_numbers_is_said(browser, explorer_site, tmp_path):
    shutil.copytree(explorer_site, tmp_path / "copy")
    (tmp_path / "copy/assets/explorer/02.js").unlink()
    page = browser.new_page()
    page.goto((tmp_path / "copy/explorer.html").as_uri() + "#02015")
    expect(page.locator("#explorer-place")).to_contain_text("assets/explorer/02.js is missing")
    page.evaluate("location.hash = '01001'")
    expect(page.locator("#explorer-place h2")).to_have_text("Ácambaro")
    page.close()
