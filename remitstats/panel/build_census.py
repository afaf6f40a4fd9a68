"""The tables ``municipality`` and ``municipality_census``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.panel.account import Account
from remitstats.panel.codes import N_MUNICIPALITIES, PARENTS, check_parents, state_of
from remitstats.panel.harmonise import fold_sums
from remitstats.panel.names import DISPLAY_NAMES
from remitstats.sources import conapo, geo, inegi
from remitstats.sources.files import FILES


def build_municipality(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``municipality``: the 2,456 of the 2010 census with the names of 2020.

    Names and points are those of the 2020 census, since readers know municipalities by their
    current names; the units are those of 2010. The point of a parent is its own seat, which
    folding does not move.

    Raises
    ------
    PanelError
        If the municipalities of 2020 are not those of 2010 and the later ones.
    """
    check_parents(geo.read_parents(raw), FILES["geo-parents"].path)
    units = conapo.read_municipal_names(raw)
    latest = inegi.read_census(raw, 2020)
    _check_units(set(units["cvegeo"]), set(latest["cvegeo"]))
    table = latest[latest["cvegeo"].isin(units["cvegeo"])].copy()
    # The census table tells the second San Juan Mixtepec from the first by a full stop.
    table["name"] = table["cvegeo"].map(DISPLAY_NAMES).fillna(table["name"])
    table["state"] = state_of(table["cvegeo"])
    account.add(
        "inegi-census-2020",
        "names and points",
        rows_in=len(latest),
        merged=len(latest) - len(table),
        rows_out=len(table),
        note="; ".join(f"{later} is part of {parent}" for later, parent in PARENTS.items()),
    )
    table["territory"] = table["cvegeo"].map(_territories(raw, account, set(table["cvegeo"])))
    columns = ["cvegeo", "name", "state", "longitude", "latitude", "territory"]
    return {"municipality": table[columns].sort_values("cvegeo", ignore_index=True)}


def _territories(raw: Path, account: Account, units: set[str]) -> pd.Series:
    """Return of every municipality the lowest code in its unit of stable boundaries."""
    stable = geo.read_stable_units(raw)
    missing = sorted(units - set(stable["cvegeo"]))
    if missing:
        raise PanelError(
            f"{FILES['ipums-geo2'].path} lacks municipalities of 2010.",
            [Problem("ipums-geo2", code, "cvegeo", "no row", "one unit") for code in missing[:50]],
        )
    known = stable[stable["cvegeo"].isin(units)]
    account.add(
        "ipums-geo2",
        "territories that kept their boundaries, 1990 to 2010",
        rows_in=len(stable),
        merged=len(stable) - len(known),
        rows_out=len(known),
        note=f"{known['unit'].nunique():,} territories",
    )
    first = known.groupby("unit")["cvegeo"].transform("min")
    return pd.Series(first.to_numpy(), index=known["cvegeo"].to_numpy())


def _check_units(units: set[str], latest: set[str]) -> None:
    expected = units | set(PARENTS)
    problems = [
        Problem("inegi-census-2020", code, "region", "a code of no known municipality", "-")
        for code in sorted(latest - expected)
    ] + [
        Problem("inegi-census-2020", code, "region", "no row of this municipality", "one row")
        for code in sorted(expected - latest)
    ]
    if len(units) != N_MUNICIPALITIES or problems:
        raise PanelError(
            f"The files give {len(units)} municipalities of 2010 (2,456 are known) and "
            f"{len(latest)} of 2020 (2,469 are known).",
            problems,
        )


def build_census(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``municipality_census``: persons at each census, count and survey.

    A municipality that did not exist yet has no figure; its people are in the municipality it
    was to leave, so that the national totals are those published. The 1995 count gives 519,686
    people of 15 municipalities of Chiapas in one sum (code 07998): these municipalities are null
    in 1995 and the sum is given back beside the table as ``census_undistributed``.

    Raises
    ------
    PanelError
        If a code is not known.
    """
    earlier = inegi.read_census_1990_2010(raw)
    others = earlier["cvegeo"] == inegi.NOT_DISTRIBUTED
    undistributed = earlier[others & earlier["population"].notna()]
    kept = earlier[~others]
    later = pd.concat([inegi.read_census(raw, year) for year in (2015, 2020)])
    table = fold_sums(
        pd.concat([kept, later[["cvegeo", "year", "population"]]]), ["population"], ["year"]
    )
    own = later.rename(columns={"population": "published_population"})
    own = pd.concat([kept.rename(columns={"population": "published_population"}), own])
    table = table.merge(
        own[["cvegeo", "year", "published_population"]], on=["cvegeo", "year"], how="left"
    )
    if table["cvegeo"].nunique() != N_MUNICIPALITIES:
        raise PanelError(
            "The census files together have "
            f"{table['cvegeo'].nunique()} municipalities on 2010 boundaries; 2,456 are known."
        )
    table["kind"] = table["year"].map(inegi.CENSUS_KINDS)
    sources = {2015: "inegi-survey-2015", 2020: "inegi-census-2020"}
    for year in inegi.CENSUS_KINDS:
        group = table[table["year"] == year]
        source = sources.get(year, "inegi-census-1990-2010")
        rows_in = int((later["year"] == year).sum() or (earlier["year"] == year).sum())
        persons = int(group["population"].sum())
        aside = int((others & (earlier["year"] == year)).sum())
        note = f"{persons:,} persons"
        if year == 1995:
            people = int(undistributed["population"].sum())
            note += (
                f"; and {people:,} not placed in a municipality (code 07998): {persons + people:,}"
            )
        account.add(
            source,
            f"population {year}",
            rows_in=rows_in,
            merged=rows_in - aside - len(group),
            missing=int(group["population"].isna().sum()),
            rows_out=len(group),
            note=note + ("; row 07998 is no municipality" if aside else ""),
        )
    return {
        "municipality_census": table[
            ["cvegeo", "year", "population", "kind", "published_population"]
        ],
        "census_undistributed": undistributed.assign(
            state=state_of(undistributed["cvegeo"]),
            population=undistributed["population"].astype(int),
        )[["state", "year", "population"]],
    }
