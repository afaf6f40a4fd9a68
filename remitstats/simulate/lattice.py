"""A small artificial country on a lattice: to test the models, and to try things out quickly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.panel.panel import Panel
from remitstats.simulate.reliance import simulate_reliance

# Hyperparameters of the artificial country: of the size that Mexico's waves have.
GRID_HYPERPARAMETERS = {
    "state_sd": 0.5,
    "state_wave_sd": 0.2,
    "municipality_sd": 0.9,
    "municipality_share": 0.6,
    "municipality_wave_sd": 0.5,
    "municipality_wave_share": 0.4,
}
REGIONS = ("Traditional", "North", "Centre", "South-Southeast")


def grid_panel(
    rows: int,
    columns: int,
    waves: Sequence[int] = (2000, 2010, 2020),
    states: Sequence[str] = ("01", "02", "03", "04"),
    seed: int = 1,
) -> Panel:
    """Return a small artificial country on a lattice, with simulated percentages.

    Parameters
    ----------
    rows, columns : int
        Size of the lattice; a municipality is one square of it. Columns next to each other make
        a state.
    waves : sequence of int
        Years of the waves; at least two.
    states : sequence of str
        Two-digit codes, at least two and at most one a column.
    seed : int
        Of the dwellings and the percentages (`simulate_reliance` with
        `GRID_HYPERPARAMETERS`).

    Returns
    -------
    Panel
        Valid by `check_panel`, with the tables `municipality_wave`, `municipality`, `state`,
        `adjacency` and `shape`; its metadata say that it is simulated.

    Raises
    ------
    ValueError
        If the lattice is too small for the states, or a state would have over 999 municipalities.
    """
    if len(waves) < 2 or not 2 <= len(states) <= columns or rows < 1:
        raise ValueError("a grid needs two waves, and two states of one column or more each")
    place = _lattice(rows, columns, states)
    if place["number"].max() > 999:
        raise ValueError("a state has at most 999 municipalities: name more states")
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(np.log(3000.0), 1.2, len(place)))
    tables = []
    for at, wave in enumerate(waves):
        dwellings = np.clip(size * 1.25**at, 150, 300_000).astype(np.int64)
        # a placeholder, replaced below: only where there are percentages can some be simulated
        tables.append(place[["cvegeo"]].assign(wave=wave, dwellings=dwellings, receiving_percent=1))
    metadata = {"country": "Simulated", "title": f"Simulated: lattice of {rows} by {columns}"}
    panel = Panel({}, metadata)
    named = {
        "municipality_wave": pd.concat(tables, ignore_index=True),
        "municipality": place[["cvegeo", "name", "state", "longitude", "latitude"]],
        "state": pd.DataFrame(
            {
                "state": list(states),
                "name": [f"Simulated state {state}" for state in states],
                "region": [REGIONS[i % len(REGIONS)] for i in range(len(states))],
            }
        ),
        "adjacency": _adjacency(rows, columns, place["cvegeo"].to_numpy()),
        "shape": _shape(place),
    }
    for name, table in named.items():
        panel = panel.with_table(name, table)
    return simulate_reliance(panel, seed=seed, hyperparameters=GRID_HYPERPARAMETERS).panel


def _lattice(rows: int, columns: int, states: Sequence[str]) -> pd.DataFrame:
    """Return the municipalities of a lattice, row by row."""
    row, column = (axis.ravel() for axis in np.indices((rows, columns)))
    place = pd.DataFrame({"state": [states[int(c) * len(states) // columns] for c in column]})
    place["number"] = place.groupby("state").cumcount() + 1
    place["cvegeo"] = place["state"] + place["number"].map("{:03d}".format)
    place["name"] = "Simulated " + place["cvegeo"]
    place["longitude"] = -105.0 + 0.1 * column
    place["latitude"] = 25.0 - 0.1 * row
    return place


def _adjacency(rows: int, columns: int, codes: NDArray[np.str_]) -> pd.DataFrame:
    """Return the pairs of squares that share a side (rook) or only a corner."""
    number = np.arange(rows * columns).reshape(rows, columns)
    sides = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    corners = [(number[:-1, :-1], number[1:, 1:]), (number[:-1, 1:], number[1:, :-1])]
    pairs = []
    for rook, found in ((True, sides), (False, corners)):
        for first, second in found:
            both = np.sort(np.stack([codes[first.ravel()], codes[second.ravel()]]).astype(str), 0)
            pairs.append(pd.DataFrame({"cvegeo_a": both[0], "cvegeo_b": both[1], "rook": rook}))
    return pd.concat(pairs, ignore_index=True)


def _shape(place: pd.DataFrame) -> pd.DataFrame:
    import shapely  # noqa: PLC0415 - only this table needs it

    x, y = place["longitude"].to_numpy(), place["latitude"].to_numpy()
    squares = shapely.box(x - 0.05, y - 0.05, x + 0.05, y + 0.05)
    return pd.DataFrame({"cvegeo": place["cvegeo"], "geometry": shapely.to_wkb(squares)})
