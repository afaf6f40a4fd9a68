"""One look for all figures: colours, fonts, classes of values, and how a figure is saved."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

INK, MUTED, RULE, PAPER = "#1f2a33", "#5b6770", "#d5dbe0", "#ffffff"
ACCENT, CLAIM = "#0b5c7a", "#b3461b"
# Inches. Narrow, so that letters stay readable where a phone shows the figure smaller.
PLOT_WIDTH, MAP_WIDTH = 4.8, 5.2
LAND, BORDER = "#e6e9eb", "#4a545c"
# Okabe and Ito's colours, safe for every kind of colour blindness; with the marker they also
# survive a black and white print.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
MARKERS = ("o", "s", "^", "D", "v", "P")

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,  # a name with a dollar sign is a name, not a formula
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "hatch.linewidth": 0.7,
    "svg.fonttype": "path",
    "svg.hashsalt": "remitstats",
    "path.simplify": True,
    "figure.facecolor": PAPER,
}


FITTING_STEPS = 8
TITLE_ROOM = 0.06  # inches that a title may be wider than its axes, on each side
_PLACES = re.compile(r'(?<= )(?:d|x|y)="[^"]*"')  # where what is drawn stands in an SVG
_LONG = re.compile(r"-?\d+\.\d{3,}")  # places finer than a hundredth of a point, which nobody sees
COLOURS = 48  # of a picture, shades at the edges of letters included
EXACT = 16  # of these: the ones of the largest areas
_INDENT = re.compile(r"\n +")


@dataclass(frozen=True)
class Classes:
    """Classes of a map: ``edges`` between them, one colour each (one more than edges)."""

    edges: tuple[float, ...]
    colours: tuple[str, ...]

    def colour(self, values: np.ndarray) -> list[str]:
        """Return the colour of each value; land grey where it is NaN."""
        index = np.digitize(values, self.edges)
        return [
            LAND if np.isnan(value) else self.colours[i]
            for value, i in zip(values, index, strict=True)
        ]


def ramp(name: str, count: int, low: float = 0.0, high: float = 1.0) -> tuple[str, ...]:
    """Return `count` colours of a colour map, from its share `low` to its share `high`."""
    return tuple(to_hex(mpl.colormaps[name](x)) for x in np.linspace(low, high, count))


LEVEL = Classes((1, 2.5, 5, 10, 20), ramp("YlGnBu", 6, 0.08, 1.0))
WIDTH = Classes((1, 2, 4, 8, 16), ramp("OrRd", 6, 0.06, 0.95))
CHANGE = Classes((-10, -5, -2, 0, 2, 5, 10), ramp("PuOr", 8, 0.06, 0.94))
INCREASE = Classes((0.05, 0.2, 0.8, 0.95), ramp("PuOr", 5, 0.1, 0.9))


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure (inches) with its own canvas."""
    figure = Figure(figsize=(width, height), dpi=160)
    FigureCanvasAgg(figure)
    return figure


