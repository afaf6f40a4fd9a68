"""What one more of migration goes with over three decades, variable by variable."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remitstats.report.figures.style import (
    CLAIM,
    MARKERS,
    MUTED,
    PLOT_WIDTH,
    SERIES,
    new_figure,
    strip,
)

LOOPS = ("closed", "open")
_COLOUR = {"closed": CLAIM, "open": SERIES[0]}


def impulse(rows: pd.DataFrame, names: Mapping[str, str], words: Mapping[str, str]) -> Figure:
    """Draw a small panel a variable, both loops in each.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``CircleResults.impulse`` of one place.
    names : mapping of str to str
        Titles of the variables, in the order to draw them.
    words : mapping of str to str
        ``closed``, ``open`` for the legend, ``axis`` for the horizontal axis.

    Returns
    -------
    Figure
        Lines are medians, bands intervals; the scale is the same in all panels but that of
        migration itself.
    """
    variables = [name for name in names if name in set(rows["variable"])]
    columns = 2
    lines = -(-len(variables) // columns)
    head, foot, panel = 0.34, 0.3, 1.62
    height = head + foot + panel * lines
    figure = new_figure(PLOT_WIDTH, height)
    others = rows[rows["variable"] != "migration"]
    low, high = others["eti90_lower"].min(), others["eti90_upper"].max()
    margin = 0.08 * max(high - low, 1e-6)
    for i, variable in enumerate(variables):
        left = 0.1 + 0.485 * (i % columns)
        bottom = height - head - panel * (i // columns + 1) + 0.28
        axes = figure.add_axes((left, bottom / height, 0.385, (panel - 0.62) / height))
        axes.axhline(0, color=MUTED, linewidth=0.9)
        for j, loop in enumerate(LOOPS):
            here = rows[(rows["variable"] == variable) & (rows["loop"] == loop)]
            here = here.sort_values("years")
            years = here["years"].to_numpy(dtype=float)
            lower, upper = (here[f"eti90_{end}"].to_numpy(float) for end in ("lower", "upper"))
            axes.fill_between(years, lower, upper, color=_COLOUR[loop], alpha=0.22, linewidth=0)
            axes.plot(
                years, here["median"], marker=MARKERS[j], color=_COLOUR[loop], markersize=4.5,
                linewidth=1.6, linestyle="-" if loop == "closed" else "--",
            )  # fmt: skip
        strip(axes, grid="y")
        axes.set_xticks(sorted({int(year) for year in rows["years"]}))
        if variable == "migration":
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        else:
            axes.set_ylim(min(low, 0) - margin, max(high, 0) + margin)
        axes.locator_params(axis="y", nbins=5)
        axes.tick_params(labelsize=8.8)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
        axes.set_title(names[variable], fontsize=9.6)
    handles = [
        Line2D(
            [], [], color=_COLOUR[loop], marker=MARKERS[j], markersize=5, label=words[loop],
            linestyle="-" if loop == "closed" else "--",
        )
        for j, loop in enumerate(LOOPS)
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=9.2,
        borderaxespad=0.2,
    )  # fmt: skip
    figure.text(0.5, 0.06 / height, words["axis"], ha="center", va="bottom", fontsize=9)
    return figure
