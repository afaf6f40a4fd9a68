"""Estimands that a ledger may name: functions of the shipped series or of a model's results."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from remitstats.claims.evidence import Evidence, NoEvidenceError, Sources
from remitstats.errors import RemitstatsError, unknown

ACCEPTED: Mapping[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "dict": "a table of columns and values, such as {wave = 2000}",
    "list": "a list",
}


@dataclass(frozen=True)
class Measure:
    """An estimand.

    Parameters
    ----------
    name : str
        What ledgers call it.
    gives : str
        "figure", "probability" or "verdict".
    unit : str
        Unit of the figure; empty if what it is of decides.
    model : str
        Model whose results it reads; empty for the shipped series and where `at` names one.
    find : callable
        ``find(sources, **at)``.
    """

    name: str
    gives: str
    unit: str
    model: str
    find: Callable[..., Evidence]

    @property
    def description(self) -> str:
        """What it is, in a sentence."""
        return (inspect.getdoc(self.find) or "").split("\n\n")[0].replace("\n", " ")

    @property
    def parameters(self) -> dict[str, str]:
        """What it may be asked for: name to kind of value."""
        given = list(inspect.signature(self.find).parameters.values())[1:]
        return {p.name: str(p.annotation) for p in given}

    @property
    def required(self) -> tuple[str, ...]:
        """What it must be asked for."""
        given = list(inspect.signature(self.find).parameters.values())[1:]
        return tuple(p.name for p in given if p.default is inspect.Parameter.empty)

    def accepts(self, name: str, value: object) -> bool:
        """Whether a value is one of the kind that a parameter takes."""
        kind = self.parameters[name]
        if isinstance(value, bool):
            return False
        if kind == "float":
            return isinstance(value, int | float)
        return isinstance(value, {"int": int, "str": str, "dict": dict, "list": list}[kind])


MEASURES: dict[str, Measure] = {}
"""All estimands by name; `claims.measures` fills it."""


def measure(
    name: str, *, gives: str, unit: str = "", model: str = ""
) -> Callable[[Callable[..., Evidence]], Callable[..., Evidence]]:
    """Register a function as an estimand under a name that ledgers use."""

    def register(find: Callable[..., Evidence]) -> Callable[..., Evidence]:
        MEASURES[name] = Measure(name, gives, unit, model, find)
        return find

    return register


def table_of(sources: Sources, name: str) -> pd.DataFrame:
    """Return a table of the panel.

    Raises
    ------
    NoEvidenceError
        If the panel has none of that name, though the shipped one may.
    """
    if name not in sources.panel:
        raise NoEvidenceError(f"the panel has no table {name}")
    return sources.panel.table(name)


def rows_of(table: pd.DataFrame, name: str, row: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of a table whose columns have some values.

    Raises
    ------
    RemitstatsError
        If there is no such column.
    NoEvidenceError
        If there is no such row.
    """
    found = table
    for column, value in row.items():
        require_column(found, name, column)
        cells = found[column]
        same = cells.astype(str) == str(value) if isinstance(value, str) else cells == value
        found = found[same.fillna(value=False)]
    if found.empty:
        what = ", ".join(f"{column} = {value}" for column, value in row.items())
        raise NoEvidenceError(f"the table {name} has no row with {what}")
    return found


def single(table: pd.DataFrame, name: str, row: Mapping[str, Any]) -> pd.Series[Any]:
    """Return the one row of a table whose columns have some values.

    Raises
    ------
    RemitstatsError
        If there is no such column, or there are several such rows.
    NoEvidenceError
        If there is none.
    """
    found = rows_of(table, name, row)
    if len(found) > 1:
        raise RemitstatsError(
            f"{len(found)} rows of the table {name} fit {dict(row)}: name more of its columns "
            f"({', '.join(map(str, table.columns))}) until one row is left."
        )
    return found.iloc[0]


def require_column(table: pd.DataFrame, name: str, column: str) -> None:
    """Refuse a column that a table does not have, with the nearest that it has."""
    if column not in table.columns:
        known = [str(each) for each in table.columns]
        raise unknown(f"column of the table {name}", column, known)


def require_one_of(kind: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is none of some, with the nearest."""
    names = list(known)
    if name not in names:
        raise unknown(kind, name, names)
