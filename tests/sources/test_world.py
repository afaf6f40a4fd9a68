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
