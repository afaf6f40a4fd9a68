"""The panel: named tidy tables with what is known about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from remitstats.errors import PanelError, Problem
from remitstats.panel import words
from remitstats.panel.cells import Reading, infer_kind, read_column
from remitstats.panel.schema import TABLES
from remitstats.panel.spec import ColumnSpec, TableSpec


@dataclass(frozen=True, eq=False)
class Panel:
    """Tables of one country, keyed by name, with what is known about them.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Tidy tables as `remitstats.panel.schema.TABLES` describes them. Only `municipality_wave`
        is needed.
    metadata : mapping
        Country, title, date the data were consulted, version, provenance; under `dictionary` the
        description of the columns.

    Notes
    -----
    `remitstats.load_panel` gives a panel whose tables have been checked. A panel put together by
    hand is taken as it is; `check_panel` says what is wrong with it.
    """

    tables: Mapping[str, pd.DataFrame]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame:
        """Return a copy of the table `name`.

        Raises
        ------
        PanelError
            If the panel has no such table; the nearest name is suggested.
        """
        if name not in self.tables:
            hint = words.nearest(name, self.tables) or f"it has {', '.join(self.tables)}"
            raise PanelError(f"The panel has no table {words.name(name)}: {hint}")
        return self.tables[name].copy()

    def __contains__(self, name: object) -> bool:
        return name in self.tables

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(frame):,}" for name, frame in self.tables.items())
        return f"Panel({sizes})"

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of what the tables say.

        It does not depend on the order of rows, columns or tables, on the kind of file or on the
        metadata. Columns and tables without any value do not count.

        Raises
        ------
        PanelError
            If cells can't be read as what the schema says.
        """
        digest = hashlib.sha256()
        for name in sorted(self.tables):
            frame = tidy_table(name, self.tables[name])
            if len(frame):
                digest.update(_framed(name.encode()))
                _hash_table(digest, frame, TABLES.get(name))
        return digest.hexdigest()[:16]

    def with_table(self, name: str, frame: pd.DataFrame) -> Panel:
        """Return a panel in which `frame`, made tidy, is the table `name`."""
        return replace(self, tables={**self.tables, name: tidy_table(name, frame)})

    def select(
        self, states: Iterable[str] | None = None, *, waves: Iterable[int] | None = None
    ) -> Panel:
        """Return the part of the panel that lies in some states, some census waves, or both.

        Parameters
        ----------
        states : iterable of str, optional
            Their codes, such as ``["14", "32"]``; all states by default.
        waves : iterable of int, optional
            Years of census waves, such as ``[2020]``; all waves by default.

        Returns
        -------
        Panel
            Municipal and state tables of these states; of `adjacency` the pairs inside them;
            tables by wave cut to these waves. National tables, the account and the metadata
            stay whole.

        Raises
        ------
        PanelError
            If a state has no municipality in the panel, or a wave no row; the padded code or
            nearest name is offered.
        """
        kept = dict(self.tables)
        if states is not None:
            wanted = self._known_states(states)
            kept = {name: self._rows_in(frame, wanted) for name, frame in kept.items()}
        if waves is not None:
            years = self._known_waves(waves)
            kept = {name: _rows_of(frame, years) for name, frame in kept.items()}
        return replace(self, tables=kept)

    def states_of(self, codes: Iterable[str]) -> np.ndarray:
        """Return the state of each municipality, shape (municipality,).

        Parameters
        ----------
        codes : iterable of str
            Codes of municipalities. One that the table `municipality` does not have is taken to
            begin with the two digits of its state, as in Mexico.
        """
        table = self.tables.get("municipality")
        known: dict[str, str] = {}
        if table is not None and {"cvegeo", "state"} <= set(table.columns):
            rows = table[["cvegeo", "state"]].dropna().astype(str)
            known = dict(zip(rows["cvegeo"], rows["state"], strict=True))
        return np.array([known.get(str(code), str(code)[:2]) for code in codes], dtype=str)

    def _known_states(self, states: Iterable[str]) -> list[str]:
        wanted = list(dict.fromkeys(str(state) for state in states))
        names = self._state_names()
        problems = [
            words.problem(
                "the selection",
                "-",
                "states",
                words.show(state),
                "codes of states in the panel: " + ", ".join(names),
                _state_remedy(state, names),
            )
            for state in wanted
            if state not in names
        ]
        if problems or not wanted:
            raise PanelError("There is no such state in the panel.", problems)
        return wanted

    def _known_waves(self, waves: Iterable[int]) -> list[str]:
        wanted = list(dict.fromkeys(str(wave) for wave in waves))
        table = self.tables.get("municipality_wave")
        known = [] if table is None else sorted({str(wave) for wave in table["wave"].dropna()})
        problems = [
            words.problem(
                "the selection",
                "-",
                "waves",
                words.show(wave),
                "waves in the panel: " + ", ".join(known),
                "",
            )
            for wave in wanted
            if wave not in known
        ]
        if problems or not wanted:
            raise PanelError("There is no such wave in the panel.", problems)
        return wanted

    def _state_names(self) -> dict[str, str]:
        """Codes of the states that have municipalities, with their names where known."""
        codes: set[str] = set()
        for name in ("municipality", "municipality_wave"):
            if name in self.tables:
                codes |= set(self.states_of(self.tables[name]["cvegeo"].dropna().unique()))
        known: dict[str, str] = {}
        if "state" in self.tables:
            table = self.tables["state"]
            known = dict(zip(table["state"], table["name"], strict=True))
        return {code: known.get(code, code) for code in sorted(codes)}

    def _rows_in(self, frame: pd.DataFrame, states: list[str]) -> pd.DataFrame:
        inside = pd.Series(True, index=frame.index)
        for column in ("cvegeo", "cvegeo_a", "cvegeo_b", "state"):
            if column not in frame.columns:
                continue
            codes = frame[column].dropna().astype(str)
            found = codes if column == "state" else pd.Series(self.states_of(codes), codes.index)
            inside &= frame[column].isna() | found.isin(states).reindex(
                frame.index, fill_value=False
            )
        return frame[inside].reset_index(drop=True)


