"""Banco de México: remittances by municipality, state and nation; the FIX exchange rate.

Two vintages stand side by side and are never spliced: CE166 (municipal, consulted 2026-05-05) and
the later CE100 and CE81. They agree to rounding up to 2023; from 2024 the later ones are revised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.sources.files import FILES
from remitstats.sources.reading import csv_rows, numbers, read_table
from remitstats.sources.source_file import SourceFile

_STATE_TITLE = re.compile(r"Ingresos por Remesas Familiares, (?P<state>.+)")
_MUNICIPAL_TITLE = re.compile(
    r"Ingresos por Remesas, Distribución por Municipio, (?P<state>[^,]+), (?P<name>.+)"
)
_UNIDENTIFIED = "No identificado"
_UNIT = "Millones de Dólares"

FLOWS = {"1": "in", "2": "out"}


@dataclass(frozen=True)
class MunicipalRemittances:
    """CE166 as published, in USD millions; states and municipalities by Banxico's names.

    Parameters
    ----------
    municipal : DataFrame
        ``state_name``, ``name``, ``quarter``, ``remittances_usd_million``.
    unidentified : DataFrame
        ``state_name``, ``quarter``, ``unidentified_usd_million``: money paid out in a state whose
        municipality the paying agent did not report.
    state : DataFrame
        ``state_name``, ``quarter``, ``remittances_ce166_usd_million``: Banxico's own totals.
    """

    municipal: pd.DataFrame
    unidentified: pd.DataFrame
    state: pd.DataFrame


def quarter_of(file: SourceFile, dates: pd.Series[str], pattern: str) -> pd.Series[str]:
    """Return quarters (``2013Q1``) from dates; refuse what is no first day of a quarter."""
    days = pd.to_datetime(dates, format=pattern, errors="coerce")
    wrong = days.isna() | (days.dt.day != 1) | (days.dt.month % 3 != 1)
    if wrong.any():
        raise PanelError(
            f"The official file {file.path} has dates that open no quarter.",
            [
                Problem(file.path, f"line {line}", str(dates.name), repr(date), pattern)
                for line, date in dates[wrong].head(50).items()
            ],
        )
    return days.dt.year.astype(str) + "Q" + days.dt.quarter.astype(str)


def read_municipal_quarters(raw: Path) -> MunicipalRemittances:
    """Return CE166: one series a column, metadata on top, municipalities by name only.

    Raises
    ------
    PanelError
        If the file is missing, in another encoding, has lost its head, a series in another unit
        or of another kind, or cells that are no numbers.
    """
    file = FILES["banxico-ce166"]
    rows = csv_rows(raw, file)
    head = {row[0]: row[1:] for row in rows if row and row[0] in ("Título", "Unidad", "Fecha")}
    lost = [name for name in ("Título", "Unidad", "Fecha") if name not in head]
    if lost or len({len(row) for row in head.values()}) > 1:
        raise PanelError(
            f"The official file {file.path} has lost its head.",
            [Problem(file.path, "head", name, "no such row", "one such row") for name in lost],
        )
    start = next(number for number, row in enumerate(rows) if row and row[0] == "Fecha") + 1
    body = {number: row for number, row in enumerate(rows[start:], start + 1) if row}
    _check_series(file, head, body)
    cells = pd.DataFrame.from_dict(body, orient="index", dtype=str)
    dates = cells[0].rename("Fecha")
    cells = cells.drop(columns=[0]).set_axis(range(len(head["Título"])), axis=1)
    cells.index.name = "line"
    quarters = quarter_of(file, dates, "%d/%m/%Y")
    long = cells.reset_index().melt(id_vars="line", var_name="series", value_name="value")
    ids = pd.Series(head["Fecha"])[long["series"]].to_numpy()
    long["value"] = numbers(file, long["value"].set_axis([long["line"], ids])).to_numpy()
    long["quarter"] = long["line"].map(quarters)
    return _split(file, head["Título"], long.drop(columns="line"))


def _check_series(file: SourceFile, head: dict[str, list[str]], body: dict[int, list[str]]) -> None:
    width = len(head["Título"]) + 1
    problems = [
        Problem(file.path, f"line {line}", "-", f"{len(row)} cells", f"{width} cells")
        for line, row in body.items()
        if len(row) != width
    ]
    for title, unit, series in zip(head["Título"], head["Unidad"], head["Fecha"], strict=True):
        if not (_STATE_TITLE.fullmatch(title) or _MUNICIPAL_TITLE.fullmatch(title)):
            accepted = "a state's or a municipality's remittances"
            problems.append(Problem(file.path, "Título", series, repr(title), accepted))
        if unit != _UNIT:
            problems.append(Problem(file.path, "Unidad", series, repr(unit), _UNIT))
    if problems or not body:
        raise PanelError(f"The official file {file.path} is not CE166 as published.", problems)


def _split(file: SourceFile, titles: list[str], long: pd.DataFrame) -> MunicipalRemittances:
    series = pd.DataFrame(
        [
            (match["state"], match.groupdict().get("name"))
            for title in titles
            if (match := _STATE_TITLE.fullmatch(title) or _MUNICIPAL_TITLE.fullmatch(title))
        ],
        columns=["state_name", "name"],
    )
    repeated = series[series.duplicated(keep=False)]
    if not repeated.empty:
        raise PanelError(
            f"The official file {file.path} has a series twice.",
            [
                Problem(file.path, "Título", "-", f"{row.name} in {row.state_name}", "once")
                for row in repeated.itertuples(index=False)
            ],
        )
    table = long.join(series, on="series")
    is_state, is_unidentified = table["name"].isna(), table["name"] == _UNIDENTIFIED

    def part(rows: pd.Series[bool], columns: list[str], value: str) -> pd.DataFrame:
        chosen = table.loc[rows, [*columns, "value"]].rename(columns={"value": value})
        return chosen.sort_values(columns, ignore_index=True)

    return MunicipalRemittances(
        municipal=part(
            ~is_state & ~is_unidentified,
            ["state_name", "name", "quarter"],
            "remittances_usd_million",
        ),
        unidentified=part(is_unidentified, ["state_name", "quarter"], "unidentified_usd_million"),
        state=part(is_state, ["state_name", "quarter"], "remittances_ce166_usd_million"),
    )


def read_state_quarters(raw: Path) -> pd.DataFrame:
    """Return CE100: ``state``, ``quarter``, ``remittances_usd_million`` (published in dollars)."""
    file = FILES["banxico-ce100"]
    cells = read_table(raw, file)
    table = pd.DataFrame(
        {
            "state": cells["CVE_ENT"].str.strip().str.zfill(2),
            "quarter": quarter_of(file, cells["PERIODO"], "%Y-%m-%d"),
            "remittances_usd_million": numbers(file, cells["VALOR_USD"], whole=True) / 1e6,
        }
    )
    _refuse_repeats(file, table, ["state", "quarter"])
    return table.astype({"remittances_usd_million": float}).reset_index(drop=True)


def read_national_months(raw: Path) -> pd.DataFrame:
    """Return CE81 and CE165: money and transfers into Mexico and out of it, by month.

    Returns
    -------
    DataFrame
        ``month``, ``remittances_usd_million``, ``remittance_operations``,
        ``remittances_out_usd_million``, ``remittance_out_operations``; the outflows are null
        before 2013.
    """
    file = FILES["banxico-ce81"]
    cells = read_table(raw, file)
    long = pd.DataFrame(
        {
            "month": cells["PERIODO"].str.slice(0, 7),
            "flow": cells["ID_FLUJO"].str.strip().map(FLOWS),
            "usd": numbers(file, cells["VALOR_USD"], whole=True),
            "operations": numbers(file, cells["OPERACIONES"], whole=True),
        }
    )
    unknown = long["flow"].isna()
    if unknown.any():
        raise PanelError(
            f"The official file {file.path} has a flow that is neither in (1) nor out (2).",
            [
                Problem(file.path, f"line {line}", "ID_FLUJO", repr(cell), "1 or 2")
                for line, cell in cells.loc[unknown, "ID_FLUJO"].head(50).items()
            ],
        )
    _refuse_repeats(file, long, ["month", "flow"])
    lost = [flow for flow in FLOWS.values() if flow not in set(long["flow"])]
    if lost:
        raise PanelError(
            f"The official file {file.path} lacks one of the two flows.",
            [Problem(file.path, "-", "ID_FLUJO", f"no month of {flow}", "both") for flow in lost],
        )
    wide = long.pivot(index="month", columns="flow", values=["usd", "operations"])
    table = pd.DataFrame(
        {
            "remittances_usd_million": wide["usd", "in"].astype(float) / 1e6,
            "remittance_operations": wide["operations", "in"].astype("Int64"),
            "remittances_out_usd_million": wide["usd", "out"].astype(float) / 1e6,
            "remittance_out_operations": wide["operations", "out"].astype("Int64"),
        }
    )
    return table.reset_index()


def read_exchange_rate(raw: Path) -> pd.DataFrame:
    """Return ``month``, ``mxn_per_usd``; the series' zeros (before the FIX existed) are nulls."""
    file = FILES["banxico-fix"]
    cells = read_table(raw, file)
    rate = numbers(file, cells["TIPO_CAMBIO"])
    table = pd.DataFrame({"month": cells["PERIODO"].str.slice(0, 7), "mxn_per_usd": rate})
    table["mxn_per_usd"] = rate.mask(rate == 0)
    _refuse_repeats(file, table, ["month"])
    return table.reset_index(drop=True)


def _refuse_repeats(file: SourceFile, table: pd.DataFrame, key: list[str]) -> None:
    twice = table[table.duplicated(key, keep=False)]
    if not twice.empty:
        raise PanelError(
            f"The official file {file.path} has a period twice.",
            [
                Problem(file.path, f"line {line}", ", ".join(key), ", ".join(map(str, row)), "once")
                for line, row in zip(twice.index[:50], twice[key].to_numpy(), strict=False)
            ],
        )
