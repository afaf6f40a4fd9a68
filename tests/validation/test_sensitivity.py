"""Power-scaling: the log densities are those of the models, and what is found is what is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from arviz_stats import psense_summary
from scipy import stats
from typer.testing import CliRunner

import remitstats
from remitstats.claims.prior_sensitivity import PriorSensitivity, shipped_sensitivities
from remitstats.cli.app import app
from remitstats.errors import RemitstatsError
from remitstats.models import circle, reliance
from remitstats.models.circle_prior import log_prior, scale_prior
from remitstats.parts.priors import (
    CorrelationPrior,
    NormalPrior,
    RatioPrior,
    ScalePrior,
    SharePrior,
)
from remitstats.validation.scaling import MODELS, scaling_of
from remitstats.validation.scaling.circle import parameters, unconstrained
from remitstats.validation.sensitivity import (
    Scaled,
    chance_of,
    log_prior_in,
    log_prior_of,
    sensitivity_of,
)

SAMPLE = ("chain", "draw")


def normal_mean(prior_mean: float, prior_sd: float) -> Scaled:
    """Draws of the mean of a hundred normals around 0 with standard deviation 1."""
    rng = np.random.default_rng(1)
    precision = prior_sd**-2 + 100.0
    mean = prior_mean * prior_sd**-2 / precision
    draws = mean + rng.standard_normal((4, 1000)) / np.sqrt(precision)
    prior = stats.norm.logpdf(draws, prior_mean, prior_sd)
    return Scaled({"mean": draws}, ("mean",), prior, -50.0 * draws**2)


@pytest.mark.parametrize(
    ("prior", "expected"),
    [((0.0, 10.0), ""), ((2.0, 0.2), "conflict"), ((0.0, 0.005), "strong prior")],
)
def test_what_prior_and_data_do_to_a_mean_is_found(prior, expected):
    scaled = normal_mean(*prior)
    found = PriorSensitivity({}, sensitivity_of(scaled), chance_of(scaled))
    assert found.diagnosis == [expected]


def test_chance_is_less_with_more_draws_and_sets_what_counts():
    few, many = normal_mean(2.0, 0.2), normal_mean(2.0, 0.2)
    few = Scaled({}, (), few.log_prior[:, :20], few.log_likelihood[:, :20])
    assert chance_of(many)["prior"] < 0.5 * chance_of(few)["prior"]
    table = sensitivity_of(many)
    assert PriorSensitivity({}, table, {"prior": 0.0, "likelihood": 0.0}).diagnosis == ["conflict"]
    assert PriorSensitivity({}, table, {"prior": 9.0, "likelihood": 0.0}).diagnosis == [""]
    assert PriorSensitivity({}, table, {"prior": 0.0, "likelihood": 9.0}).diagnosis == ["unclear"]


def test_the_diagnosis_is_that_of_arviz():
    scaled = normal_mean(2.0, 0.2)
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"mean": (SAMPLE, scaled.quantities["mean"])}),
            "log_prior": xr.Dataset({"p": (SAMPLE, scaled.log_prior)}),
            "log_likelihood": xr.Dataset({"l": (SAMPLE, scaled.log_likelihood)}),
        }
    )
    theirs = psense_summary(tree).loc["mean"]
    ours = sensitivity_of(scaled).iloc[0]
    assert ours[["prior", "likelihood"]].to_list() == pytest.approx(
        theirs[["prior", "likelihood"]].to_list(), abs=6e-4
    )
    assert theirs["diagnosis"] == "potential prior-data conflict"


def test_log_priors_are_on_the_scale_that_they_are_stated_on():
    rng = np.random.default_rng(2)
    priors: dict[str, Any] = {
        "sd": ScalePrior(1.0, 0.05),
        "share": SharePrior(2.0, 3.0),
        "ratio": RatioPrior(0.5),
        "mean": NormalPrior(1.0, 2.0),
        "rho": CorrelationPrior(0.7, 0.6),
    }
    draws = {name: rng.uniform(0.1, 0.9, (2, 5)) for name in priors}
    expected = (
        stats.expon.logpdf(draws["sd"], scale=1.0 / priors["sd"].rate)
        + stats.beta.logpdf(draws["share"], 2.0, 3.0)
        + stats.lognorm.logpdf(draws["ratio"], 0.5)
        + stats.norm.logpdf(draws["mean"], 1.0, 2.0)
        + priors["rho"].log_density(draws["rho"])
    )
    assert log_prior_of(priors, draws) == pytest.approx(expected)


def test_the_circles_parameters_are_found_from_what_a_fit_keeps():
    model = circle.build(remitstats.load_mexico().select(["01", "06"]))
    density = model.collapsed
    x = density.start() + 0.2 * np.random.default_rng(1).standard_normal((1, 3, density.size))
    kept = {k: v for k, v in density.constrain(x).items() if k in model.dims_of_posterior}
    dims = {k: (*SAMPLE, *(f"{k} {i}" for i in range(v.ndim - 2))) for k, v in kept.items()}
    posterior = xr.Dataset({name: (dims[name], value) for name, value in kept.items()})
    free = parameters(density, posterior)
    assert unconstrained(density, free) == pytest.approx(x, abs=1e-9)
    # the density's prior is of unconstrained numbers: less what that change of scale adds
    added = np.zeros(3)
    for name, (place, _) in density.layout.items():
        if name.endswith(("_partial", "_share")):
            added += np.sum(np.log(free[name][0] * (1.0 - free[name][0])).reshape(3, -1), axis=1)
        elif (prior := scale_prior(name, density.priors)) is not None:
            value = free[name].reshape(3, -1)
            score = stats.norm.logpdf(x[0, :, place]) - stats.expon.logpdf(value, 0, 1 / prior.rate)
            added += np.sum(score, axis=1)
        elif not np.allclose(free[name].reshape(1, 3, -1), x[..., place]):
            added += np.sum(x[0, :, place], axis=1)
    own = [log_prior(one, density.layout, density.priors, np.zeros(density.size)) for one in x[0]]
    assert log_prior_in(model, free)[0] == pytest.approx(own - added)


def test_log_densities_of_reliance_add_up_to_its_own(lattice):
    """Draws whose field is the same: what differs is what the blocks' joint density says."""
    model = reliance.build(lattice)
    tree = remitstats.fit(model, lattice, seed=1, draws=40, tune=30, chains=2)
    scaled = scaling_of("reliance")(tree, lattice)
    blocks = model.latent_gaussian
    cells = tree["posterior"]["linear_predictor"].transpose(*SAMPLE, *blocks.dims).to_numpy()
    here = float(np.sum(blocks.likelihood.log_density(cells[1, 7].astype(float).ravel(), {})))
    assert scaled.log_likelihood[1, 7] == pytest.approx(here)
    assert set(scaled.headlines) <= set(scaled.quantities)
    table = sensitivity_of(scaled)
    assert table["headline"].sum() == len(scaled.headlines)
    assert np.isfinite(table[["prior", "likelihood"]]).all(axis=None)


