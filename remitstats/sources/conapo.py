"""CONAPO: migration intensity 2000, 2010, 2020 and the components of marginalisation.

Percentages of dwellings, from the long form of the censuses (samples of about 10%). The indices of
migration intensity (IAIM, IIM, DP2) are not read: they are not comparable between waves, the four
percentages are. Components of marginalisation, and its index, are read for every year there is.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.sources.files import FILES
from remitstats.sources.reading import codes, numbers, read_table

MIGRATION_PERCENTAGES = (
    "receiving_percent",
    "emigrant_percent",
    "circular_percent",
    "return_percent",
)

WAVES = (2000, 2010, 2020)
"""Years of migration intensity."""

MARGINALISATION_YEARS = (1990, 1995, 2000, 2005, 2010, 2015, 2020)
"""Years of marginalisation; 1995 has three of the components and drainage of its own kind."""

_MIGRATION_FILES = {
    2000: ("conapo-iaim-2000", ("TOT_VIV", "VIV_REM", "VIV_EMIG", "VIV_CIRC", "VIV_RET")),
    2010: ("conapo-iim-2010", ("TOT_VIV", "VIV_REM", "VIV_EMIG", "VIV_CIRC", "VIV_RET")),
    2020: ("conapo-iim-2020", ("viv_tot", "viv_rem", "viv_emig", "viv_circ", "viv_ret")),
}

_COMPONENTS = {
    "illiterate_percent": "ANALF",
    "incomplete_primary_percent": "SPRIM",
    "no_electricity_percent": "OVSEE",
    "no_piped_water_percent": "OVSAE",
    "crowding_percent": "VHAC",
    "earth_floor_percent": "OVPT",
    "small_locality_percent": "PL<5000",
    "low_income_percent": "PO2SM",
}


def read_migration(raw: Path, wave: int) -> pd.DataFrame:
    """Return migration intensity of a wave as published.

    Returns
    -------
    DataFrame
        ``cvegeo``, ``dwellings`` (Int64) and the four percentages of dwellings, one row a
        municipality of the wave's own boundaries; null where CONAPO gives none.

    Raises
    ------
    PanelError
        If the file is missing or not as published.
    """
    key, (total, *percentages) = _MIGRATION_FILES[wave]
    file = FILES[key]
    cells = read_table(raw, file)
    if wave == 2010:  # MUN is the number within the state there, in the other waves the whole code
        state = codes_of_states(cells["ENT"])
        code = (state + cells["MUN"].str.strip().str.zfill(3)).rename("MUN")
    else:
        code = cells["MUN" if wave == 2000 else "cve_mun"]
    table = pd.DataFrame(
        {"cvegeo": codes(file, code), "dwellings": numbers(file, cells[total], whole=True)}
    )
    for name, column in zip(MIGRATION_PERCENTAGES, percentages, strict=True):
        table[name] = numbers(file, cells[column])
    return table.reset_index(drop=True)


def codes_of_states(cells: pd.Series[str]) -> pd.Series[str]:
    """Return state codes with their leading zeros back."""
    return cells.str.strip().str.zfill(2)


def read_municipal_names(raw: Path) -> pd.DataFrame:
    """Return ``cvegeo``, ``name`` of 2010's municipalities, as the 2010 index names them."""
    file = FILES["conapo-iim-2010"]
    cells = read_table(raw, file)
    code = codes_of_states(cells["ENT"]) + cells["MUN"].str.strip().str.zfill(3)
    table = pd.DataFrame({"cvegeo": codes(file, code.rename("MUN")), "name": cells["NOM_MUN"]})
    return table.reset_index(drop=True)


def read_marginalisation(raw: Path, year: int) -> pd.DataFrame:
    """Return the components of marginalisation of a year, and the index, as published.

    The definitions differ between years: drainage in 1995 (OVSD) and 2000 (OVSDSE) against the
    others (OVSDE), schooling in 2020 (SBASC, basic) against earlier years (SPRIM, primary). Each
    definition has its own column, or the dictionary says which one a year has. So has the index:
    up to 2015 a principal component of the year, higher where there is more marginalisation; in
    2020 a distance (DP2) that is higher where there is less.

    Returns
    -------
    DataFrame
        ``cvegeo``, ``population``, percentages and an index, one row a municipality.

    Raises
    ------
    PanelError
        If the file is missing or not as published, or holds no row of the year.
    """
    key = "conapo-im-2020" if year == 2020 else "conapo-im-1990-2015"
    file = FILES[key]
    cells = read_table(raw, file)
    if year != 2020:
        # The rows coded "-" are the national figures.
        cells = cells[(cells["AÑO"] == str(year)) & (cells["CVE_MUN"].str.strip() != "-")]
        if cells.empty:
            raise PanelError(
                f"The official file {file.path} has no rows of {year}.",
                [Problem(file.path, "-", "AÑO", f"no {year}", str(year))],
            )
    table = pd.DataFrame(
        {
            "cvegeo": codes(file, cells["CVE_MUN"]),
            "population": numbers(file, cells["POB_TOT"], whole=True),
        }
    )
    for name, column in _marginalisation_columns(year).items():
        table[name] = numbers(file, cells[column])
    return table.reset_index(drop=True)


def _marginalisation_columns(year: int) -> dict[str, str]:
    """Return our columns of a year with the publisher's names."""
    columns = dict(_COMPONENTS)
    if year == 1995:  # the count asked for little; its other columns are blank
        asked = ("illiterate_percent", "no_electricity_percent", "no_piped_water_percent")
        columns = {name: columns[name] for name in asked}
        return columns | {"no_drainage_1995_percent": "OVSD", "marginalisation_index": "IM"}
    if year == 2020:
        del columns["incomplete_primary_percent"]
        return columns | {
            "incomplete_basic_percent": "SBASC",
            "small_locality_percent": "PL.5000",
            "no_drainage_percent": "OVSDE",
            "marginalisation_index_dp2": "IM_2020",
        }
    drainage = "OVSDSE" if year == 2000 else "OVSDE"
    return columns | {"no_drainage_percent": drainage, "marginalisation_index": "IM"}
