"""What the dependence model makes of a panel's figures."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.errors import PanelError, RemitstatsError
from remitstats.models.dependence_data import prepare_data, years_of
from remitstats.models.dependence_measures import Measures, quarter_name, quarter_number
from remitstats.panel.load import load_mexico

ZACATECAS = "32"


@pytest.fixture(scope="module")
def panel():
    return load_mexico().select([ZACATECAS])


@pytest.fixture(scope="module")
def data(panel):
    return prepare_data(panel)


def with_money(panel, code, dollars):
    table = panel.table("municipality_quarter")
    table.loc[table["cvegeo"] == code, "remittances_usd_million"] = dollars
    return panel.with_table("municipality_quarter", table)


def row(data, code):
    return list(data.coords["municipality"]).index(code)


def test_a_zero_is_no_observation(data):
    zero = data.dollars == 0
    assert zero.any()
    assert np.isnan(data.observed[zero]).all()
    assert np.isfinite(data.observed[~zero & ~data.errors]).all()


def test_an_observation_is_constant_pesos_per_person(panel, data):
    month = panel.table("national_month")
    inside = month["month"].astype(str).isin(["2013-01", "2013-02", "2013-03"])
    pesos = month.loc[inside, "mxn_per_usd"].mean()
    prices = month.loc[inside, "consumer_price_index"].mean() / 100
    i = row(data, "32056")  # the capital
    people = np.exp(data.log_population[i, 0])
    quarter = panel.table("state_quarter").query("quarter == '2013Q1'").iloc[0]
    spread = 1 / (
        1 - quarter["unidentified_usd_million"] / quarter["remittances_ce166_usd_million"]
    )
    expected = data.dollars[i, 0] * 1e6 * pesos / prices * spread / people
    assert np.exp(data.observed[i, 0]) == pytest.approx(expected, rel=1e-12)


def test_dollars_are_as_published(panel):
    data = prepare_data(panel, Measures(unit="dollars"))
    i = row(data, "32056")
    expected = np.log(data.dollars[i] * 1e6) - data.log_population[i] + data.shift[0]
    assert data.observed[i] == pytest.approx(expected)


def test_population_passes_through_both_censuses_and_goes_on_with_their_growth(panel, data):
    census = panel.table("municipality_census").pivot(
        index="cvegeo", columns="year", values="population"
    )
    first, last = (np.log(census.loc["32056", year]) for year in (2010, 2020))
    growth = (last - first) / (2020.20 - 2010.45)
    years = years_of(data.numbers)
    expected = first + growth * (years - 2010.45)
    assert data.log_population[row(data, "32056")] == pytest.approx(expected)


def test_unidentified_money_moves_a_whole_state_up(panel, data):
    table = panel.table("state_quarter")
    table["unidentified_usd_million"] = table["unidentified_usd_million"] * 0.0
    without = prepare_data(panel.with_table("state_quarter", table))
    moved = data.observed - without.observed
    seen = np.isfinite(moved)
    assert moved[seen] == pytest.approx(np.broadcast_to(data.shift[0], moved.shape)[seen])
    assert data.shift.max() > 0 and (without.shift == 0).all()
    assert data.shift_sd == pytest.approx(data.measures.unidentified_sd * data.shift)


def test_one_quarter_far_off_is_set_aside_and_a_lasting_change_is_not(panel):
    quarters = np.arange(53)
    off = np.where(quarters == 30, 0.001, 1.0)
    spoilt = prepare_data(with_money(panel, "32056", off))
    i = row(spoilt, "32056")
    assert spoilt.errors[i].nonzero()[0].tolist() == [30]
    assert np.isnan(spoilt.observed[i, 30])
    lasting = prepare_data(with_money(panel, "32056", np.where(quarters < 30, 1.0, 0.1)))
    assert not lasting.errors[i].any()


def test_a_municipality_without_payouts_before_or_after_is_faint(panel):
    quarters = np.arange(53)
    faint_first = prepare_data(with_money(panel, "32056", np.where(quarters < 20, 0.0, 5.0)))
    faint_last = prepare_data(with_money(panel, "32056", np.where(quarters < 38, 5.0, 0.0)))
    steady = prepare_data(panel)
    for data, expected in ((faint_first, True), (faint_last, True), (steady, False)):
        assert data.faint[data.kind_of[row(data, "32056")]] == expected


def test_kinds_are_ordered_by_how_far_series_change(data):
    spread = []
    for kind in np.flatnonzero(~data.faint):
        change = np.diff(data.observed[data.kind_of == kind], axis=1)
        spread.append(np.nanstd(change))
    assert len(spread) > 1
    assert spread == sorted(spread)


def test_nothing_after_the_last_quarter_is_looked_at(panel):
    table = panel.table("municipality_quarter")
    later = table["quarter"] > "2022Q4"
    changed = table.assign(
        remittances_usd_million=table["remittances_usd_million"].where(~later, 99.0)
    )
    one, other = (
        prepare_data(p, last_quarter="2022Q4")
        for p in (panel, panel.with_table("municipality_quarter", changed))
    )
    assert one.coords["quarter"][-1] == "2022Q4"
    np.testing.assert_array_equal(one.observed, other.observed)
    np.testing.assert_array_equal(one.kind_of, other.kind_of)


def test_a_panel_without_population_or_quarters_is_refused_by_name(panel):
    census = panel.table("municipality_census")
    census.loc[(census["cvegeo"] == "32056") & (census["year"] == 2020), "population"] = pd.NA
    with pytest.raises(PanelError, match="cvegeo=32056"):
        prepare_data(panel.with_table("municipality_census", census))
    money = panel.table("municipality_quarter")
    gap = money[money["quarter"] != "2015Q2"]
    with pytest.raises(PanelError, match="no 2015Q2"):
        prepare_data(panel.with_table("municipality_quarter", gap))
    tables = {k: v for k, v in panel.tables.items() if k != "state_quarter"}
    with pytest.raises(PanelError, match="state_quarter"):
        prepare_data(type(panel)(tables, panel.metadata))
    month = panel.table("national_month")
    with pytest.raises(PanelError, match="unit='dollars'"):
        prepare_data(panel.with_table("national_month", month[month["month"] < "2020-01"]))


@given(st.integers(4 * 1900, 4 * 2100))
def test_a_quarter_has_one_name_and_one_number(number):
    assert quarter_number(quarter_name(number)) == number


@pytest.mark.parametrize("text", ["2013", "2013Q5", "2013Q0", "13Q1", "2013-1", ""])
def test_what_is_no_quarter_is_refused(text):
    with pytest.raises(RemitstatsError, match="no quarter"):
        quarter_number(text)


@pytest.mark.parametrize(
    "bad",
    [
        {"unit": "pesos"},
        {"breaks": ("2022Q3", "2018Q1")},
        {"classes": 0},
        {"error_least": 0.0},
        {"unidentified_sd": -0.1},
    ],
)
def test_measures_that_make_no_sense_are_refused(bad):
    with pytest.raises(RemitstatsError):
        Measures(**bad)
