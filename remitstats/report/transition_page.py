"""What the page on the three paths and the front page say of them: plain records, no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remitstats.estimands.results import SURE
from remitstats.models.transition_data import PATHS
from remitstats.report.records import Row, described_by_name, records

if TYPE_CHECKING:
    from remitstats.estimands.transition_results import TransitionResults
    from remitstats.report.surroundings import Surroundings


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
    turns = records(results.path_reversal)
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
        "reversal": records(results.reversal),
        "level": records(results.level),
        "path_level": records(results.path_level),
        "change": records(results.change[results.change["reading"] == "moves"]),
        "reporting": {
            (r["series"], r["period"], r["country"]): r
            for r in records(results.change[results.change["reading"] == "reporting"])
        },
        "path_change": records(results.path_change[results.path_change["reading"] == "moves"]),
        "background": records(results.background),
        "predictive": described_by_name(results.predictive, surroundings.texts),
        "missed": records(results.predictive[~results.predictive["p_value"].between(0.05, 0.95)]),
        "parameters": records(results.parameter),
    }


def _turned(rows: list[Row]) -> str:
    """Return "all", "none" or "open", as both rules say."""
    if min(float(row["p_all"]) for row in rows) >= SURE:
        return "all"
    return "none" if min(float(row["p_none"]) for row in rows) >= SURE else "open"
