"""Yearly series of Mexico's foreign exchange, and single figures of surveys.

Each column is one publisher's series in one vintage; nothing is joined. Figures before 1991 are not
read: exports were then counted without maquiladoras.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.sources.files import FILES
from remitstats.sources.reading import numbers, read_table, years

FIRST_YEAR = 1991
DOUBLED_YEAR = 2014  # of the residents born in Mexico: twice the neighbouring years
COUNTRIES = ("ESP", "IRL", "ITA", "KOR", "MAR", "MEX", "PHL", "PRT", "SLV")
"""The countries of the paper's three paths of development."""

EXCHANGE = {
    "merchandise_exports_usd_million": ("inegi-trade", "merch_exports_inegi"),
    "oil_exports_usd_million": ("inegi-trade", "oil_exports_s1_minus_s2"),
    "tourism_receipts_usd_million": ("wdi-tourism", "tourism_receipts_wdi"),
}
MEXICO = {
    "remittances_gdp_percent": ("wdi-remittances-2025", "rem_gdp_wdi2025"),
    "born_in_mexico_us_residents": ("cps-born-in-mexico", "us_resident_stock_cps"),
}
"""Our column -> key of its entry in `FILES`, and the column of the file."""


def read_exchange(raw: Path) -> pd.DataFrame:
    """Return exports and tourism by year: ``year`` and the columns of `EXCHANGE`.

    Raises
    ------
    PanelError
        If the file is missing or not as published, or has a year twice.
    """
    file = FILES["inegi-trade"]
    cells = read_table(raw, file)
    table = pd.DataFrame({"year": years(file, cells["year"])})
    for name, (key, column) in EXCHANGE.items():
        table[name] = numbers(FILES[key], cells[column])
    return _years(table, file.path)


def read_mexico(raw: Path) -> pd.DataFrame:
    """Return series of Mexico by year: ``year`` and the columns of `MEXICO`.

    Raises
    ------
    PanelError
        If the file is missing or not as published, or has a year twice.
    """
    file = FILES["cps-born-in-mexico"]
    cells = _countries(raw, file.key)
    cells = cells[cells["iso3"] == "MEX"]
    table = pd.DataFrame({"year": years(file, cells["year"])})
    for name, (key, column) in MEXICO.items():
        table[name] = numbers(FILES[key], cells[column])
    doubled = table["year"] == DOUBLED_YEAR
    table["born_in_mexico_us_residents"] = table["born_in_mexico_us_residents"].mask(doubled)
    return _years(table, file.path)


def read_net_migration(raw: Path) -> pd.DataFrame:
    """Return net migration of `COUNTRIES`: ``country, year, net_migration_thousand``.

    Raises
    ------
    PanelError
        If the file is missing or not as published, or lacks a country.
    """
    file = FILES["wpp-2024"]
    cells = _countries(raw, file.key)
    cells = cells[cells["iso3"].isin(COUNTRIES)]
    table = pd.DataFrame(
        {
            "country": cells["iso3"],
            "year": years(file, cells["year"]),
            "net_migration_thousand": numbers(file, cells["net_mig_thousand_wpp2024"]),
        }
    ).dropna()
    lost = [country for country in COUNTRIES if country not in set(table["country"])]
    if lost:
        raise PanelError(
            f"The official file {file.path} has no net migration of a country.",
            [Problem(file.path, f"iso3={c}", "-", "no figure", "some") for c in lost],
        )
    return table.sort_values(["country", "year"], ignore_index=True)


def read_figures(raw: Path) -> pd.DataFrame:
    """Return single figures: ``figure, year, value, unit, origin``.

    Raises
    ------
    PanelError
        If a file is missing or not as published.
    """
    survey, wages = FILES["enigh-receiving"], FILES["bls-compensation"]
    cells = read_table(raw, survey)
    year = years(survey, cells["year"])
    parts = [
        pd.DataFrame(
            {
                "figure": figure,
                "year": year,
                "value": numbers(survey, cells[column]),
                "unit": unit,
                "origin": cells["source"].str.strip(),
            }
        )
        for figure, column, unit in (
            ("households_receiving", "households_receiving", "households"),
            ("households_receiving_percent", "share_of_households_pct", "% of households"),
        )
    ]
    index = read_table(raw, wages).set_index("country").loc[["Mexico"]].T
    index = index[index["Mexico"].str.strip() != ""]
    parts.append(
        pd.DataFrame(
            {
                "figure": "manufacturing_compensation_index",
                "year": index.index.astype(int),
                "value": numbers(wages, index["Mexico"]).to_numpy(),
                "unit": "index, United States = 100",
                "origin": wages.publisher,
            }
        )
    )
    table = pd.concat(parts, ignore_index=True).dropna(subset="value")
    return table.sort_values(["figure", "year"], ignore_index=True)


def _countries(raw: Path, key: str) -> pd.DataFrame:
    cells = read_table(raw, FILES[key])
    return cells[cells["is_country"].str.strip() == "1"]


def _years(table: pd.DataFrame, path: str) -> pd.DataFrame:
    """Return the years from `FIRST_YEAR` on that have a figure; each must be there once."""
    twice = table["year"][table["year"].duplicated()]
    if len(twice):
        raise PanelError(
            f"The official file {path} has a year twice.",
            [Problem(path, f"year={year}", "year", "twice", "once") for year in twice],
        )
    known = table[table["year"] >= FIRST_YEAR].dropna(how="all", subset=table.columns[1:])
    return known.sort_values("year", ignore_index=True)
