"""What the page on pay-outs and the front page say of them: plain records, no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.report.not_reproduced import outside_middle
from remitstats.report.records import Row, described, records

if TYPE_CHECKING:
    from remitstats.estimands.paid_out_results import PaidOutResults
    from remitstats.report.surroundings import Surroundings

MOST_HUBS = 30


def paid_out_context(
    results: PaidOutResults,
    surroundings: Surroundings,  # noqa: ARG001 - the numbers alone tell what is said
) -> dict[str, Any]:
    """Return what the templates may use of pay-outs, under the name ``paid_out``.

    Parameters
    ----------
    results : PaidOutResults
        Rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts, shapes.
    """
    nation = results.group[results.group["level"] == "nation"]
    return {
        "nation": {row["quantity"]: row for row in records(nation)},
        "states": _states(results.group),
        "hubs": records(results.hub.head(MOST_HUBS)),
        "hub_count": len(results.hub),
        "hub_inflow": results.summary.get("hub_inflow"),
        "parts": described(results.disagreement),
        "part": {row["part"]: row for row in records(results.disagreement)},
        "pairs": described(results.correlation),
        "pair": {row["pair"]: row for row in records(results.correlation)},
        "claims": described(results.claim),
        "claim": {row["estimand"]: row for row in records(results.claim)},
        "forms": records(results.form),
        "predictive": described(results.predictive),
        "missed": described(outside_middle(results.predictive)),
        "parameters": described(results.parameter),
    }


def _states(group: pd.DataFrame) -> list[Row]:
    """Return a record a state, by name, with its quantities."""
    states = group[group["level"] == "state"]
    return [
        {
            "code": code,
            "name": str(rows["name"].iloc[0]),
            "rows": {row["quantity"]: row for row in records(rows)},
        }
        for code, rows in sorted(
            states.groupby("code"), key=lambda item: str(item[1]["name"].iloc[0])
        )
    ]
