"""How often each verdict came out of panels whose truth was known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from remitstats.report.figures.style import ACCENT, INK, PAPER, PLOT_WIDTH, new_figure

_SHADE = LinearSegmentedColormap.from_list("share", [PAPER, ACCENT])


def confusion(
    counts: np.ndarray, rows: Sequence[str], columns: Sequence[str], axis: tuple[str, str]
) -> Figure:
    """Draw a table shaded by the share within each row.

    Parameters
    ----------
    counts : ndarray (rows, columns)
        Number of panels.
    rows, columns : sequence of str
        Truths and verdicts, lines broken as given.
    axis : tuple of str
        What rows and columns are.

    Returns
    -------
    Figure
        Share in each cell, count under it.
    """
    left, top, bottom, step = 1.55, 0.68, 0.08, 0.5
    height = step * len(rows) + top + bottom
    figure = new_figure(PLOT_WIDTH, height)
    width = (PLOT_WIDTH - left - 0.08) / PLOT_WIDTH
    axes = figure.add_axes((left / PLOT_WIDTH, bottom / height, width, step * len(rows) / height))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap=_SHADE, vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(*counts.shape):
        colour = PAPER if share[i, j] > 0.55 else INK
        axes.text(j, i - 0.12, f"{100 * share[i, j]:.0f}%", ha="center", va="center",
                  fontsize=10.5, fontweight="bold", color=colour)  # fmt: skip
        axes.text(j, i + 0.24, f"{counts[i, j]:.0f}", ha="center", va="center", fontsize=8.4,
                  color=colour)  # fmt: skip
    axes.set_xticks(range(len(columns)), columns, fontsize=9)
    axes.set_yticks(range(len(rows)), rows, fontsize=9)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color=PAPER, linewidth=2.5)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    figure.text(0.01, 1 - 0.12 / height, axis[0], va="top", fontsize=9.2, fontweight="bold")
    figure.text(left / PLOT_WIDTH, 1 - 0.12 / height, axis[1], va="top", fontsize=9.2,
                fontweight="bold")  # fmt: skip
    return figure
