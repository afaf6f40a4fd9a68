"""Estimates of one model in two runs, row by row, held against Monte Carlo error.

Two runs of the same model on the same data differ by chance, and that much needs no explanation.
The Monte Carlo standard error of a median is about ``sqrt(pi / 2) * sd / sqrt(ESS)`` (that of a
mean, times what the normal density gives for a median). Where a table holds the effective sample
size of a row, that is used; elsewhere the smallest of the whole fit, so that the error is an upper
bound: a difference beyond it is one, a difference within it may be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from remitstats.estimands.summary import ESTIMATE
from remitstats.report.numbers import KEYS

BEYOND = 3.0  # standard errors of Monte Carlo from which a difference is called one
FEW = 20  # rows of a table that are headlines where it does not tell the nation from others
LARGEST = 12  # differences of a model's municipalities that are listed
_MEDIAN = math.sqrt(math.pi / 2.0)
_NO_KEYS = ("name", "state", "state_name", "region", "description", "reporting", "why", "unit")

_NO_ROWS = pd.DataFrame(
    {
        **{name: pd.Series(dtype="str") for name in ("table", "label")},
        "headline": pd.Series(dtype="bool"),
        **{
            name: pd.Series(dtype="float64")
            for name in (
                *(f"{side}_{end}" for side in "ab" for end in ESTIMATE[2:]),
                *("difference", "error", "ratio"),
            )
        },
    }
)


def compare_estimates(
    name: str, a: Any, b: Any, tables: Iterable[str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Compare the estimates in some tables of a model.

    Parameters
    ----------
    name : str
        The model's.
    a, b : ModelResults
        Its results in both runs.
    tables : iterable of str
        Tables that both have.

    Returns
    -------
    rows, municipalities, largest : DataFrame
        As `remitstats.report.compare.ModelComparison` describes them; empty without tables.
    """
    rows, municipalities, largest = [_NO_ROWS], [], [_NO_ROWS]
    for table in tables:
        pair = _pair(name, table, a, b)
        if pair is None:
            continue
        joined, local = pair
        if local:
            municipalities.append(_counted(table, joined))
            largest.append(_compared(joined))
        else:
            rows.append(_compared(joined))
    most = pd.concat(largest, ignore_index=True)
    most = most[most["ratio"] > BEYOND].sort_values("ratio", ascending=False, kind="stable")
    columns = ["table", "rows", "beyond", "only_a", "only_b"]
    return (
        pd.concat(rows, ignore_index=True),
        pd.DataFrame(municipalities, columns=columns),
        most.head(LARGEST).reset_index(drop=True),
    )


def _pair(name: str, table: str, a: Any, b: Any) -> tuple[pd.DataFrame, bool] | None:
    """Return a table of both runs joined on what tells its rows apart, and whether it is local.

    None where it holds no estimates, or its rows can't be told apart.
    """
    frames = []
    for one in (a, b):
        frame = one.tables[table]
        if not {*ESTIMATE} <= set(frame.columns):
            return None
        size = frame.get("ess_bulk", one.gate.ess_bulk_min)
        frames.append(frame.assign(error=_MEDIAN * frame["sd"] / np.sqrt(size)))
    keys = _keys(name, table, frames)
    if keys is None:
        return None
    wanted = [*keys, *ESTIMATE[2:], "error", *(n for n in ("name", "level") if n in frames[0])]
    left, right = (
        frame[list(dict.fromkeys(c for c in wanted if c in frame))].assign(
            **{key: frame[key].astype(str) for key in keys}
        )
        for frame in frames
    )
    joined = left.merge(right, on=keys, how="outer", suffixes=("_a", "_b"), indicator=True)
    local = "cvegeo" in keys
    level = next((joined[c] for c in ("level", "level_a") if c in joined), None)
    # What is told of single municipalities or hyperparameters, or at length, is no headline.
    short = not local and table != "parameter" and len(joined) <= FEW
    headline = short if level is None else (level == "nation") & (not local)
    return joined.assign(table=table, label=_labels(joined, keys), headline=headline), local


def _keys(name: str, table: str, frames: list[pd.DataFrame]) -> list[str] | None:
    """Return the columns that tell the rows of a table apart in both runs."""
    first = frames[0]
    told = KEYS.get(f"{name}/{table}") or KEYS.get(table) or ()
    leading = list(first.columns[: list(first.columns).index(ESTIMATE[0])])
    guessed = [
        column
        for column in leading
        if column not in _NO_KEYS and not pd.api.types.is_float_dtype(first[column])
    ]
    for keys in (list(told), guessed):
        if keys and all(
            set(keys) <= set(frame.columns) and not frame.duplicated(keys).any() for frame in frames
        ):
            return keys
    return None


def _labels(joined: pd.DataFrame, keys: list[str]) -> pd.Series[str]:
    """Return what each row is of: its name, where it has one, and what else tells it apart."""
    named = "name_a" in joined
    parts = [joined[key] for key in keys if not (named and key in ("level", "code"))]
    if named:
        name = joined["name_a"].where(joined["name_a"].notna(), joined["name_b"])
        parts.insert(0, name.astype(str))
    label = parts[0].astype(str)
    for part in parts[1:]:
        label = label + ", " + part.astype(str)
    return label


def _compared(joined: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of both runs with their differences against Monte Carlo error."""
    rows = joined[joined["_merge"] == "both"]
    difference = rows["median_b"] - rows["median_a"]
    error = (rows["error_a"] ** 2 + rows["error_b"] ** 2) ** 0.5
    size = difference.abs()
    ratio = (size / error.where(error > 0)).where(error > 0, np.where(size > 0, np.inf, 0.0))
    found = pd.DataFrame(
        {
            "table": rows["table"],
            "label": rows["label"],
            "headline": rows["headline"].astype(bool),
            **{f"{s}_{end}": rows[f"{end}_{s}"] for s in "ab" for end in ESTIMATE[2:]},
            "difference": difference,
            "error": error,
            "ratio": ratio,
        }
    )
    return found.dropna(subset=["difference"])


def _counted(table: str, joined: pd.DataFrame) -> dict[str, Any]:
    both = _compared(joined)
    return {
        "table": table,
        "rows": len(both),
        "beyond": int((both["ratio"] > BEYOND).sum()),
        "only_a": int((joined["_merge"] == "left_only").sum()),
        "only_b": int((joined["_merge"] == "right_only").sum()),
    }
