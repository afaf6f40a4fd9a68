from __future__ import annotations

import pytest

from remitstats.errors import PanelError
from remitstats.sources import world

MADDISON, PWT = world.SERIES


def test_both_countries_have_each_year_once_up_to_where_the_data_sets_end(raw):
    table = world.read_gdp_per_person(raw)
    for country in ("MEX", "USA"):
        own = table[table["country"] == country]
        assert list(own["year"]) == list(range(1990, 2023))
        assert own[MADDISON].notna().all()
        assert own.loc[own[PWT].notna(), "year"].max() == 2019
    assert set(table["country"]) == {"MEX", "USA"}


def test_figures_are_those_published(raw):
    table = world.read_gdp_per_person(raw).set_index(["country", "year"])
    assert table.loc[("MEX", 1990), MADDISON] == 9699
    assert table.loc[("USA", 1990), MADDISON] == 36_982
    assert table.loc[("MEX", 2019), PWT] == pytest.approx(19_308, abs=0.1)


def test_a_lost_year_is_noticed(spoilt):
    def lose(content):
        lines = content.splitlines(keepends=True)
        return b"".join(line for line in lines if not line.startswith(b"USA,2001,"))

    with pytest.raises(PanelError, match=r"iso3=USA.*32 years with a figure"):
        world.read_gdp_per_person(spoilt("maddison-2023", lose))


def test_an_aggregate_is_no_country(spoilt):
    def demote(content):
        lines = content.splitlines(keepends=True)
        return b"".join(
            line.rstrip()[:-1] + b"0\n" if line.startswith(b"MEX,") else line for line in lines
        )

    with pytest.raises(PanelError, match=r"iso3=MEX.*0 years"):
        world.read_gdp_per_person(spoilt("maddison-2023", demote))


def test_every_country_has_its_series_with_zeros_of_remittances_as_gaps(raw):
    table = world.read_world(raw)
    assert not table.duplicated(["country", "year"]).any()
    years = table.dropna(subset="net_migration_per_thousand").groupby("country")["year"]
    assert years.min().eq(1950).all()
    assert years.max().eq(2023).all()
    assert years.count().eq(74).all()
    for column in ("remittances_gdp_percent_wdi_2022", "remittances_gdp_percent_wdi_2025"):
        assert (table[column].dropna() > 0).all()


def test_breaks_of_the_source_stay_in_the_figures(raw):
    column = "remittances_gdp_percent_wdi_2022"
    share = world.read_world(raw).set_index(["country", "year"])[column]
    assert share["ESP", 1998] > 4 * share["ESP", 1999]
    assert share["KOR", 1980] > 4 * share["KOR", 1979]


def test_a_year_that_a_country_has_twice_is_noticed(spoilt):
    def double(content):
        lines = content.splitlines(keepends=True)
        return b"".join([*lines, next(line for line in lines if line.startswith(b"PRT,1999,"))])

    with pytest.raises(PanelError, match=r"iso3=PRT.*1999 twice"):
        world.read_world(spoilt("wpp-2024", double))
