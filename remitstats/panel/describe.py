"""What a panel holds, in figures: sizes, coverage, publishers, and totals to check against."""

from __future__ import annotations

from typing import Any

import pandas as pd

from remitstats.panel.panel import Panel

_TIMES = ("wave", "year", "quarter", "month")


def describe(panel: Panel) -> dict[str, Any]:
    """Return what a panel holds.

    Parameters
    ----------
    panel : Panel
        A valid panel.

    Returns
    -------
    dict
        `title`, `country`, `built`, `version`, `hash`; `tables` (rows, columns and periods of
        each); `municipalities`, `states`, `waves`; `publishers`; `check_figures`: reliance (% of
        dwellings, weighted by dwellings) and dwellings by wave, remittances (USD million) by year
        from municipal and from state tables, population (persons) by census,
        with those the census places in no municipality.
    """
    wave = panel.table("municipality_wave")
    known = wave.dropna(subset=["receiving_percent", "dwellings"])
    codes = panel.table("municipality")["cvegeo"] if "municipality" in panel else wave["cvegeo"]
    return {
        **{key: panel.metadata.get(key) for key in ("title", "country", "built", "version")},
        "hash": panel.hash,
        "municipalities": int(codes.nunique()),
        "states": len(set(panel.states_of(codes.unique()))),
        "waves": [int(year) for year in sorted(known["wave"].unique())],
        "tables": {name: _extent(panel.table(name)) for name in panel.tables},
        "publishers": _publishers(panel),
        "check_figures": _figures(panel, known),
    }


def _extent(frame: pd.DataFrame) -> dict[str, Any]:
    time = next((column for column in _TIMES if column in frame.columns), None)
    periods = frame[time].dropna() if time else frame.iloc[:0, 0]
    return {
        "rows": len(frame),
        "columns": list(frame.columns),
        "from": str(periods.min()) if len(periods) else None,
        "to": str(periods.max()) if len(periods) else None,
    }


def _publishers(panel: Panel) -> list[dict[str, str]]:
    provenance = panel.metadata.get("provenance")
    entries = provenance.values() if isinstance(provenance, dict) else ()
    wanted = ("publisher", "table", "vintage", "terms")
    return [
        {key: str(entry.get(key, "")) for key in wanted}
        for entry in entries
        if isinstance(entry, dict)
    ]


def _figures(panel: Panel, known: pd.DataFrame) -> dict[str, dict[str, float]]:
    weights = known["dwellings"].astype("float64")
    receiving = (known["receiving_percent"] * weights).groupby(known["wave"]).sum()
    dwellings = weights.groupby(known["wave"]).sum()
    figures: dict[str, dict[str, float]] = {
        "reliance_percent": _plain(receiving / dwellings, 3),
        "dwellings": _plain(dwellings, 0),
    }
    if "municipality_census" in panel:
        census = panel.table("municipality_census")
        persons = census.groupby("year")["population"].sum()
        figures["population"] = _plain(persons.add(_unplaced(panel), fill_value=0), 0)
    for name in ("municipality_quarter", "state_quarter"):
        if name in panel:
            table = panel.table(name)
            money = table["remittances_usd_million"].groupby(table["quarter"].str[:4]).sum()
            figures[f"{name.removesuffix('_quarter')}_remittances_usd_million"] = _plain(money, 1)
    return figures


def _unplaced(panel: Panel) -> pd.Series:
    """Persons by census year that the census places in a state but in no municipality."""
    records = panel.metadata.get("census_undistributed") or []
    return pd.DataFrame(records, columns=["year", "population"]).groupby("year")["population"].sum()


def _plain(values: pd.Series, digits: int) -> dict[str, float]:
    return {
        str(key): round(float(value), digits) if digits else int(value)
        for key, value in values.items()
    }
