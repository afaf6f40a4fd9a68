"""A fit that is finished is never made again, by whoever wants it, and no other is taken for it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from remitstats.errors import RemitstatsError
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import (
    StoreError,
    fit_bytes,
    fit_or_reuse,
    keep_fit,
    load_fit,
    save_fit,
)
from remitstats.fitting.version import fit_key
from remitstats.models import reliance
from remitstats.panel.atomic import whole_file
from remitstats.panel.panel import Panel
from remitstats.simulate import simulate_reliance

SETTINGS = Settings(draws=40, tune=20, chains=2, seed=4)  # those of short_fit


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


def test_something_else_of_the_name_of_a_fit_is_not_removed(
    model: Any, lattice: Panel, short_fit: xr.DataTree, tmp_path: Path
) -> None:
    key = fit_key(model.specification, lattice.hash, SETTINGS)
    inside = tmp_path / f"reliance-{key}.nc" / "mine.txt"
    inside.parent.mkdir()
    inside.write_text("keep", encoding="utf-8")
    run = Run(short_fit)
    with pytest.raises(RemitstatsError, match=r"in the way of a fit.*move it elsewhere"):
        fit_or_reuse(tmp_path, model, lattice, SETTINGS, run)
    assert run.times == 0
    assert inside.read_text("utf-8") == "keep"


def test_a_fit_that_was_sent_is_kept_as_if_it_had_been_made_here(
    model: Any, lattice: Panel, short_fit: xr.DataTree, tmp_path: Path
) -> None:
    content = fit_bytes(short_fit)
    name = f"reliance-{short_fit['provenance'].attrs['key']}.nc"
    path = keep_fit(tmp_path / "fits", name, content)
    assert path.read_bytes() == content
    first = path.stat()
    assert keep_fit(tmp_path / "fits", name, content).stat().st_ino == first.st_ino
    _, found, reused = fit_or_reuse(tmp_path / "fits", model, lattice, SETTINGS, Run(short_fit))
    assert (found, reused) == (path, True)
    with pytest.raises(StoreError, match="did not arrive as it was sent"):
        keep_fit(tmp_path / "other", name, content[:-1000] + content[-999:])
    assert [n for n in names(tmp_path / "other") if not n.endswith(".lock")] == []


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(
    model: Any, lattice: Panel, short_fit: xr.DataTree, tmp_path: Path
) -> None:
    stale = [".reliance-0123456789abcdef.nc.4711.part", ".reliance-0.nc.12-3.part"]
    mine = ["notes.part", ".thesis.tex.4711.part", "reliance-0.nc.4711.part", ".hidden.nc.part"]
    for name in (*stale, *mine):
        (tmp_path / name).write_text("half", encoding="utf-8")
    with whole_file(tmp_path / "reliance-1.nc") as alive:  # another fit that is being written
        fit_or_reuse(tmp_path, model, lattice, SETTINGS, Run(short_fit))
        left = [n for n in names(tmp_path) if not n.endswith(".lock")]
        assert alive.name in left
        alive.write_text("whole", encoding="utf-8")
    assert (tmp_path / "reliance-1.nc").read_text("utf-8") == "whole"
    assert not set(stale) & set(left)
    assert set(mine) < set(left)


TWO = """
import sys, time
from pathlib import Path
import remitstats
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import fit_or_reuse
from remitstats.models import reliance
from remitstats.simulate import grid_panel
panel = grid_panel(2, 3, waves=(2010, 2020), states=("01", "02"), seed=3)
model = reliance.build(panel)
def run():
    print("runs", flush=True)
    time.sleep(2)
    return remitstats.fit(model, panel, seed=1, draws=10, tune=10, chains=2)
print("ready", flush=True)
sys.stdin.readline()
settings = Settings(seed=1, draws=10, tune=10, chains=2)
_, path, reused = fit_or_reuse(Path(sys.argv[1]), model, panel, settings, run)
print(path.name, reused, flush=True)
"""


def test_two_processes_after_the_same_fit_make_it_once(tmp_path: Path) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, str(tmp_path / "fits")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        said = []
        for process in both:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in both:
            said.append(process.communicate(timeout=120)[0].split("\n"))
    finally:
        for process in both:
            process.kill()
            process.wait()
    waited, ran = sorted(said, key=len)
    assert ran[0] == "runs"
    assert ran[1] == f"{waited[0].split()[0]} False"
    assert waited[0].endswith(".nc True")


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
