"""Paths over years, a small panel each: what is known as dots, a prediction as a bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remitstats.report.figures.style import ACCENT, CLAIM, PLOT_WIDTH, new_figure, shorten, strip

FOOT, HEAD, TITLE = 0.3, 0.34, 0.3


def yearly_paths(
    rows: pd.DataFrame,
    names: Mapping[str, str],
    words: Mapping[str, str],
    *,
    columns: int = 2,
    panel_height: float = 1.15,
) -> Figure:
    """Draw a panel a place.

    Parameters
    ----------
    rows : DataFrame
        ``code``, ``year``, ``observed`` (nan where not known), ``median``, ``eti90_lower``,
        ``eti90_upper`` and ``predicted``.
    names : mapping of str to str
        Titles by code, in the order to draw them.
    words : mapping of str to str
        ``known`` and ``predicted`` for the legend, ``axis`` for what is measured.
    columns : int
        Panels beside each other.
    panel_height : float
        Inches of a panel without its title.

    Returns
    -------
    Figure
        Each panel has its own scale from nought.
    """
    lines = -(-len(names) // columns)
    each = panel_height + TITLE + 0.22
    height = HEAD + lines * each + FOOT
    figure = new_figure(PLOT_WIDTH, height)
    left, gap = 0.42, 0.46
    width = (PLOT_WIDTH - left - 0.08 - gap * (columns - 1)) / columns
    first, last = int(rows["year"].min()), int(rows["year"].max())
    for i, (code, title) in enumerate(names.items()):
        line, column = divmod(i, columns)
        x = left + column * (width + gap)
        y = height - HEAD - (line + 1) * each + 0.22
        axes = figure.add_axes(
            (x / PLOT_WIDTH, y / height, width / PLOT_WIDTH, panel_height / height)
        )
        here = rows[rows["code"] == code].sort_values("year")
        known, later = here[~here["predicted"]], here[here["predicted"]]
        axes.plot(known["year"], known["observed"], "-o", color=ACCENT, markersize=2.6, linewidth=1)
        axes.vlines(
            later["year"], later["eti90_lower"], later["eti90_upper"], color=CLAIM, linewidth=2
        )
        axes.plot(later["year"], later["median"], "s", color=CLAIM, markersize=3.6)
        strip(axes, grid="y")
        top = float(np.nanmax([here["observed"].max(), here["eti90_upper"].max()]))
        axes.set_ylim(0, 1.08 * top)
        axes.set_xlim(first - 0.8, last + 0.8)
        axes.locator_params(axis="y", nbins=4)
        axes.set_xticks([y for y in range(first, last + 1) if y % 10 == 0 or y == last])
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
        axes.tick_params(labelsize=8.6)
        axes.set_title(shorten(title, 14 * round(width)), fontsize=9.4)
    handles = [
        Line2D([], [], color=ACCENT, marker="o", markersize=3, linewidth=1, label=words["known"]),
        Line2D(
            [], [], color=CLAIM, marker="s", markersize=4, linewidth=2, label=words["predicted"]
        ),
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.8,
        borderaxespad=0.2,
    )  # fmt: skip
    figure.text(0.5, 0.05 / height, words["axis"], ha="center", va="bottom", fontsize=9)
    return figure


def chosen(rows: pd.DataFrame, codes: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """Return titles of some places that there are, in the order asked for."""
    there = set(rows["code"])
    return {code: names.get(code, code) for code in codes if code in there}
