from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from remitstats.geography.shapes import GRID, dissolve, simplify
from remitstats.panel.codes import PARENTS
from remitstats.sources import geo


def test_a_later_municipality_becomes_part_of_its_parent():
    shapes = pd.DataFrame(
        {
            "cvegeo": ["09001", "09002", "09003"],
            "geometry": [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 0, 3, 1)],
        }
    )
    dissolved = dissolve(shapes, {"09003": "09001"})
    assert list(dissolved["cvegeo"]) == ["09001", "09002"]
    assert list(shapely.area(dissolved["geometry"].to_numpy())) == [2, 1]


def test_small_overlaps_are_cleaned_away():
    shapes = pd.DataFrame(
        {
            "cvegeo": ["09001", "09002"],
            "geometry": [shapely.box(0, 0, 1 + 4 * GRID, 1), shapely.box(1, 0, 2, 1)],
        }
    )
    dissolved = dissolve(shapes, {})["geometry"].to_numpy()
    assert shapely.coverage_is_valid(dissolved)
    assert shapely.area(dissolved).sum() == pytest.approx(2)


@pytest.fixture(scope="module")
def published(raw):
    return geo.read_shapes(raw)


@pytest.fixture(scope="module")
def dissolved(published):
    return dissolve(published, PARENTS)


@pytest.fixture(scope="module")
def polygons(dissolved):
    return shapely.from_wkb(simplify(dissolved)["geometry"].to_numpy())


def test_mexico_has_one_valid_shape_a_municipality(dissolved, polygons):
    assert len(polygons) == 2456
    assert list(dissolved["cvegeo"]) == sorted(set(dissolved["cvegeo"]))
    assert shapely.is_valid(polygons).all()
    assert not shapely.is_empty(polygons).any()


def test_borders_stay_shared_after_simplification(polygons):
    assert shapely.coverage_is_valid(polygons)


def test_simplification_keeps_the_country_and_is_small(published, dissolved, polygons):
    before = shapely.area(published["geometry"].to_numpy()).sum()
    assert shapely.area(dissolved["geometry"].to_numpy()).sum() == pytest.approx(before, rel=1e-4)
    assert shapely.area(polygons).sum() == pytest.approx(before, rel=2e-3)
    assert sum(map(len, shapely.to_wkb(polygons))) < 1.5e6


def test_simplified_coordinates_are_short_binary_fractions(polygons):
    points = shapely.get_coordinates(polygons) / GRID
    assert np.mean(points == np.round(points)) > 0.999
