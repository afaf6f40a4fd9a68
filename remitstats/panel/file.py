"""The panel on disk, in any of three forms.

1. One Parquet file with all tables (the form of the shipped panel).
2. A folder with one file a table, named after it: `municipality_wave.csv` or `.parquet`, …;
   `metadata.json` beside them is optional.
3. One CSV or Parquet file with the table `municipality_wave` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.panel import parquetfile, words
from remitstats.panel.atomic import whole_file, whole_folder
from remitstats.panel.panel import Panel, tidy_table
from remitstats.panel.schema import REQUIRED_TABLE
from remitstats.panel.textfile import read_csv, write_csv
from remitstats.untrusted import parse_json, read_text, require_plain

METADATA_FILE = "metadata.json"
_TABLE_FILES = (".csv", ".parquet")
_EXCEL_FILES = (".xlsx", ".xls", ".xlsm", ".ods")


@dataclass
class Draft:
    """A panel as found on disk, its cells not yet looked at.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Tables as stored; cells of CSV files are texts.
    metadata : dict
        What the files say about the panel.
    lines : dict of str to numpy.ndarray
        For tables from CSV files, the line on which each row begins.
    problems : list of Problem
        What could not be read at all.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, np.ndarray] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_panel(path: str | Path) -> Panel:
    """Read a panel of any form, without checking what its values mean.

    Parameters
    ----------
    path : path-like
        A file or a folder.

    Returns
    -------
    Panel
        Of a Parquet file with all tables, each table is read when first asked for.

    Raises
    ------
    PanelError
        If something is not there, can't be read, or holds cells of the wrong type.
    """
    path = Path(path)
    lazy = _lazy_panel(path)
    if lazy is not None:
        return lazy
    draft = read_draft(path)
    problems = list(draft.problems)
    tables: dict[str, pd.DataFrame] = {}
    for name, frame in draft.tables.items():
        try:
            tables[name] = tidy_table(name, frame, draft.lines.get(name))
        except PanelError as error:
            problems += error.problems
    if problems:
        raise PanelError(f"{path} can't be read as a panel.", problems)
    return Panel(tables, draft.metadata)


def read_draft(path: str | Path) -> Draft:
    """Read a panel of any form as it stands, collecting what can't be read.

    Raises
    ------
    PanelError
        If there is nothing to read as a panel.
    """
    path = Path(path)
    with _explained(path):
        if path.is_dir():
            return _read_folder(path)
        if _is_parquet(path):
            return _read_parquet(path)
        text = read_csv(path, REQUIRED_TABLE)
    return Draft(
        {REQUIRED_TABLE: text.frame}, {}, {REQUIRED_TABLE: text.lines}, list(text.problems)
    )


def write_panel(panel: Panel, path: str | Path) -> None:
    """Write a panel as one Parquet file: all of it, or nothing.

    Parameters
    ----------
    panel : Panel
        Tables are made tidy on the way; the dictionary is taken from ``metadata["dictionary"]``.
    path : path-like
        The file; its folder is made if need be.

    Raises
    ------
    PanelError
        If cells can't be read as what the schema says.
    RemitstatsError
        If the place can't be written.
    """
    parquetfile.write_parquet(panel.tables, panel.metadata, Path(path))


def write_folder(panel: Panel, folder: str | Path) -> list[Path]:
    """Write a panel as a new folder of CSV tables and `metadata.json`: all of it, or nothing.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    PanelError
        If cells can't be read as what the schema says.
    RemitstatsError
        If the folder holds something already or can't be written.
    """
    folder = Path(folder)
    tidy = {name: tidy_table(name, frame) for name, frame in panel.tables.items()}
    names = [f"{name}.csv" for name in tidy]
    with whole_folder(folder) as temporary:
        for name, frame in tidy.items():
            write_csv(frame, temporary / f"{name}.csv")
        if panel.metadata:
            with whole_file(temporary / METADATA_FILE) as file:
                file.write_text(parquetfile.as_json(panel.metadata) + "\n", encoding="utf-8")
            names.append(METADATA_FILE)
    return [folder / name for name in names]


