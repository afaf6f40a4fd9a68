"""The state model's estimands: what adds up, what is known, what is drawn, what is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import remitstats
from remitstats.errors import RemitstatsError
from remitstats.estimands.dependence_state_forecast import crps, forecast_dependence_state
from remitstats.estimands.dependence_state_paths import hyperparameters, paths_of
from remitstats.estimands.dependence_state_predictive import STATISTICS, state_borders
from remitstats.estimands.dependence_state_results import DependenceStateResults
from remitstats.estimands.dependence_state_tables import concentration
from remitstats.models import dependence_state
from remitstats.models.dependence_state_data import prepare_data
from remitstats.models.dependence_state_density import Priors
from remitstats.panel.panel import Panel

STATES = ["01", "09", "14", "16", "20", "32"]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return remitstats.load_mexico().select(STATES)


@pytest.fixture(scope="module")
def fit(panel: Panel) -> xr.DataTree:
    model = dependence_state.build(panel)
    return remitstats.fit(model, panel, seed=1, draws=60, tune=60, chains=2)


@pytest.fixture(scope="module")
def results(fit: xr.DataTree, panel: Panel) -> DependenceStateResults:
    return remitstats.summarise_dependence_state(fit, panel)


def test_known_ratios_are_reported_as_known(results: DependenceStateResults, panel: Panel) -> None:
    data = prepare_data(panel)
    level = results.level.query("level == 'state' and quantity == 'trend' and not predicted")
    wide = level.pivot(index="code", columns="year", values="observed")
    assert wide.to_numpy() == pytest.approx(data.percent)
    assert not level["predicted"].any()


def test_year_without_product_is_predicted_and_says_so(results: DependenceStateResults) -> None:
    later = results.level.query("year == 2025")
    assert later["predicted"].all()
    assert later["observed"].isna().all()
    assert set(later["quantity"]) == {"trend", "ratio"}
    assert (later["eti90_lower"] < later["eti90_upper"]).all()


def test_nation_is_the_sum_of_its_states(results: DependenceStateResults, panel: Panel) -> None:
    data = prepare_data(panel)
    known = results.level.query("code == '00' and quantity == 'trend' and not predicted")
    weight = data.product / data.product.sum(axis=0)
    assert known["observed"].to_numpy() == pytest.approx((weight * data.percent).sum(axis=0))
    trend = results.level.query("level == 'state' and quantity == 'trend' and not predicted")
    wide = trend.pivot(index="code", columns="year", values="mean").to_numpy()
    assert known["mean"].to_numpy() == pytest.approx((weight * wide).sum(axis=0), rel=1e-9)


def test_growth_of_the_ratio_is_that_of_its_parts(results: DependenceStateResults) -> None:
    table = results.decomposition
    whole = table["dollars"] + table["exchange"] - table["product"]
    assert whole.to_numpy() == pytest.approx(table["ratio"].to_numpy(), abs=1e-9)
    periods = set(zip(table["from_year"], table["to_year"], strict=True))
    assert periods == {(2003, 2008), (2008, 2013), (2013, 2019), (2019, 2024), (2003, 2024)}


def test_decomposition_agrees_with_the_observed_change(results: DependenceStateResults) -> None:
    keys = ["code", "from_year", "to_year"]
    both = results.decomposition.merge(results.change.query("not predicted"), on=keys)
    assert len(both) == 7 * 5
    growth = 100.0 * np.expm1(both["ratio"] / 100.0)
    assert growth.to_numpy() == pytest.approx(both["observed"].to_numpy())


def test_tendency_is_less_certain_than_what_happened(results: DependenceStateResults) -> None:
    change = results.change.query("level == 'nation' and from_year == 2003 and to_year == 2024")
    row = change.iloc[0]
    assert row["observed"] > 0
    assert row["p_rising"] > 0.99
    assert 0.5 < row["p_tendency"] < 0.97


def test_ranks_of_a_year_are_all_taken(results: DependenceStateResults) -> None:
    rank = results.rank.query("year == 2010")
    assert sorted(rank["observed"]) == [1, 2, 3, 4, 5, 6]
    assert rank["mean"].sum() == pytest.approx(21)
    assert rank["p_first"].sum() == pytest.approx(1)


def test_concentration_of_equal_states_is_their_number() -> None:
    found = concentration(np.ones((8, 2)))
    assert found["effective_states"] == pytest.approx([8, 8])
    assert found["top5_share"] == pytest.approx([62.5, 62.5])
    assert "top10_share" not in found


def test_claims_are_named_once_and_known_ones_need_no_model(
    results: DependenceStateResults,
) -> None:
    claim = results.claim
    assert claim["estimand"].is_unique
    known = claim[claim["known"]]
    assert set(known["probability"]) <= {0.0, 1.0}
    assert (known["sd"] == 0).all()
    drawn = claim.set_index("estimand").loc["national_tendency"]
    assert not drawn["known"]
    assert 0 < drawn["probability"] < 1


def test_remittances_outgrow_manufacturing_where_arithmetic_says_so(
    results: DependenceStateResults, panel: Panel
) -> None:
    data = prepare_data(panel, "manufacturing")
    grown = (data.percent[:, -1] > data.percent[:, 0]).sum()
    row = results.claim.set_index("estimand").loc["states_outgrowing_manufacturing_2003_2024"]
    assert row["mean"] == grown


def test_everything_reported_passes_through_the_gate(results: DependenceStateResults) -> None:
    # trends of six states and the nation in 23 years at the very least
    assert results.gate.quantities > 7 * 23
    assert not results.converged  # 120 draws are too few, and it says so
    assert "NOT CONVERGED" in repr(results)


def test_results_come_back_from_disk(results: DependenceStateResults, tmp_path: Path) -> None:
    results.write(tmp_path)
    back = DependenceStateResults.read(tmp_path)
    for name, table in results.rounded().tables.items():
        pd.testing.assert_frame_equal(back.tables[name], table, check_dtype=False)
    assert back.summary == results.rounded().summary


def test_predictive_check_has_every_statistic(results: DependenceStateResults) -> None:
    assert set(results.predictive["statistic"]) == set(STATISTICS)
    assert results.predictive["p_value"].between(0, 1).all()


def test_states_share_a_border_where_municipalities_do(panel: Panel) -> None:
    states = np.array(STATES)
    borders = {(states[a], states[b]) for a, b in state_borders(panel, states)}
    assert ("14", "16") in borders
    assert ("09", "20") not in borders


def test_trend_and_noise_make_the_ratio(fit: xr.DataTree, panel: Panel) -> None:
    data = prepare_data(panel)
    values = hyperparameters(fit["posterior"].to_dataset())
    paths = paths_of(values, data, Priors(), np.random.default_rng(1))
    noise = paths.log_ratio - paths.trend
    sd = values["noise_sd"][:, None] * values["state_scale"]
    standard = (noise / sd[:, :, None])[:, :, :-1]
    assert 0.5 < standard.std() < 1.1  # given the data it varies no more than before them
    assert np.array_equal(paths.log_ratio[0, :, :-1], data.log_percent)


def test_crps_of_a_point_is_its_error_and_of_draws_is_smaller_when_right() -> None:
    assert crps(np.full((10, 1), 2.0), np.array([5.0])) == pytest.approx([3.0])
    drawn = np.random.default_rng(1).normal(size=(4000, 1))
    # of a standard normal at its centre: 2 phi(0) - 1 / sqrt(pi)
    assert crps(drawn, np.zeros(1)) == pytest.approx([0.2337], abs=0.01)


def test_year_that_can_not_be_predicted_is_refused(panel: Panel) -> None:
    with pytest.raises(RemitstatsError, match="found 2030"):
        forecast_dependence_state(panel, [2030])


def test_forecast_scores_both_methods(panel: Panel) -> None:
    table = forecast_dependence_state(panel, [2024], draws=40, tune=40, chains=1)
    assert list(table["year"]) == [2024, 2024]
    assert table["method"].nunique() == 2
    assert (table["states"] == len(STATES)).all()
    assert (table["inside_50"] <= table["inside_90"]).all()
    # knowing the year's remittances tells more than the ratio's past
    width = table.set_index("method")["mean_width_90"]
    assert width["known remittances over predicted product"] < width["ratio from its own past"]
