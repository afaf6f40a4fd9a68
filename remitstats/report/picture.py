"""A figure of the report, to be drawn and drawn: file, alternative text, caption."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from remitstats.report.figures import style
from remitstats.report.texts import Texts


@dataclass(frozen=True)
class Picture:
    """A figure ready for a page.

    Parameters
    ----------
    file : str
        Name under ``assets``.
    content : bytes
        PNG or SVG.
    width, height : int
        CSS pixels at which its letters have the size of the page's.
    alt : str
        Alternative text.
    caption : Markup
        What stands under it.
    """

    file: str
    content: bytes
    width: int
    height: int
    alt: str
    caption: Markup


@dataclass(frozen=True)
class Job:
    """A figure to draw: its name, "png" or "svg", its texts, and what draws it."""

    name: str
    suffix: str
    alt: str
    caption: Markup
    draw: Callable[[], Figure]


def draw(
    jobs: Sequence[Job], converged: bool, texts: Texts, progress: Callable[[str, float], None]
) -> dict[str, Picture]:
    """Draw figures in the report's style.

    Parameters
    ----------
    jobs : sequence of Job
        What to draw.
    converged : bool
        Figures of a fit that did not converge say so across their face.
    texts : Texts
        For that word.
    progress : callable
        Called with the number of each figure and the share done.

    Returns
    -------
    dict
        Pictures by name.
    """
    pictures = {}
    with mpl.rc_context(style.STYLE):
        for i, job in enumerate(jobs):
            progress(f"figure {i + 1} of {len(jobs)}", i / len(jobs))
            figure = job.draw()
            if not converged:
                style.watermark(figure, texts.plain("site.figure_not_converged"))
            content = style.to_png(figure) if job.suffix == "png" else style.to_svg(figure)
            width, height = _size(content, figure)
            pictures[job.name] = Picture(
                f"{job.name}.{job.suffix}", content, width, height, job.alt, job.caption
            )
    return pictures


def _size(content: bytes, figure: Figure) -> tuple[int, int]:
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    if content.startswith(b"\x89PNG"):
        pixels = struct.unpack(">II", content[16:24])
        height = round(width * pixels[1] / pixels[0])
    return width, height
