"""Paths over quarters with their intervals, and what was measured: one large, or many small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    MUTED,
    PLOT_WIDTH,
    RULE,
    new_figure,
    shorten,
)

AHEAD = "#b08a2e"


@dataclass(frozen=True)
class PathPanel:
    """One place.

    Parameters
    ----------
    title : str
        Its name.
    rows : DataFrame
        ``quarter``, ``series`` ("trend" or "ahead"), ``median``, ``eti90_lower``, ``eti90_upper``,
        ``observed``.
    """

    title: str
    rows: pd.DataFrame


def paths(
    panels: Sequence[PathPanel],
    words: Mapping[str, str],
    *,
    columns: int = 1,
    breaks: Sequence[str] = (),
    shared: bool = False,
) -> Figure:
    """Draw places beside and below each other, money on a logarithmic axis.

    Parameters
    ----------
    panels : sequence of PathPanel
        Row by row.
    words : mapping of str to str
        ``observed``, ``trend``, ``ahead`` and ``axis``.
    columns : int
        Panels beside each other; with one the panel is large.
    breaks : sequence of str
        Quarters at which a vertical line stands.
    shared : bool
        Whether all panels have the same span of money.

    Returns
    -------
    Figure
        Lines are medians, bands intervals, dots what was measured.
    """
    rows = -(-len(panels) // columns)
    large = columns == 1
    each = 2.5 if large else (1.12 if columns > 3 else 1.3)
    head, foot, left = 0.58 if large else 0.5, 0.3, 0.5
    height = rows * each + head + foot
    figure = new_figure(PLOT_WIDTH, height)
    gap = 0.12 if shared else 0.5
    width = (PLOT_WIDTH - left - 0.06 - gap * (columns - 1)) / columns
    span = _span([panel.rows for panel in panels]) if shared else None
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        bottom = height - head - (row + 1) * each + 0.3
        box = np.array([left + column * (width + gap), bottom, width, each - 0.46])
        axes = figure.add_axes(tuple(box / np.array([PLOT_WIDTH, height, PLOT_WIDTH, height])))
        _panel(axes, panel, breaks, span or _span([panel.rows]), length=round(width * 19))
        if row < rows - 1 and i + columns < len(panels):
            axes.set_xticklabels([])
        if shared and column:
            axes.set_yticklabels([])
    handles = [
        Line2D(
            [], [], color=MUTED, marker=".", linestyle="", markersize=5, label=words["observed"]
        ),
        Line2D([], [], color=ACCENT, linewidth=1.6, label=words["trend"]),
        Patch(facecolor=AHEAD, alpha=0.45, linewidth=0, label=words["ahead"]),
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=3, fontsize=8.4,
        columnspacing=1.0, handlelength=1.5, borderaxespad=0.1, labelspacing=0.25,
    )  # fmt: skip
    figure.text(0.99, 0.03 / height, words["axis"], ha="right", va="bottom", fontsize=8.6)
    return figure


def _span(tables: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """Return the money that an axis must hold: trends and forecasts whole, figures but a few."""
    low, high = [], []
    for rows in tables:
        trend = rows[rows["series"] == "trend"]
        ahead = rows[rows["series"] == "ahead"]
        seen = trend["observed"].dropna()
        low += [trend["median"].min(), *ahead["median"], *seen.quantile([0.03])]
        high += [trend["median"].max(), *ahead["median"], *seen.quantile([0.97])]
    low = [x for x in low if np.isfinite(x) and x > 0]
    high = [x for x in high if np.isfinite(x) and x > 0]
    return 0.8 * min(low), 1.25 * max(high)


def _panel(
    axes: Axes,
    panel: PathPanel,
    breaks: Sequence[str],
    span: tuple[float, float],
    *,
    length: int,
) -> None:
    large = length > 50
    rows = panel.rows.assign(at=_years(panel.rows["quarter"]))
    trend, ahead = (rows[rows["series"] == name] for name in ("trend", "ahead"))
    for at in _years(pd.Series(list(breaks), dtype=str)):
        axes.axvline(at - 0.125, color=RULE, linewidth=1.0, zorder=0)
    axes.plot(
        trend["at"], trend["observed"], ".", color=MUTED, markersize=3.2 if large else 1.8,
        markeredgewidth=0, zorder=1,
    )  # fmt: skip
    for part, colour, alpha in ((trend, ACCENT, 0.25), (ahead, AHEAD, 0.45)):
        axes.fill_between(
            part["at"], part["eti90_lower"], part["eti90_upper"], color=colour, alpha=alpha,
            linewidth=0, zorder=2,
        )  # fmt: skip
    axes.plot(trend["at"], trend["median"], color=ACCENT, linewidth=1.6 if large else 1.1, zorder=3)
    axes.plot(ahead["at"], ahead["median"], color=CLAIM, linewidth=1.3 if large else 0.9, zorder=3)
    axes.set_yscale("log")
    axes.set_ylim(*span)
    ticks = _ticks(*span)
    axes.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(rows["at"].min() - 0.2, rows["at"].max() + 0.2)
    first = int(np.ceil(rows["at"].min() / 5.0) * 5)
    years = list(range(first, int(rows["at"].max()) + 1, 5))
    axes.set_xticks(years, [str(year) if large else f"’{year % 100:02d}" for year in years])
    axes.tick_params(length=2, labelsize=8.8 if large else 7.2, pad=1.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=RULE, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.set_title(
        shorten(panel.title, length), fontsize=9 if large else 7.2,
        fontweight="bold", color=INK, pad=2.5,
    )  # fmt: skip


def _years(quarters: pd.Series) -> np.ndarray:
    text = quarters.astype(str)
    year, number = text.str[:4].astype(float), text.str[5:].astype(float)
    return np.asarray(year + (number - 0.5) / 4.0)


def _ticks(low: float, high: float) -> list[float]:
    """Return two to four round numbers within a span."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    found: list[float] = []
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [step * 10.0**p for p in powers for step in steps if low <= step * 10.0**p <= high]
        if len(found) <= 4:
            break
    while len(found) > 4:
        found = found[::2]
    return found or [float(f"{np.sqrt(low * high):.1g}")]
