"""Every bad cell is reported with its line, column, value, what is accepted and a remedy."""

from __future__ import annotations

import pytest

from remitstats.errors import PanelError
from remitstats.panel.load import load_panel


def problems_of(path):
    with pytest.raises(PanelError) as caught:
        load_panel(path)
    return caught.value.problems


def test_the_unchanged_file_is_valid(write_csv):
    panel = load_panel(write_csv())
    assert len(panel.table("municipality_wave")) == 4


@pytest.mark.parametrize(
    ("column", "written", "found", "remedy"),
    [
        ("cvegeo", "1001", '"1001"', 'the text "01001": its leading zero was lost'),
        ("cvegeo", "1001.0", '"1001.0"', 'the text "01001": its leading zero was lost'),
        ("cvegeo", "", "an empty cell", "Fill in the cell"),
        ("cvegeo", "ABCDE", '"ABCDE"', ""),
        ("cvegeo", "０1001", '"０1001"', ""),
        ("wave", "20x0", '"20x0"', ""),
        ("wave", "10", '"10"', ""),
        ("dwellings", '"12,345"', '"12,345"', "Write 12345, without a thousands separator."),
        ("dwellings", "12 345", '"12 345"', "Write 12345"),
        ("dwellings", "12'345", '"12\'345"', "Write 12345"),
        ("dwellings", "1.234.567", '"1.234.567"', "Write 1234567"),
        ("dwellings", "-3", '"-3"', ""),
        ("dwellings", "0", '"0"', "Leave the cell empty where there is no data"),
        ("dwellings", "12.5", '"12.5"', "Give a whole number"),
        ("dwellings", "99999999999999999999", '"99999999999999999999"', ""),
        ("dwellings", "1e3", '"1e3"', ""),
        ("receiving_percent", "101", '"101"', ""),
        ("receiving_percent", "-0.1", '"-0.1"', ""),
        ("receiving_percent", "n.d.", '"n.d."', "Leave the cell empty where there is no data"),
        ("receiving_percent", "-", '"-"', "Leave the cell empty where there is no data"),
        ("receiving_percent", "N/A", '"N/A"', "Leave the cell empty where there is no data"),
        ("receiving_percent", "NaN", '"NaN"', "Leave the cell empty where there is no data"),
        ("receiving_percent", "inf", '"inf"', "Leave the cell empty where there is no data"),
        ("receiving_percent", "1e999", '"1e999"', ""),
        ("receiving_percent", '"12,345"', '"12,345"', "12.345 if the comma marks decimals"),
        ("receiving_percent", '"12,5"', '"12,5"', "Write 12.5, with a decimal point"),
        ("receiving_percent", "12.5%", '"12.5%"', "Write 12.5, without the % sign"),
        ("receiving_percent", "=1+1", '"=1+1"', ""),
        ("receiving_percent", "１２", '"１２"', ""),
        ("receiving_percent", "\x1b[31m9", r'"\x1b[31m9"', ""),
    ],
)
def test_a_bad_cell_is_named_with_its_line_column_value_and_remedy(
    write_csv, column, written, found, remedy
):
    (problem,) = problems_of(write_csv(**{column: written}))
    assert problem.table == "municipality_wave"
    assert problem.row.startswith("line 3 (cvegeo=")
    assert problem.column == column
    assert problem.found == found
    assert problem.accepted
    assert remedy in problem.remedy


def test_an_unknown_municipality_of_mexico_is_reported(write_csv):
    (problem,) = problems_of(write_csv(cvegeo="01999"))
    assert (problem.column, problem.found) == ("cvegeo", '"01999"')
    assert "municipality" in problem.accepted


def test_a_municipality_made_after_2010_is_sent_to_its_parent(write_csv):
    (problem,) = problems_of(write_csv(cvegeo="23010"))
    assert "23004" in problem.remedy


def test_a_repeated_municipality_and_wave_points_to_the_first(write_csv):
    (problem,) = problems_of(write_csv(wave="2000"))
    assert problem.row == "line 3 (cvegeo=01001, wave=2000)"
    assert problem.found == "the same cvegeo and wave as line 2"


def test_a_percentage_without_its_dwellings_is_reported_and_the_reverse_is_not(write_csv):
    (problem,) = problems_of(write_csv(dwellings=""))
    assert (problem.column, problem.found) == ("dwellings", "an empty cell")
    panel = load_panel(write_csv(receiving_percent=""))
    assert panel.table("municipality_wave")["receiving_percent"].isna().sum() == 1


def test_all_problems_of_a_file_are_reported_at_once(write_csv):
    path = write_csv(cvegeo="1001", wave="x", dwellings="-1", receiving_percent="n.d.")
    path.write_text(path.read_text() + "99,2000,,\n")
    found = [(p.row.split(" (")[0], p.column) for p in problems_of(path)]
    assert found == [
        ("line 3", "cvegeo"),
        ("line 3", "wave"),
        ("line 3", "dwellings"),
        ("line 3", "receiving_percent"),
        ("line 6", "cvegeo"),
    ]


def test_lines_are_counted_across_cells_that_hold_line_breaks(small_panel, tmp_path):
    from remitstats.panel.file import write_folder

    write_folder(small_panel, tmp_path / "folder")
    file = tmp_path / "folder" / "account.csv"
    file.write_text(file.read_text() + "c,third,many,,,,\n".replace(",,,,", ","))
    (problem,) = problems_of(tmp_path / "folder")
    assert (problem.table, problem.row, problem.column) == ("account", "line 5", "rows_in")


@pytest.mark.parametrize("written", ["1200.0", " 1200 ", "+1200", "1200."])
def test_other_ways_to_write_the_same_whole_number_are_read(write_csv, written):
    table = load_panel(write_csv(dwellings=written)).table("municipality_wave")
    assert table["dwellings"].to_list() == [1200] * 4
    assert table["dwellings"].dtype == "Int64"


def test_every_digit_of_a_number_is_kept(write_csv):
    table = load_panel(write_csv(receiving_percent="0.1234567890123456")).table("municipality_wave")
    assert 0.1234567890123456 in table["receiving_percent"].to_list()
