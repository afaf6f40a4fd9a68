"""PNUD México: income per person of municipalities, and of the districts of Oaxaca.

The figures are CONEVAL's model estimates of current total income per person (ICTPC) where those
exist: in 2020 the two agree in all municipalities outside Oaxaca. Oaxaca has 570 municipalities,
many of them of a few hundred people; PNUD gives its 30 districts instead.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.sources.files import FILES
from remitstats.sources.reading import check_columns, codes, numbers
from remitstats.sources.source_file import SourceFile
from remitstats.sources.workbook import read_sheet

INCOME_YEARS = (2010, 2015, 2020)

_POPULATION = "POBLACIÓN TOTAL"
_INCOME = "INGRESO CORRIENTE TOTAL PER CÁPITA"
_MUNICIPALITY = "MUNICIPIO"
_DISTRICT = "DISTRITO (OAXACA)"


def read_incomes(raw: Path, year: int) -> pd.DataFrame:
    """Return current total income per person (ICTPC) of 2010, 2015 or 2020.

    Returns
    -------
    DataFrame
        ``code`` (of a municipality, or of a district of Oaxaca: 20601 to 20630), ``district``
        (bool), ``population`` (Int64, as the workbook gives it), ``income_per_person_mxn_month``;
        null where the workbook says ``ND`` or nothing.

    Raises
    ------
    PanelError
        If the workbook is missing, no workbook or not as published, or a row is of a
        municipality and of a district at once.
    """
    file = FILES["pnud-idh"]
    cells = _cells(file, read_sheet(raw, file))
    district = cells[_DISTRICT].str.strip() != ""
    unclear = cells[district == (cells[_MUNICIPALITY].str.strip() != "")]
    if len(unclear):
        raise PanelError(
            f"The official file {file.path} has rows of a municipality and a district, or neither.",
            [
                Problem(file.path, f"line {line}", _DISTRICT, repr(row[_DISTRICT]), "one of both")
                for line, row in unclear.head(50).iterrows()
            ],
        )
    table = pd.DataFrame(
        {
            "code": codes(file, cells["Clave de Municipio"]),
            "district": district,
            "population": numbers(file, cells[f"{_POPULATION} {year}"], whole=True),
            "income_per_person_mxn_month": numbers(file, cells[f"{_INCOME} {year}"]),
        }
    )
    return table.reset_index(drop=True)


def _cells(file: SourceFile, rows: list[list[str]]) -> pd.DataFrame:
    """Return the body of the workbook under the names of its two rows of headers.

    A header over three years is merged: its text stands over the first of them only.
    """
    start = next((at for at, row in enumerate(rows) if row[:1] == [file.columns[0]]), 0)
    names: list[str] = []
    group = ""
    for above, below in zip(rows[start - 1] if start else [], rows[start], strict=False):
        group = above.strip() or group
        names.append(f"{group} {below.strip()}" if below.strip().isdigit() else below.strip())
    check_columns(file, names)
    body = {line: row for line, row in enumerate(rows[start + 1 :], start + 2) if any(row)}
    return pd.DataFrame.from_dict(body, orient="index", columns=names, dtype=str)


def read_district_members(raw: Path) -> pd.DataFrame:
    """Return ``cvegeo`` and ``district`` (code) of the 570 municipalities of Oaxaca, sorted.

    Raises
    ------
    PanelError
        If the workbook is missing, no workbook or not as published.
    """
    file = FILES["pnud-oaxaca-districts"]
    header, *body = read_sheet(raw, file)
    check_columns(file, header)
    lines = {line: row for line, row in enumerate(body, 2) if any(row)}
    cells = pd.DataFrame.from_dict(lines, orient="index", columns=header, dtype=str)
    table = pd.DataFrame(
        {"cvegeo": codes(file, cells["CVEGEO"]), "district": cells["CVE_DIST"].str.strip()}
    )
    return table.sort_values("cvegeo", ignore_index=True)
