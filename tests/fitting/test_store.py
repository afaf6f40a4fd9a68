"""Fits on disk: whole or not there, and never a wrong one."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remitstats.errors import RemitstatsError
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import (
    VERSION,
    StoreError,
    content_hash,
    load_fit,
    read_provenance,
    save_fit,
)
from remitstats.fitting.version import code_version, fit_key
from remitstats.panel.panel import Panel

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


def test_foreign_files_are_refused(tmp_path: Path, short_fit: xr.DataTree) -> None:
    text, other, empty = (tmp_path / name for name in ("text.nc", "other.nc", "empty.nc"))
    text.write_text("cvegeo,wave\n01001,2010\n", encoding="utf-8")
    empty.touch()
    xr.Dataset({"x": ("draw", np.arange(3.0))}).to_netcdf(other, engine="h5netcdf")
    unsealed = tmp_path / "unsealed.nc"
    short_fit.to_netcdf(unsealed, engine="h5netcdf")
    for path in (text, empty):
        with pytest.raises(StoreError, match="not from remitstats: no NetCDF file"):
            load_fit(path)
    for path in (other, unsealed):
        with pytest.raises(StoreError, match="not a fit in the format 'remitstats fit 2'"):
            load_fit(path)
    with pytest.raises(StoreError, match=r"no fit at .*: it is a folder"):
        load_fit(tmp_path)


def sealed(content: bytes, version: int = VERSION) -> bytes:
    """Return a file's content with a seal that is right for it."""
    digest = hashlib.sha256(content).hexdigest()
    return content + f"\nremitstats fit {version:04d} sha256 {digest}\n".encode()


def test_a_fit_of_another_format_is_named_as_such(stored: Path) -> None:
    content = stored.read_bytes()[: -len(sealed(b""))]
    assert sealed(content) == stored.read_bytes()
    stored.write_bytes(sealed(content, VERSION + 1))
    with pytest.raises(StoreError, match=f"in format {VERSION + 1}, of another version"):
        load_fit(stored)


def test_a_right_seal_does_not_make_a_fit(tmp_path: Path) -> None:
    path = tmp_path / "other.nc"
    xr.Dataset({"x": ("draw", np.arange(3.0))}).to_netcdf(path, engine="h5netcdf")
    path.write_bytes(sealed(path.read_bytes()))
    with pytest.raises(StoreError, match="not from remitstats"):
        load_fit(path)
    path.write_bytes(sealed(b"\x89HDF\r\n\x1a\n and nothing more"))
    with pytest.raises(StoreError, match="not from remitstats"):
        load_fit(path)


@pytest.mark.parametrize("name", ["content", "format", "settings", "panel_hash"])
def test_a_fit_without_its_provenance_is_refused(
    name: str, stored: Path, short_fit: xr.DataTree
) -> None:
    bare = stored.with_name("bare.nc")
    bare.write_bytes(stored.read_bytes())
    with h5py.File(bare, "r+") as file:
        del file["provenance"].attrs[name]
    bare.write_bytes(sealed(bare.read_bytes()))
    with pytest.raises(StoreError, match="Delete it and fit again"):
        load_fit(bare)


def test_a_tree_that_does_not_say_how_it_came_about_is_not_stored(
    short_fit: xr.DataTree, tmp_path: Path
) -> None:
    anonymous, halved, unreadable = short_fit.copy(), short_fit.copy(), short_fit.copy()
    del anonymous["provenance"]
    del halved["sample_stats"]
    unreadable["provenance"].attrs = {**short_fit["provenance"].attrs, "settings": "{draws"}
    for tree, said in (
        (anonymous, "provenance lacks model, key, panel_hash"),
        (halved, "lacks sample_stats"),
        (unreadable, "provenance can't be read"),
    ):
        with pytest.raises(StoreError, match=said):
            save_fit(tree, tmp_path / "a.nc")
    assert names(tmp_path) == []


