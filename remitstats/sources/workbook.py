"""Reading an official Excel workbook as published: the cells of its first sheet as text."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from openpyxl import load_workbook

from remitstats.errors import PanelError
from remitstats.sources.files import SourceFile
from remitstats.sources.reading import locate


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
        with closing(load_workbook(path, read_only=True, data_only=True)) as book:
            rows = [
                ["" if cell is None else str(cell) for cell in row]
                for row in book.worksheets[0].iter_rows(values_only=True)
            ]
    except Exception as error:  # openpyxl raises whatever its ZIP and XML readers raise
        raise PanelError(f"The official file {path} is no Excel workbook: {error}.") from error
    if not rows:
        raise PanelError(f"The first sheet of the official file {path} is empty.")
    return rows
