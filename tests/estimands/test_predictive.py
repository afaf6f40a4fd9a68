"""The posterior predictive check against plain computing on a posterior without uncertainty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import special, stats

from remitstats.estimands import predictive
from remitstats.estimands.predictive import STATISTICS, predictive_check
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import draw_published

from .conftest import DWELLINGS, PUBLISHED


@pytest.fixture
def check(tree: xr.DataTree, country: Panel) -> pd.DataFrame:
    return predictive_check(tree, country, seed=1).set_index(["statistic", "wave"])


def test_observed_statistics_are_those_of_the_published_shares(check: pd.DataFrame) -> None:
    observed = check["observed"]
    assert observed["zero_municipalities"].to_list() == [1, 0, 1]
    assert observed["above_20"].to_list() == [1, 1, 2]
    assert observed["median_percent"].to_list() == [6.0, 5.0, 3.0]
    for w, wave in enumerate((2000, 2010, 2020)):
        known = np.isfinite(PUBLISHED[w])
        shares, weight = PUBLISHED[w][known], DWELLINGS[w][known]
        assert observed["national_percent", wave] == pytest.approx(
            np.average(shares, weights=weight)
        )
        assert observed["sd_percent", wave] == pytest.approx(np.std(shares))
        assert observed["percentile_90", wave] == pytest.approx(np.quantile(shares, 0.9))


def test_rank_correlations_are_spearmans(check: pd.DataFrame) -> None:
    observed = check["observed"]
    # 01001-01002-02001-02002-02003 in a row
    neighbours_2010 = [5.0, (1 + 25) / 2, (5 + 9) / 2, (25 + 2) / 2, 9.0]
    assert observed["neighbour_correlation", 2010] == pytest.approx(
        stats.spearmanr(PUBLISHED[1], neighbours_2010).statistic
    )
    # 02003 has no data in 2000, and so no part in its neighbour's mean
    assert observed["neighbour_correlation", 2000] == pytest.approx(
        stats.spearmanr([0, 4, 21, 8], [4, 10.5, 6, 21]).statistic
    )
    assert observed["earlier_wave_correlation", 2010] == pytest.approx(
        stats.spearmanr(PUBLISHED[0][:4], PUBLISHED[1][:4]).statistic
    )
    assert observed["earlier_wave_correlation", 2020] == pytest.approx(
        stats.spearmanr(PUBLISHED[1], PUBLISHED[2]).statistic
    )
    assert ("earlier_wave_correlation", 2000) not in observed.index


def test_ties_share_a_rank(tree: xr.DataTree, country: Panel) -> None:
    """Zeros are many, and their order in the table says nothing."""
    tree["constant_data"]["published_percent"][1] = [0.0, 0.0, 0.0, 1.0, 2.0]
    tree["constant_data"]["published_percent"][2] = [3.0, 0.0, 0.0, 0.0, 5.0]
    check = predictive_check(tree, country, seed=1).set_index(["statistic", "wave"])
    assert check.loc[("earlier_wave_correlation", 2020), "observed"] == pytest.approx(
        stats.spearmanr([0, 0, 0, 1, 2], [3, 0, 0, 0, 5]).statistic
    )


def test_replications_are_binomial_draws_of_the_posterior(
    tree: xr.DataTree, country: Panel
) -> None:
    """With all draws alike, means and spreads of replications are known."""
    eta = tree["posterior"]["linear_predictor"]
    fixed = eta.isel(chain=0, draw=0).to_numpy().astype(float)
    tree["posterior"]["linear_predictor"][:] = fixed
    check = predictive_check(tree, country, seed=1).set_index(["statistic", "wave"])
    for w, wave in ((1, 2010), (2, 2020)):
        rate, size = special.expit(fixed[w]), DWELLINGS[w]
        found = check.loc[("national_percent", wave)]
        mean = 100 * rate @ size / size.sum()
        sd = 100 * np.sqrt((rate * (1 - rate) * size).sum()) / size.sum()
        assert found["replicated_mean"] == pytest.approx(mean, abs=5 * sd / np.sqrt(200))
        half = (found["replicated_eti90_upper"] - found["replicated_eti90_lower"]) / 2
        assert half == pytest.approx(1.645 * sd, rel=0.3)
        zero = check.loc[("zero_municipalities", wave), "replicated_mean"]
        assert zero == pytest.approx(((1 - rate) ** size).sum(), abs=0.15)


def test_p_value_counts_ties_half(tree: xr.DataTree, country: Panel) -> None:
    """A statistic that is always as observed has a p-value of one half, not of one."""
    tree["posterior"]["linear_predictor"][:] = -1.0  # 27%: never a zero, always above 10
    tree["constant_data"]["published_percent"][2] = [27.0] * 5
    check = predictive_check(tree, country, seed=1).set_index(["statistic", "wave"])
    assert check.loc[("zero_municipalities", 2020), "observed"] == 0
    assert check.loc[("zero_municipalities", 2020), "p_value"] == 0.5


def test_a_model_that_is_wrong_is_found_out(tree: xr.DataTree, country: Panel) -> None:
    tree["posterior"]["linear_predictor"][:] += 1.5
    check = predictive_check(tree, country, seed=1).set_index(["statistic", "wave"])
    found = check.loc["national_percent"]
    assert (found["p_value"] > 0.99).all()
    assert (found["observed"] < found["replicated_eti90_lower"]).all()


def test_a_model_that_is_right_is_not(tree: xr.DataTree, country: Panel) -> None:
    """Data that are one of the replications."""
    eta = tree["posterior"]["linear_predictor"].isel(chain=1, draw=50).to_numpy().astype(float)
    drawn = draw_published(np.random.default_rng(5), eta, np.nan_to_num(DWELLINGS))
    tree["constant_data"]["published_percent"][:] = 100 * drawn
    check = predictive_check(tree, country, seed=1).set_index(["statistic", "wave"])
    for name in ("national_percent", "median_percent", "sd_percent"):
        assert check.loc[name, "p_value"].between(0.01, 0.99).all()
    assert set(check.index.get_level_values(0)) == set(STATISTICS)
    assert (check["replicated_eti90_lower"] <= check["replicated_eti90_upper"]).all()


def test_same_seed_same_check(tree: xr.DataTree, country: Panel) -> None:
    first, second, other = (predictive_check(tree, country, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)


@pytest.mark.parametrize("size", [1, 7, 200])
def test_the_check_does_not_depend_on_how_many_replications_are_worked_on_together(
    tree: xr.DataTree, country: Panel, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    expected = predictive_check(tree, country, seed=1)
    monkeypatch.setattr(predictive, "BATCH", size)
    pd.testing.assert_frame_equal(
        predictive_check(tree, country, seed=1), expected, check_exact=True
    )


def test_two_municipalities_are_too_few_for_a_check_but_no_error(
    tree: xr.DataTree, country: Panel
) -> None:
    pair = tree.isel(municipality=slice(0, 2))
    pair["provenance"] = tree["provenance"]
    table = predictive_check(pair, country, seed=1)
    assert table.empty
    assert "replicated_eti90_lower" in table.columns
