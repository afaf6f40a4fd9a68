"""The table of conditions, 1990 to 2020: every trap of its sources, and the income of countries."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from remitstats.errors import PanelError
from remitstats.panel.account import Account
from remitstats.panel.build_condition import WEIGHTS, build_condition
from remitstats.panel.check import check_panel
from remitstats.panel.codes import PARENTS
from remitstats.panel.harmonise import COMPONENT_WEIGHTS
from remitstats.sources import conapo, coneval, pnud
from remitstats.sources.files import FILES

YEARS = [1990, 1995, 2000, 2005, 2010, 2015, 2020]
INCOME = "income_per_person_mxn_month"


@pytest.fixture(scope="module")
def condition(mexico):
    return mexico.table("municipality_condition").set_index(["cvegeo", "year"])


def of(condition, year):
    return condition.xs(year, level="year")


def test_every_municipality_has_a_row_in_each_of_the_seven_years(mexico, condition):
    codes = mexico.table("municipality")["cvegeo"]
    expected = pd.MultiIndex.from_product([codes, YEARS])
    assert condition.index.sort_values().equals(expected)


def test_what_the_waves_hold_too_is_the_same_figure_to_the_last_digit(mexico, condition):
    wave = mexico.table("municipality_wave").set_index(["cvegeo", "wave"])
    shared = [
        *(*COMPONENT_WEIGHTS, "patrimony_poverty_percent", "income_below_line_percent", "gini"),
    ]
    ours = condition.loc[wave.index, shared]
    pd.testing.assert_frame_equal(ours, wave[shared], check_exact=True, check_names=False)


def test_each_series_stands_in_the_years_it_is_published_for(condition):
    filled = condition.notna().groupby("year").sum()
    known = {
        "illiterate_percent": [2403, 2428, 2442, 2454, 2456, 2456, 2456],
        "incomplete_primary_percent": [2403, 0, 2442, 2454, 2456, 2456, 0],
        "incomplete_basic_percent": [0, 0, 0, 0, 0, 0, 2456],
        "no_drainage_percent": [2403, 0, 2442, 2454, 2456, 2456, 2456],
        "no_drainage_1995_percent": [0, 2428, 0, 0, 0, 0, 0],
        "low_income_percent": [2403, 0, 2442, 2454, 2456, 2456, 2456],
        "marginalisation_index": [2403, 2428, 2442, 2454, 2456, 2456, 0],
        "marginalisation_index_dp2": [0, 0, 0, 0, 0, 0, 2456],
        "patrimony_poverty_percent": [2454, 0, 2453, 0, 2456, 0, 0],
        "gini": [2454, 0, 2453, 0, 2456, 0, 0],
        "income_below_line_percent": [0, 0, 0, 0, 2456, 2445, 2455],
        INCOME: [0, 0, 0, 0, 2456, 2449, 2455],
    }
    assert {name: list(filled[name]) for name in known} == known


def test_the_one_later_municipality_of_2015_is_in_its_parent_by_persons(condition, raw):
    parts = conapo.read_marginalisation(raw, 2015).set_index("cvegeo").loc[["23004", "23010"]]
    weights = parts["population"].astype(float)
    for column in ("illiterate_percent", "crowding_percent", "marginalisation_index"):
        expected = np.average(parts[column], weights=weights)
        assert condition.loc[("23004", 2015), column] == pytest.approx(expected)
    below = coneval.read_income_below_line(raw, 2015).set_index("cvegeo").loc[parts.index]
    column = "income_below_line_percent"
    expected = np.average(below[column], weights=below["population"].astype(float))
    assert condition.loc[("23004", 2015), column] == pytest.approx(expected)


def test_municipalities_of_2015_that_nothing_is_folded_into_are_as_published(condition, raw):
    published = conapo.read_marginalisation(raw, 2015).set_index("cvegeo")
    alone = published.index.difference(["23004", "23010"])
    columns = [name for name in WEIGHTS if name in published]
    pd.testing.assert_frame_equal(
        of(condition, 2015).loc[alone, columns],
        published.loc[alone, columns],
        check_exact=True,
        check_names=False,
    )


def _residual(table: pd.DataFrame, index: str) -> pd.Series:
    known = table[[*COMPONENT_WEIGHTS, index]].dropna(axis=1, how="all").dropna()
    design = np.column_stack([np.ones(len(known)), known.drop(columns=index)])
    solution, *_ = np.linalg.lstsq(design, known[index], rcond=None)
    return (known[index] - design @ solution) / known[index].std()


@pytest.mark.parametrize("year", [1990, 2000, 2005, 2010, 2015, 2020])
def test_the_index_is_a_weighted_sum_of_its_components_so_that_it_may_be_folded(condition, year):
    index = "marginalisation_index_dp2" if year == 2020 else "marginalisation_index"
    assert _residual(of(condition, year), index).abs().max() < 0.01


def test_a_municipality_of_oaxaca_has_the_income_of_its_district_and_says_so(condition, raw):
    members = pnud.read_district_members(raw).set_index("cvegeo")["district"]
    for year in pnud.INCOME_YEARS:
        published = pnud.read_incomes(raw, year).set_index("code")[INCOME]
        rows = of(condition, year)
        districts = rows[rows["income_source"] == "district"]
        assert set(districts.index) == set(members.index)
        expected = members.map(published).loc[districts.index]
        pd.testing.assert_series_equal(districts[INCOME], expected, check_names=False)


def test_incomes_of_2020_without_the_municipalities_that_left_are_marked(condition):
    source = of(condition, 2020)["income_source"]
    # Bacalar (23010) is in the workbook and folded; the other twelve are not.
    parents = {parent for later, parent in PARENTS.items() if later != "23010"}
    assert set(source.index[source == "remaining part"]) == parents
    for year in (2010, 2015):
        assert set(of(condition, year)["income_source"].dropna()) == {"municipality", "district"}


def test_the_income_of_a_folded_municipality_is_the_mean_of_its_parts(condition, raw):
    parts = pnud.read_incomes(raw, 2020).set_index("code").loc[["23004", "23010"]]
    expected = np.average(parts[INCOME], weights=parts["population"].astype(float))
    assert condition.loc[("23004", 2020), INCOME] == pytest.approx(expected)
    # In 2010 Bacalar has no figure: the parent's stands alone.
    of_2010 = pnud.read_incomes(raw, 2010).set_index("code").loc["23004", INCOME]
    assert condition.loc[("23004", 2010), INCOME] == of_2010


def test_the_account_has_a_line_for_each_series_and_year(mexico):
    steps = mexico.table("account")["step"]
    lines = set(steps[steps.str.startswith("conditions: ")])
    for what, years in (
        ("marginalisation", YEARS),
        ("patrimony poverty and Gini", (1990, 2000, 2010)),
        ("income below the line", (2010, 2015, 2020)),
    ):
        assert {f"conditions: {what} {year}" for year in years} <= lines
    assert sum("income per person" in line for line in lines) == 9


def test_districts_that_do_not_fit_the_municipalities_stop_the_build(raw, tmp_path):
    folder = tmp_path / "raw"
    for key in FILES:
        if key.startswith(("conapo", "coneval", "pnud")):
            (folder / FILES[key].path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(raw / FILES[key].path, folder / FILES[key].path)
    path = folder / FILES["pnud-oaxaca-districts"].path
    book = load_workbook(path)
    book.worksheets[0].delete_rows(2)
    book.save(path)
    book.close()
    with pytest.raises(PanelError, match="CVEGEO=20023"):
        build_condition(folder, Account())


def test_an_income_without_its_source_is_found_by_the_check(mexico):
    table = mexico.table("municipality_condition")
    row = table.index[table["income_source"].notna()][0]
    table.loc[row, "income_source"] = None
    problems = check_panel(mexico.with_table("municipality_condition", table))
    assert [(problem.table, problem.column) for problem in problems] == [
        ("municipality_condition", "income_source")
    ]


def test_selecting_states_cuts_conditions_and_leaves_countries_whole(mexico):
    part = mexico.select(["14", "32"])
    codes = part.table("municipality_condition")["cvegeo"]
    assert set(codes) == set(part.table("municipality")["cvegeo"])
    assert set(codes.str[:2]) == {"14", "32"}
    pd.testing.assert_frame_equal(part.table("country_year"), mexico.table("country_year"))
    assert check_panel(part) == []


def test_the_gap_to_the_united_states_can_be_taken_within_either_data_set(mexico):
    table = mexico.table("country_year").set_index(["year", "country"])
    for column in ("gdp_per_person_maddison_dollars_2011", "gdp_per_person_pwt_dollars_2017"):
        ratio = table[column].unstack("country").dropna()
        assert (ratio["MEX"] / ratio["USA"]).between(0.25, 0.36).all()
