"""How numbers look in the report: one function a kind, used by pages, figures and tests alike."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

MISSING = "–"
MINUS = "\N{MINUS SIGN}"
PERCENT = {"en": "%", "es": "\N{NO-BREAK SPACE}%"}
"""What stands after a number that is a percentage, by language."""


MONTHS = {
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    )
}
"""Names of months, of languages whose dates are written with them."""


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def _signed(value: float, decimals: int) -> str:
    text = _fixed(value, decimals)
    nought = float(text.replace(",", "").replace(MINUS, "-")) == 0
    return text if text.startswith(MINUS) or nought else f"+{text}"


def _probability(value: float) -> str:
    """Two decimals; draws can't tell a probability near nought or one from those themselves."""
    if value < 0.005:
        return "< 0.01"
    if value > 0.995:
        return "> 0.99"
    return f"{value:.2f}"


def _significant(value: float) -> str:
    """Three significant digits, for hyperparameters and check statistics of any size."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return _fixed(value, min(decimals, 6))


KINDS: Mapping[str, Callable[[float], str]] = {
    "percent": lambda value: _fixed(value, 2),
    "percent1": lambda value: _fixed(value, 1),
    "points": lambda value: _signed(value, 2),
    "points0": lambda value: _signed(value, 0),
    "points1": lambda value: _signed(value, 1),
    "effect": lambda value: _signed(value, 2),
    "probability": _probability,
    "share": lambda value: f"{_fixed(100 * value, 0)}%",
    "share1": lambda value: f"{_fixed(100 * value, 1)}%",
    "share_points1": lambda value: _signed(100 * value, 1),
    "share_size1": lambda value: _fixed(100 * value, 1),
    "count": lambda value: _fixed(round(value), 0),
    "expected": lambda value: _fixed(value, 1),
    "r_hat": lambda value: _fixed(value, 3),
    "seconds": lambda value: _fixed(value, 1),
    "plain": _significant,
    "sd": lambda value: _fixed(value, 2),
    "identifier": lambda value: _fixed(value, 0).replace(",", ""),
}


def capital(text: str) -> str:
    """Return a text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def date_label(date: Any, language: str = "en") -> str:
    """Return an ISO date as people of a language write it; what is no date as it is."""
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", str(date))
    if found is None or language not in MONTHS or not 1 <= int(found[2]) <= 12:
        return str(date)
    return f"{int(found[3])} de {MONTHS[language][int(found[2]) - 1]} de {found[1]}"


def wave_label(wave: Any) -> str:
    """Return a wave as a year; a dash where a statistic belongs to no single wave."""
    if wave is None or wave != wave or str(wave) in {"", "<NA>"}:  # noqa: PLR0124  NaN
        return MISSING
    return f"{wave:.0f}" if isinstance(wave, float) else str(wave)


def show(value: float | None, kind: str, language: str = "en") -> str:
    """Return a number as readers see it.

    Parameters
    ----------
    value : float or None
        None and NaN give a dash.
    kind : str
        Key of `KINDS`.
    language : str
        Of the report. Mexico writes numbers as English does, but a percentage with a blank.

    Returns
    -------
    str
        With thousands separated by commas and a true minus sign.
    """
    if value is None or math.isnan(value):
        return MISSING
    return KINDS[kind](float(value)).replace("%", PERCENT[language])
