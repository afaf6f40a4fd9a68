"""A country of nine municipalities in three provinces, filled into the template as a user would."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from remitstats.panel.template import write_template

CODES = tuple(f"P{province}-{number}" for province in "ABC" for number in "123")
WAVES = (2009, 2019)
STATES = (("PA", "Anterra", "Hills"), ("PB", "Besse", "Coast"), ("PC", "Cor", "Coast"))


def exchange(first: int = 2003, last: int = 2021) -> list[tuple[object, ...]]:
    """Return rows of `national_year`: remittances grow by 12% a year, exports by 3%, no oil.

    Tourism begins too late to be told of.
    """
    return [
        (year, 100 * 1.12 ** (year - 2000), 900 * 1.03 ** (year - 2000), 5 if year > 2010 else "")
        for year in range(first, last + 1)
    ]


def fill_in(folder: Path, *empty: str, waves: tuple[int, ...] = WAVES, states: str = "PA") -> Path:
    """Write the template and fill it in, except for some tables, left as the template has them."""
    write_template(folder, "Ruritania", "PA-9", states)
    rows = {
        "municipality_wave": [
            (code, wave, 900 + 350 * at, 4 + 2.5 * (at % 4) + (wave - 2009) / 10)
            for at, code in enumerate(CODES)
            for wave in waves
        ],
        "municipality": [(code, f"Town {code}", code[:2], "", "") for code in CODES],
        "state": STATES,
        "adjacency": [(a, b, "true") for a, b in itertools.pairwise(CODES)],
    }
    for table, lines in rows.items():
        if table not in empty:
            with (folder / f"{table}.csv").open("a") as file:
                file.writelines(",".join(map(str, line)) + "\n" for line in lines)
    if "national_year" not in empty:
        names = ("remittances", "other_exports", "tourism_receipts")
        head = ("year", *(f"{name}_usd_million" for name in names))
        lines = [",".join(map(str, line)) for line in (head, *exchange())]
        (folder / "national_year.csv").write_text("\n".join(lines) + "\n")
    about = json.loads((folder / "metadata.json").read_text())
    about["sample"] = {"fraction": 0.2, "complete_below": 500, "design_effect": 1.5}
    (folder / "metadata.json").write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="session")
def fill() -> Callable[..., Path]:
    """Return what writes the filled template into a folder."""
    return fill_in


@pytest.fixture
def filled(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes the filled template into a folder of the test's own."""

    def write(*empty: str, waves: tuple[int, ...] = WAVES) -> Path:
        return fill_in(tmp_path / "mine", *empty, waves=waves)

    return write
