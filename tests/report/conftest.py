"""Reports of simulated results, a browser to open them, and where their numbers come from."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from remitstats.estimands.results import RelianceResults
from remitstats.panel.panel import Panel
from remitstats.report import build_report
from remitstats.report.formats import show
from remitstats.report.numbers import keys_of

# The helpers beside this file.
sys.path.insert(0, str(Path(__file__).parent))
from simulated_results import panel_for, simulate

HOSTILE = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    '=cmd|" /C calc"!A0',
    "-1+1",
    "@SUM(A1)",
    "quote \" and ' and \\ </script><!--",
    "\u202eright to left\u202c أهلا",
    "$x^2_{$ unbalanced",
    "{{ 7 * 7 }} {name} %s",
)


CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000  # milliseconds, for machines that do other things too


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's chromium; tests that need it are skipped where it isn't, but never in CI."""
    from playwright.sync_api import expect, sync_playwright

    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"no browser: {CHROMIUM} (Debian's package chromium) is not installed")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


DESKTOP = {"width": 1280, "height": 900}
LOCAL = ("file:", "blob:", "data:")


@contextmanager
def watch(browser: Any, viewport: dict[str, int] = DESKTOP, **options: Any) -> Iterator[Any]:
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


@pytest.fixture(scope="session")
def watched() -> Callable[..., Any]:
    return watch


MARK = re.compile(r'<data value="([^"]*)" data-source="([^"]*)" data-kind="([^"]*)">([^<]*)</data>')


def source_value(site: Path, source: str, cache: dict[str, Any]) -> float:
    """The number that a mark points at, from the files beside the pages."""
    place, _, rest = source.partition("|")
    folder, _, table = place.rpartition("/")
    if table == "results.json":
        value = cache.setdefault(place, json.loads((site / place).read_text("utf-8")))
        for step in rest.split("/"):
            value = value[int(step)] if isinstance(value, list) else value[step]
        return float(value)
    keys, _, column = rest.rpartition("|")
    if place not in cache:
        path = site / folder / "summaries" / f"{table}.csv"
        frame = pd.read_csv(path, encoding="utf-8-sig", dtype=str)
        names = list(keys_of(f"{folder}/" if folder else "", table))
        cache[place] = frame.set_index(frame[names].agg(",".join, axis=1))
        assert cache[place].index.is_unique, place
    return float(cache[place].loc[keys, column])


@pytest.fixture(scope="session")
def walk_numbers() -> Callable[[Path], int]:
    """Follow every number of a site's pages, in both languages, to its source; how many."""

    def walk(site: Path, pages: str = "*.html") -> int:
        cache: dict[str, Any] = {}
        seen = 0
        for page in (*site.glob(pages), *site.glob(f"es/{pages}")):
            language = "es" if page.parent.name == "es" else "en"
            html = page.read_text("utf-8")
            marks = MARK.findall(html)
            assert len(marks) == html.count("<data "), page.name
            for stated, source, kind, text in marks:
                value = source_value(site, unescape(source), cache)
                assert float(stated) == value, source
                assert unescape(text) == show(value, kind, language), source
                seen += 1
        return seen

    return walk


def carried(site: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What explorer page and the scripts of the states carry: sections, numbers by municipality."""
    html = (site / "explorer.html").read_text("utf-8")
    found = re.search(r'id="explorer-data">(.*?)</script>', html, re.S)
    assert found is not None
    head, numbers = json.loads(found[1]), {}
    for _, _, file in head["states"]:
        script = (site / f"assets/explorer/{file}.js").read_text("utf-8")
        held = re.fullmatch(r"remitstatsExplorer\.add\((\".*?\"),(\{.*\})\);\n", script, re.S)
        assert held is not None
        numbers |= json.loads(held[2])
    return head, numbers


def explorer_numbers(site: Path) -> dict[tuple[str, str, str], list[float]]:
    """The numbers that a site's explorer carries, by series, municipality and time."""
    head, numbers = carried(site)
    found = {}
    for at, section in enumerate(head["sections"]):
        for s, series in enumerate(section["series"]):
            for code, (_, _, lists) in numbers.items():
                values = lists[at][s]
                for t, when in enumerate(series["whens"]):
                    parts = values[t * series["parts"] : (t + 1) * series["parts"]]
                    if parts and parts[0] is not None:
                        found[series["key"], code, when] = parts
    return found


@pytest.fixture(scope="session")
def explorer_files() -> Callable[[Path], tuple[dict[str, Any], dict[str, Any]]]:
    return carried


@pytest.fixture(scope="session")
def explorer_carries() -> Callable[[Path], dict[tuple[str, str, str], list[float]]]:
    return explorer_numbers


@pytest.fixture(scope="session")
def simulated() -> Callable[..., RelianceResults]:
    return simulate


@pytest.fixture(scope="session")
def grid_panel() -> Callable[..., Panel]:
    return panel_for


@pytest.fixture(scope="session")
def hostile_names() -> tuple[str, ...]:
    return HOSTILE


@pytest.fixture(scope="session")
def results() -> RelianceResults:
    return simulate()


@pytest.fixture
def report_with(results: RelianceResults, tmp_path: Path) -> Callable[..., Path]:
    """Return what builds the report, in English and without maps, with results of other models."""

    def build(**others: Any) -> Path:
        panel = panel_for(results, shapes=False)
        return build_report(results, panel, tmp_path, others=others, languages=["en"]).parent

    return build


@pytest.fixture(scope="session")
def site(results: RelianceResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of converged simulated results."""
    return build_report(results, panel_for(results), tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="session")
def stuck_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of results that did not converge."""
    results = simulate(converged=False)
    return build_report(
        results, panel_for(results), tmp_path_factory.mktemp("stuck"), languages=["en"]
    ).parent


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of municipalities with hostile names."""
    results = simulate(names=HOSTILE)
    return build_report(
        results, panel_for(results), tmp_path_factory.mktemp("hostile"), languages=["en"]
    ).parent
