"""NUTS moves through every part as PyMC has it: without data it must draw the prior."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytest
from arviz_stats.base import array_stats
from scipy import stats

from remitstats.parts import (
    autoregression,
    bym2,
    icar,
    interaction,
    overdispersion,
    pooling,
    random_walk,
)
from remitstats.parts.priors import CorrelationPrior

GRAPH = icar.Graph(6, np.array([(0, 1), (1, 2), (2, 0), (3, 4)]))  # two parts and an island
YEARS = np.array([1990.0, 2000.0, 2005.0, 2020.0])
NESTED = pooling.Nesting([np.array([0, 0, 1, 2, 2, 2])], 3)
SDS = (0.7, 1.1)
PRIOR = CorrelationPrior(upper=0.8, tail=0.6)
WALK = random_walk.structure(YEARS, 2, trend_sd=1.5)


def everything() -> tuple[pm.Model, dict[str, np.ndarray]]:
    """All parts side by side, and the covariance that each must have."""
    coords = {"place": range(6), "state": range(3), "wave": YEARS.astype(int)}
    with pm.Model(coords=coords) as model:
        effects = {
            "bym2": bym2.to_pymc("bym2", GRAPH, 0.7, 0.6, "place"),
            "walk": random_walk.to_pymc("walk", YEARS, 0.7, "wave", order=2, trend_sd=1.5),
            "ar": autoregression.to_pymc("ar", 4, 0.8, 0.7, "wave"),
            "both": interaction.to_pymc("both", "IV", WALK, GRAPH, 0.7, ("wave", "place")),
            "centred": pooling.to_pymc("c", NESTED, (0.7, 1.1), ("place", "state"), centred=True)[
                0
            ],
            "pooled": pooling.to_pymc("p", NESTED, (0.7, 1.1), ("place", "state"))[0],
        }
        for name, effect in effects.items():
            dims: Any = {"walk": "wave", "ar": "wave", "both": ("wave", "place")}.get(name, "place")
            pm.Deterministic(f"{name}_effect", effect, dims=dims)
        PRIOR.to_pymc("rho")
    pooled = pooling.covariance(NESTED, SDS)
    return model, {
        "bym2": bym2.covariance(GRAPH, 0.7, 0.6),
        "walk": 0.49 * WALK.covariance(),
        "ar": 0.49 * autoregression.covariance(0.8, 4),
        "both": 0.49 * np.kron(WALK.covariance(), GRAPH.structure.covariance()),
        "centred": pooled,
        "pooled": pooled,
    }


def sample(model: pm.Model) -> Any:
    return pm.sample(
        draws=2000,
        tune=700,
        chains=2,
        cores=1,
        model=model,
        random_seed=1,
        nuts_sampler="nutpie",
        progressbar=False,
    )["posterior"]


def assert_covariance(draws: np.ndarray, covariance: np.ndarray) -> None:
    """Hold every product of two elements to five Monte Carlo errors by its own ESS."""
    flat = draws.reshape(*draws.shape[:2], -1)
    first, second = np.triu_indices(flat.shape[-1])
    products = flat[..., first] * flat[..., second]
    error = products.std(axis=(0, 1)) / np.sqrt(
        array_stats.ess(products, method="mean", chain_axis=0, draw_axis=1)
    )
    gap = np.abs(products.mean(axis=(0, 1)) - covariance[first, second])
    assert np.all(gap < 5.0 * error + 1e-4)


@pytest.mark.slow
def test_without_data_nuts_draws_the_prior() -> None:
    model, covariances = everything()
    posterior = sample(model)
    for name, covariance in covariances.items():
        assert_covariance(posterior[f"{name}_effect"].to_numpy(), covariance)
    rho = posterior["rho"].to_numpy()
    t = np.array([[PRIOR.unconstrain(float(value)) for value in chain] for chain in rho])
    ess = float(array_stats.ess(t[..., None], method="mean", chain_axis=0, draw_axis=1)[0])
    assert abs(t.mean()) < 5.0 / np.sqrt(ess)
    assert t.std() == pytest.approx(1.0, abs=5.0 / np.sqrt(ess))


@pytest.mark.slow
def test_nuts_finds_the_beta_binomial_posterior_of_one_cell() -> None:
    """Against quadrature over eta; the counts are real-valued."""
    receiving, dwellings, icc = np.array([3.4]), np.array([20.5]), 0.1
    with pm.Model(coords={"cell": [0]}) as model:
        eta = pm.Normal("eta", -1.0, 1.0, dims="cell")
        overdispersion.beta_binomial_to_pymc("y", eta, icc, receiving, dwellings, "cell")
    grid = np.linspace(-7.0, 5.0, 4001)
    cells = overdispersion.BetaBinomial(
        np.full(4001, receiving[0]), np.full(4001, dwellings[0]), icc
    )
    log_weight = stats.norm(-1.0, 1.0).logpdf(grid) + cells.log_density(grid)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mean = weight @ grid
    drawn = sample(model)["eta"].to_numpy() - mean
    assert_covariance(drawn, np.array([[weight @ (grid - mean) ** 2]]))
    ess = float(array_stats.ess(drawn, method="mean", chain_axis=0, draw_axis=1)[0])
    assert abs(drawn.mean()) < 5.0 * drawn.std() / np.sqrt(ess)
