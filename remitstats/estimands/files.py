"""Writing tables and numbers so that other programs read them right, and never half a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remitstats.panel.atomic import whole_file

_FORMULA = frozenset("=+-@\t\r\n")


def guard_formula(text: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    if isinstance(text, str) and text.lstrip(" ")[:1] in _FORMULA and text.strip(" "):
        return "'" + text
    return text


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: NumPy scalars to Python's, NaN and infinities to None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)


def rounded(table: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Return a copy with the floats rounded; -0.0 becomes 0.0."""
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(decimals) + 0.0 for name in floats})


def replace_file(path: Path, content: str | Callable[[Path], None]) -> Path:
    """Write a file under a temporary name beside its place, then move it there in one step.

    Parameters
    ----------
    path : Path
        Where the file shall stand.
    content : str or callable
        The text, or what writes the file at the path it is given.

    Returns
    -------
    Path
        `path`.
    """
    with whole_file(path) as temporary:
        if isinstance(content, str):
            temporary.write_text(content, encoding="utf-8", newline="\n")
        else:
            content(temporary)
    return path


def write_parquet(path: Path, table: pd.DataFrame) -> Path:
    """Write a table as Parquet."""
    return replace_file(
        path, lambda place: table.to_parquet(place, index=False, compression="zstd")
    )


def write_csv(path: Path, table: pd.DataFrame) -> Path:
    """Write a table as CSV for people: UTF-8 with a byte-order mark, formulas made harmless."""
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    guarded = table.assign(**{name: table[name].map(guard_formula) for name in texts})
    # Spreadsheets take a file without the mark for their own code page and break the accents.
    return replace_file(
        path,
        lambda place: guarded.to_csv(place, index=False, encoding="utf-8-sig", lineterminator="\n"),
    )
