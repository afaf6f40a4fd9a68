"""The figures of the page on foreign exchange, with their alternative texts and captions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from remitstats.panel.code_form import problems_of_another_country
from remitstats.report.figures.dots import Labels, Panel, dots
from remitstats.report.figures.macro import growth
from remitstats.report.picture import Job

if TYPE_CHECKING:
    from remitstats.estimands.macro_results import MacroResults
    from remitstats.report.surroundings import Surroundings

SOURCES = ("remittances", "oil", "other_exports", "tourism")


def macro_jobs(results: MacroResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw of the sources of foreign exchange.

    Parameters
    ----------
    results : MacroResults
        Rounded as they are written.
    surroundings : Surroundings
        Legends, captions, alternative texts.

    Returns
    -------
    list of Job
        Their names begin with ``macro_``.
    """
    texts = surroundings.texts
    known = set(results.window["source"])
    names = {s: texts.plain(f"macro.source_{s}") for s in SOURCES if s in known}
    own = bool(problems_of_another_country(surroundings.panel.metadata))
    words = {k: texts.plain(f"macro.legend_{k}") for k in ("observed", "drift", "coverage", "axis")}
    covered = [int(year) for year in results.coverage["year"]]
    windows = list(dict.fromkeys(results.window["window"]))
    rows = results.window.assign(row=results.window["source"].map(names), series="")
    panels = [Panel(window.replace("-", "–"), rows[rows["window"] == window]) for window in windows]
    labels = Labels(
        rows=list(names.values()),
        marked=frozenset({names["remittances"]}),
        series=("",),
        axis=texts.plain("macro.window_axis"),
    )
    return [
        Job(
            "macro_growth",
            "svg",
            texts.plain(
                "macro.growth_alt_own" if own else "macro.growth_alt",
                sources=", ".join(names.values()),
            ),
            texts("macro.growth_caption_own" if own else "macro.growth_caption"),
            partial(growth, results.growth, names, words, covered),
        ),
        Job(
            "macro_windows",
            "svg",
            texts.plain("macro.windows_alt_own" if own else "macro.windows_alt"),
            texts("macro.windows_caption"),
            partial(dots, panels, labels, left=1.32),
        ),
    ]
