"""What is reported of a posterior, against plain computing draw by draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy import special, stats

import remitstats
from remitstats.estimands.reliance import draws_of, group_draws, places, ranks, summarise
from remitstats.estimands.results import RelianceResults
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.simulate import grid_panel

from .conftest import DWELLINGS, PUBLISHED, WAVES

Array = NDArray[np.float64]
GROUPS = {
    ("nation", "00"): [0, 1, 2, 3, 4],
    ("region", "North"): [0, 1],
    ("region", "Centre"): [2, 3, 4],
    ("state", "01"): [0, 1],
    ("state", "02"): [2, 3, 4],
}


@pytest.fixture
def results(tree: xr.DataTree, country: Panel) -> RelianceResults:
    return summarise(tree, country)


@pytest.fixture
def percent(tree: xr.DataTree) -> Array:
    """Draws of reliance, shape (sample, wave, municipality)."""
    eta = tree["posterior"]["linear_predictor"].to_numpy().astype(float)
    return np.asarray(100 / (1 + np.exp(-eta.reshape(200, 3, 5))))


def row(table: pd.DataFrame, **key: Any) -> pd.Series:
    """Return the one row of a table with these values."""
    chosen = table
    for column, value in key.items():
        chosen = chosen[chosen[column] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


def assert_estimate(found: pd.Series, draws: Array) -> None:
    expected = {
        "mean": draws.mean(),
        "sd": draws.std(ddof=1),
        "median": np.median(draws),
        "eti90_lower": np.quantile(draws, 0.05),
        "eti90_upper": np.quantile(draws, 0.95),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name


def test_levels_are_summaries_of_the_draws(results: RelianceResults, percent: Array) -> None:
    assert len(results.level) == 15
    for w, wave in enumerate(WAVES):
        for i, code in enumerate(["01001", "01002", "02001", "02002", "02003"]):
            found = row(results.level, cvegeo=code, wave=wave)
            assert_estimate(found, percent[:, w, i])
            for threshold in (5, 10, 20):
                expected = (percent[:, w, i] > threshold).mean()
                assert found[f"p_above_{threshold}"] == pytest.approx(expected)


def test_levels_are_held_against_the_whole_draw_by_draw(
    results: RelianceResults, percent: Array
) -> None:
    weight = np.nan_to_num(DWELLINGS)
    national = (percent * weight).sum(axis=2) / weight.sum(axis=1)
    for w, wave in enumerate(WAVES):
        for i, code in enumerate(["01001", "01002", "02001", "02002", "02003"]):
            expected = (percent[:, w, i] > national[:, w]).mean()
            found = row(results.level, cvegeo=code, wave=wave)
            assert found["p_above_nation"] == pytest.approx(expected, abs=1e-6)


def test_a_municipality_without_data_is_estimated_and_marked(results: RelianceResults) -> None:
    unmeasured = results.level[~results.level["measured"]]
    assert unmeasured[["cvegeo", "wave"]].to_numpy().tolist() == [["02003", 2000]]
    assert unmeasured["published_percent"].isna().all()
    assert unmeasured["dwellings"].isna().all()
    assert unmeasured["mean"].notna().all()
    assert results.summary["measured"] == 14


def test_names_come_from_the_panel_and_never_go_missing(results: RelianceResults) -> None:
    found = row(results.level, cvegeo="02001", wave=2010)
    assert found[["name", "state", "state_name", "region"]].to_list() == [
        "C",
        "02",
        "Dos",
        "Centre",
    ]
    # 02003 is not in the panel's table of municipalities
    assert row(results.level, cvegeo="02003", wave=2010)["name"] == "02003"


def test_ranks_count_from_the_highest_share(results: RelianceResults, percent: Array) -> None:
    assert ranks(np.array([[3.0, 9.0, 1.0], [8.0, 2.0, 5.0]])).tolist() == [[2, 1, 3], [1, 3, 2]]
    oracle = stats.rankdata(-percent, axis=-1)
    for w, wave in enumerate(WAVES):
        found = results.level[results.level["wave"] == wave]
        assert found["rank_median"].to_list() == np.median(oracle[:, w], axis=0).tolist()
        low, high = np.quantile(oracle[:, w], [0.05, 0.95], axis=0)
        assert found["rank_eti90_lower"].to_numpy() == pytest.approx(low)
        assert found["rank_eti90_upper"].to_numpy() == pytest.approx(high)


def test_changes_are_differences_draw_by_draw(results: RelianceResults, percent: Array) -> None:
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert len(results.change) == 15
    for a, b in pairs:
        for i, code in enumerate(["01001", "01002", "02001", "02002", "02003"]):
            moved = percent[:, b, i] - percent[:, a, i]
            found = row(results.change, cvegeo=code, from_wave=WAVES[a], to_wave=WAVES[b])
            assert_estimate(found, moved)
            assert found["p_increase"] == pytest.approx((moved > 0).mean())


def test_groups_are_dwelling_weighted_means_draw_by_draw(
    results: RelianceResults, percent: Array
) -> None:
    assert len(results.group) == 3 * len(GROUPS)
    weight = np.nan_to_num(DWELLINGS)
    for (level, code), members in GROUPS.items():
        national = np.einsum("swm,wm->sw", percent[:, :, members], weight[:, members])
        total = weight[:, members].sum(axis=1)
        draws = national / total
        for w, wave in enumerate(WAVES):
            found = row(results.group, level=level, code=code, wave=wave)
            assert_estimate(found, draws[:, w])
            assert found["dwellings"] == total[w]
            known = np.nan_to_num(PUBLISHED)[w, members]
            assert found["published_percent"] == pytest.approx(
                known @ weight[w, members] / total[w]
            )
            for end in ("mean", "eti90_lower", "eti90_upper"):
                receiving = found[f"receiving_dwellings_{end}"]
                assert receiving == pytest.approx(found[end] * total[w] / 100)
        for a, b in ((0, 1), (0, 2), (1, 2)):
            found = row(
                results.group_change,
                level=level,
                code=code,
                from_wave=WAVES[a],
                to_wave=WAVES[b],
            )
            assert_estimate(found, draws[:, b] - draws[:, a])
            assert found["p_increase"] == pytest.approx((draws[:, b] > draws[:, a]).mean())


def test_groups_are_exact_to_rounding(tree: xr.DataTree, country: Panel) -> None:
    """Against sums one after the other, so to as many rounding errors as there are terms."""
    draws = draws_of(tree)
    place = places(country, tree["posterior"]["municipality"].to_numpy())
    found = group_draws(draws, place)
    assert found.dims == ("chain", "draw", "group", "wave")
    percent = draws.percent.to_numpy().astype(float)
    for (level, code), members in GROUPS.items():
        for w, wave in enumerate(WAVES):
            known = [i for i in members if np.isfinite(DWELLINGS[w, i])]
            total = sum(DWELLINGS[w, i] for i in known)
            expected = sum(percent[:, :, w, i] * DWELLINGS[w, i] for i in known) / total
            own = found.sel(group=f"{level}:{code}", wave=wave)
            np.testing.assert_allclose(own, expected, rtol=1e-14)


def test_states_add_up_to_the_nation(results: RelianceResults) -> None:
    group = results.group.set_index(["level", "wave"])["receiving_dwellings_mean"]
    for wave in WAVES:
        nation = group.loc[("nation", wave)].sum()
        assert group.loc[("state", wave)].sum() == pytest.approx(nation)
        assert group.loc[("region", wave)].sum() == pytest.approx(nation)


def test_dwellings_without_a_percentage_count_in_groups_all_the_same(
    tree: xr.DataTree, country: Panel, percent: Array
) -> None:
    """Where only the percentage is missing, the estimate stands in for it, in all columns."""
    tree["constant_data"]["published_percent"][2, 2] = np.nan
    found = row(summarise(tree, country).group, level="state", code="02", wave=2020)
    weight = DWELLINGS[2, 2:]
    draws = percent[:, 2, 2:] @ weight / weight.sum()
    assert_estimate(found, draws)
    assert found["dwellings"] == weight.sum()
    assert found["receiving_dwellings_mean"] == pytest.approx(draws.mean() * weight.sum() / 100)
    measured = DWELLINGS[2, 3:]
    assert found["published_percent"] == pytest.approx(PUBLISHED[2, 3:] @ measured / measured.sum())


def test_a_state_without_data_in_a_wave_does_not_fail_the_gate(
    tree: xr.DataTree, country: Panel
) -> None:
    tree["constant_data"]["published_percent"][0, :2] = np.nan
    tree["constant_data"]["dwellings"][0, :2] = np.nan
    results = summarise(tree, country)
    found = row(results.group, level="state", code="01", wave=2000)
    assert np.isnan(found["mean"])
    assert not any("never moved" in reason for reason in results.summary["reasons"])


def test_probability_of_the_papers_eight_per_cent(results: RelianceResults, percent: Array) -> None:
    weight = np.nan_to_num(DWELLINGS)
    national = (percent * weight).sum(axis=2) / weight.sum(axis=1)
    expected = {str(wave): (national[:, w] >= 8).mean() for w, wave in enumerate(WAVES)}
    assert results.summary["estimates"]["p_national_at_least_8"] == pytest.approx(expected)


def test_parameters_are_the_hyperparameters_with_their_convergence(
    results: RelianceResults, tree: xr.DataTree
) -> None:
    assert results.parameter["name"].to_list() == ["state_sd", "wave_scale_2000"]
    found = row(results.parameter, name="state_sd")
    assert_estimate(found, tree["posterior"]["state_sd"].to_numpy().ravel())
    assert found["r_hat"] < 1.1
    assert "2000" in row(results.parameter, name="wave_scale_2000")["description"]


def test_the_gate_judges_everything_that_is_reported(tree: xr.DataTree, country: Panel) -> None:
    summary = summarise(tree, country).summary
    # 2 parameters; levels, distances to the whole and ranks of 15 cells; 5 groups by wave;
    # changes of both
    certain = summary["quantities"] - (2 + 15 + 15 + 15 + 15 + 15)
    assert 0 <= certain <= 15  # ranks that are certain are not judged
    assert summary["converged"] is False  # 200 draws can't have 400 effective ones
    # a municipality whose level is fine but whose chains disagree about the change
    tree["posterior"]["linear_predictor"][0, :, 1, 4] += 3.0
    broken = summarise(tree, country).summary
    assert broken["r_hat_max"] > 1.5


def test_the_summary_holds_the_verdict_with_what_to_try(
    results: RelianceResults, tree: xr.DataTree
) -> None:
    summary = results.summary
    assert len(summary["remedies"]) == len(summary["reasons"]) > 0
    # no proposals of hyperparameters are recorded in this tree: the engine can't have run like that
    assert any("log_importance_ratio" in reason for reason in summary["reasons"])
    assert results.gate.reasons == tuple(summary["reasons"])
    assert results.gate.advice() == list(zip(summary["reasons"], summary["remedies"], strict=True))


def test_summary_says_what_was_run(results: RelianceResults) -> None:
    summary = results.summary
    assert (summary["units"], summary["states"], summary["waves"]) == (5, 2, WAVES)
    assert summary["interval"] == {"kind": "eti", "probability": 0.9}
    assert summary["seed"] == 3
    assert summary["engine"] == "laplace"
    assert set(summary["wall_seconds"]) == {"sample", "summarise"}


def test_the_order_of_dims_does_not_matter(
    tree: xr.DataTree, country: Panel, results: RelianceResults
) -> None:
    posterior = tree["posterior"].to_dataset().transpose("municipality", "draw", "wave", "chain")
    tree["posterior"] = xr.DataTree(posterior)
    again = summarise(tree, country)
    for name, table in results.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])


def test_national_estimate_is_close_to_what_is_published_on_a_lattice() -> None:
    panel = grid_panel(4, 6, states=("01", "02", "03"), seed=8)
    model = reliance.build(panel)
    fit = remitstats.fit(model, panel, seed=1, draws=200, tune=100, chains=2)
    nation = remitstats.summarise(fit, panel).group
    nation = nation[nation["level"] == "nation"]
    assert len(nation) == 3
    gap = (nation["mean"] - nation["published_percent"]).abs()
    assert (gap < 3 * nation["sd"]).all()
    assert (gap < 0.06 * nation["published_percent"]).all()
    share = special.expit(fit["posterior"]["linear_predictor"].to_numpy())
    assert nation["mean"].between(100 * share.min(), 100 * share.max()).all()
