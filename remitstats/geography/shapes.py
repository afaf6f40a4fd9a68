"""Map shapes: 2020's polygons dissolved to 2010 boundaries and simplified as one coverage.

The polygons are put on a grid of 2**-13 degree (about 13 m) whose coordinates are short binary
fractions, so that they compress to a quarter; tiny overlaps of the published simplification are
cleaned; then all polygons are simplified together, so that a border shared by two municipalities
stays one line and no gaps open between them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely

from remitstats.errors import RemitstatsError

GRID = 2.0**-13
"""Coordinates are multiples of this many degrees."""

TOLERANCE = 0.005
"""Points whose triangle with their neighbours is smaller than this, squared, go (degrees)."""


def dissolve(shapes: pd.DataFrame, parents: Mapping[str, str]) -> pd.DataFrame:
    """Return one shape a municipality of 2010.

    Parameters
    ----------
    shapes : DataFrame
        ``cvegeo``, ``geometry`` (shapely polygons, WGS84 degrees) on 2020 boundaries.
    parents : mapping of str to str
        Later municipality -> the one it is folded into.

    Returns
    -------
    DataFrame
        ``cvegeo``, ``geometry``, sorted: a valid coverage (no overlaps, shared borders shared).

    Raises
    ------
    RemitstatsError
        If the installed Shapely can't clean coverages (before 2.2).
    """
    if not hasattr(shapely, "coverage_clean"):
        raise RemitstatsError("Map shapes need shapely 2.2 or later: pip install -U shapely.")
    on_grid = shapely.transform(
        shapes["geometry"].to_numpy(), lambda points: np.round(points / GRID) * GRID
    )
    valid = shapely.make_valid(on_grid, method="structure", keep_collapsed=False)
    clean = pd.Series(shapely.coverage_clean(valid), dtype=object)
    dissolved = clean.groupby(shapes["cvegeo"].replace(dict(parents)).to_numpy()).agg(
        lambda parts: parts.iloc[0] if len(parts) == 1 else shapely.coverage_union_all(list(parts))
    )
    return pd.DataFrame({"cvegeo": dissolved.index.to_numpy(), "geometry": dissolved.to_numpy()})


def simplify(shapes: pd.DataFrame, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """Return the shapes with fewer points, as well-known binary; shared borders stay shared.

    Parameters
    ----------
    shapes : DataFrame
        ``cvegeo``, ``geometry``: a valid coverage, as `dissolve` gives.
    tolerance : float
        See `TOLERANCE`; degrees.

    Returns
    -------
    DataFrame
        ``cvegeo``, ``geometry`` (bytes, WKB, WGS84 longitude and latitude).
    """
    simple = shapely.coverage_simplify(shapes["geometry"].to_numpy(), tolerance)
    wkb = pd.Series(list(shapely.to_wkb(simple)), dtype=object)
    return pd.DataFrame({"cvegeo": shapes["cvegeo"].to_numpy(), "geometry": wkb})
