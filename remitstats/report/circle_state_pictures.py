"""The figures of the page of the circle by state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from remitstats.report.circle_pictures import small_circles, state_map
from remitstats.report.picture import Job

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults
    from remitstats.report.surroundings import Surroundings


def circle_state_jobs(results: CircleResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw for the circle by state.

    Parameters
    ----------
    results : CircleResults
        Rounded as they are written.
    surroundings : Surroundings
        Texts, and the shapes of the states.

    Returns
    -------
    list of Job
        Their names begin with ``circle_state_``.
    """
    texts = surroundings.texts
    jobs = [
        *state_map(results, surroundings.states, surroundings.scope, texts),
        *small_circles(results, texts),
    ]
    return [replace(job, name=job.name.replace("circle_", "circle_state_", 1)) for job in jobs]
