"""The reliance model: one definition read by two engines, its priors, its refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytest
from scipy import special

import remitstats
from remitstats.errors import RemitstatsError
from remitstats.models import check_name, reliance
from remitstats.panel.panel import Panel
from remitstats.parts.latent_gaussian import LatentGaussian
from remitstats.parts.priors import NormalPrior, RatioPrior, ScalePrior, SharePrior
from remitstats.parts.sampling_error import SamplingDesign
from remitstats.simulate import grid_panel

UNITS = {  # PyMC's unit-scale variables, by the component they stand for
    "state_effect": "state_unit",
    "state_wave_effect": "state_wave_unit",
    "municipality_spatial": "municipality_spatial_unit",
    "municipality_unstructured": "municipality_unstructured_unit",
    "municipality_wave_spatial": "municipality_wave_spatial_unit",
    "municipality_wave_unstructured": "municipality_wave_unstructured_unit",
}


def random_point(
    blocks: LatentGaussian, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    theta = 1.5 * rng.standard_normal(len(blocks.hyperparameters))
    return theta, {c.name: c.structure.sample(rng, c.copies).ravel() for c in blocks.components}


def pymc_point(model: Any, values: dict[str, float], units: dict[str, np.ndarray]) -> dict:
    """PyMC's unconstrained value variables for given values and unit-scale effects."""
    known: dict[str, Any] = {"wave_effect": units["wave_effect"]}
    for name, value in values.items():
        known[f"{name}_log__"] = math.log(value)
        known[f"{name}_logodds__"] = special.logit(value) if 0 < value < 1 else None
    known |= {UNITS[name]: unit for name, unit in units.items() if name in UNITS}
    return {
        name: np.asarray(known[name], dtype=float).reshape(np.shape(start))
        for name, start in model.initial_point().items()
    }


def log_jacobian(blocks: LatentGaussian, theta: np.ndarray, values: dict[str, float]) -> float:
    """Log of what turns a density of theta and effects into one of values and unit effects."""
    step, total = 1e-4, 0.0
    for prior, t in zip(blocks.hyperparameters.values(), theta, strict=True):
        slope = (prior.constrain(t + step) - prior.constrain(t - step)) / (2 * step)
        total -= math.log(slope)
    for component in blocks.components:
        if component.name in UNITS:
            total += component.copies * component.structure.rank * component.log_sd(values)
    return total


def test_pymc_and_sparse_blocks_are_the_same_density(model: Any) -> None:
    blocks, rng = model.latent_gaussian, np.random.default_rng(8)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        log_density = model.compile_logp(jacobian=False)
    gaps, ours = [], []
    for _ in range(8):
        theta, units = random_point(blocks, rng)
        values = blocks.constrain(theta)
        units["wave_effect"] *= math.exp(blocks.components[0].log_sd(values))
        effects = {
            c.name: units[c.name] * (math.exp(c.log_sd(values)) if c.name in UNITS else 1.0)
            for c in blocks.components
        }
        ours.append(blocks.log_joint(theta, effects) + log_jacobian(blocks, theta, values))
        gaps.append(float(log_density(pymc_point(model, values, units))) - ours[-1])
    assert np.ptp(ours) > 1e3  # the points are far apart, so equal gaps mean something
    assert np.ptp(gaps) < 1e-4


def test_linear_predictor_is_the_same_in_both(model: Any) -> None:
    blocks, rng = model.latent_gaussian, np.random.default_rng(9)
    theta, units = random_point(blocks, rng)
    values = blocks.constrain(theta)
    names = [*model.initial_point()]
    inputs = [model.rvs_to_values[v] for v in model.free_RVs]
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        eta = model.replace_rvs_by_values([model["linear_predictor"]])
        at = pytensor.function(inputs, eta, on_unused_input="ignore", mode="FAST_COMPILE")
    point = pymc_point(model, values, units)
    effects = {
        c.name: units[c.name] * (math.exp(c.log_sd(values)) if c.name in UNITS else 1.0)
        for c in blocks.components
    }
    expected = blocks.linear_predictor(values, effects).reshape(3, 24)
    assert at(*[point[name] for name in names])[0] == pytest.approx(expected, abs=1e-9)


def test_linear_predictor_is_what_the_module_says(data: reliance.RelianceData) -> None:
    """The formula of the module's text, by loops."""
    blocks = reliance.latent_gaussian(data, reliance.Priors())
    theta, units = random_point(blocks, np.random.default_rng(1))
    values = blocks.constrain(theta)
    eta = blocks.linear_predictor(values, units).reshape(3, 24)
    contrast = [values["wave_scale_2000"], values["wave_scale_2010"], 1.0]
    for w, i in ((0, 0), (1, 7), (2, 23)):
        s = data.state_of[i]
        effect = (
            units["wave_effect"][w]
            + units["state_effect"][s]
            + units["state_wave_effect"].reshape(3, -1)[w, s]
            + units["municipality_spatial"][i]
            + units["municipality_unstructured"][i]
            + units["municipality_wave_spatial"].reshape(3, 24)[w, i]
            + units["municipality_wave_unstructured"].reshape(3, 24)[w, i]
        )
        assert eta[w, i] == pytest.approx(-3.0 + contrast[w] * effect)


