"""Where money is paid and where receiving dwellings stand, as the model of pay-outs takes them.

Dollars: CE166 counts where money is paid out. The eight quarters around the census (its day,
15 March 2020, lies in their middle) are each turned into pesos at the quarter's exchange rate, into
pesos of the window's mean prices, back into dollars at the window's mean exchange rate, and added
up to dollars a year. Amounts below `FLOOR`, zeros among them, say only that almost nothing was
paid: single transfers and reporting decide whether they are nought.

Dwellings: the census counts where households live. A published share is worth so many independent
dwellings of its sample (`parts.sampling_error`).

Pairs: money of households in one municipality may be paid there or in a neighbouring one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special
from scipy.spatial import cKDTree

from remitstats.errors import PanelError, Problem
from remitstats.geography.blocks import compact_blocks
from remitstats.models.dependence_state_data import by_quarter
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign, effective_dwellings, sampled_dwellings

Array = NDArray[np.float64]
Places = NDArray[np.int64]

CENSUS = 2020
WINDOW = tuple(f"{y}Q{q}" for y in (2019, 2020, 2021) for q in (1, 2, 3, 4))[1:9]
WITHIN = 20.0  # kilometres
FLOOR = 1000.0  # dollars a year
BLOCK = 12  # most municipalities of a block
KILOMETRES = 6371.0  # radius of the earth
NEEDED = {
    "municipality": ("longitude", "latitude"),
    "municipality_wave": ("dwellings", "receiving_percent", "small_locality_percent"),
    "municipality_census": ("population",),
    "municipality_quarter": ("remittances_usd_million",),
    "national_month": ("mxn_per_usd", "consumer_price_index"),
    "adjacency": ("cvegeo_a", "cvegeo_b"),
}


@dataclass(frozen=True, eq=False)
class PaidData:
    """Pay-outs, receiving dwellings and neighbours.

    Parameters
    ----------
    coords : mapping of str to array
        `municipality` (cvegeo), `state` and `block`.
    dollars : array, shape (municipality,)
        Paid out a year, dollars at constant prices; nan where held out.
    raw_dollars : array, shape (municipality,)
        The same of calendar 2020, as published (millions times a million): for the raw comparison.
    percent, dwellings : array, shape (municipality,)
        Receiving dwellings as published, per cent of dwellings.
    receiving, effective : array, shape (municipality,)
        Receiving and all dwellings of the sample, in independent ones.
    population : array, shape (municipality,)
        Persons at the census.
    town : array, shape (municipality,)
        Share of persons in places of 5,000 or more, its mean over municipalities taken out.
    state_of : array of int, shape (municipality,)
        Position of each municipality's state.
    block_of : array of int, shape (municipality,)
        Block of neighbours within the state that each belongs to.
    home, place : array of int, shape (pair,)
        Where a household lives and where its money may be paid: every municipality with itself
        first, then with its neighbours, both ways.
    distance : array, shape (pair,)
        Kilometres between the two points.
    unidentified_percent : float
        Share of the window's money that CE166 gives to no municipality, per cent; nan if unknown.
    within : float
        Kilometres within which money may be paid without a common border.
    design : SamplingDesign
        Assumed census sample.
    """

    coords: Mapping[str, NDArray[Any]]
    dollars: Array
    raw_dollars: Array
    percent: Array
    dwellings: Array
    receiving: Array
    effective: Array
    population: Array
    town: Array
    state_of: Places
    block_of: Places
    home: Places
    place: Places
    distance: Array
    unidentified_percent: float = float("nan")
    within: float = WITHIN
    design: SamplingDesign = field(default_factory=SamplingDesign)

    @property
    def size(self) -> int:
        """Number of municipalities."""
        return len(self.dollars)

    @property
    def paid(self) -> NDArray[np.bool_]:
        """Whether an amount of at least `FLOOR` is known."""
        return np.asarray(self.dollars >= FLOOR)

    @property
    def unpaid(self) -> NDArray[np.bool_]:
        """Whether it is known that less was paid."""
        return np.asarray(self.dollars < FLOOR)

    def hold_out(self, codes: Sequence[str]) -> PaidData:
        """Return the same without the pay-outs of some municipalities."""
        gone = np.isin(self.coords["municipality"], list(codes))
        return replace(self, dollars=np.where(gone, np.nan, self.dollars))

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        one = ("municipality",)
        return {"dollars": (one, self.dollars), "receiving_dwellings": (one, self.receiving)}

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs, as variables with dims."""
        one = ("municipality",)
        return {
            "effective_dwellings": (one, self.effective),
            "dwellings": (one, self.dwellings),
            "published_percent": (one, self.percent),
            "population": (one, self.population),
            "town": (one, self.town),
            "state_of": (one, self.state_of),
            "block_of": (one, self.block_of),
        }


