"""Paths of countries, a small panel each: published as dots, the lasting path with a band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remitstats.report.figures.style import (
    ACCENT,
    CLAIM,
    MUTED,
    PLOT_WIDTH,
    SERIES,
    new_figure,
    shorten,
    strip,
)

FOOT, HEAD, TITLE, PANEL = 0.28, 0.36, 0.26, 0.95
COLOURS = (ACCENT, *SERIES[2:4])


def country_paths(
    rows: pd.DataFrame,
    names: Mapping[str, str],
    words: Mapping[str, str],
    paths: Sequence[str],
    *,
    breaks: Mapping[str, Sequence[int]] | None = None,
    nought: bool = True,
) -> Figure:
    """Draw a panel a country, two beside each other.

    Parameters
    ----------
    rows : DataFrame
        ``country``, ``year``, ``path``, ``observed``, ``median``, ``eti90_lower``, ``eti90_upper``.
    names : mapping of str to str
        Titles by country, in the order to draw them.
    words : mapping of str to str
        ``observed`` and ``lasting`` for the legend, ``axis`` for what is measured; ``break`` where
        there are breaks.
    paths : sequence of str
        The paths there are, each with a colour of its own in every figure.
    breaks : mapping of str to sequence of int, optional
        Years from which a country reports otherwise.
    nought : bool
        Whether every panel shows nought.

    Returns
    -------
    Figure
        Each panel has its own scale; colours tell the paths of development.
    """
    shown = [country for country in names if country in set(rows["country"])]
    columns = 2
    lines = -(-len(shown) // columns)
    each = PANEL + TITLE + 0.22
    height = HEAD + lines * each + FOOT
    figure = new_figure(PLOT_WIDTH, height)
    left, gap, right = 0.36, 0.36, 0.18  # to the right half a year's label
    width = (PLOT_WIDTH - left - right - gap * (columns - 1)) / columns
    first, last = int(rows["year"].min()), int(rows["year"].max())
    for i, country in enumerate(shown):
        line, column = divmod(i, columns)
        x, y = left + column * (width + gap), height - HEAD - (line + 1) * each + 0.22
        axes = figure.add_axes((x / PLOT_WIDTH, y / height, width / PLOT_WIDTH, PANEL / height))
        here = rows[rows["country"] == country].sort_values("year")
        colour = COLOURS[list(paths).index(here["path"].iloc[0])]
        for year in (breaks or {}).get(country, ()):
            if first <= year <= last:
                axes.axvline(year - 0.5, color=CLAIM, linewidth=1, linestyle=(0, (3, 2)))
        if nought:
            axes.axhline(0, color=MUTED, linewidth=0.9)
        at = here["year"].to_numpy(float)
        axes.fill_between(
            at, here["eti90_lower"], here["eti90_upper"], color=colour, alpha=0.25, linewidth=0
        )
        axes.plot(at, here["median"], color=colour, linewidth=1.5)
        axes.plot(at, here["observed"], ".", color=MUTED, markersize=2.4)
        strip(axes, grid="y")
        axes.set_xlim(first - 1, last + 1)
        low, high = axes.get_ylim()
        most = max(np.nanmax(np.abs(here["observed"])), 1e-9)
        axes.set_ylim(max(low, -1.6 * most), min(high, 1.6 * most))
        axes.set_xticks([year for year in (1960, 1980, 2000, 2020) if first <= year <= last])
        axes.locator_params(axis="y", nbins=4)
        axes.tick_params(labelsize=8)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
        axes.set_title(shorten(names[country], 28), fontsize=9)
    handles = [
        Line2D(
            [], [], color=MUTED, marker=".", linestyle="", markersize=4, label=words["observed"]
        ),
        Line2D([], [], color=ACCENT, linewidth=1.5, label=words["lasting"]),
    ]
    if breaks:
        handles.append(
            Line2D([], [], color=CLAIM, linewidth=1, linestyle=(0, (3, 2)), label=words["break"])
        )
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=3, fontsize=8.4,
        borderaxespad=0.2, columnspacing=1.0, handlelength=1.4,
    )  # fmt: skip
    figure.text(0.5, 0.05 / height, words["axis"], ha="center", va="bottom", fontsize=9)
    return figure
