"""Records and tables out of a JSON document that somebody else may have written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.errors import RemitstatsError
from remitstats.untrusted import parse_json, read_text


def read_record[T](path: Path, build: Callable[[Any], T], what: str, remedy: str) -> T:
    """Return what a file holds.

    Parameters
    ----------
    path : Path
        The file, a JSON document.
    build : callable
        Makes it of the document; may raise ValueError, KeyError or TypeError.
    what : str
        What the file should hold, such as "calibration of a model".
    remedy : str
        A sentence that says how to make one.

    Raises
    ------
    RemitstatsError
        If the file is not there or holds something else.
    """
    try:
        return build(parse_json(read_text(path)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RemitstatsError(f"{path} holds no {what}: {error}. {remedy}") from error


def table_of(rows: Any) -> pd.DataFrame:
    """Return rows as a table.

    Parameters
    ----------
    rows : list of dict
        Column -> value, one a row.

    Raises
    ------
    TypeError
        If they are anything else: pandas would make a table of much that is none.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TypeError("a table must be a list of rows, each with names and values")
    return pd.DataFrame(rows)


def columns_of(columns: Any) -> pd.DataFrame:
    """Return columns as a table.

    Parameters
    ----------
    columns : dict of str to list
        Columns of one length.

    Raises
    ------
    TypeError, ValueError
        If they are anything else.
    """
    if not isinstance(columns, dict) or not all(isinstance(v, list) for v in columns.values()):
        raise TypeError("a table must be a list of values for each name")
    return pd.DataFrame(columns)
