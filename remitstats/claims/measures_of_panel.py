"""Estimands from the shipped series: published figures, which need no fit.

They have no interval of their own. What is uncertain about them, such as the sampling error of a
survey or a change of coverage, stands in the caveats of the claim.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from remitstats.claims.evidence import Evidence, NoEvidenceError, Sources
from remitstats.claims.measure import measure, require_column, rows_of, single, table_of
from remitstats.errors import RemitstatsError, unknown

NATION = "national_year"
_PLACE = ("table", "column", "row")


@measure("panel.cell", gives="figure")
def cell(sources: Sources, table: str, column: str, row: dict) -> Evidence:  # type: ignore[type-arg]
    """One cell of a table of the panel."""
    whole = table_of(sources, table)
    require_column(whole, table, column)
    return Evidence.exact(single(whole, table, row)[column], f"panel/{table}")


@measure("panel.ratio", gives="figure")
def ratio(
    sources: Sources,
    top: dict,  # type: ignore[type-arg]
    bottom: dict,  # type: ignore[type-arg]
    scale: float = 1.0,
) -> Evidence:
    """Sum of a column over some rows, over another such sum, times a scale.

    Cells without a figure are left aside.
    """
    above, below = (_sum(sources, place) for place in (top, bottom))
    if below == 0:
        raise NoEvidenceError("what is to be divided by is nought")
    return Evidence.exact(scale * above / below, f"panel/{top['table']}")


@measure("panel.change_of_ratio", gives="figure", unit="%")
def change_of_ratio(
    sources: Sources,
    top: dict,  # type: ignore[type-arg]
    bottom: dict,  # type: ignore[type-arg]
    from_year: int,
    to_year: int,
) -> Evidence:
    """Change of a ratio of two columns between two years, in per cent of its first value."""
    values = [
        ratio(
            sources,
            *(dict(place, row={**place.get("row", {}), "year": year}) for place in (top, bottom)),
        ).value
        for year in (from_year, to_year)
    ]
    return Evidence.exact(100.0 * (values[1] / values[0] - 1.0), f"panel/{top['table']}")


def _sum(sources: Sources, place: dict[str, Any]) -> float:
    for key in place:
        if key not in _PLACE:
            raise unknown("part of a ratio", key, _PLACE)
    missing = [key for key in ("table", "column") if key not in place]
    if missing:
        raise RemitstatsError(
            f"A part of a ratio needs table, column and, if not all rows count, row: {missing[0]} "
            "is missing."
        )
    table = table_of(sources, place["table"])
    require_column(table, place["table"], place["column"])
    rows = rows_of(table, place["table"], place.get("row", {}))
    known = pd.to_numeric(rows[place["column"]]).dropna()
    if known.empty:
        raise NoEvidenceError(f"the table {place['table']} has no {place['column']} there")
    return float(known.sum())


@measure("census.declining_percent", gives="figure", unit="% of municipalities")
def declining_percent(sources: Sources, from_year: int, to_year: int) -> Evidence:
    """Share of municipalities that had fewer inhabitants in the later of two counts."""
    table = table_of(sources, "municipality_census")
    wide = table.pivot_table(index="cvegeo", columns="year", values="population")
    absent = [year for year in (from_year, to_year) if year not in wide.columns]
    if absent:
        raise NoEvidenceError(f"the panel has no count of {absent[0]}")
    both = wide[[from_year, to_year]].dropna()
    share = 100.0 * float((both[to_year] < both[from_year]).mean())
    return Evidence.exact(share, "panel/municipality_census")


@measure("census.change_of_declining", gives="figure", unit="percentage points")
def change_of_declining(sources: Sources, first: list, last: list) -> Evidence:  # type: ignore[type-arg]
    """How much larger the share of declining municipalities was in the later of two intervals."""
    before, after = (_interval(sources, years) for years in (first, last))
    return Evidence.exact(after - before, "panel/municipality_census")


def _interval(sources: Sources, years: list[Any]) -> float:
    if len(years) != 2 or not all(isinstance(year, int) for year in years):
        raise RemitstatsError(f"An interval is two years, such as [2000, 2005], found {years}.")
    return declining_percent(sources, *years).value


@measure("series.fastest_windows", gives="figure", unit="% of windows")
def fastest_windows(
    sources: Sources,
    column: str,
    against: list,  # type: ignore[type-arg]
    first: list,  # type: ignore[type-arg]
    last: list,  # type: ignore[type-arg]
) -> Evidence:
    """Share of windows of years in which a national series grew faster than all of some others.

    Windows begin in any of the years `first` and end in any of `last`.
    """
    table = table_of(sources, NATION)
    for name in (column, *against):
        require_column(table, NATION, str(name))
    wide = table.set_index("year")[[column, *against]].astype(float)
    won = []
    if not (against and first and last):
        raise NoEvidenceError("there is no window, or nothing to hold the series against")
    for start, end in itertools.product(first, last):
        if start not in wide.index or end not in wide.index or start >= end:
            raise NoEvidenceError(f"the panel has no window from {start} to {end}")
        growth = np.log(wide.loc[end] / wide.loc[start])
        if growth.isna().any():
            raise NoEvidenceError(f"a series has no figure in {start} or {end}")
        won.append(bool((growth[column] > growth[list(against)]).all()))
    return Evidence.exact(100.0 * float(np.mean(won)), f"panel/{NATION}")


@measure("series.rank", gives="figure", unit="rank, 1 the largest")
def rank(sources: Sources, column: str, among: list, year: int) -> Evidence:  # type: ignore[type-arg]
    """Place of a national series among some, by size in a year."""
    table = table_of(sources, NATION)
    for name in (column, *among):
        require_column(table, NATION, str(name))
    here = single(table, NATION, {"year": year})[list(dict.fromkeys([column, *among]))]
    values = here.astype(float)
    if values.isna().any():
        raise NoEvidenceError(f"a series has no figure in {year}")
    return Evidence.exact(1.0 + float((values > values[column]).sum()), f"panel/{NATION}")


@measure("series.change_percent", gives="figure", unit="%")
def change_percent(sources: Sources, column: str, first: list, last: list) -> Evidence:  # type: ignore[type-arg]
    """Change of a national series from its mean over some years to that over later ones."""
    table = table_of(sources, NATION)
    require_column(table, NATION, column)
    values = table.set_index("year")[column].astype(float)
    means = []
    for years in (first, last):
        if not years or any(year not in values.index for year in years):
            raise NoEvidenceError(f"the panel has no {column} of all of {years}")
        means.append(float(values[list(years)].sum(min_count=len(years))) / len(years))
    return Evidence.exact(100.0 * (means[1] / means[0] - 1.0), f"panel/{NATION}")


@measure("migration.reversed", gives="figure", unit="countries")
def reversed_countries(sources: Sources, countries: list, first: list, last: list) -> Evidence:  # type: ignore[type-arg]
    """Countries that lost people in some years, on balance, and gained in later ones: how many."""
    table = table_of(sources, "country_migration")
    count = 0
    for country in countries:
        rows = rows_of(table, "country_migration", {"country": country})
        values = rows.set_index("year")["net_migration_thousand"].astype(float)
        sums = [
            float(values.reindex(list(years)).sum(min_count=len(years))) for years in (first, last)
        ]
        if not np.isfinite(sums).all():
            raise NoEvidenceError(f"there is no net migration of {country} in all of these years")
        count += sums[0] < 0 < sums[1]
    return Evidence.exact(count, "panel/country_migration")


@measure("migration.yearly_loss", gives="figure", unit="thousand persons a year")
def yearly_loss(sources: Sources, country: str, first: int, last: int) -> Evidence:
    """Emigrants less immigrants of a country, a year, as a mean over some years."""
    return Evidence.exact(_loss(sources, country, first, last), "panel/country_migration")


@measure("migration.total_loss", gives="figure", unit="million persons")
def total_loss(sources: Sources, country: str, first: int, last: int) -> Evidence:
    """Emigrants less immigrants of a country over some years together."""
    total = _loss(sources, country, first, last) * (last - first + 1) / 1000.0
    return Evidence.exact(total, "panel/country_migration")


@measure("migration.change_of_loss", gives="figure", unit="%")
def change_of_loss(sources: Sources, country: str, first: list, last: list) -> Evidence:  # type: ignore[type-arg]
    """Change of the yearly loss of people from some years, as [1982, 1993], to later ones."""
    losses = []
    for years in (first, last):
        if len(years) != 2 or not all(isinstance(year, int) for year in years):
            raise RemitstatsError(f"A span is its first and last year, found {years}.")
        losses.append(_loss(sources, country, *years))
    if losses[0] <= 0:
        raise NoEvidenceError(f"{country} lost no people from {first[0]} to {first[1]}")
    return Evidence.exact(100.0 * (losses[1] / losses[0] - 1.0), "panel/country_migration")


def _loss(sources: Sources, country: str, first: int, last: int) -> float:
    table = table_of(sources, "country_migration")
    rows = rows_of(table, "country_migration", {"country": country}).set_index("year")
    years = range(first, last + 1)
    values = rows["net_migration_thousand"].astype(float).reindex(years)
    if not len(values) or values.isna().any():
        raise NoEvidenceError(f"there is no net migration of {country} from {first} to {last}")
    return -float(values.mean())


@measure("series.difference", gives="figure")
def difference(sources: Sources, column: str, from_year: int, to_year: int) -> Evidence:
    """Change of a national series between two years, in its own unit."""
    table = table_of(sources, NATION)
    require_column(table, NATION, column)
    values = [float(single(table, NATION, {"year": y})[column]) for y in (from_year, to_year)]
    return Evidence.exact(values[1] - values[0], f"panel/{NATION}")
