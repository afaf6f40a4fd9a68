"""What the page on the three paths and the front page say of them: plain records, no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.estimands.results import SURE
from remitstats.models.transition_data import PATHS
from remitstats.report.formats import capital

if TYPE_CHECKING:
    from remitstats.estimands.transition_results import TransitionResults
    from remitstats.report.surroundings import Surroundings
    from remitstats.report.texts import Texts

Row = dict[str, Any]


def transition_context(
    results: TransitionResults,
    surroundings: Surroundings,
) -> dict[str, Any]:
    """Return what the templates may use of the three paths, under the name ``transition``.

    Parameters
    ----------
    results : TransitionResults
        Rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts, shapes.
    """
    turns = _records(results.path_reversal)
    return {
        "paths": list(PATHS),
        "turns": [
            {
                "path": path,
                "by": by,
                "rows": {r["rule"]: r for r in turns if r["path"] == path and r["by"] == by},
                "word": _turned([r for r in turns if r["path"] == path and r["by"] == by]),
            }
            for by in dict.fromkeys(results.path_reversal["by"])
            for path in PATHS
        ],
        "reversal": _records(results.reversal),
        "level": _records(results.level),
        "path_level": _records(results.path_level),
        "change": _records(results.change[results.change["reading"] == "moves"]),
        "reporting": {
            (r["series"], r["period"], r["country"]): r
            for r in _records(results.change[results.change["reading"] == "reporting"])
        },
        "path_change": _records(results.path_change[results.path_change["reading"] == "moves"]),
        "background": _records(results.background),
        "predictive": _described(results.predictive, surroundings.texts),
        "missed": _records(results.predictive[~results.predictive["p_value"].between(0.05, 0.95)]),
        "parameters": _records(results.parameter),
    }


def _turned(rows: list[Row]) -> str:
    """Return "all", "none" or "open", as both rules say."""
    if min(float(row["p_all"]) for row in rows) >= SURE:
        return "all"
    return "none" if min(float(row["p_none"]) for row in rows) >= SURE else "open"


def _records(table: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _described(table: pd.DataFrame, texts: Texts) -> list[Row]:
    """Return rows whose statistic is described by its name."""
    rows = _records(table)
    return [{**r, "description": capital(texts.said_plain(r["statistic"]))} for r in rows]