def test_provenance_is_whole_after_a_round_trip(stored: Path, lattice: Panel, model: Any) -> None:
    found = read_provenance(load_fit(stored))
    assert (found["model"], found["engine"], found["seed"]) == ("reliance", "laplace", 4)
    assert found["settings"] == SETTINGS.describe()
    assert found["specification"] == json.loads(json.dumps(model.specification))
    assert found["panel_hash"] == lattice.hash
    assert found["key"] == fit_key(model.specification, lattice.hash, SETTINGS)
    assert found["code_version"] == code_version()
    assert {"python", "numpy", "scipy", "pymc"} <= set(found["versions"])
    assert all(seconds > 0 for seconds in found["wall_seconds"].values())


def test_draws_of_the_latent_field_take_four_bytes_each(stored: Path) -> None:
    posterior = load_fit(stored)["posterior"]
    large = [v for v in posterior.data_vars.values() if v.ndim > 2]
    assert large
    assert {v.dtype for v in large} == {np.dtype("float32")}
    draws = sum(v.nbytes for v in posterior.data_vars.values())
    assert stored.stat().st_size < draws + 100_000  # HDF5 needs some room for names, whatever N


@st.composite
def damage(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Ways to damage a file: cut it, flip bits, drop, double or overwrite a stretch of it."""
    where = draw(st.floats(0.0, 1.0, exclude_max=True))
    size = draw(st.integers(1, 5000))
    kind = draw(st.sampled_from(["cut", "flip", "drop", "double", "zero", "seal"]))
    bit = draw(st.integers(0, 7))

    def apply(content: bytes) -> bytes:
        start = int(where * len(content))
        if kind == "seal":  # its last 100 bytes
            start = len(content) - 100 + int(where * 100)
        end = min(start + size, len(content))
        return {
            "cut": content[:start],
            "flip": content[:start] + bytes([content[start] ^ 1 << bit]) + content[start + 1 :],
            "seal": content[:start] + bytes([content[start] ^ 1 << bit]) + content[start + 1 :],
            "drop": content[:start] + content[end:],
            "double": content[:end] + content[start:],
            "zero": content[:start] + bytes(end - start) + content[end:],
        }[kind]

    return apply


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damages=st.lists(damage(), min_size=1, max_size=3))
def test_a_damaged_file_is_refused_or_says_the_same(
    damages: list[Callable[[bytes], bytes]], stored: Path, short_fit: xr.DataTree
) -> None:
    whole = stored.read_bytes()
    content = whole
    for apply in damages:
        content = apply(content) if content else content
    path = stored.with_name("damaged.nc")
    path.write_bytes(content)
    if content == whole:  # zeros over zeros
        assert content_hash(load_fit(path)) == content_hash(short_fit)
        return
    with pytest.raises(StoreError) as caught:
        load_fit(path)
    assert "fit again" in str(caught.value).lower()


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, as on a full disk


def test_a_disk_that_runs_full_is_explained_and_nothing_is_left(
    stored: Path, tmp_path: Path
) -> None:
    code = (
        "import sys\n"
        "from remitstats.errors import RemitstatsError\n"
        "from remitstats.fitting.store import load_fit, save_fit\n"
        "tree = load_fit(sys.argv[1])\n"
        "try:\n"
        "    save_fit(tree, sys.argv[2])\n"
        "except RemitstatsError as error:\n"
        "    print(error)\n"
    )
    target = tmp_path / "full" / "fit.nc"
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code, str(stored), str(target)],
        capture_output=True,
        text=True,
        preexec_fn=limited,
        check=True,
    )
    assert ran.stdout.startswith(f"Can't write {target}: file too large.")
    assert names(target.parent) == []


def test_a_folder_that_cannot_be_written_is_explained(
    short_fit: xr.DataTree, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(RemitstatsError):
        save_fit(short_fit, blocked / "a.nc")
    assert names(tmp_path) == ["file"]


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
    # what is left is no fit, by any name, and goes when the file is next written
    assert list(target.parent.glob(".*.part"))
    for leftover in target.parent.glob(".*"):
        with pytest.raises(StoreError):
            load_fit(leftover)
    save_fit(load_fit(stored), target)
    assert names(target.parent) == ["fit.nc"]
