"""Tables as Parquet: a whole panel in one file, or one table a file.

In the one-file form every row starts with the name of its table, and cells of columns a table
does not have are null. Each table has row groups of its own, so that one is read without the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from remitstats.errors import PanelError
from remitstats.panel import words
from remitstats.panel.atomic import whole_file
from remitstats.panel.cells import text_dtype
from remitstats.panel.panel import tidy_table
from remitstats.panel.schema import TABLES
from remitstats.untrusted import parse_json

TABLE = "table"
MAGIC = b"PAR1"
METADATA_KEY = b"remitstats.metadata"
DICTIONARY_KEY = b"remitstats.dictionary"
TABLES_KEY = b"remitstats.tables"
ROWS_IN_GROUP = 1_000_000
LARGEST = 50_000_000  # cells of a file
_TYPES = {
    pa.int8(): pd.Int64Dtype(),
    pa.int16(): pd.Int64Dtype(),
    pa.int32(): pd.Int64Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.Int64Dtype(),
    pa.uint16(): pd.Int64Dtype(),
    pa.uint32(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): text_dtype(),
    pa.large_string(): text_dtype(),
}
Layout = Mapping[str, list[int]]


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises
    ------
    PanelError
        If the file is cut off or no Parquet file.
    """
    with path.open("rb") as file:
        file.seek(-min(4, path.stat().st_size), 2)
        end = file.read()
    if end != MAGIC:
        raise _unfit(path, "a file that breaks off before its end")
    opened = _guarded(path, lambda: pq.ParquetFile(path))
    cells = max(opened.metadata.num_rows, _filled(opened.metadata))
    if cells > LARGEST:  # a few bytes can stand for any number of equal cells
        problem = words.problem(
            path.name, "-", "-", f"{cells:,} cells", f"at most {LARGEST:,}", "take part of it"
        )
        raise PanelError(f"{path} is larger than what is read.", [problem])
    return opened


def _filled(about: pq.FileMetaData) -> int:
    """Return how many cells of a file hold something, as it says itself."""
    filled = 0
    for number in range(about.num_row_groups):
        group = about.row_group(number)
        for at in range(group.num_columns):
            column = group.column(at)
            known = column.statistics is not None and column.statistics.has_null_count
            filled += column.num_values - (column.statistics.null_count if known else 0)
    return filled


def layout(file: pq.ParquetFile) -> Layout | None:
    """Return the row groups of each table; None if some row group mixes tables."""
    groups: dict[str, list[int]] = {}
    column = file.schema_arrow.names.index(TABLE)
    for number in range(file.num_row_groups):
        statistics = file.metadata.row_group(number).column(column).statistics
        if statistics is None or not statistics.has_min_max or statistics.null_count:
            return None
        if statistics.min != statistics.max:
            return None
        groups.setdefault(statistics.min, []).append(number)
    return groups


def read_group(path: Path, file: pq.ParquetFile, name: str, groups: list[int]) -> pd.DataFrame:
    """Read one table of a panel file, without the columns that belong to other tables."""
    columns = _columns_of(file, name, groups)
    table = _guarded(path, lambda: file.read_row_groups(groups, columns=columns))
    return _frame(table)


def read_all(path: Path, file: pq.ParquetFile) -> pd.DataFrame:
    """Read a Parquet file as it stands."""
    return _frame(_guarded(path, file.read))


