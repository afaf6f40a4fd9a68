"""The depopulation model: one density for both engines, and what its parts mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

import remitstats
from remitstats.errors import PanelError
from remitstats.models import depopulation
from remitstats.models.depopulation_data import DepopulationData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.parts.latent_gaussian import LatentGaussian
from remitstats.parts.priors import CorrelationPrior, HyperPrior, SharePrior
from remitstats.simulate import grid_panel


@pytest.fixture(scope="module")
def panel() -> Panel:
    return remitstats.load_mexico().select(["01", "06", "07"])


@pytest.fixture(scope="module")
def data(panel: Panel) -> DepopulationData:
    return prepare_data(panel)


@pytest.fixture(scope="module")
def blocks(data: DepopulationData) -> LatentGaussian:
    return depopulation.latent_gaussian(data, depopulation.Priors())


@pytest.mark.parametrize("maps_by_interval", [False, True])
def test_both_engines_see_one_density(panel: Panel, maps_by_interval: bool) -> None:
    """The PyMC model at unit effects, against the blocks' own density, at three points."""
    model = depopulation.build(panel, maps_by_interval=maps_by_interval)
    blocks = model.latent_gaussian
    compiled = model.compile_logp(model.observed_RVs, mode="FAST_COMPILE")
    eta_of = model.compile_fn(
        model.replace_rvs_by_values([model["linear_predictor"]]),
        inputs=model.value_vars,
        mode="FAST_COMPILE",
        on_unused_input="ignore",  # the correlation in time enters through a prior
    )
    start = model.initial_point()
    rng = np.random.default_rng(3)
    for _ in range(3):
        theta = 0.3 * rng.standard_normal(len(blocks.hyperparameters))
        values = blocks.constrain(theta)
        point = {name: 0.3 * rng.standard_normal(np.shape(x)) for name, x in start.items()}
        for name, prior in blocks.hyperparameters.items():
            value = model.rvs_to_values[model[name]].name
            point[value] = np.asarray(_unbounded(prior, values[name]))
        eta = eta_of(point)[0].ravel()
        expected = blocks.likelihood.log_density(eta, values).sum()
        assert float(compiled(point)) == pytest.approx(expected, rel=1e-9)
        effects = _effects(point, values)
        assert blocks.linear_predictor(values, effects) == pytest.approx(eta)


def _unbounded(prior: HyperPrior, value: float) -> float:
    """Return a value on the scale on which PyMC samples it."""
    if isinstance(prior, SharePrior):
        return float(special.logit(value))
    if isinstance(prior, CorrelationPrior):
        return float(np.log1p(value) - np.log1p(-value))
    return float(np.log(value))


def _effects(point: dict[str, Any], values: dict[str, float]) -> dict[str, Any]:
    """Return the blocks' effects at a point of the PyMC model."""
    sd, share = values["municipality_sd"], values["municipality_share"]
    own = point["municipality_own_unit"]
    found = {
        "growth": np.atleast_1d(point["growth"]),
        "interval_effect": values["interval_sd"] * point["interval_unit"],
        "size_slope": np.atleast_1d(point["size_slope"]),
        "size_effect": values["size_interval_sd"] * point["size_unit"],
        "state_effect": values["state_sd"] * point["state_unit"],
        "state_interval_effect": values["state_interval_sd"] * point["state_interval_unit"].ravel(),
        "municipality_spatial": sd * np.sqrt(share) * point["municipality_spatial_unit"],
        "municipality_own": (sd * np.sqrt(1 - share) * own).T.ravel(),
        "count_error": values["count_sd"] * point["count_unit"].ravel(),
        "survey_error": values["survey_sd"] * point["survey_unit"].ravel(),
        "unplaced_error": point["unplaced_error"],
    }
    sds = [value for name, value in values.items() if name.startswith("neighbour_sd")]
    if sds:
        found["neighbour_effect"] = (np.array(sds)[:, None] * point["neighbour_unit"]).ravel()
    return found


def test_an_error_in_a_level_leaves_growth_over_both_intervals(data: DepopulationData) -> None:
    for year in (*data.coords["count"], *data.coords["survey"]):
        contrast = data.contrast(int(year))
        row = int(np.flatnonzero(data.censuses.year == year)[0])
        assert contrast[row - 1] > 0 > contrast[row]
        assert contrast @ data.years == pytest.approx(0.0, abs=1e-12)
        assert np.count_nonzero(contrast) == 2


def test_errors_of_growth_are_what_the_components_add(
    data: DepopulationData, blocks: LatentGaussian
) -> None:
    rng = np.random.default_rng(4)
    posterior = {"linear_predictor": np.zeros((1, *data.percent.shape))}
    total = np.zeros(data.percent.size)
    for component in blocks.components:
        if component.name.endswith("_error"):
            effect = rng.standard_normal(component.size)
            dim = component.name.removesuffix("_error")
            shape = (
                (1, len(data.coords["unplaced"]))
                if dim == "unplaced"
                else (1, -1, len(data.size[0]))
            )
            posterior[component.name] = effect.reshape(shape)
            total += component.enter(effect)
    found = depopulation.error_of_growth(data, posterior)
    assert found.ravel() == pytest.approx(total)


def test_slopes_of_the_scales_are_those_of_differences(blocks: LatentGaussian) -> None:
    likelihood = blocks.likelihood
    values = blocks.constrain(0.2 * np.ones(len(blocks.hyperparameters)))
    for name, slope in likelihood.log_scale_slopes(values).items():
        up, down = ({**values, name: values[name] + h} for h in (1e-6, -1e-6))
        change = np.log(likelihood.measurement_sd(up) / likelihood.measurement_sd(down)) / 2e-6
        assert slope == pytest.approx(change, abs=1e-7)


def test_small_municipalities_vary_more(blocks: LatentGaussian, data: DepopulationData) -> None:
    values = blocks.constrain(np.zeros(len(blocks.hyperparameters)))
    scale = blocks.likelihood.measurement_sd(values).reshape(data.size.shape)
    order = np.argsort(data.size[0])
    assert (np.diff(scale[0][order]) <= 1e-12).all()


def test_only_the_censuses_up_to_a_year_are_used(panel: Panel) -> None:
    early = prepare_data(panel, through=2010)
    assert list(early.coords["interval"]) == ["1990-1995", "1995-2000", "2000-2005", "2005-2010"]
    assert len(early.coords["survey"]) == 0
    whole = prepare_data(panel).percent[:4]
    assert np.array_equal(early.percent, whole, equal_nan=True)


def test_a_panel_without_censuses_is_told_what_is_missing() -> None:
    with pytest.raises(PanelError, match="municipality_census"):
        depopulation.build(grid_panel(3, 4, seed=1))
