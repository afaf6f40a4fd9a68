from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remitstats.errors import PanelError
from remitstats.geography.adjacency import components, fold_pairs, isolates

CODES = [f"0900{n}" for n in range(1, 9)]
PARENTS = {"09007": "09001", "09008": "09002"}


@st.composite
def graphs(draw: st.DrawFn) -> pd.DataFrame:
    pairs = [(a, b) for a in CODES for b in CODES if a < b]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    rook = draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen)))
    table = pd.DataFrame(chosen, columns=["cvegeo_a", "cvegeo_b"])
    return table.assign(rook=rook)


def neighbours(pairs: pd.DataFrame, rook: bool = False) -> set[frozenset[str]]:
    used = pairs[pairs["rook"]] if rook else pairs
    return {frozenset(pair) for pair in used[["cvegeo_a", "cvegeo_b"]].to_numpy()}


@given(graphs())
def test_folded_pairs_stand_once_in_order_and_never_with_themselves(pairs):
    folded = fold_pairs(pairs, PARENTS)
    assert (folded["cvegeo_a"] < folded["cvegeo_b"]).all()
    assert not folded.duplicated(["cvegeo_a", "cvegeo_b"]).any()
    assert not {*folded["cvegeo_a"], *folded["cvegeo_b"]} & set(PARENTS)


@pytest.mark.parametrize("rook", [False, True])
@given(pairs=graphs())
def test_two_are_neighbours_if_any_of_their_parts_were(pairs, rook):
    def parent(pair):
        return frozenset(PARENTS.get(code, code) for code in pair)

    expected = {parent(pair) for pair in neighbours(pairs, rook)}
    assert neighbours(fold_pairs(pairs, PARENTS), rook) == {p for p in expected if len(p) == 2}


@given(graphs())
def test_folding_twice_changes_nothing(pairs):
    once = fold_pairs(pairs, PARENTS)
    pd.testing.assert_frame_equal(fold_pairs(once, PARENTS), once)


def test_parts_and_isolates_are_found():
    pairs = pd.DataFrame({"cvegeo_a": ["09001", "09003"], "cvegeo_b": ["09002", "09004"]})
    assert list(components(CODES[:5], pairs)) == [0, 0, 1, 1, 2]
    assert isolates(CODES[:5], pairs) == ["09005"]


def test_a_pair_of_an_unknown_municipality_is_refused():
    pairs = pd.DataFrame({"cvegeo_a": ["09001"], "cvegeo_b": ["09099"]})
    with pytest.raises(PanelError, match="09099"):
        components(CODES, pairs)
