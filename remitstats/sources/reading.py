"""Reading an official file as published: encodings, columns, numbers, codes.

Every cell is read as text first, so that leading zeros, ``-``, ``n.d`` and thousands separators
are seen as they stand. What is not expected is refused with the line it stands on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.sources.source_file import SourceFile
from remitstats.untrusted import read_bytes

MISSING_MARKS = ("", "-", "n.d", "n.d.", "N. D.", "N.D.", "ND")
"""How the publishers write "no figure"."""

_MOST_PROBLEMS = 50


def locate(raw: Path, file: SourceFile) -> Path:
    """Return the path of an official file under the raw folder.

    Raises
    ------
    PanelError
        If the raw folder or the file is not there.
    """
    _require_folder(raw)
    path = raw / file.path
    if not path.is_file():
        raise PanelError(
            f"The official file {file.path} is missing from {raw}.", [_missing(raw, file)]
        )
    return path


def require_files(raw: Path, files: Iterable[SourceFile]) -> None:
    """Refuse a folder that lacks official files, naming all of them at once.

    Raises
    ------
    PanelError
        If the folder or any of the files is not there.
    """
    _require_folder(raw)
    missing = {file.path: file for file in files if not (raw / file.path).is_file()}
    if missing:
        what = f"{len(missing)} official files are"
        if len(missing) == 1:
            what = f"The official file {next(iter(missing))} is"
        problems = [_missing(raw, file) for file in missing.values()]
        raise PanelError(f"{what} missing from {raw}.", problems)


def _require_folder(raw: Path) -> None:
    if not raw.is_dir():
        what = "is not a folder" if raw.exists() else "does not exist"
        raise PanelError(f"The folder of official files {raw} {what}.")


def _missing(raw: Path, file: SourceFile) -> Problem:
    accepted = f"{file.publisher}, {file.table}"
    remedy = f"Save it as {raw / file.path}."
    return Problem(file.path, "-", "-", "no such file", accepted, remedy)


def read_text(raw: Path, file: SourceFile) -> str:
    """Return the text of an official file, decoded as its publisher encodes it.

    Latin-1 decodes any bytes, so a file that should be latin-1 and is in fact UTF-8 would turn
    ``é`` into ``Ã©`` unnoticed; it is recognised and refused here.

    Raises
    ------
    PanelError
        If the file is missing, unreadable, empty or in another encoding.
    """
    path = locate(raw, file)
    try:
        content = read_bytes(path)
    except OSError as error:
        raise PanelError(f"The official file {path} can't be read: {error.strerror}.") from error
    if not content.strip():
        raise PanelError(f"The official file {path} is empty.")
    found = _encoding_of(content)
    if found not in ("ascii", file.encoding):
        raise PanelError(
            f"The official file {file.path} is not in the encoding it is published in.",
            [
                Problem(
                    file.path,
                    f"line {_first_accented_line(content)}",
                    "-",
                    f"bytes that read as {found}",
                    file.encoding,
                    "Take the file as the publisher offers it, not saved anew by a spreadsheet.",
                )
            ],
        )
    return content.decode(file.encoding).removeprefix("\ufeff")


def _encoding_of(content: bytes) -> str:
    if content.isascii():
        return "ascii"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _first_accented_line(content: bytes) -> int:
    lines = content.splitlines()
    return next(number for number, line in enumerate(lines, 1) if not line.isascii())


def csv_rows(raw: Path, file: SourceFile) -> list[list[str]]:
    """Return the rows of a CSV file, every cell as text.

    Raises
    ------
    PanelError
        As `read_text`; also if a cell is of a size no cell of a table has.
    """
    reader = csv.reader(io.StringIO(read_text(raw, file), newline=""))
    try:
        return list(reader)
    except csv.Error as error:
        problem = Problem(file.path, f"line {reader.line_num}", "-", str(error), "cells of a table")
        raise PanelError(f"The official file {file.path} is no table.", [problem]) from error


def read_table(raw: Path, file: SourceFile) -> pd.DataFrame:
    """Return a CSV file as published: every cell as text, ``line`` as the index.

    Raises
    ------
    PanelError
        If the file is missing, in another encoding, has lost or unexpected columns, rows of
        another width, or no rows.
    """
    rows = csv_rows(raw, file)
    header, *body = rows
    header = [name.strip() for name in header]
    check_columns(file, header)
    lines = [number for number, row in enumerate(body, 2) if row]
    body = [row for row in body if row]
    odd = [
        Problem(file.path, f"line {line}", "-", f"{len(row)} cells", f"{len(header)} cells")
        for line, row in zip(lines, body, strict=True)
        if len(row) != len(header)
    ]
    if odd:
        raise PanelError(f"The official file {file.path} has rows of another width.", odd)
    if not body:
        raise PanelError(f"The official file {file.path} has a header and no rows.")
    return pd.DataFrame(body, columns=header, index=pd.Index(lines, name="line"), dtype=str)


def check_columns(file: SourceFile, header: list[str]) -> None:
    """Refuse a header that lost columns or has unexpected or repeated ones."""
    lost = [name for name in file.columns if name not in header]
    extra = [name for name in header if name not in file.columns] if not file.width else []
    repeated = sorted({name for name in header if header.count(name) > 1})
    problems = [
        *(Problem(file.path, "header", name, "no such column", "this column") for name in lost),
        *(
            Problem(file.path, "header", name, "an unexpected column", ", ".join(file.columns))
            for name in extra
        ),
        *(Problem(file.path, "header", name, "twice", "once") for name in repeated),
    ]
    if file.width and not problems and len(header) != file.width:
        found, accepted = f"{len(header)} columns", f"{file.width} columns"
        remedy = "The publisher may have changed the table: check what was added or dropped."
        problems.append(Problem(file.path, "header", "-", found, accepted, remedy))
    if problems:
        raise PanelError(
            f"The official file {file.path} does not have the columns it is published with.",
            problems,
        )


def numbers(
    file: SourceFile, cells: pd.Series[str], *, whole: bool = False, thousands: bool = False
) -> pd.Series:
    """Return cells of text as numbers; marks of missing figures become nulls.

    Parameters
    ----------
    file : SourceFile
        For the error message.
    cells : Series of str
        Indexed by the line of the file; its name is the column.
    whole : bool
        Only whole numbers are accepted; the result has dtype ``Int64``.
    thousands : bool
        Whether ``1,234`` is a number in this file.

    Raises
    ------
    PanelError
        Naming every cell (up to fifty) that is neither a number nor a known mark.
    """
    text = cells.str.strip()
    known = text.isin(MISSING_MARKS)
    if thousands:
        grouped = text.str.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
        text = text.mask(grouped, text.str.replace(",", "", regex=False))
    values = pd.to_numeric(text.mask(known), errors="coerce").astype("Float64")
    wrong = ~known & (values.isna() | values.abs().eq(float("inf")).fillna(value=False))
    if whole:
        wrong |= (values.notna() & (values % 1 != 0)).fillna(value=False)
    if wrong.any():
        accepted = "a whole number" if whole else "a number"
        raise PanelError(
            f"The official file {file.path} has cells that are no numbers.",
            [
                Problem(file.path, _place(label), str(cells.name), repr(cell), accepted)
                for label, cell in cells[wrong].head(_MOST_PROBLEMS).items()
            ],
        )
    return values.astype("Int64") if whole else values.astype("float64")


def years(file: SourceFile, cells: pd.Series[str]) -> pd.Series:
    """Return a column of years, every one of which must be there.

    Raises
    ------
    PanelError
        Naming every cell (up to fifty) that is no year from 1800 to 2200.
    """
    found = numbers(file, cells, whole=True)
    wrong = ~found.between(1800, 2200).fillna(value=False)
    if wrong.any():
        raise PanelError(
            f"The official file {file.path} has rows without a year.",
            [
                Problem(file.path, _place(label), str(cells.name), repr(cell), "a year")
                for label, cell in cells[wrong].head(_MOST_PROBLEMS).items()
            ],
        )
    return found.astype(int)


def _place(label: object) -> str:
    # CE166 has a series a column, so that a cell is found by line and series.
    if isinstance(label, tuple):
        return f"line {label[0]}, series {label[1]}"
    return f"line {label}"


def codes(file: SourceFile, cells: pd.Series[str], length: int = 5) -> pd.Series[str]:
    """Return INEGI codes with their leading zeros back.

    Only official files may lose zeros without a word: here the column is known to hold codes of
    `length` digits.

    Raises
    ------
    PanelError
        For a cell that is no code of up to `length` digits or a code that stands twice.
    """
    text = cells.str.strip()
    wrong = ~text.str.fullmatch(rf"\d{{1,{length}}}")
    padded = text.str.zfill(length)
    twice = padded.duplicated(keep=False) & ~wrong
    accepted = f"a code of {length} digits, once"
    problems = [
        Problem(file.path, f"line {line}", str(cells.name), repr(cell), accepted)
        for line, cell in cells[wrong | twice].head(_MOST_PROBLEMS).items()
    ]
    if problems:
        raise PanelError(f"The official file {file.path} has wrong or repeated codes.", problems)
    return padded
