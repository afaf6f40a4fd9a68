"""Validating one table with pandera, and putting its failures into words as problems."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrorReason, SchemaErrors

from remitstats.errors import Problem
from remitstats.panel import words
from remitstats.panel.cells import read_column
from remitstats.panel.codes import PARENTS
from remitstats.panel.rules import REFERENCE, pandera_schema, rules_of
from remitstats.panel.spec import TableSpec

NAMED = 8  # columns named before "and … others"
MOST = 1_000  # rows named for one reason


def problems_of(
    spec: TableSpec,
    frame: pd.DataFrame,
    references: Mapping[str, Collection[str]],
    documented: Collection[str] = (),
    lines: np.ndarray | None = None,
    *,
    own_codes: bool = False,
) -> list[Problem]:
    """Validate one table and return all that is wrong with it.

    Parameters
    ----------
    spec : TableSpec
        What the table should hold.
    frame : pandas.DataFrame
        The table as found, with unique text column names and index 0, 1, 2, …
    references : mapping of str to collection of str
        Known keys of the tables that columns may refer to.
    documented : collection of str
        Columns accepted besides the schema's.
    lines : numpy.ndarray of int, optional
        Lines of the file on which its rows stand.
    own_codes : bool
        Whether codes are written in another way than Mexico's.

    Returns
    -------
    list of Problem
        Those of the whole table first, then by row and column; one problem a cell.
    """
    cells: dict[str, pd.Series] = {}
    unreadable: dict[str, np.ndarray] = {}
    for name in frame.columns:
        column = spec.column(name)
        if column is None:  # only its name is judged
            cells[name] = pd.Series(None, index=frame.index, dtype=object)
            continue
        reading = read_column(frame[name], column.kind)
        cells[name], unreadable[name] = reading.cells, reading.unreadable
    schema = pandera_schema(spec, unreadable, references, documented, own_codes=own_codes)
    read = pd.DataFrame(cells, index=frame.index)
    try:
        schema.validate(read, lazy=True)
    except SchemaErrors as errors:
        return _translated(errors, _Context(spec, frame, read, unreadable, lines, own_codes))
    return []


def row_name(
    spec: TableSpec, frame: pd.DataFrame, position: int, lines: np.ndarray | None, *, plain: bool
) -> str:
    """Return how a row is called: its line in the file, its key, or its number.

    Parameters
    ----------
    spec, frame, position, lines
        The table, its rows as found, which row, and the lines of a text file.
    plain : bool
        Whether the key alone says which row it is.
    """
    key = ", ".join(
        f"{name}={words.bare(frame[name].iloc[position])}"
        for name in spec.key
        if name in frame.columns
    )
    if lines is not None:
        return f"line {lines[position]} ({key})" if key else f"line {lines[position]}"
    if key and plain:
        return key
    return f"row {position + 1} ({key})" if key else f"row {position + 1}"


@dataclass(frozen=True)
class _Context:
    spec: TableSpec
    frame: pd.DataFrame
    read: pd.DataFrame
    unreadable: Mapping[str, np.ndarray]
    lines: np.ndarray | None
    own_codes: bool

    @cached_property
    def first_rows(self) -> pd.Series:
        """For each row, the number of the first with the same key."""
        keys = [self.read[name] for name in self.spec.key]
        numbers = pd.Series(np.arange(len(self.read)), index=self.read.index)
        return numbers.groupby(keys, dropna=False).transform("min")


def _translated(errors: SchemaErrors, context: _Context) -> list[Problem]:
    whole: list[Problem] = []
    by_cell: dict[tuple[int, int], Problem] = {}
    order = {name: at for at, name in enumerate(context.frame.columns)}
    sure = _sure_keys(context)
    for error in errors.schema_errors:
        if error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_SCHEMA:
            whole.append(_unknown_column(context, str(error.failure_cases)))
        elif error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
            whole.append(_missing_column(context, str(error.failure_cases)))
        elif error.reason_code is SchemaErrorReason.CHECK_ERROR:
            raise AssertionError(f"the check {error.check} of {context.spec.name} is itself broken")
        else:
            for position, column, problem in _cell_problems(error, context, sure):
                by_cell.setdefault((position, order[column]), problem)
    return whole + [by_cell[place] for place in sorted(by_cell)]


def _cell_problems(
    error: pa.errors.SchemaError, context: _Context, sure: np.ndarray
) -> Iterator[tuple[int, str, Problem]]:
    """Yield the place and the problem of every row that fails one check."""
    spec, frame = context.spec, context.frame
    name = error.check if isinstance(error.check, str) else error.check.name
    failing, accepted = _failing_rows(error), ""
    for position in failing[:MOST]:
        if isinstance(error.schema, pa.DataFrameSchema):
            column, found, accepted, remedy = _row_failure(str(name), context, position)
            plain = bool(sure[position])
        else:
            column = str(error.schema.name)
            if name == "not_nullable" and context.unreadable[column][position]:
                continue  # there is something in the cell, and it has been reported
            value = frame[column].iloc[position]
            found = words.show(value)
            accepted, remedy = _cell_failure(context, column, str(name), value)
            plain = bool(sure[position]) and (column not in spec.key or name == REFERENCE)
        row = row_name(spec, frame, position, context.lines, plain=plain)
        yield position, column, words.problem(spec.name, row, column, found, accepted, remedy)
    if len(failing) > MOST and accepted:  # nobody mends them one by one
        more = f"{len(failing) - MOST:,} more rows that fail in the same way"
        rest = words.problem(spec.name, "-", column, more, accepted)
        yield len(frame) + failing[MOST], column, rest


def _failing_rows(error: pa.errors.SchemaError) -> list[int]:
    if error.check == "not_nullable":
        return [int(position) for position in error.failure_cases["index"]]
    outcome = error.check_output
    return [int(position) for position in outcome.index[~outcome.to_numpy(dtype=bool)]]


def _cell_failure(context: _Context, column: str, check: str, value: object) -> tuple[str, str]:
    rules = context.spec.column(column)
    assert rules is not None  # noqa: S101  (pandera only knows the schema's columns)
    if check == REFERENCE and value in PARENTS and not context.own_codes:
        parent = PARENTS[str(value)]
        return (
            "municipalities on the boundaries of the 2010 census",
            f"add its figures to those of {parent}, from which it was made after 2010",
        )
    if check == REFERENCE:
        return (
            f"a code of the table {rules.refers_to}",
            f"correct the code, or add it to the table {rules.refers_to}",
        )
    return rules.accepted, words.remedy(rules, value)


def _row_failure(check: str, context: _Context, position: int) -> tuple[str, str, str, str]:
    spec, frame = context.spec, context.frame
    if check == "unique":
        key = list(spec.key)
        first = int(context.first_rows.iloc[position])
        place = f"line {context.lines[first]}" if context.lines is not None else f"row {first + 1}"
        found = f"the same {' and '.join(key)} as {place}"
        return key[0], found, f"one row for each {' and '.join(key)}", "remove one of the two rows"
    rules = rules_of(spec.name, own_codes=context.own_codes)
    rule = rules[int(check.rsplit(maxsplit=1)[-1])]
    column = rule.columns[-1]
    return column, words.show(frame[column].iloc[position]), rule.accepted, rule.remedy


def _sure_keys(context: _Context) -> np.ndarray:
    """Say for each row whether its key is complete, readable and its own."""
    key, read = list(context.spec.key), context.read
    if not context.spec.unique or not set(key) <= set(read.columns):
        return np.zeros(len(read), dtype=bool)
    own = ~read.duplicated(key, keep=False) & read[key].notna().all(axis=1)
    return own.to_numpy(dtype=bool)


def _unknown_column(context: _Context, name: str) -> Problem:
    known = context.spec.column_names
    likely = words.closest(name, (column for column in known if column not in context.frame))
    remedy = (
        f"did you mean {likely}?"
        if likely
        else "remove the column, or describe it in the panel's dictionary"
    )
    found, row = "an unknown column", _head(context)
    more = f" and {len(known) - NAMED} others" if len(known) > NAMED else ""
    accepted = f"the columns {', '.join(known[:NAMED])}{more}"
    return words.problem(context.spec.name, row, words.name(name), found, accepted, remedy)


def _missing_column(context: _Context, name: str) -> Problem:
    unknown = (str(column) for column in context.frame if column not in context.spec.column_names)
    likely = words.closest(name, unknown)
    remedy = f"rename {words.name(likely)} to {name}" if likely else f"add the column {name}"
    column = context.spec.column(name)
    accepted = column.accepted if column else name
    return words.problem(
        context.spec.name, _head(context), name, "no such column", accepted, remedy
    )


def _head(context: _Context) -> str:
    return "-" if context.lines is None else "line 1"
