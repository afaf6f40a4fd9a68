from __future__ import annotations

import pytest

from remitstats.errors import PanelError
from remitstats.sources import banxico

YEARS = {"2013": 23_090, "2020": 41_704, "2023": 63_319, "2024": 64_746}


@pytest.fixture(scope="module")
def ce166(raw):
    return banxico.read_municipal_quarters(raw)


def test_ce166_has_every_series_at_every_quarter(ce166):
    assert len(ce166.municipal) == 2456 * 53
    assert len(ce166.unidentified) == len(ce166.state) == 32 * 53
    assert ce166.municipal["remittances_usd_million"].notna().all()
    assert ce166.municipal["quarter"].agg(["min", "max"]).tolist() == ["2013Q1", "2026Q1"]


def test_ce166_totals_are_those_known(ce166):
    years = ce166.state["quarter"].str.slice(0, 4)
    totals = ce166.state.groupby(years)["remittances_ce166_usd_million"].sum()
    assert {year: round(totals[year]) for year in YEARS} == YEARS


def test_ce166_zeros_are_kept_as_published(ce166):
    zero = ce166.municipal[ce166.municipal["remittances_usd_million"] == 0]
    count = zero["quarter"].value_counts()
    assert count.filter(regex="201[3-7]").between(810, 890).all()
    assert (count["2018Q1"], count["2022Q2"], count["2022Q3"]) == (616, 23, 656)


def test_another_unit_is_refused(spoilt):
    folder = spoilt(
        "banxico-ce166",
        lambda text: text.replace("Millones de Dólares".encode("latin-1"), b"Miles de pesos", 1),
    )
    with pytest.raises(PanelError, match="Miles de pesos"):
        banxico.read_municipal_quarters(folder)


def test_a_lost_head_is_refused(spoilt):
    folder = spoilt("banxico-ce166", lambda text: text.replace(b'"Unidad"', b'"Medida"', 1))
    with pytest.raises(PanelError, match="lost its head"):
        banxico.read_municipal_quarters(folder)


def test_a_series_of_another_table_is_refused(spoilt):
    folder = spoilt(
        "banxico-ce166",
        lambda text: text.replace(b"Ingresos por Remesas Familiares, Colima", b"Exportaciones", 1),
    )
    with pytest.raises(PanelError, match="'Exportaciones'"):
        banxico.read_municipal_quarters(folder)


def test_a_series_twice_is_refused(spoilt):
    folder = spoilt(
        "banxico-ce166",
        lambda text: text.replace(b"Aguascalientes, Asientos", b"Aguascalientes, Calvillo", 1),
    )
    with pytest.raises(PanelError, match="a series twice"):
        banxico.read_municipal_quarters(folder)


def test_a_cell_that_is_no_number_is_named_by_line_and_series(spoilt):
    folder = spoilt("banxico-ce166", lambda text: text.replace(b",40.690177,", b",4O.69,", 1))
    with pytest.raises(PanelError, match=r"line 20, series SE41187.*'4O\.69'"):
        banxico.read_municipal_quarters(folder)


def test_a_date_that_opens_no_quarter_is_refused(spoilt):
    folder = spoilt("banxico-ce166", lambda text: text.replace(b"01/04/2013", b"01/05/2013", 1))
    with pytest.raises(PanelError, match="dates that open no quarter"):
        banxico.read_municipal_quarters(folder)


def test_ce100_has_every_state_and_quarter(raw):
    table = banxico.read_state_quarters(raw)
    assert len(table) == 32 * 93
    assert not table.duplicated(["state", "quarter"]).any()
    assert table["remittances_usd_million"].between(3, 1600).all()


def test_national_totals_are_those_known(raw):
    table = banxico.read_national_months(raw)
    years = table.groupby(table["month"].str.slice(0, 4))["remittances_usd_million"].sum()
    assert years["2003"] == pytest.approx(15_138.7, abs=0.05)
    assert years["2007"] == pytest.approx(26_695.9, abs=0.05)
    assert years["2013"] == pytest.approx(23_090.0, abs=0.05)


def test_outflows_are_missing_before_2013(raw):
    table = banxico.read_national_months(raw).set_index("month")
    assert table.loc[:"2012-12", "remittances_out_usd_million"].isna().all()
    assert table.loc["2013-01":, "remittances_out_usd_million"].notna().all()


def test_the_zeros_of_the_exchange_rate_are_missing_values(raw):
    table = banxico.read_exchange_rate(raw)
    assert list(table.loc[table["mxn_per_usd"].isna(), "month"]) == [
        f"1991-{month:02d}" for month in range(1, 11)
    ]
    assert table["mxn_per_usd"].min() > 3


def test_a_flow_that_is_neither_in_nor_out_is_refused(spoilt):
    folder = spoilt("banxico-ce81", lambda text: text.replace(b"1995-01-01,1,", b"1995-01-01,7,"))
    with pytest.raises(PanelError, match="neither in"):
        banxico.read_national_months(folder)


def test_a_month_twice_is_refused(spoilt):
    folder = spoilt("banxico-fix", lambda text: text.replace(b"1995-02-01", b"1995-01-01"))
    with pytest.raises(PanelError, match="a period twice"):
        banxico.read_exchange_rate(folder)
