"""The figures of the page on dependence of states, with alternative texts and captions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from remitstats.report.figures.dots import Labels, Panel, dots
from remitstats.report.figures.style import LEVEL, Classes, ramp
from remitstats.report.figures.yearly_paths import yearly_paths
from remitstats.report.map_job import map_job
from remitstats.report.picture import Job

if TYPE_CHECKING:
    from remitstats.estimands.dependence_state_results import DependenceStateResults
    from remitstats.report.surroundings import Surroundings

MOST = 8  # states drawn one by one
WIDTHS = Classes((0.1, 0.25, 0.5, 1.0, 2.0), ramp("OrRd", 6, 0.06, 0.95))


def dependence_state_jobs(results: DependenceStateResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw of the states' dependence.

    Parameters
    ----------
    results : DependenceStateResults
        Rounded as they are written.
    surroundings : Surroundings
        Legends, captions, alternative texts; shapes of the states.

    Returns
    -------
    list of Job
        Their names begin with ``dependence_state_``.
    """
    return [
        *_paths(results, surroundings),
        *_tendencies(results, surroundings),
        *_maps(results, surroundings),
    ]


def _shown(results: DependenceStateResults) -> pd.DataFrame:
    """Return a row a place and year: known ratios, and predicted ones where there are none."""
    level = results.level
    return level[
        ((level["quantity"] == "trend") & ~level["predicted"]) | (level["quantity"] == "ratio")
    ]


def _paths(results: DependenceStateResults, surroundings: Surroundings) -> Iterator[Job]:
    texts, rows = surroundings.texts, _shown(results)
    words = {k: texts.plain(f"dependence_state.legend_{k}") for k in ("known", "predicted", "axis")}
    nation = rows[rows["level"] == "nation"]
    yield Job(
        "dependence_state_nation",
        "svg",
        texts.plain("dependence_state.nation_alt"),
        texts("dependence_state.nation_caption"),
        partial(
            yearly_paths,
            nation,
            {"00": surroundings.scope.place},
            words,
            columns=1,
            panel_height=2.2,
        ),
    )
    states = rows[rows["level"] == "state"]
    last = states[~states["predicted"]]["year"].max()
    order = states[states["year"] == last].sort_values("observed", ascending=False)
    names = dict(zip(order["code"][:MOST], order["name"][:MOST], strict=True))
    yield Job(
        "dependence_state_paths",
        "png",
        texts.plain("dependence_state.paths_alt", states=", ".join(names.values())),
        texts("dependence_state.paths_caption"),
        partial(yearly_paths, states, names, words),
    )


def _tendencies(results: DependenceStateResults, surroundings: Surroundings) -> Iterator[Job]:
    texts = surroundings.texts
    typical = texts.plain("dependence_state.typical")
    rows = results.tendency.assign(series="")
    rows = rows.assign(row=rows["name"].where(rows["code"] != "typical", typical))
    states = rows[rows["code"] != "typical"].sort_values("median", ascending=False)
    labels = Labels(
        rows=[typical, *states["row"]],
        marked=frozenset({typical}),
        series=("",),
        axis=texts.plain("dependence_state.tendency_axis"),
    )
    yield Job(
        "dependence_state_tendency",
        "png",
        texts.plain("dependence_state.tendency_alt"),
        texts("dependence_state.tendency_caption"),
        partial(dots, [Panel("", rows)], labels, left=1.4),
    )


def _maps(results: DependenceStateResults, surroundings: Surroundings) -> Iterator[Job]:
    shapes, texts = surroundings.states, surroundings.texts
    if shapes is None:
        return
    rows = _shown(results)
    rows = rows[rows["level"] == "state"]
    known = rows[~rows["predicted"]]
    last = int(known["year"].max())
    observed = known[known["year"] == last].set_index("code")["observed"]
    yield map_job("dependence_state", "level_map", shapes, observed, LEVEL, texts, year=last)
    later = rows[rows["predicted"]]
    if later.empty:
        return
    newest = int(later["year"].max())
    here = later[later["year"] == newest].set_index("code")
    for name, values, classes in (
        ("predicted_map", here["median"], LEVEL),
        ("width_map", here["eti90_upper"] - here["eti90_lower"], WIDTHS),
    ):
        yield map_job("dependence_state", name, shapes, values, classes, texts, year=newest)
