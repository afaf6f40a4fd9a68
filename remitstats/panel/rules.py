"""The schema of `remitstats.panel.schema` as pandera checks, and their failures as problems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pandera.pandas as pa

from remitstats.panel.spec import ColumnSpec, TableSpec

READABLE = "readable"
REFERENCE = "reference"


@dataclass(frozen=True)
class RowRule:
    """A rule between the columns of one row.

    Parameters
    ----------
    columns : tuple of str
        Columns it looks at; the last one is named when it is broken.
    filled : int
        How many of them, from the first, must hold a value for a row to be asked.
    holds : callable
        From the table to a boolean series.
    accepted, remedy : str
        What is accepted and what to do.
    of_mexico : bool
        Whether it holds only where codes are written as Mexico's are.
    """

    columns: tuple[str, ...]
    filled: int
    holds: Callable[[pd.DataFrame], pd.Series]
    accepted: str
    remedy: str
    of_mexico: bool = False


ROW_RULES: Mapping[str, tuple[RowRule, ...]] = {
    "municipality_wave": (
        RowRule(
            ("receiving_percent", "dwellings"),
            1,
            lambda table: table["dwellings"].notna(),
            "the number of dwellings of which receiving_percent is a share",
            "give the number of dwellings, or leave both cells empty",
        ),
    ),
    "municipality_condition": (
        RowRule(
            ("income_per_person_mxn_month", "income_source"),
            0,
            lambda table: (
                table["income_source"].isna() == table["income_per_person_mxn_month"].isna()
            ),
            "what the income is of, where there is an income",
            "fill in both cells, or leave both empty",
        ),
    ),
    "municipality": (
        RowRule(
            ("cvegeo", "state"),
            2,
            lambda table: table["cvegeo"].str[:2] == table["state"],
            "the first two digits of cvegeo",
            "correct whichever of the two is wrong",
            of_mexico=True,
        ),
    ),
    "adjacency": (
        RowRule(
            ("cvegeo_a", "cvegeo_b"),
            2,
            lambda table: table["cvegeo_a"] != table["cvegeo_b"],
            "another municipality than cvegeo_a",
            "remove the row: no municipality is its own neighbour",
        ),
        RowRule(
            ("cvegeo_a", "cvegeo_b"),
            2,
            lambda table: table["cvegeo_a"] <= table["cvegeo_b"],
            "a code after cvegeo_a: each pair once, the smaller code first",
            "swap the two, or remove the row if the pair is there already",
        ),
    ),
}


def rules_of(table: str, *, own_codes: bool) -> tuple[RowRule, ...]:
    """Return the rules between the columns of a table.

    Parameters
    ----------
    table : str
        Its name.
    own_codes : bool
        Whether codes are written in another way than Mexico's.
    """
    return tuple(rule for rule in ROW_RULES.get(table, ()) if not (own_codes and rule.of_mexico))


def pandera_schema(
    spec: TableSpec,
    unreadable: Mapping[str, np.ndarray],
    references: Mapping[str, Collection[str]],
    documented: Collection[str] = (),
    *,
    own_codes: bool = False,
) -> pa.DataFrameSchema:
    """Return the pandera schema of a table whose cells have been read.

    Parameters
    ----------
    spec : TableSpec
        The table.
    unreadable : mapping of str to numpy.ndarray of bool
        For each column, cells that hold something else than its type.
    references : mapping of str to collection of str
        Known keys of the tables that columns may refer to.
    documented : collection of str
        Columns the panel's own dictionary describes, accepted besides the schema's.
    own_codes : bool
        Whether codes are written in another way than Mexico's.
    """
    columns = {
        column.name: pa.Column(
            checks=_column_checks(column, unreadable.get(column.name), references),
            nullable=column.nullable,
            required=column.required,
        )
        for column in spec.columns
    }
    extra = {name: pa.Column(nullable=True, required=False) for name in documented}
    rules = rules_of(spec.name, own_codes=own_codes)
    checks = [_row_check(rule, number) for number, rule in enumerate(rules)]
    if spec.unique:
        checks.append(pa.Check(_unrepeated(list(spec.key)), name="unique", ignore_na=False))
    return pa.DataFrameSchema(extra | columns, checks=checks, strict=True, name=spec.name)


def _column_checks(
    column: ColumnSpec, unreadable: np.ndarray | None, references: Mapping[str, Collection[str]]
) -> list[pa.Check]:
    checks = []
    if unreadable is not None:
        checks.append(pa.Check(_readable(unreadable), name=READABLE, ignore_na=False))
    if column.pattern:
        checks.append(pa.Check.str_matches(rf"(?:{column.pattern})\Z"))
    if column.choices:
        checks.append(pa.Check.isin(column.choices))
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum))
    if column.refers_to in references:
        known = set(references[column.refers_to])
        checks.append(pa.Check(lambda cells: cells.isin(known), name=REFERENCE))
    return checks


def _readable(unreadable: np.ndarray) -> Callable[[pd.Series], pd.Series]:
    return lambda cells: pd.Series(~unreadable, index=cells.index)


def _row_check(rule: RowRule, number: int) -> pa.Check:
    def holds(table: pd.DataFrame) -> pd.Series:
        if not set(rule.columns) <= set(table.columns):
            return pd.Series(True, index=table.index)
        empty = table[list(rule.columns[: rule.filled])].isna().any(axis=1)
        return (rule.holds(table).fillna(False).astype(bool) | empty).astype(bool)

    return pa.Check(holds, name=f"rule {number}", ignore_na=False)


def _unrepeated(key: list[str]) -> Callable[[pd.DataFrame], pd.Series]:
    def check(table: pd.DataFrame) -> pd.Series:
        if not set(key) <= set(table.columns):
            return pd.Series(True, index=table.index)
        complete = table[key].notna().all(axis=1)
        return ~(table.duplicated(key) & complete)

    return check
