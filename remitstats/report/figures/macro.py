"""Yearly growth of sources of foreign exchange with the drift behind it, a panel a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from remitstats.report.figures.style import (
    ACCENT,
    CLAIM,
    MUTED,
    PLOT_WIDTH,
    new_figure,
    strip,
)

COVERAGE = "#e9dfc4"


def growth(
    rows: pd.DataFrame, names: Mapping[str, str], words: Mapping[str, str], covered: Sequence[int]
) -> Figure:
    """Draw a panel a source, one below the other.

    Parameters
    ----------
    rows : DataFrame
        ``MacroResults.growth``.
    names : mapping of str to str
        Titles of the sources, in the order to draw them.
    words : mapping of str to str
        ``observed``, ``drift``, ``coverage`` for the legend, ``axis`` for the vertical axis.
    covered : sequence of int
        Years of widening coverage, shaded in the panel of remittances.

    Returns
    -------
    Figure
        Dots are observed growth, the line the median drift, the band its interval. Panels have
        scales of their own: oil moves four times as much as the others.
    """
    sources = [name for name in names if name in set(rows["source"])]
    head, foot, panel = 0.62, 0.3, 1.5
    height = head + foot + panel * len(sources)
    figure = new_figure(PLOT_WIDTH, height)
    years = sorted(int(year) for year in rows["year"].unique())
    for i, source in enumerate(sources):
        bottom = height - head - panel * (i + 1) + 0.2
        axes = figure.add_axes((0.125, bottom / height, 0.865, (panel - 0.52) / height))
        here = rows[rows["source"] == source].set_index("year").reindex(years)
        if source == "remittances" and covered:
            axes.axvspan(min(covered) - 0.5, max(covered) + 0.5, color=COVERAGE, linewidth=0)
        axes.axhline(0, color=MUTED, linewidth=0.9)
        lower, upper = (here[f"eti90_{end}"].to_numpy(float) for end in ("lower", "upper"))
        at = np.asarray(years, dtype=float)
        axes.fill_between(at, lower, upper, color=ACCENT, alpha=0.22, linewidth=0)
        axes.plot(at, here["median"], color=ACCENT, linewidth=1.7)
        axes.plot(at, here["observed"], "o", color=CLAIM, markersize=3.6)
        strip(axes, grid="y")
        axes.set_xlim(years[0] - 0.8, years[-1] + 0.8)
        axes.locator_params(axis="y", nbins=5)
        axes.tick_params(labelsize=8.8)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
        axes.set_title(names[source], fontsize=9.6)
    handles: list[Line2D | Patch] = [
        Line2D(
            [], [], color=CLAIM, marker="o", linestyle="", markersize=4, label=words["observed"]
        ),
        Line2D([], [], color=ACCENT, linewidth=1.7, label=words["drift"]),
    ]
    if covered:
        handles.append(Patch(color=COVERAGE, label=words["coverage"]))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.8,
        borderaxespad=0.2,
    )  # fmt: skip
    figure.text(0.5, 0.05 / height, words["axis"], ha="center", va="bottom", fontsize=9)
    return figure
