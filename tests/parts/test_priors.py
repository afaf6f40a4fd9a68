"""Priors: the two scales of a hyperparameter, and what PyMC makes of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from remitstats.parts.priors import HyperPrior, NormalPrior, RatioPrior, ScalePrior, SharePrior

positive = st.floats(0.05, 20.0)
PRIORS = (
    ScalePrior(upper=1.5, tail=0.05),
    ScalePrior(upper=0.2, tail=0.01),
    SharePrior(alpha=1.0, beta=1.0),
    SharePrior(alpha=2.0, beta=5.0),
    RatioPrior(log_sd=0.25),
)


def distribution(prior: HyperPrior) -> Any:
    """The same prior by SciPy."""
    if isinstance(prior, ScalePrior):
        return stats.expon(scale=1.0 / prior.rate)
    if isinstance(prior, SharePrior):
        return stats.beta(prior.alpha, prior.beta)
    return stats.lognorm(s=prior.log_sd)


any_prior = st.one_of(
    st.builds(ScalePrior, upper=positive, tail=st.floats(0.001, 0.5)),
    st.builds(SharePrior, alpha=st.floats(0.5, 5.0), beta=st.floats(0.5, 5.0)),
    st.builds(RatioPrior, log_sd=st.floats(0.05, 2.0)),
)


@settings(deadline=None)
@given(any_prior, st.floats(-4.0, 4.0))
def test_unconstrain_undoes_constrain(prior: HyperPrior, t: float) -> None:
    assert prior.unconstrain(prior.constrain(t)) == pytest.approx(t, abs=1e-6)


@settings(deadline=None)
@given(any_prior, st.floats(-5.0, 5.0))
def test_standard_normal_t_gives_the_prior(prior: HyperPrior, t: float) -> None:
    expected = distribution(prior).ppf(stats.norm.cdf(t))
    assert prior.constrain(t) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@settings(deadline=None)
@given(st.builds(ScalePrior, upper=positive, tail=st.floats(0.001, 0.5)))
def test_tail_is_the_probability_above_upper(prior: ScalePrior) -> None:
    assert stats.norm.sf(prior.unconstrain(prior.upper)) == pytest.approx(prior.tail)


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
    ],
)
def test_impossible_parameters_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="found"):
        make()
