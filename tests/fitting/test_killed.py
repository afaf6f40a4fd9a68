"""SIGKILL at any moment: what is finished stays and is not repeated, and nothing half is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from remitstats.fitting.store import load_fit, save_fit

# A process that imports everything once and then, for each line it reads, forks a child which fits
# into the folder until all is there and then waits. Only children are killed: how long Python takes
# to import is not under test.
NURSERY = """
import os, signal, sys
from pathlib import Path
import remitstats
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import fit_or_reuse, load_fit
from remitstats.fitting.version import fit_key
from remitstats.models import reliance
from remitstats.simulate import grid_panel

folder, stored = Path(sys.argv[1]), sys.argv[2]
panel = grid_panel(2, 3, waves=(2010, 2020), states=("01", "02"), seed=3)
model = reliance.build(panel)
given = None if stored == "-" else load_fit(stored)

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def run(settings):
    say("run", settings.seed)
    if given is None:
        tree = remitstats.fit(model, panel, seed=settings.seed, draws=10, tune=10, chains=2)
    else:
        tree = given.copy()
        key = fit_key(model.specification, panel.hash, settings)
        tree["provenance"].attrs = {**tree["provenance"].attrs, "key": key}
    say("save", settings.seed)
    return tree

for seed in (1, 2, 3, 4):
    settings = Settings(seed=seed, draws=10, tune=10, chains=2)
    say("name", seed, "reliance-" + fit_key(model.specification, panel.hash, settings) + ".nc")
say("ready")
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        say("child", os.getpid())
        for seed in (1, 2, 3, 4):
            settings = Settings(seed=seed, draws=10, tune=10, chains=2)
            fit_or_reuse(folder, model, panel, settings, lambda: run(settings))
        say("all")
        signal.pause()
    os.waitpid(child, 0)
    say("gone")
"""


@dataclass
class Nursery:
    """The process that forks children, what they say, and the names of the fits' files by seed."""

    process: subprocess.Popen[bytes]
    names: dict[str, str] = field(default_factory=dict)

    def begin(self) -> int:
        """Start a child and return its process id."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return int(self.until("child")[-1][1])

    def until(self, *words: str) -> list[list[str]]:
        """Return what is said up to the first line that begins with one of the words."""
        assert self.process.stdout is not None
        said: list[list[str]] = []
        while not said or said[-1][0] not in words:
            line = self.process.stdout.readline()
            assert line, "the nursery ended"
            said.append(line.decode().split())
        return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "fits"


def nursery_of(folder: Path, stored: str) -> Iterator[Nursery]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", NURSERY, str(folder), stored],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        nursery = Nursery(process)
        names = {line[1]: line[2] for line in nursery.until("ready")[:-1]}
        nursery.names.update(names)
        yield nursery
    finally:
        process.kill()
        process.communicate()


def whole_fits(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the stored fits, having read each; identity and time tell one from a repeated one."""
    found = {}
    for path in sorted(folder.glob("*.nc")):
        load_fit(path)
        found[path.name] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return found


def wait_for_temporary(folder: Path, fits: int) -> None:
    """Wait until a temporary file is there, or all fits are: then the last one was missed."""
    deadline = time.monotonic() + 60
    while not list(folder.glob(".*.part")) and len(list(folder.glob("*.nc"))) < fits:
        assert time.monotonic() < deadline


def bombard(nursery: Nursery, folder: Path, moments: list[tuple[str, float]]) -> int:
    """Kill a child at each moment, looking at the folder after each; then let one finish.

    Parameters
    ----------
    moments : list of (word, seconds)
        How long after the child first says the word it is killed; "part" stands for the moment
        at which its temporary file is there.

    Returns
    -------
    int
        After how many of them a temporary file was left.
    """
    before: dict[str, tuple[int, int]] = {}
    left = 0
    for word, seconds in [*moments, ("all", 0.0)]:
        child = nursery.begin()
        said = nursery.until("save" if word == "part" else word, "all")
        if word == "part":
            wait_for_temporary(folder, len(nursery.names))
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)  # it is there: at its end it waits
        said += nursery.until("gone")
        after = whole_fits(folder)
        assert before.items() <= after.items()  # the same files, untouched
        assert not {nursery.names[line[1]] for line in said if line[0] == "run"} & set(before)
        left += bool(list(folder.glob(".*.part")))
        if (
            len(after) == len(nursery.names) and word != "all"
        ):  # make room for what is still to be tested
            for name in after:
                (folder / name).unlink()
            after = {}
        before = after
    assert set(before) == set(nursery.names.values())
    assert not list(folder.glob(".*.part"))
    return left


@pytest.mark.parametrize("moments_each", [3, pytest.param(17, marks=pytest.mark.slow)])
def test_killed_at_moments_around_saving(
    moments_each: int, short_fit: xr.DataTree, folder: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(20)
    large = (("chain", "draw", "cell"), rng.standard_normal((2, 40, 40_000)))  # 26 MB: takes time
    tree = short_fit.copy()
    tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset().assign(large=large))
    stored = save_fit(tree, tmp_path / "stored.nc")
    moments = [
        *(("run", float(s)) for s in rng.uniform(0.0, 0.2, moments_each)),
        *(("save", float(s)) for s in rng.uniform(0.0, 0.1, moments_each)),
        *(("part", float(s)) for s in rng.uniform(0.0, 0.01, moments_each)),
    ]
    rng.shuffle(moments)
    for nursery in nursery_of(folder, str(stored)):
        assert bombard(nursery, folder, moments) >= 1  # some came in the middle of writing


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_fifty_moments_of_real_fits(folder: Path) -> None:
    rng = np.random.default_rng(50)
    moments = [
        *(("run", float(s)) for s in rng.uniform(0.0, 6.0, 35)),
        *(("save", float(s)) for s in rng.uniform(0.0, 0.05, 15)),
    ]
    rng.shuffle(moments)
    for nursery in nursery_of(folder, "-"):
        bombard(nursery, folder, moments)
