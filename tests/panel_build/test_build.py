from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remitstats.errors import PanelError
from remitstats.geography.adjacency import components, isolates
from remitstats.panel.account import Account
from remitstats.panel.build_money import _check_sums
from remitstats.panel.check import check_panel
from remitstats.panel.codes import NO_DATA_2000, PARENTS
from remitstats.sources import conapo, coneval, inegi

PERSONS = {
    1990: 81_249_645,
    1995: 91_158_290,
    2000: 97_483_412,
    2005: 103_263_388,
    2010: 112_336_538,
    2015: 119_530_753,
    2020: 126_014_024,
}


@pytest.fixture(scope="module")
def wave(mexico):
    return mexico.table("municipality_wave").set_index(["cvegeo", "wave"])


def test_the_panel_passes_its_own_check(mexico):
    assert check_panel(mexico) == []


def test_the_units_are_the_2456_municipalities_of_2010_in_32_states(mexico):
    municipality = mexico.table("municipality")
    assert len(municipality) == municipality["cvegeo"].nunique() == 2456
    assert not municipality["cvegeo"].isin(PARENTS).any()
    assert municipality["state"].nunique() == len(mexico.table("state")) == 32
    assert not municipality.duplicated(["state", "name"]).any()


def test_every_table_of_municipalities_has_all_of_them(mexico):
    codes = set(mexico.table("municipality")["cvegeo"])
    for table, periods in (
        ("municipality_wave", 3),
        ("municipality_census", 7),
        ("municipality_quarter", 53),
        ("shape", 1),
    ):
        frame = mexico.table(table)
        assert set(frame["cvegeo"]) == codes
        assert len(frame) == 2456 * periods


# Trap 4: percentages of dwellings, from samples.
@pytest.mark.parametrize(
    ("year", "national", "dwellings"),
    [(2000, 4.351, 22.64), (2010, 3.623, 28.70), (2020, 5.054, 34.99)],
)
def test_dwelling_weighted_reliance_is_that_of_the_census(wave, year, national, dwellings):
    known = wave.xs(year, level="wave").dropna(subset="dwellings")
    weights = known["dwellings"].astype(float)
    assert round(np.average(known["receiving_percent"], weights=weights), 3) == national
    assert weights.sum() / 1e6 == pytest.approx(dwellings, abs=0.005)


def test_real_zeros_stay_zeros(wave):
    zeros = (wave["receiving_percent"] == 0).groupby("wave").sum()
    assert zeros.to_dict() == {2000: 166, 2010: 45, 2020: 13}


# Trap 5: boundaries.
def test_the_13_municipalities_without_2000_data_are_rows_with_empty_cells(wave):
    of_2000 = wave.xs(2000, level="wave")
    empty = of_2000[of_2000["dwellings"].isna()]
    assert tuple(empty.index) == NO_DATA_2000
    assert empty["receiving_percent"].isna().all()
    assert wave.xs(2010, level="wave")["dwellings"].notna().all()


def test_later_municipalities_are_in_their_parents_and_nothing_is_lost(wave, raw):
    published = conapo.read_migration(raw, 2020).set_index("cvegeo")
    of_2020 = wave.xs(2020, level="wave")
    assert of_2020["dwellings"].sum() == published["dwellings"].sum()
    parts = published.loc[["07080", "07120", "07125"]]
    assert of_2020.loc["07080", "dwellings"] == parts["dwellings"].sum()
    expected = np.average(parts["receiving_percent"], weights=parts["dwellings"].astype(float))
    assert of_2020.loc["07080", "receiving_percent"] == pytest.approx(expected)


def test_migration_of_other_municipalities_is_that_published_to_the_last_digit(wave, raw):
    published = conapo.read_migration(raw, 2020).set_index("cvegeo")
    untouched = published.index.difference([*PARENTS, *PARENTS.values()])
    columns = list(conapo.MIGRATION_PERCENTAGES)
    pd.testing.assert_frame_equal(
        wave.xs(2020, level="wave").loc[untouched, columns],
        published.loc[untouched, columns],
        check_exact=True,
        check_names=False,
    )


