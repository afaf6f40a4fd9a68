"""Drawings as SVG: short, and the same to the eye as matplotlib's own."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from remitstats.report.figures.style import to_svg

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.fixture
def figure():
    drawn = Figure(figsize=(3, 2))
    x = np.linspace(0, 1, 200)
    axes = drawn.subplots()
    axes.plot(x, np.sin(9 * x))
    axes.plot(x[::20], x[::20] ** 2, "o")
    axes.fill_between(x, x - 0.1, x + 0.1, alpha=0.3)
    return drawn


def places(svg: bytes) -> list[float]:
    root = ElementTree.fromstring(svg)
    texts = [node.get(name, "") for node in root.iter() for name in ("d", "x", "y", "transform")]
    return [float(number) for text in texts for number in NUMBER.findall(text)]


def test_places_are_kept_to_a_hundredth_of_a_point(figure):
    raw = io.BytesIO()
    figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None})
    short = to_svg(figure)
    before, after = places(raw.getvalue()), places(short)
    assert len(before) == len(after) > 500
    assert np.max(np.abs(np.subtract(before, after))) <= 0.0051
    assert len(short) < 0.95 * len(raw.getvalue())


def test_a_legend_of_many_words_stays_within_the_figure(figure):
    lines = figure.axes[0].lines[:2]
    legend = figure.legend(lines, ["cifras, con estacionalidad", "tendencia, intervalo creíble"],
                           loc="upper left", ncols=2)  # fmt: skip
    to_svg(figure)
    assert legend.get_window_extent().width <= figure.bbox.width


def test_a_title_of_an_axis_stays_within_the_figure(figure):
    words = "Desviaciones estándar: mediana e intervalo creíble de 90 % de colas iguales"
    text = figure.text(0.985, 0.02, words, ha="right", fontsize=9)
    to_svg(figure)
    assert text.get_window_extent().x0 >= 0


def test_a_title_is_hardly_wider_than_its_axes(figure):
    axes = figure.axes[0]
    axes.set_title("Profundización y retroalimentación, país y regiones", loc="left")
    to_svg(figure)
    (title,) = (text for text in axes.get_children() if text == axes._left_title)
    assert title.get_window_extent().x1 <= axes.bbox.x1 + 0.1 * figure.dpi
