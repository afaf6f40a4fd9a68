"""What is known of an official file: its place, its publisher, its vintage, form and terms."""

from __future__ import annotations

from dataclasses import dataclass

CITE = "Cite publisher and table."
FREE_USE = "Free use with attribution: cite publisher, table and date of consultation."
"""Terms under which Mexican official statistics are published."""


@dataclass(frozen=True)
class SourceFile:
    """An official file as published.

    Parameters
    ----------
    key : str
        Short name, used in the account and the dictionary.
    path : str
        Place under the raw folder.
    publisher, table : str
        Who publishes it and what the publisher calls it.
    vintage : str
        Which state of the table: reference period, revision.
    encoding : str
        ``"utf-8"`` or ``"latin-1"``, as published.
    columns : tuple of str
        Columns that must be there. Empty for files that are no plain table.
    width : int
        Number of columns the file has as published; 0 means exactly those in `columns`.
    terms : str
        Terms of use.
    """

    key: str
    path: str
    publisher: str
    table: str
    vintage: str
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    width: int = 0
    terms: str = FREE_USE
