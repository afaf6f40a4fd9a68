"""Putting found values, names and remedies into words people can act on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from remitstats.errors import Problem
from remitstats.panel.cells import NUMBER, is_null
from remitstats.panel.columns import QUARTER
from remitstats.panel.spec import ColumnSpec

LONGEST_SHOWN = 60
EMPTY = "an empty cell"
_NO_DATA = {
    *("n.d.", "n.d", "nd", "n/d", "s/d", "n/a", "na", "n.a.", "#n/a", "nan", "null", "none"),
    *("-", "--", "---", "–", "—", ".", "..", "...", "*", "**", "?", "nd.", "sin dato", "missing"),
}
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[,'’   ][0-9]{3})+(?:\.[0-9]+)?")
_DOTTED = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_PERIOD = re.compile(r"((?:19|20)[0-9]{2})\W*[QqTt]?\W*([1-4])")
_DIGITS = re.compile(r"\[0-9\]\{([0-9]+)\}")


def harmless(text: str) -> str:
    """Return a text in which nothing can steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def name(text: Any) -> str:
    """Return a name from a file, harmless and short enough to print."""
    clean = harmless(str(text)[: LONGEST_SHOWN + 1])  # a cell may have a hundred million letters
    return clean if len(clean) <= LONGEST_SHOWN else f"{clean[: LONGEST_SHOWN - 1]}…"


def problem(
    table: str, row: str, column: str, found: str, accepted: str, remedy: str = ""
) -> Problem:
    """Return a problem whose remedy, a clause, is made a sentence."""
    if remedy:
        end = "" if remedy.endswith("?") else "."
        remedy = harmless(f"{remedy[0].upper()}{remedy[1:]}{end}")
    return Problem(table, row, column, found, accepted, remedy)


def show(value: Any) -> str:
    """Return a found value as it stands: text in quotation marks, numbers bare."""
    if is_null(value):
        return EMPTY
    if isinstance(value, str):
        return f'"{name(value)}"'
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if isinstance(value, np.generic):
        value = value.item()
    return name(value)


def bare(value: Any) -> str:
    """Return a found value for a list of keys: as `show`, without quotation marks."""
    return "nothing" if is_null(value) else show(value).strip('"')


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `word`, or None if none is like it."""
    if len(word) > LONGEST_SHOWN:
        return None
    folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(word.strip().casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `did you mean …?` for the nearest known name, or nothing."""
    found = closest(word, known)
    return f"did you mean {name(found)}?" if found else ""


def remedy(spec: ColumnSpec, value: Any) -> str:
    """Say what to do about a value that a column does not accept.

    Parameters
    ----------
    spec : ColumnSpec
        The column.
    value : object
        The cell as found.

    Returns
    -------
    str
        A sentence without capital or full stop at its ends, or nothing where the accepted values
        say it all.
    """
    if is_null(value):
        return "fill in the cell"
    text = value.strip() if isinstance(value, str) else str(value)
    if digits := _DIGITS.fullmatch(spec.pattern or ""):
        advice = _code_remedy(text, int(digits[1]))
    elif spec.pattern == QUARTER and (match := _PERIOD.fullmatch(text)):
        advice = f"write {match[1]}Q{match[2]}"
    elif spec.choices:
        advice = nearest(text, spec.choices)
    elif text.casefold() in _NO_DATA:
        advice = _leave_empty(spec)
    elif spec.kind in ("integer", "number"):
        advice = _separator_remedy(spec, text) or _number_remedy(spec, text)
    else:
        advice = "store it as text" if spec.kind == "text" and not isinstance(value, str) else ""
    return advice


def _leave_empty(spec: ColumnSpec) -> str:
    return "leave the cell empty where there is no data" if spec.nullable else ""


def _code_remedy(text: str, width: int) -> str:
    digits = re.fullmatch(r"([0-9]+)(?:\.0+)?", text)
    if digits is None or len(digits[1]) > width or int(digits[1]) == 0:
        return ""
    padded = digits[1].zfill(width)
    lost = ": its leading zero was lost" if len(digits[1]) < width else ""
    return f'write it as the text "{padded}"{lost}'


def _separator_remedy(spec: ColumnSpec, text: str) -> str:
    if _THOUSANDS.fullmatch(text):
        bare = re.sub(r"[,'’\s]", "", text)
        decimal = (
            f", or {text.replace(',', '.')} if the comma marks decimals"
            if spec.kind == "number" and _DECIMAL_COMMA.fullmatch(text)
            else ""
        )
        return f"write {bare}, without a thousands separator{decimal}"
    if _DOTTED.fullmatch(text):
        return f"write {text.replace('.', '')}, without a thousands separator"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"write {text.replace(',', '.')}, with a decimal point"
    return ""


def _number_remedy(spec: ColumnSpec, text: str) -> str:
    if text.endswith("%") and NUMBER.fullmatch(text[:-1].strip()):
        return f"write {text[:-1].strip()}, without the % sign"
    if text.lstrip("+-").casefold() in ("inf", "infinity"):
        return _leave_empty(spec)
    if spec.kind == "integer" and re.fullmatch(r"[+-]?[0-9]*\.[0-9]+", text):
        return "give a whole number"
    if spec.minimum == 1 and re.fullmatch(r"[+-]?0+(\.0*)?", text):
        return _leave_empty(spec)
    return ""
