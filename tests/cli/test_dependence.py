"""The dependence model on the command line and as a script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("--states", "06", "--draws", "20", "--tune", "20", "--chains", "2")


def test_it_is_fitted_by_name_with_a_prior_of_ones_own(remitstats):
    result = remitstats("fit", "dependence", *SHORT, "--prior", "walk_sd=2,0.05")
    assert result.returncode == 3, result.stderr
    out = remitstats.folder / "reports/dependence"
    summary = json.loads((out / "results.json").read_text())
    assert summary["model"] == "dependence"
    assert summary["model_spec"]["priors"]["walk_sd"]["upper"] == 2.0
    assert summary["municipalities"] == 10
    assert (out / "summaries/growth.csv").is_file()


@pytest.mark.slow
def test_the_script_gives_the_tables_too(tmp_path):
    script = ROOT / "models/fit_dependence.py"
    done = subprocess.run(
        [sys.executable, script, *SHORT, "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "NOT CONVERGED" in done.stdout
    assert (tmp_path / "out/summaries/level.parquet").is_file()
