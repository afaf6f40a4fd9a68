"""What a panel object promises: its tables, its hash, its parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remitstats.errors import PanelError
from remitstats.panel.panel import Panel, tidy_table


def test_a_missing_table_is_named_with_the_nearest_one(small_panel):
    with pytest.raises(PanelError, match=r"no table muncipality: did you mean municipality\?"):
        small_panel.table("muncipality")


def test_a_table_can_be_changed_without_changing_the_panel(small_panel):
    before = small_panel.hash
    table = small_panel.table("municipality_wave")
    table.loc[:, "receiving_percent"] = 99.0
    assert small_panel.hash == before
    assert small_panel.with_table("municipality_wave", table).hash != before


def test_the_hash_does_not_depend_on_order_or_metadata(small_panel):
    shuffled = {
        name: frame.sample(frac=1, random_state=3)[list(reversed(frame.columns))]
        for name, frame in reversed(small_panel.tables.items())
        if name != "account"
    } | {"account": small_panel.tables["account"]}
    assert Panel(shuffled, {}).hash == small_panel.hash


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("municipality_wave", "receiving_percent", 3.0000000000000004),
        ("municipality_wave", "dwellings", 1),
        ("municipality_wave", "dwellings", None),
        ("state", "name", "Uno "),
        ("adjacency", "rook", False),
        ("account", "note", "one\nlines"),
    ],
)
def test_the_hash_changes_with_any_cell(small_panel, table, column, value):
    changed = small_panel.table(table)
    changed.loc[0, column] = value
    assert small_panel.with_table(table, changed).hash != small_panel.hash


def test_moving_text_between_neighbouring_cells_changes_the_hash():
    def panel(first: str, second: str) -> Panel:
        return Panel({"x": pd.DataFrame({"a": [first], "b": [second]})})

    assert panel("ab", "c").hash != panel("a", "bc").hash


def test_the_hash_takes_zero_and_negative_zero_for_the_same(small_panel):
    def with_first(value: float) -> str:
        table = small_panel.table("municipality_wave")
        table.loc[0, "receiving_percent"] = value
        return small_panel.with_table("municipality_wave", table).hash

    assert with_first(0.0) == with_first(-0.0)


def test_a_column_without_any_value_does_not_count(small_panel):
    table = small_panel.table("municipality_wave").assign(crowding_percent=np.nan)
    assert small_panel.with_table("municipality_wave", table).hash == small_panel.hash


def test_the_hash_of_known_content_stays_the_same():
    wave = pd.DataFrame(
        {"cvegeo": ["01001"], "wave": [2000], "dwellings": [10], "receiving_percent": [1.5]}
    )
    assert Panel({"municipality_wave": wave}).hash == "83e081aea236ccb9"


def test_tidy_tables_have_the_schemas_order_types_and_keys(small_panel):
    frame = small_panel.tables["municipality_wave"].sample(frac=1, random_state=2)
    tidy = tidy_table("municipality_wave", frame[["gini", "wave", "cvegeo", "dwellings"]])
    assert list(tidy.columns) == ["cvegeo", "wave", "dwellings", "gini"]
    assert tidy[["cvegeo", "wave"]].apply(tuple, axis=1).is_monotonic_increasing
    assert tidy.index.equals(pd.RangeIndex(len(tidy)))
    assert [str(kind) for kind in tidy.dtypes] == ["str", "int64", "Int64", "float64"]


def test_the_account_keeps_the_order_of_the_build(small_panel):
    assert tidy_table("account", small_panel.tables["account"])["source"].to_list() == ["b", "a"]


def test_cells_that_can_not_be_read_are_never_changed_silently():
    with pytest.raises(PanelError) as caught:
        tidy_table("state_year", pd.DataFrame({"state": [1], "year": ["2000"]}))
    (problem,) = caught.value.problems
    assert (problem.column, problem.found) == ("state", "1")
    assert '"01"' in problem.remedy


def test_a_selection_of_states_keeps_what_lies_inside(small_panel):
    part = small_panel.select(["02"])
    assert set(part.table("municipality_wave")["cvegeo"]) == {"02001", "02002", "02003"}
    assert part.table("adjacency")[["cvegeo_a", "cvegeo_b"]].to_numpy().tolist() == [
        ["02001", "02002"],
        ["02002", "02003"],
    ]
    assert part.table("state")["state"].to_list() == ["02"]
    assert len(part.table("account")) == 2


@pytest.mark.parametrize(
    ("wanted", "remedy"), [("2", 'Write "02".'), ("dos", 'Write its code, "02".'), ("77", "")]
)
def test_an_unknown_state_is_refused_with_the_code_meant(small_panel, wanted, remedy):
    with pytest.raises(PanelError) as caught:
        small_panel.select(["01", wanted])
    (problem,) = caught.value.problems
    assert problem.found == f'"{wanted}"'
    assert problem.remedy == remedy


def test_a_selection_of_no_state_is_refused(small_panel):
    with pytest.raises(PanelError):
        small_panel.select([])
