"""Reading an official Excel workbook as published: the cells of its first sheet as text."""

from __future__ import annotations

import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from remitstats.errors import PanelError
from remitstats.sources.reading import locate
from remitstats.sources.source_file import SourceFile

UNPACKED = 200_000_000  # bytes; the largest of the official workbooks has 2.5 million
ROWS, COLUMNS = 100_000, 1_000


def read_sheet(raw: Path, file: SourceFile) -> list[list[str]]:
    """Return the rows of the first sheet, every cell as text and empty cells as ``""``.

    Of merged cells only the first has the text.

    Raises
    ------
    PanelError
        If the workbook is missing, no workbook or its first sheet empty.
    """
    path = locate(raw, file)
    try:
        _refuse_bomb(path)
        with closing(load_workbook(path, read_only=True, data_only=True)) as book:
            rows = _rows(path, book.worksheets[0])
    except PanelError:
        raise
    except Exception as error:  # openpyxl raises whatever its ZIP and XML readers raise
        raise PanelError(f"The official file {path} is no Excel workbook: {error}.") from error
    if not rows:
        raise PanelError(f"The first sheet of the official file {path} is empty.")
    return rows


def _refuse_bomb(path: Path) -> None:
    """Refuse a file of a few bytes that would unpack to more than the memory holds.

    A ZIP reader unpacks no more of a part than the directory says of it.
    """
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > UNPACKED:
        raise PanelError(
            f"The official file {path} unpacks to {size / 1e6:,.0f} MB, more than the "
            f"{UNPACKED / 1e6:,.0f} MB that are read: take the file as the publisher offers it."
        )


def _rows(path: Path, sheet: Any) -> list[list[str]]:
    """Return the cells as text; the sheet's own word on its size is not relied on."""
    sheet.reset_dimensions()
    rows: list[list[str]] = []
    for row in sheet.iter_rows(values_only=True):
        if len(rows) == ROWS or len(row) > COLUMNS:
            raise PanelError(
                f"The official file {path} has a sheet of more than {ROWS:,} rows or {COLUMNS:,} "
                "columns: take the file as the publisher offers it."
            )
        rows.append(["" if cell is None else str(cell) for cell in row])
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]
