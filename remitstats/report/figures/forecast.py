"""How good forecasts were, by how far ahead: their score, and how often intervals held."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remitstats.report.figures.style import (
    INK,
    MARKERS,
    MUTED,
    PLOT_WIDTH,
    SERIES,
    new_figure,
    strip,
)

NOMINAL = {"coverage_50": 50.0, "coverage_80": 80.0, "coverage_95": 95.0}


def forecast(table: pd.DataFrame, words: Mapping[str, str]) -> Figure:
    """Draw scores above and coverages below, a column a way of reporting.

    Parameters
    ----------
    table : DataFrame
        ``DependenceResults.forecast_score``; means over origins are drawn.
    words : mapping of str to str
        ``crps``, ``coverage`` and ``ahead`` (axes), names of methods and of ways of reporting.

    Returns
    -------
    Figure
        Lines by method; dotted lines are what coverage should be.
    """
    kinds = [kind for kind in ("steady", "faint") if (table["reporting"] == kind).any()]
    methods = list(table["method"].unique())
    figure = new_figure(PLOT_WIDTH, 4.3)
    values = ["crps", *NOMINAL]
    mean = table.groupby(["reporting", "method", "horizon"], sort=False)[values].mean()
    mean = mean.reset_index()
    left, gap = 0.105, 0.06
    width = (0.99 - left - gap * (len(kinds) - 1)) / len(kinds)
    for column, kind in enumerate(kinds):
        at = left + column * (width + gap)
        rows = mean[mean["reporting"] == kind]
        for axes, lines in (
            (figure.add_axes((at, 0.56, width, 0.3)), ("crps",)),
            (figure.add_axes((at, 0.1, width, 0.36)), tuple(NOMINAL)),
        ):
            for m, method in enumerate(methods):
                here = rows[rows["method"] == method]
                for line in lines:
                    axes.plot(
                        here["horizon"], here[line], color=SERIES[m], marker=MARKERS[m],
                        markersize=3.4, linewidth=1.2,
                    )  # fmt: skip
            for line in lines:
                if line in NOMINAL:
                    axes.axhline(NOMINAL[line], color=MUTED, linestyle=":", linewidth=1.1)
            strip(axes, grid="y")
            axes.set_xticks(np.arange(1, int(table["horizon"].max()) + 1))
            axes.tick_params(labelsize=8.6)
            if lines == ("crps",):
                axes.set_ylim(bottom=0)
                axes.set_title(words[kind], fontsize=9, fontweight="bold", color=INK)
            else:
                axes.set_ylim(0, 103)
                axes.set_yticks([50, 80, 95])
                axes.set_xlabel(words["ahead"], fontsize=8.8)
    figure.text(0.005, 0.905, words["crps"], fontsize=8.6, va="bottom")
    figure.text(0.005, 0.475, words["coverage"], fontsize=8.6, va="bottom")
    handles = [
        Line2D([], [], color=SERIES[m], marker=MARKERS[m], markersize=4, label=words[method])
        for m, method in enumerate(methods)
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.8,
        handlelength=1.8, borderaxespad=0.1, columnspacing=1.2,
    )  # fmt: skip
    return figure
