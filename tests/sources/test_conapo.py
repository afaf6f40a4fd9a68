from __future__ import annotations

import numpy as np
import pytest

from remitstats.errors import PanelError
from remitstats.panel.codes import NO_DATA_2000
from remitstats.sources import conapo


@pytest.mark.parametrize(
    ("wave", "known"),
    [
        (2000, {"rows": 2456, "with_data": 2443, "national": 4.351, "zeros": 166}),
        (2010, {"rows": 2456, "with_data": 2456, "national": 3.623, "zeros": 45}),
        (2020, {"rows": 2469, "with_data": 2469, "national": 5.054, "zeros": 15}),
    ],
)
def test_migration_is_what_conapo_publishes(raw, wave, known):
    table = conapo.read_migration(raw, wave)
    with_data = table.dropna()
    mean = np.average(with_data["receiving_percent"], weights=with_data["dwellings"].astype(int))
    assert {
        "rows": len(table),
        "with_data": len(with_data),
        "national": round(mean, 3),
        "zeros": (with_data["receiving_percent"] == 0).sum(),
    } == known


def test_2010_gives_the_number_within_the_state_and_becomes_a_whole_code(raw):
    table = conapo.read_migration(raw, 2010).set_index("cvegeo")
    assert table.loc["20570", "dwellings"] > 0
    assert table.loc["01001", "dwellings"] == 205_934


def test_the_municipalities_without_2000_data_are_the_13_created_afterwards(raw):
    table = conapo.read_migration(raw, 2000)
    assert tuple(table.loc[table["dwellings"].isna(), "cvegeo"]) == NO_DATA_2000


def test_nicolas_ruiz_has_no_components_in_2000_and_is_kept(raw):
    table = conapo.read_marginalisation(raw, 2000).set_index("cvegeo")
    row = table.loc["07058"]
    assert row["population"] == 3135
    assert row.drop(["population", "small_locality_percent"]).isna().all()


def test_drainage_is_the_definition_of_the_wave(raw):
    of_2000 = conapo.read_marginalisation(raw, 2000).set_index("cvegeo")
    of_2010 = conapo.read_marginalisation(raw, 2010).set_index("cvegeo")
    assert of_2000["no_drainage_percent"].notna().sum() == 2442  # OVSDSE; OVSDE is "-" in 2000
    weighted = np.average(of_2010["no_drainage_percent"], weights=of_2010["population"])
    assert weighted == pytest.approx(3.57, abs=0.1)  # the file's national OVSDE


def test_schooling_has_a_column_for_each_definition(raw):
    assert "incomplete_basic_percent" not in conapo.read_marginalisation(raw, 2010)
    assert "incomplete_primary_percent" not in conapo.read_marginalisation(raw, 2020)


@pytest.mark.parametrize(("wave", "persons"), [(2000, 97_483_412), (2010, 112_336_538)])
def test_population_of_the_marginalisation_files_is_that_of_the_census(raw, wave, persons):
    assert conapo.read_marginalisation(raw, wave)["population"].sum() == persons


def test_a_year_the_file_does_not_have_is_refused(spoilt):
    folder = spoilt(
        "conapo-im-1990-2015",
        lambda text: b"\n".join(r for r in text.split(b"\n") if not r.endswith(b"2000\r")),
    )
    with pytest.raises(PanelError, match="no rows of 2000"):
        conapo.read_marginalisation(folder, 2000)


def test_a_file_saved_anew_in_another_encoding_is_refused(spoilt):
    folder = spoilt("conapo-iaim-2000", lambda text: text.decode("latin-1").encode())
    with pytest.raises(PanelError, match="not in the encoding"):
        conapo.read_migration(folder, 2000)


def test_a_renamed_column_is_refused(spoilt):
    folder = spoilt("conapo-iim-2020", lambda text: text.replace(b"viv_rem", b"remesas", 1))
    with pytest.raises(PanelError, match="column viv_rem: found no such column"):
        conapo.read_migration(folder, 2020)


def test_a_municipality_twice_is_refused(spoilt):
    folder = spoilt("conapo-iim-2020", lambda text: text.replace(b"\n1,1002,", b"\n1,1001,", 1))
    with pytest.raises(PanelError, match="repeated codes"):
        conapo.read_migration(folder, 2020)


def test_the_count_of_1995_has_three_components_and_drainage_of_its_own_kind(raw):
    table = conapo.read_marginalisation(raw, 1995)
    assert list(table) == [
        *("cvegeo", "population", "illiterate_percent", "no_electricity_percent"),
        *("no_piped_water_percent", "no_drainage_1995_percent", "marginalisation_index"),
    ]
    assert table.notna().all(axis=None)


@pytest.mark.parametrize(
    ("year", "rows"), [(1990, 2403), (1995, 2428), (2000, 2443), (2005, 2454), (2015, 2457)]
)
def test_each_year_has_the_municipalities_of_its_time_and_no_nation(raw, year, rows):
    table = conapo.read_marginalisation(raw, year)
    assert len(table) == rows
    assert table["cvegeo"].str.fullmatch("[0-3][0-9]{4}").all()
    assert table["population"].max() < 2_000_000


def test_the_two_indices_run_opposite_ways_and_stand_apart(raw):
    earlier = conapo.read_marginalisation(raw, 2010)
    assert earlier["marginalisation_index"].corr(earlier["illiterate_percent"]) > 0.8
    latest = conapo.read_marginalisation(raw, 2020)
    assert latest["marginalisation_index_dp2"].corr(latest["illiterate_percent"]) < -0.8
    assert "marginalisation_index" not in latest
