"""Simulated results: draws from a made-up posterior, summarised as a real fit would be.

Nothing here is an estimate of anything; names, codes and numbers are invented.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from remitstats.estimands.results import RelianceResults
from remitstats.panel.panel import Panel
from remitstats.report import build_report
from remitstats.report.formats import show
from remitstats.report.numbers import keys_of

DRAWS = 400
NAMES = ("Ácambaro", "León de los Aldama", "Peñón Blanco", "Zumpango", "El Oro", "Tlalpan")
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
STATES = {"01": ("Uno", "North"), "02": ("Dos", "Centre"), "03": ("Tres", "Centre")}
CONVERGED = {"converged": True, "reasons": [], "r_hat_max": 1.003, "ess_bulk_min": 811.0}
STUCK = {
    "converged": False,
    "reasons": ["R-hat of sigma_state is 1.2", "bulk ESS of rho is 13 <b>bold</b>"],
    "remedies": ["take more draws: --draws 5600", "run several: --chains 4 <b>bold</b>"],
    "r_hat_max": 1.2,
    "ess_bulk_min": 13.0,
}


def _summary(draws: np.ndarray) -> dict[str, np.ndarray]:
    """Summaries over the first axis."""
    lower, median, upper = np.quantile(draws, [0.05, 0.5, 0.95], axis=0)
    return {
        "mean": draws.mean(0),
        "sd": draws.std(0),
        "median": median,
        "eti90_lower": lower,
        "eti90_upper": upper,
    }


def simulate(
    *,
    units: int = 18,
    waves: Sequence[int] = (2000, 2010, 2020),
    states: Sequence[str] = ("01", "02"),
    names: Sequence[str] = NAMES,
    converged: bool = True,
    seed: int = 1,
) -> RelianceResults:
    rng = np.random.default_rng(seed)
    state = np.array([states[i * len(states) // units] for i in range(units)])
    place = pd.DataFrame(
        {
            "cvegeo": [f"{s}{i + 1:03d}" for i, s in enumerate(state)],
            "name": [names[i % len(names)] for i in range(units)],
            "state": state,
            "state_name": [STATES[s][0] for s in state],
            "region": [STATES[s][1] for s in state],
        }
    )
    dwellings = rng.integers(300, 90_000, (units, len(waves)))
    truth = rng.normal(-2.5, 1, (units, 1)) + rng.normal(0, 0.4, (units, len(waves)))
    spread = 8 / np.sqrt(dwellings)
    draws = 100 / (1 + np.exp(-truth - spread * rng.normal(size=(DRAWS, units, len(waves)))))
    ranks = (-draws).argsort(1).argsort(1) + 1
    level, change, group, group_change = [], [], [], []
    whole = (draws * (dwellings / dwellings.sum(0))).sum(1, keepdims=True)
    for t, wave in enumerate(waves):
        rank = _summary(ranks[:, :, t])
        measured = np.ones(units, bool)
        measured[-1] = t > 0  # one municipality without data in the first wave
        published = np.where(measured, draws[0, :, t], np.nan)
        level.append(
            place.assign(
                wave=wave,
                dwellings=pd.array(np.where(measured, dwellings[:, t], 0), "Int64"),
                published_percent=published,
                measured=measured,
                **_summary(draws[:, :, t]),
                rank_median=rank["median"],
                rank_eti90_lower=rank["eti90_lower"],
                rank_eti90_upper=rank["eti90_upper"],
                **{f"p_above_{x}": (draws[:, :, t] > x).mean(0) for x in (5, 10, 20)},
                p_above_nation=(draws[:, :, t] > whole[:, :, t]).mean(0),
            )
        )
        level[-1].loc[~measured, "dwellings"] = pd.NA
    pairs = list(itertools.combinations(range(len(waves)), 2))
    for a, b in pairs:
        moved = draws[:, :, b] - draws[:, :, a]
        change.append(
            place.assign(
                from_wave=waves[a],
                to_wave=waves[b],
                **_summary(moved),
                p_increase=(moved > 0).mean(0),
            )
        )
    groups = [("nation", "MX", "Nowhere", np.ones(units, bool))]
    groups += [
        ("region", r, r, (place["region"] == r).to_numpy()) for r in place["region"].unique()
    ]
    groups += [("state", s, STATES[s][0], state == s) for s in dict.fromkeys(state)]
    for kind, code, name, members in groups:
        key = {"level": kind, "code": code, "name": name}
        weight = dwellings[members] / dwellings[members].sum(0)
        share = (draws[:, members] * weight).sum(1)
        for t, wave in enumerate(waves):
            total = int(dwellings[members, t].sum())
            receiving = _summary(share[:, t] * total / 100)
            group.append(
                {
                    **key,
                    "wave": wave,
                    "dwellings": total,
                    "published_percent": float(share[0, t]),
                    **_summary(share[:, t]),
                    "receiving_dwellings_mean": receiving["mean"],
                    "receiving_dwellings_eti90_lower": receiving["eti90_lower"],
                    "receiving_dwellings_eti90_upper": receiving["eti90_upper"],
                }
            )
        for a, b in pairs:
            moved = share[:, b] - share[:, a]
            group_change.append(
                {
                    **key,
                    "from_wave": waves[a],
                    "to_wave": waves[b],
                    **_summary(moved),
                    "p_increase": float((moved > 0).mean()),
                }
            )
    predictive = [
        {
            "statistic": statistic,
            "description": f"{statistic} of the published percentages",
            "wave": wave,
            "observed": float(rng.normal(10)),
            "replicated_mean": 10.0,
            "replicated_eti90_lower": 8.4,
            "replicated_eti90_upper": 11.6,
            "p_value": 0.4,
        }
        for statistic in ("mean", "sd", "largest")
        for wave in waves
    ]
    parameter = pd.DataFrame(
        [
            {
                "name": name,
                "description": f"simulated {name}",
                **_summary(rng.gamma(4, 0.2, DRAWS)),
                "r_hat": 1.002,
                "ess_bulk": 811.0,
                "ess_tail": 640.0,
            }
            for name in ("sigma_space", "rho")
        ]
    )
    summary = {
        **(CONVERGED if converged else STUCK),
        "model": "reliance (simulated results)",
        "engine": "none: simulated",
        "ess_tail_min": 640.0,
        "divergences": 0,
        "draws": DRAWS,
        "chains": 1,
        "k_hat": float("nan"),
        "wall_seconds": {"sampling": 1.5},
        "states": list(dict.fromkeys(state)),
        "waves": list(waves),
        "interval": {"kind": "eti", "probability": 0.9},
        "versions": {"remitstats": "0.0", "numpy": np.__version__},
        "panel_hash": "00000000simulated"[:16],
        "seed": seed,
        "model_spec": {"priors": {"rho": "Beta(1, 1)"}, "design_effect": 1.5},
        "command": "remitstats run --seed 1",
        "estimates": {"p_national_at_least_8": {str(wave): 0.001 for wave in waves}},
    }
    columns = ["level", "code", "name", "from_wave", "to_wave", "mean", "sd", "median"]
    return RelianceResults(
        level=pd.concat(level, ignore_index=True),
        change=pd.concat(change, ignore_index=True)
        if change
        else place.iloc[:0].assign(
            **{c: [] for c in (*columns[3:], "eti90_lower", "eti90_upper", "p_increase")}
        ),
        group=pd.DataFrame(group),
        group_change=pd.DataFrame(group_change)
        if group_change
        else pd.DataFrame(columns=[*columns, "eti90_lower", "eti90_upper", "p_increase"]),
        predictive=pd.DataFrame(predictive),
        parameter=parameter,
        summary=summary,
    )


def panel_for(results: RelianceResults, shapes: bool = True, all_states: bool = True) -> Panel:
    """A panel of squares in a grid, one a municipality, one of them with a hole and an island."""
    units = results.level.drop_duplicates("cvegeo")
    squares = [
        shapely.box(-100 + i % 6, 20 + i // 6, -99 + i % 6, 21 + i // 6) for i in range(len(units))
    ]
    squares[0] = shapely.union(
        squares[0].difference(shapely.box(-99.7, 20.3, -99.4, 20.6)),
        shapely.box(-101.5, 20.2, -101.2, 20.5),
    )
    codes = set(units["state"]) if all_states else {*units["state"], "03"}
    tables = {
        "municipality": units[["cvegeo", "name", "state"]].reset_index(drop=True),
        "state": pd.DataFrame(
            [{"state": c, "name": STATES[c][0], "region": STATES[c][1]} for c in sorted(codes)]
        ),
        "account": pd.DataFrame(
            [
                {
                    "source": "made up",
                    "step": "read <i>",
                    "rows_in": 18,
                    "merged": 0,
                    "missing": None,
                    "rows_out": 18,
                    "note": None,
                }
            ]
        ),
    }
    if shapes:
        tables["shape"] = pd.DataFrame(
            {"cvegeo": units["cvegeo"].to_numpy(), "geometry": shapely.to_wkb(squares)}
        )
    dictionary = [
        {
            "table": "municipality_wave",
            "column": "receiving_percent",
            "publisher": "Nobody",
            "source": "Simulated table",
            "vintage": "-",
            "unit": "% of dwellings",
            "definition": "Invented <b>percentage</b>",
            "terms": "none",
        }
    ]
    return Panel(
        tables,
        {"country": "Nowhere", "title": "Simulated panel", "dictionary": dictionary},
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