def prepare_data(
    panel: Panel,
    design: SamplingDesign | None = None,
    window: Sequence[str] = WINDOW,
    within: float = WITHIN,
) -> PaidData:
    """Return the arrays the model needs from a panel.

    Parameters
    ----------
    panel : Panel
        With municipalities, their wave and census of 2020, dollars by quarter, exchange rates and
        neighbours.
    design : SamplingDesign, optional
        Assumed census sample.
    window : sequence of str
        Quarters, such as "2020Q1", whose money counts.
    within : float
        Kilometres between points within which money may be paid without a common border.

    Raises
    ------
    PanelError
        If a table, a column or the wave is missing, or a municipality lacks a figure.
    """
    design = design or SamplingDesign()
    problems = check(panel)
    if problems:
        raise PanelError("The panel can't be used for the model of pay-outs.", problems)
    wave = panel.table("municipality_wave")
    wave = wave[wave["wave"].astype(int) == CENSUS].set_index("cvegeo").sort_index()
    codes = wave.index.to_numpy(str)

    def column(frame: pd.DataFrame, name: str) -> Array:
        values = pd.to_numeric(frame[name]).astype("Float64").reindex(codes)
        return np.asarray(values.to_numpy(float, na_value=np.nan))

    census = panel.table("municipality_census")
    census = census[census["year"].astype(int) == CENSUS].set_index("cvegeo")
    point = panel.table("municipality").set_index("cvegeo")
    longitude, latitude = column(point, "longitude"), column(point, "latitude")
    dwellings, percent = column(wave, "dwellings"), column(wave, "receiving_percent")
    population = column(census, "population")
    town = 1.0 - column(wave, "small_locality_percent") / 100.0
    quarter = panel.table("municipality_quarter")
    quarter["dollars"] = 1e6 * pd.to_numeric(quarter["remittances_usd_million"]).astype(float)
    month = by_quarter(panel.table("national_month"))
    dollars = constant_dollars(quarter, month, window).reindex(codes).to_numpy(float)
    calendar = quarter[quarter["quarter"].astype(str).str[:4] == str(CENSUS)]
    raw = calendar.groupby("cvegeo")["dollars"].sum().reindex(codes).to_numpy(float)
    gaps = [
        Problem("municipality_wave", f"cvegeo={code}", "-", "a gap",
                "dwellings, percentages, persons, place and dollars of every municipality",
                "fill it in, or leave its state out with panel.select")
        for code, values in zip(
            codes,
            zip(dwellings, percent, population, town, longitude, latitude, dollars, strict=True),
            strict=True,
        )
        if not np.isfinite(values).all()
    ]  # fmt: skip
    if gaps:
        raise PanelError("The panel can't be used for the model of pay-outs.", gaps)
    effective = effective_dwellings(
        dwellings, sampled_dwellings(dwellings, CENSUS, design), design.design_effect
    )
    states = np.array(sorted({code[:2] for code in codes}))
    state_of = np.searchsorted(states, [code[:2] for code in codes]).astype(np.int64)
    block_of = compact_blocks(longitude, latitude, state_of, BLOCK)
    home, place = pairs_of(panel, codes, longitude, latitude, within)
    return PaidData(
        coords={"municipality": codes, "state": states, "block": np.arange(block_of.max() + 1)},
        dollars=dollars,
        raw_dollars=raw,
        percent=percent,
        dwellings=dwellings,
        receiving=effective * percent / 100.0,
        effective=effective,
        population=population,
        town=town - town.mean(),
        state_of=state_of,
        block_of=block_of,
        home=home,
        place=place,
        distance=kilometres(longitude, latitude, home, place),
        unidentified_percent=_unidentified(panel, states, window),
        within=within,
        design=design,
    )


def check(panel: Panel) -> list[Problem]:
    """Return why a panel can't be used for the model of pay-outs."""
    problems = [
        Problem(
            name,
            "-",
            column,
            "nothing",
            f"a table {name} with the column {column}",
            "add it: the model compares where money is paid with where receiving dwellings stand",
        )
        for name, columns in NEEDED.items()
        for column in columns
        if name not in panel
        or column not in panel.table(name)
        or panel.table(name)[column].isna().all()
    ]
    if problems:
        return problems
    for name, column in (("municipality_wave", "wave"), ("municipality_census", "year")):
        if CENSUS not in set(panel.table(name)[column].astype(int)):
            problems.append(
                Problem(name, "-", column, "other years", f"the year {CENSUS}",
                        "add it: dollars are compared with this census")
            )  # fmt: skip
    return problems


