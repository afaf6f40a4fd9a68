"""Effective dwellings against simulated samples, and the likelihood's kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

import remitstats
from remitstats.models.reliance import prepare_data
from remitstats.parts.sampling_error import (
    EffectiveBinomial,
    SamplingDesign,
    draw_published,
    effective_dwellings,
    sampled_dwellings,
)


def effective(dwellings: float, sampled: float, design_effect: float) -> float:
    return float(effective_dwellings(np.array([dwellings]), np.array([sampled]), design_effect)[0])


@pytest.mark.parametrize(
    ("dwellings", "sampled", "cluster"), [(600, 60, 1), (600, 60, 2), (600, 300, 2), (600, 600, 2)]
)
def test_variance_is_that_of_a_clustered_sample_without_replacement(
    dwellings: int, sampled: int, cluster: int
) -> None:
    """Clusters of dwellings that are all alike have a design effect of the cluster's size."""
    rng, rate, times = np.random.default_rng(11), 0.2, 40_000
    receiving = rng.binomial(dwellings, rate, size=times)
    whole, rest = np.divmod(receiving, cluster)
    clusters = dwellings // cluster
    drawn = sampled // cluster
    alike = rng.hypergeometric(whole, clusters - whole, drawn)
    # a cluster with a part of receiving dwellings is drawn as often as any that does not receive
    mixed = (rest > 0) & (rng.random(times) < (drawn - alike) / np.maximum(clusters - whole, 1))
    published = (alike * cluster + mixed * rest) / sampled
    variance = rate * (1 - rate) / effective(dwellings, sampled, cluster)
    error = variance * np.sqrt(2.0 / times)
    slack = 1.0 / clusters  # the textbook's n/(n - 1)
    assert published.var(ddof=1) == pytest.approx(variance, abs=4 * error + slack * variance)
    assert published.mean() == pytest.approx(rate, abs=4 * np.sqrt(variance / times))


sizes = st.floats(10.0, 1e6)


@settings(deadline=None)
@given(sizes, st.floats(1.0, 5.0))
def test_complete_enumeration_counts_every_dwelling(dwellings: float, design: float) -> None:
    assert effective(dwellings, dwellings, design) == pytest.approx(dwellings)


@settings(deadline=None)
@given(sizes, st.floats(0.01, 0.98), st.floats(1.01, 2.0), st.floats(1.0, 4.0))
def test_more_sample_is_worth_more_and_clustering_costs(
    dwellings: float, fraction: float, factor: float, design: float
) -> None:
    sampled = fraction * dwellings
    more = min(dwellings, factor * sampled)
    assert effective(dwellings, more, design) > effective(dwellings, sampled, design)
    assert effective(dwellings, sampled, factor * design) < effective(dwellings, sampled, design)
    # never worth more than a simple random sample of its size, or all dwellings
    assert effective(dwellings, sampled, design) <= sampled * (1 + 1e-9)


@settings(deadline=None)
@given(st.lists(sizes, min_size=1, max_size=20), st.sampled_from([2000, 2010, 2020, 1995]))
def test_sampled_dwellings_grow_with_size_and_never_exceed_it(
    dwellings: list[float], wave: int
) -> None:
    size = np.sort(dwellings)
    sampled = sampled_dwellings(size, wave, SamplingDesign())
    assert np.all(np.diff(sampled) >= 0)
    assert np.all(sampled <= size)
    assert np.all(sampled[size <= 1000] == size[size <= 1000])


def test_unmeasured_municipalities_stay_unmeasured() -> None:
    sampled = sampled_dwellings(np.array([np.nan, 50_000.0]), 2020, SamplingDesign())
    assert np.isnan(sampled[0])
    assert sampled[1] == pytest.approx(50_000 * 0.0807)


def test_defaults_give_the_national_samples_of_the_three_censuses() -> None:
    data = prepare_data(remitstats.load_mexico())
    total = [
        sampled_dwellings(row[np.isfinite(row)], int(wave), data.design).sum() / 1e6
        for wave, row in zip(data.coords["wave"], data.dwellings, strict=True)
    ]
    assert total == pytest.approx([2.3, 2.9, 4.0], abs=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"design_effect": 0.9},
        {"complete_below": 0.0},
        {"fraction": {2000: 0.0}},
        {"fraction": {2000: 1.2}},
        {"default_fraction": -0.1},
    ],
)
def test_impossible_designs_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="found"):
        SamplingDesign(**wrong)  # type: ignore[arg-type]


@pytest.fixture
def cells() -> EffectiveBinomial:
    return EffectiveBinomial(np.array([0.0, 3.0, 12.5, 0.0]), np.array([40.0, 40.0, 20.25, 0.0]))


def test_kernel_is_the_binomial_log_likelihood(cells: EffectiveBinomial) -> None:
    """Up to the binomial coefficient, for whole counts."""
    eta = np.array([[-3.0, -1.0], [0.5, 2.0]])
    whole = EffectiveBinomial(np.full((2, 2), 7.0), np.full((2, 2), 30.0))
    oracle = stats.binom(30, special.expit(eta)).logpmf(7)
    gap = whole.log_density(eta) - oracle
    assert gap == pytest.approx(np.full((2, 2), -np.log(special.comb(30, 7))))


def test_slope_and_curvature_are_derivatives(cells: EffectiveBinomial) -> None:
    eta, step = np.array([-6.0, -2.0, 1.0, 0.3]), 1e-5
    slope = (cells.log_density(eta + step) - cells.log_density(eta - step)) / (2 * step)
    bend = (cells.gradient(eta + step) - cells.gradient(eta - step)) / (2 * step)
    assert cells.gradient(eta) == pytest.approx(slope, abs=1e-6)
    assert cells.curvature(eta) == pytest.approx(-bend, abs=1e-6)


def test_an_unmeasured_cell_says_nothing(cells: EffectiveBinomial) -> None:
    for eta in (-50.0, 0.0, 50.0):
        at = np.full(4, eta)
        assert cells.log_density(at)[3] == 0
        assert cells.gradient(at)[3] == 0
        assert cells.curvature(at)[3] == 0
    start = cells.initial()
    assert np.all(np.isfinite(start))
    # a cell without data starts at the overall share
    assert special.expit(start[3]) == pytest.approx((15.5 + 0.5) / (100.25 + 1.0))


def test_published_shares_have_the_mean_and_variance_of_the_likelihood() -> None:
    eta, size = np.array([-2.0, -4.0, 0.0, 1.0]), np.array([50.0, 900.4, 12.0, 0.0])
    drawn = draw_published(np.random.default_rng(3), eta, size, size=(20_000, 4))
    rate = special.expit(eta)[:3]
    error = np.sqrt(rate * (1 - rate) / size[:3])
    assert np.isnan(drawn[:, 3]).all()
    assert np.all(np.abs(drawn[:, :3].mean(axis=0) - rate) < 4 * error / np.sqrt(20_000))
    assert drawn[:, :3].std(axis=0) == pytest.approx(error, rel=0.03)


def test_effective_binomial_of_the_model_is_the_kernel_cell_by_cell(model: Any, data: Any) -> None:
    eta = np.random.default_rng(4).normal(-3.0, 1.0, data.effective.shape)
    observed = model["receiving_dwellings"]
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        cells = pm.logp(observed, data.receiving)
        at = pytensor.function(
            [model["linear_predictor"]], cells, on_unused_input="raise", mode="FAST_COMPILE"
        )
    kernel = EffectiveBinomial(data.receiving, data.effective).log_density(eta)
    assert at(eta).shape == eta.shape
    assert at(eta) == pytest.approx(kernel, rel=1e-10)
