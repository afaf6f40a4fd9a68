"""Geography files: map shapes, neighbours and the parents of later municipalities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from remitstats.errors import PanelError, Problem
from remitstats.sources.files import FILES
from remitstats.sources.reading import codes, numbers, read_table, read_text
from remitstats.untrusted import parse_json


def read_shapes(raw: Path) -> pd.DataFrame:
    """Return ``cvegeo`` and ``geometry`` (shapely, WGS84) of 2020's municipalities.

    In TopoJSON a border between two municipalities is one arc that both refer to, so that
    decoded neighbours share it point by point. Six of the published shapes touch themselves by
    the width of a grid cell; `remitstats.geography.shapes.dissolve` mends them.

    Raises
    ------
    PanelError
        If the file is missing or no TopoJSON of municipalities.
    """
    file = FILES["geo-shapes"]
    text = read_text(raw, file)
    try:
        topology = parse_json(text)
        geometries = topology["objects"]["municipios"]["geometries"]
        arcs = _decode_arcs(topology)
        decoded = [(item["properties"]["id"], _geometry(item, arcs)) for item in geometries]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise PanelError(
            f"The official file {file.path} is no TopoJSON with an object 'municipios': {error}."
        ) from error
    table = pd.DataFrame(decoded, columns=["cvegeo", "geometry"])
    table["cvegeo"] = codes(file, table["cvegeo"].astype(str))
    return table.sort_values("cvegeo", ignore_index=True)


def _decode_arcs(topology: dict[str, Any]) -> list[np.ndarray]:
    # Quantised TopoJSON: whole-number steps from point to point, then scale and translate.
    scale = np.array(topology["transform"]["scale"])
    translate = np.array(topology["transform"]["translate"])
    return [np.cumsum(arc, axis=0) * scale + translate for arc in topology["arcs"]]


def _geometry(item: dict[str, Any], arcs: list[np.ndarray]) -> Any:
    parts = item["arcs"] if item["type"] == "MultiPolygon" else [item["arcs"]]
    polygons = []
    for part in parts:
        shell, *holes = [_ring(ring, arcs) for ring in part]
        polygons.append(shapely.Polygon(shell, holes))
    return shapely.MultiPolygon(polygons) if len(polygons) > 1 else polygons[0]


def _ring(indices: list[int], arcs: list[np.ndarray]) -> np.ndarray:
    # ~i (negative) means arc i walked backwards; consecutive arcs repeat the point they share.
    walked = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in indices]
    return np.concatenate([walked[0], *(points[1:] for points in walked[1:])])


def read_adjacency(raw: Path) -> pd.DataFrame:
    """Return ``cvegeo_a``, ``cvegeo_b``, ``rook`` (bool): queen neighbours on 2020 boundaries."""
    file = FILES["geo-adjacency"]
    cells = read_table(raw, file)
    table = pd.DataFrame(
        {
            "cvegeo_a": cells["cvegeo_a"].str.strip().str.zfill(5),
            "cvegeo_b": cells["cvegeo_b"].str.strip().str.zfill(5),
            "rook": numbers(file, cells["rook"], whole=True) == 1,
        }
    )
    twice = table.duplicated(["cvegeo_a", "cvegeo_b"]) | (table["cvegeo_a"] == table["cvegeo_b"])
    if twice.any():
        raise PanelError(
            f"The official file {file.path} has a pair twice or a municipality beside itself.",
            [
                Problem(file.path, f"line {line}", "cvegeo_b", row.cvegeo_b, "another code, once")
                for line, row in table[twice].head(50).iterrows()
            ],
        )
    return table.astype({"rook": bool}).reset_index(drop=True)


def read_stable_units(raw: Path) -> pd.DataFrame:
    """Return ``cvegeo`` and ``unit``: municipalities that exchanged territory from 1990 to 2010.

    Municipalities of one unit together kept their boundaries over the censuses and counts of
    1990 to 2010; a municipality whose own boundaries did not change is a unit by itself. The list
    of the latest census in which a municipality stands counts: that of 1990 has Santa María
    Camotlán (20400) under a neighbour's unit by mistake.

    Raises
    ------
    PanelError
        If the file is missing or not as published.
    """
    file = FILES["ipums-geo2"]
    cells = read_table(raw, file)
    table = pd.DataFrame(
        {
            "cvegeo": cells["cvegeo"].str.strip().str.zfill(5),
            "unit": cells["geo2_mx"].str.strip(),
            "census": numbers(file, cells["census"], whole=True),
        }
    )
    latest = table.sort_values("census").drop_duplicates("cvegeo", keep="last")
    return latest[["cvegeo", "unit"]].sort_values("cvegeo", ignore_index=True)


def read_parents(raw: Path) -> pd.DataFrame:
    """Return ``cvegeo``, ``parent``, ``area_share`` of the municipalities created after 2010."""
    file = FILES["geo-parents"]
    cells = read_table(raw, file)
    return pd.DataFrame(
        {
            "cvegeo": cells["new_cvegeo_2020"].str.strip().str.zfill(5),
            "parent": cells["parent_cvegeo_2015"].str.strip().str.zfill(5),
            "area_share": numbers(file, cells["area_share_of_new"]),
        }
    ).reset_index(drop=True)
