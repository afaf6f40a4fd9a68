"""Bands hold uniform ranks as often as they say, and show posteriors that are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from remitstats.validation.bands import bands, distribution_of, place_among, thinned


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("count", [50, 200])
def test_uniform_ranks_stay_within_as_often_as_asked(count, rng):
    limits = bands(count, 0.9)
    held = [limits.hold(distribution_of(rng.random(count))) for _ in range(1500)]
    # 0.9 within what 1,500 trials leave unsure, and the bands' own trials
    assert np.mean(held) == pytest.approx(0.9, abs=0.025)


@pytest.mark.parametrize(
    ("shift", "scale"), [(0.5, 1.0), (0.0, 1.5), (0.0, 0.6)], ids=["biased", "sure", "unsure"]
)
def test_a_posterior_that_is_wrong_is_found_in_200_simulations(shift, scale, rng):
    limits = bands(200)
    truth = shift + scale * rng.standard_normal(200)
    places = [place_among(t, rng.standard_normal(150), rng) for t in truth]
    assert not limits.hold(distribution_of(places))
    right = [place_among(t, rng.standard_normal(150), rng) for t in rng.standard_normal(200)]
    assert limits.hold(distribution_of(right))


def test_a_rank_that_is_shared_is_placed_at_random(rng):
    """Counts of municipalities are whole numbers: truth and draws are often equal."""
    truth, draws = rng.binomial(3, 0.5, 2000), rng.binomial(3, 0.5, (2000, 20))
    places = [place_among(t, d, rng) for t, d in zip(truth, draws, strict=True)]
    assert stats.kstest(places, "uniform").pvalue > 0.01


def test_draws_are_thinned_to_what_they_are_worth():
    draws = np.arange(400.0).reshape(4, 100)
    assert thinned(draws, 400.0).size == 400
    assert thinned(draws, 100.0).tolist() == draws[:, ::4].ravel().tolist()
    assert thinned(draws, 0.5).size == 4