def strip(axes: Axes, *, grid: str = "x") -> None:
    """Leave of an axes' frame what helps to read it."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(axis="x" if grid == "x" else "y")
    axes.set_axisbelow(True)


def watermark(figure: Figure, text: str) -> None:
    """Write a warning across a figure, so that it stays with a picture taken out of the page."""
    figure.text(
        0.5, 0.5, text, rotation=25, ha="center", va="center", fontsize=24, fontweight="bold",
        color="#b00020", alpha=0.28, zorder=100,
    )  # fmt: skip


def to_png(figure: Figure) -> bytes:
    """Draw as PNG with few colours: maps of flat colours become a quarter of the size.

    Drawings of many panels are smaller so than as outlines, too.
    """
    _fit_words(figure)
    packed = io.BytesIO()
    # a higher level takes ten times as long for 3% less
    few_colours(pixels(figure)).save(packed, format="png", compress_level=6)
    return packed.getvalue()


def few_colours(drawn: np.ndarray) -> Image.Image:
    """Return pixels as an image of at most `COLOURS` colours.

    Those of the largest areas are kept as they are. The others are chosen to cover all that was
    drawn, so that colours of few pixels, such as of what is marked, are not mixed up with others.

    Parameters
    ----------
    drawn : ndarray, shape (height, width, 3 or 4)
        Red, green, blue; opacity is left out.
    """
    red, green, blue = (drawn[:, :, k].astype(np.uint32).ravel() for k in range(3))
    place, seen = pd.factorize((red << 16) | (green << 8) | blue)
    colours = np.stack([seen >> 16, (seen >> 8) & 255, seen & 255], axis=1).astype(np.uint8)
    by_area = np.argsort(-np.bincount(place, minlength=len(seen)), kind="stable")
    palette = colours[by_area[:EXACT]]
    rest = colours[by_area[EXACT:]]
    if len(rest):
        covering = Image.fromarray(rest[:, None]).quantize(
            COLOURS - EXACT, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
        )
        others = np.array(covering.getpalette(), dtype=np.uint8).reshape(-1, 3)
        palette = np.concatenate([palette, others[: COLOURS - EXACT]])
    away = colours[:, None].astype(int) - palette[None].astype(int)
    nearest = (away**2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    image = Image.fromarray(nearest[place].reshape(drawn.shape[:2]))
    image.putpalette(palette.ravel().tolist())
    return image


def pixels(figure: Figure) -> np.ndarray:
    """Draw as pixels: ndarray (height, width, 4) of red, green, blue and opacity."""
    canvas: Any = FigureCanvasAgg(figure)
    with _quiet_about_glyphs():
        canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def to_svg(figure: Figure) -> bytes:
    """Draw as SVG with its letters as outlines: the same look wherever it is opened."""
    _fit_words(figure)
    buffer = io.BytesIO()
    with _quiet_about_glyphs():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = _PLACES.sub(lambda found: _LONG.sub(_hundredths, found[0]), buffer.getvalue().decode())
    return _INDENT.sub("\n", text).encode()


def _fit_words(figure: Figure) -> None:
    """Make letters smaller where the words of a figure, in some language, are too many for it.

    Legends and texts that stand in no axes stay within the figure, titles above their axes.
    """
    canvas: Any = FigureCanvasAgg(figure)
    whole = figure.bbox
    words: list[tuple[Any, list[Any], float, float]] = [
        (legend, legend.get_texts(), whole.x0, whole.x1) for legend in figure.legends
    ]
    words += [
        (text, [text], whole.x0, whole.x1) for text in figure.texts if not text.get_rotation()
    ]
    each: Any
    for each in figure.axes:
        axes, titles = each, (each.title, each._left_title, each._right_title)
        at = axes.bbox.x0 - TITLE_ROOM * figure.dpi, axes.bbox.x1 + TITLE_ROOM * figure.dpi
        words += [(title, [title], *at) for title in titles if title.get_text()]
    for thing, texts, left, right in words:
        for _ in range(FITTING_STEPS):  # what stands before the words of a legend keeps its size
            with _quiet_about_glyphs():
                box = thing.get_window_extent(canvas.get_renderer())
            over = max(left - box.x0, box.x1 - right)
            if over <= 0:
                break
            for text in texts:
                size = float(text.get_fontsize())
                text.set_fontsize(size * max(1.0 - over / box.width, 0.8))


def _hundredths(found: re.Match[str]) -> str:
    text = f"{float(found[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def shorten(text: str, length: int) -> str:
    """Cut a label that would not fit."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


class _quiet_about_glyphs(warnings.catch_warnings):  # noqa: N801
    """Names may hold letters that the font lacks: they are drawn as boxes, without a warning."""

    def __enter__(self) -> None:  # type: ignore[override]
        super().__enter__()
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")


def labels_between(edges: Sequence[float]) -> list[str]:
    """Return edges as short labels."""
    return [f"{edge:g}".replace("-", "−") for edge in edges]
