"""The figures of the page of the circle by region."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from remitstats.report.circle_pictures import halves, small_circles
from remitstats.report.circle_tables import one_limit
from remitstats.report.figures.regime_map import REGIMES, regime_map
from remitstats.report.picture import Job

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults
    from remitstats.report.surroundings import Surroundings


def circle_region_jobs(results: CircleResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw for the circle by region.

    Parameters
    ----------
    results : CircleResults
        Rounded as they are written.
    surroundings : Surroundings
        Texts, the shapes of the states, and the panel that says which state is in which region.

    Returns
    -------
    list of Job
        Their names begin with ``circle_region_``.
    """
    texts = surroundings.texts
    jobs = [*small_circles(results, texts), *halves(results, texts), *_map(results, surroundings)]
    return [replace(job, name=job.name.replace("circle_", "circle_region_", 1)) for job in jobs]


def _map(results: CircleResults, surroundings: Surroundings) -> Iterator[Job]:
    regime, texts = one_limit(results.regime), surroundings.texts
    here = (regime["level"] == "region") & (regime["reading"] == "lagged")
    by_region = regime[here].set_index("code")
    states = surroundings.panel.table("state")
    if surroundings.states is None or not len(by_region) or "region" not in states:
        return
    states = states[states["region"].isin(by_region.index)]
    rows = by_region.loc[states["region"]].set_axis(states["state"].astype(str), axis=0)
    yield Job(
        "circle_regimes",
        "png",
        texts.plain("circle_region.regimes_alt", place=surroundings.scope.place),
        texts("circle_region.regimes_caption"),
        partial(
            regime_map,
            surroundings.states,
            rows,
            {key: texts.plain(f"circle.regime_{key}") for key in (*REGIMES, "unsure")},
        ),
    )
