"""The report in a real browser, opened from disk.

Whatever a script draws is waited for (`expect` looks again until its time is over), never read at
once: sorting, for one, is drawn after the click has returned.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PATIENCE = 30_000  # milliseconds, for machines that do other things too

pytestmark = pytest.mark.browser


def open_table(page, site, anchor="") -> None:
    page.goto((site / "municipalities.html").as_uri() + anchor)
    page.wait_for_selector("html[data-table=ready]", timeout=PATIENCE)


def shown(page: Page, column: int) -> Locator:
    """The cells of a column of the table, from 1, in the rows shown."""
    return page.locator(f"#municipalities tbody tr td:nth-child({column})")


@pytest.fixture(scope="module")
def table(site) -> pd.DataFrame:
    """The table as the report's files hold it."""
    return pd.read_parquet(site / "summaries/municipalities.parquet")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_pages_open_without_error_request_or_sideways_scroll(browser, watched, site, viewport):
    with watched(browser, viewport) as page:
        for path in sorted(site.glob("*.html")):
            page.goto(path.as_uri())
            if path.stem == "municipalities":
                page.wait_for_selector("html[data-table=ready]", timeout=PATIENCE)
            too_wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert too_wide <= 0, path.name
            broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
            page.wait_for_load_state("load")
            assert page.evaluate(broken) == 0, path.name


# Contrast of every visible text with what lies behind it, as WCAG 2.2 (1.4.3) defines it; texts
# of at least 24 pixels, or bold ones of 18.66, may have less, and what can't be used any.
FAINT = """() => {
  const parts = c => [...c.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const x = c[i] / 255;
    return sum + w * (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = e => {
    const layers = [];
    for (let p = e; p; p = p.parentElement) layers.push(parts(getComputedStyle(p).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = {};
  let texts = 0;
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, style = getComputedStyle(e);
    if (!walker.currentNode.data.trim() || !e.checkVisibility({visibilityProperty: true})) continue;
    if (e.closest(":disabled, .disabled")) continue;
    texts += 1;
    const back = behind(e), front = over(parts(style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
    const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) seen[`${e.tagName}.${e.className} ${style.color}`] = ratio.toFixed(2);
  }
  return [texts, seen];
}"""


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_lies_behind_it(browser, watched, site, colour_scheme):
    with watched(browser, color_scheme=colour_scheme) as page:
        for path in sorted(site.glob("*.html")):
            page.goto(path.as_uri())
            if path.stem == "municipalities":
                page.wait_for_selector("html[data-table=ready]", timeout=PATIENCE)
            texts, faint = page.evaluate(FAINT)
            assert texts > 20, path.name
            assert faint == {}, path.name


@pytest.mark.parametrize("words", ["leon", "LEÓN", "leon de los"])
def test_search_needs_no_accents(browser, watched, site, table, words):
    name = "León de los Aldama"
    with watched(browser) as page:
        open_table(page, site)
        page.get_by_role("searchbox").fill(words)
        expect(shown(page, 2)).to_have_text([name] * (table["name"] == name).sum())


def test_the_table_sorts(browser, watched, site, table):
    ordered = table.sort_values("reliance_2020_median")["cvegeo"].tolist()
    with watched(browser) as page:
        open_table(page, site)
        header = page.locator("#municipalities thead th", has_text="Reliance 2020")
        header.click()
        expect(header).to_have_attribute("aria-sort", "ascending")
        expect(shown(page, 1)).to_have_text(ordered)
        header.get_by_role("button").press("Enter")
        expect(header).to_have_attribute("aria-sort", "descending")
        expect(shown(page, 1)).to_have_text(ordered[::-1])


def test_names_sort_without_regard_to_accents(browser, watched, site):
    with watched(browser) as page:
        open_table(page, site)
        page.locator("#municipalities thead th", has_text="Municipality").click()
        expect(shown(page, 2).first).to_have_text("Ácambaro")
        expect(shown(page, 2).last).to_have_text("Zumpango")


