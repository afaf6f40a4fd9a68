"""What folders of tests share: the official files, a small artificial country and its model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.simulate import grid_panel

# Densities of PyMC are compared at a few points: compiled code would take longer to make than they.
os.environ.setdefault("PYTENSOR_FLAGS", "mode=FAST_COMPILE,optimizer_excluding=fusion")

# Other work on the machine must not fail a property.
settings.register_profile("remitstats", deadline=None)
settings.load_profile("remitstats")


@pytest.fixture(scope="session")
def raw() -> Path:
    """Return the folder of the official files."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data" / "raw"
    folder = Path(os.environ.get("REMITSTATS_RAW", default))
    if not folder.is_dir():
        pytest.skip(f"the official files are not at {folder} (REMITSTATS_RAW names another place)")
    return folder


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


@pytest.fixture(scope="session")
def partly_centred_of() -> Callable[[Any, Any, Any], dict[str, tuple[Any, Any, Any, Any]]]:
    """Return what gives pay-outs' effects in plain NumPy: mean, sd, precision told and guess."""
    from remitstats.models import paid_out
    from remitstats.models.paid_out_data import share_scores

    def found(values: Any, data: Any, noise: Any) -> dict[str, tuple[Any, Any, Any, Any]]:
        shares, error = share_scores(data)
        municipalities, blocks, guess = paid_out.rate_scores(data, shares, paid_out.Priors())
        sd = noise.sd * np.exp(-noise.slope * paid_out.log_persons(data))
        told = 1.0 / (values["block_sd"] ** 2 / blocks + np.mean(sd**2) / municipalities)
        share = values["state_share"][data.state_of]
        return {
            "state_rate": (values["rate"], values["rate_sd"], told, guess),
            "share_logit": (share, values["share_sd"], np.maximum(error**-2 - 1.0, 0.0), shares),
        }

    return found