def constant_dollars(
    quarter: pd.DataFrame, month: pd.DataFrame, window: Sequence[str]
) -> pd.Series:
    """Return dollars a year of the window at its mean prices and exchange rate, by municipality.

    Parameters
    ----------
    quarter : DataFrame
        `cvegeo`, `quarter`, `dollars` (nominal).
    month : DataFrame
        What `by_quarter` returned.
    window : sequence of str
        The quarters.

    Raises
    ------
    PanelError
        If a quarter has no dollars or no exchange rate.
    """
    names = [str(q) for q in window]
    known = month.reindex(names)
    there = quarter[quarter["quarter"].astype(str).isin(names)]
    missing = sorted(
        {*known.index[known.isna().any(axis=1)], *(set(names) - set(there["quarter"].astype(str)))}
    )
    if missing:
        raise PanelError(
            "The panel can't be used for the model of pay-outs.",
            [
                Problem("municipality_quarter", "-", "quarter", q, "dollars, exchange rate, prices",
                        "choose another window or add the quarter")
                for q in missing
            ],
        )  # fmt: skip
    # dollars -> pesos -> pesos of mean prices -> dollars at the mean rate
    factor = known["mxn_per_usd"] / known["mxn_per_usd"].mean()
    factor = factor * known["consumer_price_index"].mean() / known["consumer_price_index"]
    real = there["dollars"] * there["quarter"].astype(str).map(factor)
    summed = real.groupby(there["cvegeo"].astype(str)).sum(min_count=len(names))
    return summed * 4.0 / len(names)


def pairs_of(
    panel: Panel, codes: NDArray[np.str_], longitude: Array, latitude: Array, within: float
) -> tuple[Places, Places]:
    """Return homes and places: every municipality with itself, then with those it reaches.

    These are its neighbours and all whose point lies within so many kilometres of its own; both
    ways.
    """
    position = {code: i for i, code in enumerate(codes)}
    table = panel.table("adjacency")
    ends = zip(table["cvegeo_a"].astype(str), table["cvegeo_b"].astype(str), strict=True)
    edges = {(position[a], position[b]) for a, b in ends if a in position and b in position}
    edges = {(min(pair), max(pair)) for pair in edges}
    # chords of the unit sphere: no longer than the arc
    lon, lat = np.radians(longitude), np.radians(latitude)
    point = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    chord = 2.0 * np.sin(0.5 * within / KILOMETRES)
    edges |= cKDTree(point).query_pairs(chord)
    pairs = np.array(sorted(edges), dtype=np.int64).reshape(-1, 2)
    itself = np.arange(len(codes))
    home = np.concatenate([itself, pairs[:, 0], pairs[:, 1]])
    return home, np.concatenate([itself, pairs[:, 1], pairs[:, 0]])


def kilometres(longitude: Array, latitude: Array, a: Places, b: Places) -> Array:
    """Return great-circle distances between points given in degrees."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    half = np.sin((lat[a] - lat[b]) / 2) ** 2
    half = half + np.cos(lat[a]) * np.cos(lat[b]) * np.sin((lon[a] - lon[b]) / 2) ** 2
    return np.asarray(2.0 * KILOMETRES * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


def share_scores(data: PaidData) -> tuple[Array, Array]:
    """Return centre and spread of every receiving share's logit given its census alone.

    A starting point for the sampler, not a prior: the mode under a normal prior around the state's
    pooled share, and its curvature.
    """
    total = np.bincount(data.state_of, data.effective)
    pooled = np.bincount(data.state_of, data.receiving) / total
    prior = special.logit(np.clip(pooled, 1e-4, 1 - 1e-4))[data.state_of]
    eta = np.log((data.receiving + 0.5) / (data.effective - data.receiving + 0.5))
    for _ in range(30):
        share = special.expit(eta)
        slope = data.receiving - data.effective * share - (eta - prior)
        eta = eta + np.clip(slope / (data.effective * share * (1 - share) + 1.0), -1.0, 1.0)
    share = special.expit(eta)
    return eta, 1.0 / np.sqrt(data.effective * share * (1 - share) + 1.0)


def _unidentified(panel: Panel, states: NDArray[np.str_], window: Sequence[str]) -> float:
    if "state_quarter" not in panel:
        return float("nan")
    table = panel.table("state_quarter")
    columns = ("unidentified_usd_million", "remittances_ce166_usd_million")
    if any(c not in table for c in columns):
        return float("nan")
    here = table["quarter"].astype(str).isin(list(window)) & table["state"].astype(str).isin(states)
    amounts = [float(pd.to_numeric(table.loc[here, c]).astype(float).sum()) for c in columns]
    return 100.0 * amounts[0] / amounts[1] if amounts[1] > 0 else float("nan")