def test_draws_without_a_density_are_refused():
    scaled = normal_mean(0.0, 1.0)
    scaled.log_prior[0, 0] = -np.inf
    with pytest.raises(RemitstatsError, match="log prior of some draws"):
        sensitivity_of(scaled)


def test_what_was_found_is_read_as_it_was_written(tmp_path: Path):
    found = PriorSensitivity(
        {"model": "x"}, sensitivity_of(normal_mean(0.0, 1.0)), {"prior": 0.01, "likelihood": 0.2}
    )
    path = tmp_path / "x.json"
    path.write_text(found.to_json(), encoding="utf-8")
    assert PriorSensitivity.read(path).to_json() == found.to_json()
    path.write_text(found.to_json()[:-20], encoding="utf-8")
    with pytest.raises(RemitstatsError, match="holds no sensitivity"):
        PriorSensitivity.read(path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["macro", "--sensitivity", "--simulations", "3"], "--simulations can't be used with"),
        (["transition", "--sensitivity"], "transition"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, said, tmp_path):
    result = CliRunner().invoke(app, ["validate", *arguments, "--out", str(tmp_path)])
    assert isinstance(result.exception, RemitstatsError)
    assert said in str(result.exception)


@pytest.mark.slow
def test_the_command_writes_what_it_found(tmp_path):
    arguments = ["validate", "macro", "--sensitivity", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, [*arguments, "--fits", str(tmp_path / "fits")])
    assert result.exit_code == 0, result.output
    found = PriorSensitivity.read(tmp_path / "validation" / "sensitivity" / "macro.json")
    assert found.study["model"] == "macro"
    assert found.quantities["headline"].any()


def test_shipped_sensitivities_are_whole_and_say_how_to_repeat_them():
    for model, found in shipped_sensitivities().items():
        assert model in MODELS
        assert found.study["command"].startswith(f"remitstats validate {model} --sensitivity")
        assert found.quantities["headline"].any()
