"""What the macro model sees: yearly growth of a country's sources of foreign exchange.

Mexico needs all four sources, for the claims are on the four. Another country has those that it has
figures of in every year of `LATER`; the years of wider coverage are Mexico's alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.errors import PanelError, Problem
from remitstats.panel.code_form import problems_of_another_country
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]

TABLE = "national_year"
SOURCES: Mapping[str, str] = {
    "remittances": "remittances_usd_million",
    "oil": "oil_exports_usd_million",
    "other_exports": "other_exports_usd_million",
    "tourism": "tourism_receipts_usd_million",
}
"""Our name -> column of the panel's table `national_year`."""
FIRST_YEAR = 1995  # remittances begin here
COVERED = (2001, 2002, 2003)  # years whose growth is partly wider coverage of remittances
PANDEMIC = (2020, 2021)  # whose growth is of another kind and left out
LEAST_YEARS = 10
WINDOWS: Mapping[str, tuple[int, int]] = {"1995-2005": (1995, 2005), "2005-2019": (2005, 2019)}
"""The paper's years, and those since, up to the pandemic: name -> first level and last."""
LATER = "2005-2019"
FIRST = "remittances"
CELLS = ("year", "source")


@dataclass(frozen=True)
class MacroData:
    """Growth of the sources.

    Parameters
    ----------
    coords : mapping of str to array
        `year` (that in which a growth ends) and `source`.
    growth : array, shape (year, source)
        Change of the logarithm from the year before; nan where either is not known, and in the
        years of `PANDEMIC`.
    covered_years : sequence of int
        Years whose growth of remittances is partly wider coverage.
    """

    coords: Mapping[str, NDArray[Any]]
    growth: Array
    covered_years: Sequence[int] = COVERED

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which cells have a growth, shape (year, source)."""
        return np.isfinite(self.growth)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """In which cells a change of coverage is part of the growth, shape (year, source)."""
        years, sources = self.coords["year"], self.coords["source"]
        return np.outer(np.isin(years, list(self.covered_years)), sources == FIRST)

    @property
    def windows(self) -> dict[str, tuple[int, int]]:
        """Those of `WINDOWS` of which every source has the growth of every year."""
        years = self.coords["year"]
        return {
            name: (first, last)
            for name, (first, last) in WINDOWS.items()
            if years[0] <= first + 1 and self.known[(years > first) & (years <= last)].all()
        }

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        return {"growth": (CELLS, self.growth)}

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs, as variables with dims."""
        return {"covered": (CELLS, self.covered)}


def sources_of(panel: Panel) -> list[str]:
    """Return our names of the sources that a panel's growth is told of.

    All of `SOURCES` for Mexico; for another country those with a figure in every year of `LATER`.
    """
    if not problems_of_another_country(panel.metadata):
        return list(SOURCES)
    if TABLE not in panel:
        return []
    first, last = WINDOWS[LATER]
    table = panel.table(TABLE)
    table = table[table["year"].between(first, last)]
    return [
        source
        for source, column in SOURCES.items()
        if column in table and int((table[column] > 0).sum()) == last - first + 1
    ]


def check(panel: Panel) -> list[Problem]:
    """Return why a panel can't be used for the macro model.

    Parameters
    ----------
    panel : Panel
        Needs `national_year`. Of Mexico with the columns of `SOURCES` and ten years of growth of
        each; of another country with remittances and one other source in every year of `LATER`.
    """
    if TABLE not in panel:
        return [Problem(TABLE, "-", "-", "no such table", "yearly series of the whole country")]
    if problems_of_another_country(panel.metadata):
        return _check_of_another_country(sources_of(panel))
    table = panel.table(TABLE)
    problems = []
    for column in SOURCES.values():
        if column not in table.columns:
            problems.append(Problem(TABLE, "-", column, "no such column", "millions of dollars"))
            continue
        known = table.loc[(table["year"] >= FIRST_YEAR) & (table[column] > 0), "year"]
        if len(known) <= LEAST_YEARS:
            found = f"{len(known)} years from {FIRST_YEAR} on with a figure above 0"
            problems.append(
                Problem(TABLE, "-", column, found, f"more than {LEAST_YEARS} such years")
            )
    return problems or _check_windows(_data_of(panel))


def _check_windows(data: MacroData) -> list[Problem]:
    if data.windows:
        return []
    return [
        Problem(
            TABLE,
            "-",
            "year",
            f"a gap both in {' and in '.join(WINDOWS)}",
            "figures of all sources in every year of one of these windows",
        )
    ]


def _check_of_another_country(sources: Sequence[str]) -> list[Problem]:
    years = "a figure above 0 in every year from {} to {}".format(*WINDOWS[LATER])
    if FIRST not in sources:
        return [Problem(TABLE, "-", SOURCES[FIRST], f"not {years}", years)]
    others = [column for source, column in SOURCES.items() if source != FIRST]
    if len(sources) > 1:
        return []
    found = f"no other source with {years}"
    return [Problem(TABLE, "-", "-", found, f"one of {', '.join(others)}")]


def prepare_data(panel: Panel) -> MacroData:
    """Return the growth of the sources from a panel.

    Raises
    ------
    PanelError
        If `check` finds something.
    """
    problems = check(panel)
    if problems:
        raise PanelError("The panel can't be used for the macro model.", problems)
    return _data_of(panel)


def _data_of(panel: Panel) -> MacroData:
    sources = sources_of(panel)
    table = panel.table(TABLE).set_index("year")[[SOURCES[s] for s in sources]].astype(float)
    years = np.arange(FIRST_YEAR, int(table.index.max()) + 1)
    values = table.where(table > 0).reindex(years).to_numpy()
    growth = np.diff(np.log(values), axis=0)
    growth[np.isin(years[1:], PANDEMIC)] = np.nan
    some = np.flatnonzero(np.isfinite(growth).any(axis=1))
    here = slice(some.min(), some.max() + 1)
    coords = {"year": years[1:][here], "source": np.array(sources)}
    covered = () if problems_of_another_country(panel.metadata) else COVERED
    return MacroData(coords, growth[here], covered)
