"""Where true values stood among posterior draws, against what chance allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from remitstats.report.figures.style import (
    ACCENT,
    CLAIM,
    MUTED,
    PLOT_WIDTH,
    new_figure,
    strip,
)

BAND = "#e9dfc4"
HEIGHT = 2.75  # inches


def differences(
    limits: pd.DataFrame,
    lines: Sequence[tuple[NDArray[np.float64], bool]],
    words: Mapping[str, str],
) -> Figure:
    """Draw the distribution of places less the uniform one, a line a quantity.

    Parameters
    ----------
    limits : DataFrame
        ``point``, ``lower``, ``upper`` of the bands.
    lines : sequence of (array, bool)
        Distribution at the points, and whether it leaves the bands somewhere.
    words : mapping of str to str
        ``band``, ``inside``, ``outside`` for the legend, ``axis`` for the horizontal axis.

    Returns
    -------
    Figure
        In percentage points: 0 is what exact posteriors give on the average.
    """
    figure = new_figure(PLOT_WIDTH, HEIGHT)
    axes = figure.add_axes((0.105, 0.5 / HEIGHT, 0.855, (HEIGHT - 0.95) / HEIGHT))
    point = limits["point"].to_numpy(float)
    lower, upper = (100.0 * (limits[end].to_numpy(float) - point) for end in ("lower", "upper"))
    at = np.concatenate([[0.0], 100.0 * point])

    def from_nought(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([[0.0], values])

    axes.fill_between(at, from_nought(lower), from_nought(upper), color=BAND, linewidth=0)
    axes.axhline(0, color=MUTED, linewidth=0.9)
    for distribution, outside in sorted(lines, key=lambda line: line[1]):
        away = 100.0 * (distribution - point)
        axes.plot(
            at,
            from_nought(away),
            color=CLAIM if outside else ACCENT,
            linewidth=1.8 if outside else 0.8,
            alpha=1.0 if outside else 0.6,
        )
    strip(axes, grid="y")
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.locator_params(axis="y", nbins=5)
    axes.tick_params(labelsize=8.8)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    handles = [
        Patch(color=BAND, label=words["band"]),
        Line2D([], [], color=ACCENT, linewidth=1.2, label=words["inside"]),
    ]
    if any(outside for _, outside in lines):
        handles.append(Line2D([], [], color=CLAIM, linewidth=1.8, label=words["outside"]))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.8,
        borderaxespad=0.2,
    )  # fmt: skip
    figure.text(0.5, 0.05 / HEIGHT, words["axis"], ha="center", va="bottom", fontsize=9)
    return figure
