"""Command line, fit script and notebook give the same numbers for the same seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import remitstats as package

SCRIPT = Path(__file__).parents[2] / "models" / "fit_reliance.py"
TABLES = ("level", "change", "group", "group_change", "predictive", "parameter")


def written(out):
    """Return what a way in wrote, without seconds and command."""
    summary = json.loads((out / "results.json").read_text("utf-8"))
    del summary["wall_seconds"], summary["command"]
    files = {path.name: path.read_bytes() for path in (out / "summaries").iterdir()}
    return summary, files


@pytest.fixture(scope="module")
def of_run(finished):
    """Return what `remitstats run` wrote."""
    return written(finished.folder / finished.out)


def on_one_core():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def test_fit_writes_the_same_as_run_also_on_one_core(of_run, finished, remitstats):
    result = remitstats("fit", "reliance", *finished.options, "--out", "X", limit=on_one_core)
    assert result.returncode == 3
    assert written(remitstats.folder / "X") == of_run


@pytest.fixture
def script(tmp_path):
    """Return a runner of the fit script in an empty folder."""

    def run(*options):
        return subprocess.run(
            [sys.executable, str(SCRIPT), *options],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=240,
            check=False,
        )

    return run


def test_the_fit_script_writes_the_same_as_run_and_states_nothing(
    of_run, finished, script, tmp_path
):
    done = script(*finished.options, "--out", "X")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "NOT CONVERGED" in done.stdout
    assert "try: " in done.stdout
    assert "published_percent" not in done.stdout  # no estimate of a fit that can't be trusted
    assert written(tmp_path / "X") == of_run


def test_the_fit_script_refuses_bad_input_in_words(script, tmp_path):
    done = script("--states", "02,99")
    assert done.returncode == 2
    assert "There is no such state in the panel." in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_gets_the_same_as_run(finished, tmp_path):
    panel = package.load_mexico().select(["02", "03"])
    model = package.reliance.build(panel)
    fit = package.fit(model, panel, seed=7, draws=40, tune=40, chains=2)
    results = package.summarise(fit, panel).rounded()
    out = finished.folder / finished.out
    for name in TABLES:
        stored = pd.read_parquet(out / "summaries" / f"{name}.parquet")
        mine = getattr(results, name).reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, stored, check_dtype=False, rtol=0, atol=1e-9)
    stored = json.loads((out / "results.json").read_text("utf-8"))
    for key in ("converged", "r_hat_max", "ess_bulk_min", "ess_tail_min", "fit_key", "panel_hash"):
        assert results.summary[key] == pytest.approx(stored[key]), key
