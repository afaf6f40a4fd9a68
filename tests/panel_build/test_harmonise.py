from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.panel.harmonise import fold_percentages, fold_sums

PARTS = ["04004", "04012", "07080", "07120", "07125", "09001"]

tables = st.builds(
    lambda values, weights: pd.DataFrame({"cvegeo": PARTS, "share": values, "dwellings": weights}),
    st.lists(st.floats(0, 100), min_size=6, max_size=6),
    st.lists(st.integers(1, 10**6), min_size=6, max_size=6),
)


def folded(table: pd.DataFrame) -> pd.DataFrame:
    return fold_percentages(table, {"share": "dwellings"}).set_index("cvegeo")


@given(tables)
def test_a_folded_percentage_lies_between_its_parts(table):
    parts = table.set_index("cvegeo")["share"][["07080", "07120", "07125"]]
    value = folded(table).loc["07080", "share"]
    assert parts.min() - 1e-9 <= value <= parts.max() + 1e-9


@given(tables)
def test_the_national_percentage_does_not_change(table):
    sums = fold_sums(table, ["dwellings"]).set_index("cvegeo")["dwellings"]
    after = np.average(folded(table)["share"], weights=sums)
    assert after == pytest.approx(np.average(table["share"], weights=table["dwellings"]))


@given(tables)
def test_a_municipality_that_nothing_is_folded_into_keeps_its_figure_to_the_last_digit(table):
    assert folded(table).loc["09001", "share"] == table.set_index("cvegeo").loc["09001", "share"]


def test_a_part_without_a_figure_leaves_the_parents():
    table = pd.DataFrame(
        {"cvegeo": ["04004", "04012"], "share": [40.0, np.nan], "dwellings": [10, 90]}
    )
    assert folded(table).loc["04004", "share"] == 40


def test_parts_without_any_figure_have_none_together():
    table = pd.DataFrame({"cvegeo": ["04004", "04012"], "share": np.nan, "dwellings": [10, 90]})
    assert folded(table)["share"].isna().all()


def test_counts_are_summed_and_stay_whole():
    table = pd.DataFrame(
        {
            "cvegeo": ["23004", "23010", "12077"],
            "year": [2020, 2020, 2020],
            "population": pd.array([233_648, 41_754, None], dtype="Int64"),
        }
    )
    sums = fold_sums(table, ["population"], ["year"])
    assert sums["population"].dtype == "Int64"
    assert dict(zip(sums["cvegeo"], sums["population"], strict=True)) == {
        "12077": pd.NA,
        "23004": 275_402,
    }
