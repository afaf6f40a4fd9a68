"""Pictures as PNG: few colours, and none that matters is lost."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.figure import Figure
from PIL import Image

from remitstats.report.figures.style import COLOURS, few_colours, to_png


def seen(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(4))))
def test_of_any_pixels_few_colours_are_left_and_few_enough_are_kept(drawn: np.ndarray) -> None:
    found = seen(few_colours(drawn)).reshape(-1, 3)
    assert len(np.unique(found, axis=0)) <= COLOURS
    plain = drawn[:, :, :3].reshape(-1, 3)
    if len(np.unique(plain, axis=0)) <= COLOURS // 3:
        assert np.array_equal(found, plain)


def test_a_dot_of_ten_pixels_keeps_its_red_among_many_shades_of_blue() -> None:
    rng = np.random.default_rng(1)
    drawn = np.full((400, 400, 3), 255, dtype=np.uint8)
    drawn[:, 100:] = rng.integers((0, 60, 120), (90, 160, 255), (400, 300, 3))
    drawn[200, 200:210] = (179, 70, 27)
    found = seen(few_colours(drawn))
    assert (found[:, :100] == 255).all()
    red = found[200, 200:210].astype(int)
    assert (np.abs(red - [179, 70, 27]) < 40).all()
    others = found[:, 100:].reshape(-1, 3)
    assert np.mean(others[:, 0] > 150) < 0.001


def test_a_figure_becomes_a_picture_of_its_size() -> None:
    figure = Figure(figsize=(2.0, 1.0), dpi=100)
    figure.text(0.5, 0.5, "ñ", color="#b3461b")
    image = Image.open(io.BytesIO(to_png(figure)))
    assert image.size == (200, 100)
    assert (seen(image)[0] == 255).all()
