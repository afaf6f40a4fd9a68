"""`fit`: what comes back, and that it depends on the seed and on nothing else."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import remitstats
from remitstats.errors import RemitstatsError
from remitstats.fitting.settings import Settings
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.simulate import grid_panel

HYPERPARAMETERS = [
    "state_sd",
    "state_wave_sd",
    "municipality_sd",
    "municipality_share",
    "municipality_wave_sd",
    "municipality_wave_share",
    "wave_scale_2000",
    "wave_scale_2010",
]
SHORT = {"draws": 40, "tune": 20, "chains": 2}


def same_draws(a: xr.DataTree, b: xr.DataTree) -> bool:
    return all(
        np.array_equal(a["posterior"][name].to_numpy(), b["posterior"][name].to_numpy())
        for name in a["posterior"].data_vars
    )


def test_tree_holds_draws_data_and_provenance(
    short_fit: xr.DataTree, lattice: Panel, data: reliance.RelianceData
) -> None:
    posterior = short_fit["posterior"]
    assert set(short_fit.children) == {
        "posterior",
        "sample_stats",
        "observed_data",
        "constant_data",
        "provenance",
    }
    assert [str(k) for k, v in posterior.data_vars.items() if v.ndim == 2] == HYPERPARAMETERS
    assert posterior["linear_predictor"].dims == ("chain", "draw", "wave", "municipality")
    assert posterior["linear_predictor"].shape == (2, 40, 3, 24)
    assert list(posterior["municipality"].to_numpy()) == list(data.coords["municipality"])
    assert np.array_equal(short_fit["observed_data"]["receiving_dwellings"], data.receiving)
    provenance = short_fit["provenance"].attrs
    assert provenance["panel_hash"] == lattice.hash
    assert json.loads(provenance["settings"]) == {"engine": "laplace", "seed": 4, **SHORT}
    assert json.loads(provenance["versions"])["numpy"] == np.__version__
    assert set(json.loads(provenance["wall_seconds"])) == {"prepare", "sample"}


def test_linear_predictor_is_made_of_the_reported_effects(
    model: Any, short_fit: xr.DataTree
) -> None:
    """Without the municipality's own movement the rest explains the mean of the waves."""
    posterior = short_fit["posterior"]
    contrast = xr.concat(
        [
            posterior["wave_scale_2000"],
            posterior["wave_scale_2010"],
            xr.ones_like(posterior["state_sd"]),
        ],
        "wave",
    )
    state = posterior["state_effect"].isel(state=model.data.state_of).to_numpy()
    state_wave = posterior["state_wave_effect"].isel(state=model.data.state_of).to_numpy()
    known = (
        posterior["wave_effect"].to_numpy()[..., None]
        + state[:, :, None]
        + state_wave
        + posterior["municipality_effect"].to_numpy()[:, :, None]
    )
    scale = contrast.transpose("chain", "draw", "wave").to_numpy()[..., None]
    own = (posterior["linear_predictor"].to_numpy() + 3.0) / scale - known
    # what is left is BYM2 of the cell: of the size that its own standard deviation says
    ratio = own.std(axis=(2, 3)) / posterior["municipality_wave_sd"].to_numpy()
    assert 0.6 < np.median(ratio) < 1.4


def test_same_seed_same_draws_whatever_the_cores(
    model: Any, lattice: Panel, short_fit: xr.DataTree
) -> None:
    one = remitstats.fit(model, lattice, seed=4, cores=1, **SHORT)
    rebuilt = remitstats.fit(reliance.build(lattice), lattice, seed=4, cores=2, **SHORT)
    other = remitstats.fit(model, lattice, seed=5, **SHORT)
    assert same_draws(one, short_fit)
    assert same_draws(rebuilt, short_fit)
    assert not same_draws(other, short_fit)


def test_chains_differ(short_fit: xr.DataTree) -> None:
    draws = short_fit["posterior"]["linear_predictor"].to_numpy()
    assert not np.any(np.all(draws[0] == draws[1], axis=0))


def test_a_municipality_without_data_is_less_certain(short_fit: xr.DataTree) -> None:
    sd = short_fit["posterior"]["linear_predictor"].std(("chain", "draw"))
    missing = float(sd.sel(wave=2000, municipality="01003"))
    assert missing > 1.5 * float(sd.sel(wave=2000).median())


@pytest.fixture
def small_model() -> tuple[Any, Panel]:
    panel = grid_panel(2, 3, states=("01", "02"))
    return reliance.build(panel), panel


@pytest.mark.parametrize("change", ["variable", "potential"])
def test_a_changed_model_is_refused_with_advice(
    small_model: tuple[Any, Panel], change: str
) -> None:
    model, panel = small_model
    with model:
        if change == "variable":
            pm.Normal("slope")
        else:
            pm.Potential("slope", -model["state_sd"])
    with pytest.raises(RemitstatsError, match=r"changed.*slope.*engine='nuts'"):
        remitstats.fit(model, panel, **SHORT)


def test_a_model_of_another_make_is_refused_with_advice(lattice: Panel) -> None:
    with pm.Model() as model:
        pm.Normal("x")
    with pytest.raises(RemitstatsError, match=r"not built by remitstats.*pm\.sample"):
        remitstats.fit(model, lattice, **SHORT)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"engine": "laplase"}, "Did you mean 'laplace'"),
        ({"draws": 3}, "'draws' must be a whole number from 10"),
        ({"draws": 100.5}, "found 100.5"),
        ({"chains": 0}, "'chains'"),
        ({"seed": -1}, "'seed'"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(
    model: Any, lattice: Panel, wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(RemitstatsError, match=says):
        remitstats.fit(model, lattice, **wrong)


def test_defaults_are_those_of_settings(short_fit: xr.DataTree) -> None:
    assert Settings(**json.loads(short_fit["provenance"].attrs["settings"])).engine == "laplace"
    assert Settings().quick().draws < Settings().draws


def test_an_interrupt_ends_the_chains_and_leaves_no_draws(model: Any, lattice: Panel) -> None:
    seen: list[float] = []

    def interrupt(description: str, fraction: float) -> None:
        if description == "sampling":
            seen.append(fraction)
            raise KeyboardInterrupt

    before = threading.active_count()
    tree = None
    with pytest.raises(KeyboardInterrupt):
        tree = remitstats.fit(
            model, lattice, seed=1, draws=100_000, tune=10, chains=2, progress=interrupt
        )
    assert tree is None
    assert len(seen) == 1
    assert seen[0] < 0.1  # it ended long before its draws were done
    assert threading.active_count() == before


def test_progress_ends_at_one(model: Any, lattice: Panel) -> None:
    told: dict[str, list[float]] = {}
    remitstats.fit(
        model,
        lattice,
        **SHORT,
        progress=lambda description, fraction: told.setdefault(description, []).append(fraction),
    )
    assert told["sampling"][-1] == 1.0
    assert all(values == sorted(values) for values in told.values())
    assert all(0 <= value <= 1 for values in told.values() for value in values)
