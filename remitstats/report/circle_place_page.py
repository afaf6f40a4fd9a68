"""What the pages of the circle by region and by state say: plain records, no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from remitstats.report.circle_links import CHAIN, NODES, OTHERS, headline
from remitstats.report.circle_tables import limit, one_limit
from remitstats.report.records import records

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults
    from remitstats.report.surroundings import Surroundings

GLOSSARY = ("circle_loop", "circle_halves", "circle_band", "circle_within", "circle_sd")


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
    return _place_context(results, ("nation", "region"))


def circle_state_context(
    results: CircleResults,
    surroundings: Surroundings,  # noqa: ARG001 - every page takes them
) -> dict[str, Any]:
    """Return what the template may use, under the name ``circle_state``.

    As `circle_region_context`, of a fit whose links may differ between states.
    """
    return _place_context(results, ("nation", "region", "state"))


def _place_context(results: CircleResults, levels: Sequence[str]) -> dict[str, Any]:
    """Return what a template may use of places at some levels: "nation", "region", "state"."""
    regime = one_limit(results.regime)
    scales = [f"link_{level}_sd" for level in levels]
    spread = results.parameter[results.parameter["name"].isin(scales)]
    return {
        "places": [
            {
                "name": str(rows["name"].iloc[0]),
                "level": level,
                "links": {(row["from"], row["to"]): row for row in records(rows)},
            }
            for level in levels
            for _, rows in headline(results.link, level).groupby("code", sort=True)
        ],
        "regimes": [row for row in records(regime) if row["level"] in levels],
        "spread": [{**row, "level": row["name"].split("_")[1]} for row in records(spread)],
        "pairs": (*CHAIN, *OTHERS),
        "nodes": NODES,
        "delta": limit(results.regime),
        "glossary": GLOSSARY,
    }