def test_components_are_folded_by_the_weight_their_denominator_calls_for(wave, raw):
    published = conapo.read_marginalisation(raw, 2020).merge(
        conapo.read_migration(raw, 2020)[["cvegeo", "dwellings"]], on="cvegeo"
    )
    parts = published.set_index("cvegeo").loc[["02001", "02006"]]
    of_2020 = wave.loc[("02001", 2020)]
    for column, weight in (("illiterate_percent", "population"), ("crowding_percent", "dwellings")):
        expected = np.average(parts[column], weights=parts[weight].astype(float))
        assert of_2020[column] == pytest.approx(expected)


# Components change definition between waves.
def test_each_definition_stands_in_the_waves_it_belongs_to(wave):
    filled = wave.notna().groupby("wave").sum()
    assert filled["incomplete_primary_percent"].to_dict() == {2000: 2442, 2010: 2456, 2020: 0}
    assert filled["incomplete_basic_percent"].to_dict() == {2000: 0, 2010: 0, 2020: 2456}
    assert filled["patrimony_poverty_percent"].to_dict() == {2000: 2453, 2010: 2456, 2020: 0}
    assert filled["income_below_line_percent"].to_dict() == {2000: 0, 2010: 2456, 2020: 2455}
    assert filled["no_drainage_percent"].to_dict() == {2000: 2442, 2010: 2456, 2020: 2456}


# Trap 7: model estimates; a Gini coefficient is never averaged.
def test_gini_is_that_published_and_null_where_there_is_none(wave, raw):
    published = coneval.read_patrimony_and_gini(raw, 2010).set_index("cvegeo")["gini"]
    pd.testing.assert_series_equal(
        wave.xs(2010, level="wave")["gini"], published, check_exact=True, check_names=False
    )
    assert wave.xs(2020, level="wave")["gini"].isna().all()


def test_a_parent_keeps_its_poverty_where_the_later_municipality_has_no_figure(wave, raw):
    published = coneval.read_income_below_line(raw, 2020).set_index("cvegeo")
    column = "income_below_line_percent"
    of_2020 = wave.xs(2020, level="wave")[column]
    assert of_2020["04004"] == published.loc["04004", column]
    assert list(of_2020.index[of_2020.isna()]) == ["29048"]


# Census totals.
def test_census_totals_are_kept_to_the_person(mexico):
    census = mexico.table("municipality_census")
    totals = census.groupby("year")["population"].sum().astype(int).to_dict()
    for line in mexico.metadata["census_undistributed"]:
        totals[line["year"]] += line["population"]
    assert totals == PERSONS


def test_municipalities_that_did_not_exist_yet_have_no_population(mexico, raw):
    census = mexico.table("municipality_census")
    null = census[census["population"].isna()].groupby("year").size().to_dict()
    assert null == {1990: 53, 1995: 43, 2000: 13, 2005: 2}
    of_2000 = census[(census["year"] == 2000) & census["population"].isna()]
    assert tuple(of_2000["cvegeo"]) == NO_DATA_2000


def test_the_kind_of_each_population_is_named(mexico):
    kinds = mexico.table("municipality_census").groupby("year")["kind"].unique()
    assert {year: list(kind) for year, kind in kinds.items()} == {
        year: [kind] for year, kind in inegi.CENSUS_KINDS.items()
    }


# Trap 1 and 2: payouts as reported.
def test_municipal_and_unidentified_money_add_up_to_the_state_every_quarter(mexico):
    money = mexico.table("municipality_quarter")
    states = mexico.table("state_quarter").set_index(["state", "quarter"])
    states = states.dropna(subset="remittances_ce166_usd_million")
    sums = money.groupby([money["cvegeo"].str[:2].rename("state"), "quarter"])
    total = sums["remittances_usd_million"].sum() + states["unidentified_usd_million"]
    assert len(total) == 32 * 53
    assert (total - states["remittances_ce166_usd_million"]).abs().max() < 5e-4


def test_lost_money_stops_the_build(mexico):
    money, states = mexico.table("municipality_quarter"), mexico.table("state_quarter")
    money.loc[money.index[0], "remittances_usd_million"] += 0.001
    with pytest.raises(PanelError, match=r"state=01, quarter=2013Q1.*apart"):
        _check_sums(money, states)


def test_a_lost_quarter_stops_the_build(mexico):
    money, states = mexico.table("municipality_quarter"), mexico.table("state_quarter")
    lost = money["cvegeo"].str.startswith("32") & (money["quarter"] == "2020Q1")
    with pytest.raises(PanelError, match="state=32, quarter=2020Q1"):
        _check_sums(money[~lost], states)


