"""The dependence model's density is the plain normal one, in both of its forms."""

import math

import numpy as np
import pytensor
import pytest
from pytensor.compile.mode import Mode
from scipy import stats

import remitstats
from remitstats.models import dependence
from remitstats.models.dependence_data import prepare_data
from remitstats.models.dependence_density import DependenceDensity
from remitstats.models.dependence_form import Form, kernels
from remitstats.panel.load import load_mexico


@pytest.fixture(scope="module")
def panel():
    """Some municipalities of two states, steady and faint."""
    return load_mexico().select(["01", "06"])


@pytest.fixture(scope="module")
def density(panel):
    return DependenceDensity(prepare_data(panel), dependence.Priors())


def plain(density, sds):
    """Log density of all observations by one dense normal."""
    data, form = density.data, density.form
    cov = form.covariances(sds, density.kernel)
    count, times = data.observed.shape
    design = [np.hstack([np.eye(times), f * density.extra]) for f in form.reported]
    whole = np.zeros((count, times, count, times))
    for i in range(count):
        for j in range(count):
            a, b = data.kind_of[i], data.kind_of[j]
            block = design[a] @ cov.nation @ design[b].T
            if data.state_of[i] == data.state_of[j]:
                block = block + cov.state[data.state_of[i]]
            if i == j:
                block = block + cov.series[a]
            whole[i, :, j] = block
    whole = whole.reshape(count * times, -1)
    seen = np.isfinite(data.observed.ravel())
    y = data.observed.ravel()[seen]
    root = np.linalg.cholesky(whole[np.ix_(seen, seen)])
    z = np.linalg.solve(root, y)
    return -0.5 * z @ z - np.log(np.diag(root)).sum() - 0.5 * len(y) * math.log(2 * math.pi)


def test_the_collapsed_likelihood_is_the_plain_one_to_rounding(density):
    rng = np.random.default_rng(1)
    for _ in range(2):
        sds = density.sds(density.start() + 0.3 * rng.standard_normal(density.size))
        value, _ = density.likelihood(sds)
        assert value == pytest.approx(plain(density, sds), rel=1e-9)


def test_its_gradient_is_the_slope(density):
    x = density.start()
    rng = np.random.default_rng(2)
    _, gradient = density.gradient(x)
    for _ in range(3):
        step = rng.standard_normal(density.size)
        ends = [density.gradient(x + sign * 1e-5 * step)[0] for sign in (1, -1)]
        assert gradient @ step == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-3)


def test_both_engines_have_one_posterior(panel, density):
    model = dependence.build(panel)
    quick = Mode(linker="py", optimizer=None)
    logp = model.compile_fn(model.logp(sum=False), inputs=model.value_vars, mode=quick)
    names = [v.name for v in model.value_vars]
    assert [n.removesuffix("_log__") for n in names] == list(density.form.layout)
    apart = []
    rng = np.random.default_rng(3)
    for _ in range(3):
        x = density.start() + 0.2 * rng.standard_normal(density.size)
        values = density.constrain(x)
        point = {f"{name}_log__": np.log(value) for name, value in values.items()}
        slope = np.log(density.sds(x + 1e-6) / density.sds(x - 1e-6)) / 2e-6
        total = sum(float(np.sum(part)) for part in logp(point))
        apart.append(total + np.log(slope).sum() - density.gradient(x)[0])
    assert apart == pytest.approx([0.0, 0.0, 0.0], abs=1e-5)
    wanted = pytensor.grad(model.potentials[0], model["walk_sd"])
    wanted = model.replace_rvs_by_values([wanted])
    found = model.compile_fn(wanted, inputs=model.value_vars, mode=quick)(point)[0]
    _, by_log = density.likelihood(density.sds(x))
    place = density.form.layout["walk_sd"][0]
    assert found == pytest.approx(by_log[place] / density.sds(x)[place])
    assert model.named_vars_to_dims["noise_sd"] == ("kind",)


def test_standard_deviations_follow_their_priors(density):
    rng = np.random.default_rng(4)
    drawn = density.sds(rng.standard_normal((4000, density.size)))
    rate = density.form.rate
    for j in (0, density.size - 1):
        assert stats.kstest(drawn[:, j], "expon", args=(0, 1 / rate[j])).pvalue > 1e-3


def test_a_number_beyond_all_bounds_gives_no_density(density):
    assert density.gradient(np.full(density.size, 100.0))[0] == -math.inf


def test_priors_say_what_they_are(panel):
    model = dependence.build(panel)
    told = model.specification
    assert told["priors"]["walk_sd"] == {"prior": "scale", "upper": 1.0, "tail": 0.05}
    assert told["measures"]["unit"] == "constant pesos"
    assert told["last_quarter"] == "2026Q1"
    assert remitstats.dependence is dependence


def test_a_step_of_reporting_lies_before_its_break(density):
    form: Form = density.form
    numbers = density.data.numbers
    steps = kernels(numbers, form.centre, density.data.measures)
    quarters = density.data.coords["quarter"]
    before = np.array([q < "2018Q1" for q in quarters])
    assert (np.diag(steps["step 1"]) == before).all()
    ramp = np.sqrt(np.diag(steps["ramp"]))
    assert ramp[list(quarters).index("2022Q2")] == pytest.approx(1.0)
    assert ramp[list(quarters).index("2022Q3")] == 0 and ramp[0] == 0


def test_the_error_of_population_vanishes_at_censuses_and_grows_after_the_last(density):
    quarters = list(density.data.coords["quarter"])
    sd = np.sqrt(np.diag(density.kernel["population"]))
    assert sd[quarters.index("2020Q1")] < 0.015
    assert sd[quarters.index("2015Q2")] == pytest.approx(0.03 * np.sqrt(2.44), rel=0.01)
    later = sd[quarters.index("2020Q2") :]
    assert (np.diff(later) > 0).all() and 0.07 < later[-1] < 0.12
