"""The table ``municipality_condition``: marginalisation, poverty and income, 1990 to 2020.

The years between the census waves and before the first are here, and income per person on one
basis; ``municipality_wave`` has the three waves of the reliance model and stays as it is.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.panel.account import Account
from remitstats.panel.codes import N_MUNICIPALITIES, PARENTS
from remitstats.panel.harmonise import (
    COMPONENT_WEIGHTS,
    INDEX_WEIGHTS,
    fold_components,
    fold_percentages,
)
from remitstats.sources import conapo, coneval, pnud
from remitstats.sources.conapo import MARGINALISATION_YEARS
from remitstats.sources.files import FILES

POVERTY_YEARS = (1990, 2000, 2010)
BELOW_LINE_YEARS = (2010, 2015, 2020)

WEIGHTS = COMPONENT_WEIGHTS | {"no_drainage_1995_percent": "population"} | INDEX_WEIGHTS
COLUMNS = (
    *("cvegeo", "year", *WEIGHTS),
    *("patrimony_poverty_percent", "income_below_line_percent", "gini"),
    *("income_per_person_mxn_month", "income_source"),
)

MUNICIPALITY, DISTRICT, REMAINDER = "municipality", "district", "remaining part"
"""What an income is of; the remaining part is a municipality without those that later left it."""

_INCOME = "income_per_person_mxn_month"
_STATE_BY_DISTRICTS = "20"


def build_condition(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``municipality_condition``: 2,456 municipalities in seven years, null where no data.

    Raises
    ------
    PanelError
        If a file is missing or not as published, or the districts of Oaxaca don't fit.
    """
    units = sorted(conapo.read_municipal_names(raw)["cvegeo"])
    years = [_one_year(raw, year, units, account) for year in MARGINALISATION_YEARS]
    table = pd.concat(years, ignore_index=True).sort_values(["cvegeo", "year"], ignore_index=True)
    return {"municipality_condition": table.reindex(columns=list(COLUMNS))}


def _one_year(raw: Path, year: int, units: list[str], account: Account) -> pd.DataFrame:
    parts = [_marginalisation(raw, year, account)]
    if year in POVERTY_YEARS:
        parts.append(_poverty(raw, year, account))
    if year in BELOW_LINE_YEARS:
        parts.append(_below_line(raw, year, account))
    if year in pnud.INCOME_YEARS:
        parts.append(_incomes(raw, year, units, account))
    table = pd.DataFrame({"cvegeo": units, "year": year})
    for part in parts:
        table = table.merge(part, on="cvegeo", how="left", validate="1:1")
    return table


def _marginalisation(raw: Path, year: int, account: Account) -> pd.DataFrame:
    published = conapo.read_marginalisation(raw, year)
    if year == 2020:
        dwellings = conapo.read_migration(raw, year)[["cvegeo", "dwellings"]]
    else:  # no dwellings are published for 2015, when one municipality is folded, or needed before
        dwellings = published.rename(columns={"population": "dwellings"})[["cvegeo", "dwellings"]]
    folded = fold_components(published, dwellings, WEIGHTS)
    absent = N_MUNICIPALITIES - len(folded)
    account.add_folded(
        "conapo-im-" + ("2020" if year == 2020 else "1990-2015"),
        f"conditions: marginalisation {year}",
        published,
        folded,
        "illiterate_percent",
        f"{absent} municipalities of 2010 have no row in the file: empty cells" if absent else "",
    )
    return folded


def _poverty(raw: Path, year: int, account: Account) -> pd.DataFrame:
    published = coneval.read_patrimony_and_gini(raw, year)
    step = f"conditions: patrimony poverty and Gini {year}"
    account.add_folded("coneval-1990-2010", step, published, published, "gini")
    return published


def _below_line(raw: Path, year: int, account: Account) -> pd.DataFrame:
    column = "income_below_line_percent"
    published = coneval.read_income_below_line(raw, year)
    folded = fold_percentages(published, {column: "population"})
    step = f"conditions: income below the line {year}"
    account.add_folded(f"coneval-poverty-{year}", step, published, folded, column)
    return folded


def _incomes(raw: Path, year: int, units: list[str], account: Account) -> pd.DataFrame:
    published = pnud.read_incomes(raw, year)
    of_district = published["district"]
    municipal = published[~of_district].rename(columns={"code": "cvegeo"})
    folded = fold_percentages(municipal, {_INCOME: "population"})
    folded["income_source"] = MUNICIPALITY
    left = sorted(set(PARENTS) - set(municipal["cvegeo"])) if year == 2020 else []
    parents = {PARENTS[later] for later in left}
    folded.loc[folded["cvegeo"].isin(parents), "income_source"] = REMAINDER
    account.add_folded(
        "pnud-idh",
        f"conditions: income per person {year}, municipalities",
        municipal,
        folded,
        _INCOME,
        f"{len(left)} later municipalities are not in the workbook: the figure of {len(parents)} "
        "is of the part that remained"
        if left
        else "",
    )
    districts = published.loc[of_district, ["code", _INCOME]]
    members = _members(raw, set(districts["code"]), units)
    spread = members.merge(districts, left_on="district", right_on="code", validate="m:1")
    spread["income_source"] = DISTRICT
    account.add(
        "pnud-idh",
        f"conditions: income per person {year}, districts of Oaxaca",
        rows_in=len(districts),
        rows_out=len(districts),
        missing=int(districts[_INCOME].isna().sum()),
    )
    account.add(
        "pnud-oaxaca-districts",
        f"conditions: income per person {year}, municipalities of Oaxaca",
        rows_in=len(members),
        rows_out=len(spread),
        missing=int(spread[_INCOME].isna().sum()),
        note=f"each has the figure of its district, one of {len(districts)}",
    )
    table = pd.concat([folded, spread[["cvegeo", _INCOME, "income_source"]]], ignore_index=True)
    table["income_source"] = table["income_source"].where(table[_INCOME].notna())
    return table


def _members(raw: Path, districts: set[str], units: list[str]) -> pd.DataFrame:
    """Return the members of districts, which must be all municipalities of the state."""
    members = pnud.read_district_members(raw)
    wanted = {code for code in units if code.startswith(_STATE_BY_DISTRICTS)}
    path = FILES["pnud-oaxaca-districts"].path
    problems = [
        Problem(path, f"{column}={code}", column, "in one of the two tables only", "in both")
        for column, here, there in (
            ("CVEGEO", set(members["cvegeo"]), wanted),
            ("CVE_DIST", set(members["district"]), districts),
        )
        for code in sorted(here ^ there)
    ]
    if problems:
        raise PanelError(
            f"{path} and the incomes by district are not of the same municipalities.", problems
        )
    return members
