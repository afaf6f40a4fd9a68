"""A file or folder that is no panel is refused with one clear message."""

from __future__ import annotations

import pytest

from remitstats.errors import PanelError
from remitstats.panel.file import read_panel, write_folder, write_panel
from remitstats.panel.load import load_panel

HEADER = "cvegeo,wave,dwellings,receiving_percent\n"
ROWS = "01001,2000,10,1\n01001,2010,11,2\n"


def message(path) -> str:
    with pytest.raises(PanelError) as caught:
        load_panel(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_missing_file_is_named_and_the_nearest_one_offered(tmp_path):
    (tmp_path / "panel.csv").write_text(HEADER + ROWS)
    text = message(tmp_path / "pannel.csv")
    assert "no file or folder" in text
    assert "did you mean panel.csv?" in text


def test_a_file_in_a_missing_folder_says_so(tmp_path):
    assert "There is no folder" in message(tmp_path / "nowhere" / "panel.csv")


def test_an_empty_file_says_so(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text("")
    assert "an empty file" in message(path)


def test_a_header_without_rows_is_an_empty_panel(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text(HEADER)
    assert "found no rows" in message(path)


def test_a_panel_without_any_percentage_says_so(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text(HEADER + "01001,2000,10,\n02001,2000,11,\n")
    assert "no value at all" in message(path)


def test_latin_1_text_is_refused_with_line_byte_and_remedy(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_bytes((HEADER + ROWS + "Mérida,2000,10,1\n").encode("latin-1"))
    text = message(path)
    assert "line 4" in text
    assert "byte 0xE9 at position 2 of the line" in text
    assert "Mérida" in text
    assert "UTF-8" in text


def test_utf_16_text_is_refused(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_bytes((HEADER + ROWS).encode("utf-16"))
    assert "UTF-16" in message(path)


def test_a_byte_order_mark_is_accepted(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + ROWS).encode())
    assert len(load_panel(path).table("municipality_wave")) == 2


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_one_problem(tmp_path, mark, word):
    path = tmp_path / "panel.csv"
    path.write_text((HEADER + ROWS).replace(",", mark))
    text = message(path)
    assert f"{word} between the columns" in text
    assert text.count("\n") == 1


def test_a_line_with_another_separator_is_reported(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text(HEADER + ROWS + "02001;2000;10;1\n")
    text = message(path)
    assert "line 4" in text
    assert "Separate the cells by commas" in text


def test_a_thousands_separator_that_splits_a_cell_is_explained(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text(HEADER + ROWS + "02001,2000,12,345,1\n")
    text = message(path)
    assert "found 5 cells; accepted: 4 cells" in text
    assert "write 12345 for 12,345" in text.lower()


def test_an_unclosed_quotation_mark_is_reported(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text(HEADER + ROWS + '"02001,2000,10,1\n')
    assert "Check the quotation marks" in message(path)


@pytest.mark.parametrize("start", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest"])
def test_an_excel_workbook_is_refused_whatever_its_name(tmp_path, start):
    path = tmp_path / "panel.csv"
    path.write_bytes(start)
    assert "save it as CSV UTF-8" in message(path)


def test_a_truncated_parquet_file_is_refused(tmp_path, small_panel):
    path = tmp_path / "panel.parquet"
    write_panel(small_panel, path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "breaks off before its end" in message(path)


def test_a_parquet_file_damaged_inside_is_refused(tmp_path, small_panel):
    path = tmp_path / "panel.parquet"
    write_panel(small_panel, path)
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    assert "a damaged file" in message(path)


def test_text_called_parquet_is_refused(tmp_path):
    path = tmp_path / "panel.parquet"
    path.write_text(HEADER + ROWS)
    assert "can't be read as Parquet" in message(path)


def test_an_empty_file_called_parquet_is_refused(tmp_path):
    path = tmp_path / "panel.parquet"
    path.write_bytes(b"")
    assert "can't be read as Parquet" in message(path)


def test_a_folder_without_tables_says_what_it_looks_for(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    assert "municipality_wave.csv or .parquet" in message(tmp_path)


def test_excel_files_in_a_folder_are_reported(tmp_path):
    (tmp_path / "municipality_wave.xlsx").write_bytes(b"PK\x03\x04")
    assert "a spreadsheet file" in message(tmp_path)


def test_an_unknown_table_is_reported_with_the_nearest_name(tmp_path, small_panel):
    folder = tmp_path / "folder"
    write_folder(small_panel, folder)
    (folder / "adjacency.csv").rename(folder / "adjacencies.csv")
    text = message(folder)
    assert "adjacencies" in text
    assert "Did you mean adjacency?" in text


def test_a_folder_without_the_required_table_says_so(tmp_path, small_panel):
    folder = tmp_path / "folder"
    write_folder(small_panel, folder)
    (folder / "municipality_wave.csv").rename(folder / "municipality_waves.csv")
    assert "Rename municipality_waves to municipality_wave" in message(folder)


def test_missing_and_unknown_columns_point_to_each_other(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text((HEADER + ROWS).replace("receiving_percent", "recieving_percent"))
    text = message(path)
    assert "Did you mean receiving_percent?" in text
    assert "Rename recieving_percent to receiving_percent" in text


def test_a_column_name_given_twice_is_reported(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text("cvegeo,wave,wave,dwellings,receiving_percent\n01001,2000,2000,10,1\n")
    assert 'the column name "wave" twice' in message(path)


def test_bad_metadata_is_reported(tmp_path, small_panel):
    folder = tmp_path / "folder"
    write_folder(small_panel, folder)
    (folder / "metadata.json").write_text("{")
    assert "not JSON" in message(folder)


def test_one_table_in_two_files_is_reported(tmp_path, small_panel):
    folder = tmp_path / "folder"
    write_folder(small_panel, folder)
    small_panel.table("state").to_parquet(folder / "state.parquet")
    assert "two files of one table" in message(folder)


def test_read_panel_also_refuses_cells_of_the_wrong_type(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text(HEADER + ROWS + "02001,2000,many,1\n")
    with pytest.raises(PanelError) as caught:
        read_panel(path)
    assert [(p.row, p.column) for p in caught.value.problems] == [("line 4", "dwellings")]
