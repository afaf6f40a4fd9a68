"""An invented country that is not Mexico, to try out what a panel of one's own can do.

It has the size and the two levels of El Salvador: 14 departments of 262 municipalities, codes of
four digits that begin with the department's two, waves in 2007 and 2024. Nothing else is real:
borders, names and numbers are drawn by a computer, and the panel says so wherever it is shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.models.reliance import Priors
from remitstats.panel.panel import Panel
from remitstats.parts.priors import NormalPrior
from remitstats.simulate.reliance import simulate_reliance

COUNTRY = "Valdoria (simulated)"
TITLE = "Simulated: Valdoria, an invented country"
CODES = {"municipality": "9999", "state": "99"}
SAMPLE = {"fraction": 0.1, "complete_below": 1000, "design_effect": 2.0}
WAVES = (2007, 2024)
DEPARTMENTS, MUNICIPALITIES = 14, 262
ZONES = ("West", "Centre", "East")
UNMEASURED = 3  # municipalities without figures in the first wave
# About a fifth of dwellings receive, as where many have left; what differs is of Mexico's size.
LEVEL = NormalPrior(mean=-1.5, sd=0.2)
HYPERPARAMETERS = {
    "state_sd": 0.4,
    "state_wave_sd": 0.15,
    "municipality_sd": 0.7,
    "municipality_share": 0.7,
    "municipality_wave_sd": 0.4,
    "municipality_wave_share": 0.5,
    "wave_scale_2007": 1.1,
}


def simulated_country(seed: int = 1) -> Panel:
    """Return the panel of an invented country, with all that a report of reliance can use.

    Parameters
    ----------
    seed : int
        Everything random follows from it, the map too.

    Returns
    -------
    Panel
        Valid by `check_panel`, with the tables `municipality_wave`, `municipality`, `state`,
        `adjacency` and `shape`. Its metadata say how its codes are written, how its census
        sampled, and that it is simulated.
    """
    rng = np.random.default_rng(seed)
    cells = _cells(rng)
    place = _places(cells)
    size = np.exp(rng.normal(np.log(4000.0), 1.0, len(place)))
    unmeasured = rng.choice(len(place), UNMEASURED, replace=False)
    tables = []
    for at, wave in enumerate(WAVES):
        dwellings = pd.array(np.clip(size * 1.3**at, 120, 200_000).astype(np.int64), dtype="Int64")
        # a placeholder, replaced below: only where there are percentages can some be simulated
        percent = np.ones(len(place))
        if at == 0:
            dwellings[unmeasured], percent[unmeasured] = pd.NA, np.nan
        tables.append(
            place[["cvegeo"]].assign(wave=wave, dwellings=dwellings, receiving_percent=percent)
        )
    departments = place.groupby("state", sort=True)["longitude"].mean()
    zone = (departments.rank(method="first") - 1) * len(ZONES) // len(departments)
    named = {
        "municipality_wave": pd.concat(tables, ignore_index=True),
        "municipality": place[["cvegeo", "name", "state", "longitude", "latitude"]],
        "state": pd.DataFrame(
            {
                "state": departments.index,
                "name": [f"Invented department {code}" for code in departments.index],
                "region": [ZONES[int(at)] for at in zone],
            }
        ),
        "adjacency": _adjacency(cells, place["cvegeo"].to_numpy(str)),
        "shape": _shape(cells, place["cvegeo"]),
    }
    panel = Panel({}, {"country": COUNTRY, "title": TITLE, "codes": CODES, "sample": SAMPLE})
    for name, table in named.items():
        panel = panel.with_table(name, table)
    priors = Priors(intercept=LEVEL)
    drawn = simulate_reliance(panel, seed=seed, hyperparameters=HYPERPARAMETERS, priors=priors)
    return drawn.panel


def _cells(rng: np.random.Generator) -> NDArray[Any]:
    """Return polygons that fill an oval: the cells around points that keep their distance."""
    import shapely  # noqa: PLC0415 - only maps need it

    outline = shapely.transform(shapely.Point(0, 0).buffer(1.0, 32), lambda xy: xy * (1.3, 0.6))
    points = rng.uniform((-1.3, -0.6), (1.3, 0.6), (8 * MUNICIPALITIES, 2))
    points = points[shapely.contains_xy(outline, points)][:MUNICIPALITIES]
    for _ in range(3):  # towards the middle of their cells, so that these are of like sizes
        cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points)))
        cells = shapely.intersection(cells, outline)
        points = shapely.get_coordinates(shapely.centroid(cells))
    return np.asarray(cells)


def _places(cells: NDArray[Any]) -> pd.DataFrame:
    """Return code, name, department and centre of each cell."""
    import shapely  # noqa: PLC0415

    middle = shapely.get_coordinates(shapely.centroid(cells))
    centres = middle[[int(np.argmin(middle[:, 0]))]]
    while len(centres) < DEPARTMENTS:  # each next one where the others are farthest
        far = np.min(np.linalg.norm(middle[:, None] - centres, axis=2), axis=1)
        centres = np.vstack([centres, middle[int(np.argmax(far))]])
    centres = centres[np.argsort(centres[:, 0])]
    nearest = np.argmin(np.linalg.norm(middle[:, None] - centres, axis=2), axis=1)
    place = pd.DataFrame({"state": [f"{at + 1:02d}" for at in nearest]})
    place["longitude"], place["latitude"] = np.round(middle, 5).T
    place["cvegeo"] = place["state"] + (place.groupby("state").cumcount() + 1).map("{:02d}".format)
    place["name"] = "Invented " + place["cvegeo"]
    return place


def _adjacency(cells: NDArray[Any], codes: NDArray[np.str_]) -> pd.DataFrame:
    """Return the pairs of cells that share a border line."""
    import shapely  # noqa: PLC0415

    near = shapely.STRtree(cells).query(cells, predicate="dwithin", distance=1e-9)
    a, b = near[:, near[0] < near[1]]
    shared = shapely.length(shapely.intersection(cells[a], cells[b], grid_size=1e-9))
    ends = np.sort(np.stack([codes[a], codes[b]])[:, shared > 1e-6], axis=0)
    return pd.DataFrame({"cvegeo_a": ends[0], "cvegeo_b": ends[1], "rook": True})


def _shape(cells: NDArray[Any], codes: pd.Series) -> pd.DataFrame:
    import shapely  # noqa: PLC0415

    return pd.DataFrame({"cvegeo": codes, "geometry": shapely.to_wkb(cells)})
