"""What the page of the circle by region says: plain records, no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remitstats.report.circle_links import CHAIN, NODES, OTHERS, headline
from remitstats.report.circle_tables import limit, one_limit

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults
    from remitstats.report.surroundings import Surroundings

GLOSSARY = ("circle_loop", "circle_halves", "circle_band", "circle_within", "circle_sd")
Row = dict[str, Any]


def circle_region_context(
    results: CircleResults,
    surroundings: Surroundings,  # noqa: ARG001 - every page takes them
) -> dict[str, Any]:
    """Return what the template may use, under the name ``circle_region``.

    Parameters
    ----------
    results : CircleResults
        Of a fit whose links may differ between regions; rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts, shapes.

    Returns
    -------
    dict
        Names and values for Jinja.
    """
    regime = one_limit(results.regime)
    spread = results.parameter[results.parameter["name"] == "link_region_sd"]
    return {
        "places": [
            {
                "name": str(rows["name"].iloc[0]),
                "level": level,
                "links": {(row["from"], row["to"]): row for row in _records(rows)},
            }
            for level in ("nation", "region")
            for _, rows in headline(results.link, level).groupby("code", sort=True)
        ],
        "regimes": [row for row in _records(regime) if row["level"] in ("nation", "region")],
        "spread": _records(spread),
        "pairs": (*CHAIN, *OTHERS),
        "nodes": NODES,
        "delta": limit(results.regime),
        "glossary": GLOSSARY,
    }


def _records(table: Any) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
