"""INEGI: census populations, gross domestic product of the states, consumer prices."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.sources.files import FILES
from remitstats.sources.reading import codes, numbers, read_table, years

CENSUS_KINDS = {
    1990: "census",
    1995: "count",
    2000: "census",
    2005: "count",
    2010: "census",
    2015: "survey",
    2020: "census",
}
"""What each year's population comes from; "count" is INEGI's Conteo."""

NOT_DISTRIBUTED = "07998"
"""Code under which the 1995 count gives Chiapas people it could not place in a municipality."""

SECTORS = {"": "PIB", "manufacturing_": "31-33", "oil_": "21-1"}
"""Prefix of our columns -> INEGI's code of the industry."""


def read_census_1990_2010(raw: Path) -> pd.DataFrame:
    """Return populations 1990, 1995, 2000, 2005, 2010: ``cvegeo``, ``year``, ``population``.

    Both sexes together; ``07998`` ("other municipalities") is a row here, see `NOT_DISTRIBUTED`.

    Raises
    ------
    PanelError
        If the file is missing or not as published.
    """
    file = FILES["inegi-census-1990-2010"]
    cells = read_table(raw, file)
    cells = cells[cells["sex"] == "Total"]
    table = pd.DataFrame(
        {
            "cvegeo": cells["cvegeo"].str.strip().str.zfill(5),
            "year": years(file, cells["year"]),
            "population": numbers(file, cells["population"], whole=True),
        }
    )
    twice = table.duplicated(["cvegeo", "year"], keep=False)
    if twice.any() or set(table["year"]) != {1990, 1995, 2000, 2005, 2010}:
        raise PanelError(
            f"The official file {file.path} does not have each municipality once a census.",
            [
                Problem(file.path, f"line {line}", "cvegeo, year", f"{cvegeo}, {year}", "once")
                for line, cvegeo, year, _ in table[twice].head(50).itertuples()
            ],
        )
    return table.reset_index(drop=True)


def read_census(raw: Path, year: int) -> pd.DataFrame:
    """Return the population of 2015 or 2020 with names and points.

    Returns
    -------
    DataFrame
        ``cvegeo``, ``name``, ``year``, ``population``, ``longitude``, ``latitude`` (degrees,
        WGS84), on the year's own boundaries.

    Raises
    ------
    PanelError
        If the file is missing or not as published.
    """
    file = FILES["inegi-survey-2015" if year == 2015 else "inegi-census-2020"]
    cells = read_table(raw, file)
    table = pd.DataFrame(
        {
            "cvegeo": codes(file, cells["region"]),
            "name": cells["municipio_name"].str.strip(),
            "year": years(file, cells["year"]),
            "population": numbers(file, cells["pop"], whole=True),
            "longitude": numbers(file, cells["long"]),
            "latitude": numbers(file, cells["lat"]),
        }
    )
    return table.reset_index(drop=True)


def read_state_gdp(raw: Path) -> pd.DataFrame:
    """Return state GDP: ``state``, ``year`` and six columns in millions of pesos.

    Total, manufacturing (31-33) and oil and gas extraction (21-1), at constant 2018 and at
    current prices. The nation (code 0) is left out: it is the sum of the states.

    Raises
    ------
    PanelError
        If the file is missing, not as published, or lacks one of the three industries.
    """
    file = FILES["inegi-state-gdp"]
    cells = read_table(raw, file)
    cells = cells[cells["CVE_ENT"].str.strip() != "0"]
    long = pd.DataFrame(
        {
            "state": cells["CVE_ENT"].str.strip().str.zfill(2),
            "year": years(file, cells["PERIODO"]),
            "industry": cells["CLAVE_INDUSTRIA"].str.strip(),
            "gdp_constant_mxn_million": numbers(file, cells["VALOR_CONSTANTE"]),
            "gdp_current_mxn_million": numbers(file, cells["VALOR_CORRIENTE"]),
        }
    )
    table: pd.DataFrame | None = None
    for prefix, code in SECTORS.items():
        part = long[long["industry"] == code].drop(columns="industry")
        if part.empty or part.duplicated(["state", "year"]).any():
            found = f"{len(part)} rows of {code}"
            raise PanelError(
                f"The official file {file.path} does not give {code} once a state and year.",
                [Problem(file.path, "-", "CLAVE_INDUSTRIA", found, "one a state and year")],
            )
        part = part.set_index(["state", "year"]).add_prefix(prefix)
        table = part if table is None else table.join(part)
    assert table is not None  # noqa: S101  (SECTORS is not empty)
    return table.sort_index().reset_index()


def read_prices(raw: Path) -> pd.DataFrame:
    """Return ``month``, ``consumer_price_index`` (INPC, second half of July 2018 = 100)."""
    file = FILES["inegi-inpc"]
    cells = read_table(raw, file)
    table = pd.DataFrame(
        {
            "month": cells["PERIODO"].str.slice(0, 7),
            "consumer_price_index": numbers(file, cells["GENERAL"]),
        }
    )
    return table.reset_index(drop=True)
