"""The folder that results are written to: ``results.json`` beside ``summaries`` with the tables.

Each table stands there as Parquet (for programs) and CSV (for people and spreadsheets).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.errors import RemitstatsError
from remitstats.estimands.files import replace_file, write_csv, write_parquet
from remitstats.untrusted import parse_json, read_text

DECIMALS = 6  # of written tables: far below any Monte Carlo error, short enough to read


def require_columns(
    tables: Mapping[str, pd.DataFrame], columns: Mapping[str, Sequence[str]]
) -> None:
    """Refuse tables without the columns that readers rely on.

    Raises
    ------
    ValueError
        Naming the first table that lacks some, and them.
    """
    for name, wanted in columns.items():
        missing = [column for column in wanted if column not in tables[name].columns]
        if missing:
            raise ValueError(f"results table '{name}' lacks {', '.join(missing)}")


def write_results(
    out: Path, tables: Mapping[str, pd.DataFrame], document: Mapping[str, Any]
) -> list[Path]:
    """Write tables and document under a folder, each file whole or not at all.

    Text that a spreadsheet would take for a formula is preceded by an apostrophe in the CSV files,
    never in the Parquet ones.

    Parameters
    ----------
    out : Path
        Folder, made where missing.
    tables : mapping of str to DataFrame
        Rounded as they shall be written.
    document : mapping
        What ``results.json`` shall hold, plain values.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    RemitstatsError
        When the folder can't be written.
    """
    folder = out / "summaries"
    written = []
    for name, table in tables.items():
        written.append(write_parquet(folder / f"{name}.parquet", table))
        written.append(write_csv(folder / f"{name}.csv", table))
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    written.append(replace_file(out / "results.json", text + "\n"))
    return written


def read_results[T](
    out: Path, names: Iterable[str], make: Callable[..., T], *, derived: Sequence[str] = ()
) -> T:
    """Read what `write_results` wrote.

    Parameters
    ----------
    out : Path
        The folder.
    names : iterable of str
        The tables.
    make : callable
        Takes every table by name, and `summary`.
    derived : sequence of str
        Keys of the document that `make` finds itself.

    Raises
    ------
    RemitstatsError
        When a file is missing or is not what `write_results` writes.
    """
    try:
        summary = parse_json(read_text(out / "results.json"))
        folder = out / "summaries"
        tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}
        for key in derived:
            summary.pop(key, None)
        return make(**tables, summary=summary)
    except FileNotFoundError as error:
        missing = error.filename or error  # not every reader says which file
        raise RemitstatsError(
            f"No results in {out}: {missing} is missing. Run the fit first."
        ) from error
    except (ValueError, OSError, AttributeError, KeyError, TypeError, NotImplementedError) as error:
        raise RemitstatsError(f"The results in {out} can't be read: {error}.") from error
