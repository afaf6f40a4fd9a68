"""The beta-binomial against SciPy, its derivatives against differences, and its draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from remitstats.parts import overdispersion
from remitstats.parts.overdispersion import BetaBinomial
from remitstats.parts.sampling_error import EffectiveBinomial

ETA = np.array([-4.0, -1.0, 0.0, 0.7, 3.0])
COUNT, TOTAL = np.array([0.0, 3.0, 12.0, 40.0, 7.0]), np.array([9.0, 30.0, 12.0, 55.0, 7.0])
REAL = np.array([0.0, 0.4, 11.75, 40.2, 6.0]), np.array([9.3, 30.1, 12.25, 55.5, 6.0])


def scipy_law(eta: Any, total: Any, icc: float) -> Any:
    share, scale = special.expit(eta), (1.0 - icc) / icc
    return stats.betabinom(total, share * scale, (1 - share) * scale)


@settings(deadline=None, max_examples=100)
@given(
    st.integers(0, 200),
    st.integers(0, 200),
    st.floats(-8.0, 8.0),
    st.floats(1e-3, 0.9),
)
def test_log_density_is_scipys(receiving: int, others: int, eta: float, icc: float) -> None:
    total = receiving + others
    cell = BetaBinomial(np.array([float(receiving)]), np.array([float(total)]), icc)
    expected = scipy_law(eta, total, icc).logpmf(receiving)
    assert cell.log_density(np.array([eta]))[0] == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("icc", [0.02, 0.4])
def test_probabilities_of_all_counts_add_up(icc: float) -> None:
    counts = np.arange(31.0)
    cells = BetaBinomial(counts, np.full(31, 30.0), icc)
    assert np.exp(cells.log_density(np.full(31, -1.3))).sum() == pytest.approx(1.0)


def test_real_counts_are_the_binomial_kernel_averaged_over_the_beta() -> None:
    icc = 0.15
    cells = BetaBinomial(*REAL, icc)
    for k, (y, n) in enumerate(zip(*REAL, strict=True)):
        share, scale = special.expit(ETA[k]), (1 - icc) / icc
        a, b = share * scale, (1 - share) * scale

        def kernel(p: float, y: float = y, n: float = n) -> float:
            return float(p**y * (1 - p) ** (n - y))

        # an integral over quantiles has none of the poles that the beta density has
        law = stats.beta(a, b)
        average = integrate.quad(lambda u: kernel(law.ppf(u)), 0.0, 1.0, limit=500)[0]  # noqa: B023
        coefficient = special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
        expected = coefficient + np.log(average)
        assert cells.log_density(ETA)[k] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("counts", [(COUNT, TOTAL), REAL], ids=["whole", "real"])
@pytest.mark.parametrize("icc", [1e-6, 1e-3, 0.05, 0.5, 0.99])
def test_slope_and_bend_are_derivatives(counts: Any, icc: float) -> None:
    cells, step = BetaBinomial(*counts, icc), 1e-5
    for eta in (ETA, ETA - 3.0, -ETA):
        slope = (cells.log_density(eta + step) - cells.log_density(eta - step)) / (2 * step)
        bend = (cells.gradient(eta + step) - cells.gradient(eta - step)) / (2 * step)
        # a difference of logs near 100 is good to about 1e-14 * 100 / step
        assert cells.gradient(eta) == pytest.approx(slope, rel=1e-6, abs=2e-6)
        assert cells.second_derivative(eta) == pytest.approx(bend, rel=1e-6, abs=2e-6)


def test_curvature_is_minus_the_bend_or_positive() -> None:
    far = np.linspace(-12.0, 12.0, 97)
    for icc in (0.01, 0.3, 0.9):
        for y in (0.0, 1.0, 5.5, 20.0):
            cells = BetaBinomial(np.full(97, y), np.full(97, 20.0), icc)
            curvature, bend = cells.curvature(far), -cells.second_derivative(far)
            assert np.all(curvature >= 0)
            assert np.all(curvature[bend > 0] == bend[bend > 0])
    # there are such cells: all counted where few are expected
    surprising, at = BetaBinomial(np.array([20.0]), np.array([20.0]), 0.1), np.array([-2.0])
    assert surprising.second_derivative(at)[0] > 1.0
    assert surprising.curvature(at)[0] > 1.0


@pytest.mark.parametrize("icc", [0.0, 1e-12, 1e-9])
def test_without_correlation_it_is_the_binomial(icc: float) -> None:
    for counts in ((COUNT, TOTAL), REAL, (1e4 * COUNT, 1e4 * TOTAL)):
        cells, plain = BetaBinomial(*counts, icc), EffectiveBinomial(*counts)
        y, n = counts
        coefficient = special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
        # an icc of 1e-9 changes the log density by about n^2 icc / 2
        slack = n.max() ** 2 * 1e-9
        assert cells.log_density(ETA) == pytest.approx(
            coefficient + plain.log_density(ETA), rel=1e-7, abs=slack + 1e-6
        )
        assert cells.gradient(ETA) == pytest.approx(plain.gradient(ETA), rel=1e-3, abs=1e-4)
        assert cells.curvature(ETA) == pytest.approx(plain.curvature(ETA), rel=1e-3, abs=1e-4)


def test_gamma_functions_are_continuous_where_the_series_takes_over() -> None:
    """Either side of `LARGE` the same smooth function."""
    count = np.array([0.3, 1.0, 7.5, 900.0])
    below, above = overdispersion.LARGE * (1 - 1e-12), overdispersion.LARGE * (1 + 1e-12)
    for function in (
        lambda a: overdispersion._log_rising(np.log(a), count),
        lambda a: overdispersion._first(np.full(4, a), count),
        lambda a: overdispersion._second(np.full(4, a), count),
    ):
        assert function(below) == pytest.approx(function(above), rel=1e-9)


@pytest.mark.parametrize("eta", [-700.0, -50.0, 50.0, 700.0])
def test_extremes_stay_finite(eta: float) -> None:
    cells, at = BetaBinomial(COUNT, TOTAL, 0.1), np.full(5, eta)
    for values in (cells.log_density(at), cells.gradient(at), cells.curvature(at)):
        assert np.all(np.isfinite(values))
    # far out the density falls by one in eta for every success more than none
    assert cells.gradient(np.full(5, -700.0))[1] == pytest.approx(1.0)


def test_an_unmeasured_cell_says_nothing() -> None:
    cells = BetaBinomial(np.array([0.0, 3.0]), np.array([0.0, 10.0]), 0.1)
    at = np.array([1.2, 0.3])
    assert cells.log_density(at)[0] == cells.gradient(at)[0] == cells.curvature(at)[0] == 0.0
    assert special.expit(cells.initial()) == pytest.approx([3.5 / 11.0, 3.5 / 11.0])
    assert cells.measurement_sd() == pytest.approx(np.sqrt(1.9))


def test_the_correlation_can_be_a_hyperparameter() -> None:
    known, free = BetaBinomial(COUNT, TOTAL, 0.2), BetaBinomial(COUNT, TOTAL, "icc")
    values = {"icc": 0.2}
    assert np.array_equal(free.log_density(ETA, values), known.log_density(ETA))
    assert np.array_equal(free.gradient(ETA, values), known.gradient(ETA))
    assert np.array_equal(free.curvature(ETA, values), known.curvature(ETA))
    assert free.measurement_sd(values) == known.measurement_sd()
    with pytest.raises(ValueError, match="value of 'icc' is needed"):
        free.log_density(ETA)


@pytest.mark.parametrize("icc", [0.0, 0.03, 0.5])
def test_draws_have_the_distribution(icc: float) -> None:
    draws, total = 20_000, np.array([20.0, 20.0, 0.0])
    eta = np.array([-1.5, 0.5, 0.0])
    drawn = overdispersion.draw_shares(np.random.default_rng(1), eta, total, icc, (draws, 3))
    assert np.isnan(drawn[:, 2]).all()
    for k in (0, 1):
        law = scipy_law(eta[k], 20, icc) if icc else stats.binom(20, special.expit(eta[k]))
        seen = np.bincount(np.round(20 * drawn[:, k]).astype(int), minlength=21)
        expected = draws * law.pmf(np.arange(21))
        kept = expected > 5
        error = np.sqrt(expected * (1 - expected / draws))
        assert np.all(np.abs(seen - expected)[kept] < 5 * error[kept])
        # the variance that the module's text states
        share = special.expit(eta[k])
        assert law.var() / 400 == pytest.approx(share * (1 - share) * (1 + 19 * icc) / 20)


def count_model(icc: float | None, total: np.ndarray, count: np.ndarray) -> pm.Model:
    with pm.Model(coords={"cell": range(5)}) as model:
        eta = pm.Normal("eta", dims="cell")
        free = pm.Beta("icc", 1.0, 9.0) if icc is None else icc
        overdispersion.beta_binomial_to_pymc("y", eta, free, count, total, "cell")
    return model


@pytest.mark.parametrize("counts", [(COUNT, TOTAL), REAL], ids=["whole", "real"])
@pytest.mark.usefixtures("quick_compile")
def test_pymc_has_one_value_a_cell(counts: Any) -> None:
    y, n = counts
    model = count_model(None, n, y)
    for icc in (0.01, 0.6):
        point = {"eta": ETA, "icc_logodds__": np.array(special.logit(icc))}
        cells = model.compile_fn(
            model.logp(vars=[model["y"]], jacobian=False, sum=False)[0],
            inputs=model.value_vars,
        )(point)
        expected = BetaBinomial(y, n, icc).log_density(ETA)
        assert cells.shape == (5,)
        assert cells == pytest.approx(expected, rel=1e-8, abs=1e-8)
        prior = stats.norm.logpdf(ETA).sum() + stats.beta(1, 9).logpdf(icc)
        total = model.compile_logp(jacobian=False)(point)
        assert total == pytest.approx(prior + expected.sum(), rel=1e-8)


@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_forward() -> None:
    with count_model(0.2, TOTAL, COUNT) as model:
        tree = pm.sample_prior_predictive(draws=6000, model=model, random_seed=1)
    counts = tree["prior_predictive"]["y"].to_numpy()[0]
    eta = tree["prior"]["eta"].to_numpy()[0]
    mean = TOTAL * special.expit(eta)
    variance = mean * (1 - mean / TOTAL) * (1 + (TOTAL - 1) * 0.2)
    # standardised by the draw's own eta: mean 0 and variance 1
    z = (counts - mean) / np.sqrt(variance)
    assert np.all(np.abs(z.mean(axis=0)) < 5 / np.sqrt(6000))
    error = np.sqrt(((z**2).var(axis=0)) / 6000)
    assert np.all(np.abs((z**2).mean(axis=0) - 1) < 5 * error)


@pytest.mark.usefixtures("quick_compile")
def test_cell_effects_are_independent_normals(oracle: Any) -> None:
    part = overdispersion.cell_effect(6)
    assert np.array_equal(part.covariance(), np.eye(6))
    with pm.Model(coords={"wave": range(2), "place": range(3)}) as model:
        effect = overdispersion.cell_effect_to_pymc("e", 0.4, ("wave", "place"))
        pm.Deterministic("effect", effect, dims=("wave", "place"))
        tree = pm.sample_prior_predictive(draws=4000, model=model, random_seed=1)
    draws = tree["prior"]["effect"].to_numpy()[0].reshape(4000, 6)
    oracle.assert_moments(draws, 0.16 * np.eye(6))
    unit = np.random.default_rng(1).standard_normal((2, 3))
    assert model.compile_logp()({"e_unit": unit}) == pytest.approx(stats.norm.logpdf(unit).sum())


@pytest.mark.parametrize(
    ("count", "total", "icc", "says"),
    [(3.0, 2.0, 0.1, "found 1"), (-1.0, 2.0, 0.1, "found 1"), (1.0, 2.0, 1.0, "below 1")],
)
def test_impossible_counts_are_refused(count: float, total: float, icc: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        BetaBinomial(np.array([count]), np.array([total]), icc)
