"""The shipped panel, from the official files: read, fold to 2010 boundaries, put together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.geography.regions import state_table
from remitstats.panel.account import Account
from remitstats.panel.build_census import build_census, build_municipality
from remitstats.panel.build_condition import build_condition
from remitstats.panel.build_country import build_country
from remitstats.panel.build_geography import build_adjacency, build_shapes
from remitstats.panel.build_money import build_money
from remitstats.panel.build_nation import build_nation
from remitstats.panel.build_wave import build_wave
from remitstats.panel.dictionary import dictionary_records
from remitstats.panel.panel import Panel
from remitstats.sources.files import CONSULTED, FILES
from remitstats.sources.reading import require_files

Progress = Callable[[str, int, int], None]
"""Called with a step's name, the number of steps done and of all steps."""

PANEL_VERSION = "5"
"""Goes up when the same official files give another panel."""


def build_panel(raw: Path, progress: Progress | None = None) -> Panel:
    """Return the panel built from the official files.

    Parameters
    ----------
    raw : Path
        Folder of the official files, laid out as `remitstats.sources.files.FILES` says.
    progress : callable, optional
        Called before each step.

    Returns
    -------
    Panel
        All tables of the shipped panel, with the account of the build.

    Raises
    ------
    PanelError
        If a file is missing or not as published, or the figures don't fit together.
    """
    raw = Path(raw)
    require_files(raw, FILES.values())  # known before the first is read
    account = Account()
    tables: dict[str, pd.DataFrame] = {"state": state_table()}
    steps: tuple[tuple[str, Callable[[], dict[str, pd.DataFrame]]], ...] = (
        ("Municipalities", lambda: build_municipality(raw, account)),
        ("Census populations", lambda: build_census(raw, account)),
        ("Migration, marginalisation, poverty", lambda: build_wave(raw, account)),
        ("Conditions of 1990 to 2020", lambda: build_condition(raw, account)),
        ("Remittances, GDP, prices", lambda: build_money(raw, account)),
        ("Countries", lambda: build_country(raw, account)),
        ("The whole country", lambda: build_nation(raw, account)),
        ("Neighbours", lambda: build_adjacency(raw, account)),
        ("Map shapes", lambda: build_shapes(raw, account)),
    )
    for done, (name, step) in enumerate(steps):
        if progress is not None:
            progress(name, done, len(steps))
        tables |= step()
    if progress is not None:
        progress("Done", len(steps), len(steps))
    tables["account"] = account.frame()
    metadata = _metadata()
    # People of no municipality are no row of any table, and must not be lost either.
    metadata["census_undistributed"] = tables.pop("census_undistributed").to_dict("records")
    return Panel(tables=tables, metadata=metadata)


def _metadata() -> dict[str, Any]:
    return {
        "country": "Mexico",
        "title": "Migration and remittances of Mexico's municipalities, 2000-2026",
        "built": CONSULTED,
        "version": PANEL_VERSION,
        "boundaries": "municipalities of the 2010 census (2,456)",
        "provenance": {
            key: {
                "publisher": file.publisher,
                "table": file.table,
                "vintage": file.vintage,
                "terms": file.terms,
                "file": file.path,
            }
            for key, file in FILES.items()
        },
        "dictionary": dictionary_records(),
    }
