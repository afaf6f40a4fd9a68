"""What the page on foreign exchange and the front page say of it: plain records, no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remitstats.estimands.results import SURE
from remitstats.panel.code_form import problems_of_another_country
from remitstats.report.macro_pictures import SOURCES
from remitstats.report.records import Row, described_by_name, records

if TYPE_CHECKING:
    from remitstats.estimands.macro_results import MacroResults
    from remitstats.report.surroundings import Surroundings

REMITTANCES = "remittances"


def macro_context(
    results: MacroResults,
    surroundings: Surroundings,
) -> dict[str, Any]:
    """Return what the templates may use of foreign exchange, under the name ``macro``.

    Parameters
    ----------
    results : MacroResults
        Rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts, shapes.
    """
    rows = {(r["source"], r["window"]): r for r in records(results.window)}
    windows = list(dict.fromkeys(results.window["window"]))
    turns = {row["source"]: row for row in records(results.turn)}
    sources = [source for source in SOURCES if (source, windows[0]) in rows]
    return {
        "sources": sources,
        "absent": [source for source in SOURCES if source not in sources],
        "of_mexico": not problems_of_another_country(surroundings.panel.metadata),
        "windows": windows,
        "rows": rows,
        "turns": turns,
        "fastest": [
            {"window": window, "row": rows[REMITTANCES, window], "word": _word(rows, window)}
            for window in windows
        ],
        "slower": _slower(turns.get(REMITTANCES)),
        "coverage": records(results.coverage),
        "predictive": described_by_name(results.predictive, surroundings.texts),
        "parameters": records(results.parameter),
    }


def _word(rows: dict[tuple[str, str], Row], window: str) -> str:
    """Return whether remittances were the fastest: "yes", "no" or "open"."""
    p = float(rows[REMITTANCES, window]["p_fastest"])
    return "yes" if p >= SURE else "no" if p <= 1 - SURE else "open"


def _slower(turn: Row | None) -> str:
    if turn is None:
        return "open"
    p = float(turn["p_slower"])
    return "yes" if p >= SURE else "no" if p <= 1 - SURE else "open"
