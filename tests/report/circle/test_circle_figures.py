"""What the drawings of the circle show, asked of the figures themselves."""

from __future__ import annotations

import io
from functools import reduce

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from remitstats.report.circle_links import CHAIN, OTHERS, headline, way
from remitstats.report.circle_tables import coverage_rows, specification_order
from remitstats.report.figures import style
from remitstats.report.figures.circle import NEGATIVE, POSITIVE, UNSURE, circle
from remitstats.report.figures.confusion import confusion
from remitstats.report.figures.regime_map import COLOURS, most_probable, regime_map
from remitstats.report.shapes import load_shapes, load_state_shapes
from remitstats.report.texts import Texts

NAMES = dict.fromkeys(("migration", "reliance", "stability", "underdevelopment", "growth"), "x")
LEGEND = dict.fromkeys(("positive", "negative", "unsure", "marks", "nodes"), "y")


def links(**changes) -> pd.DataFrame:
    rows = [
        {"from": a, "to": b, "median": 0.1, "p_positive": 0.99, **changes.get(f"{a}_{b}", {})}
        for a, b in (*CHAIN, *OTHERS)
    ]
    return pd.DataFrame(rows).set_index(["from", "to"], drop=False)


def arrows(table, **options):
    with mpl.rc_context(style.STYLE):
        figure = circle(table, NAMES, LEGEND, **{"chain_only": False, **options})
    return figure, figure.axes[0].lines


def test_colour_is_the_sign_and_grey_dashes_are_doubt():
    table = links(
        reliance_stability={"median": -0.1, "p_positive": 0.01},
        stability_underdevelopment={"median": 0.1, "p_positive": 0.9},
    )
    _, lines = arrows(table, chain_only=True)
    assert [line.get_color() for line in lines] == [POSITIVE, NEGATIVE, UNSURE, POSITIVE]
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--", "-"]


def test_thickness_grows_with_size_and_other_links_are_thinner():
    table = links(migration_reliance={"median": 0.2})
    _, lines = arrows(table)
    widths = [line.get_linewidth() for line in lines]
    assert widths[0] > widths[1] == widths[2] == widths[3] > widths[4]


@pytest.mark.parametrize(
    ("p", "mark"), [(0.95, "✓"), (0.05, "✗"), (0.5, "?"), (0.94, "?"), (0.06, "?")]
)
def test_a_link_is_marked_by_whether_it_goes_the_claimed_way(p, mark):
    table = links(migration_reliance={"median": 0.1 if p >= 0.5 else -0.1, "p_positive": p})
    figure, _ = arrows(table, chain_only=True)
    labels = [text.get_text() for text in figure.axes[0].texts if "P(" in text.get_text()]
    assert mark in labels[0]
    assert all("✓" in label for label in labels[1:])
    assert way(p) == {"✓": "claimed", "✗": "opposite", "?": "open"}[mark]


def test_the_label_has_the_probability_of_the_sign_shown():
    table = links(migration_reliance={"median": -0.123, "p_positive": 0.04})
    figure, _ = arrows(table, chain_only=True)
    assert "−0.12 ✗\nP(−) 0.96" in [text.get_text() for text in figure.axes[0].texts]


def test_labels_do_not_lie_on_each_other_or_outside_the_figure():
    table = links(**{f"{a}_{b}": {"median": -0.11, "p_positive": 0.001} for a, b in OTHERS})
    figure, _ = arrows(table)
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def test_a_place_that_lacks_a_link_is_drawn_without_it():
    table = links().drop(index=[("migration", "growth")])
    _, lines = arrows(table)
    assert len(lines) == len(CHAIN) + len(OTHERS) - 1


def test_the_headline_is_the_lagged_reading_of_both_intervals(simulated_circle):
    table = headline(simulated_circle().link, "nation")
    assert set(table["reading"]) == {"lagged"}
    assert set(table["interval"]) == {"all"}
    assert len(table) == 25
    assert table.index.is_unique


