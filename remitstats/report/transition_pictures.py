"""The figures of the page on the three paths, with their alternative texts and captions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from remitstats.models.transition_data import BREAKS, COUNTRIES, PATHS
from remitstats.report.figures.country_paths import country_paths
from remitstats.report.figures.dots import Labels, Panel, dots
from remitstats.report.picture import Job

if TYPE_CHECKING:
    from remitstats.estimands.transition_results import TransitionResults
    from remitstats.report.surroundings import Surroundings

DRAWN = {"migration": None, "wdi_2022": BREAKS, "wdi_2025": BREAKS, "income": None}
"""Series that are drawn, with the breaks to mark."""


def transition_jobs(results: TransitionResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw of the three paths.

    Parameters
    ----------
    results : TransitionResults
        Rounded as they are written.
    surroundings : Surroundings
        Legends, captions, alternative texts.

    Returns
    -------
    list of Job
        Their names begin with ``transition_``.
    """
    texts = surroundings.texts
    names = {country: texts.plain(f"transition.country_{country}") for country in COUNTRIES}
    words = {
        key: texts.plain(f"transition.legend_{key}") for key in ("observed", "lasting", "break")
    }
    jobs = []
    for series, breaks in DRAWN.items():
        rows = results.country_path[results.country_path["series"] == series]
        if rows.empty:
            continue
        own = {**words, "axis": texts.plain(f"transition.axis_{series}")}
        jobs.append(
            Job(
                f"transition_{series}",
                "png",
                texts.plain(f"transition.alt_{series}"),
                texts(f"transition.caption_{series}"),
                partial(country_paths, rows, names, own, tuple(PATHS), breaks=breaks),
            )
        )
    rules = {rule: texts.plain(f"transition.rule_{rule}") for rule in ("unbroken", "balance")}
    rows = results.reversal[results.reversal["by"] == results.reversal["by"].max()]
    rows = rows.dropna(subset="year_median").rename(
        columns={
            "year_median": "median",
            "year_eti90_lower": "eti90_lower",
            "year_eti90_upper": "eti90_upper",
        }
    )
    rows = rows.assign(row=rows["country"].map(names), series=rows["rule"].map(rules))
    labels = Labels(
        rows=[names[c] for c in COUNTRIES if c in set(rows["country"])],
        series=tuple(rules.values()),
        axis=texts.plain("transition.dates_axis"),
    )
    if len(rows):
        jobs.append(
            Job(
                "transition_dates",
                "svg",
                texts.plain("transition.dates_alt"),
                texts("transition.dates_caption"),
                partial(dots, [Panel("", rows, line=None)], labels, left=1.1),
            )
        )
    return jobs
