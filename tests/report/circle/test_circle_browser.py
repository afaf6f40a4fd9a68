"""The circle's page in a real browser, opened from disk."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("kind", ["circle_site", "stuck_circle_site"])
def test_the_page_opens_without_error_request_or_sideways_scroll(browser, request, kind, viewport):
    site = request.getfixturevalue(kind)
    page = browser.new_page(viewport=viewport)
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith("file:") else trouble.append(r.url))
    for name in ("circle", "index", "glossary"):
        page.goto((site / f"{name}.html").as_uri())
        for details in page.locator("main details").all():
            details.evaluate("element => { element.open = true; }")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, name
        page.wait_for_load_state("load")
        broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
        assert page.evaluate(broken) == 0, name
    page.close()
    assert [text for text in trouble if not text.startswith("data:")] == []


def test_a_word_leads_to_its_entry_in_the_glossary(browser, circle_site):
    page = browser.new_page(viewport=DESKTOP)
    page.goto((circle_site / "circle.html").as_uri())
    page.get_by_role("link", name="loop gain").first.click()
    expect(page.locator("#circle_gain")).to_be_in_viewport()
    page.close()


def test_a_fit_that_did_not_pass_warns_before_anything_else(browser, stuck_circle_site):
    page = browser.new_page(viewport=PHONE)
    page.goto((stuck_circle_site / "circle.html").as_uri())
    assert page.locator("body").inner_text().startswith("This fit did not converge")
    assert page.locator("#not-converged").bounding_box()["y"] == 0
    page.close()
