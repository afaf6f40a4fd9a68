"""A simulated report with everything the explorer can show without a fit: neighbours, counts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from remitstats.report import build_report

YEARS = (1990, 1995, 2000, 2005, 2010, 2015, 2020)


def with_surroundings(panel: Any) -> Any:
    """The panel with neighbours on its grid of six columns, and population at seven dates."""
    codes = panel.table("municipality")["cvegeo"].tolist()
    pairs = [
        (codes[i], codes[j])
        for i in range(len(codes))
        for j in (i + 1, i + 6)
        if j < len(codes) and (j != i + 1 or j % 6)
    ]
    adjacency = pd.DataFrame([(*sorted(pair), True) for pair in pairs])
    adjacency.columns = ["cvegeo_a", "cvegeo_b", "rook"]
    rng = np.random.default_rng(3)
    counts = pd.DataFrame(
        [
            {"cvegeo": code, "year": year, "population": int(rng.integers(400, 2_000_000))}
            for code in codes
            for year in YEARS
        ]
    )
    return panel.with_table("adjacency", adjacency).with_table("municipality_census", counts)


@pytest.fixture(scope="session")
def explorer_panel(results, grid_panel) -> Any:
    return with_surroundings(grid_panel(results))


@pytest.fixture(scope="session")
def explorer_site(results, explorer_panel, tmp_path_factory) -> Path:
    return build_report(results, explorer_panel, tmp_path_factory.mktemp("explorer")).parent


@pytest.fixture(scope="session")
def hostile_explorer_site(simulated, grid_panel, hostile_names, tmp_path_factory) -> Path:
    results = simulated(names=hostile_names)
    panel = with_surroundings(grid_panel(results))
    out = tmp_path_factory.mktemp("hostile")
    return build_report(results, panel, out, languages=["en"]).parent


@pytest.fixture(scope="session")
def as_shown() -> Any:
    """Cut a cell such as "5.1 (4.2 to 6.0)" into its texts."""

    def cut(text: str) -> list[str]:
        found = re.fullmatch(r"\s*(.*?)(?:\s*\((.*) to (.*)\))?\s*", text)
        assert found is not None
        return [part for part in found.groups() if part is not None]

    return cut
