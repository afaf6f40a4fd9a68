"""Statistics of the data beside what the fitted model would produce."""

from __future__ import annotations

import textwrap

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remitstats.report.figures.style import ACCENT, CLAIM, PLOT_WIDTH, new_figure, strip
from remitstats.report.formats import capital, wave_label


def predictive(table: pd.DataFrame, observed_label: str, replicated_label: str) -> Figure:
    """Draw a small panel a statistic, a row a wave.

    Parameters
    ----------
    table : DataFrame
        ``RelianceResults.predictive``.
    observed_label, replicated_label : str
        Names for the legend, with the interval.

    Returns
    -------
    Figure
        Diamonds are observed values, lines the intervals of replicated data.
    """
    statistics = list(table["statistic"].unique())
    waves = sorted({wave_label(wave) for wave in table["wave"]})
    left = 0.11 + 0.014 * max(0, max(map(len, waves)) - 5)
    panel = 0.24 * len(waves) + 0.95
    height = panel * len(statistics) + 0.35
    figure = new_figure(PLOT_WIDTH, height)
    for i, statistic in enumerate(statistics):
        rows = table[table["statistic"] == statistic]
        bottom = 1 - (0.35 + panel * (i + 1) - 0.3) / height
        axes = figure.add_axes((left, bottom, 0.96 - left, (panel - 0.84) / height))
        y = [waves.index(wave_label(wave)) for wave in rows["wave"]]
        axes.hlines(
            y, rows["replicated_eti90_lower"], rows["replicated_eti90_upper"], color=ACCENT,
            linewidth=5, alpha=0.35,
        )  # fmt: skip
        axes.plot(rows["replicated_mean"], y, "|", color=ACCENT, markersize=8)
        axes.plot(rows["observed"], y, "D", color=CLAIM, markersize=5)
        strip(axes)
        axes.set_yticks(range(len(waves)), waves)
        axes.set_ylim(len(waves) - 0.4, -0.6)
        axes.margins(x=0.15)
        axes.locator_params(axis="x", nbins=6)
        title = capital(" ".join(str(rows["description"].iloc[0]).split()))
        axes.set_title(
            "\n".join(textwrap.wrap(title, 58, max_lines=2, placeholder="…")),
            fontsize=9, fontweight="normal", x=-0.085 / 0.85 * left / 0.11,
        )  # fmt: skip
    handles = [
        Line2D([], [], color=CLAIM, marker="D", linestyle="", label=observed_label),
        Line2D([], [], color=ACCENT, linewidth=5, alpha=0.35, label=replicated_label),
    ]
    figure.legend(
        handles=handles,
        loc="upper left",
        ncols=2,
        bbox_to_anchor=(0.0, 1.0),
        fontsize=9,
        columnspacing=1.2,
    )
    return figure
