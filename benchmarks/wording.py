"""How results are told: numbers, tables of Markdown, and how a run went in a line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Run = dict[str, Any]


def best(runs: list[Run]) -> Run:
    """Return the run that speaks for an entry: the last that finished, or the failure."""
    finished = [run for run in runs if "failed" not in run]
    return finished[-1] if finished else runs[-1]


def sentence(run: Run) -> str:
    """Say in a line how a run went."""
    if "failed" in run:
        return str(run["failed"])
    reached = (
        f"target after {run['seconds_to_target']:.1f} s" if run["reached"] else "target not reached"
    )
    return (
        f"{run['wall']:.1f} s, least ESS {run['ess_min']:.0f}, R-hat {run['r_hat_max']:.3f}, "
        f"{run['ess_per_second']:.3g} ESS/s, {reached}"
    )


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table of Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, thousands with a comma."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"
