"""The page of depopulation: what it says, where its numbers are, and when it says nothing."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from remitstats.report.depopulation_tables import (
    boundaries,
    changes,
    chosen,
    fitting,
    missed,
    shares,
)
from remitstats.report.explorer_data import DIGITS

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
FINDINGS = ("the sign is open", "holds under", "are expected to have fewer people")


def words(page: Path) -> str:
    """The visible text of a page's body."""
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_without_results_there_is_no_page(site):
    assert not (site / "depopulation.html").exists()
    assert "depopulation.html" not in (site / "index.html").read_text("utf-8")


def test_every_link_of_the_page_leads_somewhere(depopulation_site):
    html = (depopulation_site / "depopulation.html").read_text("utf-8")
    for address in re.findall(r'(?:href|src)="([^"]*)"', html):
        if address.startswith("data:"):
            continue
        path, _, anchor = address.partition("#")
        target = depopulation_site / (path or "depopulation.html")
        assert target.is_file(), address
        if anchor:
            assert f'id="{anchor}"' in target.read_text("utf-8"), address


def test_every_number_is_the_one_in_the_files(depopulation_site, walk_numbers):
    assert walk_numbers(depopulation_site, "depopulation.html") > 500
    assert walk_numbers(depopulation_site, "index.html") > 5


def test_the_explorer_carries_the_numbers_of_the_tables(
    depopulation_site, stuck_depopulation_site, converged_depopulation, explorer_carries
):
    found = explorer_carries(depopulation_site)
    folder = depopulation_site / "depopulation/summaries"
    table = pd.read_csv(folder / "municipality.csv", dtype={"cvegeo": str}, encoding="utf-8-sig")
    assert len(table) == len(converged_depopulation.municipality) > 50
    ends = ("median", "eti90_lower", "eti90_upper")
    for row in table.to_dict("records"):
        when = row["interval"].replace("-", "–")
        for key, columns in (
            ("true_growth", [f"true_{end}" for end in ends]),
            ("underlying_growth", [f"underlying_{end}" for end in ends]),
            ("p_decline", ["p_decline"]),
        ):
            shown = [float(f"{row[column]:.{DIGITS}g}") for column in columns]
            assert found[key, row["cvegeo"], when] == shown
    keys = {key for key, _, _ in explorer_carries(stuck_depopulation_site)}
    assert "reliance" in keys and not keys & {"true_growth", "p_decline", "outlook"}


def test_findings_are_stated_only_by_a_fit_that_converged(
    depopulation_site, stuck_depopulation_site
):
    said, stuck = (
        words(place / "depopulation.html") for place in (depopulation_site, stuck_depopulation_site)
    )
    for finding in FINDINGS:
        assert finding in said
        assert finding not in stuck
    assert stuck.startswith("This fit did not converge")
    assert "the sign is open" not in words(stuck_depopulation_site / "index.html")


def test_associations_are_not_called_effects(depopulation_site):
    said = words(depopulation_site / "depopulation.html")
    assert "This is an association, not an effect." in said
    assert "None of this is an effect" in said
    assert not re.search(r"\b(causes|leads to|because of migration)\b", said)


def test_every_definition_stands_against_the_claim(depopulation_site, converged_depopulation):
    said = words(depopulation_site / "depopulation.html")
    for name in converged_depopulation.share["definition"].unique():
        assert f"Municipalities in decline by period, %: {name}" in said
        assert shares(converged_depopulation, name)


def test_periods_stand_against_the_ones_before(depopulation_site, converged_depopulation):
    said = words(depopulation_site / "depopulation.html")
    for row in changes(converged_depopulation):
        assert f"{row['first']} to {row['last']}" in said
        assert row["kinds"].keys() == {"published", "recorded", "true", "underlying"}


def test_what_boundaries_change_is_said_in_numbers(depopulation_site, converged_depopulation):
    said = words(depopulation_site / "depopulation.html")
    found = boundaries(converged_depopulation)
    assert [row["period"] for row in found] == ["1990-2000", "2000-2010", "2010-2020"]
    for row in found:
        assert f"{row['period']}: {row['published']['losing']:.0f} of" in said


def test_only_definitions_the_paper_could_have_known_can_fit_it(converged_depopulation):
    for row in fitting(converged_depopulation):
        assert row["end"] <= 2006
        if row["kind"] in ("true", "underlying"):
            assert row["eti90_lower"] <= 34.0 <= row["eti90_upper"]
        else:
            assert abs(row["median"] - 34.0) <= 1.0


def test_what_the_model_misses_is_listed(depopulation_site, converged_depopulation):
    said = words(depopulation_site / "depopulation.html")
    listed = missed(converged_depopulation)
    assert f"{len(listed)} of {len(converged_depopulation.predictive)} lie outside" in said
    for row in listed:
        assert f"{row['description']}, {row['interval']}:" in said


def test_municipalities_shown_are_chosen_by_rule(converged_depopulation):
    codes = [code for code, _ in chosen(converged_depopulation)]
    assert 0 < len(codes) <= 12
    assert len(set(codes)) == len(codes)


def test_pages_and_pictures_are_small(depopulation_site):
    pictures = list((depopulation_site / "assets").glob("depopulation_*"))
    assert len(pictures) >= 10
    size = sum(path.stat().st_size for path in pictures)
    assert size + (depopulation_site / "depopulation.html").stat().st_size < 3_000_000


@pytest.mark.browser
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_opens_without_error_or_sideways_scroll(browser, depopulation_site, viewport):
    page = browser.new_page(viewport=viewport)
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto((depopulation_site / "depopulation.html").as_uri())
    for details in page.locator("main details").all():
        details.evaluate("element => { element.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    assert page.evaluate(broken) == 0
    page.close()
    assert trouble == []
