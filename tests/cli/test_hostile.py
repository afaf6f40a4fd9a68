"""Names a stranger chose go through a whole run and come out as text."""

from __future__ import annotations

import csv
import json
from itertools import pairwise

import pytest

NAMES = ("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "[red]Rojo[/red]", "{{ 7 * 7 }}")
CODES = ("02001", "02002", "03001", "03002")
HEADER = "cvegeo,wave,dwellings,receiving_percent"
MUNICIPALITY = ("cvegeo", "name", "state")
STATE = ("state", "name", "region")
ADJACENCY = ("cvegeo_a", "cvegeo_b", "rook")
OUT = "a <b>bold</b name> & [bold]out"


@pytest.fixture(scope="module")
def done(tmp_path_factory, rows, in_folder):
    """Return the folder and the outcome of a run on a country of such names."""
    folder = tmp_path_factory.mktemp("hostile")
    mine = folder / "mine & [red]"
    mine.mkdir()
    names = zip(CODES, NAMES, strict=True)
    tables = {
        "municipality_wave": [row.split(",") for row in (HEADER, *rows)],
        "municipality": [MUNICIPALITY, *((code, name, code[:2]) for code, name in names)],
        "state": [STATE, ("02", "<img src=x onerror=alert(2)>", "North"), ("03", "@A1", "North")],
        "adjacency": [ADJACENCY, *((a, b, "true") for a, b in pairwise(CODES))],
    }
    for name, lines in tables.items():
        with (mine / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(lines)
    words = (
        "run",
        "--models",
        "reliance",
        "--panel",
        mine.name,
        "--out",
        OUT,
        "--draws",
        20,
        "--tune",
        20,
    )
    return folder, in_folder(folder)(*words, "--chains", 2)


def test_the_run_comes_to_its_end_and_names_the_report_as_it_is(done):
    folder, result = done
    assert result.returncode == 3, result.stderr
    assert result.stdout == f"{OUT}/index.html\n"
    assert (folder / OUT / "index.html").is_file()


def test_no_page_holds_a_name_as_markup(done):
    folder, _ = done
    pages = {path.name: path.read_text("utf-8") for path in (folder / OUT).glob("*.html")}
    assert any("&lt;script&gt;alert(1)" in html for html in pages.values())
    for name, html in pages.items():
        assert "<script>alert" not in html, name
        assert "<img src=x" not in html, name
        assert "<b>bold</b" not in html, name
    assert any("{{ 7 * 7 }}" in html for html in pages.values())


def test_tables_keep_the_names_and_spreadsheets_get_no_formula(done):
    folder, _ = done
    path = folder / OUT / "summaries" / "municipalities.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = {row["cvegeo"]: row["name"] for row in csv.DictReader(file)}
    assert found["02001"] == NAMES[0]
    assert found["02002"] == "'" + NAMES[1]
    assert found["03001"] == NAMES[2]


def test_the_command_in_the_results_is_the_one_given(done):
    folder, _ = done
    command = json.loads((folder / OUT / "results.json").read_text("utf-8"))["command"]
    assert f"--out '{OUT}'" in command
