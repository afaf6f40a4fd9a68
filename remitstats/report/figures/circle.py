"""The circle drawn: five variables and an arrow a link, with its estimate and how sure its sign is.

One unit of the drawing is one inch; both the large and the small drawings are laid out on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Polygon

from remitstats.report.circle_links import (
    CHAIN,
    CLAIMED,
    NODES,
    OPPOSITE,
    OTHERS,
    p_sign,
    row_of,
    sign,
    way,
)
from remitstats.report.figures.style import INK, MUTED, PAPER, PLOT_WIDTH, RULE, SERIES, new_figure
from remitstats.report.formats import show

POSITIVE, NEGATIVE, UNSURE = SERIES[0], SERIES[1], "#8a949b"
COLOURS = {"positive": POSITIVE, "negative": NEGATIVE, "unsure": UNSURE}
MARK = {CLAIMED: "\N{CHECK MARK}", OPPOSITE: "\N{BALLOT X}"}
# How far an arrow bends to the left of the straight line, and how far along it its label stands.
# The chain runs clockwise, so its arrows bend outwards and those against it inwards.
_BEND = {
    **dict.fromkeys(CHAIN, 0.36),
    ("reliance", "migration"): 0.2,
    ("migration", "underdevelopment"): 0.2,
    ("reliance", "underdevelopment"): 0.44,
    ("migration", "growth"): 0.0,
}
_LABEL = {("migration", "growth"): 0.3, ("reliance", "migration"): 0.42}
_LEAST = 0.05  # sd: links are drawn no thicker for being the largest of a circle of small ones

Pair = tuple[str, str]
Row = dict[str, Any]
Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where the nodes stand, how large they are, and the sizes of letters and arrows."""

    size: Point
    places: Mapping[str, Point]
    node: Point
    node_font: float
    label_font: float
    thickest: float
    probabilities: bool


LARGE = Layout(
    size=(PLOT_WIDTH, 4.75),
    places={
        "growth": (2.4, 2.5),
        "migration": (2.4, 4.4),
        "reliance": (4.16, 2.5),
        "stability": (2.4, 0.6),
        "underdevelopment": (0.64, 2.5),
    },
    node=(1.18, 0.5),
    node_font=9.4,
    label_font=9.2,
    thickest=6.0,
    probabilities=True,
)
SMALL = Layout(
    size=(PLOT_WIDTH / 2, 2.4),
    places={
        "growth": (1.2, 1.2),
        "migration": (1.2, 2.1),
        "reliance": (2.1, 1.2),
        "stability": (1.2, 0.3),
        "underdevelopment": (0.3, 1.2),
    },
    node=(0.34, 0.34),
    node_font=10.5,
    label_font=8.6,
    thickest=4.0,
    probabilities=False,
)


def circle(
    links: pd.DataFrame, names: Mapping[str, str], legend: Mapping[str, str], *, chain_only: bool
) -> Figure:
    """Draw the circle of one place.

    Parameters
    ----------
    links : DataFrame
        Links indexed by (from, to) with ``median`` and ``p_positive``.
    names : mapping of str to str
        What to write in each node; lines are broken as given.
    legend : mapping of str to str
        ``positive, negative, unsure, claimed, opposite``: what colours and marks mean.
    chain_only : bool
        Whether to leave out what is not in the claimed chain.

    Returns
    -------
    Figure
        Arrows over their legend.
    """
    bottom = 0.5
    width, height = LARGE.size
    figure = new_figure(width, height + bottom)
    axes = _canvas(figure, (0.0, bottom), LARGE, height + bottom)
    shown = CHAIN if chain_only else (*CHAIN, *OTHERS)
    _draw(axes, links, names, LARGE, shown, thickest_link(links))
    _legend(figure, legend)
    return figure


