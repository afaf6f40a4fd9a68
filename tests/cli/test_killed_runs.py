"""SIGKILL in the middle of whole runs: no fit lost or made twice, nothing half-written read."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from remitstats.estimands.results import RelianceResults
from remitstats.fitting.store import load_fit

ONE = ("run", "--models", "reliance", "--states", "02,03", "--draws", "40", "--tune", "40")
PER_FIT = 5  # kills before another seed asks for another fit


def command(seed: int) -> list[str]:
    return ["remitstats", *ONE, "--chains", "2", "--seed", str(seed)]


def fits_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the stored fits, each of them read; identity and time show one made again."""
    found = {}
    for path in sorted((folder / "fits").glob("*.nc")):
        load_fit(path)
        found[path.name] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return found


def assert_whole(out: Path) -> None:
    """Hold what a killed run left to being whole: what is there can be read to its end."""
    for page in out.glob("*.html"):
        assert page.read_text("utf-8").rstrip().endswith("</html>"), page.name
    if (out / "results.json").exists():
        summary = json.loads((out / "results.json").read_text("utf-8"))
        assert RelianceResults.read(out).summary["fit_key"] == summary["fit_key"]


@pytest.mark.parametrize(
    "kills", [1, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_killed_at_random_moments_a_run_goes_on_where_it_was(
    kills, tmp_path, fork, record_property
):
    """It ends, too, with the very tables of a run that was left alone."""
    chance = np.random.default_rng(kills + 1)
    last = (kills - 1) // PER_FIT
    alone, folder = tmp_path / "alone", tmp_path / "killed"
    alone.mkdir()
    folder.mkdir()
    began = time.monotonic()
    fork.start(command(last), alone, os.environ)
    assert fork.end() == 3
    lasts = time.monotonic() - began
    before: dict[str, tuple[int, int]] = {}
    hit = 0
    for number in range(kills):
        child = fork.start(command(number // PER_FIT), folder, os.environ)
        time.sleep(float(chance.uniform(0.05, 1.0)) * lasts)
        with suppress(ProcessLookupError):  # it has come to its end
            os.kill(child, signal.SIGKILL)
        hit += fork.end() == -signal.SIGKILL
        after = fits_in(folder)
        assert before.items() <= after.items()
        assert_whole(folder / "reports")
        before = after
    record_property("killed before the end", hit)
    assert hit >= kills / 3  # the others had come to their end
    fork.start(command(last), folder, os.environ)
    assert fork.end() == 3
    assert before.items() <= fits_in(folder).items()
    assert_whole(folder / "reports")
    for path in (alone / "reports" / "summaries").iterdir():
        assert path.read_bytes() == (folder / "reports/summaries" / path.name).read_bytes(), path
    assert not [path.name for path in folder.rglob("*") if path.suffix == ".part"]
