"""Reading a panel's dictionary of columns, in whichever of the usual forms it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIELDS = ("publisher", "source_table", "vintage", "unit", "definition", "terms")
# Other words for the same thing in dictionaries that users bring.
_ALIASES = {
    "publisher": ("publisher",),
    "source_table": ("source", "source_table", "published_table", "publisher_table", "table"),
    "vintage": ("vintage", "date", "consulted"),
    "unit": ("unit", "units"),
    "definition": ("definition", "description", "meaning"),
    "terms": ("terms", "licence", "license"),
}


def read_dictionary(dictionary: Any) -> dict[str, list[dict[str, str]]]:
    """Return one line a column of the panel, by table.

    Parameters
    ----------
    dictionary : mapping or list
        ``{table: {column: {publisher: …}}}`` or a list of records with ``table`` and ``column``.
        Anything else gives no lines.

    Returns
    -------
    dict of str to list of dict
        By table, the table that a report needs most first: ``column`` and `FIELDS`, all text.
    """
    lines = []
    if isinstance(dictionary, Mapping):
        for table, columns in dictionary.items():
            inner = columns.get("columns", columns) if isinstance(columns, Mapping) else columns
            if isinstance(inner, list):
                named = [(entry.get("column") or entry.get("name"), entry) for entry in inner]
            elif isinstance(inner, Mapping):
                named = list(inner.items())
            else:
                continue
            lines += [_line(table, name, entry) for name, entry in named]
    elif isinstance(dictionary, list):
        for entry in dictionary:
            if isinstance(entry, Mapping):
                about = {key: value for key, value in entry.items() if key != "table"}
                lines.append(_line(entry.get("table"), entry.get("column"), about))
    first = [line["table"] for line in lines if line["table"] == "municipality_wave"]
    by_table: dict[str, list[dict[str, str]]] = {name: [] for name in first}
    for line in lines:
        by_table.setdefault(line["table"], []).append(line)
    return by_table


def _line(table: Any, column: Any, entry: Any) -> dict[str, str]:
    about = entry if isinstance(entry, Mapping) else {"definition": entry}
    line = {"table": str(table or ""), "column": str(column or "")}
    for field in FIELDS:
        found = next((about[name] for name in _ALIASES[field] if about.get(name)), "")
        line[field] = ", ".join(map(str, found)) if isinstance(found, list) else str(found)
    return line
