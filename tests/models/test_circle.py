"""The circle model: one density for both engines, and what its forms mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import remitstats
from remitstats.fitting import collapsed
from remitstats.models import circle
from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_density import PLACES, CircleDensity
from remitstats.models.circle_form import Form, Priors
from remitstats.models.circle_measures import VARIABLES
from remitstats.models.circle_prior import scale_prior
from remitstats.parts.collapsed_density import GroupMeans
from remitstats.parts.dynamic_panel import covariance

FORMS = {
    "national": Form(),
    "all": Form(by_region=True, by_state=True),
    "plain": Form(by_interval=False, own_level=False),
    "cut": Form(removed=(("reliance", "migration"), ("migration", "underdevelopment"))),
}


@pytest.fixture(scope="module")
def data() -> CircleData:
    return prepare_data(remitstats.load_mexico().select(["01", "06", "09"]))


def point(density: CircleDensity, seed: int) -> np.ndarray:
    return density.start() + 0.2 * np.random.default_rng(seed).standard_normal(density.size)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_written_out_density_is_that_of_the_pymc_model(data: CircleData, form: Form) -> None:
    model = circle.model_of(data, Priors(), form)
    density = model.collapsed
    start = model.initial_point()
    names = [value.name for value in model.value_vars]
    assert sum(np.size(start[name]) for name in names) == density.size
    compiled = model.compile_logp(mode="FAST_COMPILE", sum=False)
    differences = []
    for seed in range(3):
        x = point(density, seed)
        values: dict[str, Any] = {}
        stretched = 0.0  # PyMC has logarithms where the density has normal scores
        for rv in model.free_RVs:
            place, shape = density.layout[rv.name]
            values[model.rvs_to_values[rv].name] = x[place].reshape(shape)
            prior = scale_prior(rv.name, density.priors)
            if prior is not None:
                log_sd = np.log([prior.constrain(t) for t in x[place]])
                values[model.rvs_to_values[rv].name] = log_sd.reshape(shape)
                ahead = np.log([prior.constrain(t + 1e-5) for t in x[place]])
                behind = np.log([prior.constrain(t - 1e-5) for t in x[place]])
                stretched += float(np.sum(np.log((ahead - behind) / 2e-5)))
        theirs = sum(float(np.sum(part)) for part in compiled(values))
        differences.append(theirs + stretched - density.gradient(x)[0])
    assert differences == pytest.approx([0.0] * 3, abs=1e-6)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_gradient_is_that_of_differences(data: CircleData, form: Form) -> None:
    density = CircleDensity(data, Priors(), form)
    x = point(density, 4)
    _, gradient = density.gradient(x)
    rng, step = np.random.default_rng(5), 1e-5
    for place, _ in density.layout.values():
        direction = np.zeros(density.size)
        direction[place] = rng.standard_normal(place.stop - place.start)
        ends = [density.gradient(x + sign * step * direction)[0] for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * step)
        assert gradient @ direction == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_links_left_out_are_zero_everywhere(data: CircleData) -> None:
    density = CircleDensity(data, Priors(), FORMS["cut"])
    links = density.links(point(density, 6))
    gone = links[..., VARIABLES.index("reliance"), VARIABLES.index("migration")]
    kept = links[..., VARIABLES.index("migration"), VARIABLES.index("reliance")]
    assert (gone == 0).all()
    assert (kept != 0).all()


def test_national_links_are_the_mean_of_the_intervals(data: CircleData) -> None:
    density = CircleDensity(data, Priors(), Form())
    x = point(density, 7)
    place, shape = density.layout["link"]
    assert density.links(x).mean(axis=(0, 1)) == pytest.approx(x[place].reshape(shape))


def test_constrained_parameters_are_where_they_belong(data: CircleData) -> None:
    density = CircleDensity(data, Priors(), FORMS["all"])
    found = density.constrain(np.stack([point(density, s) for s in range(4)]))
    assert found["links"].shape == (4, 3, 2, 5, 5)
    assert (found["link_state_sd"] > 0).all()
    assert ((found["intercept_share"] > 0) & (found["intercept_share"] < 1)).all()
    assert np.linalg.eigvalsh(found["innovation"]).min() > 0


def test_far_point_has_no_density(data: CircleData) -> None:
    density = CircleDensity(data, Priors(), Form())
    value, gradient = density.gradient(density.start() + 100.0)
    assert value == -np.inf
    assert (gradient == 0).all()


def test_scales_near_nought_have_no_long_tail(data: CircleData) -> None:
    density = CircleDensity(data, Priors(), Form())
    for name in ("intercept_sd", "size_noise_sd_growth"):
        x = point(density, 10)
        place, _ = density.layout[name]
        values, slopes = [], []
        for score in (-3.0, -4.0, -5.0, -6.0):
            x[place.stop - 1] = score
            value, gradient = density.gradient(x)
            values.append(value)
            slopes.append(gradient[place.stop - 1])
        # nothing is left for the data to say: the density falls as a normal one
        assert slopes == pytest.approx([3.0, 4.0, 5.0, 6.0], abs=0.3)
        assert np.diff(values) == pytest.approx([-3.5, -4.5, -5.5], abs=0.3)


def test_prior_lets_no_variable_outgrow_its_standard_deviation_by_far() -> None:
    # the variance that priors give a standardised variable in the last wave: of the size of one
    data = prepare_data(remitstats.load_mexico().select(["01", "06"]))
    priors, rng = Priors(), np.random.default_rng(8)
    variances = []
    for _ in range(400):
        own = rng.normal(priors.own_link.mean, priors.own_link.sd, 5)
        links = rng.normal(0.0, priors.cross_link.sd, (5, 5))
        np.fill_diagonal(links, own)
        level = np.diag(rng.exponential(1 / priors.intercept_sd.rate, 5) ** 2)
        new = np.stack([np.diag(rng.exponential(1 / priors.innovation_sd.rate, 5) ** 2)] * 3)
        whole = covariance(np.stack([np.stack([links] * 2)]), level, new)[0]
        variances.append(np.diag(whole)[-5:])
    low, middle, high = np.quantile(variances, [0.05, 0.5, 0.95])
    assert low < 0.3 < middle < 1.5
    assert high < 15
    assert data.shape[2] == 5


def test_states_have_the_covariance_of_a_region_and_what_is_their_own(data: CircleData) -> None:
    density = CircleDensity(data, Priors(), FORMS["all"])
    x = point(density, 8)
    region, state = (np.exp(x[density.layout[f"link_{one}_sd"][0]][0]) for one in PLACES)
    means = next(one for one in density.pooled() if isinstance(one, GroupMeans))
    sds = means.sds(math.log(region), math.log(state))[:: 5 * 5]
    zero = x.copy()
    places = [density.layout["link_region"], density.layout["link_state_unit"]]
    for place, _ in places:
        zero[place] = 0.0
    base = density.links(zero)[:, 0, 0, 1]
    columns = []
    for (place, (size, _, _)), unit in zip(places, (sds, np.ones(len(base))), strict=True):
        for group in range(size):
            moved = zero.copy()
            moved[place.start + group * 25 + 1] = unit[group]  # to the first from the second
            columns.append(density.links(moved)[:, 0, 0, 1] - base)
    loading = np.stack(columns, axis=1)
    of = data.region_of_state
    expected = region**2 * (of[:, None] == of[None, :]) + state**2 * np.eye(len(of))
    assert loading @ loading.T == pytest.approx(expected, abs=1e-12)


def test_one_difference_serves_a_state_of_every_region(data: CircleData) -> None:
    density = CircleDensity(data, Priors(), FORMS["all"])
    x = point(density, 9)
    short = collapsed.hessian(density, x, density.separable())
    whole = collapsed.hessian(density, x)
    scale = np.sqrt(np.abs(np.diag(whole)) + 1.0)
    assert (short - whole) / np.outer(scale, scale) == pytest.approx(
        np.zeros(whole.shape), abs=2e-3
    )
