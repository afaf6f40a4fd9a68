"""Partial pooling on the eight schools, against the reference draws of posteriordb.

Rubin (1981), "Estimation in parallel randomized experiments", Journal of Educational Statistics 6:
377-401: effects of coaching in eight schools and their standard errors. Model (Gelman and others,
Bayesian Data Analysis, section 5.5, with the priors of posteriordb):

    y_j ~ Normal(theta_j, se_j),  theta_j ~ Normal(mu, tau),  mu ~ Normal(0, 5),
    tau ~ half-Cauchy(5).

The reference is the posterior "eight_schools" of posteriordb (Magnusson, Bürkner and Vehtari, "A
set of posteriors for Bayesian inference and probabilistic programming"): means of its reference
draws with their Monte Carlo errors (summary statistics of eight_schools_noncentered), and for mu
and tau the means of squares (of eight_schools_centered). Bound: three of those errors.

Two levels of `pooling` are schools in one group whose own value is mu, so that for a given tau
everything is normal; over tau we integrate numerically, which leaves no Monte Carlo error of ours.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from remitstats.parts import pooling

Array = NDArray[np.float64]
EFFECT = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SCHOOLS = pooling.Nesting([np.zeros(8, dtype=np.int64)], 1)
MU_SD = 5.0
REFERENCE = {  # mean, Monte Carlo error
    **{
        f"theta[{school + 1}]": found
        for school, found in enumerate(
            [
                *((6.1505, 0.0557), (4.9396, 0.0462), (3.9059, 0.0542), (4.7960, 0.0475)),
                *((3.6144, 0.0461), (4.0511, 0.0485), (6.3172, 0.0499), (4.8840, 0.0543)),
            ]
        )
    },
    "mu": (4.4105, 0.0330),
    "tau": (3.6021, 0.0319),
    "mu^2": (30.4030, 0.3351),
    "tau^2": (23.2041, 0.4849),
}


def given(tau: float) -> tuple[float, Array, float, float]:
    """Return log p(y | tau), E(theta | y, tau), E(mu | y, tau) and E(mu^2 | y, tau)."""
    covariance = pooling.covariance(SCHOOLS, (tau, MU_SD))
    marginal = covariance + np.diag(ERROR**2)
    weight = np.linalg.solve(marginal, EFFECT)
    density = stats.multivariate_normal(cov=marginal).logpdf(EFFECT)
    # mu is the group's own value: what it shares with every school is its variance
    shared = np.full(8, MU_SD**2)
    mu = float(shared @ weight)
    left = MU_SD**2 - float(shared @ np.linalg.solve(marginal, shared))
    return float(density), covariance @ weight, mu, mu**2 + left


def posterior() -> dict[str, float]:
    """Return the posterior means, over a grid of tau that is fine where its posterior lies."""
    quantile = (np.arange(4000) + 0.5) / 4000
    grid = stats.halfcauchy(scale=5.0).ppf(quantile)  # each point stands for the same prior mass
    density, theta, mu, square = (np.array(part) for part in zip(*map(given, grid), strict=True))
    chance = np.exp(density - density.max())
    chance /= chance.sum()
    return {
        **{f"theta[{school + 1}]": float(chance @ theta[:, school]) for school in range(8)},
        "mu": float(chance @ mu),
        "tau": float(chance @ grid),
        "mu^2": float(chance @ square),
        "tau^2": float(chance @ grid**2),
    }


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    return posterior()


@pytest.mark.parametrize("name", REFERENCE)
def test_partial_pooling_gives_the_reference_posterior(name: str, found: dict[str, float]) -> None:
    mean, error = REFERENCE[name]
    assert found[name] == pytest.approx(mean, abs=3.0 * error)


def test_the_joint_density_of_both_levels_is_that_of_the_covariance() -> None:
    """`pooling.log_density` of schools and group, against the covariance used above."""
    rng = np.random.default_rng(1)
    tau, mu, theta = 3.0, 2.5, rng.normal(2.5, 3.0, 8)
    joint = pooling.log_density([theta, np.array([mu])], SCHOOLS, (tau, MU_SD))
    group = stats.norm(0.0, MU_SD).logpdf(mu)
    given_group = stats.norm(mu, tau).logpdf(theta).sum()
    assert joint == pytest.approx(group + given_group)


@pytest.mark.slow
def test_nuts_through_the_part_gives_it_too() -> None:
    import pymc as pm

    with pm.Model(coords={"school": range(8), "all": [0]}) as model:
        tau = pm.HalfCauchy("tau", 5.0)
        theta, mu = pooling.to_pymc("effect", SCHOOLS, (tau, MU_SD), ("school", "all"))
        pm.Deterministic("theta", theta, dims="school")
        pm.Deterministic("mu", mu[0])
        pm.Normal("y", theta, ERROR, observed=EFFECT)
    drawn = pm.sample(
        draws=5000,
        tune=1500,
        chains=2,
        cores=1,
        model=model,
        random_seed=1,
        nuts_sampler="nutpie",
        target_accept=0.95,
        progressbar=False,
    )["posterior"]
    for name in ("mu", "tau"):
        mean, error = REFERENCE[name]
        assert float(drawn[name].mean()) == pytest.approx(mean, abs=6.0 * error), name
    means = drawn["theta"].mean(("chain", "draw")).to_numpy()
    for school, mean in enumerate(means):
        expected, error = REFERENCE[f"theta[{school + 1}]"]
        assert mean == pytest.approx(expected, abs=6.0 * error)
