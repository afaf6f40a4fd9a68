"""Circles compared by what they say of data they have not seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import remitstats
from remitstats.claims.circle_comparison import Comparison
from remitstats.errors import RemitstatsError
from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_form import Form
from remitstats.simulate import SCENARIOS, simulate_circle
from remitstats.validation.circle_comparison import (
    NO_LINKS,
    WHOLE,
    compare,
    folds_of,
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


def test_a_comparison_survives_the_way_through_a_file(tmp_path: Path) -> None:
    row = {"variant": WHOLE, "elpd": -1234.5, "difference": 0.0, "se": 0.0, "weight": 1.0}
    missed = {"error": 0.7, "ratio": 1.0, "eti90_lower": 1.0, "eti90_upper": 1.0}
    missed |= {"variant": WHOLE, "variable": "reliance"}
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


def test_every_state_is_left_out_once(country: CircleData) -> None:
    parts = folds_of(country, 3, seed=2)
    assert sorted(np.concatenate(parts)) == list(range(5))


def test_forms_that_say_nothing_of_a_new_state_are_refused(country: CircleData) -> None:
    with pytest.raises(RemitstatsError, match="links by region or state"):
        compare(country, chosen={"by state": Form(by_state=True)}, folds=2)
    with pytest.raises(RemitstatsError, match="folds"):
        compare(country, folds=6)
