"""Both engines have the same posterior.

NUTS takes most of a minute even on the small lattice, so the quick test holds the default engine
to a stored NUTS posterior and the slow ones sample NUTS anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from remitstats.fitting.gate import gate
from remitstats.fitting.run import fit
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
AXES: dict[str, Any] = {"chain_axis": 0, "draw_axis": 1}


def moments(tree: xr.DataTree) -> dict[str, list[float]]:
    """Mean, sd and the Monte Carlo errors of both, of every element of the posterior."""
    found = {}
    for name, array in tree["posterior"].data_vars.items():
        stacked = array.transpose("chain", "draw", ...)
        flat = stacked.to_numpy().astype(float).reshape(*stacked.shape[:2], -1)
        labels = [
            ", ".join(
                str(stacked[dim].to_numpy()[i]) for dim, i in zip(stacked.dims[2:], at, strict=True)
            )
            for at in np.ndindex(stacked.shape[2:])
        ]
        mean, sd = flat.mean(axis=(0, 1)), flat.std(axis=(0, 1))
        square = (flat - mean) ** 2
        mean_error = sd / np.sqrt(array_stats.ess(flat, method="mean", **AXES))
        sd_error = square.std(axis=(0, 1)) / np.sqrt(array_stats.ess(square, method="mean", **AXES))
        rows = np.stack([mean, sd, mean_error, sd_error / (2 * sd)], axis=1)
        for label, row in zip(labels, rows.tolist(), strict=True):
            found[f"{name}[{label}]" if label else str(name)] = row
    return found


def assert_same(a: dict[str, list[float]], b: dict[str, list[float]], sd_within: float) -> None:
    """Hold means to their Monte Carlo error and sds to a share of themselves as well."""
    assert a.keys() == b.keys()
    first, second = np.array([a[k] for k in a]), np.array([b[k] for k in a])
    mean_z = (first[:, 0] - second[:, 0]) / np.hypot(first[:, 2], second[:, 2])
    sd_z = (first[:, 1] - second[:, 1]) / np.hypot(first[:, 3], second[:, 3])
    ratio = first[:, 1] / second[:, 1]
    names = np.array(list(a))
    assert np.abs(mean_z).max() < 4.5, names[np.abs(mean_z).argmax()]
    # most of all, not a few more than chance has it
    assert np.mean(np.abs(mean_z) > 2.0) < 0.2
    assert np.abs(sd_z).max() < 4.5, names[np.abs(sd_z).argmax()]
    far = np.abs(np.log(ratio)) - 2.0 * np.hypot(first[:, 3], second[:, 3]) / second[:, 1]
    assert far.max() < np.log1p(sd_within), names[far.argmax()]
    assert abs(np.log(ratio).mean()) < 0.02


@pytest.fixture(scope="module")
def reference(lattice: Panel, model: Any) -> dict[str, list[float]]:
    """Return the stored NUTS posterior, if it is that of this panel and model."""
    text = Path(__file__).with_name("reference_nuts.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    assert stored["panel_hash"] == lattice.hash, "the lattice has changed: sample it anew"
    assert stored["specification"] == model.specification, "the model has changed: sample it anew"
    found: dict[str, list[float]] = stored["quantities"]
    return found


def test_laplace_agrees_with_stored_nuts(
    lattice: Panel, model: Any, reference: dict[str, list[float]]
) -> None:
    tree = fit(model, lattice, seed=2, draws=2000, tune=100, chains=2)
    assert_same(moments(tree), reference, sd_within=0.1)


@pytest.mark.slow
def test_laplace_agrees_with_stored_nuts_to_five_per_cent(
    lattice: Panel, model: Any, reference: dict[str, list[float]]
) -> None:
    tree = fit(model, lattice, seed=3, draws=4000, tune=100, chains=4)
    assert gate(tree).converged
    assert_same(moments(tree), reference, sd_within=0.05)


@pytest.mark.slow
def test_nuts_gives_what_is_stored_and_the_same_layout(
    lattice: Panel, model: Any, reference: dict[str, list[float]], short_fit: xr.DataTree
) -> None:
    tree = fit(model, lattice, seed=35, engine="nuts", draws=2000, tune=700, chains=2)
    assert_same(moments(tree), reference, sd_within=0.1)
    assert set(tree.children) == set(short_fit.children)
    for name, array in short_fit["posterior"].data_vars.items():
        assert tree["posterior"][name].dims == array.dims
        assert tree["posterior"][name].dtype == array.dtype
    for group in ("observed_data", "constant_data"):
        xr.testing.assert_identical(tree[group].to_dataset(), short_fit[group].to_dataset())
    assert set(tree["provenance"].attrs) == set(short_fit["provenance"].attrs)
    assert gate(tree).e_bfmi_min > 0.3
