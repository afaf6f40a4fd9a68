"""Population growth between censuses, of municipalities or of territories that kept their borders.

Between 1990 and 2010 municipalities were created out of others. The published figures of a
municipality that lost territory fall although nobody left. Municipalities that exchanged
territory share a code in `municipality.territory`; over an interval in which one of them was
created only the growth of all of them together is known. It is given to the largest of them; of
the others the growth is unknown, and the model says of them what it says of any municipality
without a figure. A municipality that existed but has no figure of its own at a count in between
(15 of Chiapas in 1995) gets a level on the straight line between its neighbours in time, marked
as such: the model takes that level as almost unknown, and what happened over both intervals
together as known.
"""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import PanelError, Problem
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

REFERENCE_DATES = {
    1990: datetime.date(1990, 3, 12),
    1995: datetime.date(1995, 11, 5),
    2000: datetime.date(2000, 2, 14),
    2005: datetime.date(2005, 10, 17),
    2010: datetime.date(2010, 6, 12),
    2015: datetime.date(2015, 3, 15),
    2020: datetime.date(2020, 3, 15),
}
"""Days to which INEGI's censuses, counts and survey refer; other years count as mid-year."""

KINDS = ("census", "count", "survey")
LEAST_CENSUSES = 4


@dataclass(frozen=True)
class Censuses:
    """Populations of a panel by census, and which municipalities share a territory.

    Parameters
    ----------
    municipality : array of str, shape (municipality,)
        Codes, sorted.
    year : array of int, shape (census,)
        Years with populations.
    kind : tuple of str
        "census", "count" or "survey", one a year.
    population : array, shape (census, municipality)
        Persons; nan where there is no figure.
    territory : array of int, shape (municipality,)
        Number of the territory each municipality belongs to.
    """

    municipality: NDArray[np.str_]
    year: NDArray[np.int64]
    kind: tuple[str, ...]
    population: Array
    territory: NDArray[np.int64]

    @property
    def date(self) -> Array:
        """Reference dates in years, shape (census,)."""
        return np.array([reference_date(int(year)) for year in self.year])

    @property
    def first(self) -> NDArray[np.int64]:
        """Row of the first census each municipality has a figure of, shape (municipality,)."""
        known = np.isfinite(self.population)
        return np.where(known.any(axis=0), known.argmax(axis=0), len(self.year)).astype(np.int64)

    @property
    def largest(self) -> Mask:
        """Whether a municipality is the largest of its territory at the last census."""
        size = np.nan_to_num(self.population[-1])
        order = np.lexsort((-size, self.territory))
        _, at = np.unique(self.territory[order], return_index=True)
        found = np.zeros(len(size), dtype=bool)
        found[order[at]] = True
        return found

    def territory_population(self) -> Array:
        """Return the persons of every territory, shape (census, territory).

        nan where a municipality that existed has no figure.
        """
        existed = self.first[None, :] <= np.arange(len(self.year))[:, None]
        missing = existed & np.isnan(self.population)
        total = np.zeros((len(self.year), int(self.territory.max()) + 1))
        unknown = np.zeros_like(total)
        for row in range(len(self.year)):
            np.add.at(total[row], self.territory, np.nan_to_num(self.population[row]))
            np.add.at(unknown[row], self.territory, missing[row])
        return np.where((unknown > 0) | (total == 0), np.nan, total)

    def changed(self, start: int, end: int) -> Mask:
        """Return whether a municipality was created in each one's territory between two rows."""
        created = (self.first > start) & (self.first <= end)
        any_created = np.zeros(int(self.territory.max()) + 1, dtype=bool)
        np.logical_or.at(any_created, self.territory, created)
        return np.asarray(any_created[self.territory])

    def between(self, start: int, end: int) -> tuple[Array, Array]:
        """Return populations at two rows that compare, each of shape (municipality,).

        Those of a territory stand at the largest of its municipalities if one of them was
        created in between; nan where nothing compares.
        """
        return _between(self, self.population, self.territory_population(), start, end)


@dataclass(frozen=True)
class Growth:
    """Growth of every municipality over the intervals between neighbouring censuses.

    Parameters
    ----------
    censuses : Censuses
        What it was computed from.
    start, end : array, shape (interval, municipality)
        Populations that compare; those of a territory where it changed inside; nan where unknown.
    unplaced : array of int, shape (unplaced, 2)
        Census (row) and municipality (column) of levels put on a straight line.
    """

    censuses: Censuses
    start: Array
    end: Array
    unplaced: NDArray[np.int64]

    @property
    def years(self) -> Array:
        """Length of every interval in years, shape (interval,)."""
        return np.diff(self.censuses.date)

    @property
    def interval(self) -> NDArray[np.str_]:
        """Names of the intervals, such as "2010-2015"."""
        year = self.censuses.year
        return np.array([f"{a}-{b}" for a, b in itertools.pairwise(year)])

    @property
    def percent(self) -> Array:
        """Growth of the logarithm in % a year, shape (interval, municipality)."""
        return 100.0 * np.log(self.end / self.start) / self.years[:, None]


def reference_date(year: int) -> float:
    """Return the day a census refers to, in years."""
    day = REFERENCE_DATES.get(year)
    if day is None:
        return year + 0.5
    first = datetime.date(year, 1, 1)
    length = (datetime.date(year + 1, 1, 1) - first).days
    return year + (day - first).days / length


