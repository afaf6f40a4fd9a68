"""`remitstats circle impulse` and the fit script: what is refused, what is withheld."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import remitstats
from remitstats.cli.app import app
from remitstats.errors import RemitstatsError
from remitstats.estimands.circle_impulse import WHOLE, impulse_table
from remitstats.models.circle_form import Form
from remitstats.panel.panel import Panel

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return remitstats.load_mexico().select(["01", "06"])


@pytest.fixture(scope="module")
def fit(panel: Panel) -> xr.DataTree:
    model = remitstats.circle.build(panel, form=Form(by_interval=False))
    return remitstats.fit(model, panel, seed=1, draws=20, tune=12, chains=2)


def test_without_a_link_only_what_runs_through_it_changes(fit: xr.DataTree, panel: Panel) -> None:
    table = impulse_table(fit, panel, [("migration", "reliance")])
    ways = table["links"].unique().tolist()
    assert ways == [WHOLE, "without migration → reliance"]
    first = table[table["years"] == 10].pivot(index="variable", columns="links", values="median")
    assert first.loc["reliance", ways[1]] == 0.0
    assert first.loc["reliance", WHOLE] != 0.0
    rest = first.drop("reliance")  # ten years later nothing has run through reliance yet
    np.testing.assert_array_equal(rest[WHOLE], rest[ways[1]])
    later = table[table["years"] == 30].pivot(index="variable", columns="links", values="median")
    assert (later[WHOLE] != later[ways[1]]).all()


@pytest.mark.parametrize("cuts", [[("migration", "relience")], [("people", "reliance")]])
def test_a_link_between_unknown_variables_is_refused(
    fit: xr.DataTree, panel: Panel, cuts: list[tuple[str, str]]
) -> None:
    with pytest.raises(RemitstatsError, match="variable of the circle"):
        impulse_table(fit, panel, cuts)


def test_a_fit_that_did_not_converge_answers_nothing(fit: xr.DataTree, tmp_path: Path) -> None:
    remitstats.save_fit(fit, tmp_path / "circle-short.nc")
    result = CliRunner().invoke(app, ["circle", "impulse", "--fits", str(tmp_path)])
    assert result.exit_code == 3
    assert "NOT CONVERGED" in result.stderr
    assert "migration" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cut", "reliance"], "FROM:TO"),
        (["--years", "25"], "multiple of 10"),
        ([], "remitstats fit circle"),
    ],
)
def test_what_can_not_be_answered_is_said_in_words(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["circle", "impulse", "--fits", str(tmp_path), *arguments])
    assert isinstance(result.exception, RemitstatsError)
    assert said in str(result.exception)


def test_the_fit_script_says_when_nothing_follows(tmp_path: Path) -> None:
    given = ["--states", "06", "--draws", "10", "--tune", "12", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(ROOT / "models" / "fit_circle.py"), *given],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "NOT CONVERGED" in done.stdout
    assert "supported" not in done.stdout
