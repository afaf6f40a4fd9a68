"""How the schema describes a table and its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "number", "boolean", "geometry"]


@dataclass(frozen=True)
class ColumnSpec:
    """What one column of a table accepts.

    Parameters
    ----------
    name : str
        Column name.
    kind : {"text", "integer", "number", "boolean", "geometry"}
        Type of its values.
    required : bool
        Whether a table must have the column.
    nullable : bool
        Whether a cell may be empty (no data).
    minimum, maximum : float, optional
        Closed range of accepted numbers.
    pattern : str, optional
        Regular expression the whole text must match.
    choices : tuple of str
        Accepted texts; empty for any.
    refers_to : str
        Table in whose key column the value must occur, if a panel has that table.
    accepted : str
        What is accepted, in words.
    """

    name: str
    kind: Kind
    accepted: str
    required: bool = False
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    refers_to: str = ""


@dataclass(frozen=True)
class TableSpec:
    """What one table of a panel holds.

    Parameters
    ----------
    name : str
        Table name.
    columns : tuple of ColumnSpec
        In the order in which the table shows them.
    key : tuple of str
        Columns by which rows are sorted; without repetition where `unique`. Empty if the order
        of the rows carries meaning.
    unique : bool
        Whether the key may occur once only.
    """

    name: str
    columns: tuple[ColumnSpec, ...]
    key: tuple[str, ...]
    unique: bool = True

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> ColumnSpec | None:
        """Return the column's specification, or None if the table has no such column."""
        return next((column for column in self.columns if column.name == name), None)
