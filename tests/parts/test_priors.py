"""Priors: what they say in words, the two scales of a number, and what PyMC makes of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from remitstats.parts import autoregression
from remitstats.parts.priors import (
    CorrelationPrior,
    HyperPrior,
    NormalPrior,
    RatioPrior,
    ScalePrior,
    SharePrior,
    draw,
)

positive = st.floats(0.05, 20.0)
PRIORS = (
    ScalePrior(upper=1.5, tail=0.05),
    ScalePrior(upper=0.2, tail=0.01),
    SharePrior(alpha=1.0, beta=1.0),
    SharePrior(alpha=2.0, beta=5.0),
    RatioPrior(log_sd=0.25),
    NormalPrior(mean=-3.0, sd=0.8),
    CorrelationPrior(upper=0.9, tail=0.6),
    CorrelationPrior(upper=0.5, tail=0.9),
    CorrelationPrior(upper=0.5, tail=0.05, base=0.0),
)


class Correlation:
    """A correlation by SciPy, from the law of its distance to the base model."""

    def __init__(self, prior: CorrelationPrior) -> None:
        self.base, scale = prior.base, 1.0 / prior.rate
        if prior.base == 1.0:
            self.distance: Any = stats.truncexpon(b=math.sqrt(2.0) / scale, scale=scale)
        else:
            self.distance = stats.expon(scale=scale)

    def ppf(self, q: float) -> float:
        if self.base == 1.0:
            return float(1.0 - self.distance.isf(q) ** 2)
        far = self.distance.ppf(abs(2.0 * q - 1.0))
        return math.copysign(math.sqrt(-math.expm1(-(far**2))), q - 0.5)

    def logpdf(self, rho: Any) -> Any:
        """The law of the distance times the slope of the distance in rho."""
        rho = np.asarray(rho, dtype=float)
        if self.base == 1.0:
            d = np.sqrt(1.0 - rho)
            return self.distance.logpdf(d) - np.log(2.0 * d)
        rho = np.where(rho == 0, 1e-6, rho)  # |rho| / d is 1 to twelve digits there
        d = np.sqrt(-np.log1p(-np.square(rho)))
        return self.distance.logpdf(d) + np.log(np.abs(rho) / (2.0 * (1.0 - np.square(rho)) * d))


def distribution(prior: HyperPrior) -> Any:
    """The same prior by SciPy."""
    if isinstance(prior, ScalePrior):
        return stats.expon(scale=1.0 / prior.rate)
    if isinstance(prior, SharePrior):
        return stats.beta(prior.alpha, prior.beta)
    if isinstance(prior, NormalPrior):
        return stats.norm(prior.mean, prior.sd)
    if isinstance(prior, CorrelationPrior):
        return Correlation(prior)
    assert isinstance(prior, RatioPrior)
    return stats.lognorm(s=prior.log_sd)


@st.composite
def correlations(draw: st.DrawFn) -> CorrelationPrior:
    upper = draw(st.floats(0.05, 0.95))
    if draw(st.booleans()):
        return CorrelationPrior(upper, draw(st.floats(0.01, 0.5)), base=0.0)
    least = math.sqrt((1 - upper) / 2)
    return CorrelationPrior(upper, least + (0.99 - least) * draw(st.floats(0.1, 1.0)))


scales = st.builds(ScalePrior, upper=positive, tail=st.floats(0.001, 0.5))
any_prior = st.one_of(
    scales,
    st.builds(SharePrior, alpha=st.floats(0.5, 5.0), beta=st.floats(0.5, 5.0)),
    st.builds(RatioPrior, log_sd=st.floats(0.05, 2.0)),
    st.builds(NormalPrior, mean=st.floats(-5.0, 5.0), sd=positive),
    correlations(),
)


@settings(deadline=None)
@given(any_prior, st.floats(-4.0, 4.0))
def test_unconstrain_undoes_constrain(prior: HyperPrior, t: float) -> None:
    if isinstance(prior, CorrelationPrior) and abs(prior.constrain(t)) > 1 - 1e-7:
        return  # rounding of numbers near one leaves fewer digits than the test asks for
    assert prior.unconstrain(prior.constrain(t)) == pytest.approx(t, abs=1e-6)


@settings(deadline=None)
@given(any_prior, st.floats(-5.0, 5.0))
def test_standard_normal_t_gives_the_prior(prior: HyperPrior, t: float) -> None:
    expected = distribution(prior).ppf(stats.norm.cdf(t))
    assert prior.constrain(t) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@settings(deadline=None)
@given(scales)
def test_tail_is_the_probability_above_upper(prior: ScalePrior) -> None:
    assert stats.norm.sf(prior.unconstrain(prior.upper)) == pytest.approx(prior.tail)


@pytest.mark.parametrize("prior", PRIORS[:2], ids=str)
def test_scale_says_in_words_what_integration_and_sampling_find(prior: ScalePrior) -> None:
    """P(sd > U) = a."""
    density = distribution(prior).pdf
    above = integrate.quad(density, prior.upper, np.inf)[0]
    assert above == pytest.approx(prior.tail)
    drawn = draw(prior, np.random.default_rng(1), 20_000)
    error = math.sqrt(prior.tail * (1 - prior.tail) / 20_000)
    assert (drawn > prior.upper).mean() == pytest.approx(prior.tail, abs=5 * error)


@settings(deadline=None, max_examples=40)
@given(correlations())
def test_correlation_says_in_words_what_integration_finds(prior: CorrelationPrior) -> None:
    """P(rho > U) = a, or P(|rho| > U) = a."""
    end = 12.0  # of u = artanh(rho): 1 - rho is 1e-10 there

    def mass(low: float, high: float) -> float:
        def density(u: float) -> float:
            return math.exp(float(prior.log_density(math.tanh(u)))) / math.cosh(u) ** 2

        return float(integrate.quad(density, low, high, limit=500, points=[0.0])[0])

    beyond = distribution(prior).distance
    upper = math.atanh(prior.upper)
    if prior.base == 1.0:
        left_out = beyond.cdf(math.sqrt(1.0 - math.tanh(end)))
        assert mass(upper, end) + left_out == pytest.approx(prior.tail, abs=1e-6)
        assert mass(-end, end) + left_out == pytest.approx(1.0, abs=1e-6)
    else:
        left_out = beyond.sf(math.sqrt(2.0 * math.log(math.cosh(end))))
        assert 2.0 * mass(upper, end) + left_out == pytest.approx(prior.tail, abs=1e-6)
        assert mass(-end, end) + left_out == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("prior", PRIORS[6:], ids=str)
def test_correlation_says_in_words_what_sampling_finds(prior: CorrelationPrior) -> None:
    drawn = draw(prior, np.random.default_rng(2), (200, 100))
    assert drawn.shape == (200, 100)
    assert np.all(np.abs(drawn) < 1)
    above = (drawn > prior.upper) if prior.base == 1.0 else (np.abs(drawn) > prior.upper)
    error = math.sqrt(prior.tail * (1 - prior.tail) / 20_000)
    assert above.mean() == pytest.approx(prior.tail, abs=5 * error)
    if prior.base == 0.0:
        assert (drawn > 0).mean() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(20_000))


def test_distance_from_white_noise_is_the_kullback_leibler_divergence() -> None:
    """The law of base 0 is exponential in the root of twice the divergence, a step."""
    prior, size = CorrelationPrior(0.5, 0.05, base=0.0), 7
    for rho in (0.1, 0.5, 0.9):
        covariance = autoregression.covariance(rho, size)
        divergence = 0.5 * (np.trace(covariance) - size - np.linalg.slogdet(covariance)[1])
        distance = math.sqrt(2.0 * divergence / (size - 1))
        above = 2.0 * stats.norm.sf(prior.unconstrain(rho))
        assert above == pytest.approx(math.exp(-prior.rate * distance))


def test_share_prior_from_a_tail() -> None:
    prior = SharePrior.from_tail(upper=0.1, tail=0.05)
    assert stats.beta(prior.alpha, prior.beta).sf(0.1) == pytest.approx(0.05)
    drawn = draw(prior, np.random.default_rng(3), 20_000)
    assert (drawn > 0.1).mean() == pytest.approx(0.05, abs=5 * math.sqrt(0.05 * 0.95 / 20_000))


@settings(deadline=None)
@given(any_prior)
def test_every_prior_keeps_the_protocol(prior: HyperPrior) -> None:
    assert isinstance(prior, HyperPrior)
    values = [prior.constrain(t) for t in np.linspace(-5.0, 5.0, 41)]
    assert np.all(np.diff(values) >= 0)
    described = prior.describe()
    assert isinstance(described.pop("prior"), str)
    # the description is enough to make the prior again
    assert type(prior)(**described) == prior


def test_draws_are_the_priors_quantiles_of_uniforms() -> None:
    for prior in PRIORS:
        noise = np.random.default_rng(4).standard_normal(50)
        expected = [distribution(prior).ppf(q) for q in stats.norm.cdf(noise)]
        assert draw(prior, np.random.default_rng(4), 50) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("t", [-40.0, -9.0, 9.0, 40.0])
@pytest.mark.parametrize("prior", PRIORS[:3])
def test_extremes_stay_finite_and_inside_the_range(prior: HyperPrior, t: float) -> None:
    value = prior.constrain(t)
    assert math.isfinite(value)
    assert value > 0 or isinstance(prior, SharePrior)
    assert value <= 1 or isinstance(prior, ScalePrior)


@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_pymc_has_the_same_quantiles_and_density(prior: HyperPrior) -> None:
    t = np.array([-2.0, -0.5, 0.0, 1.0, 2.5])
    values = np.array([prior.constrain(x) for x in t])
    with pm.Model(), pytensor.config.change_flags(mode="FAST_COMPILE"):
        variable = prior.to_pymc("x")
        below = np.exp([pm.logcdf(variable, v).eval() for v in values])
        density = np.array([pm.logp(variable, v).eval() for v in values])
    assert below == pytest.approx(stats.norm.cdf(t), rel=1e-6)
    assert density == pytest.approx(distribution(prior).logpdf(values), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ScalePrior(upper=0.0, tail=0.05),
        lambda: ScalePrior(upper=math.nan, tail=0.05),
        lambda: ScalePrior(upper=1.0, tail=0.0),
        lambda: ScalePrior(upper=1.0, tail=1.0),
        lambda: SharePrior(alpha=0.0, beta=1.0),
        lambda: RatioPrior(log_sd=-1.0),
        lambda: NormalPrior(mean=0.0, sd=0.0),
        lambda: CorrelationPrior(upper=1.0, tail=0.5),
        lambda: CorrelationPrior(upper=0.5, tail=0.5),  # the base model would not be favoured
        lambda: CorrelationPrior(upper=0.5, tail=1.0),
        lambda: CorrelationPrior(upper=0.5, tail=0.95, base=0.0),
        lambda: CorrelationPrior(upper=0.5, tail=0.9, base=0.5),
        lambda: SharePrior.from_tail(upper=1.0, tail=0.05),
        lambda: SharePrior.from_tail(upper=0.1, tail=0.0),
    ],
)
def test_impossible_parameters_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="found"):
        make()


@pytest.mark.parametrize("prior", PRIORS, ids=str)
@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_forward(prior: HyperPrior) -> None:
    with pm.Model() as model:
        prior.to_pymc("x")
        tree = pm.sample_prior_predictive(draws=2000, model=model, random_seed=1)
    drawn = tree["prior"]["x"].to_numpy()[0]
    t = np.array([prior.unconstrain(float(value)) for value in drawn])
    assert stats.kstest(t, "norm").pvalue > 1e-4


@pytest.mark.parametrize("prior", PRIORS[6:], ids=str)
@pytest.mark.usefixtures("quick_compile")
def test_pymc_keeps_correlations_inside_their_range(prior: CorrelationPrior) -> None:
    with pm.Model() as model:
        prior.to_pymc("rho")
        log_density, slope = model.compile_logp(), model.compile_dlogp()
    for u in (-6.0, 0.0, 6.0):  # the unconstrained scale that NUTS moves on
        rho = 2.0 / (1.0 + math.exp(-u)) - 1.0
        jacobian = math.log(2.0) - math.log1p(math.exp(-u)) - math.log1p(math.exp(u))
        point = {"rho_interval__": np.array(u)}
        expected = float(prior.log_density(rho)) + jacobian
        assert log_density(point) == pytest.approx(expected, abs=1e-8)
        assert np.all(np.isfinite(slope(point)))
