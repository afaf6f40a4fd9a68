"""Map shapes of a panel, projected and cut into drawing paths once for all maps of a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from matplotlib.path import Path as DrawPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remitstats.panel.panel import Panel

# The sphere with the surface of the WGS84 ellipsoid, in km.
EARTH_RADIUS = 6371.007


@dataclass(frozen=True)
class MapShapes:
    """Areas of the units of a report on an equal-area plane (km).

    Parameters
    ----------
    cvegeo : Index
        Units with a shape, in the order of `paths`.
    paths : list of matplotlib Path
        One compound path a unit; holes are inner rings.
    outlines : list of ndarray, each (n, 2)
        Borders of the states.
    points : ndarray (units, 2)
        A point inside each unit, where its symbol is drawn.
    bounds : tuple
        Left, bottom, right, top.
    missing : int
        Units of the results without a shape.
    painted : dict
        Maps without legends that were painted before (`figures.maps`): they are the same in all
        languages.
    """

    cvegeo: pd.Index[str]
    paths: list[DrawPath]
    outlines: list[np.ndarray]
    points: np.ndarray
    bounds: tuple[float, float, float, float]
    missing: int
    painted: dict[bytes, bytes] = field(default_factory=dict, compare=False, repr=False)

    @property
    def aspect(self) -> float:
        """Height over width."""
        left, bottom, right, top = self.bounds
        return (top - bottom) / max(right - left, 1e-9)

    def align(self, values: pd.Series[Any]) -> np.ndarray:
        """Return values indexed by cvegeo in the order of `paths`, NaN where there is none."""
        return values.reindex(self.cvegeo).to_numpy(dtype=float, na_value=np.nan)


def load_shapes(panel: Panel, units: pd.DataFrame) -> MapShapes | None:
    """Prepare the shapes of the units of a report.

    Parameters
    ----------
    panel : Panel
        With a table ``shape`` (cvegeo, geometry as WKB, longitude and latitude); may lack it.
    units : DataFrame
        ``cvegeo`` and ``state`` of the units to draw, one row each.

    Returns
    -------
    MapShapes or None
        None when no unit has a shape: the report then says that it has no maps.
    """
    read = _read(panel, units)
    if read is None:
        return None
    table, geometries = read
    wholes = _dissolved(geometries, table["state"].to_numpy())
    missing = len(units) - len(table)
    return _shapes(pd.Index(table["cvegeo"]), geometries, _outlines(wholes), missing)


def load_state_shapes(panel: Panel, units: pd.DataFrame) -> MapShapes | None:
    """Prepare the shapes of the states of a report, made of those of their units.

    Parameters
    ----------
    panel, units
        As for `load_shapes`.

    Returns
    -------
    MapShapes or None
        Its ``cvegeo`` are codes of states. None when no unit has a shape.
    """
    read = _read(panel, units)
    if read is None:
        return None
    table, geometries = read
    wholes = _dissolved(geometries, table["state"].to_numpy())
    states = np.asarray(list(wholes.values()), dtype=object)
    missing = len(set(units["state"]) - set(wholes))
    return _shapes(pd.Index(list(wholes)), states, _outlines(wholes), missing)


def _read(panel: Panel, units: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray] | None:
    """Return the units that have a shape, in order, and their shapes on the plane."""
    if "shape" not in panel:
        return None
    table = panel.table("shape").dropna(subset=["geometry"]).merge(units, on="cvegeo")
    if table.empty:
        return None
    table = table.sort_values("cvegeo", ignore_index=True)
    geometries = shapely.from_wkb(table["geometry"].to_numpy())
    return table, _project(np.asarray(geometries, dtype=object))


def _shapes(
    codes: pd.Index[str], geometries: np.ndarray, outlines: list[np.ndarray], missing: int
) -> MapShapes:
    left, bottom, right, top = shapely.total_bounds(geometries)
    return MapShapes(
        cvegeo=codes,
        paths=_paths(geometries),
        outlines=outlines,
        points=shapely.get_coordinates(shapely.point_on_surface(geometries)),
        bounds=(float(left), float(bottom), float(right), float(top)),
        missing=missing,
    )


def _project(geometries: np.ndarray) -> np.ndarray:
    """Project longitude and latitude with Albers' equal-area conic fitted to the area.

    Source: Snyder (1987), Map Projections, USGS Professional Paper 1395, eq. 14-1 to 14-6.
    """
    west, south, east, north = np.radians(shapely.total_bounds(geometries))
    first, second = south + (north - south) / 6, north - (north - south) / 6
    cone = (np.sin(first) + np.sin(second)) / 2
    middle, base = (west + east) / 2, (south + north) / 2

    def cylinder(degrees: np.ndarray) -> np.ndarray:
        x, y = np.radians(degrees).T
        stretch = np.cos(base)
        return EARTH_RADIUS * np.column_stack([(x - middle) * stretch, np.sin(y) / stretch])

    def conic(degrees: np.ndarray) -> np.ndarray:
        x, y = np.radians(degrees).T
        whole = np.cos(first) ** 2 + 2 * cone * np.sin(first)
        radius = np.sqrt(np.maximum(whole - 2 * cone * np.sin(y), 0)) / cone
        centre = np.sqrt(max(whole - 2 * cone * np.sin(base), 0)) / cone
        angle = cone * (x - middle)
        return EARTH_RADIUS * np.column_stack(
            [radius * np.sin(angle), centre - radius * np.cos(angle)]
        )

    # Around the equator the cone opens into a cylinder and the formula divides by nought.
    return np.asarray(
        shapely.transform(geometries, conic if abs(cone) > 0.01 else cylinder), dtype=object
    )


def _paths(geometries: np.ndarray) -> list[DrawPath]:
    """Return one compound path a geometry."""
    paths = []
    for geometry in geometries:
        rings = shapely.get_rings(shapely.get_parts(geometry))
        vertices, owner = shapely.get_coordinates(rings, return_index=True)
        codes = np.full(len(vertices), DrawPath.LINETO, dtype=DrawPath.code_type)
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        codes[starts] = DrawPath.MOVETO
        codes[np.append(starts[1:], len(vertices)) - 1] = DrawPath.CLOSEPOLY
        paths.append(DrawPath(vertices, codes))
    return paths


def _outlines(wholes: dict[str, Any]) -> list[np.ndarray]:
    """Return the borders of the states as lines."""
    rings = [
        ring for whole in wholes.values() for ring in shapely.get_rings(shapely.get_parts(whole))
    ]
    return [shapely.get_coordinates(ring) for ring in rings]


def _dissolved(geometries: np.ndarray, states: Sequence[str] | np.ndarray) -> dict[str, Any]:
    """Return one geometry a state."""
    wholes = {}
    labels = np.asarray(states, dtype=object)
    for state in pd.unique(labels):
        members = geometries[labels == state]
        try:
            wholes[str(state)] = shapely.coverage_union_all(members)
        except shapely.errors.GEOSException:
            # Shapes that overlap are no coverage; the slower union takes them as they are.
            wholes[str(state)] = shapely.union_all(shapely.make_valid(members))
    return wholes
