from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.errors import PanelError
from remitstats.panel.codes import NO_DATA_2000, PARENTS, check_parents, fold, is_cvegeo, pad
from remitstats.sources import geo

real = st.builds(lambda s, m: f"{s:02d}{m:03d}", st.integers(1, 32), st.integers(1, 570))


@given(real)
def test_a_code_that_lost_its_zero_is_recognised(code):
    assert is_cvegeo(code)
    assert pad(int(code)) == code
    assert pad(float(code)) == code
    assert pad(f" {int(code)} ") == code


@pytest.mark.parametrize("code", ["", "abc", "00001", "33001", "01000", "123456", "1", None, 9.5])
def test_what_is_no_code_has_no_padded_one(code):
    assert pad(code) is None
    assert not is_cvegeo(code)


def test_a_number_is_no_code_until_it_is_padded():
    assert not is_cvegeo(1001)
    assert not is_cvegeo("1001")


def test_bacalar_goes_to_othon_p_blanco_and_others_to_their_main_parent(raw):
    shares = geo.read_parents(raw)
    check_parents(shares, "the overlay")
    assert set(PARENTS) - set(shares["cvegeo"]) == {"23010"}
    assert PARENTS["23010"] == "23004"


@given(st.lists(st.one_of(real, st.sampled_from(sorted(PARENTS)))))
def test_folding_leaves_no_later_municipality_and_no_other_state(values):
    codes = pd.Series(values, dtype=str)
    folded = fold(codes)
    assert not folded.isin(PARENTS).any()
    assert (folded.str[:2] == codes.str[:2]).all()
    assert (folded[~codes.isin(PARENTS)] == codes[~codes.isin(PARENTS)]).all()


def test_parents_are_municipalities_of_2010(mexico):
    codes = set(mexico.table("municipality")["cvegeo"])
    assert set(PARENTS.values()) <= codes
    assert not set(PARENTS) & codes
    assert set(NO_DATA_2000) <= codes


def test_an_overlay_that_names_another_parent_is_refused():
    shares = pd.DataFrame(
        {"cvegeo": ["02006", "02006"], "parent": ["02001", "02004"], "area_share": [0.1, 0.9]}
    )
    with pytest.raises(PanelError, match=r"row 02006.*found 02004; accepted: 02001"):
        check_parents(shares, "the overlay")
