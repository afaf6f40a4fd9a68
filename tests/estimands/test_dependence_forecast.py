"""Forecasts and their scores: known answers, and what the check refuses and returns."""

import numpy as np
import pytest
from scipy import integrate, stats

from remitstats.errors import RemitstatsError
from remitstats.estimands.dependence_forecast import (
    ARIMA,
    ETS,
    MODEL,
    NAIVE,
    arima,
    ets,
    forecast_check,
    normal_crps,
    sample_crps,
    seasonal_naive,
)
from remitstats.panel.load import load_mexico


def test_the_score_of_a_normal_forecast_is_its_integral():
    for truth, mean, sd in ((0.3, 0.0, 1.0), (-2.0, 1.0, 0.5)):
        law = stats.norm(mean, sd)
        found = normal_crps(np.array([truth]), np.array([mean]), np.array([sd]))[0]
        below = integrate.quad(lambda x, law=law: law.cdf(x) ** 2, -20, truth)[0]
        above = integrate.quad(lambda x, law=law: law.sf(x) ** 2, truth, 20)[0]
        assert found == pytest.approx(below + above, rel=1e-6)


def test_the_score_of_draws_tends_to_that_of_their_law():
    rng = np.random.default_rng(1)
    drawn = rng.normal(1.0, 0.5, (40_000, 2))
    truth = np.array([1.2, -1.0])
    expected = normal_crps(truth, np.full(2, 1.0), np.full(2, 0.5))
    assert sample_crps(truth, drawn) == pytest.approx(expected, rel=0.02)


def test_the_score_of_two_draws_is_that_of_the_definition():
    # mean distance (2 + 1) / 2 less half the distance of the two draws
    assert sample_crps(np.array([0.0]), np.array([[2.0], [1.0]])) == pytest.approx([1.0])


def test_the_naive_forecast_repeats_the_year_before_ever_less_surely():
    y = np.array([1.0, 2.0, 3.0, 4.0, 1.5, 2.5, 3.5, 4.5])
    mean, sd = seasonal_naive(y, 8)
    assert mean.tolist() == [1.5, 2.5, 3.5, 4.5] * 2
    assert sd == pytest.approx([0.5] * 4 + [0.5 * np.sqrt(2)] * 4)


@pytest.mark.parametrize("maker", [ets, arima])
def test_forecasts_of_a_series_alone_find_level_and_season(maker):
    rng = np.random.default_rng(2)
    quarters = np.arange(56)
    season = np.array([0.3, -0.1, 0.1, -0.3])[quarters % 4]
    y = 5.0 + season + 0.02 * rng.standard_normal(56)
    y[10] = np.nan  # a gap is filled
    mean, sd = maker(y[:48], 8)
    assert np.abs(mean - y[48:]).max() < 0.12
    assert (sd > 0).all() and (sd < 0.2).all()


def test_a_forecast_that_is_not_known_is_named():
    panel = load_mexico().select(["06"])
    with pytest.raises(RemitstatsError, match="no forecast 'magic'"):
        forecast_check(panel, methods=("magic",))
    with pytest.raises(RemitstatsError, match="2013Q1 to 2026Q1"):
        forecast_check(panel, origins=("2030Q1",), methods=(NAIVE,))


def test_all_methods_are_scored_on_the_same_municipalities():
    panel = load_mexico().select(["06"])
    table = forecast_check(
        panel, origins=("2024Q1",), methods=(MODEL, NAIVE, ETS, ARIMA), draws=20, tune=30
    )
    assert set(table["method"]) == {MODEL, NAIVE, ETS, ARIMA}
    assert table.groupby(["horizon", "reporting"])["series"].nunique().eq(1).all()
    assert table["horizon"].max() == 8
    assert table[["coverage_50", "coverage_80", "coverage_95"]].to_numpy().max() <= 100
    assert (table["coverage_50"] <= table["coverage_95"]).all()
    assert (table["crps"] > 0).all()
    assert "R-hat" in table.attrs["gates"]["2024Q1"]
