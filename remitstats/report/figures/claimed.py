"""The estimates of the waves beside the figure that a paper states."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from remitstats.report.figures.style import ACCENT, CLAIM, INK, PLOT_WIDTH, new_figure, strip


def claimed(
    rows: pd.DataFrame,
    value: float,
    period: tuple[int, int],
    axis_label: str,
    claim_label: str,
) -> Figure:
    """Draw estimates over the years with the claimed value over the years it speaks of.

    Parameters
    ----------
    rows : DataFrame
        The whole country's rows of ``RelianceResults.group``.
    value : float
        What is claimed, % of households.
    period : tuple of int
        Years to which the claim may refer.
    axis_label, claim_label : str
        Names of the vertical axis and of the claim.

    Returns
    -------
    Figure
        Points with intervals against a line.
    """
    figure = new_figure(PLOT_WIDTH, 2.9)
    axes = figure.add_axes((0.075, 0.11, 0.9, 0.76))
    axes.axhline(value, color=CLAIM, linewidth=1, linestyle=(0, (4, 3)))
    axes.hlines(value, *period, color=CLAIM, linewidth=5, alpha=0.8)
    years = rows["wave"].astype(float)
    axes.vlines(years, rows["eti90_lower"], rows["eti90_upper"], color=ACCENT, linewidth=3)
    axes.plot(years, rows["median"], "o", color=ACCENT, markersize=7)
    for year, median in zip(years, rows["median"], strict=True):
        axes.annotate(f"{median:.2f}", (year, median), xytext=(9, 8), textcoords="offset points",
                      color=INK, fontsize=10)  # fmt: skip
    first, last = min(years.min(), period[0]), max(years.max(), period[1])
    span = max(last - first, 1)
    axes.set_xlim(first - 0.05 * span, last + 0.12 * span)
    axes.set_ylim(0, max(value, float(rows["eti90_upper"].max())) * 1.22)
    axes.set_xticks(sorted({int(year) for year in years}))
    strip(axes, grid="y")
    axes.tick_params(labelsize=10)
    axes.set_title(axis_label, fontsize=10, fontweight="normal")
    axes.annotate(claim_label, (last + 0.12 * span, value), xytext=(0, 4),
                  textcoords="offset points", color=CLAIM, ha="right", fontsize=10)  # fmt: skip
    return figure
