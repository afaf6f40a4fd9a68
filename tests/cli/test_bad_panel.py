"""A panel that can't be used: one clear message, exit code 2, nothing written."""

from __future__ import annotations

import re

import pytest

CELLS = (  # row, column, what is found there, what is said about it
    ('02001,2000,"1,200",4', "dwellings", '"1,200"', "Write 1200, without a thousands separator"),
    ("02001,2010,n.d.,4", "dwellings", '"n.d."', "Leave the cell empty where there is no data"),
    ("02002,2000,-5,4", "dwellings", '"-5"', "a whole number of dwellings, 1 or more"),
    ("02002,2010,10.5,4", "dwellings", '"10.5"', "Give a whole number"),
    ("03001,2000,100,101", "receiving_percent", '"101"', "a percentage from 0 to 100"),
    ("03001,2010,100,-1", "receiving_percent", '"-1"', "a percentage from 0 to 100"),
    ("3002,2000,100,1", "cvegeo", '"3002"', 'Write it as the text "03002"'),
    ("03002,2010,100,1", None, None, None),
    ("03002,2010,100,1", "cvegeo", "the same cvegeo and wave as line 9", "one row for each"),
    ("99999,2010,100,1", "cvegeo", '"99999"', "a code of the table municipality"),
)


@pytest.fixture
def bad_cells(write_panel):
    return write_panel([row for row, *_ in CELLS])


def problem_lines(text):
    return [line for line in text.splitlines() if line.startswith("  - ")]


def assert_every_bad_cell_is_named(text):
    lines = problem_lines(text)
    assert len(lines) == 9
    for number, (_, column, found, remedy) in enumerate(CELLS, start=2):
        if column:
            line = next(line for line in lines if f", line {number} " in line)
            assert f"column {column}: found {found}; accepted: " in line
            assert remedy in line


@pytest.mark.parametrize("command", [("run",), ("fit", "reliance")], ids=" ".join)
def test_every_bad_cell_is_named_with_line_column_value_and_remedy(bad_cells, refused, command):
    said = refused(*command, "--panel", bad_cells)
    assert f"{bad_cells} is not a valid panel: 9 problems." in said
    assert_every_bad_cell_is_named(said)


def test_data_check_names_every_bad_cell_as_its_answer(bad_cells, remitstats):
    checked = remitstats("data", "check", bad_cells)
    assert checked.returncode == 2
    assert checked.stderr == ""
    assert_every_bad_cell_is_named(checked.stdout)


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        (r".", ["found no rows", "one row for each municipality and wave"]),
        (r"^02001|^03001", ["a map in 2 parts", "(02002)", "(03002)", "one connected map"]),
    ],
    ids=["no rows", "a map in parts"],
)
def test_too_little_of_a_panel_is_refused(left_out, words, rows, write_panel, refused):
    path = write_panel([row for row in rows if not re.search(left_out, row)])
    said = refused("run", "--panel", path)
    assert len(problem_lines(said)) == 1
    for word in words:
        assert word in said


def test_a_thousands_separator_that_splits_a_cell_is_explained(rows, write_panel, refused):
    said = refused("run", "--panel", write_panel([*rows[:-1], "03002,2010,16,000,1.4"]))
    assert "line 9, column -: found 5 cells; accepted: 4 cells" in said
    assert "write 12345 for 12,345" in said


def test_a_wrong_encoding_is_named_with_its_line_and_the_way_out(rows, write_panel, refused):
    path = write_panel([*rows, "Mulegé,2010,1,1"], encoding="latin-1")
    said = refused("fit", "reliance", "--panel", path)
    assert "line 10" in said
    assert "byte 0xE9" in said
    assert "Save it as UTF-8" in said


def test_a_missing_file_is_named_and_its_neighbour_offered(rows, write_panel, refused):
    path = write_panel(rows)
    missing = path.with_name("mien.csv")
    said = refused("run", "--panel", missing)
    assert f"There is no file or folder {missing}." in said
    assert "did you mean mine.csv?" in said


def test_a_file_that_is_no_table_is_refused(tmp_path, refused):
    path = tmp_path / "mine.parquet"
    path.write_bytes(b"PAR1 half a file")
    assert str(path) in refused("run", "--panel", path)


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ("2,3", ['found "2"', 'Write "02"', 'Write "03"']),
        ("02,99", ['found "99"', "codes of states in the panel: 01, 02"]),
        ("Zacatcas,14", ['found "Zacatcas"', "Zacatecas"]),
        ("01,06", ["a map in 2 parts", "select states that touch one another"]),
        (" , ", ["names no state", "--states 14,32"]),
        ("", ["names no state"]),
    ],
)
def test_states_that_cannot_be_used_are_refused(states, words, refused):
    said = refused("run", "--states", states)
    for word in words:
        assert word in said


def test_names_in_file_and_cells_are_said_as_they_stand(write_panel, refused):
    path = write_panel(["[bold red]02001[/],2000,1,=1+1"], name="[red]mine ñ.csv")
    said = refused("run", "--panel", path)
    assert str(path) in said
    assert '"[bold red]02001[/]"' in said
    assert '"=1+1"' in said
