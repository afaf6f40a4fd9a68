"""Calibration by simulation: what is simulated is the model, nothing is lost, wrong is found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import remitstats
from remitstats.claims.model_calibration import ModelCalibration, shipped_calibrations
from remitstats.cli.app import app
from remitstats.errors import RemitstatsError
from remitstats.validation import calibrating, resumed
from remitstats.validation.calibrating import Calibrating, run_calibration
from remitstats.validation.calibration import LEVELS, Length, Record, simulate_once
from remitstats.validation.study import calibration_of
from remitstats.validation.subjects import MODELS, subject_of
from remitstats.validation.subjects.macro import Macro
from remitstats.validation.subjects.reliance import Reliance
from remitstats.validation.subjects.transition import Transition

SHORT = Length(draws=60, tune=30)


@dataclass(frozen=True, eq=False)
class Invented:
    """A subject of two quantities, for what is counted of records."""

    name: str = "invented"
    headlines: tuple[str, ...] = ("good",)
    code: tuple[str, ...] = ("errors.py",)

    def describe(self) -> dict[str, Any]:
        return {"of": "nothing"}

    def simulate(self, seed: int) -> Any:
        pytest.fail("its records are given")

    def draws(self, tree: Any, truth: Mapping[str, float]) -> Any:
        pytest.fail("its records are given")


def record(number: int, good: float, bad: float, **changed: Any) -> Record:
    held = {
        name: [int(abs(place - 0.5) < level / 2) for level in LEVELS]
        for name, place in (("good", good), ("bad", bad))
    }
    made = Record(
        number, {"good": good, "bad": bad}, held, {"good": 0.0, "bad": 0.4}, True, 1, 1.0, 300.0
    )
    return replace(made, **changed)


@pytest.fixture
def records() -> list[Record]:
    """200 simulations of a quantity that is right and one whose posterior is too low."""
    rng = np.random.default_rng(5)
    return [record(n, rng.random(), rng.beta(2, 1)) for n in range(200)]


def test_what_is_wrong_is_found_and_what_is_right_is_not(records):
    found = calibration_of(Invented(), records, {})
    assert found.rejected == ["bad"]
    assert found.rejected_headlines == []
    assert found.simulations == 200
    row = found.quantities.set_index("quantity").loc["good"]
    assert row["coverage_80"] == pytest.approx(80, abs=6)
    assert np.all(found.distribution("bad") >= 0)


def test_fits_that_fail_or_break_are_counted(records):
    broken = Record(200, {}, {}, {}, False, 2, None, None, "ValueError: no mode")
    failed = [replace(records[0], passed=False, tries=2), *records[1:], broken]
    found = calibration_of(Invented(), failed, {})
    assert (found.failed, found.again, found.broken, found.simulations) == (2, 2, 1, 201)
    with pytest.raises(RemitstatsError, match="no mode"):
        calibration_of(Invented(), [broken], {})


def test_what_was_found_is_read_as_it_was_written(records, tmp_path):
    found = calibration_of(Invented(), records, {"seed": 3, "command": "remitstats validate x"})
    path = tmp_path / "invented.json"
    path.write_text(found.to_json(), encoding="utf-8")
    read = ModelCalibration.read(path)
    assert read.study == found.study
    assert read.rejected == found.rejected
    assert read.to_json() == found.to_json()
    path.write_text(found.to_json()[:-20], encoding="utf-8")
    with pytest.raises(RemitstatsError, match="holds no calibration"):
        ModelCalibration.read(path)


def test_a_run_that_was_interrupted_goes_on_and_gives_the_same(lattice, tmp_path, monkeypatch):
    asked = Calibrating(Reliance(lattice), simulations=2, length=SHORT)
    first = run_calibration(replace(asked, simulations=1), tmp_path, workers=1)
    place = tmp_path / f"calibration-reliance-{asked.key}"
    kept = place / "00000.json"
    assert Record.from_json(kept.read_text()) == first[0]
    (place / "00001.json").write_text(kept.read_text()[:40])  # half-written by who knows whom
    both = run_calibration(asked, tmp_path, workers=1)
    assert both[0] == first[0]
    assert [each.number for each in both] == [0, 1]
    monkeypatch.setattr(resumed, "_results", lambda *_: pytest.fail("made again"))
    assert run_calibration(asked, tmp_path, workers=1) == both
    assert calibrating.finished(asked, tmp_path) == both
    assert replace(asked, seed=2).key != asked.key


def test_a_fit_that_breaks_is_a_record_with_its_error(lattice):
    class Broken(Reliance):
        def simulate(self, seed: int) -> Any:
            made = super().simulate(seed)
            made.model.latent_gaussian = None  # what remitstats.fit refuses
            return made

    found = simulate_once(Broken(lattice), 0, 1, SHORT)
    assert found.error.startswith("RemitstatsError: This model was not built by remitstats")
    assert (found.passed, found.place) == (False, {})


@pytest.mark.slow
def test_growths_of_the_macro_model_are_drawn_as_pymc_draws_them():
    """The spread of simulated growths, whatever the parameters, is that of PyMC's prior."""
    import pymc as pm

    subject = Macro.of(remitstats.load_mexico())
    made = [subject.simulate(seed) for seed in range(300)]
    ours = np.stack([each.model.collapsed.observed for each in made])
    model = made[0].model
    with model:
        theirs = pm.sample_prior_predictive(300, random_seed=1)["prior_predictive"]["growth"]
    for statistic in (lambda g: g.std(axis=1), lambda g: g[:, 0], lambda g: g[:, -1] - g[:, 0]):
        drawn = statistic(theirs.to_numpy().reshape(300, -1))
        assert stats.ks_2samp(statistic(ours), drawn).pvalue > 0.001


