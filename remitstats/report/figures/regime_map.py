"""States coloured by the regime that is most probable in them, hatched where it is not sure."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from remitstats.estimands.results import SURE
from remitstats.report.figures.maps import LEGEND_HEIGHT, borders, canvas
from remitstats.report.figures.style import LAND, MUTED, PAPER, SERIES
from remitstats.report.shapes import MapShapes

REGIMES = ("vicious", "virtuous", "none", "undefined")
COLOURS = {"vicious": SERIES[1], "virtuous": SERIES[0], "none": "#7d8790", "undefined": LAND}
HATCH = "////"


def most_probable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ``regime`` and its probability ``p`` for each row with probabilities of regimes."""
    columns = [f"p_{regime}" for regime in REGIMES]
    p = rows[columns].to_numpy(dtype=float)
    best = np.nan_to_num(p, nan=-1.0).argmax(axis=1)
    found = {"regime": [REGIMES[i] for i in best], "p": p[np.arange(len(p)), best]}
    return pd.DataFrame(found, index=rows.index)


def regime_map(shapes: MapShapes, rows: pd.DataFrame, words: Mapping[str, str]) -> Figure:
    """Draw the map.

    Parameters
    ----------
    shapes : MapShapes
        Of the states.
    rows : DataFrame
        Rows of ``CircleResults.regime``, indexed by the code of the state.
    words : mapping of str to str
        A name for each regime, and ``unsure`` for the hatching.

    Returns
    -------
    Figure
        Map over a legend. A state without a row is left white.
    """
    figure, axes = canvas(shapes)
    found = most_probable(rows).reindex(shapes.cvegeo)
    sure = (found["p"] >= SURE).to_numpy(dtype=bool)
    known = found["regime"].notna().to_numpy(dtype=bool)
    faces = [
        PAPER if not there else COLOURS[regime] if certain else _pale(COLOURS[regime])
        for regime, certain, there in zip(found["regime"], sure, known, strict=True)
    ]
    axes.add_collection(PathCollection(shapes.paths, facecolors=faces, edgecolors="none"))
    # Hatched state by state in the regime's own colour.
    for path, regime, certain, there in zip(
        shapes.paths, found["regime"], sure, known, strict=True
    ):
        if there and not certain:
            axes.add_collection(
                PathCollection(
                    [path], facecolors="none", edgecolors=COLOURS[regime], linewidths=0, hatch=HATCH
                )
            )
    borders(axes, shapes)
    _legend(
        figure, [r for r in REGIMES if r in set(found["regime"].dropna())], words, ~sure & known
    )
    return figure


def _pale(colour: str) -> str:
    red, green, blue = (0.3 * part + 0.7 for part in to_rgb(colour))
    return to_hex((red, green, blue))


def _legend(
    figure: Figure, regimes: list[str], words: Mapping[str, str], unsure: np.ndarray
) -> None:
    height = figure.get_size_inches()[1]
    handles = [Patch(facecolor=COLOURS[regime], label=words[regime]) for regime in regimes]
    if bool(unsure.any()):
        with mpl.rc_context({"hatch.linewidth": 1.0}):
            handles.append(
                Patch(
                    facecolor=_pale(MUTED), edgecolor=MUTED, hatch=HATCH, linewidth=0,
                    label=words["unsure"],
                )
            )  # fmt: skip
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, LEGEND_HEIGHT / height),
        ncols=2, fontsize=9.6, borderaxespad=0.3, columnspacing=1.2, handlelength=1.6,
    )  # fmt: skip
