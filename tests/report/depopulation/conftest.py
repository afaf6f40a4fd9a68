"""A short fit of the depopulation model to a simulated country, and the report of it.

The fit is too short to converge; where a page of a converged fit is looked at, its summary says
that it did. Numbers are of a made-up country either way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import remitstats
from remitstats.estimands.depopulation_results import DepopulationResults
from remitstats.fitting import mixture
from remitstats.panel.panel import Panel
from remitstats.report import build_report
from remitstats.simulate import simulate_depopulation

ADJACENCY = ("cvegeo_a", "cvegeo_b", "rook")


def with_neighbours(panel: Panel) -> Panel:
    """Return the panel of squares, six in a row, with neighbours, points and dwellings."""
    place = panel.table("municipality")
    codes = list(place["cvegeo"])
    pairs = [
        (codes[i], codes[j])
        for i in range(len(codes))
        for j in (i + 1, i + 6)
        if j < len(codes) and (j == i + 6 or j % 6)
    ]
    place["longitude"] = [-99.5 + i % 6 for i in range(len(codes))]
    place["latitude"] = [20.5 + i // 6 for i in range(len(codes))]
    wave = pd.DataFrame(
        [
            {
                "cvegeo": code,
                "wave": year,
                "dwellings": 500 + 400 * i,
                "receiving_percent": 2.0 + i / 2,
                "emigrant_percent": 1.0 + i % 5,
            }
            for i, code in enumerate(codes)
            for year in (2000, 2010, 2020)
        ]
    )
    panel = panel.with_table("municipality", place).with_table("municipality_wave", wave)
    return panel.with_table(
        "adjacency",
        pd.DataFrame([(*sorted(pair), True) for pair in pairs], columns=list(ADJACENCY)),
    )


@pytest.fixture(scope="session")
def short_depopulation(results, grid_panel: Callable[..., Panel]) -> DepopulationResults:
    panel = simulate_depopulation(with_neighbours(grid_panel(results)), seed=5).panel
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixture, "PILOT", (6, 6))  # what is drawn does not depend on its length
        fit = remitstats.fit(
            remitstats.depopulation.build(panel), panel, seed=1, draws=20, tune=10, chains=2
        )
        early = remitstats.depopulation.build(panel, through=2010)
        before = remitstats.fit(early, panel, seed=1, draws=20, tune=10, chains=2)
    return remitstats.summarise_depopulation(
        fit, panel, hindcast=before, command="remitstats fit depopulation"
    )


@pytest.fixture(scope="session")
def converged_depopulation(short_depopulation: DepopulationResults) -> DepopulationResults:
    summary = {**short_depopulation.summary, "converged": True, "reasons": [], "remedies": []}
    return replace(short_depopulation, summary=summary)


@pytest.fixture(scope="session")
def depopulation_site(
    results,
    grid_panel: Callable[..., Panel],
    converged_depopulation: DepopulationResults,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("depopulation")
    others = {"depopulation": converged_depopulation}
    return build_report(results, grid_panel(results), out, others=others).parent


@pytest.fixture(scope="session")
def stuck_depopulation_site(
    results,
    grid_panel: Callable[..., Panel],
    short_depopulation: DepopulationResults,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("stuck_depopulation")
    others = {"depopulation": short_depopulation}
    panel = grid_panel(results, shapes=False)
    return build_report(results, panel, out, others=others, languages=["en"]).parent