def test_series_of_the_transition_model_have_the_density_that_its_likelihood_says():
    """At the true parameters the gradient of the likelihood is nought on the average."""
    subject = Transition.of(remitstats.load_mexico())
    from remitstats.models.transition import TransitionDensity
    from remitstats.models.transition_data import SERIES
    from remitstats.parts.local_level import PARAMETERS

    slopes = []
    for seed in range(12):
        made = subject.simulate(seed)
        density: TransitionDensity = made.model.collapsed
        for name, level in zip(SERIES, density.levels, strict=True):
            own = np.array([made.truth[f"{what} {name}"] for what in PARAMETERS])
            slopes.append(level.gradient(own)[1])
    slope = np.stack(slopes)
    z = slope.mean(axis=0) / (slope.std(axis=0) / np.sqrt(len(slope)))
    assert np.all(np.abs(z) < 4)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_ranks_its_headlines_and_parameters(model):
    subject = subject_of(model, remitstats.load_mexico())
    made = subject.simulate(1)
    assert set(subject.headlines) <= set(made.truth)
    assert len(made.truth) > len(subject.headlines)
    assert all(np.isfinite(value) for value in made.truth.values())
    again = subject.simulate(1)
    assert again.truth == made.truth
    json.dumps(subject.describe())


def test_the_command_writes_what_it_found(tmp_path):
    arguments = ["validate", "reliance", "--simulations", "1", "--states", "06", "--draws", "60"]
    arguments += ["--out", str(tmp_path), "--fits", str(tmp_path / "fits"), "--workers", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code in (0, 3), result.output
    found = ModelCalibration.read(tmp_path / "validation" / "reliance.json")
    assert found.simulations == 1
    assert found.study["states"] == ["06"]
    # without folders: what is kept says how to get it again anywhere
    command = "remitstats validate reliance --simulations 1 --draws 60 --states 06"
    assert found.study["command"] == command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reliance", "--panels", "3"], "--panels can't be used with the model 'reliance'"),
        (["circle", "--simulations", "3"], "--simulations can't be used with the model 'circle'"),
        (["relience"], "reliance"),
        (["reliance", "--simulations", "0"], "at least one simulation"),
        (["macro", "--states", "01"], "simulated whole"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, said, tmp_path):
    result = CliRunner().invoke(app, ["validate", *arguments, "--out", str(tmp_path)])
    assert result.exit_code != 0
    assert isinstance(result.exception, RemitstatsError)
    assert said in str(result.exception)


def test_shipped_calibrations_are_whole_and_say_how_to_repeat_them():
    for model, found in shipped_calibrations().items():
        assert found.study["model"] == model
        assert found.study["command"].startswith(f"remitstats validate {model}")
        assert set(found.places) == set(found.quantities["quantity"])
        assert Path(f"{model}.json").stem in MODELS


@pytest.mark.parametrize("model", ["macro", "transition", "dependence", "dependence_state"])
def test_what_was_integrated_out_is_drawn_with_other_numbers_in_every_simulation(model):
    """Ranks among draws that all simulations share are not uniform, however right the engine."""
    subject = subject_of(model, remitstats.load_mexico())
    made = subject.simulate(1)
    tree = remitstats.fit(made.model, made.panel, seed=1, draws=10, tune=12, chains=1, cores=1)
    first = subject.draws(tree, made.truth)
    settings = json.loads(tree["provenance"].attrs["settings"])
    tree["provenance"].attrs["settings"] = json.dumps(settings | {"seed": 2})
    second = subject.draws(tree, made.truth)
    drawn = {name for name in made.truth if not np.array_equal(first[name], second[name])}
    assert drawn >= set(subject.headlines)
