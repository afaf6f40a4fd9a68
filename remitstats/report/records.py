"""Rows of tables as the templates take them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from remitstats.report.formats import capital
from remitstats.report.texts import Texts

Row = dict[str, Any]
"""A row of a table: value by column."""


def records(table: pd.DataFrame | None) -> list[Row]:
    """Return the rows of a table; none of a table that is not there."""
    if table is None:
        return []
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def described(table: pd.DataFrame) -> list[Row]:
    """Return rows whose `description` begins with a capital, as a line of a table does."""
    return [{**row, "description": capital(str(row["description"]))} for row in records(table)]


def described_by_name(table: pd.DataFrame, texts: Texts) -> list[Row]:
    """Return rows whose `statistic` is described by its name, beginning with a capital."""
    return [
        {**row, "description": capital(texts.said_plain(row["statistic"]))}
        for row in records(table)
    ]
