"""The figures of the circle's page, with their alternative texts and captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remitstats.report.circle_links import CHAIN, NODES, OTHERS, headline, row_of, sign
from remitstats.report.circle_tables import (
    coverage_rows,
    cut_rows,
    limit,
    one_limit,
    optional,
    place_rows,
    specification_order,
    specification_rows,
)
from remitstats.report.figures.circle import circle, circles
from remitstats.report.figures.confusion import confusion
from remitstats.report.figures.dots import Labels, Panel, dots
from remitstats.report.figures.impulse import impulse
from remitstats.report.figures.regime_map import REGIMES, regime_map
from remitstats.report.picture import Job
from remitstats.report.scope import Scope
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults
    from remitstats.report.shapes import MapShapes
    from remitstats.report.surroundings import Surroundings


def circle_jobs(results: CircleResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw for the circle.

    Parameters
    ----------
    results : CircleResults
        Rounded as they are written.
    surroundings : Surroundings
        Names the place; gives legends, captions, alternative texts and the shapes of the states.

    Returns
    -------
    list of Job
        Their names begin with ``circle_``.
    """
    scope, texts = surroundings.scope, surroundings.texts
    return [
        *_drawings(results, scope, texts),
        *_loops(results, texts),
        *_responses(results, texts),
        *state_map(results, surroundings.states, scope, texts),
        *_trials(results, texts),
    ]


def _drawings(results: CircleResults, scope: Scope, texts: Texts) -> Iterator[Job]:
    names = {node: texts.plain(f"circle.node_{node}") for node in NODES}
    legend = {
        key: texts.plain(f"circle.legend_{key}")
        for key in ("positive", "negative", "unsure", "marks", "nodes")
    }
    nation = headline(results.link, "nation")
    for name, chain_only in (("nation", False), ("summary", True)):
        pairs = CHAIN if chain_only else (*CHAIN, *OTHERS)
        said = _spoken(nation, pairs, texts)
        yield Job(
            f"circle_{name}",
            "svg",
            texts.plain("circle.nation_alt", place=scope.place, links=said),
            texts("circle.summary_caption" if chain_only else "circle.nation_caption"),
            partial(circle, nation, names, legend, chain_only=chain_only),
        )
    yield from small_circles(results, texts)


def small_circles(results: CircleResults, texts: Texts) -> Iterator[Job]:
    """Draw the circles of regions side by side, where links differ between regions."""
    legend = {
        key: texts.plain(f"circle.legend_{key}")
        for key in ("positive", "negative", "unsure", "marks", "nodes")
    }
    places = [
        (str(rows["name"].iloc[0]), rows)
        for _, rows in headline(results.link, "region").groupby("code", sort=False)
    ]
    if places:
        letters = {node: texts.plain(f"circle.letter_{node}") for node in NODES}
        yield Job(
            "circle_regions",
            "svg",
            texts.plain("circle.regions_alt", regions=", ".join(name for name, _ in places)),
            texts("circle.regions_caption"),
            partial(circles, places, letters, legend),
        )


def _spoken(links: pd.DataFrame, pairs: Sequence[tuple[str, str]], texts: Texts) -> str:
    """Return the signs of the links as words, for those who can't see the drawing."""
    said = []
    for pair in pairs:
        if pair not in links.index:
            continue
        start, end = (texts.plain(f"circle.name_{name}") for name in pair)
        key = f"circle.spoken_{sign(row_of(links, pair))}"
        said.append(texts.plain(key, start=start, end=end))
    return "; ".join(said)


def _loops(results: CircleResults, texts: Texts) -> Iterator[Job]:
    readings = {key: texts.plain(f"circle.reading_{key.split()[0]}") for key in _readings(results)}
    rows = cut_rows(results.loop, texts).assign(series=lambda r: r["reading"].map(readings))
    if len(rows):
        labels = Labels(
            rows=list(rows["row"].unique()),
            marked=frozenset({texts.plain("circle.gain_whole")}),
            series=list(readings.values()),
            axis=texts.plain("circle.gain_axis"),
        )
        yield Job(
            "circle_gain",
            "svg",
            texts.plain("circle.gain_alt"),
            texts("circle.gain_caption"),
            partial(dots, [Panel("", rows)], labels, left=1.95),
        )
    yield from halves(results, texts)