def test_the_most_probable_regime_and_its_probability():
    rows = pd.DataFrame(
        {
            "p_vicious": [0.2, 0.96, np.nan],
            "p_virtuous": [0.5, 0.04, np.nan],
            "p_none": [0.3, 0.0, np.nan],
            "p_undefined": [0.0, 0.0, 1.0],
        },
        index=["01", "02", "03"],
    )
    found = most_probable(rows)
    assert found["regime"].tolist() == ["virtuous", "vicious", "undefined"]
    assert found["p"].tolist() == [0.5, 0.96, 1.0]


def test_states_are_coloured_by_their_regime_and_pale_where_it_is_not_sure(results, grid_panel):
    panel = grid_panel(results)
    units = results.level[["cvegeo", "state"]].drop_duplicates("cvegeo")
    states = load_state_shapes(panel, units)
    p = {"p_vicious": [0.99, 0.1], "p_virtuous": [0.0, 0.2], "p_none": [0.01, 0.7]}
    rows = pd.DataFrame(p, index=["01", "02"]).assign(p_undefined=0.0)
    words = dict.fromkeys(("vicious", "virtuous", "none", "undefined", "unsure"), "z")
    figure = regime_map(states, rows, words)
    faces = figure.axes[0].collections[0].get_facecolor()
    assert to_hex(faces[0]) == COLOURS["vicious"]
    assert to_hex(faces[1]) not in COLOURS.values()
    assert len([drawn for drawn in figure.axes[0].collections if drawn.get_hatch()]) == 1


def test_states_cover_what_their_municipalities_cover(results, grid_panel):
    panel = grid_panel(results)
    units = results.level[["cvegeo", "state"]].drop_duplicates("cvegeo")
    small, large = load_shapes(panel, units), load_state_shapes(panel, units)
    assert list(large.cvegeo) == ["01", "02"]
    assert large.bounds == pytest.approx(small.bounds)

    def area(paths) -> float:
        polygons = [shapely.Polygon(ring) for path in paths for ring in path.to_polygons()]
        return reduce(shapely.symmetric_difference, polygons).area

    assert area(large.paths) == pytest.approx(area(small.paths), rel=1e-6)


def test_what_is_marked_keeps_its_colour_among_many_others():
    # a colour that few pixels have is soon mixed up with those of which there are many
    figure = style.new_figure(4, 4)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.linspace(0, 1, 400).reshape(20, 20), cmap="viridis", interpolation="bicubic")
    axes.scatter([10], [10], s=30, color=style.CLAIM)
    axes.axhspan(0, 4, color=style.ACCENT)
    image = Image.open(io.BytesIO(style.to_png(figure))).convert("RGB")
    away = np.abs(np.asarray(image, dtype=float) / 255 - to_rgb(style.CLAIM)).max(axis=-1)
    assert (away < 0.03).sum() > 50
    flat = np.asarray(image, dtype=float)[40, 200] / 255
    assert np.abs(flat - to_rgb(style.ACCENT)).max() < 0.02  # a class of a map is its legend's


def test_shares_are_within_the_rows():
    figure = confusion(np.array([[1, 3], [0, 0]]), ["a", "b"], ["c", "d"], ("truth", "verdict"))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["25%", "1", "75%", "3", "0%", "0", "0%", "0"]


def test_coverage_shows_the_drawn_links_in_their_order(simulated_circle):
    rows = coverage_rows(simulated_circle().coverage, Texts())
    assert len(rows) == 3 * len((*CHAIN, *OTHERS))
    assert rows["row"].unique()[0] == "Migration → Reliance"
    assert (rows["median"] == rows["coverage"]).all()


def test_specifications_are_ordered_by_deepening_and_the_headline_is_marked(simulated_circle):
    table = simulated_circle().specification
    order, marked = specification_order(table)
    here = (table["quantity"] == "deepening") & (table["reading"] == "lagged")
    deepening = table[here].set_index("specification")["median"]
    assert deepening[order].is_monotonic_increasing
    assert marked == ["Headline"]
