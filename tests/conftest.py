"""Small artificial countries and their models, shared by the statistical tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.simulate import grid_panel


def without_first_wave(panel: Panel, cvegeo: str) -> Panel:
    """Return the panel with a municipality's figures of the first wave blanked out."""
    table = panel.table("municipality_wave")
    first = (table["cvegeo"] == cvegeo) & (table["wave"] == table["wave"].min())
    assert first.sum() == 1
    table["dwellings"] = table["dwellings"].astype("Int64").mask(first)
    table["receiving_percent"] = table["receiving_percent"].mask(first)
    return panel.with_table("municipality_wave", table)


@pytest.fixture(scope="session")
def lattice() -> Panel:
    """Return 24 municipalities in 3 states, 3 waves; 01003 has no data in 2000.

    The figures, simulated once, are kept in a file: the stored posterior is theirs.
    """
    kinds = {"cvegeo": "string", "wave": "Int64", "dwellings": "Int64"}
    figures = pd.read_csv(Path(__file__).with_name("lattice.csv"), dtype=kinds)
    panel = grid_panel(4, 6, states=("01", "02", "03"), seed=5)
    return without_first_wave(panel.with_table("municipality_wave", figures), "01003")


@pytest.fixture(scope="session")
def data(lattice: Panel) -> reliance.RelianceData:
    return reliance.prepare_data(lattice)


@pytest.fixture(scope="session")
def model(lattice: Panel) -> Any:
    """Return the PyMC model of the lattice; tests must not change it."""
    return reliance.build(lattice)