def circles(
    places: Sequence[tuple[str, pd.DataFrame]],
    letters: Mapping[str, str],
    legend: Mapping[str, str],
) -> Figure:
    """Draw the circles of several places on one scale.

    Parameters
    ----------
    places : sequence of (name, links)
        Links as for `circle`.
    letters : mapping of str to str
        A letter or two for each node.
    legend : mapping of str to str
        As for `circle`, with ``nodes``: what the letters stand for, in two lines.

    Returns
    -------
    Figure
        Two circles a row over their legend.
    """
    rows = (len(places) + 1) // 2
    bottom, title = 1.02, 0.3
    height = rows * (SMALL.size[1] + title) + bottom
    figure = new_figure(PLOT_WIDTH, height)
    largest = max(thickest_link(links) for _, links in places)
    for i, (name, links) in enumerate(places):
        left = SMALL.size[0] * (i % 2)
        low = height - (i // 2 + 1) * (SMALL.size[1] + title)
        axes = _canvas(figure, (left, low), SMALL, height)
        _draw(axes, links, letters, SMALL, (*CHAIN, *OTHERS), largest)
        axes.text(0.12, SMALL.size[1] + 0.05, name, fontsize=10.5, fontweight="bold", va="bottom")
    _legend(figure, legend)
    figure.text(0.02, 0.98 / height, legend["nodes"], fontsize=8.8, va="top", linespacing=1.35)
    return figure


def thickest_link(links: pd.DataFrame) -> float:
    """Return the size of the largest link drawn, at least `_LEAST`."""
    drawn = [pair for pair in (*CHAIN, *OTHERS) if pair in links.index]
    return max([_LEAST, *(abs(float(row_of(links, pair)["median"])) for pair in drawn)])


def _canvas(figure: Figure, corner: Point, layout: Layout, height: float) -> Axes:
    left, low = corner
    width = figure.get_size_inches()[0]
    size = layout.size
    axes = figure.add_axes((left / width, low / height, size[0] / width, size[1] / height))
    axes.set_xlim(0, size[0])
    axes.set_ylim(0, size[1])
    axes.set_axis_off()
    return axes


def _draw(
    axes: Axes,
    links: pd.DataFrame,
    names: Mapping[str, str],
    layout: Layout,
    shown: Iterable[Pair],
    largest: float,
) -> None:
    pairs = [pair for pair in shown if pair in links.index]
    for pair in pairs:
        _arrow(axes, pair, row_of(links, pair), layout, largest)
    drawn = {name for pair in pairs for name in pair}
    wide, high = layout.node
    for name in NODES:
        if name not in drawn:
            continue
        x, y = layout.places[name]
        axes.add_patch(
            FancyBboxPatch(
                (x - wide / 2, y - high / 2), wide, high, facecolor="#eef2f4", edgecolor=MUTED,
                linewidth=0.9, boxstyle=f"round,pad=0,rounding_size={high / 3}", zorder=4,
            )
        )  # fmt: skip
        axes.text(
            x, y, names[name], ha="center", va="center", fontsize=layout.node_font,
            fontweight="bold", color=INK, zorder=5, linespacing=1.1,
        )  # fmt: skip


def _arrow(axes: Axes, pair: Pair, row: Row, layout: Layout, largest: float) -> None:
    """Draw one link: a curve that stops short of both nodes, its head, its label."""
    size, kind = float(row["median"]), sign(row)
    colour = COLOURS[kind]
    chain = pair in CHAIN
    share = min(abs(size) / largest, 1.0)
    thickness = (0.9 + (layout.thickest - 0.9) * share) * (1.0 if chain else 0.55)
    points = _curve(pair, layout)
    head = (0.055 + 0.022 * thickness) * (1.0 if layout.probabilities else 0.8)
    body, tip, base = _with_head(points, 1.35 * head)
    style = (0, (2.2, 1.4)) if kind == "unsure" else "solid"
    axes.plot(
        *body.T, color=colour, linewidth=thickness, linestyle=style, zorder=2,
        solid_capstyle="butt", dash_capstyle="butt",
    )  # fmt: skip
    across = np.array([-(tip - base)[1], (tip - base)[0]]) / np.hypot(*(tip - base)) * head * 0.75
    axes.add_patch(
        Polygon([tip, base + across, base - across], closed=True, color=colour, zorder=3, lw=0)
    )
    place = points[int(_LABEL.get(pair, 0.5) * len(points))]
    _label(axes, place, row, layout, chain=chain)


def _label(axes: Axes, place: np.ndarray, row: Row, layout: Layout, *, chain: bool) -> None:
    """Write a link's estimate, its mark and the probability of its sign; the chain's on top."""
    size, bold = float(row["median"]), chain and sign(row) != "unsure"
    mark = MARK.get(way(float(row["p_positive"])), "?") if chain else ""
    text = f"{show(size, 'effect')} {mark}".strip()
    if layout.probabilities:
        shown = "+" if size >= 0 else "\N{MINUS SIGN}"
        text += f"\nP({shown}) {show(p_sign(row), 'probability')}"
    axes.text(
        place[0], place[1], text, ha="center", va="center", color=INK, linespacing=1.25,
        fontsize=layout.label_font - (0.0 if chain else 0.8),
        fontweight="bold" if bold else "normal", zorder=7 if chain else 6,
        bbox={
            "facecolor": PAPER, "edgecolor": RULE if chain else "none", "linewidth": 0.5,
            "boxstyle": f"round,pad={0.22 if layout.probabilities else 0.15}",
        },
    )  # fmt: skip


def _curve(pair: Pair, layout: Layout) -> np.ndarray:
    """Return the points of a bent line between two nodes, outside both (points, 2)."""
    start, end = (np.array(layout.places[name]) for name in pair)
    along = end - start
    control = (start + end) / 2 + _BEND[pair] * np.array([-along[1], along[0]])
    t = np.linspace(0, 1, 201)[:, None]
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    half = np.array(layout.node) / 2 + 0.05
    inside = (np.abs(points - start) < half).all(1) | (np.abs(points - end) < half).all(1)
    return np.asarray(points[~inside])


def _with_head(points: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the line cut where the head begins, the tip of the head and the middle of its base."""
    tip = points[-1]
    body = points[np.hypot(*(points - tip).T) > length]
    return body, tip, body[-1]


def _legend(figure: Figure, words: Mapping[str, str]) -> None:
    height = figure.get_size_inches()[1]
    handles = [
        Line2D([], [], color=POSITIVE, linewidth=3, label=words["positive"]),
        Line2D([], [], color=UNSURE, linewidth=3, linestyle=(0, (2.2, 1.4)), label=words["unsure"]),
        Line2D([], [], color=NEGATIVE, linewidth=3, label=words["negative"]),
        Line2D([], [], linestyle="", label=words["marks"]),
    ]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.0, 0.02 / height), ncols=2,
        fontsize=8.8, columnspacing=1.0, handlelength=2.0, borderaxespad=0.2,
    )  # fmt: skip
