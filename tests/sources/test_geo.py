from __future__ import annotations

import json

import pytest
import shapely

from remitstats.errors import PanelError
from remitstats.sources import geo


def test_neighbours_share_their_border_point_by_point(raw):
    shapes = geo.read_shapes(raw).set_index("cvegeo")["geometry"]
    assert len(shapes) == 2469
    pair = [shapes["01001"], shapes["01002"]]
    assert shapely.coverage_is_valid(pair)
    assert pair[0].boundary.intersection(pair[1].boundary).length > 0.08


def test_holes_and_islands_are_decoded(tmp_path):
    square = [[0, 0], [9, 0], [0, 9], [-9, 0], [0, -9]]
    hole = [[3, 3], [0, 3], [3, 0], [0, -3], [-3, 0]]
    island = [[20, 0], [1, 0], [0, 1], [-1, 0], [0, -1]]
    topology = {
        "transform": {"scale": [1, 1], "translate": [-100, 20]},
        "arcs": [square, hole, island],
        "objects": {
            "municipios": {
                "geometries": [
                    {"type": "Polygon", "arcs": [[0], [1]], "properties": {"id": "09001"}},
                    {"type": "Polygon", "arcs": [[~1]], "properties": {"id": "09002"}},
                    {"type": "MultiPolygon", "arcs": [[[2]]], "properties": {"id": "9003"}},
                ]
            }
        },
    }
    path = tmp_path / "geo" / "municipalities_2020.topojson"
    path.parent.mkdir()
    path.write_text(json.dumps(topology), encoding="utf-8")
    shapes = geo.read_shapes(tmp_path).set_index("cvegeo")["geometry"]
    assert list(shapely.area(shapes.to_numpy())) == [72, 9, 1]
    assert shapes["09002"].bounds == (-97, 23, -94, 26)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:1000],
        lambda text: text.replace(b'"municipios"', b'"estados"'),
        lambda text: text.replace(b'"arcs": [[', b'"arcs": [[9999999, ', 1),
    ],
    ids=["cut off", "another object", "an arc that is not there"],
)
def test_a_broken_map_is_refused(spoilt, change):
    with pytest.raises(PanelError, match="no TopoJSON with an object 'municipios'"):
        geo.read_shapes(spoilt("geo-shapes", change))


def test_pairs_are_those_derived(raw):
    pairs = geo.read_adjacency(raw)
    assert (len(pairs), pairs["rook"].sum()) == (7226, 7112)


def test_a_pair_twice_is_refused(spoilt):
    folder = spoilt("geo-adjacency", lambda text: text.replace(b"01001,01003,1", b"01001,01002,1"))
    with pytest.raises(PanelError, match="a pair twice"):
        geo.read_adjacency(folder)


def test_stable_units_put_each_municipality_of_2010_in_one_unit(raw):
    units = geo.read_stable_units(raw)
    assert len(units) == units["cvegeo"].nunique() == 2456
    assert units["unit"].nunique() == 2331
    unit = units.set_index("cvegeo")["unit"]
    assert unit["23008"] == unit["23009"], "Tulum left Solidaridad in 2008"
    assert unit["20400"] != unit["20004"], "the slip of the list of 1990"
