from __future__ import annotations

import pytest

from remitstats.errors import PanelError
from remitstats.sources import inegi

PERSONS = {
    1990: 81_249_645,
    1995: 91_158_290,
    2000: 97_483_412,
    2005: 103_263_388,
    2010: 112_336_538,
}


def test_census_totals_are_those_published_to_the_person(raw):
    table = inegi.read_census_1990_2010(raw)
    assert table.groupby("year")["population"].sum().to_dict() == PERSONS


def test_the_1995_count_gives_15_municipalities_of_chiapas_in_one_sum(raw):
    table = inegi.read_census_1990_2010(raw).pivot(
        index="cvegeo", columns="year", values="population"
    )
    assert table.loc[inegi.NOT_DISTRIBUTED].dropna().to_dict() == {1995: 519_686}
    left_out = table[table[1990].notna() & table[1995].isna()]
    assert len(left_out) == 15
    assert left_out.index.str.startswith("07").all()


@pytest.mark.parametrize(
    ("year", "rows", "persons"), [(2015, 2457, 119_530_753), (2020, 2469, 126_014_024)]
)
def test_later_populations_are_those_published(raw, year, rows, persons):
    table = inegi.read_census(raw, year)
    assert (len(table), table["population"].sum()) == (rows, persons)
    assert table["longitude"].between(-118.5, -86.5).all()
    assert table["latitude"].between(14.5, 32.8).all()


def test_state_gdp_has_every_state_and_year(raw):
    table = inegi.read_state_gdp(raw)
    assert len(table) == 32 * 22
    assert table.notna().all(axis=None)
    oil = table.groupby("state")["oil_gdp_current_mxn_million"].max()
    assert set(oil[oil > 0].index) == {"04", "05", "07", "19", "21", "24", "27", "28", "30"}
    assert (table["manufacturing_gdp_current_mxn_million"] < table["gdp_current_mxn_million"]).all()


def test_an_industry_that_is_gone_is_refused(spoilt):
    folder = spoilt("inegi-state-gdp", lambda text: text.replace(b",21-1,", b",21-9,"))
    with pytest.raises(PanelError, match="does not give 21-1"):
        inegi.read_state_gdp(folder)


def test_a_municipality_twice_in_a_census_is_refused(spoilt):
    folder = spoilt(
        "inegi-census-1990-2010",
        lambda text: text.replace(b"01002,Asientos,1990,Total", b"01001,Asientos,1990,Total"),
    )
    with pytest.raises(PanelError, match="01001, 1990"):
        inegi.read_census_1990_2010(folder)


def test_prices_are_monthly_and_rise_over_the_decades(raw):
    table = inegi.read_prices(raw).set_index("month")["consumer_price_index"]
    assert table.index.is_unique
    assert table["1995-01"] < table["2005-01"] < table["2020-01"]
