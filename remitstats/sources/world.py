"""Income per person of Mexico and the United States, from two international data sets.

Each data set has its own prices and its own way to compare countries: they stand side by side and
are never joined into one series. The file holds further vintages and groups of countries
(``is_country`` is 0), which are not read.
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
