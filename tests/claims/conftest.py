"""A small panel with series, results made by hand, and ledgers to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from remitstats.claims.evidence import Sources
from remitstats.panel.panel import Panel

HEAD = """\
format = 1
title = "Mine"
source = "Nobody"

[rule.figure]
is = "near"
within_percent = 10
beyond_percent = 25
why = "as the paper rounds"

[rule.sure]
is = "probability"
why = "usual limits"

[rule.tried]
is = "calibrated"
why = "tried on simulated panels"
"""
CLAIM = """
[[claim]]
id = "exports"
kind = "figure"
section = "1"
says = "Exports are 100."
value = 100
unit = "millions"
date = "2001"

[[claim.test]]
basis = "own"
estimand = "panel.cell"
at = { table = "national_year", column = "oil_exports_usd_million", row = { year = 2001 } }
rule = "figure"
note = "in 2001"
"""


def results(converged: bool = True, **tables: pd.DataFrame) -> Any:
    """Return what a model's results look like to a ledger."""
    return SimpleNamespace(converged=converged, tables=tables, summary={}, **tables)


@pytest.fixture(scope="session")
def made_results() -> Callable[..., Any]:
    return results


@pytest.fixture(scope="session")
def series() -> Panel:
    """Five years of made-up series, four municipalities in three counts, two countries."""
    years = range(2000, 2005)
    nation = pd.DataFrame(
        {
            "year": list(years),
            "remittances_usd_million": [10.0, 14.0, 18.0, 30.0, 40.0],
            "oil_exports_usd_million": [80.0, 104.0, 120.0, 130.0, 80.0],
            "tourism_receipts_usd_million": [9.0, 9.0, 10.0, 11.0, None],
        }
    )
    people = {2000: [100, 100, 100, 100], 2005: [90, 101, 100, 99], 2010: [80, 102, 101, None]}
    census = pd.DataFrame(
        [
            {"cvegeo": f"0100{i + 1}", "year": year, "population": count}
            for year, counts in people.items()
            for i, count in enumerate(counts)
        ]
    )
    migration = pd.DataFrame(
        [
            {"country": country, "year": year, "net_migration_thousand": value}
            for country, values in {
                "ESP": [-5.0, -3.0, 1.0, 4.0, 6.0],
                "MEX": [-9.0, -9.0, -8.0, -3.0, -3.0],
            }.items()
            for year, value in zip(years, values, strict=True)
        ]
    )
    return Panel(
        {
            "national_year": nation,
            "municipality_census": census,
            "country_migration": migration,
        },
        {},
    )


@pytest.fixture(scope="session")
def sources(series) -> Sources:
    return Sources(series)


@pytest.fixture
def write_ledger(tmp_path) -> Callable[..., Path]:
    """Return a writer of ledgers; by default a head with rules and one claim."""

    def write(claims: str = CLAIM, head: str = HEAD) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(head + claims, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def one_claim() -> str:
    return CLAIM
