"""Circles compared by what they say of data they have not seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import remitstats
from remitstats.claims.circle_comparison import Comparison, shipped_comparison
from remitstats.errors import RemitstatsError
from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_form import Form
from remitstats.simulate import SCENARIOS, simulate_circle
from remitstats.validation.circle_comparison import (
    NO_LINKS,
    WHOLE,
    compare,
    density_table,
    folds_of,
    k_hat_limit,
    stacking_weights,
    variants,
)

FORMS = {name: variants()[name] for name in (WHOLE, NO_LINKS)}


@pytest.fixture(scope="module")
def country() -> CircleData:
    return prepare_data(remitstats.load_mexico().select(["11", "14", "16", "24", "32"]))


@pytest.mark.slow
def test_a_circle_that_is_there_predicts_better_than_none(country: CircleData) -> None:
    simulated = simulate_circle(country, SCENARIOS["vicious"], seed=5)
    found = compare(simulated, chosen=FORMS, folds=2, draws=60, command="a test")
    row = found.density.set_index("variant").loc[NO_LINKS]
    assert row["difference"] < -2 * row["se"] < 0
    ratio = found.prediction.set_index(["variant", "variable"])["ratio"]
    assert ratio[NO_LINKS].mean() > 1.0
    assert np.allclose(ratio[WHOLE], 1.0)
    by_variant = found.state.groupby("variant")["elpd"].sum()
    np.testing.assert_allclose(by_variant[NO_LINKS], row["elpd"], atol=1e-6)
    signs = found.density.set_index("variant")["elpd"]
    if "virtuous signs only" in signs and "vicious signs only" in signs:
        assert signs["vicious signs only"] > signs["virtuous signs only"]


def test_a_comparison_survives_the_way_through_a_file(tmp_path: Path) -> None:
    row = {"variant": WHOLE, "elpd": -1234.5, "difference": 0.0, "se": 0.0, "weight": 1.0}
    missed: dict[str, object] = {"error": 0.7, "ratio": 1.0, "eti90_lower": 1.0}
    missed |= {"eti90_upper": 1.0, "variant": WHOLE, "variable": "reliance"}
    found = Comparison({"folds": 2}, pd.DataFrame([row]), pd.DataFrame([missed]))
    path = tmp_path / "comparison.json"
    path.write_text(found.to_json(), encoding="utf-8")
    again = Comparison.read(path)
    assert again.study == found.study
    np.testing.assert_allclose(again.density["elpd"], found.density["elpd"], atol=1e-6)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(RemitstatsError, match="no comparison of circles"):
        Comparison.read(path)


def test_stacking_weighs_what_says_most() -> None:
    one_better = np.array([[0.0, 0.0, 0.0], [-9.0, -9.0, -9.0]])
    assert stacking_weights(one_better)[0] > 0.99
    each_its_own = np.array([[0.0, -9.0], [-9.0, 0.0]])
    np.testing.assert_allclose(stacking_weights(each_its_own), 0.5, atol=1e-3)


def test_weights_count_a_state_as_often_as_it_was_drawn() -> None:
    said = np.random.default_rng(1).normal(size=(3, 12))
    times = np.array([2, 0, 1] * 4)
    again = stacking_weights(np.repeat(said, times, axis=1))
    np.testing.assert_allclose(stacking_weights(said, times), again, atol=1e-4)


def test_an_interval_of_weights_is_wide_where_states_disagree_and_narrow_where_not() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(size=32)
    k_hat = np.where(np.arange(32) < 3, 0.9, 0.1)
    said = {
        "base": base,
        "worse everywhere": base - 5.0,
        "other states": base + rng.normal(0.0, 3.0, size=32),
    }
    found = density_table(said, {"base": (base, k_hat)}, 0.7, seed=1, resamples=80)
    found = found.set_index("variant")
    width = found["weight_eti90_upper"] - found["weight_eti90_lower"]
    assert width["worse everywhere"] < 0.1 < width["other states"]
    assert found["weight"].between(found["weight_eti90_lower"], found["weight_eti90_upper"]).all()
    assert found["best_share"].sum() == pytest.approx(1.0)
    assert found.loc["worse everywhere", "best_share"] == 0.0
    assert found.loc["base", "psis_states_above"] == 3
    assert found["psis_states_above"].isna()["other states"]


def test_a_comparison_of_an_earlier_version_is_read_without_what_it_lacks() -> None:
    shipped = shipped_comparison()
    assert shipped is not None
    assert {"weight_eti90_lower", "best_share", "psis_states_above"} <= set(shipped.density)


def test_few_draws_are_trusted_less() -> None:
    assert k_hat_limit(100) == pytest.approx(0.5)
    assert k_hat_limit(10_000) == pytest.approx(0.7)


def test_every_state_is_left_out_once(country: CircleData) -> None:
    parts = folds_of(country, 3, seed=2)
    assert sorted(np.concatenate(parts)) == list(range(5))


def test_forms_that_say_nothing_of_a_new_state_are_refused(country: CircleData) -> None:
    with pytest.raises(RemitstatsError, match="links by region or state"):
        compare(country, chosen={"by state": Form(by_state=True)}, folds=2)
    with pytest.raises(RemitstatsError, match="folds"):
        compare(country, folds=6)
