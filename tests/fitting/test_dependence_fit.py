"""Fits of the dependence model find a known truth, and no trend where reporting made one."""

import numpy as np
import pandas as pd
import pytest

import remitstats
from remitstats.estimands.dependence import summarise_dependence
from remitstats.estimands.dependence_draws import Sampler, draw_all, window_weights
from remitstats.estimands.dependence_results import DependenceResults
from remitstats.models import dependence
from remitstats.models.dependence_data import prepare_data
from remitstats.models.dependence_measures import Measures
from remitstats.panel.load import load_mexico
from remitstats.simulate import report_by_regime, simulate_dependence

DOLLARS = Measures(unit="dollars", classes=2)


@pytest.fixture(scope="module")
def panel():
    return load_mexico().select(["01", "06", "32"])


@pytest.fixture(scope="module")
def level(panel):
    """Two of five municipalities without a payout point; nothing grows anywhere."""
    data = prepare_data(panel, DOLLARS)
    count, times = data.observed.shape
    rng = np.random.default_rng(1)
    faint = rng.random(count) < 0.4
    season = 0.1 * np.sin(np.arange(times) * np.pi / 2)
    paid = 3.7 + rng.normal(0.0, 0.6, (count, 1)) + season
    paid = paid + 0.05 * rng.standard_normal((count, times))
    moved = 0.15 * rng.standard_normal((count, 1)) * (data.coords["quarter"] >= "2022Q3")
    table = pd.DataFrame(
        paid + moved, index=data.coords["municipality"], columns=data.coords["quarter"]
    )
    return report_by_regime(panel, table, faint, seed=2, measures=DOLLARS), faint


@pytest.fixture(scope="module")
def fitted(level):
    changed, _ = level
    model = dependence.build(changed, measures=DOLLARS)
    return model, remitstats.fit(model, changed, seed=1, draws=100, tune=90, chains=4)


def test_reporting_makes_no_trend_where_there_is_none(level, fitted):
    _, faint = level
    model, fit = fitted
    data = model.data
    assert (data.faint[data.kind_of] == faint).mean() > 0.9
    growth = growth_draws(model, fit)
    p_rising = (growth > 0).mean(axis=0)
    assert ((p_rising > 0.95) | (p_rising < 0.05))[faint].mean() <= 0.05
    low, high = np.quantile(growth, (0.05, 0.95), axis=0)
    covered = (low <= 0) & (high >= 0)
    assert covered[faint].mean() >= 0.9
    assert covered[~faint].mean() >= 0.85
    assert np.abs(np.median(growth, axis=0)[~faint]).mean() < 1.0
    # a straight line through the very figures finds trends
    found = [slope_z(data.observed[i]) for i in np.flatnonzero(faint)]
    found = [z for z in found if np.isfinite(z)]
    assert np.mean(np.abs(found) > 1.96) > 0.4


def growth_draws(model, fit):
    """Per cent a year from the first four quarters to the last."""
    quarters = model.data.coords["quarter"]
    weights = window_weights(quarters, {"a": list(quarters[:4]), "b": list(quarters[-4:])})
    drawn = draw_all(Sampler(model.collapsed, weights), fit, repeats=2, seed=1).trend
    years = (len(quarters) - 4) / 4
    return 100 * np.expm1((drawn[..., 1] - drawn[..., 0]) / years).reshape(-1, drawn.shape[2])


def slope_z(y):
    """A least-squares slope over its standard error."""
    seen = np.isfinite(y)
    if seen.sum() < 10:
        return np.nan
    line, cov = np.polyfit(np.flatnonzero(seen), y[seen], 1, cov=True)
    return line[0] / np.sqrt(cov[0, 0])


def test_a_fit_becomes_tables_that_can_be_written_and_read(level, fitted, tmp_path):
    changed, _ = level
    _, fit = fitted
    results = summarise_dependence(fit, changed, origins=(), command="test")
    count = len(fit["constant_data"]["municipality"])
    assert len(results.rank) == count
    assert set(results.growth["period"]) == {
        "2013 to 2025/26",
        "2013 to 2020",
        "2020 to 2025/26",
        "acceleration",
    }
    level = results.level.set_index(["cvegeo", "window"])
    growth = results.growth.set_index(["cvegeo", "period"])
    code = results.rank["cvegeo"].iloc[0]
    ratio = level.loc[(code, "2025/26"), "median"] / level.loc[(code, "2013"), "median"]
    expected = 100 * (ratio ** (1 / 12.25) - 1)
    assert growth.loc[(code, "2013 to 2025/26"), "median"] == pytest.approx(expected, abs=0.5)
    assert sorted(results.ahead["quarter"].unique()) == [
        *(f"2026Q{q}" for q in (2, 3, 4)),
        *(f"2027Q{q}" for q in (1, 2, 3, 4)),
        "2028Q1",
    ]
    assert results.rank["median"].between(1, count).all()
    assert results.summary["municipalities"] == count
    assert results.summary["faint"] + results.summary["steady"] == count
    assert {"eti90_lower", "eti90_upper"} <= set(results.income_share.columns)
    # 90% intervals of shares over income are wider than the error of income alone makes them
    width = np.log(results.income_share["eti90_upper"] / results.income_share["eti90_lower"])
    assert (width > 2 * 1.6449 * 0.15 * 0.9).all()
    assert not results.converged  # a hundred draws are too few, and it says so
    assert "NOT CONVERGED" in repr(results)
    results.write(tmp_path)
    again = DependenceResults.read(tmp_path)
    pd.testing.assert_frame_equal(again.growth, results.rounded().growth)
    assert again.summary["periods"]["2013 to 2025/26"] == 12.25


@pytest.mark.slow
def test_simulated_truth_is_recovered(panel):
    covered, inside = [], []
    for seed in (1, 2, 3):
        truth = simulate_dependence(panel, seed=seed, measures=Measures(classes=3))
        model = dependence.model_of(truth.data)
        fit = remitstats.fit(model, panel, seed=seed, draws=250, tune=180)
        for name, value in truth.sds.items():
            drawn = fit["posterior"][name].to_numpy()
            drawn = drawn.reshape(drawn.shape[0] * drawn.shape[1], -1)
            low, high = np.quantile(drawn, (0.05, 0.95), axis=0)
            inside += list((low <= value) & (value <= high))
        growth = growth_draws(model, fit)
        years = (truth.trend.shape[1] - 4) / 4
        moved = truth.trend[:, -4:].mean(axis=1) - truth.trend[:, :4].mean(axis=1)
        true = 100 * np.expm1(moved / years)
        low, high = np.quantile(growth, (0.05, 0.95), axis=0)
        covered += list((low <= true) & (true <= high))
    assert 0.84 < np.mean(covered) < 0.96
    assert np.mean(inside) > 0.78
