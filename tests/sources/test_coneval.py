from __future__ import annotations

import numpy as np
import pytest

from remitstats.errors import PanelError
from remitstats.sources import coneval


def test_patrimony_poverty_and_gini_of_2010_are_complete(raw):
    table = coneval.read_patrimony_and_gini(raw, 2010)
    assert len(table) == 2456
    assert table.notna().all(axis=None)
    assert table["gini"].between(0.2, 0.6).all()


def test_the_2010_column_is_patrimony_poverty_not_food_poverty_as_its_dictionary_says(raw):
    # Food poverty in 2010 was about 19% nationally, patrimony poverty about 51%.
    table = coneval.read_patrimony_and_gini(raw, 2010)
    population = coneval.read_income_below_line(raw, 2010)["population"].astype(int)
    mean = np.average(table["patrimony_poverty_percent"], weights=population)
    assert mean == pytest.approx(51, abs=1.5)


def test_thousands_separators_and_marks_of_no_data_are_read(raw):
    table = coneval.read_income_below_line(raw, 2020).set_index("cvegeo")
    assert table.loc["01001", "population"] == 922_268
    missing = table.index[table["income_below_line_percent"].isna()]
    assert list(missing) == ["04012", "07125", "29048"]


def test_income_per_person_is_what_coneval_publishes(raw):
    table = coneval.read_income_per_person(raw)
    assert len(table) == 2469
    known = table.dropna()
    assert len(known) == 2466
    assert known["income_per_person_mxn_month"].mean() == pytest.approx(2511, abs=0.6)
    assert set(table["cvegeo"]) - set(known["cvegeo"]) == {"04012", "07125", "29048"}


def test_a_workbook_that_is_none_is_refused(spoilt):
    folder = spoilt("coneval-ictpc-2020", lambda content: b"<html>moved</html>")
    with pytest.raises(PanelError, match="no Excel workbook"):
        coneval.read_income_per_person(folder)


def test_a_column_added_to_the_wide_table_is_noticed(spoilt):
    folder = spoilt(
        "coneval-1990-2010",
        lambda text: b"\n".join(line.rstrip(b"\r") + b",1" for line in text.splitlines()),
    )
    with pytest.raises(PanelError, match="140 columns; accepted: 139"):
        coneval.read_patrimony_and_gini(folder, 2000)


def test_poverty_and_gini_of_1990_lack_two_municipalities(raw):
    table = coneval.read_patrimony_and_gini(raw, 1990).set_index("cvegeo")
    assert list(table.index[table["gini"].isna()]) == ["14125", "23009"]
    assert table.loc["01001", "patrimony_poverty_percent"] == 43.4


def test_eleven_municipalities_have_no_income_poverty_in_2015(raw):
    table = coneval.read_income_below_line(raw, 2015)
    assert len(table) == 2457
    assert table["income_below_line_percent"].isna().sum() == 11
    assert table.set_index("cvegeo").loc["01001", "income_below_line_percent"] == 37.6
