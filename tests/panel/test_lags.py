from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.errors import PanelError
from remitstats.panel.lags import lag

WAVES = (2000, 2010, 2020)
CODES = ("01001", "09002", "32058")


@pytest.fixture
def table():
    """32058 has no row of 2010; the rows are in no order."""
    return pd.DataFrame(
        {
            "cvegeo": ["01001", "32058", "01001", "01001", "32058"],
            "wave": [2020, 2000, 2000, 2010, 2020],
            "share": [3.0, 7.0, 1.0, 2.0, 9.0],
            "dwellings": [30, 70, 10, 20, 90],
            "border": [True, False, True, True, False],
        },
        index=["e", "a", "d", "b", "c"],
    )


@st.composite
def panels(draw, *, complete=False):
    """Rows of municipalities and waves with distinct values, some rows left out, shuffled."""
    every = [(code, wave) for code in CODES for wave in WAVES]
    keys = every if complete else draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
    keys = draw(st.permutations(keys))
    value = {key: 100.0 * CODES.index(key[0]) + WAVES.index(key[1]) for key in every}
    return pd.DataFrame(
        [(code, wave, value[code, wave]) for code, wave in keys],
        columns=["cvegeo", "wave", "share"],
    )


def test_the_lag_is_the_value_of_the_wave_before_and_keeps_index_and_name(table):
    expected = pd.Series(
        [2.0, np.nan, np.nan, 1.0, np.nan], index=table.index, name="share", dtype="float64"
    )
    pd.testing.assert_series_equal(lag(table, "share"), expected)


def test_a_missing_wave_is_not_bridged_by_an_older_one(table):
    assert pd.isna(lag(table, "share")["c"])
    assert lag(table, "share", steps=2)["c"] == 7.0


def test_periods_are_those_of_the_whole_table(table):
    ends = table[table["wave"] != 2010]
    assert lag(ends, "share").loc[["e", "c"]].tolist() == [1.0, 7.0]


def test_more_steps_than_there_are_waves_give_nothing(table):
    assert lag(table, "share", steps=3).isna().all()


def test_whole_numbers_stay_whole_and_truth_values_stay_such(table):
    assert lag(table, "dwellings").dtype == "Int64"
    assert lag(table, "dwellings")["e"] == 20
    assert lag(table, "border").dtype == "boolean"


def test_another_key_can_be_asked_for(table):
    renamed = table.rename(columns={"cvegeo": "state", "wave": "year"})
    ours = lag(renamed, "share", by="state", over="year")
    pd.testing.assert_series_equal(ours, lag(table, "share"))


def test_a_value_that_is_missing_is_missing_later(table):
    table.loc["b", "share"] = np.nan
    assert pd.isna(lag(table, "share")["e"])


def test_the_table_is_left_as_it_was(table):
    before = table.copy()
    lag(table, "dwellings")
    pd.testing.assert_frame_equal(table, before)


def test_a_row_twice_is_refused_and_named(table):
    twice = pd.concat([table, table.loc[["b"]]])
    with pytest.raises(PanelError, match="cvegeo=01001, wave=2010"):
        lag(twice, "share")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"column": "shaer"}, "no column shaer: did you mean share?"),
        ({"column": "share", "over": "wav"}, "did you mean wave?"),
        ({"column": "share", "by": "cvgeo"}, "did you mean cvegeo?"),
        ({"column": "xyz"}, "it has cvegeo, wave, share"),
    ],
)
def test_an_unknown_column_suggests_the_nearest(table, asked, hint):
    with pytest.raises(PanelError) as caught:
        lag(table, **asked)
    assert hint in str(caught.value)


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_steps_are_one_or_more(table, steps):
    with pytest.raises(PanelError, match="1 or more"):
        lag(table, "share", steps=steps)


def test_a_row_without_a_period_is_refused(table):
    table["wave"] = table["wave"].astype("Int64")
    table.loc["a", "wave"] = pd.NA
    with pytest.raises(PanelError, match="1 rows have no cvegeo or no wave"):
        lag(table, "share")


@given(panels(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_order_of_rows_does_not_matter(table, random, steps):
    order = list(table.index)
    random.shuffle(order)
    shuffled = lag(table.loc[order], "share", steps=steps)
    pd.testing.assert_series_equal(shuffled.sort_index(), lag(table, "share", steps=steps))


@given(panels(complete=True))
def test_the_lag_of_a_lag_is_two_steps(table):
    once = table.assign(share=lag(table, "share"))
    pd.testing.assert_series_equal(lag(once, "share"), lag(table, "share", steps=2))


@given(panels())
def test_where_rows_are_missing_a_lag_of_a_lag_is_two_steps_or_nothing(table):
    again = lag(table.assign(share=lag(table, "share")), "share")
    known = again.notna()
    pd.testing.assert_series_equal(again[known], lag(table, "share", steps=2)[known])


@given(panels(), st.integers(1, 2))
def test_no_value_crosses_municipalities_and_each_is_of_the_right_wave(table, steps):
    lagged = lag(table, "share", steps=steps)
    periods = sorted(table["wave"].unique())
    value = table.set_index(["cvegeo", "wave"])["share"].to_dict()
    for found, code, wave in zip(lagged, table["cvegeo"], table["wave"], strict=True):
        at = periods.index(wave) - steps
        expected = value.get((code, periods[at])) if at >= 0 else None
        assert (pd.isna(found) and expected is None) or found == expected
