"""Filling in the geography that a user's panel leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from remitstats.panel.cells import read_column
from remitstats.panel.code_form import MEXICO, CodeForm, codes_of
from remitstats.panel.panel import Panel
from remitstats.panel.schema import REQUIRED_TABLE

GEOGRAPHY = ("municipality", "state", "adjacency", "shape")
WHOLE_COUNTRY = "Whole country"


@dataclass(frozen=True)
class Completed:
    """A panel's tables with their geography.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Those given, and those filled in.
    metadata : dict
        That given; `geography` names where tables filled in came from.
    """

    tables: dict[str, pd.DataFrame]
    metadata: dict[str, Any] = field(default_factory=dict)


def complete(
    tables: Mapping[str, pd.DataFrame], metadata: Mapping[str, Any], mexico: Panel | None
) -> Completed:
    """Fill in the tables `municipality` and `state`, and for Mexico also its map.

    A panel without a table of municipalities is taken for one of Mexico if it holds a code of
    Mexico; its municipalities, states, neighbours and shapes are then those shipped. Of any other
    panel, municipalities are called by their codes, and states are what codes begin with (see
    `Codes.state_of`); its neighbours can't be known.

    Parameters
    ----------
    tables, metadata : mapping
        Of the panel as given; nothing in them is changed or replaced.
    mexico : Panel or None
        The shipped panel.
    """
    filled, about = dict(tables), dict(metadata)
    form = codes_of(about)
    if form.own:  # what of a template was not filled in counts as left out
        left = [name for name in GEOGRAPHY if name in filled and not len(filled[name])]
        filled = {name: frame for name, frame in filled.items() if name not in left}
    mexican = not form.own and about.get("country") in MEXICO
    codes = _codes(tables.get(REQUIRED_TABLE), "cvegeo", form.municipality)
    if codes and "municipality" not in tables and mexico is not None and mexican:
        municipality = mexico.table("municipality")
        part = municipality[municipality["cvegeo"].isin(codes)]
        if len(part):
            missing = [name for name in GEOGRAPHY if name not in tables and name in mexico]
            for name in missing:
                filled[name] = _of(mexico.table(name), set(part["cvegeo"]))
            about["geography"] = f"{', '.join(missing)}: the shipped panel of Mexico"
            about.setdefault("country", "Mexico")
    if codes and "municipality" not in filled:
        rows = sorted(codes)
        filled["municipality"] = pd.DataFrame(
            {"cvegeo": rows, "name": rows, "state": [form.state_of(code) for code in rows]}
        )
    states = _codes(filled.get("municipality"), "state", form.state)
    if states and "state" not in filled:
        rows = sorted(states)
        filled["state"] = pd.DataFrame({"state": rows, "name": rows, "region": WHOLE_COUNTRY})
    return Completed(filled, about)


def _codes(frame: pd.DataFrame | None, column: str, form: CodeForm) -> set[str]:
    """Return the well-formed codes of a column that may hold anything."""
    if frame is None or column not in frame.columns:
        return set()
    cells = frame.loc[:, column]
    cells = cells.iloc[:, 0] if isinstance(cells, pd.DataFrame) else cells
    texts = read_column(cells, "text").cells.dropna()
    return {text for text in texts if form.matches(text)}


def _of(table: pd.DataFrame, codes: set[str]) -> pd.DataFrame:
    states = {code[:2] for code in codes}
    for column in ("cvegeo", "cvegeo_a", "cvegeo_b"):
        if column in table.columns:
            table = table[table[column].isin(codes)]
    if "cvegeo" not in table.columns and "state" in table.columns:
        table = table[table["state"].isin(states)]
    return table.reset_index(drop=True)
