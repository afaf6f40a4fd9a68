"""Paths over time with intervals: small panels of places, or several series in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

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

Array = NDArray[np.float64]
HEAD, PANEL = 0.36, 0.98  # inches
TICKS = (1995, 2005, 2015)


@dataclass(frozen=True)
class Path:
    """One path with its interval.

    Parameters
    ----------
    title : str
        Of its panel, or name of its series.
    x, median, lower, upper : array
        Where and what.
    seen : array, optional
        What was recorded, at the same places.
    """

    title: str
    x: Array
    median: Array
    lower: Array
    upper: Array
    seen: Array | None = None


def small_multiples(
    paths: Sequence[Path],
    words: tuple[str, str, str],
    *,
    columns: int = 3,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw a small panel a path.

    Parameters
    ----------
    paths : sequence of Path
        In the order to draw them.
    words : tuple of str
        Names of the band, of what was recorded, and of the vertical axis with its unit.
    columns : int
        Panels in a row.
    limits : tuple of float, optional
        Ends of the vertical axes, the same for all; by default each has its own. Recorded
        figures beyond them stand at the edge.

    Returns
    -------
    Figure
        Bands are intervals, dots what was recorded; the line at nought divides growth from loss.
    """
    lines = -(-len(paths) // columns)
    height = HEAD + PANEL * lines + 0.25
    figure = new_figure(PLOT_WIDTH, height)
    for number, path in enumerate(paths):
        row, column = divmod(number, columns)
        width = 0.93 / columns
        box = (
            0.065 + column * width,
            (height - HEAD - PANEL * (row + 1) + 0.16) / height,
            width - 0.055,
            (PANEL - 0.4) / height,
        )
        axes = figure.add_axes(box)
        _one(axes, path, limits)
        axes.set_title(shorten(path.title, 60 // columns), fontsize=8.2, pad=3)
        last = number + columns >= len(paths)
        axes.set_xticks(TICKS, [f"’{year % 100:02d}" for year in TICKS])
        axes.set_xlim(min(path.x[0], TICKS[0]) - 0.5, max(path.x[-1], TICKS[-1]) + 0.5)
        axes.tick_params(axis="x", labelbottom=last, labelsize=7.5)
        axes.tick_params(axis="y", labelsize=7.5)
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=ACCENT, linewidth=1.5, label=words[0]),
        Line2D([], [], color=CLAIM, marker="D", markersize=3.5, linestyle="", label=words[1]),
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.6,
        columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip
    figure.text(0.985, 0.03 / height, words[2], ha="right", va="bottom", fontsize=8.6, color=INK)
    return figure


def _one(axes: Axes, path: Path, limits: tuple[float, float] | None) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.fill_between(path.x, path.lower, path.upper, color=ACCENT, alpha=0.24, linewidth=0)
    axes.plot(path.x, path.median, color=ACCENT, linewidth=1.5)
    if path.seen is not None:
        seen = path.seen if limits is None else np.clip(path.seen, *limits)
        axes.plot(path.x, seen, "D", color=CLAIM, markersize=3.2, clip_on=False)
    strip(axes, grid="y")
    if limits is not None:
        axes.set_ylim(*limits)
    axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))


def together(paths: Sequence[Path], axis: str, *, line: tuple[float, str] | None = None) -> Figure:
    """Draw several paths in one panel.

    Parameters
    ----------
    paths : sequence of Path
        Series; their titles go into the legend.
    axis : str
        Name of the vertical axis with its unit.
    line : tuple of float and str, optional
        A value to hold them against, and its name.

    Returns
    -------
    Figure
        Points are medians, lines their intervals.
    """
    height = 3.1
    figure = new_figure(PLOT_WIDTH, height)
    axes = figure.add_axes((0.09, 0.1, 0.89, 0.68))
    spread = 0.35 * np.linspace(-1, 1, len(paths)) if len(paths) > 1 else np.zeros(1)
    for i, path in enumerate(paths):
        x = path.x + spread[i]
        axes.plot(x, path.median, color=SERIES[i], linewidth=1.1, alpha=0.55)
        axes.vlines(x, path.lower, path.upper, color=SERIES[i], linewidth=2.4)
        axes.plot(x, path.median, MARKERS[i], color=SERIES[i], markersize=5)
    if line is not None:
        axes.axhline(line[0], color=CLAIM, linewidth=1.1, linestyle=(0, (4, 3)))
        axes.annotate(
            line[1], (1.0, line[0]), xycoords=("axes fraction", "data"), xytext=(0, 3),
            textcoords="offset points", ha="right", color=CLAIM, fontsize=9,
        )  # fmt: skip
    strip(axes, grid="y")
    axes.set_ylim(bottom=0)
    axes.set_title(axis, fontsize=9.2, fontweight="normal")
    handles = [
        Line2D([], [], color=SERIES[i], marker=MARKERS[i], markersize=5, label=path.title)
        for i, path in enumerate(paths)
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.8,
        columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip
    return figure


def histogram(lower: Array, upper: Array, share: Array, axis: str, even: str) -> Figure:
    """Draw shares of bins against what an exact forecast would have in each.

    Parameters
    ----------
    lower, upper, share : array
        Bins and the share in each.
    axis, even : str
        Names of the horizontal axis and of the even share.
    """
    figure = new_figure(PLOT_WIDTH, 2.5)
    axes = figure.add_axes((0.1, 0.2, 0.88, 0.68))
    axes.bar(lower, 100 * share, width=upper - lower, align="edge", color=ACCENT, alpha=0.75,
             edgecolor="white", linewidth=1)  # fmt: skip
    axes.axhline(100 / len(share), color=CLAIM, linewidth=1.2, linestyle=(0, (4, 3)), label=even)
    strip(axes, grid="y")
    axes.legend(loc="upper left", fontsize=8.8, bbox_to_anchor=(0, 1.18))
    axes.set_xlabel(axis, fontsize=9)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    return figure
