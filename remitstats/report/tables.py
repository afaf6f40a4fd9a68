"""The table of all municipalities as data for the interactive page."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from remitstats.estimands.results import RelianceResults
from remitstats.report.texts import Texts


def municipality_data(results: RelianceResults, texts: Texts) -> dict[str, Any]:
    """Return the municipality table for the page's script.

    Parameters
    ----------
    results : RelianceResults
        Source; its `municipalities` is what stands in ``summaries/municipalities.csv`` too.
    texts : Texts
        For the column titles.

    Returns
    -------
    dict
        ``columns`` (one a CSV column: name, kind, title where it is shown, positions of its
        interval), ``rows`` (lists in that order), ``states`` (for the filter).
    """
    table = results.municipalities()
    place = {name: i for i, name in enumerate(table.columns)}
    shown: dict[str, tuple[str, str]] = {
        "cvegeo": (texts.plain("table.code"), "text"),
        "name": (texts.plain("table.name"), "text"),
        "state_name": (texts.plain("table.state"), "text"),
    }
    for wave in results.waves:
        title = texts.plain("table.reliance", wave=wave)
        shown[f"reliance_{wave}_median"] = (title, "percent1")
    for start, end in results.intervals:
        title = texts.plain("table.change", start=start, end=end)
        shown[f"change_{start}_{end}_median"] = (title, "points1")
        title = texts.plain("table.p_increase", start=start, end=end)
        shown[f"p_increase_{start}_{end}"] = (title, "probability")

    columns = []
    for name in table.columns:
        numeric = pd.api.types.is_numeric_dtype(table[name])
        column: dict[str, Any] = {"name": name, "kind": "number" if numeric else "text"}
        if name in shown:
            column["title"], column["kind"] = shown[name]
        lower = name.removesuffix("_median") + "_eti90_lower"
        if name.endswith("_median") and lower in place:
            column["lower"], column["upper"] = place[lower], place[lower.replace("lower", "upper")]
        if name.startswith("reliance_") and name.endswith("_median"):
            column["measured"] = place[f"measured_{name.split('_')[1]}"]
        columns.append(column)
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    states = sorted(str(name) for name in table["state_name"].dropna().unique())
    return {"columns": columns, "rows": rows, "states": states}


def _cell(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if hasattr(value, "item"):
        return value.item()
    return value