def halves(results: CircleResults, texts: Texts) -> Iterator[Job]:
    """Draw both halves of the loop for the nation and, where links differ, its regions."""
    rows = place_rows(results.loop).assign(series="")
    delta = limit(results.regime)
    band = None if delta is None else (-delta, delta)
    panels = [
        Panel(texts.plain(f"circle.panel_{quantity}"), part, band)
        for quantity, part in rows.groupby("quantity", sort=True)
    ]
    if panels:
        nation = rows[rows["level"] == "nation"]["row"]
        labels = Labels(
            rows=list(rows["row"].unique()),
            marked=frozenset(nation),
            series=("",),
            band=texts.plain("circle.band"),
            axis=texts.plain("circle.sd_axis"),
        )
        yield Job(
            "circle_halves",
            "svg",
            texts.plain("circle.halves_alt"),
            texts("circle.halves_caption"),
            partial(dots, panels, labels, left=1.6),
        )


def _readings(results: CircleResults) -> list[str]:
    nation = results.loop[results.loop["level"] == "nation"]
    return [str(reading) for reading in nation["reading"].unique()]


def _responses(results: CircleResults, texts: Texts) -> Iterator[Job]:
    rows = results.impulse[results.impulse["level"] == "nation"]
    if len(rows):
        names = {node: texts.plain(f"circle.title_{node}") for node in NODES}
        words = {key: texts.plain(f"circle.impulse_{key}") for key in ("closed", "open", "axis")}
        yield Job(
            "circle_impulse",
            "svg",
            texts.plain("circle.impulse_alt"),
            texts("circle.impulse_caption"),
            partial(impulse, rows, names, words),
        )


def state_map(
    results: CircleResults, states: MapShapes | None, scope: Scope, texts: Texts
) -> Iterator[Job]:
    """Draw the states by their most probable regime, where links differ between states."""
    regime = one_limit(results.regime)
    here = (regime["level"] == "state") & (regime["reading"] == "lagged")
    rows = regime[here].set_index("code")
    if states is not None and len(rows):
        words: Mapping[str, str] = {
            key: texts.plain(f"circle.regime_{key}") for key in (*REGIMES, "unsure")
        }
        yield Job(
            "circle_regimes",
            "png",
            texts.plain("circle.regimes_alt", place=scope.place),
            texts("circle.regimes_caption"),
            partial(regime_map, states, rows, words),
        )


def _trials(results: CircleResults, texts: Texts) -> Iterator[Job]:
    table = optional(results, "specification")
    if table is not None:
        table = table.assign(specification=table["specification"].map(texts.said_plain))
        order, marked = specification_order(table)
        delta = limit(results.regime)
        panels = []
        for quantity in ("deepening", "feedback", "gain"):
            rows = specification_rows(table, quantity).assign(series="")
            band = None if delta is None or quantity == "gain" else (-delta, delta)
            panels.append(Panel(texts.plain(f"circle.curve_{quantity}"), rows, band))
        labels = Labels(
            rows=order,
            marked=frozenset(marked),
            series=("",),
            band=texts.plain("circle.band"),
            axis=texts.plain("circle.sd_axis"),
        )
        yield Job(
            "circle_specifications",
            "png",
            texts.plain("circle.curve_alt", count=len(order)),
            texts("circle.curve_caption"),
            partial(dots, panels, labels, left=2.4),
        )
    table = optional(results, "confusion")
    if table is not None:
        counts = table.pivot_table(
            index="scenario", columns="verdict", values="count", fill_value=0, sort=False
        )
        yield Job(
            "circle_confusion",
            "svg",
            texts.plain("circle.confusion_alt"),
            texts("circle.confusion_caption"),
            partial(
                confusion,
                counts.to_numpy(dtype=float),
                [_broken(texts.said_plain(name)) for name in counts.index],
                [_broken(texts.said_plain(name), 13) for name in counts.columns],
                (texts.plain("circle.truth"), texts.plain("circle.verdict")),
            ),
        )
    table = optional(results, "coverage")
    if table is not None:
        table = table.assign(scenario=table["scenario"].map(texts.said_plain))
        rows = coverage_rows(table, texts)
        labels = Labels(
            rows=list(rows["row"].unique()),
            series=list(rows["series"].unique())[:6],
            band=texts.plain("circle.coverage_band"),
            axis=texts.plain("circle.coverage_axis"),
        )
        panel = Panel("", rows, (0.87, 0.93), None)
        yield Job(
            "circle_coverage",
            "svg",
            texts.plain("circle.coverage_alt"),
            texts("circle.coverage_caption"),
            partial(dots, [panel], labels, left=1.72),
        )


def _broken(text: str, width: int = 20) -> str:
    """Break a label at the blank nearest to its middle, where it is too long for one line."""
    blanks = [i for i, letter in enumerate(text) if letter == " "]
    if len(text) <= width or not blanks:
        return text
    at = blanks[int(np.argmin([abs(i - len(text) / 2) for i in blanks]))]
    return text[:at] + "\n" + text[at + 1 :]