def _lazy_panel(path: Path) -> Panel | None:
    with _explained(path):
        if path.is_dir() or not _is_parquet(path):
            return None
        with parquetfile.open_parquet(path) as file:
            if parquetfile.TABLE not in file.schema_arrow.names:
                return None
            groups = parquetfile.layout(file)
            if groups is None:
                return None
            empty = parquetfile.empty_tables(file)
            metadata = parquetfile.stored_metadata(path, file)
    return Panel(parquetfile.ParquetTables(path.resolve(), groups, empty), metadata)


def _read_parquet(path: Path, name: str = REQUIRED_TABLE) -> Draft:
    with parquetfile.open_parquet(path) as file:
        metadata = parquetfile.stored_metadata(path, file)
        if parquetfile.TABLE not in file.schema_arrow.names:
            return Draft({name: parquetfile.read_all(path, file)}, metadata)
        groups = parquetfile.layout(file)
        tables: dict[str, pd.DataFrame] = {}
        problems: list[Problem] = []
        if groups is not None:
            tables = {
                key: parquetfile.read_group(path, file, key, numbers)
                for key, numbers in groups.items()
            }
        else:
            union = parquetfile.read_all(path, file)
            for key, rows in union.groupby(union[parquetfile.TABLE].astype(object), sort=False):
                tables[str(key)] = parquetfile.own_columns(str(key), rows)
            problems += _nameless(path, union[parquetfile.TABLE])
        tables |= {k: v for k, v in parquetfile.empty_tables(file).items() if k not in tables}
    return Draft(tables, metadata, {}, problems)


def _nameless(path: Path, names: pd.Series) -> list[Problem]:
    return [
        words.problem(
            path.name, f"row {row + 1}", "table", words.EMPTY, "the name of the row's table"
        )
        for row in np.flatnonzero(names.isna())
    ]


def _read_folder(folder: Path) -> Draft:
    draft = Draft()
    found = sorted(p for p in folder.iterdir() if not p.is_dir() and not p.name.startswith("."))
    for path in found:
        if path.suffix.lower() in _EXCEL_FILES:
            accepted = "CSV or Parquet tables"
            remedy = "in Excel, save each sheet as CSV UTF-8 (comma delimited)"
            draft.problems.append(
                words.problem(path.name, "-", "-", "a spreadsheet file", accepted, remedy)
            )
        elif path.suffix.lower() in _TABLE_FILES:
            _read_table_file(path, draft)
        elif path.name == METADATA_FILE:
            draft.metadata = _read_metadata(path, draft)
    if not draft.tables and not draft.problems:
        accepted = f"files named after tables, at least {REQUIRED_TABLE}.csv or .parquet"
        problem = words.problem(str(folder), "-", "-", "no table", accepted)
        raise PanelError(f"{folder} is a folder without a panel.", [problem])
    return draft


def _read_table_file(path: Path, draft: Draft) -> None:
    name = path.stem
    if name in draft.tables:
        draft.problems.append(
            words.problem(name, "-", "-", "two files of one table", "one", f"remove {path.name}")
        )
        return
    try:
        if _is_parquet(path):
            draft.tables |= _read_parquet(path, name).tables
        else:
            text = read_csv(path, name)
            draft.tables[name] = text.frame
            draft.lines[name] = text.lines
            draft.problems += text.problems
    except PanelError as error:
        draft.problems += error.problems


def _read_metadata(path: Path, draft: Draft) -> dict[str, Any]:
    try:
        content = parse_json(read_text(path, "utf-8-sig"))
    except ValueError as error:
        found: str | None = f"text that is not JSON ({error})"
    else:
        found = None if isinstance(content, Mapping) else "JSON that is no object"
    if found is None:
        return dict(content)
    draft.problems.append(words.problem(path.name, "-", "-", words.name(found), "a JSON object"))
    return {}


def _is_parquet(path: Path) -> bool:
    require_plain(path)
    with path.open("rb") as file:
        return file.read(4) == parquetfile.MAGIC or path.suffix.lower() == ".parquet"


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        missing = Path(error.filename or path)  # in a folder, a link that leads nowhere
        raise PanelError(f"There is no file or folder {missing}.{_neighbour(missing)}") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PanelError(f"{error.filename or path} can't be read: {reason}.") from error


def _neighbour(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f" There is no folder {folder} either."
    hint = words.nearest(path.name, (p.name for p in folder.iterdir()))
    return f" In {folder}: {hint}" if hint else " Check the path."
