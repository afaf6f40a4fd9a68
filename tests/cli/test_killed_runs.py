"""SIGKILL in the middle of whole runs: no fit lost or made twice, nothing half-written read."""

from __future__ import annotations

import json
import os
import signal
import time
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
    "kills", [3, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_killed_at_random_moments_a_run_goes_on_where_it_was(kills, tmp_path, fork):
    chance = np.random.default_rng(kills)
    began = time.monotonic()
    fork.start(command(0), tmp_path, os.environ)
    assert fork.end() == 3
    lasts = time.monotonic() - began
    before = fits_in(tmp_path)
    hit = 0
    for number in range(kills):
        child = fork.start(command(1 + number // PER_FIT), tmp_path, os.environ)
        time.sleep(float(chance.uniform(0.05, 1.0)) * lasts)
        os.kill(child, signal.SIGKILL)  # it is there until it is waited for
        hit += fork.end() == -signal.SIGKILL
        after = fits_in(tmp_path)
        assert before.items() <= after.items()
        assert_whole(tmp_path / "reports")
        before = after
    assert hit >= kills / 3  # the others had come to their end
    last = 1 + (kills - 1) // PER_FIT
    fork.start(command(last), tmp_path, os.environ)
    assert fork.end() == 3
    assert before.items() <= fits_in(tmp_path).items()
    assert_whole(tmp_path / "reports")
    left = [path.name for path in tmp_path.rglob("*") if path.suffix == ".part"]
    assert not left


def test_killed_runs_end_with_the_numbers_of_one_that_was_left_alone(tmp_path, fork):
    for name, moments in (("alone", []), ("killed", [1.0, 2.0, 2.6])):
        folder = tmp_path / name
        folder.mkdir()
        for moment in moments:
            child = fork.start(command(1), folder, os.environ)
            time.sleep(moment)
            os.kill(child, signal.SIGKILL)
            fork.end()
        fork.start(command(1), folder, os.environ)
        assert fork.end() == 3
    tables = [(tmp_path / name / "reports" / "summaries") for name in ("alone", "killed")]
    for path in tables[0].iterdir():
        assert path.read_bytes() == (tables[1] / path.name).read_bytes(), path.name
