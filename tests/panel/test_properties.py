"""Properties that hold for panels of any content."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from remitstats.panel.check import check_panel
from remitstats.panel.file import read_panel, write_folder, write_panel
from remitstats.panel.panel import Panel, tidy_table
from remitstats.panel.schema import TABLES

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
codes = st.builds("{:02d}{:03d}".format, st.integers(1, 3), st.integers(1, 6))
percents = st.none() | st.floats(0, 100)
amounts = st.none() | st.floats(0, allow_infinity=False)
whole = st.none() | st.integers(1, 2**63 - 1)
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=5),
    st.dates(),
    st.decimals(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
    st.sampled_from(["01001", "1001", "n.d.", "12,345", "2000", 2000, "2013Q1", pd.NA, pd.NaT]),
)
slow = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@st.composite
def panels(draw):
    """Return a valid panel: waves, municipalities, states, an account of any text."""
    keys = draw(
        st.lists(st.tuples(codes, st.integers(1990, 2030)), min_size=1, max_size=8, unique=True)
    )
    shares = [draw(percents) for _ in keys]
    shares[0] = draw(st.floats(0, 100))
    wave = pd.DataFrame(
        {
            "cvegeo": [code for code, _ in keys],
            "wave": [year for _, year in keys],
            "dwellings": pd.array([draw(st.integers(1, 2**63 - 1)) for _ in keys], dtype="Int64"),
            "receiving_percent": shares,
            "income_per_person_mxn_month": [draw(amounts) for _ in keys],
        }
    )
    own = sorted({code for code, _ in keys})
    municipality = pd.DataFrame(
        {
            "cvegeo": own,
            "name": [draw(texts) for _ in own],
            "state": [code[:2] for code in own],
            "longitude": [draw(st.none() | st.floats(-180, 180)) for _ in own],
        }
    )
    states = sorted({code[:2] for code in own})
    state = pd.DataFrame(
        {"state": states, "name": [draw(texts) for _ in states], "region": "Everywhere"}
    )
    lines = draw(st.lists(st.tuples(texts, texts, whole, st.none() | texts), max_size=4))
    names = ["source", "step", "rows_in", "note"]
    account = pd.DataFrame(lines, columns=names, dtype=object)
    tables = {"municipality_wave": wave, "municipality": municipality, "state": state}
    return Panel({**tables, "account": account}, {"country": draw(texts)})


@given(panels())
@slow
def test_panels_survive_both_forms_of_file(panel):
    assert check_panel(panel) == []
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder) / "panel.parquet", Path(folder) / "folder"
        write_panel(panel, one)
        write_folder(panel, many)
        for read in (read_panel(one), read_panel(many)):
            assert read.hash == panel.hash
            assert read.metadata == panel.metadata
            for name, frame in panel.tables.items():
                assert_frame_equal(read.table(name), tidy_table(name, frame))


@given(panels(), st.randoms(use_true_random=False))
@slow
def test_the_hash_does_not_depend_on_the_order_of_rows(panel, chance):
    tables = {}
    for name, frame in panel.tables.items():
        order = list(range(len(frame)))
        chance.shuffle(order)
        tables[name] = frame.iloc[order]
    assert Panel(tables).hash == panel.hash


@st.composite
def arbitrary_tables(draw):
    """Return tables of any name, columns of any name and cells of any kind."""
    spec = draw(st.sampled_from(list(TABLES.values())))
    known = st.sampled_from(spec.column_names)
    names = draw(st.lists(known | st.text(max_size=5) | st.integers(), max_size=5))
    height = draw(st.integers(0, 4))
    cells = [draw(st.lists(anything, min_size=height, max_size=height)) for _ in names]
    columns = [pd.Series(column, dtype=object) for column in cells]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(height))
    frame.columns = pd.Index(names, dtype=object)
    return draw(st.sampled_from([spec.name, "municipality_wave"])), frame


@given(st.lists(arbitrary_tables(), max_size=3))
@settings(parent=slow, max_examples=150)
def test_check_never_raises(tables):
    for problem in check_panel(Panel(dict(tables))):
        assert str(problem).isprintable()


BAD = {
    "cvegeo": st.sampled_from(["1001", "", None, "01 01", 1001, 1.5, "010011"]),
    "wave": st.sampled_from([None, "soon", 1899, 2101, 2000.5, True]),
    "dwellings": st.sampled_from([0, -1, 1.5, "12,345", "n.d.", float("inf"), b"1"]),
    "receiving_percent": st.sampled_from([-1e-9, 100.001, "12,5", "-", float("inf"), True]),
}


@given(st.data(), st.sampled_from(list(BAD)), st.integers(0, 14))
@slow
def test_every_corrupted_cell_is_reported_in_its_place(small_panel, data, column, row):
    value = data.draw(BAD[column])
    frame = small_panel.table("municipality_wave")
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    problems = check_panel(Panel({**small_panel.tables, "municipality_wave": frame}))
    key = {name: frame.loc[row, name] for name in ("cvegeo", "wave")}
    at = [p for p in problems if p.table == "municipality_wave" and p.column == column]
    assert len(at) == 1
    for name, cell in key.items():
        if name != column:
            assert f"{name}={cell}" in at[0].row
    assert at[0].row.startswith(f"row {row + 1} (") == (column in ("cvegeo", "wave"))


@pytest.mark.parametrize("value", ["1e400", "0x10", "1_000", "١٢", "½", "+-1", "1 2"])
def test_only_plain_decimal_numbers_are_numbers(small_panel, value):
    frame = small_panel.table("municipality_wave").astype({"receiving_percent": object})
    frame.loc[0, "receiving_percent"] = value
    problems = check_panel(Panel({**small_panel.tables, "municipality_wave": frame}))
    assert [p.column for p in problems] == ["receiving_percent"]


def test_check_reports_cells_that_are_no_single_value() -> None:
    wave = pd.DataFrame({"cvegeo": ["00000", []], "wave": [2020, 2020]}, dtype=object)
    municipality = pd.DataFrame({"cvegeo": ["01001"]})
    problems = check_panel(Panel({"municipality_wave": wave, "municipality": municipality}))
    assert any(problem.column == "cvegeo" and "[]" in problem.found for problem in problems)
