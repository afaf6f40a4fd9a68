"""Small made-up panels: a country of two states, five municipalities, three waves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import shapely

from remitstats.panel.panel import Panel

CODES = ("01001", "01002", "02001", "02002", "02003")
WAVES = (2000, 2010, 2020)


@pytest.fixture
def small_panel() -> Panel:
    """Return a valid panel with every kind of column; 02003 has no data in 2000."""
    rows = [
        {
            "cvegeo": code,
            "wave": wave,
            "dwellings": None if (code, wave) == ("02003", 2000) else 100 * (at + 1) + wave % 7,
            "receiving_percent": None if (code, wave) == ("02003", 2000) else 1.5 * at + wave % 3,
            "gini": 0.25 + at / 100,
        }
        for at, code in enumerate(CODES)
        for wave in WAVES
    ]
    tables = {
        "municipality_wave": pd.DataFrame(rows).astype({"dwellings": "Int64"}),
        "municipality": pd.DataFrame(
            {
                "cvegeo": CODES,
                "name": ["Áurea", 'San "Pío", el Alto', "Ñandú", "=SUM(A1)", "[red]Rojo[/red]"],
                "state": [code[:2] for code in CODES],
                "longitude": [-100.0, -100.5, -101.0, -101.25, None],
                "latitude": [20.0, 20.5, 21.0, 21.25, None],
            }
        ),
        "state": pd.DataFrame(
            {"state": ["01", "02"], "name": ["Uno", "Dos"], "region": ["North", "Centre"]}
        ),
        "adjacency": pd.DataFrame(
            {
                "cvegeo_a": ["01001", "01002", "02001", "02002"],
                "cvegeo_b": ["01002", "02001", "02002", "02003"],
                "rook": [True, False, True, True],
            }
        ),
        "shape": pd.DataFrame(
            {
                "cvegeo": CODES,
                "geometry": [shapely.box(at, 0, at + 1, 1).wkb for at in range(len(CODES))],
            }
        ),
        "municipality_quarter": pd.DataFrame(
            {
                "cvegeo": [code for code in CODES for _ in range(2)],
                "quarter": ["2013Q1", "2013Q2"] * len(CODES),
                "remittances_usd_million": [0.1 * at for at in range(2 * len(CODES))],
            }
        ),
        "account": pd.DataFrame(
            {
                "source": ["b", "a"],
                "step": ["second", "first"],
                "rows_in": pd.array([10, None], dtype="Int64"),
                "note": [None, "two\nlines"],
            }
        ),
    }
    metadata = {"country": "Arcadia", "title": "A made-up country", "dictionary": []}
    return Panel(tables, metadata)


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of a valid CSV (two states, two waves) with changes in its third line."""

    def write(name: str = "mine.csv", **changes: str) -> Path:
        path = tmp_path / name
        lines = ["cvegeo,wave,dwellings,receiving_percent"]
        for code in ("01001", "02001"):
            for wave in ("2000", "2010"):
                cells = {"cvegeo": code, "wave": wave, "dwellings": "1200"}
                cells["receiving_percent"] = "4.5"
                if (code, wave) == ("01001", "2010"):
                    cells |= changes
                lines.append(",".join(cells.values()))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
