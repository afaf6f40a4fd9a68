"""Reliance of the nation, its regions and states, wave beside wave."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remitstats.report.figures.style import (
    MARKERS,
    MUTED,
    PLOT_WIDTH,
    RULE,
    SERIES,
    new_figure,
    shorten,
    strip,
)


def groups(blocks: list[tuple[str, pd.DataFrame]], waves: list[int], label: str) -> Figure:
    """Draw a row a group with one estimate a wave.

    Parameters
    ----------
    blocks : list of (title, table)
        Each table holds rows of ``RelianceResults.group`` of one level; blocks stand under each
        other, groups ordered by their last wave.
    waves : list of int
        Waves, one colour and marker each.
    label : str
        Name of the axis, with unit and interval.

    Returns
    -------
    Figure
        Points are posterior medians, lines their intervals.
    """
    rows: list[tuple[str, str, bool]] = []  # name, key, heading
    tables = []
    for title, table in blocks:
        last = table[table["wave"] == table["wave"].max()].sort_values("median", ascending=False)
        order = list(last["code"]) + [
            c for c in table["code"].unique() if c not in set(last["code"])
        ]
        names = table.drop_duplicates("code").set_index("code")["name"]
        if len(order) > 1 or len(blocks) == 1:
            rows.append((title, "", True))
        first = len(rows)
        rows += [(str(names[code]), str(code), False) for code in order]
        place = {code: first + i for i, code in enumerate(order)}
        tables.append(table.assign(y=table["code"].map(place)))
    data = pd.concat(tables, ignore_index=True)

    height = 0.27 * len(rows) + 1.15
    figure = new_figure(PLOT_WIDTH, height)
    bottom, top = 0.62 / height, 0.42 / height
    axes = figure.add_axes((0.36, bottom, 0.62, 1 - bottom - top))
    offsets = np.linspace(-0.27, 0.27, len(waves)) if len(waves) > 1 else np.zeros(1)
    handles = []
    for i, wave in enumerate(waves):
        colour, marker = SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]
        here = data[data["wave"] == wave]
        y = here["y"] + offsets[i]
        axes.hlines(y, here["eti90_lower"], here["eti90_upper"], color=colour, linewidth=1.6)
        axes.plot(here["median"], y, marker, color=colour, markersize=4.2)
        handles.append(Line2D([], [], color=colour, marker=marker, markersize=5, label=str(wave)))
    strip(axes)
    axes.hlines(np.arange(len(rows) + 1) - 0.5, 0, 1, color=RULE, linewidth=0.4, zorder=0,
                transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set_yticks(range(len(rows)), [shorten(name, 23) for name, _, _ in rows], fontsize=9)
    for tick, (_, _, heading) in zip(axes.get_yticklabels(), rows, strict=True):
        if heading:
            tick.set_color(MUTED)
            tick.set_fontweight("bold")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(left=max(0.0, axes.get_xlim()[0]) if axes.get_xlim()[0] > 5 else 0.0)
    axes.set_xlabel(label, fontsize=9.2, loc="right")
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.33, 1.0), ncols=len(waves),
                  handletextpad=0.4, columnspacing=1.2, fontsize=10)  # fmt: skip
    return figure
