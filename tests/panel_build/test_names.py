from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.errors import PanelError
from remitstats.panel.names import EXPLICIT, fold_name, resolve_names, resolve_states
from remitstats.sources import banxico, conapo


@pytest.fixture(scope="module")
def published(raw):
    names = banxico.read_municipal_quarters(raw).municipal[["state_name", "name"]]
    names = names.drop_duplicates()
    return names.assign(state=resolve_states(names["state_name"]))


@pytest.fixture(scope="module")
def municipalities(raw):
    return conapo.read_municipal_names(raw)


def test_all_2456_names_lead_to_one_code_each(published, municipalities):
    resolved = resolve_names(published, municipalities)
    assert sorted(resolved["cvegeo"]) == sorted(municipalities["cvegeo"])
    assert (resolved["cvegeo"].str[:2] == resolved["state"]).all()


def test_only_six_names_are_resolved_by_hand_and_four_by_accents(published, municipalities):
    resolved = resolve_names(published, municipalities)
    how = resolved["how"].str.split(":").str[0].value_counts().to_dict()
    assert how == {"exact": 2446, "accent-folded": 4, "ambiguous": 4, "renamed": 2}


def test_every_resolution_by_hand_is_needed_and_explained(published, municipalities):
    used = set(published[["state", "name"]].itertuples(index=False, name=None))
    known = set(zip(municipalities["cvegeo"].str[:2], municipalities["name"], strict=True))
    for key, (code, how) in EXPLICIT.items():
        assert key in used
        assert key not in known
        assert code.startswith(key[0])
        assert how.startswith(("renamed: ", "ambiguous: "))
        assert how.endswith(".")


def test_the_oaxaca_districts_agree_with_the_official_list_of_districts(raw):
    from openpyxl import load_workbook

    book = load_workbook(raw / "pnud" / "oaxaca_districts.xlsx")
    rows = list(book.worksheets[0].iter_rows(values_only=True, min_row=2))
    district = {f"{int(row[0]):05d}": row[5] for row in rows if row[0]}
    # Districts 08, 22 and 26 of Oaxaca are Juxtlahuaca, Juquila and Miahuatlán.
    assert district["20208"] != district["20209"]
    assert district["20318"] != district["20319"]
    assert district["20209"] == district["20319"]


def test_an_unknown_name_stops_and_shows_the_nearest(municipalities):
    names = pd.DataFrame({"state": ["01"], "name": ["Asyentos"]})
    with pytest.raises(PanelError, match=r"'Asyentos'.*nearest: Asientos"):
        resolve_names(names, municipalities[municipalities["cvegeo"] == "01002"])


def test_a_name_is_looked_for_in_its_own_state_only():
    known = pd.DataFrame({"cvegeo": ["02001", "01001"], "name": ["Benito Juárez", "Calvillo"]})
    names = pd.DataFrame({"state": ["01", "01"], "name": ["Calvillo", "Benito Juárez"]})
    with pytest.raises(PanelError, match="municipality of state 01"):
        resolve_names(names, known)


def test_a_name_of_two_municipalities_is_not_guessed():
    known = pd.DataFrame({"cvegeo": ["20318", "20319"], "name": ["San Pedro", "San Pedro"]})
    names = pd.DataFrame({"state": ["20"], "name": ["San Pedro"]})
    with pytest.raises(PanelError, match="not 20318 and 20319"):
        resolve_names(names, known)


def test_a_municipality_without_a_series_stops_the_build():
    known = pd.DataFrame({"cvegeo": ["01001", "01002"], "name": ["Aguascalientes", "Asientos"]})
    names = pd.DataFrame({"state": ["01"], "name": ["Asientos"]})
    with pytest.raises(PanelError, match=r"cvegeo=01001.*no series of Aguascalientes"):
        resolve_names(names, known)


def test_two_series_of_one_municipality_stop_the_build():
    known = pd.DataFrame({"cvegeo": ["01002"], "name": ["Asientos"]})
    names = pd.DataFrame({"state": ["01", "01"], "name": ["Asientos", "ASIENTOS"]})
    with pytest.raises(PanelError, match=r"cvegeo=01002.*2 series"):
        resolve_names(names, known)


def test_an_unknown_state_is_refused():
    with pytest.raises(PanelError, match="'Texas'"):
        resolve_states(pd.Series(["Oaxaca", "Texas"]))


@given(st.text())
def test_folding_a_name_twice_changes_nothing(name):
    assert fold_name(fold_name(name)) == fold_name(name)


def test_accents_case_and_punctuation_do_not_tell_names_apart():
    assert fold_name("José  Joaquín de Herrera.") == fold_name("jose joaquin DE HERRERA")
    assert fold_name("San Juan") != fold_name("San Juana")
