"""Maps: areas filled by class of a value, or symbols sized by the number of dwellings."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from remitstats.report.figures.style import (
    BORDER,
    INK,
    LAND,
    MAP_WIDTH,
    PAPER,
    RULE,
    Classes,
    labels_between,
    new_figure,
    pixels,
)
from remitstats.report.shapes import MapShapes

LEGEND_HEIGHT = 0.72
_FIELD = "#f4f5f6"


def area_map(
    shapes: MapShapes,
    values: np.ndarray,
    classes: Classes,
    legend: str,
    *,
    marked: np.ndarray | None = None,
    marked_label: str = "",
) -> Figure:
    """Draw areas filled by the class of their value.

    Parameters
    ----------
    shapes : MapShapes
        The areas.
    values : ndarray (units,)
        In the order of ``shapes.cvegeo``; NaN is drawn as grey land.
    classes : Classes
        Edges and colours.
    legend : str
        What the colours mean, with the unit.
    marked : ndarray of bool (units,), optional
        Areas to hatch.
    marked_label : str
        What the hatching means.

    Returns
    -------
    Figure
        Map over a legend.
    """
    colours = classes.colour(values)
    hatched = marked is not None and bool(marked.any())

    def paint(axes: Axes) -> None:
        # An edge of the area's own colour closes the hairlines between neighbours.
        axes.add_collection(
            PathCollection(shapes.paths, facecolors=colours, edgecolors=colours, linewidths=0.25)
        )
        if marked is not None and hatched:
            chosen = [path for path, mark in zip(shapes.paths, marked, strict=True) if mark]
            axes.add_collection(
                PathCollection(
                    chosen, facecolors="none", edgecolors=INK, linewidths=0.5, hatch="//////"
                )
            )
        borders(axes, shapes)

    figure = _painted(shapes, ("areas", colours, None if marked is None else marked), paint)
    _legend(figure, classes, legend, marked_label if hatched else "")
    return figure


def symbol_map(
    shapes: MapShapes, values: np.ndarray, sizes: np.ndarray, classes: Classes, legend: str
) -> Figure:
    """Draw a circle a unit, its area proportional to `sizes` and its colour the class of `values`.

    Parameters
    ----------
    shapes, values, classes, legend
        As for `area_map`.
    sizes : ndarray (units,)
        For example dwellings; NaN and nought are not drawn.

    Returns
    -------
    Figure
        Map over a legend.
    """
    drawn = np.flatnonzero((sizes > 0) & ~np.isnan(values))
    drawn = drawn[np.argsort(-sizes[drawn])]  # small circles on top of large ones
    largest = sizes[drawn].max() if len(drawn) else 1.0
    # Few units have room for larger circles.
    scale = 300 * np.clip(np.sqrt(2000 / max(len(drawn), 1)), 1, 4)
    colours = classes.colour(values[drawn])

    def paint(axes: Axes) -> None:
        axes.add_collection(
            PathCollection(shapes.paths, facecolors=_FIELD, edgecolors=_FIELD, linewidths=0.25)
        )
        borders(axes, shapes, colour=RULE)
        axes.scatter(
            shapes.points[drawn, 0],
            shapes.points[drawn, 1],
            s=np.maximum(scale * sizes[drawn] / largest, 0.6),
            c=colours,
            edgecolors=BORDER,
            linewidths=0.2,
            alpha=0.9,
        )

    figure = _painted(shapes, ("symbols", colours, drawn, sizes[drawn]), paint)
    _legend(figure, classes, legend, "")
    return figure


def _painted(shapes: MapShapes, what: tuple[Any, ...], paint: Callable[[Axes], None]) -> Figure:
    """Return a map without its legend, painted once for all languages.

    Parameters
    ----------
    shapes : MapShapes
        The areas; keeps what was painted.
    what : tuple
        All that the picture depends on.
    paint : callable
        Draws the areas into axes, where they were not painted before.
    """
    parts = [p.tobytes() if isinstance(p, np.ndarray) else repr(p).encode() for p in what]
    key = blake2b(b"|".join(parts)).digest()
    if key not in shapes.painted:
        figure, axes = canvas(shapes)
        paint(axes)
        shapes.painted[key] = zlib.compress(pixels(figure).tobytes(), 1)
    figure = _sheet(shapes)
    width, height = figure.canvas.get_width_height()
    image = np.frombuffer(zlib.decompress(shapes.painted[key]), dtype=np.uint8)
    figure.figimage(image.reshape(height, width, 4), origin="upper", zorder=-1)  # under the legend
    return figure


def canvas(shapes: MapShapes) -> tuple[Figure, Axes]:
    """Return an empty map, with room for a legend of `LEGEND_HEIGHT` inches under it."""
    figure = _sheet(shapes)
    below = LEGEND_HEIGHT / figure.get_figheight()
    axes = figure.add_axes((0.0, below, 1.0, 1.0 - below))
    left, bottom, right, top = shapes.bounds
    margin = 0.025 * max(right - left, top - bottom)
    axes.set_xlim(left - margin, right + margin)
    axes.set_ylim(bottom - margin, top + margin)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure, axes


def _sheet(shapes: MapShapes) -> Figure:
    """Return an empty figure of the size of a map with its legend."""
    height = float(np.clip(MAP_WIDTH * shapes.aspect, 2.0, 6.2))
    return new_figure(MAP_WIDTH, height + LEGEND_HEIGHT)


def borders(axes: Axes, shapes: MapShapes, colour: str = BORDER) -> None:
    """Draw the borders of the states."""
    axes.add_collection(LineCollection(shapes.outlines, colors=colour, linewidths=0.45))


def _legend(figure: Figure, classes: Classes, title: str, marked_label: str) -> None:
    """Draw the classes as a row of colours under the map, edges named between them."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0.02, 0.0, 0.96, LEGEND_HEIGHT / height))
    axes.set_xlim(0, 0.96 * width)
    axes.set_ylim(0, LEGEND_HEIGHT)
    axes.set_axis_off()
    step = min(0.52, 3.3 / len(classes.colours))
    for i, colour in enumerate(classes.colours):
        axes.add_patch(
            Rectangle((i * step, 0.2), step, 0.17, facecolor=colour, edgecolor=PAPER, linewidth=0.8)
        )
    for i, label in enumerate(labels_between(classes.edges), start=1):
        axes.text(i * step, 0.16, label, ha="center", va="top", fontsize=10)
    axes.text(0, 0.43, title, ha="left", va="bottom", fontsize=10.5)
    if marked_label:
        handle = Patch(facecolor=LAND, edgecolor=INK, hatch="//////", linewidth=0.5)
        axes.legend(
            [handle], [marked_label], loc="center right", fontsize=10, handlelength=1.6,
            bbox_to_anchor=(1.0, 0.36), borderaxespad=0,
        )  # fmt: skip
