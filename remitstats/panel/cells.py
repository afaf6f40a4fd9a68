"""Reading the cells of a column as what the schema says, without changing any of them.

A cell either reads as its type exactly or is marked as unreadable; nothing is rounded, guessed or
dropped. Text that is not a plain number ("12,345", "n.d.", "inf") never becomes one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from remitstats.panel.spec import Kind

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"[+-]?[0-9]+(?:\.0*)?")
_LEADING_ZERO = re.compile(r"\s*[+-]?0[0-9]")
TRUTH = {"true": True, "false": False, "1": True, "0": False}
LARGEST_INTEGER = 2**63 - 1
LARGEST_EXACT_FLOAT = 2.0**53  # beyond it a float no longer tells neighbouring integers apart


@dataclass(frozen=True)
class Reading:
    """A column read as its type.

    Parameters
    ----------
    cells : pandas.Series
        The values in their type, null where a cell is empty or unreadable.
    unreadable : numpy.ndarray of bool
        Cells that hold something else than the type accepts.
    """

    cells: pd.Series
    unreadable: np.ndarray


def text_dtype() -> pd.StringDtype:
    """Return the text type of every panel: pandas' own string type with NaN for null."""
    return pd.StringDtype(na_value=np.nan)


def is_null(value: Any) -> bool:
    """Say whether a single cell is empty: None, NaN, pandas' NA or NaT, or no text at all."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, str):
        return value == ""
    return isinstance(value, float | np.floating) and math.isnan(value)


def read_column(series: pd.Series, kind: Kind) -> Reading:
    """Read a column as `kind`.

    Parameters
    ----------
    series : pandas.Series
        Any column: typed, of text, or mixed.
    kind : str
        One of the kinds of `remitstats.panel.schema`.

    Returns
    -------
    Reading
        On the index of `series`. Integers come as nullable integers, numbers as 64-bit floats,
        text as strings, truth values as nullable booleans, geometries as bytes.
    """
    fast = _read_typed(series, kind)
    if fast is not None:
        return fast
    read, null = _READERS[kind]
    values: list[Any] = []
    unreadable = np.zeros(len(series), dtype=bool)
    for position, value in enumerate(series.astype(object)):
        if is_null(value):
            values.append(null)
            continue
        cell = read(value)
        unreadable[position] = cell is None
        values.append(null if cell is None else cell)
    return Reading(_series(values, kind, series.index), unreadable)


def infer_kind(series: pd.Series) -> Kind:
    """Return the most specific kind that reads every cell of a column the schema doesn't know.

    A column typed as text stays text, and so do texts with leading zeros: they are codes.
    """
    if isinstance(series.dtype, pd.StringDtype):
        return "text"
    cells = [cell for cell in series.astype(object) if not is_null(cell)]
    if cells and all(isinstance(cell, bool | np.bool_) for cell in cells):
        return "boolean"
    if any(isinstance(cell, str) and _LEADING_ZERO.match(cell) for cell in cells):
        return "text"
    kinds: tuple[Kind, ...] = ("integer", "number")
    for kind in kinds:
        if not read_column(series, kind).unreadable.any():
            return kind
    return "geometry" if all(isinstance(cell, bytes) for cell in cells) else "text"


def _series(values: list[Any], kind: Kind, index: pd.Index) -> pd.Series:
    dtypes: dict[str, Any] = {
        "text": text_dtype(),
        "integer": pd.Int64Dtype(),
        "number": np.dtype("float64"),
        "boolean": pd.BooleanDtype(),
        "geometry": np.dtype("object"),
    }
    series: pd.Series = pd.Series(values, index=index, dtype=dtypes[kind])
    return series


def _read_typed(series: pd.Series, kind: Kind) -> Reading | None:
    """Read columns that already have a machine type at once; None for the cell-by-cell way."""
    dtype = series.dtype
    nothing = np.zeros(len(series), dtype=bool)
    if kind == "text" and isinstance(dtype, pd.StringDtype):
        texts: pd.Series = series.astype(text_dtype())
        return Reading(texts.mask(texts == ""), nothing)
    if not isinstance(dtype, np.dtype | pd.Int64Dtype | pd.Float64Dtype):
        return None
    if kind == "integer" and dtype.kind == "i":
        return Reading(series.astype("Int64"), nothing)
    if kind not in ("integer", "number") or dtype.kind not in "if":
        return None
    missing = np.asarray(series.isna())
    numbers = _floats(series)
    exact = np.isfinite(numbers)
    if kind == "integer":
        exact &= (np.abs(numbers) <= LARGEST_EXACT_FLOAT) & (numbers.where(exact, 0.0) % 1 == 0)
    elif dtype.kind == "i":
        exact &= np.abs(numbers) <= LARGEST_EXACT_FLOAT
    kept = numbers.where(exact)
    return Reading(
        kept.astype("Int64") if kind == "integer" else kept, np.asarray(~exact & ~missing)
    )


def _floats(series: pd.Series) -> pd.Series:
    floats: np.ndarray = series.to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series(floats, index=series.index)


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # half a character pair: no file could hold it
        return None
    return value


def _integer(value: Any) -> int | None:
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, int | np.integer):
        number = int(value)
    elif isinstance(value, float | np.floating):
        real = float(value)
        if not math.isfinite(real) or abs(real) > LARGEST_EXACT_FLOAT or real % 1:
            return None
        number = int(real)
    elif isinstance(value, str) and WHOLE.fullmatch(value.strip()) and len(value) < 40:
        number = int(value.strip().partition(".")[0])
    else:
        return None
    return number if abs(number) <= LARGEST_INTEGER else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, int | np.integer):
        return float(value) if abs(int(value)) <= LARGEST_EXACT_FLOAT else None
    if isinstance(value, float | np.floating):
        number = float(value)
    elif isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        number = float(value.strip())
    else:
        return None
    return number if math.isfinite(number) else None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.integer | np.floating):
        return bool(value) if value in (0, 1) else None
    return TRUTH.get(value.strip().lower()) if isinstance(value, str) else None


def _geometry(value: Any) -> bytes | None:
    if isinstance(value, str):
        try:
            value = bytes.fromhex(value)
        except ValueError:
            return None
    if not isinstance(value, bytes | bytearray | memoryview):
        return None
    import shapely  # noqa: PLC0415  (only panels with shapes pay for it)

    content = bytes(value)
    return None if shapely.from_wkb(content, on_invalid="ignore") is None else content


_READERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "text": (_text, np.nan),
    "integer": (_integer, pd.NA),
    "number": (_number, np.nan),
    "boolean": (_boolean, pd.NA),
    "geometry": (_geometry, None),
}
