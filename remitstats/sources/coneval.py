"""CONEVAL: income poverty, Gini coefficients and income per person of municipalities.

All of them are themselves model estimates from a survey and a census: their errors are correlated
with the covariates of those models, so that they are no independent measurements.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.sources.files import FILES
from remitstats.sources.reading import check_columns, codes, numbers, read_table
from remitstats.sources.workbook import read_sheet


def read_patrimony_and_gini(raw: Path, wave: int) -> pd.DataFrame:
    """Return ``cvegeo``, ``patrimony_poverty_percent``, ``gini`` of 1990, 2000 or 2010.

    Patrimony poverty: income below what food, clothing, housing, transport, health and schooling
    cost. CONEVAL's own dictionary labels the column of 2010 "alimentaria"; its values and name
    (``pobreza_patrim_10``) are patrimony poverty.

    Raises
    ------
    PanelError
        If the file is missing or not as published.
    """
    file = FILES["coneval-1990-2010"]
    cells = read_table(raw, file)
    year = f"{wave % 100:02d}"
    table = pd.DataFrame(
        {
            "cvegeo": codes(file, cells["clave_mun"]),
            "patrimony_poverty_percent": numbers(file, cells[f"pobreza_patrim_{year}"]),
            "gini": numbers(file, cells[f"gini_{year}"]),
        }
    )
    return table.reset_index(drop=True)


def read_income_below_line(raw: Path, wave: int) -> pd.DataFrame:
    """Return ``cvegeo``, ``population``, ``income_below_line_percent`` of 2010, 2015, 2020.

    Population is CONEVAL's adjusted one, the denominator of the percentage.

    Raises
    ------
    PanelError
        If the file is missing or not as published.
    """
    file = FILES[f"coneval-poverty-{wave}"]
    cells = read_table(raw, file)
    column = "plp" if wave == 2020 else "plb"
    table = pd.DataFrame(
        {
            "cvegeo": codes(file, cells["clave_municipio"]),
            "population": numbers(file, cells["poblacion"], whole=True, thousands=True),
            "income_below_line_percent": numbers(file, cells[column]),
        }
    )
    return table.reset_index(drop=True)


def read_income_per_person(raw: Path) -> pd.DataFrame:
    """Return ``cvegeo``, ``income_per_person_mxn_month`` of 2020 (ICTPC, August 2020 pesos).

    Raises
    ------
    PanelError
        If the workbook is missing, no workbook, or not as published.
    """
    file = FILES["coneval-ictpc-2020"]
    rows = read_sheet(raw, file)
    start = next((n for n, row in enumerate(rows) if row[:1] == [file.columns[0]]), None)
    header = rows[start] if start is not None else []
    check_columns(file, header)
    assert start is not None  # noqa: S101  (check_columns refuses an empty header)
    # Notes below the table have nothing in the second column.
    body = {n: row for n, row in enumerate(rows[start + 1 :], start + 2) if row[1]}
    cells = pd.DataFrame.from_dict(body, orient="index", columns=header, dtype=str)
    table = pd.DataFrame(
        {
            "cvegeo": codes(file, cells["Clave de municipio"]),
            "income_per_person_mxn_month": numbers(file, cells[header[-1]]),
        }
    )
    return table.sort_values("cvegeo", ignore_index=True)
