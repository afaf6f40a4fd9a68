"""Arrays of a panel as the depopulation model takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.errors import PanelError, Problem
from remitstats.models.depopulation_census import Censuses, Growth, measure_growth, read_censuses
from remitstats.panel.check import check_neighbours
from remitstats.panel.panel import Panel
from remitstats.parts import icar

Array = NDArray[np.float64]

CELLS = ("interval", "municipality")
TYPICAL_SIZE = 5000.0
"""Persons to which the errors of counts and survey are stated."""

ERROR_POWER = 1.0 / 3.0
"""How the error of a count falls with size: with the cube root of the population.

Less than the square root that independent persons would give, for whole blocks and localities
are missed together. The negative covariance of neighbouring intervals across 1995 and 2005 puts
the error of a count near 10% below 500 persons and near 2.5% at 15,000 to 50,000."""


@dataclass(frozen=True)
class DepopulationData:
    """Arrays of a panel as the model takes them.

    Parameters
    ----------
    coords : mapping of str to array
        `interval` ("1990-1995", ...), `municipality` (cvegeo), `state` (code), `count` (years of
        inexact counts), `survey` (years of surveys), `unplaced` (cvegeo of municipalities with a
        level that is almost unknown).
    growth : Growth
        What the intervals are computed from.
    percent : array, shape (interval, municipality)
        Recorded growth in % a year; nan where unknown.
    size : array, shape (interval, municipality)
        Persons of the municipality at the interval's start, or when it first had a figure.
    log_size : array, shape (municipality,)
        Logarithm of its first population, centred and in units of its standard deviation.
    relative_error : array, shape (municipality,)
        Error of a count relative to that of a municipality of `TYPICAL_SIZE`.
    state_of : array of int, shape (municipality,)
        Position of each municipality's state.
    graph : Graph
        Neighbourhoods of the municipalities.
    """

    coords: Mapping[str, NDArray[Any]]
    growth: Growth
    percent: Array
    size: Array
    log_size: Array
    relative_error: Array
    state_of: NDArray[np.int64]
    graph: icar.Graph

    @property
    def censuses(self) -> Censuses:
        """The populations."""
        return self.growth.censuses

    @property
    def years(self) -> Array:
        """Length of every interval in years, shape (interval,)."""
        return self.growth.years

    def contrast(self, year: int) -> Array:
        """Return what an error of +1 in the logarithm of a year's level adds to the growth.

        Shape (interval,): in % a year for an error of 1%, up before the year and down after it.
        """
        row = int(np.flatnonzero(self.censuses.year == year)[0])
        found = np.zeros(len(self.years))
        if row > 0:
            found[row - 1] = 1.0 / self.years[row - 1]
        if row < len(self.years):
            found[row] = -1.0 / self.years[row]
        return found

    def contrasts(self, dim: str) -> Array:
        """Return the contrasts of the years of a dim, shape (interval, year)."""
        found = [self.contrast(int(year)) for year in self.coords[dim]]
        return np.array(found).reshape(len(found), len(self.years)).T

    @property
    def unplaced_rows(self) -> Array:
        """Contrast of the census of unplaced levels, shape (interval, 1)."""
        row = int(self.growth.unplaced[0, 0])
        return self.contrast(int(self.censuses.year[row]))[:, None]

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        return {"recorded_growth": (CELLS, self.percent)}

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs, as variables with dims."""
        return {
            "size": (CELLS, self.size),
            "years": (("interval",), self.years),
            "log_size": (("municipality",), self.log_size),
            "relative_error": (("municipality",), self.relative_error),
        }


def check(panel: Panel) -> list[Problem]:
    """Return why a panel can't be used for the model, as far as its tables tell at once."""
    problems = check_neighbours(panel)
    if "municipality_census" not in panel:
        problems.append(
            Problem(
                "municipality_census",
                "-",
                "-",
                "no such table",
                "cvegeo, year, population of four years or more",
            )
        )
    return problems


def prepare_data(
    panel: Panel, through: int | None = None, error_power: float = ERROR_POWER
) -> DepopulationData:
    """Return the arrays the model needs from a panel.

    Parameters
    ----------
    panel : Panel
        With `municipality_census` and `adjacency`; see `depopulation_census.read_censuses`.
    through : int, optional
        Last year used; by default all. For forecasts of what is known by now.
    error_power : float
        Power of the population with which the error of a count falls.

    Raises
    ------
    PanelError
        If the panel has no neighbours, too few censuses, populations of zero, or municipalities
        with no growth at all.
    """
    problems = check_neighbours(panel)
    if problems:
        raise PanelError("The panel can't be used for the depopulation model.", problems)
    censuses = read_censuses(panel, through)
    if through is not None:
        known = np.isfinite(censuses.population).any(axis=0)
        censuses = _only(censuses, known)
    growth = measure_growth(censuses)
    codes = censuses.municipality
    states = np.array(sorted({code[:2] for code in codes}))
    first = censuses.population[
        np.minimum(censuses.first, len(censuses.year) - 1), np.arange(len(codes))
    ]
    log_size = np.log(first)
    spread = float(log_size.std()) or 1.0
    middle = np.exp(np.nanmean(np.log(censuses.population), axis=0))
    pairs = panel.table("adjacency")
    position = {code: i for i, code in enumerate(codes)}
    edges = [
        (position[a], position[b])
        for a, b in zip(pairs["cvegeo_a"].astype(str), pairs["cvegeo_b"].astype(str), strict=True)
        if a in position and b in position
    ]
    inside = {
        year: kind
        for year, kind in zip(censuses.year[1:], censuses.kind[1:], strict=True)
        if kind != "census"
    }
    return DepopulationData(
        coords={
            "interval": growth.interval,
            "municipality": codes,
            "state": states,
            "count": np.array([y for y, kind in inside.items() if kind == "count"], dtype=int),
            "survey": np.array([y for y, kind in inside.items() if kind == "survey"], dtype=int),
            "unplaced": codes[growth.unplaced[:, 1]],
        },
        growth=growth,
        percent=growth.percent,
        size=_size(censuses),
        log_size=(log_size - log_size.mean()) / spread,
        relative_error=(middle / TYPICAL_SIZE) ** -error_power,
        state_of=np.searchsorted(states, [code[:2] for code in codes]).astype(np.int64),
        graph=icar.Graph(len(codes), np.array(edges, dtype=np.int64).reshape(-1, 2)),
    )


def _only(censuses: Censuses, kept: NDArray[np.bool_]) -> Censuses:
    return Censuses(
        municipality=censuses.municipality[kept],
        year=censuses.year,
        kind=censuses.kind,
        population=censuses.population[:, kept],
        territory=np.unique(censuses.territory[kept], return_inverse=True)[1].astype(np.int64),
    )


def _size(censuses: Censuses) -> Array:
    """Return persons at the start of every interval; the nearest figure where there is none."""
    size = censuses.population.copy()
    for row in range(len(size) - 2, -1, -1):  # from the last back: what came first afterwards
        size[row] = np.where(np.isnan(size[row]), size[row + 1], size[row])
    for row in range(1, len(size)):
        size[row] = np.where(np.isnan(size[row]), size[row - 1], size[row])
    return size[:-1]
