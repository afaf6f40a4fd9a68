"""What the pages of the circle by region and by state say: plain records, no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from remitstats.report.circle_links import CHAIN, NODES, OTHERS, headline
from remitstats.report.circle_tables import limit, one_limit

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults

GLOSSARY = ("circle_loop", "circle_halves", "circle_band", "circle_within", "circle_sd")
Row = dict[str, Any]


def place_context(results: CircleResults, levels: Sequence[str]) -> dict[str, Any]:
    """Return what a template may use of places whose links may differ.

    Parameters
    ----------
    results : CircleResults
        Of a fit whose links may differ between them; rounded as they are written.
    levels : sequence of str
        "nation", "region" and "state", those that are shown.

    Returns
    -------
    dict
        Names and values for Jinja.
    """
    regime = one_limit(results.regime)
    scales = [f"link_{level}_sd" for level in levels]
    spread = results.parameter[results.parameter["name"].isin(scales)]
    return {
        "places": [
            {
                "name": str(rows["name"].iloc[0]),
                "level": level,
                "links": {(row["from"], row["to"]): row for row in _records(rows)},
            }
            for level in levels
            for _, rows in headline(results.link, level).groupby("code", sort=True)
        ],
        "regimes": [row for row in _records(regime) if row["level"] in levels],
        "spread": [{**row, "level": row["name"].split("_")[1]} for row in _records(spread)],
        "pairs": (*CHAIN, *OTHERS),
        "nodes": NODES,
        "delta": limit(results.regime),
        "glossary": GLOSSARY,
    }


def _records(table: Any) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
