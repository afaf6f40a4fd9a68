"""All figures of a report, drawn and encoded, with their alternative texts and captions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from remitstats.estimands.results import PAPER, RelianceResults
from remitstats.report.figures import style
from remitstats.report.figures.claimed import claimed
from remitstats.report.figures.groups import groups
from remitstats.report.figures.maps import area_map, symbol_map
from remitstats.report.figures.predictive import predictive
from remitstats.report.figures.ranking import ranking
from remitstats.report.formats import show
from remitstats.report.picture import Job, Picture, draw
from remitstats.report.scope import Scope
from remitstats.report.shapes import MapShapes
from remitstats.report.texts import Texts

TOP = 30
# The paper is of 2006; the survey behind its figure is of about 2003.
PAPER_YEARS = (2003, 2006)


def draw_all(
    results: RelianceResults,
    shapes: MapShapes | None,
    scope: Scope,
    texts: Texts,
    progress: Callable[[str, float], None],
) -> dict[str, Picture]:
    """Draw every figure of the report.

    Parameters
    ----------
    results : RelianceResults
        What to draw.
    shapes : MapShapes or None
        None leaves out the maps.
    scope : Scope
        Names the place; a part of a country is not held against a national figure.
    texts : Texts
        Legends, captions, alternative texts.
    progress : callable
        Called with the name of each figure and the share done.

    Returns
    -------
    dict
        Pictures by name, such as ``level_2020`` or ``change_2000_2010``.
    """
    jobs = [*_maps(results, shapes, scope, texts), *_plots(results, scope, texts)]
    return draw(jobs, results.converged, texts, progress)


def _maps(
    results: RelianceResults, shapes: MapShapes | None, scope: Scope, texts: Texts
) -> Iterator[Job]:
    if shapes is None:
        return
    place = scope.place
    legend = texts.plain("maps.level_legend")
    for wave in results.waves:
        rows = results.level[results.level["wave"] == wave].set_index("cvegeo")
        median, measured = shapes.align(rows["median"]), _flags(shapes, rows["measured"])
        width = shapes.align(rows["eti90_upper"] - rows["eti90_lower"])
        note = _marked(texts, "maps", int((~rows["measured"].astype(bool)).sum()), wave=wave)
        marks: dict[str, Any] = {"marked": ~measured, "marked_label": texts.plain("maps.marked")}
        yield Job(
            f"level_{wave}",
            "png",
            texts.plain("maps.level_alt", wave=wave, place=place),
            texts("maps.level_caption", wave=wave) + note,
            partial(area_map, shapes, median, style.LEVEL, legend, **marks),
        )
        yield Job(
            f"width_{wave}",
            "png",
            texts.plain("maps.width_alt", wave=wave, place=place),
            texts("maps.width_caption", wave=wave) + note,
            partial(
                area_map, shapes, width, style.WIDTH, texts.plain("maps.width_legend"), **marks
            ),
        )
        sizes = shapes.align(rows["dwellings"])
        if np.nan_to_num(sizes).max() > 0:
            largest = int(np.nanargmax(sizes))
            yield Job(
                f"symbols_{wave}",
                "png",
                texts.plain("maps.symbols_alt", wave=wave, place=place),
                texts(
                    "maps.symbols_caption",
                    wave=wave,
                    name=rows["name"].loc[shapes.cvegeo[largest]],
                    dwellings=show(float(sizes[largest]), "count"),
                ),
                partial(symbol_map, shapes, median, sizes, style.LEVEL, legend),
            )
    measured_by_wave = results.level.pivot_table(
        index="cvegeo", columns="wave", values="measured", aggfunc="min"
    )
    for start, end in results.intervals:
        here = (results.change["from_wave"] == start) & (results.change["to_wave"] == end)
        rows = results.change[here].set_index("cvegeo")
        both = measured_by_wave[start].astype(bool) & measured_by_wave[end].astype(bool)
        marks = {"marked": ~_flags(shapes, both), "marked_label": texts.plain("maps.marked")}
        note = _marked(texts, "change", int((~both).sum()))
        years = {"start": start, "end": end}
        yield Job(
            f"change_{start}_{end}",
            "png",
            texts.plain("change.alt", place=place, **years),
            texts("change.caption", **years) + note,
            partial(
                area_map,
                shapes,
                shapes.align(rows["median"]),
                style.CHANGE,
                texts.plain("change.legend"),
                **marks,
            ),
        )
        sizes = shapes.align(
            results.level[results.level["wave"] == end].set_index("cvegeo")["dwellings"]
        )
        if np.nan_to_num(sizes).max() > 0:
            yield Job(
                f"symbols_change_{start}_{end}",
                "png",
                texts.plain("change.symbols_alt", place=place, **years),
                texts("change.symbols_caption", **years),
                partial(
                    symbol_map,
                    shapes,
                    shapes.align(rows["median"]),
                    sizes,
                    style.CHANGE,
                    texts.plain("change.legend"),
                ),
            )
        yield Job(
            f"increase_{start}_{end}",
            "png",
            texts.plain("change.p_alt", place=place, **years),
            texts("change.p_caption", **years) + note,
            partial(
                area_map,
                shapes,
                shapes.align(rows["p_increase"]),
                style.INCREASE,
                texts.plain("change.p_legend"),
                **marks,
            ),
        )


def _flags(shapes: MapShapes, values: pd.Series[Any]) -> np.ndarray:
    """Return flags in the order of the shapes; a unit without a row is not hatched."""
    return np.asarray(shapes.align(values.astype(float)) != 0)


def _marked(texts: Texts, page: str, count: int, **values: Any) -> Markup:
    if not count:
        return Markup("")
    return Markup(" ") + texts(f"{page}.marked_note", count=count, **values)


def top_rows(results: RelianceResults, wave: int) -> pd.DataFrame:
    """Return the rows of the highest municipalities of a wave, highest first."""
    rows = results.level[results.level["wave"] == wave].dropna(subset=["median"])
    return rows.sort_values(["median", "cvegeo"], ascending=[False, True]).head(TOP)


def _plots(results: RelianceResults, scope: Scope, texts: Texts) -> Iterator[Job]:
    for wave in results.waves:
        rows = top_rows(results, wave)
        values = {"count": len(rows), "wave": wave}
        yield Job(
            f"ranking_{wave}",
            "png",
            texts.plain("ranking.alt", **values),
            texts("ranking.caption", **values),
            partial(
                ranking,
                rows,
                texts.plain("ranking.reliance_axis"),
                texts.plain("ranking.rank_axis"),
                texts.plain("ranking.note"),
            ),
        )
    blocks = [
        (texts.plain(f"states.{level}_block"), table)
        for level in ("nation", "region", "state")
        if len(table := results.group[results.group["level"] == level].dropna(subset=["median"]))
    ]
    if blocks:
        yield Job(
            "groups",
            "png",
            texts.plain("states.alt"),
            texts("states.caption"),
            partial(groups, blocks, results.waves, texts.plain("states.axis")),
        )
    nation = results.group[results.group["level"] == "nation"].dropna(subset=["median"])
    if len(nation) and not scope.partial and not scope.foreign:
        value = float({**PAPER, **(results.summary.get("paper") or {})}["claimed_percent"])
        yield Job(
            "claimed",
            "svg",
            texts.plain("paper.alt"),
            texts("paper.caption"),
            partial(
                claimed,
                nation.sort_values("wave"),
                value,
                PAPER_YEARS,
                texts.plain("paper.axis"),
                texts.plain("paper.claim_label", value=f"{value:g}"),
            ),
        )
    if len(results.predictive):
        yield Job(
            "predictive",
            "png",
            texts.plain("check.alt"),
            texts("check.caption"),
            partial(
                predictive,
                results.predictive,
                texts.plain("check.observed"),
                texts.plain("check.replicated"),
            ),
        )
