"""The report in a real browser, opened from disk."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
LOCAL = ("file:", "blob:", "data:")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists() and not os.environ.get("CI"),
        reason=f"no browser: {CHROMIUM} (Debian's package chromium) is not installed",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS)
        yield chromium
        chromium.close()


@contextmanager
def watched(browser, viewport=DESKTOP, **options) -> Iterator:
    """A page that fails the test on any error of a script and any request that leaves the disk."""
    context = browser.new_context(viewport=viewport, accept_downloads=True, **options)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(LOCAL) else trouble.append(r.url))
    yield page
    context.close()
    assert trouble == []


def open_table(page, site, anchor="") -> None:
    page.goto((site / "municipalities.html").as_uri() + anchor)
    page.wait_for_selector("html[data-table=ready]", timeout=30_000)


def codes(page) -> list[str]:
    return page.locator("#municipalities tbody tr td:first-child").all_inner_texts()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_pages_open_without_error_request_or_sideways_scroll(browser, site, viewport):
    with watched(browser, viewport) as page:
        for path in sorted(site.glob("*.html")):
            page.goto(path.as_uri())
            if path.stem == "municipalities":
                page.wait_for_selector("html[data-table=ready]", timeout=30_000)
            too_wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert too_wide <= 0, path.name
            broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
            page.wait_for_load_state("load")
            assert page.evaluate(broken) == 0, path.name


@pytest.mark.parametrize("words", ["leon", "LEÓN", "leon de los"])
def test_search_needs_no_accents(browser, site, words):
    with watched(browser) as page:
        open_table(page, site)
        page.get_by_role("searchbox").fill(words)
        names = page.locator("#municipalities tbody tr td:nth-child(2)")
        assert set(names.all_inner_texts()) == {"León de los Aldama"}


def test_the_table_sorts(browser, site):
    table = pd.read_parquet(site / "summaries/municipalities.parquet")
    ordered = table.sort_values("reliance_2020_median")["cvegeo"].tolist()
    with watched(browser) as page:
        open_table(page, site)
        header = page.locator("#municipalities thead th", has_text="Reliance 2020")
        header.click()
        page.wait_for_selector("th[aria-sort=ascending]")
        assert codes(page) == ordered
        header.get_by_role("button").press("Enter")
        page.wait_for_selector("th[aria-sort=descending]")
        assert codes(page) == ordered[::-1]


def test_names_sort_without_regard_to_accents(browser, site):
    with watched(browser) as page:
        open_table(page, site)
        page.locator("#municipalities thead th", has_text="Municipality").click()
        page.wait_for_selector("th[aria-sort=ascending]", timeout=30_000)
        names = page.locator("#municipalities tbody tr td:nth-child(2)").all_inner_texts()
    assert names[0] == "Ácambaro"
    assert names[-1] == "Zumpango"


def test_a_state_can_be_chosen(browser, site):
    with watched(browser) as page:
        open_table(page, site)
        page.get_by_role("combobox", name="State:").select_option(label="Dos")
        assert {code[:2] for code in codes(page)} == {"02"}


@pytest.mark.parametrize("kind", ["site", "hostile_site"])
def test_the_downloads_are_the_summary(browser, request, kind):
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
        with page.expect_download() as shown:
            page.get_by_role("button", name="Rows shown as CSV").click()
        pd.testing.assert_frame_equal(
            as_table(Path(shown.value.path()).read_bytes()), as_table(summary)
        )
        page.get_by_role("searchbox").fill("01003")
        with page.expect_download() as found:
            page.get_by_role("button", name="Rows shown as CSV").click()
        assert as_table(Path(found.value.path()).read_bytes())["cvegeo"].tolist() == ["01003"]


def test_a_municipality_can_be_linked_to(browser, site):
    with watched(browser) as page:
        open_table(page, site, "#m-02015")
        row = page.locator("#m-02015")
        assert "found" in row.get_attribute("class")
        assert row.is_visible()
        page.get_by_role("combobox", name="State:").select_option(label="Dos")
        page.get_by_role("searchbox").fill("nothing such")
        page.evaluate("location.hash = 'm-01002'")
        page.wait_for_selector("#m-01002.found")


def test_estimates_without_data_are_marked(browser, site):
    with watched(browser) as page:
        open_table(page, site)
        page.get_by_role("searchbox").fill("02018")
        marks = page.locator("#municipalities tbody tr td abbr")
        assert marks.count() == 1
        assert "not measured" in marks.get_attribute("title")


def test_hostile_names_run_nothing(browser, hostile_site, hostile_names):
    with watched(browser) as page:
        for path in sorted(hostile_site.glob("*.html")):
            page.goto(path.as_uri())
            if path.stem == "municipalities":
                page.wait_for_selector("html[data-table=ready]", timeout=30_000)
                names = page.locator("#municipalities tbody tr td:nth-child(2)")
                assert set(names.all_text_contents()) == set(hostile_names)
            assert page.evaluate("window.hacked") is None, path.name


def test_an_unconverged_fit_warns_before_anything_else(browser, stuck_site):
    with watched(browser, PHONE) as page:
        for path in sorted(stuck_site.glob("*.html")):
            page.goto(path.as_uri())
            assert page.locator("body").inner_text().startswith("This fit did not converge")
            assert page.locator("#not-converged").bounding_box()["y"] == 0


def test_without_scripts_the_table_is_a_link(browser, site):
    with watched(browser, java_script_enabled=False) as page:
        page.goto((site / "municipalities.html").as_uri())
        link = page.get_by_role("link", name="The whole table as CSV")
        assert link.is_visible()


def test_the_keyboard_reaches_the_content_first(browser, site):
    with watched(browser) as page:
        page.goto((site / "index.html").as_uri())
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"


def test_print_hides_the_menu(browser, site):
    with watched(browser) as page:
        page.goto((site / "states.html").as_uri())
        page.emulate_media(media="print")
        assert not page.locator("nav.menu").is_visible()
        assert page.locator("h1").is_visible()
