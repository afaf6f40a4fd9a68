"""PNUD's workbook: merged headers, districts of Oaxaca, ND, codes that lost their zero."""

from __future__ import annotations

import io

import numpy as np
import pytest
from openpyxl import load_workbook

from remitstats.errors import PanelError
from remitstats.sources import coneval, pnud

INCOME = "income_per_person_mxn_month"


def edited(change):
    """A change to the first sheet of a workbook, as a change to the file's bytes."""

    def apply(content: bytes) -> bytes:
        book = load_workbook(io.BytesIO(content))
        change(book.worksheets[0])
        out = io.BytesIO()
        book.save(out)
        book.close()
        return out.getvalue()

    return apply


def test_a_header_merged_over_three_years_belongs_to_all_three(raw):
    first = [
        pnud.read_incomes(raw, year).set_index("code").loc["01001"] for year in pnud.INCOME_YEARS
    ]
    assert [row[INCOME] for row in first] == [3498.325, 4015.863, 5269.663]
    assert [row["population"] for row in first] == [801_807, 861_446, 948_990]


@pytest.mark.parametrize("year", pnud.INCOME_YEARS)
def test_oaxaca_is_given_by_30_districts_and_no_municipality(raw, year):
    table = pnud.read_incomes(raw, year)
    districts = table[table["district"]]
    assert list(districts["code"]) == [str(code) for code in range(20601, 20631)]
    assert not table.loc[~table["district"], "code"].str.startswith("20").any()
    assert len(table) == 1887 + 30
    assert districts[INCOME].notna().all()


def test_nd_and_empty_cells_are_missing_figures(raw):
    missing = {
        year: set(table.loc[table[INCOME].isna(), "code"])
        for year in pnud.INCOME_YEARS
        for table in [pnud.read_incomes(raw, year)]
    }
    assert missing == {
        2010: {"23010"},
        2015: {"08010", "08012", "08024", "08063", "08065", "21138", "26070"},
        2020: {"29048"},
    }


def test_outside_oaxaca_the_incomes_of_2020_are_conevals(raw):
    ours = pnud.read_incomes(raw, 2020).set_index("code")
    theirs = coneval.read_income_per_person(raw).set_index("cvegeo")[INCOME]
    both = ours[~ours["district"]].join(theirs.rename("theirs")).dropna()
    assert len(both) == 1886
    np.testing.assert_allclose(both[INCOME], both["theirs"], rtol=1e-5)


def test_the_districts_hold_each_of_the_570_municipalities_once(raw):
    members = pnud.read_district_members(raw)
    assert len(members) == members["cvegeo"].nunique() == 570
    assert members["cvegeo"].str.fullmatch("20[0-5][0-9]{2}").all()
    assert set(members["district"]) == {str(code) for code in range(20601, 20631)}
    assert members.set_index("cvegeo").loc["20067", "district"] == "20601"


def test_codes_stored_as_numbers_get_their_zero_back(spoilt):
    def lose_zeros(sheet):
        for row in range(7, sheet.max_row + 1):
            sheet.cell(row, 1).value = int(sheet.cell(row, 1).value)

    table = pnud.read_incomes(spoilt("pnud-idh", edited(lose_zeros)), 2010)
    assert table["code"].iloc[0] == "01001"
    assert table["code"].str.len().eq(5).all()


def test_a_row_of_a_municipality_and_a_district_at_once_is_refused(spoilt):
    def confuse(sheet):
        sheet.cell(7, 4).value = "Oaxaca-Región Mixteca"

    with pytest.raises(PanelError, match="line 7, column DISTRITO"):
        pnud.read_incomes(spoilt("pnud-idh", edited(confuse)), 2010)


def test_a_row_of_neither_is_refused(spoilt):
    def empty(sheet):
        sheet.cell(8, 3).value = None

    with pytest.raises(PanelError, match="line 8"):
        pnud.read_incomes(spoilt("pnud-idh", edited(empty)), 2010)


def test_other_years_in_the_header_are_noticed(spoilt):
    def shift(sheet):
        sheet.cell(6, 8).value = 2012

    with pytest.raises(PanelError, match="PER CÁPITA 2010: found no such column"):
        pnud.read_incomes(spoilt("pnud-idh", edited(shift)), 2010)


def test_text_in_place_of_an_income_is_refused_with_its_line(spoilt):
    def garble(sheet):
        sheet.cell(9, 8).value = "about 1,500"

    with pytest.raises(PanelError, match=r"line 9, column INGRESO.*about 1,500"):
        pnud.read_incomes(spoilt("pnud-idh", edited(garble)), 2010)


def test_an_empty_sheet_is_refused(spoilt):
    def clear(sheet):
        sheet.delete_rows(1, sheet.max_row)

    for key, read in (
        ("pnud-idh", lambda folder: pnud.read_incomes(folder, 2010)),
        ("pnud-oaxaca-districts", pnud.read_district_members),
    ):
        with pytest.raises(PanelError):
            read(spoilt(key, edited(clear)))
