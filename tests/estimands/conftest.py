"""A posterior made by hand: 5 municipalities in 2 states and 2 regions, 3 waves, 200 draws."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from remitstats.panel.panel import Panel

CODES = ["01001", "01002", "02001", "02002", "02003"]
WAVES = [2000, 2010, 2020]
DWELLINGS = np.array(
    [[100, 900, 400, 50, np.nan], [120, 950, 500, 60, 300], [150, 990, 800, 80, 350]]
)
PUBLISHED = np.array(
    [[0.0, 4.0, 21.0, 8.0, np.nan], [1.0, 5.0, 25.0, 9.0, 2.0], [0.0, 3.0, 22.0, 30.0, 1.0]]
)


@pytest.fixture
def tree() -> xr.DataTree:
    rng = np.random.default_rng(1)
    centre = np.log((np.nan_to_num(PUBLISHED, nan=4.0) + 0.5) / (99.5 - np.nan_to_num(PUBLISHED)))
    eta = centre + 0.3 * rng.standard_normal((2, 100, 3, 5))
    dims = ("wave", "municipality")
    effective = np.nan_to_num(DWELLINGS)
    coords = {"wave": WAVES, "municipality": CODES}
    settings = {"engine": "laplace", "draws": 100, "tune": 10, "chains": 2, "seed": 3}
    plain = dict.fromkeys(("model", "key", "panel_hash", "code_version"), "made by hand")
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {
                    "state_sd": (("chain", "draw"), rng.gamma(4.0, 0.1, (2, 100))),
                    "wave_scale_2000": (("chain", "draw"), rng.gamma(9.0, 0.1, (2, 100))),
                    "linear_predictor": (("chain", "draw", *dims), eta.astype(np.float32)),
                },
                coords=coords,
            ),
            "sample_stats": xr.Dataset(
                {"diverging": (("chain", "draw"), np.zeros((2, 100), bool))}
            ),
            "observed_data": xr.Dataset(
                {"receiving_dwellings": (dims, np.nan_to_num(effective * PUBLISHED / 100))},
                coords=coords,
            ),
            "constant_data": xr.Dataset(
                {
                    "effective_dwellings": (dims, effective),
                    "dwellings": (dims, DWELLINGS.copy()),  # tests may write into a tree
                    "published_percent": (dims, PUBLISHED.copy()),
                },
                coords=coords,
            ),
            "provenance": xr.Dataset(
                attrs={
                    **plain,
                    "settings": json.dumps(settings),
                    "specification": json.dumps({"priors": {}}),
                    "wall_seconds": json.dumps({"sample": 1.0}),
                    "versions": json.dumps({"numpy": np.__version__}),
                }
            ),
        }
    )


@pytest.fixture
def country() -> Panel:
    pairs = [("01001", "01002"), ("01002", "02001"), ("02001", "02002"), ("02002", "02003")]
    tables = {
        "municipality": pd.DataFrame(
            {"cvegeo": CODES[:4], "name": list("ABCD"), "state": [c[:2] for c in CODES[:4]]}
        ),
        "state": pd.DataFrame(
            {"state": ["01", "02"], "name": ["Uno", "Dos"], "region": ["North", "Centre"]}
        ),
        "adjacency": pd.DataFrame(pairs, columns=["cvegeo_a", "cvegeo_b"]).assign(rook=True),
    }
    return Panel(tables, {"country": "Simulated"})