def test_zeros_of_ce166_are_kept_as_published(mexico):
    money = mexico.table("municipality_quarter")
    zeros = (money["remittances_usd_million"] == 0).groupby(money["quarter"]).sum()
    assert (zeros["2017Q4"], zeros["2022Q2"], zeros["2022Q3"]) == (844, 23, 656)
    assert zeros.sum() == 30_110
    assert money["remittances_usd_million"].notna().all()


# Trap 3: two vintages, never spliced.
def test_the_two_vintages_stand_side_by_side(mexico):
    table = mexico.table("state_quarter")
    first, revised = table["remittances_ce166_usd_million"], table["remittances_usd_million"]
    assert first[table["quarter"] < "2013Q1"].isna().all()
    assert revised.notna().all()
    same = table["quarter"].between("2013Q1", "2023Q4")
    assert (revised - first)[same].abs().max() < 1e-4
    late = table["quarter"] >= "2025Q1"
    assert revised[late].sum() > 1.005 * first[late].sum()


def test_a_state_year_is_the_sum_of_its_four_quarters_or_null(mexico):
    years = mexico.table("state_year").set_index(["state", "year"])["remittances_usd_million"]
    quarters = mexico.table("state_quarter")
    of_2020 = quarters[(quarters["state"] == "14") & quarters["quarter"].str.startswith("2020")]
    assert years["14", 2020] == pytest.approx(of_2020["remittances_usd_million"].sum())
    assert years.index.get_level_values("year").max() == 2025  # 2026 has one quarter


def test_the_exchange_rate_of_1991_is_missing_and_not_zero(mexico):
    months = mexico.table("national_month").set_index("month")
    assert months.loc["1991-01":"1991-10", "mxn_per_usd"].isna().all()
    assert months["mxn_per_usd"].min() > 3


def test_neighbours_are_connected_symmetric_and_without_isolates(mexico):
    pairs, codes = mexico.table("adjacency"), mexico.table("municipality")["cvegeo"]
    assert (pairs["cvegeo_a"] < pairs["cvegeo_b"]).all()
    assert not pairs.duplicated(["cvegeo_a", "cvegeo_b"]).any()
    assert set(components(list(codes), pairs)) == {0}
    assert isolates(list(codes), pairs) == []


def test_municipalities_that_exchanged_territory_have_one_code_for_it(mexico):
    territory = mexico.table("municipality").set_index("cvegeo")["territory"]
    assert territory.notna().all()
    assert territory.nunique() == 2331
    assert set(territory.index[territory == "12028"]) == {"12028", "12079"}
    assert (territory.groupby(territory).transform("first") == territory).all()


def test_published_populations_are_on_the_boundaries_of_their_year(mexico):
    census = mexico.table("municipality_census").set_index(["cvegeo", "year"])
    apart = census["population"].ne(census["published_population"]) & census["population"].notna()
    assert apart[apart].index.get_level_values("cvegeo").nunique() == len(set(PARENTS.values()))
    both = census["published_population"].unstack()[[2010, 2020]].dropna()
    assert round(100 * (both[2020] < both[2010]).mean(), 1) == 27.0


# The account: nothing is dropped silently.
def test_every_official_file_that_holds_rows_is_in_the_account(mexico):
    from remitstats.sources.files import FILES

    assert set(mexico.table("account")["source"]) | {"geo-parents"} == set(FILES)


def test_the_account_adds_up_or_says_why_not(mexico):
    account = mexico.table("account")
    apart = account["rows_in"] - account["merged"] != account["rows_out"]
    assert account.loc[apart, "note"].str.len().gt(10).all()


def test_rows_that_vanish_without_a_word_are_refused():
    with pytest.raises(ValueError, match="no note says why"):
        Account().add("a file", "a step", rows_in=3, rows_out=2)


def test_names_that_were_not_exact_are_listed(mexico):
    listed = mexico.table("name_resolution")
    assert len(listed) == 10
    assert set(listed.loc[listed["state"] == "20", "cvegeo"]) >= {
        *("20208", "20209", "20318", "20319", "20566"),
    }


def test_every_step_of_a_build_is_told(mexico, steps):
    assert [done for _, done, _ in steps] == list(range(steps[-1][2] + 1))
