"""What the page of the circle by region says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remitstats.report.circle_place_page import place_context

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults
    from remitstats.report.surroundings import Surroundings


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
    return place_context(results, ("nation", "region"))
