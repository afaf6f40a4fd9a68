"""What the transition model sees: net migration, remittances over product, relative income.

Net migration of the United Nations is estimated between censuses, smoothed or held level in
between: its yearly figures are no independent observations. It enters as means of five years (1950
to 1954 and so on; the last, 2020 to 2023, has four). The others are logarithms, year by year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.errors import PanelError, Problem
from remitstats.panel.panel import Panel
from remitstats.parts.local_level import Series, in_contrasts

Array = NDArray[np.float64]

TABLE = "world_year"
PATHS: Mapping[str, tuple[str, ...]] = {
    "integration": ("ESP", "PRT", "IRL", "ITA"),
    "state_led": ("KOR",),
    "remittance_based": ("MEX", "SLV", "PHL", "MAR"),
}
"""The paper's paths and their countries."""
COUNTRIES = tuple(country for path in PATHS.values() for country in path)
YARDSTICK = "USA"  # whose income the others' is held against

BREAKS: Mapping[str, tuple[int, ...]] = {
    "ESP": (1999,),
    "PRT": (1999,),
    "KOR": (1980,),
    "MEX": (1980, 2001, 2002, 2003),
}
"""Years from which on remittances are reported otherwise (of Mexico from 2001 to 2003 more and more
agents): how much of the change into such a year is reporting, nobody knows."""

INCOME = "gdp_per_person_maddison_dollars_2011"
COLUMNS: Mapping[str, str] = {
    "migration": "net_migration_per_thousand",
    "wdi_2022": "remittances_gdp_percent_wdi_2022",
    "wdi_2025": "remittances_gdp_percent_wdi_2025",
    "income": INCOME,
}
"""Our series -> column. The vintages of remittances are series of their own, never joined."""
SERIES = tuple(COLUMNS)
EVENTS = {"migration": True, "wdi_2022": True, "wdi_2025": True, "income": False}
LEAST_PEOPLE = 1000.0  # thousand persons in some year: smaller countries are no background
FIRST_YEAR, SPAN, LEAST_IN_SPAN = 1950, 5, 4
LEAST_YEARS = 15  # known years of a logarithm
LEAST_COUNTRIES = 12


@dataclass(frozen=True)
class TransitionData:
    """The series of all countries.

    Parameters
    ----------
    coords : mapping of str to array
        `country` (the paths' first, then the background), `year` and `series`.
    values : array, shape (series, country, year)
        Net migration per thousand; logarithms of the others; nan where not known or not used.
    """

    coords: Mapping[str, NDArray[Any]]
    values: Array

    @property
    def years(self) -> NDArray[np.int64]:
        """The years, consecutive."""
        return np.asarray(self.coords["year"], dtype=np.int64)

    def known(self, series: str, country: str) -> NDArray[np.bool_]:
        """Return which years of a country's series are known."""
        return np.isfinite(self.of(series, country))

    def of(self, series: str, country: str) -> Array:
        """Return a country's series, shape (year,); nan where not known."""
        place = list(self.coords["country"]).index(country)
        return np.asarray(self.values[SERIES.index(series), place])

    def observed(self, series: str) -> dict[str, tuple[Array, Array]]:
        """Return by country what is observed, and the years that each observation averages.

        Returns
        -------
        dict of str to (array, array)
            Observations, shape (observation,), and weights, shape (observation, year).
        """
        out = {}
        for place, country in enumerate(self.coords["country"]):
            values = self.values[SERIES.index(series), place]
            known = np.isfinite(values)
            if series == "migration":
                span = (self.years - self.years[0]) // SPAN
                groups = [known & (span == s) for s in np.unique(span)]
                groups = [g for g in groups if g.sum() >= LEAST_IN_SPAN]
                enough = len(groups) >= LEAST_YEARS - SPAN
            else:
                groups = [np.arange(len(values)) == i for i in np.flatnonzero(known)]
                enough = len(groups) >= LEAST_YEARS
            if enough:
                weights = np.stack(groups) / np.sum(groups, axis=1, keepdims=True)
                out[str(country)] = (weights @ np.where(known, values, 0.0), weights)
        return out

    def series(self, series: str) -> dict[str, Series]:
        """Return by country a series as the likelihood takes it."""
        found = {}
        for country, (observed, weights) in self.observed(series).items():
            breaks = BREAKS.get(country, ()) if series.startswith("wdi") else ()
            regressors = [np.ones(len(self.years))]
            regressors += [(self.years < year).astype(float) for year in breaks]
            found[country] = in_contrasts(
                observed, weights, np.stack(regressors, axis=1), events=EVENTS[series]
            )
        return found

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        return {"values": (("series", "country", "year"), self.values)}

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs: nothing."""
        return {}


def check(panel: Panel) -> list[Problem]:
    """Return why a panel can't be used for the transition model.

    Parameters
    ----------
    panel : Panel
        Needs `world_year` with the columns of `COLUMNS`, population, the countries of `PATHS`, the
        yardstick, and a dozen others at least.
    """
    if TABLE not in panel:
        return [Problem(TABLE, "-", "-", "no such table", "yearly series of all countries")]
    table = panel.table(TABLE)
    wanted = (*COLUMNS.values(), "population_thousand_maddison")
    lost = [column for column in wanted if column not in table.columns]
    if lost:
        return [Problem(TABLE, "-", column, "no such column", "a series") for column in lost]
    migration = table.dropna(subset=COLUMNS["migration"])["country"].value_counts()
    problems = [
        Problem(TABLE, f"country={country}", COLUMNS["migration"], f"{count} years", "50 or more")
        for country in COUNTRIES
        if (count := int(migration.get(country, 0))) < LEAST_YEARS * SPAN - 25
    ]
    if table.loc[table["country"] == YARDSTICK, INCOME].notna().sum() < LEAST_YEARS:
        problems.append(
            Problem(TABLE, f"country={YARDSTICK}", INCOME, "too few years", f"{LEAST_YEARS}")
        )
    others = len(set(migration.index) - set(COUNTRIES))
    if others < LEAST_COUNTRIES:
        problems.append(
            Problem(TABLE, "-", "country", f"{others} others", f"{LEAST_COUNTRIES} or more")
        )
    return problems


def prepare_data(panel: Panel) -> TransitionData:
    """Return the series of all countries from a panel.

    Raises
    ------
    PanelError
        If `check` finds something.
    """
    problems = check(panel)
    if problems:
        raise PanelError("The panel can't be used for the transition model.", problems)
    table = panel.table(TABLE)
    table = table[table["year"] >= FIRST_YEAR]
    people = table.groupby("country")["population_thousand_maddison"].max()
    large = set(people.index[people >= LEAST_PEOPLE])
    background = sorted(large - set(COUNTRIES))
    countries = [*COUNTRIES, *background]
    years = np.arange(FIRST_YEAR, int(table["year"].max()) + 1)
    values = np.full((len(SERIES), len(countries), len(years)), np.nan)
    for s, (name, column) in enumerate(COLUMNS.items()):
        wide = table.pivot(index="year", columns="country", values=column).astype(float)
        wide = wide.reindex(index=years)
        if name == "income":
            wide = wide.div(wide[YARDSTICK], axis=0).drop(columns=YARDSTICK)
        if name != "migration":
            wide = wide.where(wide > 0)
        found = wide.reindex(columns=countries).to_numpy(dtype=float).T
        values[s] = found if name == "migration" else np.log(found)
    coords = {"country": np.array(countries), "year": years, "series": np.array(SERIES)}
    return TransitionData(coords, values)
