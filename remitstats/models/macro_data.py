"""What the macro model sees: yearly growth of Mexico's sources of foreign exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.errors import PanelError, Problem
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
    """

    coords: Mapping[str, NDArray[Any]]
    growth: Array

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which cells have a growth, shape (year, source)."""
        return np.isfinite(self.growth)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """In which cells a change of coverage is part of the growth, shape (year, source)."""
        years, sources = self.coords["year"], self.coords["source"]
        return np.outer(np.isin(years, COVERED), sources == "remittances")

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        return {"growth": (CELLS, self.growth)}

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs, as variables with dims."""
        return {"covered": (CELLS, self.covered)}


def check(panel: Panel) -> list[Problem]:
    """Return why a panel can't be used for the macro model.

    Parameters
    ----------
    panel : Panel
        Needs `national_year` with the columns of `SOURCES` and ten years of growth of each.
    """
    if TABLE not in panel:
        return [Problem(TABLE, "-", "-", "no such table", "yearly series of the whole country")]
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
    return problems


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
    table = panel.table(TABLE).set_index("year")[list(SOURCES.values())].astype(float)
    years = np.arange(FIRST_YEAR, int(table.index.max()) + 1)
    values = table.where(table > 0).reindex(years).to_numpy()
    growth = np.diff(np.log(values), axis=0)
    growth[np.isin(years[1:], PANDEMIC)] = np.nan
    last = int(np.flatnonzero(np.isfinite(growth).any(axis=1)).max()) + 1
    coords = {"year": years[1 : last + 1], "source": np.array(list(SOURCES))}
    return MacroData(coords, growth[:last])
