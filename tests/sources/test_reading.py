from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.errors import PanelError
from remitstats.sources.files import FILES
from remitstats.sources.reading import MISSING_MARKS, codes, numbers, read_table
from remitstats.sources.source_file import SourceFile

FILE = SourceFile("test", "a/table.csv", "A publisher", "Table 1", "2020", columns=("code", "n"))
LATIN = SourceFile("old", "a/old.csv", "A publisher", "Table 2", "2000", "latin-1", ("name",))


def save(folder: Path, file: SourceFile, content: bytes) -> Path:
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return folder


def column(*cells: str) -> pd.Series:
    return pd.Series(cells, index=range(2, 2 + len(cells)), name="n", dtype=str)


def test_cells_are_read_as_they_stand(tmp_path):
    table = read_table(save(tmp_path, FILE, b"code,n\r\n01001,-\r\n01002,007\r\n"), FILE)
    assert table.to_dict("list") == {"code": ["01001", "01002"], "n": ["-", "007"]}
    assert list(table.index) == [2, 3]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PanelError, match="nowhere does not exist"):
        read_table(tmp_path / "nowhere", FILE)


def test_a_missing_file_is_named_with_its_publisher_and_place(tmp_path):
    with pytest.raises(PanelError) as caught:
        read_table(tmp_path, FILE)
    assert "a/table.csv is missing" in str(caught.value)
    assert "A publisher, Table 1" in str(caught.value)
    assert str(tmp_path / FILE.path) in str(caught.value)


def test_utf8_where_latin1_is_published_is_refused_with_its_line(tmp_path):
    with pytest.raises(PanelError, match=r"line 3.*utf-8; accepted: latin-1"):
        read_table(save(tmp_path, LATIN, "name\nA\nCalpulálpan\n".encode()), LATIN)


def test_latin1_where_utf8_is_published_is_refused_with_its_line(tmp_path):
    with pytest.raises(PanelError, match=r"line 2.*latin-1; accepted: utf-8"):
        read_table(save(tmp_path, FILE, "code,n\nCósio,1\n".encode("latin-1")), FILE)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    table = read_table(save(tmp_path, FILE, "\ufeffcode,n\n01001,1\n".encode()), FILE)
    assert list(table.columns) == ["code", "n"]


@pytest.mark.parametrize("content", [b"", b"\n  \n"])
def test_an_empty_file_is_refused(tmp_path, content):
    with pytest.raises(PanelError, match="is empty"):
        read_table(save(tmp_path, FILE, content), FILE)


def test_a_header_alone_is_refused(tmp_path):
    with pytest.raises(PanelError, match="no rows"):
        read_table(save(tmp_path, FILE, b"code,n\n"), FILE)


def test_lost_unexpected_and_repeated_columns_are_all_reported(tmp_path):
    with pytest.raises(PanelError) as caught:
        read_table(save(tmp_path, FILE, b"code,m,m\n01001,1,1\n"), FILE)
    found = {(p.column, p.found) for p in caught.value.problems}
    assert ("n", "no such column") in found
    assert ("m", "an unexpected column") in found
    assert ("m", "twice") in found


def test_a_wide_file_of_another_width_is_refused(tmp_path):
    wide = SourceFile("w", "w.csv", "P", "T", "2020", columns=("code",), width=3)
    with pytest.raises(PanelError, match=r"found 2 columns; accepted: 3 columns"):
        read_table(save(tmp_path, wide, b"code,n\n1,2\n"), wide)


def test_a_row_of_another_width_is_refused_with_its_line(tmp_path):
    with pytest.raises(PanelError, match=r"line 3.*found 3 cells; accepted: 2 cells"):
        read_table(save(tmp_path, FILE, b"code,n\n01001,1\n01002,1,234\n"), FILE)


def test_the_publishers_marks_of_no_figure_are_missing():
    assert numbers(FILE, column(*MISSING_MARKS)).isna().all()


def test_zero_is_a_figure():
    assert list(numbers(FILE, column("0", "0.0"))) == [0.0, 0.0]


def test_other_text_is_refused_with_line_and_column():
    with pytest.raises(PanelError, match=r"line 3, column n: found 'about 5'; accepted: a number"):
        numbers(FILE, column("4", "about 5"))


def test_thousands_separators_are_refused_where_the_file_has_none():
    with pytest.raises(PanelError, match="1,234"):
        numbers(FILE, column("1,234"))


@pytest.mark.parametrize("cell", ["1,23", "12,3456", "1,234,5", ",123"])
def test_commas_that_separate_no_thousands_are_refused(cell):
    with pytest.raises(PanelError, match="no numbers"):
        numbers(FILE, column(cell), thousands=True)


def test_a_fraction_of_a_dwelling_is_refused():
    with pytest.raises(PanelError, match="accepted: a whole number"):
        numbers(FILE, column("12", "12.5"), whole=True)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1))
def test_numbers_with_thousands_separators_are_what_they_say(values):
    read = numbers(FILE, column(*(f"{v:,}" for v in values)), whole=True, thousands=True)
    assert list(read) == values


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1))
def test_numbers_are_read_to_the_last_digit(values):
    read = numbers(FILE, column(*map(repr, values)))
    assert all(math.isclose(a, b, rel_tol=1e-15) for a, b in zip(read, values, strict=True))


@given(st.lists(st.integers(1001, 32058), min_size=1, unique=True))
def test_codes_get_their_leading_zeros_back(values):
    assert [int(code) for code in codes(FILE, column(*map(str, values)))] == values
    assert codes(FILE, column(*map(str, values))).str.len().eq(5).all()


def test_a_code_twice_is_refused_whatever_its_zeros():
    with pytest.raises(PanelError, match="wrong or repeated codes") as caught:
        codes(FILE, column("1001", "01001", "1002"))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("cell", ["", "123456", "1.0", "x"])
def test_a_code_that_is_none_is_refused(cell):
    with pytest.raises(PanelError, match="wrong or repeated codes"):
        codes(FILE, column(cell))


def test_every_official_file_of_the_list_is_there_and_has_its_provenance(raw):
    for file in FILES.values():
        assert (raw / file.path).is_file()
        assert all([file.publisher, file.table, file.vintage, file.terms])
