"""Dots with intervals on a common axis, one panel a question, with a band of no practical effect.

Serves the loop gain with each link cut, deepening and feedback by region, the specification curve
and the coverage of intervals: rows are what is compared, panels are quantities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from remitstats.report.figures.style import (
    ACCENT,
    CLAIM,
    INK,
    MARKERS,
    MUTED,
    PLOT_WIDTH,
    SERIES,
    new_figure,
    shorten,
    strip,
)

BAND = "#e9dfc4"


@dataclass(frozen=True)
class Panel:
    """One panel of dots.

    Parameters
    ----------
    title : str
        What is measured, lines broken as given.
    rows : DataFrame
        ``row`` (label), ``series`` (name), ``median``, ``eti90_lower``, ``eti90_upper``; a row of
        the figure that is not here stays empty.
    band : tuple of float, optional
        Region to shade.
    line : float
        Where a vertical line stands.
    """

    title: str
    rows: pd.DataFrame
    band: tuple[float, float] | None = None
    line: float | None = 0.0


@dataclass(frozen=True)
class Labels:
    """Words of a dot plot: rows in order, which are marked, names of series, of band and axis."""

    rows: Sequence[str]
    marked: frozenset[str] = frozenset()
    series: Sequence[str] = field(default_factory=tuple)
    band: str = ""
    axis: str = ""


def dots(panels: Sequence[Panel], labels: Labels, *, left: float = 1.5) -> Figure:
    """Draw panels of dots beside each other, their rows in common.

    Parameters
    ----------
    panels : sequence of Panel
        From left to right.
    labels : Labels
        The words.
    left : float
        Inches for the names of the rows.

    Returns
    -------
    Figure
        Points are medians, lines intervals.
    """
    count = len(labels.rows)
    lines = max(panel.title.count("\n") + 1 if panel.title else 0 for panel in panels)
    top, bottom = 0.12 + 0.17 * lines, 0.3 + (0.22 if labels.axis else 0.0)
    words = [*labels.series] if len(labels.series) > 1 else []
    words += [labels.band] if labels.band and any(panel.band for panel in panels) else []
    head = 0.26 * ((len(words) + 1) // 2)
    step = 0.27 + 0.09 * max(len(labels.series) - 1, 0)
    height = step * count + top + bottom + head
    figure = new_figure(PLOT_WIDTH, height)
    gap, width = 0.16, PLOT_WIDTH - left - 0.1
    each = (width - gap * (len(panels) - 1)) / len(panels)
    for i, panel in enumerate(panels):
        box = (left + i * (each + gap), bottom, each, height - bottom - top - head)
        sizes = np.array([PLOT_WIDTH, height, PLOT_WIDTH, height])
        axes = figure.add_axes(tuple(np.array(box) / sizes))
        _panel(axes, panel, labels, narrow=len(panels) > 2)
        if i == 0:
            length = round(left * 13.3)
            axes.set_yticks(range(count), [shorten(row, length) for row in labels.rows])
            for tick, row in zip(axes.get_yticklabels(), labels.rows, strict=True):
                tick.set_fontsize(8.6)
                tick.set_fontweight("bold" if row in labels.marked else "normal")
        else:
            axes.set_yticks([])
    _legend(figure, labels, words)
    if labels.axis:
        figure.text(0.985, 0.05 / height, labels.axis, ha="right", va="bottom", fontsize=9)
    return figure


def _panel(axes: Axes, panel: Panel, labels: Labels, *, narrow: bool) -> None:
    place = {row: i for i, row in enumerate(labels.rows)}
    rows = panel.rows[panel.rows["row"].isin(place)]
    if panel.band is not None:
        axes.axvspan(*panel.band, color=BAND, zorder=0, linewidth=0)
    if panel.line is not None:
        axes.axvline(panel.line, color=MUTED, linewidth=0.9, zorder=1)
    series = labels.series or ("",)
    half = min(0.17 * (len(series) - 1), 0.28)
    offsets = np.linspace(-half, half, len(series))
    for i, name in enumerate(series):
        here = rows[rows["series"] == name]
        marked = here["row"].isin(labels.marked).to_numpy(dtype=bool)
        y = here["row"].map(place).to_numpy(dtype=float) + offsets[i]
        colour = ACCENT if len(series) == 1 else SERIES[i]
        colours = np.where(marked & (len(series) == 1), CLAIM, colour)
        axes.hlines(y, here["eti90_lower"], here["eti90_upper"], colors=list(colours), linewidth=2)
        axes.scatter(
            here["median"], y, s=np.where(marked, 34, 22), c=list(colours), zorder=3,
            marker=MARKERS[i], linewidths=0,
        )  # fmt: skip
    strip(axes)
    axes.set_ylim(len(labels.rows) - 0.4, -0.6)
    axes.margins(x=0.06)
    axes.locator_params(axis="x", nbins=2 if narrow else 5)
    axes.tick_params(axis="x", labelsize=8.8)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    axes.set_title(panel.title, fontsize=9, fontweight="bold", color=INK, linespacing=1.15)


def _legend(figure: Figure, labels: Labels, words: Sequence[str]) -> None:
    if not words:
        return
    handles: list[Line2D | Patch] = []
    for i, name in enumerate(labels.series if len(labels.series) > 1 else ()):
        handles.append(Line2D([], [], color=SERIES[i], marker=MARKERS[i], markersize=5, label=name))
    if labels.band in words:
        handles.append(Patch(facecolor=BAND, label=labels.band))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.8,
        columnspacing=1.2, handlelength=1.8, borderaxespad=0.2,
    )  # fmt: skip