def tidy_table(
    name: str, frame: pd.DataFrame, lines: Sequence[int] | np.ndarray | None = None
) -> pd.DataFrame:
    """Return a table in its canonical form.

    Parameters
    ----------
    name : str
        Name of the table; columns the schema doesn't know keep their order after those it does.
    frame : pandas.DataFrame
        The table, of any index and order.
    lines : sequence of int, optional
        Lines of the file on which its rows stand, to name rows by in errors.

    Returns
    -------
    pandas.DataFrame
        Columns in the schema's order and types, rows sorted by key, index 0, 1, 2, …

    Raises
    ------
    PanelError
        If cells can't be read as what the schema says; no value is changed or dropped.
    """
    spec = TABLES.get(name)
    columns: dict[str, pd.Series] = {}
    problems: list[Problem] = []
    for column in ordered_columns(spec, frame):
        series = frame[column]
        known = spec.column(column) if spec else None
        reading = read_column(series, known.kind if known else infer_kind(series))
        if reading.unreadable.any():
            accepted = known.accepted if known else "values of one type"
            problems += [
                words.problem(
                    name,
                    f"row {position + 1}" if lines is None else f"line {lines[int(position)]}",
                    column,
                    words.show(series.iloc[position]),
                    accepted,
                    words.remedy(known, series.iloc[position]) if known else "",
                )
                for position in np.flatnonzero(reading.unreadable)
            ]
        columns[column] = canonical(reading, known)
    if problems:
        raise PanelError(f"The table {words.name(name)} has cells that can't be read.", problems)
    table = pd.DataFrame(columns, index=frame.index)
    keys = [key for key in (spec.key if spec else ()) if key in columns]
    if keys:
        table = table.sort_values(keys, kind="stable")
    return table.reset_index(drop=True)


def ordered_columns(spec: TableSpec | None, frame: pd.DataFrame) -> list[str]:
    """Return the names of a table's columns, the schema's first and in its order."""
    present = list(dict.fromkeys(str(column) for column in frame.columns))
    known = [column for column in (spec.column_names if spec else ()) if column in present]
    return known + [column for column in present if column not in known]


def canonical(reading: Reading, spec: ColumnSpec | None) -> pd.Series:
    """Return the values in their final type: plain where the schema allows no empty cell."""
    values = reading.cells
    may_be_empty = spec is None or spec.nullable
    if values.dtype == "Int64" and not may_be_empty and not values.isna().any():
        return values.astype("int64")
    if values.dtype == "boolean" and not may_be_empty and not values.isna().any():
        return values.astype("bool")
    return values


def _rows_of(frame: pd.DataFrame, waves: list[str]) -> pd.DataFrame:
    if "wave" not in frame.columns:
        return frame
    return frame[frame["wave"].astype(str).isin(waves)].reset_index(drop=True)


def _state_remedy(state: str, names: Mapping[str, str]) -> str:
    padded = [code for code in names if state.isdigit() and state.zfill(len(code)) == code]
    if padded:
        return f'write "{padded[0]}"'
    by_name = {name.casefold(): code for code, name in names.items()}
    if state.casefold() in by_name:
        return f'write its code, "{by_name[state.casefold()]}"'
    return words.nearest(state, names.values())


def _framed(content: bytes) -> bytes:
    """Prefix a piece with its length, so that no two sequences of pieces read the same."""
    return len(content).to_bytes(8, "little") + content


def _hash_table(digest: Any, table: pd.DataFrame, spec: TableSpec | None) -> None:
    filled = [column for column in sorted(table.columns) if table[column].notna().any()]
    if spec is None or not spec.unique or table.duplicated(list(spec.key)).any():
        order = table[filled].astype(str).sort_values(filled, kind="stable").index
        table = table.loc[order]
    for column in filled:
        missing = table[column].isna().to_numpy(dtype=bool)
        digest.update(_framed(column.encode()))
        digest.update(_framed(missing.tobytes()))
        digest.update(_framed(_content(table[column], missing)))


def _content(values: pd.Series, missing: np.ndarray) -> bytes:
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.fillna(False).to_numpy(dtype="u1").tobytes()
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.fillna(0).to_numpy(dtype="<i8").tobytes()
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = np.where(missing, 0.0, values.to_numpy(dtype="<f8")) + 0.0  # -0.0 becomes 0.0
        return numbers.astype("<f8").tobytes()
    pieces = pa.array(values, from_pandas=True)
    if isinstance(pieces, pa.ChunkedArray):
        pieces = pieces.combine_chunks()
    pieces = pieces.cast(pa.large_binary()).fill_null(b"")
    _, offsets, content = pieces.buffers()
    ends = np.frombuffer(offsets, dtype="<i8")[pieces.offset : pieces.offset + len(pieces) + 1]
    texts = b"" if content is None else content[int(ends[0]) : int(ends[-1])].to_pybytes()
    return np.diff(ends).tobytes() + texts
