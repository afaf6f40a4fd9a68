"""Tables as CSV: read strictly, with the line of each row; written so that nothing is lost."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.panel import words
from remitstats.panel.atomic import whole_file
from remitstats.panel.cells import is_null
from remitstats.untrusted import read_bytes

LONGEST_CELL = 20_000_000  # a detailed coast in hexadecimal is longer than the usual limit
MOST_CELLS = 5_000_000
MOST_RAGGED = 1_000  # lines; with more, it is another kind of file
MOST_COLUMNS = 10_000
BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_EXCEL = {b"PK\x03\x04": "an Excel workbook (.xlsx) or a ZIP archive", b"\xd0\xcf\x11\xe0": ".xls"}
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_ACCEPTED = "a CSV file: UTF-8 text, commas between cells, decimal points, names in the first line"


@dataclass(frozen=True)
class TextTable:
    """A table as written in a CSV file.

    Parameters
    ----------
    frame : pandas.DataFrame
        Every cell as its text, null where empty.
    lines : numpy.ndarray of int
        The line of the file on which each row begins, counted from 1.
    problems : list of Problem
        Lines that don't fit the header; they have no row in `frame`.
    """

    frame: pd.DataFrame
    lines: np.ndarray
    problems: list[Problem]


def read_csv(path: Path, table: str) -> TextTable:
    """Read a CSV file without interpreting its cells.

    Raises
    ------
    PanelError
        If the file as a whole is no UTF-8 text separated by commas.
    """
    content = read_bytes(path)
    _refuse_too_many(path, content)
    text = _decoded(path, content)
    del content
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    line = 1
    try:
        for cells in reader:
            first, line = line, reader.line_num + 1
            if not cells:
                continue
            if not header:
                header = cells
                _refuse_other_separator(path, cells)
            elif len(cells) != len(header):
                problems.append(_ragged(table, first, cells, header))
                if len(problems) > MOST_RAGGED:
                    break
            else:
                rows.append(cells)
                lines.append(first)
    except csv.Error as error:
        raise _unfit(path, f"line {line}", str(error), "check the quotation marks") from error
    if not header:
        raise _unfit(path, "-", "an empty file", "")
    names, repeated = _column_names(table, header)
    frame = pd.DataFrame(
        {
            name: pd.Series([row[at] or None for row in rows], dtype=object)
            for at, name in names.items()
        }
    )
    return TextTable(frame, np.array(lines, dtype=int), repeated + problems)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a tidy table as CSV; numbers with all their digits, geometries in hexadecimal."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(frame.columns)
        columns = [[_written(cell) for cell in frame[name]] for name in frame.columns]
        writer.writerows(zip(*columns, strict=True))


def _written(cell: object) -> str:
    if is_null(cell):
        return ""
    if isinstance(cell, bytes):
        return cell.hex()
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    return repr(float(cell)) if isinstance(cell, float) else str(cell)


def _decoded(path: Path, content: bytes) -> str:
    for magic, what in _EXCEL.items():
        if content.startswith(magic):
            raise _unfit(path, "-", what, "in Excel, save it as CSV UTF-8 (comma delimited)")
    if content.startswith(_UTF16):
        raise _unfit(path, "line 1", "UTF-16 text", "save it as UTF-8 without changing anything")
    content = content.removeprefix(BOM)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        start = content.rfind(b"\n", 0, error.start) + 1
        excerpt = content[start : error.end + 20].splitlines()[0].decode("latin-1")
        raise _unfit(
            path,
            f"line {line}",
            f"byte 0x{content[error.start]:02X} at position {error.start - start + 1} of the line, "
            f"which is not UTF-8 (read as Latin-1 the line begins {words.show(excerpt)})",
            "save it as UTF-8: in Excel as CSV UTF-8 (comma delimited), "
            "elsewhere with iconv -f LATIN1 -t UTF-8",
        ) from error


def _refuse_too_many(path: Path, content: bytes) -> None:
    """Refuse what would take minutes and gigabytes as a table of texts, before it does."""
    cells = content.count(b",") + content.count(b"\n") + content.count(b"\r")
    if cells > MOST_CELLS:
        found = f"more than {MOST_CELLS:,} cells or lines"
        raise _unfit(path, "-", found, "save a table of that size as Parquet")
    columns = content[: content.find(b"\n")].count(b",") + 1
    if columns > MOST_COLUMNS:
        found = f"a first line of {columns:,} cells"
        raise _unfit(path, "line 1", found, f"give a table of at most {MOST_COLUMNS:,} columns")


def _refuse_other_separator(path: Path, header: list[str]) -> None:
    if len(header) == 1:
        for mark, word in _SEPARATORS.items():
            if mark in header[0]:
                remedy = "save it with commas between cells and points for decimals"
                raise _unfit(path, "line 1", f"{word} between the columns", remedy)


def _ragged(table: str, line: int, cells: list[str], header: list[str]) -> Problem:
    if len(cells) > len(header):
        remedy = "a comma inside a cell splits it: write 12345 for 12,345 and 12.5 for 12,5"
    elif any(mark in cell for cell in cells for mark in _SEPARATORS):
        remedy = "separate the cells by commas, as in the header"
    else:
        remedy = "give every column a cell, empty where there is no data"
    return words.problem(
        table,
        f"line {line}",
        "-",
        f"{len(cells)} cells",
        f"{len(header)} cells, as in the header",
        remedy,
    )


def _column_names(table: str, header: list[str]) -> tuple[dict[int, str], list[Problem]]:
    names: dict[int, str] = {}
    problems: list[Problem] = []
    for at, name in enumerate(header):
        if name and name not in names.values():
            names[at] = name
            continue
        found = f"the column name {words.show(name)} twice" if name else "a column without a name"
        problems.append(
            words.problem(
                table,
                "line 1",
                words.name(name) or f"number {at + 1}",
                found,
                "one name a column",
                "rename or remove one of them" if name else "name or remove the column",
            )
        )
    return names, problems


def _unfit(path: Path, row: str, found: str, remedy: str) -> PanelError:
    problem = words.problem(path.name, row, "-", found, _ACCEPTED, remedy)
    return PanelError(f"{path} can't be read as CSV.", [problem])