def own_columns(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a table cut out of the union: all but the empty ones of others."""
    spec = TABLES.get(name)
    needed = [column.name for column in spec.columns if column.required] if spec else []
    kept = [
        column
        for column in frame.columns
        if column != TABLE and (column in needed or frame[column].notna().any())
    ]
    return frame[kept].reset_index(drop=True)


def stored_metadata(path: Path, file: pq.ParquetFile) -> dict[str, Any]:
    """Return what the file says about the panel; the dictionary under `dictionary`."""
    stored = file.schema_arrow.metadata or {}
    metadata = _parsed(path, stored, METADATA_KEY)
    if not isinstance(metadata, dict):
        raise _unfit(path, f"{METADATA_KEY.decode()} that is no JSON object")
    if DICTIONARY_KEY in stored:
        metadata["dictionary"] = _parsed(path, stored, DICTIONARY_KEY)
    return metadata


def empty_tables(file: pq.ParquetFile) -> dict[str, pd.DataFrame]:
    """Return the tables the file records as having no rows."""
    recorded = _recorded(file)
    return {
        name: pd.DataFrame({column: pd.Series([], dtype=object) for column in entry["columns"]})
        for name, entry in recorded.items()
        if not entry["rows"]
    }


def write_parquet(
    tables: Mapping[str, pd.DataFrame], metadata: Mapping[str, Any], path: Path
) -> None:
    """Write a whole panel as one file: all of it, or nothing.

    Raises
    ------
    PanelError
        If two tables hold different types under one column name, or cells can't be read.
    RemitstatsError
        If the place can't be written.
    """
    tidy = {name: tidy_table(name, frame) for name, frame in tables.items()}
    contents = {name: pa.Table.from_pandas(f, preserve_index=False) for name, f in tidy.items()}
    schema = _union(contents)
    about = {key: value for key, value in metadata.items() if key != "dictionary"}
    shapes = {
        name: {"columns": list(frame.columns), "rows": len(frame)} for name, frame in tidy.items()
    }
    stored = {METADATA_KEY: as_json(about), TABLES_KEY: as_json(shapes)}
    if "dictionary" in metadata:
        stored[DICTIONARY_KEY] = as_json(metadata["dictionary"])
    schema = schema.with_metadata(stored)
    with (
        whole_file(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for name, content in contents.items():
            if len(content):
                writer.write_table(_widened(name, content, schema), row_group_size=ROWS_IN_GROUP)


def as_json(value: Any) -> str:
    """Return JSON text of metadata; dates and the like as their text."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "item"):
        return value.item()
    return list(value) if isinstance(value, set | frozenset) else str(value)


class ParquetTables(Mapping[str, pd.DataFrame]):
    """The tables of a panel file, each read when first asked for.

    Parameters
    ----------
    path : Path
        The file.
    groups : mapping
        Row groups of each table.
    empty : mapping
        Tables without rows.
    """

    def __init__(self, path: Path, groups: Layout, empty: Mapping[str, pd.DataFrame]) -> None:
        self._path = path
        self._groups = groups
        self._read = {name: tidy_table(name, frame) for name, frame in empty.items()}
        self._names = [*groups, *(name for name in empty if name not in groups)]

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            groups = self._groups[name]
            try:
                with open_parquet(self._path) as file:
                    frame = read_group(self._path, file, name, groups)
            except OSError as error:
                raise PanelError(f"{self._path} can't be read any more: {error}") from error
            self._read[name] = tidy_table(name, frame)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _columns_of(file: pq.ParquetFile, name: str, groups: list[int]) -> list[str]:
    recorded = _recorded(file).get(name, {}).get("columns", [])
    spec = TABLES.get(name)
    needed = {column.name for column in spec.columns if column.required} if spec else set()
    return [
        column
        for at, column in enumerate(file.schema_arrow.names)
        if column != TABLE
        and (column in needed or column in recorded or not _all_null(file, at, groups))
    ]


def _all_null(file: pq.ParquetFile, column: int, groups: list[int]) -> bool:
    for number in groups:
        group = file.metadata.row_group(number)
        statistics = group.column(column).statistics
        if statistics is None or statistics.null_count != group.num_rows:
            return False
    return True


def _recorded(file: pq.ParquetFile) -> dict[str, dict[str, Any]]:
    """Tables as recorded at writing; a hint only, so anything odd counts as not recorded."""
    try:
        recorded = parse_json((file.schema_arrow.metadata or {}).get(TABLES_KEY, b"{}"))
        return {
            str(name): {"columns": [str(c) for c in entry["columns"]], "rows": int(entry["rows"])}
            for name, entry in recorded.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _parsed(path: Path, stored: Mapping[bytes, bytes], key: bytes) -> Any:
    try:
        return parse_json(stored.get(key, b"{}"))
    except ValueError as error:
        raise _unfit(path, f"{key.decode()} that is not JSON") from error


def _frame(table: pa.Table) -> pd.DataFrame:
    decoded = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    table = pa.table(decoded, names=table.column_names)
    frame: pd.DataFrame = table.to_pandas(types_mapper=_TYPES.get, ignore_metadata=True)
    return frame


def _union(contents: Mapping[str, pa.Table]) -> pa.Schema:
    fields: dict[str, pa.DataType] = {TABLE: pa.string()}
    for name, content in contents.items():
        for column in content.schema:
            kind = pa.string() if pa.types.is_large_string(column.type) else column.type
            if pa.types.is_null(fields.setdefault(column.name, kind)):
                fields[column.name] = kind
            known = fields[column.name]
            if known != kind and not pa.types.is_null(kind):
                problem = words.problem(
                    name, "-", column.name, str(kind), f"{known}, as in other tables"
                )
                raise PanelError("One column name has two types.", [problem])
    return pa.schema(list(fields.items()))


def _widened(name: str, content: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        pa.array([name] * len(content), pa.string())
        if field.name == TABLE
        else content.column(field.name).cast(field.type)
        if field.name in content.column_names
        else pa.nulls(len(content), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _guarded[T](path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (pa.ArrowException, OSError) as error:
        raise _unfit(path, f"a damaged file ({str(error).splitlines()[0][:120]})") from error


def _unfit(path: Path, found: str) -> PanelError:
    problem = words.problem(
        path.name, "-", "-", found, "a complete Parquet file", "copy or download it again"
    )
    return PanelError(f"{path} can't be read as Parquet.", [problem])
