"""The dictionary of the shipped panel: one record a column, as data and as text.

``python -m remitstats.panel.dictionary`` writes ``data/dictionary.json`` and ``data/README.md``
of a repository anew; a test says when they are out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from remitstats.panel.definition import Definition
from remitstats.panel.definitions import TABLES
from remitstats.panel.readme import readme_text
from remitstats.sources.files import FILES

PROJECT_TERMS = "As the project's own licence."


def dictionary_records() -> list[dict[str, str]]:
    """Return one record a column of the shipped panel.

    Returns
    -------
    list of dict
        ``table``, ``column``, ``publisher``, ``source`` (the publisher's table), ``vintage``,
        ``unit``, ``definition``, ``terms``; in the order of tables and columns.
    """
    return [
        _record(table, definition)
        for table, definitions in TABLES.items()
        for definition in definitions
    ]


def _record(table: str, definition: Definition) -> dict[str, str]:
    files = [FILES[key] for key in definition.sources]
    return {
        "table": table,
        "column": definition.column,
        "publisher": _each(file.publisher for file in files) or "remitstats",
        "source": _each(file.table for file in files) or "set by the build",
        "vintage": _each(file.vintage for file in files) or "-",
        "unit": definition.unit,
        "definition": definition.meaning,
        "terms": _each(file.terms for file in files) or PROJECT_TERMS,
    }


def _each(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def dictionary_json() -> str:
    """Return the text of ``data/dictionary.json``."""
    return json.dumps(dictionary_records(), ensure_ascii=False, indent=1) + "\n"


def documents() -> dict[str, str]:
    """Return name and text of the documents that stand beside the shipped panel."""
    records = dictionary_records()
    return {"dictionary.json": dictionary_json(), "README.md": readme_text(records)}


def write_documents(folder: Path) -> None:
    """Write the documents into the folder of the shipped panel."""
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_documents(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("data"))