def test_dims_and_coordinates_are_named(model: Any, lattice: Panel) -> None:
    codes = sorted(lattice.table("municipality")["cvegeo"])
    assert {dim: list(map(str, values)) for dim, values in model.coords.items()} == {
        "wave": ["2000", "2010", "2020"],
        "municipality": codes,
        "state": ["01", "02", "03"],
    }
    dims = model.named_vars_to_dims
    assert dims["linear_predictor"] == ("wave", "municipality")
    assert dims["receiving_dwellings"] == ("wave", "municipality")
    assert dims["state_wave_effect"] == ("wave", "state")
    assert dims["municipality_effect"] == ("municipality",)
    # nothing with more than one value goes without named dims
    assert {v.name for v in model.basic_RVs if v.ndim} <= set(dims)
    assert model.specification["priors"] == reliance.Priors().describe()
    assert model.specification["sampling_design"] == SamplingDesign().describe()


def test_hyperparameters_have_the_priors_asked_for(data: reliance.RelianceData) -> None:
    priors = reliance.Priors(
        state_sd=ScalePrior(0.7, 0.1),
        municipality_share=SharePrior(2.0, 3.0),
        wave_scale=RatioPrior(0.5),
    )
    blocks = reliance.latent_gaussian(data, priors)
    assert blocks.hyperparameters["state_sd"] == ScalePrior(0.7, 0.1)
    assert blocks.hyperparameters["municipality_share"] == SharePrior(2.0, 3.0)
    assert blocks.hyperparameters["wave_scale_2000"] == RatioPrior(0.5)
    assert blocks.hyperparameters["wave_scale_2010"] == RatioPrior(0.5)
    assert "wave_scale_2020" not in blocks.hyperparameters


def test_unmeasured_cells_are_kept_but_say_nothing(data: reliance.RelianceData, model: Any) -> None:
    here = list(data.coords["municipality"]).index("01003")
    assert list(zip(*np.nonzero(~data.measured), strict=True)) == [(0, here)]
    assert data.effective[0, here] == 0
    assert data.receiving[0, here] == 0
    assert np.isnan(data.percent[0, here])
    assert model.latent_gaussian.cells == 72


def test_effective_counts_are_published_share_times_effective_dwellings(
    data: reliance.RelianceData,
) -> None:
    known = data.measured
    share = data.receiving[known] / data.effective[known]
    assert 100 * share == pytest.approx(data.percent[known])
    assert np.all(data.effective[known] <= data.dwellings[known] * (1 + 1e-12))


def test_row_order_of_the_panel_does_not_matter(
    lattice: Panel, data: reliance.RelianceData
) -> None:
    tables = {
        name: table.sample(frac=1.0, random_state=3).reset_index(drop=True)
        for name, table in lattice.tables.items()
    }
    shuffled = reliance.prepare_data(Panel(tables, lattice.metadata))
    assert np.array_equal(shuffled.receiving, data.receiving)
    assert np.array_equal(shuffled.state_of, data.state_of)
    assert {*map(tuple, shuffled.graph.edges)} == {*map(tuple, data.graph.edges)}


@pytest.fixture(scope="module")
def national() -> pd.DataFrame:
    return reliance.prior_predictive(remitstats.load_mexico(), draws=400, seed=2)


def test_prior_keeps_national_reliance_within_demographers_limits(national: pd.DataFrame) -> None:
    """Nobody who knows Mexico would call a country with 80% of dwellings receiving plausible."""
    percent = national["national_percent"]
    assert len(percent) == 400 * 3
    assert (percent > 80).mean() < 0.001
    low, middle, high = percent.quantile([0.025, 0.5, 0.975])
    assert low > 0.3
    assert high < 45
    # what the documentation of Priors says, to Monte Carlo error
    assert low == pytest.approx(1.3, abs=0.4)
    assert middle == pytest.approx(6.7, abs=1.2)
    assert high == pytest.approx(26, abs=6)


def test_prior_lets_municipalities_differ(national: pd.DataFrame) -> None:
    spread = national["percent_90"] / national["percent_10"]
    assert (spread > 3).mean() > 0.5
    assert (national["percent_90"] > 99).mean() < 0.01


