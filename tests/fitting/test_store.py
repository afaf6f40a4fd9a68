"""Fits on disk: whole or not there, and never a wrong one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from remitstats.errors import RemitstatsError
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import StoreError, fit_or_reuse, load_fit, save_fit
from remitstats.fitting.version import fit_key
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.simulate import simulate_reliance

SETTINGS = Settings(draws=40, tune=20, chains=2, seed=4)  # those of short_fit


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def stored(short_fit: xr.DataTree, tmp_path: Path) -> Path:
    return save_fit(short_fit, tmp_path / "fits" / "a.nc")


def test_round_trip_is_exact(short_fit: xr.DataTree, stored: Path) -> None:
    found = load_fit(stored)
    for group in ("posterior", "sample_stats", "observed_data", "constant_data"):
        before, after = short_fit[group].to_dataset(), found[group].to_dataset()
        xr.testing.assert_identical(before, after)
        assert {n: v.dtype for n, v in before.data_vars.items()} == {
            n: v.dtype for n, v in after.data_vars.items()
        }
    before = short_fit["provenance"].attrs
    assert {k: found["provenance"].attrs[k] for k in before} == before
    assert names(stored.parent) == ["a.nc"]


def test_saving_what_was_loaded_changes_nothing(stored: Path) -> None:
    first = load_fit(stored)
    again = load_fit(save_fit(first, stored.with_name("b.nc")))
    assert again["provenance"].attrs == first["provenance"].attrs


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no fit at .*nothing\.nc.*remitstats fit"):
        load_fit(tmp_path / "nothing.nc")


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(stored: Path, keep: float) -> None:
    content = stored.read_bytes()
    stored.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(StoreError, match="Delete it and fit again"):
        load_fit(stored)


def change_a_draw(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        draws = file["posterior/linear_predictor"]
        draws[0, 3, 1, 5] = draws[0, 3, 1, 5] + 1e-3


def change_the_seed(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        attrs = file["provenance"].attrs
        attrs["settings"] = str(attrs["settings"]).replace('"seed": 4', '"seed": 5')


def remove_a_group(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["constant_data"]


def rename_a_variable(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.move("posterior/state_sd", "posterior/state_ds")


@pytest.mark.parametrize(
    "alter", [change_a_draw, change_the_seed, remove_a_group, rename_a_variable]
)
def test_an_altered_file_is_refused(stored: Path, alter: Any) -> None:
    alter(stored)
    with pytest.raises(StoreError, match="damaged"):
        load_fit(stored)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "text.nc", tmp_path / "other.nc"
    text.write_text("cvegeo,wave\n01001,2010\n", encoding="utf-8")
    xr.Dataset({"x": ("draw", np.arange(3.0))}).to_netcdf(other, engine="h5netcdf")
    with pytest.raises(StoreError, match="not from remitstats"):
        load_fit(text)
    with pytest.raises(StoreError, match="not a fit in the format"):
        load_fit(other)
    with pytest.raises(StoreError, match="no fit at"):
        load_fit(tmp_path)


def test_a_folder_that_cannot_be_written_is_explained(
    short_fit: xr.DataTree, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(RemitstatsError):
        save_fit(short_fit, blocked / "a.nc")
    assert names(tmp_path) == ["file"]


class Run:
    """A fit that counts how often it is run."""

    def __init__(self, tree: xr.DataTree) -> None:
        self.tree, self.times = tree, 0

    def __call__(self) -> xr.DataTree:
        self.times += 1
        return self.tree


def test_a_finished_fit_is_run_once_and_then_reused(
    model: Any, lattice: Panel, short_fit: xr.DataTree, tmp_path: Path
) -> None:
    run = Run(short_fit)
    first, path, reused = fit_or_reuse(tmp_path, model, lattice, SETTINGS, run)
    assert (run.times, reused) == (1, False)
    second, same_path, reused = fit_or_reuse(tmp_path, model, lattice, SETTINGS, run)
    assert (run.times, reused, same_path) == (1, True, path)
    xr.testing.assert_identical(first["posterior"].to_dataset(), second["posterior"].to_dataset())
    assert path.name == f"reliance-{short_fit['provenance'].attrs['key']}.nc"


def test_a_damaged_or_wrong_file_is_fitted_anew(
    model: Any, lattice: Panel, short_fit: xr.DataTree, tmp_path: Path
) -> None:
    run = Run(short_fit)
    _, path, _ = fit_or_reuse(tmp_path, model, lattice, SETTINGS, run)
    path.write_bytes(path.read_bytes()[:5000])
    _, _, reused = fit_or_reuse(tmp_path, model, lattice, SETTINGS, run)
    assert (run.times, reused) == (2, False)
    # a whole fit, but another one, under this one's name
    other = short_fit.copy()
    attrs = {**short_fit["provenance"].attrs, "key": "0123456789abcdef"}
    other["provenance"] = xr.DataTree(xr.Dataset(attrs=attrs))
    save_fit(other, path)
    tree, _, reused = fit_or_reuse(tmp_path, model, lattice, SETTINGS, run)
    assert (run.times, reused) == (3, False)
    assert tree["provenance"].attrs["key"] == short_fit["provenance"].attrs["key"]
    assert load_fit(path)["provenance"].attrs["key"] == short_fit["provenance"].attrs["key"]


def test_a_run_that_fails_leaves_nothing(model: Any, lattice: Panel, tmp_path: Path) -> None:
    def interrupted() -> xr.DataTree:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_or_reuse(tmp_path, model, lattice, SETTINGS, interrupted)
    assert [name for name in names(tmp_path) if not name.endswith(".lock")] == []


def test_whatever_changes_the_posterior_changes_the_key(model: Any, lattice: Panel) -> None:
    priors = reliance.Priors().with_values({"state_sd": (0.9, 0.05)})
    other_prior = {**model.specification, "priors": priors.describe()}
    other_panel = simulate_reliance(lattice, seed=1).panel
    keys = [
        fit_key(model.specification, lattice.hash, SETTINGS),
        fit_key(model.specification, lattice.hash, replace(SETTINGS, seed=5)),
        fit_key(model.specification, lattice.hash, replace(SETTINGS, draws=50)),
        fit_key(model.specification, lattice.hash, replace(SETTINGS, engine="nuts")),
        fit_key(other_prior, lattice.hash, SETTINGS),
        fit_key(model.specification, other_panel.hash, SETTINGS),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == fit_key(model.specification, lattice.hash, SETTINGS)


SAVE_FOR_LONG = """
import sys
import numpy as np, xarray as xr
from remitstats.fitting.store import load_fit, save_fit
tree = load_fit(sys.argv[1])
large = (("chain", "draw", "cell"), np.zeros((2, 40, 150_000)))
tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset().assign(large=large))
print("saving", flush=True)
save_fit(tree, sys.argv[2])
print("saved", flush=True)
"""


@pytest.mark.parametrize("older", [False, True])
def test_a_killed_process_leaves_no_half_fit(stored: Path, tmp_path: Path, older: bool) -> None:
    target = tmp_path / "killed" / "fit.nc"
    target.parent.mkdir()
    if older:
        target.write_bytes(stored.read_bytes())
    child = subprocess.Popen(
        [sys.executable, "-c", SAVE_FOR_LONG, str(stored), str(target)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not list(target.parent.glob(".*.part")) and time.monotonic() < deadline:
            assert child.poll() is None
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        output, _ = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert output == "saving\n"  # it was killed in the middle of it
    assert child.returncode == -signal.SIGKILL
    if older:
        assert "large" not in load_fit(target)["posterior"]
    else:
        assert not target.exists()
        with pytest.raises(StoreError, match="no fit"):
            load_fit(target)
    # what is left is no fit, by any name
    for leftover in target.parent.glob(".*"):
        with pytest.raises(StoreError):
            load_fit(leftover)