def test_a_state_can_be_chosen(browser, watched, site, table):
    with watched(browser) as page:
        open_table(page, site)
        page.get_by_role("combobox", name="State:").select_option(label="Dos")
        expect(shown(page, 1)).to_have_text(table.loc[table["state"] == "02", "cvegeo"].tolist())


@pytest.mark.parametrize("kind", ["site", "hostile_site"])
def test_the_downloads_are_the_summary(browser, watched, request, kind):
    folder = request.getfixturevalue(kind)
    summary = (folder / "summaries/municipalities.csv").read_bytes()

    def as_table(content: bytes) -> pd.DataFrame:
        table = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", dtype=str, na_filter=False)
        return table.map(lambda cell: cell.removesuffix(".0"))

    with watched(browser) as page:
        open_table(page, folder)
        with page.expect_download() as whole:
            page.get_by_role("link", name="All rows as CSV").click()
        assert Path(whole.value.path()).read_bytes() == summary
        with page.expect_download() as part:
            page.get_by_role("button", name="Rows shown as CSV").click()
        pd.testing.assert_frame_equal(
            as_table(Path(part.value.path()).read_bytes()), as_table(summary)
        )
        page.get_by_role("searchbox").fill("01003")
        expect(shown(page, 1)).to_have_text(["01003"])
        with page.expect_download() as found:
            page.get_by_role("button", name="Rows shown as CSV").click()
        assert as_table(Path(found.value.path()).read_bytes())["cvegeo"].tolist() == ["01003"]


def test_a_municipality_can_be_linked_to(browser, watched, site):
    with watched(browser) as page:
        open_table(page, site, "#m-02015")
        expect(page.locator("#m-02015.found")).to_be_in_viewport()
        page.get_by_role("combobox", name="State:").select_option(label="Dos")
        page.get_by_role("searchbox").fill("nothing such")
        expect(shown(page, 1)).not_to_have_text(["02015"])
        page.evaluate("location.hash = 'm-01002'")
        expect(page.locator("#m-01002.found")).to_be_in_viewport()


def test_estimates_without_data_are_marked(browser, watched, site):
    with watched(browser) as page:
        open_table(page, site)
        page.get_by_role("searchbox").fill("02018")
        expect(shown(page, 1)).to_have_text(["02018"])
        marks = page.locator("#municipalities tbody tr td abbr")
        expect(marks).to_have_count(1)
        expect(marks).to_have_attribute("title", re.compile("not measured"))


def test_hostile_names_run_nothing(browser, watched, hostile_site, hostile_names):
    with watched(browser) as page:
        for path in sorted(hostile_site.glob("*.html")):
            page.goto(path.as_uri())
            if path.stem == "municipalities":
                page.wait_for_selector("html[data-table=ready]", timeout=PATIENCE)
                # as they are: `expect` would take blanks together
                assert set(shown(page, 2).all_text_contents()) == set(hostile_names)
            assert page.evaluate("window.hacked") is None, path.name


def test_an_unconverged_fit_warns_before_anything_else(browser, watched, stuck_site):
    with watched(browser, PHONE) as page:
        for path in sorted(stuck_site.glob("*.html")):
            if path.stem == "validation":  # of trials on simulated data, not of this fit
                continue
            page.goto(path.as_uri())
            assert page.locator("body").inner_text().startswith("This fit did not converge")
            assert page.locator("#not-converged").bounding_box()["y"] == 0


def test_without_scripts_the_table_is_a_link(browser, watched, site):
    with watched(browser, java_script_enabled=False) as page:
        page.goto((site / "municipalities.html").as_uri())
        expect(page.get_by_role("link", name="The whole table as CSV")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(browser, watched, site):
    with watched(browser) as page:
        page.goto((site / "index.html").as_uri())
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_attribute("href", "#content")


def test_print_hides_the_menu(browser, watched, site):
    with watched(browser) as page:
        page.goto((site / "states.html").as_uri())
        page.emulate_media(media="print")
        expect(page.locator("nav.menu")).to_be_hidden()
        expect(page.locator("h1")).to_be_visible()
