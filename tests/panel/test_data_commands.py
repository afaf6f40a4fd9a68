"""The commands `remitstats data check`, `info` and `export`, as a user sees them."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

from remitstats.cli.data import app
from remitstats.cli.data_check import _print_problems
from remitstats.errors import Problem
from remitstats.panel.file import read_panel, write_folder, write_panel
from remitstats.panel.load import load_mexico


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_valid_panel_is_one_line_and_exit_code_0(small_panel, tmp_path):
    write_panel(small_panel, tmp_path / "panel.parquet")
    result = run("check", tmp_path / "panel.parquet")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert "is a valid panel: 5 municipalities, 3 waves (2000, 2010, 2020), 2 states" in (
        result.stdout
    )
    assert small_panel.hash in result.stdout


def test_every_problem_is_a_line_and_the_exit_code_is_2(write_csv):
    path = write_csv(dwellings="n.d.", receiving_percent="101")
    result = run("check", path)
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert lines[0].endswith("is not a valid panel: 2 problems.")
    assert [line.split("column ")[1].split(":")[0] for line in lines[1:]] == [
        "dwellings",
        "receiving_percent",
    ]


def test_more_than_twenty_problems_are_all_listed(tmp_path):
    rows = "".join(f"01{number:03d},2000,-1,1\n" for number in range(1, 12))
    more = "".join(f"02{number:03d},2000,-1,1\n" for number in range(1, 12))
    path = tmp_path / "bad.csv"
    path.write_text("cvegeo,wave,dwellings,receiving_percent\n" + rows + more)
    problems = json.loads(run("check", path, "--json").stdout)["problems"]
    lines = run("check", path).stdout.splitlines()[1:]
    assert len(lines) == len(problems) > 20
    assert all(line.startswith("  - ") for line in lines)


def test_a_panel_too_small_for_the_model_is_told_apart(small_panel, tmp_path):
    table = small_panel.table("municipality_wave")
    table.loc[table["wave"] > 2000, "receiving_percent"] = None
    panel = small_panel.with_table("municipality_wave", table)
    write_panel(panel, tmp_path / "one.parquet")
    result = run("check", tmp_path / "one.parquet")
    assert result.exit_code == 2
    assert "in order but not enough for the reliance model" in result.stdout
    assert "one wave of 3 with data, 2000" in result.stdout
    assert run("check", tmp_path / "one.parquet", "--schema-only").exit_code == 0


def test_what_a_panel_lacks_is_said_and_is_no_fault(small_panel, tmp_path):
    write_panel(small_panel.select(["02"]), tmp_path / "one.parquet")
    result = run("check", tmp_path / "one.parquet")
    assert result.exit_code == 0
    assert "All municipalities are of one state" in result.stdout
    answer = json.loads(run("check", tmp_path / "one.parquet", "--json").stdout)
    assert answer["valid"] is True
    assert answer["missing"] == ["states"]


def test_json_carries_the_fields_of_each_problem(write_csv):
    result = run("check", write_csv(cvegeo="1001"), "--json")
    assert result.exit_code == 2
    answer = json.loads(result.stdout)
    assert answer["valid"] is False
    (problem,) = answer["problems"]
    assert set(problem) == {"table", "row", "column", "found", "accepted", "remedy"}
    assert '"01001"' in problem["remedy"]


def test_json_of_a_valid_panel_has_its_hash(small_panel, tmp_path):
    write_panel(small_panel, tmp_path / "panel.parquet")
    answer = json.loads(run("check", tmp_path / "panel.parquet", "--json").stdout)
    assert answer["valid"] is True
    assert answer["hash"] == small_panel.hash
    assert answer["problems"] == []


def test_a_missing_file_is_a_sentence_not_a_traceback(tmp_path):
    result = run("check", tmp_path / "nothing.csv")
    assert result.exit_code == 2
    assert "There is no file or folder" in result.stdout
    assert "Traceback" not in result.output


@pytest.mark.parametrize("written", ["[bold red]12", "=HYPERLINK(1)", "\x1b[2J", ":boom:"])
def test_what_stands_in_a_cell_is_printed_harmlessly(write_csv, written):
    result = run("check", write_csv(receiving_percent=written))
    assert written.replace("\x1b", "\\x1b") in result.stdout
    assert "\x1b" not in result.stdout


def test_a_terminal_gets_a_table_with_nothing_read_as_markup():
    screen = Console(file=io.StringIO(), force_terminal=True, width=140, color_system=None)
    _print_problems(screen, [Problem("t", "row 1", "c", '"[red]x[/red]"', "anything", "")])
    assert '"[red]x[/red]"' in screen.file.getvalue()


def test_info_shows_tables_coverage_publishers_and_check_figures():
    result = run("info", "--json")
    assert result.exit_code == 0
    facts = json.loads(result.stdout)
    assert facts["hash"] == load_mexico().hash
    assert facts["check_figures"]["reliance_percent"] == {
        "2000": 4.351,
        "2010": 3.623,
        "2020": 5.054,
    }
    assert facts["check_figures"]["population"] == {
        "1990": 81_249_645,
        "1995": 91_158_290,
        "2000": 97_483_412,
        "2005": 103_263_388,
        "2010": 112_336_538,
        "2015": 119_530_753,
        "2020": 126_014_024,
    }
    assert facts["tables"]["municipality_quarter"]["from"] == "2013Q1"
    assert any("CONAPO" in entry["publisher"] for entry in facts["publishers"])


def test_info_is_readable_without_json():
    result = run("info")
    assert result.exit_code == 0
    assert "2,456 municipalities, 32 states, waves 2000, 2010, 2020" in result.stdout
    assert "Banco de México" in result.stdout


def test_info_of_ones_own_panel(small_panel, tmp_path):
    write_panel(small_panel, tmp_path / "panel.parquet")
    result = run("info", tmp_path / "panel.parquet")
    assert result.exit_code == 0
    assert "A made-up country" in result.stdout
    assert "5 municipalities, 2 states" in result.stdout


def test_export_writes_tables_that_read_back_the_same(small_panel, tmp_path):
    write_folder(small_panel, tmp_path / "panel")
    result = run("export", "--out", tmp_path / "out", "--file", tmp_path / "panel")
    assert result.exit_code == 0
    assert "municipality_wave.csv" in result.stdout
    assert read_panel(tmp_path / "out").hash == small_panel.hash
