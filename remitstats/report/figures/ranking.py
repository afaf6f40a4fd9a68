"""The municipalities with the highest reliance of a wave, and how sure their ranks are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from remitstats.report.figures.style import (
    ACCENT,
    CLAIM,
    MUTED,
    PLOT_WIDTH,
    new_figure,
    shorten,
    strip,
)


def ranking(rows: pd.DataFrame, reliance_label: str, rank_label: str, note: str) -> Figure:
    """Draw reliance and rank side by side, a row a municipality.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``RelianceResults.level`` of one wave in the order to draw them.
    reliance_label, rank_label : str
        Names of the two axes, with unit.
    note : str
        What points and lines are.

    Returns
    -------
    Figure
        Left: posterior median and interval of reliance. Right: median and interval of the rank.
    """
    count = max(len(rows), 1)
    height = 0.33 * count + 0.95
    figure = new_figure(PLOT_WIDTH, height)
    top, bottom = 0.08 / height, 0.75 / height
    y = np.arange(len(rows))
    panels = (
        (0.42, 0.335, "median", "eti90_lower", "eti90_upper", ACCENT, reliance_label),
        (0.79, 0.2, "rank_median", "rank_eti90_lower", "rank_eti90_upper", CLAIM, rank_label),
    )
    for left, width, middle, lower, upper, colour, label in panels:
        axes = figure.add_axes((left, bottom, width, 1 - bottom - top))
        axes.hlines(y, rows[lower], rows[upper], color=colour, linewidth=2.6, alpha=0.45)
        axes.plot(rows[middle], y, "o", color=colour, markersize=4.5)
        strip(axes)
        axes.set_yticks([])
        axes.set_ylim(count - 0.4, -0.6)
        axes.set_xlabel(label, fontsize=9, loc="left")
        axes.locator_params(axis="x", nbins=4, integer=True)
        axes.set_xlim(left=0 if left > 0.5 else max(0.0, axes.get_xlim()[0]))
        if left < 0.5:
            place = axes.get_yaxis_transform()
            for i, (name, state) in enumerate(zip(rows["name"], rows["state_name"], strict=True)):
                axes.text(-0.05, i - 0.02, shorten(str(name), 27), transform=place, ha="right",
                          va="bottom", fontsize=8.6)  # fmt: skip
                axes.text(-0.05, i + 0.04, shorten(str(state), 30), transform=place, ha="right",
                          va="top", fontsize=7.4, color=MUTED)  # fmt: skip
    figure.text(0.98, 0.1 / height, note, ha="right", va="bottom", fontsize=8.6, color=MUTED)
    return figure
