"""Depopulation's estimands: shares, persistence, forecasts, and the tables of a whole fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import remitstats
from remitstats.errors import PanelError
from remitstats.estimands.depopulation_draws import LARGEST_SHOCK, DepopulationDraws
from remitstats.estimands.depopulation_forecast import STEPS, crps, outlook
from remitstats.estimands.depopulation_results import TABLES, DepopulationResults
from remitstats.estimands.depopulation_share import CLAIMED, definitions, drawn_loss
from remitstats.fitting import mixture
from remitstats.models import depopulation
from remitstats.simulate import DepopulationSimulation, grid_panel, simulate_depopulation


@pytest.fixture(scope="module")
def simulation() -> DepopulationSimulation:
    return simulate_depopulation(grid_panel(8, 9, seed=3), seed=4)


@pytest.fixture(scope="module")
def tree(simulation: DepopulationSimulation) -> xr.DataTree:
    model = depopulation.build(simulation.panel)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixture, "PILOT", (10, 20, 10))  # what is drawn does not depend on its length
        return remitstats.fit(model, simulation.panel, seed=1, draws=120, tune=30, chains=2)


@pytest.fixture(scope="module")
def draws(tree: xr.DataTree, simulation: DepopulationSimulation) -> DepopulationDraws:
    return DepopulationDraws.of(tree, simulation.panel)


@pytest.fixture(scope="module")
def results(tree: xr.DataTree, simulation: DepopulationSimulation) -> DepopulationResults:
    return remitstats.summarise_depopulation(tree, simulation.panel, hindcast=False)


def coverage(draws: np.ndarray, truth: pd.DataFrame) -> float:
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    known = truth.to_numpy().T
    return float(((low <= known) & (known <= high)).mean())


def test_intervals_cover_the_true_rates(
    draws: DepopulationDraws, simulation: DepopulationSimulation
) -> None:
    """432 cells that share 24 effects of states by interval: a standard error of about 4 points."""
    assert 0.78 < coverage(draws.underlying, simulation.underlying) < 0.99
    assert 0.78 < coverage(draws.true, simulation.growth) < 0.99


@pytest.mark.slow
def test_intervals_cover_the_truth_of_larger_countries() -> None:
    """Four countries of 160 municipalities in eight states."""
    states = tuple(f"{number:02d}" for number in range(1, 9))
    found = []
    for seed in range(4):
        truth = simulate_depopulation(grid_panel(10, 16, states=states, seed=seed), seed=seed)
        model = depopulation.build(truth.panel)
        fit = remitstats.fit(model, truth.panel, seed=seed, draws=300, tune=60, chains=2)
        drawn = DepopulationDraws.of(fit, truth.panel)
        found.append(
            [coverage(drawn.underlying, truth.underlying), coverage(drawn.true, truth.growth)]
        )
    assert np.mean(found, axis=0) == pytest.approx([0.9, 0.9], abs=0.03)


def test_what_neighbours_share_in_an_interval_goes_on_into_the_future(
    simulation: DepopulationSimulation,
) -> None:
    """A map of each interval: told apart from what lasts, and drawn anew for intervals to come."""
    panel = simulation.panel
    model = depopulation.build(panel, maps_by_interval=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixture, "PILOT", (10, 20, 10))
        fit = remitstats.fit(model, panel, seed=1, draws=60, tune=20, chains=2)
    found = DepopulationDraws.of(fit, panel)
    effect = found.posterior["neighbour_effect"]
    assert effect.shape == found.underlying.shape
    assert np.abs(effect.mean(axis=-1)).max() < 1e-3, "a map adds nothing to the mean"
    # all of the last interval's rate is accounted for: what is left is the municipality's own
    own = found._last_own()
    sd = found.posterior["municipality_sd"] * np.sqrt(1.0 - found.posterior["municipality_share"])
    assert (own / sd[:, None]).std() == pytest.approx(1.0, abs=0.15)
    wide, _ = found.future(np.random.default_rng(1), STEPS)
    without = {
        name: np.zeros_like(value) if name.startswith("neighbour_sd") else value
        for name, value in found.posterior.items()
    }
    narrow, _ = replace(found, posterior=without).future(np.random.default_rng(1), STEPS)
    spread = [rate[:, 0].std(axis=1).mean() for rate in (wide, narrow)]
    assert spread[0] > spread[1]
    table = remitstats.summarise_depopulation(fit, panel, hindcast=False).parameter
    names = table[table["name"].str.startswith("neighbour_sd")]
    assert list(names["description"].str.contains("neighbours share in 1990-1995")) == [
        True,
        *[False] * 5,
    ]


def test_estimates_are_better_than_what_is_recorded(
    draws: DepopulationDraws, simulation: DepopulationSimulation
) -> None:
    recorded = draws.data.percent
    for growth, truth in (
        (draws.underlying, simulation.underlying),
        (draws.true, simulation.growth),
    ):
        known = truth.to_numpy().T
        ours = np.sqrt(np.mean((growth.mean(axis=0) - known) ** 2))
        published = np.sqrt(np.mean((recorded - known) ** 2))
        assert ours < 0.85 * published


def test_the_error_of_counts_and_survey_is_found(
    tree: xr.DataTree, simulation: DepopulationSimulation
) -> None:
    for name in ("count_sd", "survey_sd"):
        low, high = np.quantile(tree["posterior"][name], [0.01, 0.99])
        assert low < simulation.hyperparameters[name] < high


def test_growth_between_censuses_is_the_recorded_one(draws: DepopulationDraws) -> None:
    over_decade = draws.over(draws.true, 2, 4)
    recorded = np.tensordot(draws.data.percent[2:4], draws.data.years[2:4], axes=(0, 0))
    recorded = recorded / draws.data.years[2:4].sum()
    assert over_decade == pytest.approx(np.broadcast_to(recorded, over_decade.shape), abs=1e-4)


def test_stricter_definitions_find_fewer(draws: DepopulationDraws) -> None:
    found = {
        (d.start, d.end, d.threshold): drawn_loss(draws, "underlying", d)
        for d in definitions(7)
        if not d.each
    }
    for (start, end, threshold), loses in found.items():
        if threshold < 0:
            assert not (loses & ~found[(start, end, 0.0)]).any()


def test_loss_in_each_interval_is_loss_in_the_whole(draws: DepopulationDraws) -> None:
    for definition in definitions(7):
        if definition.each:
            whole = draws.over(draws.true, definition.start, definition.end) < 0
            assert not (drawn_loss(draws, "true", definition) & ~whole).any()


def test_shares_stand_against_the_claim(results: DepopulationResults) -> None:
    share = results.share
    known = share[share["kind"].isin(["published", "recorded"])]
    assert (known["sd"] == 0).all()
    assert set(known["p_at_least_claimed"]) <= {0.0, 1.0}
    assert (known["p_at_least_claimed"] == (known["median"] >= CLAIMED)).all()
    drawn = share[share["kind"] == "underlying"]
    assert drawn["p_at_least_claimed"].between(0, 1).all()
    assert {"any loss", "below -0.5% a year", "loss in each interval"} <= set(share["definition"])


def test_changes_are_the_differences_of_shares(results: DepopulationResults) -> None:
    share = results.share.set_index(["kind", "definition", "period"])
    change = results.change
    assert set(change["kind"]) == {"published", "recorded", "true", "underlying"}
    for row in change.to_dict("records"):
        before, after = (
            share.loc[(row["kind"], row["definition"], row[name])] for name in ("first", "last")
        )
        assert before["end"] == after["start"], "one follows the other"
        assert row["mean"] == pytest.approx(after["mean"] - before["mean"])
        assert 0 <= row["p_rise"] <= 1
    assert ("1990-2000", "2000-2010") in set(zip(change["first"], change["last"], strict=True))


def test_probabilities_of_decline_are_those_of_the_draws(
    results: DepopulationResults, draws: DepopulationDraws
) -> None:
    table = results.municipality.set_index(["interval", "cvegeo"])
    for k, interval in enumerate(draws.data.coords["interval"]):
        found = table.loc[interval].reindex(draws.data.coords["municipality"])
        assert found["p_decline"].to_numpy() == pytest.approx((draws.true[:, k] < 0).mean(axis=0))
        assert (found["p_underlying_below_one"] <= found["p_underlying_decline"]).all()


def test_states_add_up_to_the_nation(results: DepopulationResults) -> None:
    future = results.future[results.future["quantity"] == "losing"].set_index(["level", "year"])
    for year in future.index.unique("year"):
        nation = future.loc[("nation", year), "mean"].sum()
        assert future.loc[("state", year), "mean"].sum() == pytest.approx(nation)


def test_what_is_to_come_widens_and_stays_possible(draws: DepopulationDraws) -> None:
    ahead = outlook(draws, seed=1)
    assert ahead.year == (2025, 2030)
    assert (ahead.population > 0).all()
    shock = np.abs(ahead.growth - ahead.underlying)
    assert shock.max() <= LARGEST_SHOCK + 1e-3
    spread = np.log(ahead.population).std(axis=0)
    assert (spread[1] > spread[0]).mean() > 0.95
    growth = np.log(ahead.population[:, 0] / draws.data.censuses.population[-1].astype(np.float32))
    assert 100 * growth / STEPS[0] == pytest.approx(ahead.growth[:, 0], abs=1e-2)


def test_crps_is_that_of_a_normal_forecast() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([-1.0, 0.0, 2.5])
    z = truth
    expected = z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi)
    found = crps(rng.standard_normal((40_000, 3)), truth)
    assert found == pytest.approx(expected, abs=0.02)
    assert crps(np.array([[1.0], [1.0]]), np.array([3.0])) == pytest.approx(2.0)


def test_results_come_back_from_the_folder(results: DepopulationResults, tmp_path: Path) -> None:
    results.write(tmp_path)
    again = DepopulationResults.read(tmp_path)
    kept = results.rounded()
    for name in TABLES:
        pd.testing.assert_frame_equal(again.tables[name], kept.tables[name], check_dtype=False)
    assert not again.converged, "120 draws are too few"
    assert again.document()["shares"] is None
    assert "NOT CONVERGED" in repr(again)


def test_every_statistic_of_the_check_is_of_recorded_growth(results: DepopulationResults) -> None:
    check = results.predictive
    losing = check[(check["statistic"] == "losing_percent")].set_index("interval")["observed"]
    recorded = results.municipality.dropna(subset="recorded")
    share = 100 * (recorded["recorded"] < 0).groupby(recorded["interval"]).mean()
    pd.testing.assert_series_equal(losing, share, check_names=False, check_index_type=False)
    assert check["p_value"].between(0, 1).all()


@pytest.mark.slow
def test_a_forecast_is_scored_on_the_census_it_never_saw(
    simulation: DepopulationSimulation, tree: xr.DataTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixture, "PILOT", (10, 20))
    early = depopulation.build(simulation.panel, through=2010)
    before = remitstats.fit(early, simulation.panel, seed=1, draws=60, tune=20, chains=2)
    found = remitstats.summarise_depopulation(tree, simulation.panel, hindcast=before)
    score = found.hindcast.set_index(["forecast", "quantity", "level"])["value"]
    assert score[("model", "coverage_percent", 95)] >= score[("model", "coverage_percent", 50)]
    assert score[("model", "crps", 0)] > 0
    assert len(found.hindcast_municipality) == len(simulation.growth)
    assert found.hindcast_pit["share"].sum() == pytest.approx(1.0)
    assert found.summary["hindcast"]["through"] == 2010
    with pytest.raises(PanelError, match="through 2010"):
        remitstats.summarise_depopulation(tree, simulation.panel, hindcast=tree)
