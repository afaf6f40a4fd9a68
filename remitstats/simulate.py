"""Made-up panels whose truth is known: to test the models, to plan, to see what data can tell.

`grid_panel` makes a small artificial country on a lattice; `simulate_reliance` draws reliance from
the model's prior (or from given hyperparameters) and then the percentages that the assumed census
sample would have published. Whatever is fitted to them can be held against the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from remitstats.errors import RemitstatsError
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.parts.latent_gaussian import LatentGaussian
from remitstats.parts.sampling_error import SamplingDesign, draw_published

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


@dataclass(frozen=True)
class Simulation:
    """A panel with simulated percentages, and what they were simulated from.

    Parameters
    ----------
    panel : Panel
        Geography and dwellings as given; `receiving_percent` simulated wherever the panel had
        dwellings and a percentage. Its metadata say that it is simulated.
    hyperparameters : mapping of str to float
        The true hyperparameters, on their own scales.
    percent : DataFrame
        True share of dwellings that receive remittances, in %: one row a municipality (index
        `cvegeo`), one column a wave. Also for cells without data.
    seed : int
        What it was drawn with.
    """

    panel: Panel
    hyperparameters: Mapping[str, float]
    percent: pd.DataFrame
    seed: int


def simulate_reliance(
    panel: Panel,
    *,
    seed: int,
    hyperparameters: Mapping[str, float] | None = None,
    priors: reliance.Priors | None = None,
    design: SamplingDesign | None = None,
) -> Simulation:
    """Simulate reliance and its published percentages for the municipalities of a panel.

    Parameters
    ----------
    panel : Panel
        Gives geography, dwellings and which cells have data. The values of its percentages are
        not looked at.
    seed : int
        Everything random follows from it.
    hyperparameters : mapping of str to float, optional
        True values of some or all hyperparameters (see `remitstats.models.reliance`); the others
        are drawn from their priors.
    priors : Priors, optional
        Of the hyperparameters and the intercept.
    design : SamplingDesign, optional
        The census sample that publishes the percentages.

    Returns
    -------
    Simulation
        The simulated panel and the truth.

    Raises
    ------
    PanelError
        If the panel can't be used for the reliance model.
    RemitstatsError
        If a hyperparameter is unknown (the nearest is suggested) or can't have the value given.

    Notes
    -----
    A sample without replacement whose design effect makes it worth m independent dwellings, out
    of a population that is itself binomial, publishes a share that is binomial with m trials: so
    one draw stands for both stages (see `parts.sampling_error`).
    """
    data = reliance.prepare_data(panel, design)
    blocks = reliance.latent_gaussian(data, priors or reliance.Priors())
    rng = np.random.default_rng(seed)
    theta = _true_theta(blocks, hyperparameters or {}, rng)
    _, eta = blocks.sample_prior(rng, 1, theta[None, :])
    eta = eta[0].reshape(data.effective.shape)
    published = 100.0 * draw_published(rng, eta, data.effective)
    truth = blocks.constrain(theta)
    return Simulation(
        panel=_with_percent(panel, data, published, seed, truth),
        hyperparameters=truth,
        percent=pd.DataFrame(
            100.0 * special.expit(eta).T,
            index=pd.Index(data.coords["municipality"], name="cvegeo"),
            columns=pd.Index(data.coords["wave"], name="wave"),
        ),
        seed=seed,
    )


def _true_theta(
    blocks: LatentGaussian, given: Mapping[str, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return unconstrained hyperparameters: as given, the others from the prior."""
    names = list(blocks.hyperparameters)
    theta = rng.standard_normal(len(names))
    for name, value in given.items():
        if name not in names:
            near = get_close_matches(name, names, n=1, cutoff=0.4)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise RemitstatsError(
                f"The reliance model of this panel has no hyperparameter '{name}'.{hint} "
                f"Hyperparameters: {', '.join(names)}."
            )
        try:
            t = blocks.hyperparameters[name].unconstrain(value)
        except ValueError:
            t = np.nan
        if not np.isfinite(t):
            raise RemitstatsError(f"The hyperparameter '{name}' can't be {value}.")
        theta[names.index(name)] = t
    return theta


def _with_percent(
    panel: Panel,
    data: reliance.RelianceData,
    published: NDArray[np.float64],
    seed: int,
    truth: Mapping[str, float],
) -> Panel:
    """Return the panel with other percentages, labelled as simulated."""
    table = panel.table("municipality_wave")
    row = np.searchsorted(data.coords["wave"], table["wave"].to_numpy(int))
    column = np.searchsorted(data.coords["municipality"], table["cvegeo"].to_numpy(str))
    table["receiving_percent"] = published[row, column]
    title = str(panel.metadata.get("title", "panel")).removeprefix("Simulated: ")
    metadata = {
        **panel.metadata,
        "title": f"Simulated: {title}",
        "simulated": {"model": reliance.NAME, "seed": seed, "hyperparameters": dict(truth)},
    }
    return Panel(panel.with_table("municipality_wave", table).tables, metadata)


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
