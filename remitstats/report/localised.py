"""Results in the language of a report: names of places and descriptions, never keys or numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from remitstats.report.texts import Texts


def localised[Results](results: Results, texts: Texts) -> Results:
    """Return results to show in the language of some texts.

    Parameters
    ----------
    results : results of a model
        With their tables in English, as they are written.
    texts : Texts
        Of the report's language.

    Returns
    -------
    results of the model
        With the columns ``description`` of all tables, and ``name`` where a ``code`` stands beside
        it, in that language. What tells rows apart is left as it is.
    """
    if texts.language == "en":
        return results
    found: Any = results
    tables = {name: _localised(table, texts) for name, table in found.tables.items()}
    shown: Results = replace(
        found, **{name: table for name, table in tables.items() if table is not None}
    )
    return shown


def _localised(table: pd.DataFrame, texts: Texts) -> pd.DataFrame | None:
    columns = {}
    if "description" in table:
        columns["description"] = _mapped(table["description"], texts.said_plain)
    if "code" in table and "name" in table:
        columns["name"] = _mapped(table["name"], texts.place)
    return table.assign(**columns) if columns and len(table) else None


def _mapped(words: pd.Series[Any], say: Callable[[Any], str]) -> pd.Series[Any]:
    said = {word: say(word) for word in words.dropna().unique()}
    return words.map(said).astype(words.dtype)
