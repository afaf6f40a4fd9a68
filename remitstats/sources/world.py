"""Series of countries: income per person, net migration, remittances over product.

Each data set has its own prices and its own way to compare countries, each vintage its own
revisions: they stand side by side and are never joined into one series. Groups of countries
(``is_country`` is 0) are not read.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.sources.files import FILES
from remitstats.sources.reading import numbers, read_table, years

COUNTRIES = ("MEX", "USA")
YEARS = range(1990, 2024)

SERIES = {
    "gdp_per_person_maddison_dollars_2011": ("maddison-2023", "gdppc_mpd2023"),
    "gdp_per_person_pwt_dollars_2017": ("pwt-1001", "rgdpe_pc_pwt1001"),
}
"""Our column -> key of its entry in `FILES`, and the column of the file."""

WORLD_SERIES = {
    "net_migration_per_thousand": ("wpp-2024", "net_mig_rate_per1000_wpp2024"),
    "remittances_gdp_percent_wdi_2022": ("wdi-remittances-2022", "rem_gdp_wdi2022"),
    "remittances_gdp_percent_wdi_2025": ("wdi-remittances-2025", "rem_gdp_wdi2025"),
    "gdp_per_person_maddison_dollars_2011": ("maddison-2023", "gdppc_mpd2023"),
    "population_thousand_maddison": ("maddison-2023", "pop_thousand_mpd2023"),
}
"""The same of ``world_year``, whose years begin in 1950."""


def read_world(raw: Path) -> pd.DataFrame:
    """Return the series of all countries: ``country``, ``year`` and those of `WORLD_SERIES`.

    Zeros of remittances stand for missing figures and become such.

    Returns
    -------
    DataFrame
        One row a country and year that has a figure in any series, sorted.

    Raises
    ------
    PanelError
        If the file is missing or not as published, or has a country's year twice.
    """
    file = FILES["wpp-2024"]
    cells = read_table(raw, file)
    cells = cells[cells["is_country"].str.strip() == "1"]
    year = numbers(file, cells["year"], whole=True).astype(int)
    table = pd.DataFrame({"country": cells["iso3"], "year": year})
    for name, (key, column) in WORLD_SERIES.items():
        table[name] = numbers(FILES[key], cells[column])
        if name.startswith("remittances"):
            table[name] = table[name].where(table[name] > 0)
    twice = table[table.duplicated(["country", "year"])]
    if len(twice):
        raise PanelError(
            f"The official file {file.path} has a year of a country twice.",
            [
                Problem(file.path, f"iso3={country}", "year", f"{when} twice", "each year once")
                for country, when in zip(twice["country"], twice["year"], strict=True)
            ],
        )
    known = table.dropna(subset=list(WORLD_SERIES), how="all")
    return known.sort_values(["country", "year"], ignore_index=True)


def read_gdp_per_person(raw: Path) -> pd.DataFrame:
    """Return GDP per person of both countries: ``country``, ``year`` and the columns of `SERIES`.

    Returns
    -------
    DataFrame
        One row a country and year from 1990 to 2023 that has a figure in either data set, sorted.

    Raises
    ------
    PanelError
        If the file is missing or not as published, or lacks a year of a country.
    """
    file = FILES["maddison-2023"]
    cells = read_table(raw, file)
    cells = cells[cells["iso3"].isin(COUNTRIES) & (cells["is_country"].str.strip() == "1")]
    table = pd.DataFrame(
        {
            "country": cells["iso3"],
            "year": years(file, cells["year"]),
        }
    )
    for name, (key, column) in SERIES.items():
        table[name] = numbers(FILES[key], cells[column])
    table = table[table["year"].isin(YEARS)]
    table = table.dropna(subset=list(SERIES), how="all").sort_values(["country", "year"])
    table = table.reset_index(drop=True)
    _refuse_gaps(table)
    return table


def _refuse_gaps(table: pd.DataFrame) -> None:
    path = FILES["maddison-2023"].path
    years = {country: table.loc[table["country"] == country, "year"] for country in COUNTRIES}
    latest = int(table["year"].max()) if len(table) else YEARS[0]
    expected = list(range(YEARS[0], latest + 1))
    problems = [
        Problem(path, f"iso3={country}", "year", f"{len(found)} years with a figure", accepted)
        for country, found in years.items()
        if list(found) != expected
        for accepted in [f"each year from {expected[0]} to {expected[-1]} once"]
    ]
    if problems:
        raise PanelError(f"The official file {path} does not have each year once.", problems)
