from __future__ import annotations

import pytest

from remitstats.errors import PanelError
from remitstats.sources import nation


def test_figures_are_those_published(raw):
    exchange = nation.read_exchange(raw).set_index("year")
    assert exchange.loc[2003, "oil_exports_usd_million"] == pytest.approx(18_597.22)
    assert exchange.loc[2005, "merchandise_exports_usd_million"] == pytest.approx(214_232.96)
    assert exchange.loc[1995, "tourism_receipts_usd_million"] == 6847
    assert exchange.index.min() == 1991
    mexico = nation.read_mexico(raw).set_index("year")
    assert mexico.loc[2000, "born_in_mexico_us_residents"] == pytest.approx(8.072e6, rel=1e-3)
    assert mexico.loc[2003, "remittances_gdp_percent"] == pytest.approx(2.18, abs=0.01)


def test_the_year_that_the_file_doubles_is_left_out(raw):
    residents = nation.read_mexico(raw).set_index("year")["born_in_mexico_us_residents"]
    assert residents.isna()[2014]
    assert residents.dropna().between(6e6, 13e6).all()


def test_nine_countries_have_each_year_of_net_migration_once(raw):
    table = nation.read_net_migration(raw)
    assert set(table["country"]) == set(nation.COUNTRIES)
    for _, rows in table.groupby("country"):
        assert list(rows["year"]) == list(range(1950, 2024))


def test_single_figures_have_a_unit_and_an_origin(raw):
    table = nation.read_figures(raw).set_index(["figure", "year"])
    assert table.loc[("households_receiving", 2002), "value"] == 1_402_000
    assert table.loc[("manufacturing_compensation_index", 2005), "value"] == 11
    assert table.index.is_unique
    assert (table["origin"].str.len() > 3).all()


def test_a_year_that_stands_twice_is_refused(spoilt):
    def double(content):
        lines = content.splitlines(keepends=True)
        return b"".join([*lines, lines[-1]])

    with pytest.raises(PanelError, match="has a year twice"):
        nation.read_exchange(spoilt("inegi-trade", double))


def test_a_lost_country_is_noticed(spoilt):
    def lose(content):
        lines = content.splitlines(keepends=True)
        return b"".join(line for line in lines if not line.startswith(b"KOR,"))

    with pytest.raises(PanelError, match=r"iso3=KOR"):
        nation.read_net_migration(spoilt("wpp-2024", lose))


def test_text_among_numbers_is_refused_with_its_line(spoilt):
    def blot(content):
        return content.replace(b"1402000", b"many", 1)

    with pytest.raises(PanelError, match="line 4"):
        nation.read_figures(spoilt("enigh-receiving", blot))
