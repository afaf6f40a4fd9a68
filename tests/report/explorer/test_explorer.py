"""What the explorer shows: the numbers of the tables, and none of a fit that did not pass."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from remitstats.estimands.dependence_results import COLUMNS, DependenceResults, empty
from remitstats.report import build_report
from remitstats.report.explorer import sections
from remitstats.report.explorer_data import DIGITS, file_name, gather
from remitstats.report.formats import MISSING, show
from remitstats.report.scope import find_scope
from remitstats.report.surroundings import Surroundings
from remitstats.report.texts import Texts

# Where the numbers of a series stand: table, columns of its time, columns of its parts.
ENDS = ("eti90_lower", "eti90_upper")
PLACES = {
    "reliance": ("level", ("wave",), ("median", *ENDS)),
    "published": ("level", ("wave",), ("published_percent",)),
    "rank": ("level", ("wave",), tuple(f"rank_{key}" for key in ("median", *ENDS))),
    **{f"p_above_{t}": ("level", ("wave",), (f"p_above_{t}",)) for t in (5, 10, 20, "nation")},
    "change": ("change", ("from_wave", "to_wave"), ("median", *ENDS)),
    "p_increase": ("change", ("from_wave", "to_wave"), ("p_increase",)),
}

LISTED = ("reliance", "change", "p_increase")  # in the tables without script


def expected(site):
    """The same numbers, read from the tables: by series, municipality and time."""
    found = {}
    for key, (table, times, columns) in PLACES.items():
        frame = pd.read_parquet(site / f"summaries/{table}.parquet")
        for row in frame.to_dict("records"):
            values = [float(f"{row[column]:.{DIGITS}g}") for column in columns]
            if not pd.isna(values[0]):
                found[key, row["cvegeo"], "–".join(str(row[t]) for t in times)] = values
    return found


def test_every_number_is_the_one_in_the_tables(explorer_site, explorer_panel, explorer_carries):
    found = explorer_carries(explorer_site)
    counts = explorer_panel.table("municipality_census")
    population = {
        ("population", row.cvegeo, str(row.year)): [row.population]
        for row in counts.itertuples(index=False)
    }
    assert found == expected(explorer_site) | population
    assert len(found) > 500


def test_the_tables_without_script_show_the_same_numbers(explorer_site, as_shown, explorer_files):
    wanted = expected(explorer_site)
    head = explorer_files(explorer_site)[0]["sections"][0]["series"]
    kinds = {s["key"]: s["kind"] for s in head}
    seen = 0
    for page in explorer_site.glob("municipalities-*.html"):
        html = page.read_text("utf-8").split("<h2>Reliance</h2>")[1].split("</table>")[0]
        columns = [(s["key"], when) for s in head if s["key"] in LISTED for when in s["whens"]]
        for code, cells in re.findall(r"<td>(\d{5})(<td>.*?)</tr>", html):
            texts = cells.split("<td>")[1:]
            for (key, when), text in zip(columns, texts, strict=True):
                values = wanted.get((key, code, when))
                if values is None:
                    assert text == MISSING
                    continue
                shown = [show(value, kinds[key]) for value in values]
                assert as_shown(text.replace("&lt;", "<").replace("&gt;", ">")) == shown
                seen += 1
    assert seen > 150


def test_neighbours_are_those_of_the_panel(explorer_site, explorer_panel, explorer_files):
    head, numbers = explorer_files(explorer_site)
    pairs = explorer_panel.table("adjacency")
    told = {
        tuple(sorted((code, head["places"][at][0])))
        for code, (near, _, _) in numbers.items()
        for at in near
    }
    assert told == set(pairs[["cvegeo_a", "cvegeo_b"]].itertuples(index=False, name=None))


def test_a_municipality_that_was_not_measured_is_remarked_on(
    explorer_site, results, explorer_files
):
    _, numbers = explorer_files(explorer_site)
    unmeasured = set(results.level.loc[~results.level["measured"], "cvegeo"])
    assert {code for code, (_, notes, _) in numbers.items() if notes} == unmeasured
    assert all(numbers[code][1] == {"reliance": ["unmeasured"]} for code in unmeasured)


def test_no_number_of_a_fit_that_did_not_pass_is_carried(stuck_site, explorer_files):
    head, numbers = explorer_files(stuck_site)
    assert head["sections"][0]["withheld"] == ["reliance"]
    assert head["sections"][0]["series"] == head["sections"][0]["charts"] == []
    assert all(lists == [[]] for _, _, lists in numbers.values())
    for page in stuck_site.glob("municipalities-*.html"):
        html = page.read_text("utf-8")
        assert "did not pass its convergence checks" in html
        assert "<table" not in html


# ---- other models -------------------------------------------------------------------------


def told(found: DependenceResults | None, results, panel, **others):
    """The sections that the results give."""
    texts = Texts("en")
    texts = Texts("en", interval=texts.plain("site.interval"))
    units = results.level[["cvegeo", "state"]].drop_duplicates("cvegeo")
    scope = find_scope(results, panel, texts)
    given = {"reliance": results, **others} | ({} if found is None else {"dependence": found})
    made = sections(given, Surroundings(panel, units, scope, texts, None))
    return gather(made, results.level, panel, texts)


def rows(table_name: str, **columns) -> pd.DataFrame:
    """A table of dependence with some columns filled and all others nought."""
    table = pd.DataFrame(columns)
    numbers = [c for c in COLUMNS[table_name] if c not in table]
    return table.assign(**dict.fromkeys(numbers, 0.0))[list(COLUMNS[table_name])]


@pytest.fixture(scope="module")
def dependence() -> DependenceResults:
    place = {"cvegeo": ["01001", "02010"], "name": ["a", "b"], "state": ["01", "02"]}
    place |= {"reporting": ["steady", "faint"]}
    ends = {"eti90_lower": [7.5, 70.0], "eti90_upper": [9.5, 90.0]}
    level = rows("level", **place, window=["2013", "2013"], median=[8.5, 80.0], **ends)
    newer = level.assign(window="2025/26", median=[10.5, 60.0])
    growth = rows("growth", **place, period=["2013 to 2025/26"] * 2, p_positive=[0.75, 0.125])
    turn = rows("growth", **place, period=["acceleration"] * 2)
    tables = {name: empty(name) for name in COLUMNS}
    tables |= {
        "level": pd.concat([level, newer], ignore_index=True),
        "growth": pd.concat([growth, turn], ignore_index=True),
        "rank": rows("rank", **place, median=[2.0, 1.0], p_first_100=[1.0, 0.5]),
        "ahead": rows("ahead", **place, quarter=["2026Q2", "2026Q2"], median=[11.0, 61.0]),
    }
    windows = {"2013": "2013Q1 to 2013Q4", "2025/26": "2025Q2 to 2026Q1"}
    summary = {"converged": True, "unit": "dollars", "windows": windows}
    return DependenceResults(**tables, summary=summary)


def test_a_model_that_was_not_fitted_has_no_section(results, explorer_panel):
    made = told(None, results, explorer_panel)
    assert [section.key for section in made.sections] == ["reliance", "population"]


def test_dependence_is_shown_with_its_windows_in_time(results, explorer_panel, dependence):
    made = told(dependence, results, explorer_panel)
    (section,) = [each for each in made.sections if each.key == "dependence"]
    (chart,) = section.charts
    assert chart.years["2013"] == 2013.5
    assert chart.years["2025/26"] == 2025.75
    assert chart.years["2026Q2"] == 2026.375
    cells = {each.series.key: each for each in made.cells["dependence"]}
    first = made.codes.get_loc("01001")
    assert cells["level"].whens == ("2013", "2025/26")
    assert cells["level"].numbers[first].tolist() == [[8.5, 7.5, 9.5], [10.5, 7.5, 9.5]]
    assert cells["growth"].whens == ("2013 to 2025/26",)
    assert cells["p_rising"].numbers[made.codes.get_loc("02010")].tolist() == [[0.125]]
    assert "income_share" not in cells
    assert made.noted["02010"]["dependence"] == ["faint"]
    assert "01001" not in made.noted


def test_dependence_that_did_not_pass_is_named_and_not_shown(results, explorer_panel, dependence):
    stuck = replace(dependence, summary={**dependence.summary, "converged": False})
    made = told(stuck, results, explorer_panel)
    (section,) = [each for each in made.sections if each.key == "dependence"]
    assert section.withheld == ("dependence",)
    assert section.series == section.charts == ()


@dataclass(frozen=True)
class Depopulation:
    """What the explorer reads of a fit of population: two of its tables, and its gate."""

    municipality: pd.DataFrame
    outlook: pd.DataFrame
    converged: bool = True


def depopulation(converged: bool = True) -> Depopulation:
    place = {"cvegeo": ["01001", "01002"]}
    ends = ("median", "eti90_lower", "eti90_upper")
    growth = {f"underlying_{key}": [x, x] for key, x in zip(ends, (-1.0, -1.5, -0.5), strict=True)}
    growth |= {f"true_{key}": [x, x] for key, x in zip(ends, (-2.0, -3.0, -1.0), strict=True)}
    municipality = pd.DataFrame(
        {
            **place,
            "interval": "2010-2020",
            "recorded": [-2.25, float("nan")],
            "joint": [False, True],
            **growth,
            "p_decline": 0.875,
            "p_underlying_decline": 0.75,
        }
    )
    outlook = pd.DataFrame(
        {**place, "year": 2030, "p_decline": 0.625, "median": 900.0}
        | {"eti90_lower": 800.0, "eti90_upper": 1000.0}
    )
    return Depopulation(municipality, outlook, converged)


def test_population_is_shown_with_its_growth_and_outlook(results, explorer_panel):
    made = told(None, results, explorer_panel, depopulation=depopulation())
    (section,) = [each for each in made.sections if each.key == "population"]
    charts = {chart.key: chart for chart in section.charts}
    assert charts["population"].years["2030"] == 2030.0
    assert charts["rates"].years == {"2010–2020": 2015.0}
    cells = {each.series.key: each for each in made.cells["population"]}
    first, second = (made.codes.get_loc(code) for code in ("01001", "01002"))
    assert cells["underlying_growth"].numbers[first].tolist() == [[-1.0, -1.5, -0.5]]
    assert cells["recorded_growth"].numbers[first].tolist() == [[-2.25]]
    assert np.isnan(cells["recorded_growth"].numbers[second]).all()
    assert cells["outlook"].numbers[first].tolist() == [[900.0, 800.0, 1000.0]]
    assert cells["p_fewer"].numbers[first].tolist() == [[0.625]]
    assert made.noted["01002"] == {"population": ["joint"]}
    assert "population" not in made.noted.get("01001", {})


def test_of_growth_that_did_not_pass_the_counts_alone_are_shown(results, explorer_panel):
    made = told(None, results, explorer_panel, depopulation=depopulation(converged=False))
    (section,) = [each for each in made.sections if each.key == "population"]
    assert section.withheld == ("depopulation",)
    assert [series.key for series in section.series] == ["population"]


# ---- files --------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["../../x", "a b", "é", "", "x" * 40, "<b>"])
def test_a_code_that_is_no_plain_word_names_no_file(code):
    assert file_name(code, 3) == "state-3"
    assert file_name("14", 3) == "14"


def test_scripts_of_hostile_names_are_plain_ascii_text(hostile_explorer_site):
    for script in (hostile_explorer_site / "assets/explorer").glob("*.js"):
        assert script.read_bytes().isascii()
    html = (hostile_explorer_site / "explorer.html").read_text("utf-8")
    assert "<script>window" not in html


def test_libraries_are_the_published_files():
    folder = files("remitstats.report") / "assets/vendor"
    table = re.findall(
        r"^\| `(\S+)` .*`([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.M
    )
    assert {name for name, _ in table} == {"d3.min.js", "plot.umd.min.js"}
    for name, checksum in table:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
        licence = (folder / f"{name.split('.')[0]}.LICENSE.txt").read_text()
        assert "Permission to use, copy, modify, and/or distribute this software" in licence


def test_the_explorer_of_a_whole_country_stays_small(simulated, grid_panel, tmp_path):
    results = simulated(units=2456, states=("01", "02"))
    build_report(results, grid_panel(results, shapes=False), tmp_path)
    page = (tmp_path / "explorer.html").stat().st_size
    libraries = sum(p.stat().st_size for p in (tmp_path / "assets").rglob("*.js"))
    assert page + libraries < 3_000_000
    for each in tmp_path.glob("municipalities-*.html"):
        assert each.stat().st_size < 3_000_000