def read_censuses(panel: Panel, through: int | None = None) -> Censuses:
    """Return the census populations of a panel.

    Parameters
    ----------
    panel : Panel
        With `municipality_census` (cvegeo, year, population; kind if some are counts or surveys);
        `municipality.territory` where boundaries changed.
    through : int, optional
        Last year used; by default all.

    Raises
    ------
    PanelError
        If there are fewer than four censuses, or a population is zero.
    """
    if "municipality_census" not in panel:
        raise PanelError(
            "The depopulation model needs the table municipality_census: cvegeo, year, population, "
            "and kind (census, count or survey)."
        )
    table = panel.table("municipality_census")
    if through is not None:
        table = table[table["year"] <= through]
    figures = pd.to_numeric(table["population"]).astype("Float64")
    values = np.asarray(figures.to_numpy(float, na_value=np.nan), dtype=np.float64)
    _refuse_zeros(table, values)
    index = pd.MultiIndex.from_arrays([table["year"].astype(int), table["cvegeo"].astype(str)])
    wide = pd.Series(values, index=index).unstack().sort_index()
    if len(wide) < LEAST_CENSUSES:
        found = ", ".join(str(year) for year in wide.index) or "none"
        raise PanelError(
            "The depopulation model needs the populations of four years or more, to tell what "
            f"lasts from what passes; the panel has {found}."
        )
    wide = wide[sorted(wide.columns)]
    return Censuses(
        municipality=wide.columns.to_numpy(str),
        year=wide.index.to_numpy(np.int64),
        kind=_kinds(table, wide.index),
        population=wide.to_numpy(float),
        territory=_territories(panel, wide.columns.to_numpy(str)),
    )


def measure_growth(censuses: Censuses) -> Growth:
    """Return the growth between neighbouring censuses (see the module's text)."""
    date, rows = censuses.date, len(censuses.year)
    own, own_marked = _filled(censuses.population, date)
    whole, whole_marked = _filled(censuses.territory_population(), date)
    start, end = np.full((2, rows - 1, len(censuses.municipality)), np.nan)
    for k in range(rows - 1):
        start[k], end[k] = _between(censuses, own, whole, k, k + 1)
    # A level on the straight line needs both of its intervals on the same boundaries.
    marked = own_marked | whole_marked[:, censuses.territory] & censuses.largest
    unplaced = []
    for row, column in np.argwhere(marked):
        before, after = row - 1, row
        changed = [bool(censuses.changed(k, k + 1)[column]) for k in (before, after)]
        if not any(changed):
            if not own_marked[row, column]:
                continue
        elif censuses.largest[column]:
            total = whole[:, censuses.territory[column]]
            start[[before, after], column] = total[[before, after]]
            end[[before, after], column] = total[[row, row + 1]]
        else:
            start[[before, after], column] = end[[before, after], column] = np.nan
            continue
        unplaced.append((row, column))
    return Growth(
        censuses, start, end, np.array(unplaced, dtype=np.int64).reshape(len(unplaced), 2)
    )


def recorded_percent(censuses: Censuses, start: int, end: int) -> Array:
    """Return the recorded growth between two rows in % a year; nan where nothing compares."""
    before, after = censuses.between(start, end)
    length = censuses.date[end] - censuses.date[start]
    return np.asarray(100.0 * np.log(after / before) / length)


def _between(
    censuses: Censuses, own: Array, whole: Array, start: int, end: int
) -> tuple[Array, Array]:
    changed, largest = censuses.changed(start, end), censuses.largest
    found = []
    for row in (start, end):
        together = np.where(largest, whole[row][censuses.territory], np.nan)
        found.append(np.where(changed, together, own[row]))
    known = np.isfinite(found[0]) & np.isfinite(found[1])
    return np.where(known, found[0], np.nan), np.where(known, found[1], np.nan)


def _filled(values: Array, date: Array) -> tuple[Array, Mask]:
    """Return values with gaps between known ones put on a line in the logarithm, and which."""
    filled, marked = values.copy(), np.zeros(values.shape, dtype=bool)
    for column in np.flatnonzero(np.isnan(values).any(axis=0)):
        known = np.isfinite(values[:, column])
        if known.sum() < 2:
            continue
        at = np.flatnonzero(known)
        gap = ~known
        gap[: at[0]] = gap[at[-1] :] = False
        line = np.interp(date, date[known], np.log(values[known, column]))
        filled[gap, column] = np.exp(line[gap])
        marked[gap, column] = True
    return filled, marked


def _refuse_zeros(table: pd.DataFrame, values: Array) -> None:
    rows = np.flatnonzero(values <= 0)
    problems = [
        Problem(
            "municipality_census",
            f"{table['cvegeo'].iloc[row]}, {table['year'].iloc[row]}",
            "population",
            f"{values[row]:g}",
            "1 person or more, or an empty cell where there is no figure",
        )
        for row in rows[:50]
    ]
    if problems:
        raise PanelError("Growth from or to a population of zero has no rate.", problems)


def _kinds(table: pd.DataFrame, years: pd.Index) -> tuple[str, ...]:
    if "kind" not in table:
        return tuple("census" for _ in years)
    kind = table.drop_duplicates("year").set_index("year")["kind"].astype(str)
    return tuple(kind[year] if kind[year] in KINDS else "census" for year in years)


def _territories(panel: Panel, codes: NDArray[np.str_]) -> NDArray[np.int64]:
    own = pd.Series(codes, index=codes)
    if "municipality" in panel and "territory" in panel.tables["municipality"]:
        table = panel.table("municipality")
        given = table.set_index(table["cvegeo"].astype(str))["territory"].dropna().astype(str)
        own.update(given)
    return np.unique(own.to_numpy(str), return_inverse=True)[1].astype(np.int64)
