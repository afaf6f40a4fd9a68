"""What `check_panel` and `check_for_reliance` find, and what they let pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remitstats.panel.check import check_for_reliance, check_neighbours, check_panel
from remitstats.panel.missing import missing_for_reliance
from remitstats.panel.panel import Panel
from remitstats.panel.schema import TABLES


def with_rows(panel, name, change):
    """Return the panel with one table changed in place by `change`."""
    frame = panel.tables[name].copy()
    changed = change(frame)
    return Panel({**panel.tables, name: frame if changed is None else changed}, panel.metadata)


def set_cell(row, column, value):
    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value

    return change


def add_row(**cells):
    return lambda frame: pd.concat([frame, pd.DataFrame([cells])], ignore_index=True)


def drop_rows(keep):
    return lambda frame: frame[keep(frame)]


def summary(problems):
    return [(p.table, p.row, p.column) for p in problems]


def test_a_good_panel_has_no_problem(small_panel):
    assert check_panel(small_panel) == []
    assert check_for_reliance(small_panel) == []


def test_one_state_or_one_wave_or_a_map_in_parts_is_valid_data(small_panel):
    one_wave = with_rows(small_panel, "municipality_wave", drop_rows(lambda f: f["wave"] == 2010))
    parts = with_rows(small_panel, "adjacency", drop_rows(lambda f: f["rook"]))
    assert check_panel(small_panel.select(["01"])) == []
    assert check_panel(one_wave) == []
    assert check_panel(parts) == []


def test_reliance_takes_one_wave_one_state_or_no_neighbours_and_what_lacks_is_said(small_panel):
    one_wave = with_rows(small_panel, "municipality_wave", drop_rows(lambda f: f["wave"] == 2010))
    tables = {n: f for n, f in small_panel.tables.items() if n not in ("adjacency", "shape")}
    for panel, lacks in (
        (small_panel, []),
        (one_wave, ["waves"]),
        (small_panel.select(["02"]), ["states"]),
        (Panel(tables), ["neighbours", "shapes"]),
    ):
        assert check_for_reliance(panel) == []
        assert missing_for_reliance(panel) == lacks


def test_a_wave_without_data_does_not_count(small_panel):
    def change(frame):
        frame.loc[frame["wave"] > 2000, "receiving_percent"] = np.nan

    (problem,) = check_for_reliance(with_rows(small_panel, "municipality_wave", change))
    assert problem.found == "one wave of 3 with data, 2000"
    assert "remove the rows of waves without any" in problem.remedy


def test_models_of_space_need_neighbours(small_panel):
    tables = {n: f for n, f in small_panel.tables.items() if n != "adjacency"}
    (problem,) = check_neighbours(Panel(tables))
    assert (problem.table, problem.found) == ("adjacency", "no such table")
    assert "cvegeo_a" in problem.remedy


def test_reliance_needs_one_connected_map_and_names_its_parts(small_panel):
    parts = with_rows(small_panel, "adjacency", drop_rows(lambda f: f["cvegeo_a"] != "02002"))
    (problem,) = check_for_reliance(parts)
    assert problem.found == (
        "a map in 2 parts, of municipalities: 4 (01001, 01002, 02001, 02002); 1 (02003)"
    )


def test_pairs_that_lead_out_of_a_selection_do_not_connect_it():
    frame = pd.DataFrame({"cvegeo": ["01001", "03001"] * 2, "wave": [2000] * 2 + [2010] * 2})
    wave = frame.assign(dwellings=10, receiving_percent=1.0)
    pairs = pd.DataFrame({"cvegeo_a": ["01001", "02001"], "cvegeo_b": ["02001", "03001"]})
    (problem,) = check_for_reliance(Panel({"municipality_wave": wave, "adjacency": pairs}))
    assert "2 parts" in problem.found


@pytest.mark.parametrize(
    ("table", "change", "expected"),
    [
        (
            "municipality_wave",
            set_cell(0, "receiving_percent", np.inf),
            ("cvegeo=01001, wave=2000", "receiving_percent", "inf"),
        ),
        (
            "municipality_wave",
            set_cell(1, "dwellings", 10.5),
            ("cvegeo=01001, wave=2010", "dwellings", "10.5"),
        ),
        (
            "municipality_wave",
            set_cell(0, "cvegeo", 1001),
            ("row 1 (cvegeo=1001, wave=2000)", "cvegeo", "1001"),
        ),
        (
            "municipality_wave",
            set_cell(2, "gini", 1.01),
            ("cvegeo=01001, wave=2020", "gini", "1.01"),
        ),
        ("municipality", set_cell(1, "state", "02"), ("cvegeo=01002", "state", '"02"')),
        ("municipality", set_cell(1, "name", None), ("cvegeo=01002", "name", "an empty cell")),
        ("municipality", set_cell(0, "latitude", -91), ("cvegeo=01001", "latitude", "-91")),
        (
            "municipality_quarter",
            set_cell(0, "quarter", "2013-Q1"),
            ("row 1 (cvegeo=01001, quarter=2013-Q1)", "quarter", '"2013-Q1"'),
        ),
        (
            "municipality_quarter",
            set_cell(0, "cvegeo", "01009"),
            ("cvegeo=01009, quarter=2013Q1", "cvegeo", '"01009"'),
        ),
        (
            "adjacency",
            add_row(cvegeo_a="01001", cvegeo_b="09999", rook=True),
            ("cvegeo_a=01001, cvegeo_b=09999", "cvegeo_b", '"09999"'),
        ),
        (
            "adjacency",
            add_row(cvegeo_a="01001", cvegeo_b="01001", rook=True),
            ("cvegeo_a=01001, cvegeo_b=01001", "cvegeo_b", '"01001"'),
        ),
        (
            "adjacency",
            add_row(cvegeo_a="01002", cvegeo_b="01001", rook=True),
            ("cvegeo_a=01002, cvegeo_b=01001", "cvegeo_b", '"01001"'),
        ),
        (
            "adjacency",
            add_row(cvegeo_a="01001", cvegeo_b="01002", rook=True),
            (
                "row 5 (cvegeo_a=01001, cvegeo_b=01002)",
                "cvegeo_a",
                "the same cvegeo_a and cvegeo_b as row 1",
            ),
        ),
        ("adjacency", set_cell(0, "rook", "maybe"), None),
        ("shape", set_cell(0, "geometry", b"nonsense"), ("cvegeo=01001", "geometry", "8 bytes")),
        ("state", add_row(state="1", name="Tres", region="x"), None),
        (
            "state",
            add_row(state="01", name="Tres", region="x"),
            ("row 3 (state=01)", "state", "the same state as row 1"),
        ),
        (
            "municipality",
            add_row(cvegeo="02009", name="Sola", state="02"),
            ("cvegeo=02009", "cvegeo", "no wave"),
        ),
    ],
)
def test_one_corruption_is_one_problem_in_its_place(small_panel, table, change, expected):
    problems = check_panel(with_rows(small_panel, table, change))
    assert len(problems) == 1
    assert problems[0].table == table
    assert problems[0].accepted
    if expected is not None:
        assert (problems[0].row, problems[0].column, problems[0].found) == expected


def test_a_quarter_written_otherwise_is_offered_as_it_should_be(small_panel):
    broken = with_rows(small_panel, "municipality_quarter", set_cell(0, "quarter", "2013-Q1"))
    assert check_panel(broken)[0].remedy == "Write 2013Q1."


def test_missing_unknown_and_repeated_columns_are_reported(small_panel):
    frame = small_panel.table("municipality").rename(columns={"name": "nane"})
    frame = pd.concat([frame, frame[["state"]]], axis=1)
    problems = check_panel(Panel({**small_panel.tables, "municipality": frame}))
    assert {(p.column, p.found) for p in problems} == {
        ("state", "2 columns of this name"),
        ("nane", "an unknown column"),
        ("name", "no such column"),
    }


def test_a_column_that_the_panels_dictionary_describes_is_accepted(small_panel):
    table = small_panel.table("municipality_wave").assign(rainfall_mm=1.0)
    panel = small_panel.with_table("municipality_wave", table)
    assert [p.found for p in check_panel(panel)] == ["an unknown column"]
    described = [{"table": "municipality_wave", "column": "rainfall_mm", "unit": "mm"}]
    assert check_panel(Panel(panel.tables, {"dictionary": described})) == []


def test_an_index_saved_as_a_column_is_an_unknown_column(small_panel):
    table = small_panel.table("municipality_wave").reset_index()
    problems = check_panel(Panel({**small_panel.tables, "municipality_wave": table}))
    assert summary(problems) == [("municipality_wave", "-", "index")]


def test_no_table_at_all_is_one_problem():
    assert summary(check_panel(Panel({}))) == [("municipality_wave", "-", "-")]


def test_a_panel_of_another_country_may_leave_out_its_geography():
    frame = pd.DataFrame({"cvegeo": ["99001", "98001"], "wave": 2000})
    wave = frame.assign(dwellings=10, receiving_percent=1.0)
    assert check_panel(Panel({"municipality_wave": wave})) == []


def test_a_column_name_has_one_type_in_all_tables():
    kinds: dict[str, set[str]] = {}
    for table in TABLES.values():
        for column in table.columns:
            kinds.setdefault(column.name, set()).add(column.kind)
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


def test_every_table_has_its_key_among_its_required_columns():
    for table in TABLES.values():
        for key in table.key:
            column = table.column(key)
            assert column is not None
            assert column.required
            assert not (table.unique and column.nullable)