def test_prior_predictive_sampling_by_pymc_agrees(model: Any, lattice: Panel) -> None:
    import pymc as pm

    tree = pm.sample_prior_predictive(draws=400, model=model, random_seed=1)
    replicated = tree["prior_predictive"]["receiving_dwellings"]
    assert replicated.dims == ("chain", "draw", "wave", "municipality")
    counts, effective = replicated.to_numpy()[0], model.data.effective
    assert np.all((counts >= 0) & (counts <= effective))
    assert np.all(counts[:, effective == 0] == 0)
    ours = reliance.prior_predictive(lattice, draws=400, seed=1)["median_percent"]
    eta = tree["prior"]["linear_predictor"].to_numpy()[0]
    theirs = np.median(100 * special.expit(eta), axis=-1).ravel()
    assert np.quantile(theirs, [0.1, 0.5, 0.9]) == pytest.approx(
        ours.quantile([0.1, 0.5, 0.9]).to_numpy(), rel=0.25
    )


def test_priors_are_set_by_name() -> None:
    priors = reliance.Priors().with_values({"state_sd": (0.5, 0.01), "intercept": (-2.5, 1.0)})
    assert priors.state_sd == ScalePrior(upper=0.5, tail=0.01)
    assert priors.intercept == NormalPrior(mean=-2.5, sd=1.0)
    assert priors.municipality_sd == reliance.Priors().municipality_sd


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"state_ds": (0.5, 0.01)}, "Did you mean 'state_sd'"),
        ({"municipality": (0.5, 0.01)}, "Did you mean 'municipality_"),
        ({"state_sd": (0.5,)}, r"takes 2 number\(s\) \(upper, tail\), found 1"),
        ({"state_sd": (-0.5, 0.1)}, "can't be used: upper must lie between"),
    ],
)
def test_wrong_priors_are_explained(values: dict[str, tuple[float, ...]], says: str) -> None:
    with pytest.raises(RemitstatsError, match=says):
        reliance.Priors().with_values(values)


def test_unknown_model_suggests_the_nearest() -> None:
    assert check_name("reliance") == "reliance"
    with pytest.raises(RemitstatsError, match="Did you mean 'reliance'"):
        check_name("relience")


def only(panel: Panel, **kept: Any) -> Panel:
    table = panel.table("municipality_wave")
    for column, values in kept.items():
        table = table[table[column].isin(values)]
    return panel.with_table("municipality_wave", table)


def test_a_panel_without_neighbours_has_independent_effects_alone(lattice: Panel) -> None:
    no_map = Panel({k: v for k, v in lattice.tables.items() if k != "adjacency"}, lattice.metadata)
    blocks = reliance.build(no_map).latent_gaussian
    assert "municipality_share" not in blocks.hyperparameters
    assert not [c.name for c in blocks.components if c.name.endswith("_spatial")]
    assert {"municipality_sd", "municipality_wave_sd"} <= set(blocks.hyperparameters)


ALONE = {"municipality_sd", "municipality_share"}
BY_STATE = {"state_sd"}
BY_WAVE = {"municipality_wave_sd", "municipality_wave_share"}


@pytest.mark.parametrize(
    ("states", "waves", "expected"),
    [
        (None, [2020], ALONE | BY_STATE),
        (["02"], [2020], ALONE),
        (["02"], [2010, 2020], ALONE | BY_WAVE | {"wave_scale_2010"}),
        (
            None,
            [2000, 2020],
            ALONE | BY_STATE | BY_WAVE | {"state_wave_sd", "wave_scale_2000"},
        ),
    ],
)
def test_effects_that_a_panel_says_nothing_of_are_left_out(
    lattice: Panel, states: list[str] | None, waves: list[int], expected: set[str]
) -> None:
    model = reliance.build(lattice.select(states, waves=waves))
    blocks = model.latent_gaussian
    assert set(blocks.hyperparameters) == expected
    assert expected <= set(model.named_vars)
    assert set(blocks.reported) <= set(model.named_vars)
    names = set(model.initial_point())
    assert {UNITS[c.name] for c in blocks.components if c.name in UNITS} <= names


def test_a_map_in_several_parts_has_a_field_in_each(lattice: Panel) -> None:
    pairs = lattice.table("adjacency")
    across = pairs["cvegeo_a"].str[:2] != pairs["cvegeo_b"].str[:2]
    blocks = reliance.build(lattice.with_table("adjacency", pairs[~across])).latent_gaussian
    spatial = next(c for c in blocks.components if c.name == "municipality_spatial")
    assert spatial.structure.constraint.shape[0] == 3  # one sum for each state
    assert spatial.structure.rank == spatial.structure.size - 3


def test_two_waves_are_enough() -> None:
    data = reliance.prepare_data(grid_panel(2, 4, waves=(2010, 2020), states=("01", "02")))
    names = list(reliance.latent_gaussian(data, reliance.Priors()).hyperparameters)
    assert [name for name in names if name.startswith("wave_scale")] == ["wave_scale_2010"]
