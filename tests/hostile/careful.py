"""A reader of panels that knows nothing of remitstats: text, commas, plain decimal numbers."""

from __future__ import annotations

import csv
import io
import math
import re
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq

PLAIN = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*")


def number_of(text: str) -> Decimal | None:
    """Return the number that a text plainly is; None if it is none, or no finite float."""
    if not PLAIN.fullmatch(text):
        return None
    number = Decimal(text.strip())
    return number if abs(number) <= Decimal("1.7976931348623157e308") else None


def numbers_of(path: Path) -> dict[tuple[str, int], tuple[Decimal | None, Decimal | None]]:
    """Return dwellings and per cent of every municipality and wave of a panel, as written."""
    path = path / "municipality_wave.csv" if path.is_dir() else path
    content = path.read_bytes()
    if content.startswith(b"PAR1"):
        rows = pq.read_table(path).to_pylist()
    else:
        text = content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    return {
        (code_of(row["cvegeo"]), int(value_of(row["wave"]))): (
            value_of(row["dwellings"]),
            value_of(row["receiving_percent"]),
        )
        for row in rows
    }


def code_of(cell: object) -> str:
    return cell.decode() if isinstance(cell, bytes) else str(cell).strip()


def value_of(cell: object) -> Decimal | None:
    if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, str):
        number = number_of(cell)
        assert number is not None, cell
        return number
    return Decimal(cell)
