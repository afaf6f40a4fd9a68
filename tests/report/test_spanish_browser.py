"""Both languages in a real browser: the switch keeps page and place, by pointer and by keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PATIENCE = 30_000  # milliseconds, for machines that do other things too

pytestmark = pytest.mark.browser


def test_the_switch_opens_the_same_page_at_the_same_place(browser, watched, site):
    with watched(browser) as page:
        page.goto((site / "ranking.html").as_uri() + "#wave-2010")
        page.get_by_role("link", name="Español").click()
        expect(page).to_have_url((site / "es/ranking.html").as_uri() + "#wave-2010")
        expect(page.locator("html")).to_have_attribute("lang", "es")
        page.evaluate("location.hash = 'wave-2000'")
        page.get_by_role("link", name="English").click()
        expect(page).to_have_url((site / "ranking.html").as_uri() + "#wave-2000")


def test_the_keyboard_reaches_the_switch(browser, watched, site):
    with watched(browser) as page:
        page.goto((site / "states.html").as_uri())
        for _ in range(3):  # what skips to the content, the title, the other language
            page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Español")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("País, regiones y entidades")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_spanish_pages_open_without_error_request_or_sideways_scroll(
    browser, watched, site, viewport
):
    with watched(browser, viewport) as page:
        for path in sorted((site / "es").glob("*.html")):
            page.goto(path.as_uri())
            too_wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert too_wide <= 0, path.name
            broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
            page.wait_for_load_state("load")
            assert page.evaluate(broken) == 0, path.name


def test_the_table_and_the_explorer_speak_spanish(browser, watched, site):
    with watched(browser) as page:
        page.goto((site / "es/municipalities.html").as_uri() + "#m-02015")
        page.wait_for_selector("html[data-table=ready]", timeout=PATIENCE)
        expect(page.locator("#m-02015.found")).to_be_in_viewport()
        expect(page.locator("#municipalities thead th").first).to_have_text("Clave")
        page.get_by_role("searchbox").fill("leon")
        expect(page.locator("#municipalities tbody tr td:nth-child(2)").first).to_have_text(
            "León de los Aldama"
        )
        page.goto((site / "es/explorer.html").as_uri() + "#02015")
        expect(page.locator("#explorer-place h3").first).to_have_text("Recepción")
        expect(page.locator("#explorer-place h3").last).to_have_text("Vecinos")
