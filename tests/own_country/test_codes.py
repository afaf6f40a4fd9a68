"""Codes that are not Mexico's: how they are written, what is refused, what stays the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import remitstats
from remitstats.cli.app import app as program
from remitstats.errors import PanelError
from remitstats.models import circle_data, reliance
from remitstats.models.reliance_data import design_of
from remitstats.panel.check import check_panel
from remitstats.panel.code_form import CodeForm, codes_of
from remitstats.panel.describe import describe
from remitstats.panel.file import write_panel
from remitstats.panel.load import load_panel
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign
from remitstats.simulate import simulated_country


@pytest.mark.parametrize(
    ("form", "code", "right"),
    [
        ("9999", "0101", True),
        ("9999", "101", False),
        ("9999", "01010", False),
        ("9999", "０１０１", False),  # full-width digits
        ("AA-99", "SV-07", True),
        ("AA-99", "sv-07", False),
        ("9.9", "1.2", True),
        ("9.9", "1x2", False),
        ("any", "Cuscatlan_1.b", True),
        ("any", "=1+1", False),
        ("any", "a b", False),
        ("any", "x" * 21, False),
    ],
)
def test_a_form_tells_codes_from_others(form: str, code: str, right: bool) -> None:
    assert CodeForm(form).matches(code) is right


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", fullmatch=True))
def test_every_form_has_codes_of_its_own_length_alone(form: str) -> None:
    if form == "any":
        return
    code = form.replace("9", "7").replace("A", "Q")
    assert CodeForm(form).matches(code)
    assert not CodeForm(form).matches(code + "0")
    assert not CodeForm(form).matches(code[:-1])


def test_a_code_of_another_form_is_named_with_its_line(filled) -> None:
    folder = filled()
    path = folder / "municipality_wave.csv"
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace("PA-2", "PA2")
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(PanelError) as caught:
        load_panel(folder)
    (problem,) = caught.value.problems
    assert problem.row.startswith("line 4 ")
    assert (problem.column, problem.found) == ("cvegeo", '"PA2"')
    assert "written like PA-9" in problem.accepted


def test_a_lost_leading_zero_is_offered_back() -> None:
    country = simulated_country()
    wave = country.table("municipality_wave")
    wave.loc[0, "cvegeo"] = wave.loc[0, "cvegeo"].lstrip("0")
    (problem,) = check_panel(Panel({**country.tables, "municipality_wave": wave}, country.metadata))
    assert problem.found == '"101"'
    assert problem.remedy == 'Write it as the text "0101": its leading zero was lost.'


def test_without_a_table_of_municipalities_groups_are_what_codes_begin_with() -> None:
    country = simulated_country()
    alone = {"municipality_wave": country.table("municipality_wave")}
    assert check_panel(Panel(alone, country.metadata)) == []
    for form, groups in (("99", 14), ("any", 1), ("AA", 1)):
        about = {**country.metadata, "codes": {"municipality": "9999", "state": form}}
        assert check_panel(Panel(alone, about)) == []
        whole = remitstats.panel.complete.complete(alone, about, None)
        assert whole.tables["municipality"]["state"].nunique() == groups
        assert whole.tables["municipality"]["cvegeo"].nunique() == 262


def test_a_country_of_its_own_never_gets_mexicos_map() -> None:
    wave = remitstats.load_mexico().table("municipality_wave")
    wave = wave[wave["cvegeo"].str.startswith("05")]  # also the codes of Antioquia in Colombia
    about = {"country": "Colombia", "codes": {"municipality": "99999", "state": "99"}}
    columns = ["cvegeo", "wave", "dwellings", "receiving_percent"]
    whole = remitstats.panel.complete.complete(
        {"municipality_wave": wave[columns]}, about, remitstats.load_mexico()
    )
    assert "adjacency" not in whole.tables
    assert whole.metadata == about
    assert set(whole.tables["municipality"]["state"]) == {"05"}


def test_groups_are_selected_by_codes_of_any_form(filled) -> None:
    panel = load_panel(filled())
    part = panel.select(["PB", "PC"])
    assert sorted(part.table("municipality")["cvegeo"]) == [
        f"P{province}-{number}" for province in "BC" for number in "123"
    ]
    assert len(part.table("adjacency")) == 5
    with pytest.raises(PanelError) as caught:
        panel.select(["Besse"])
    assert "PB" in caught.value.problems[0].remedy


def renamed(panel: Panel) -> Panel:
    """Return a panel of Mexico under codes that are not Mexico's, in the same order."""
    tables = {}
    for name, frame in panel.tables.items():
        table = frame.copy()
        for column in ("cvegeo", "cvegeo_a", "cvegeo_b", "state"):
            if column in table:
                table[column] = "M-" + table[column].astype("string")
        tables[name] = table.drop(columns="territory", errors="ignore")
    sample = SamplingDesign().describe()
    fraction = sample["fraction"]
    about = {
        "country": "Mexico under other codes",
        "codes": {"municipality": "any", "state": "any"},
        "sample": {"fraction": fraction, "complete_below": 1000, "design_effect": 2},
    }
    return Panel(tables, about)


def test_other_codes_change_nothing_but_the_codes() -> None:
    mexico = remitstats.load_mexico()
    names = ("municipality_wave", "municipality", "state", "adjacency", "municipality_census")
    mexico = Panel({name: mexico.table(name) for name in names}, mexico.metadata)
    mexico = mexico.select(["01", "32"])
    other = renamed(mexico)
    assert check_panel(other) == []
    ours, theirs = (reliance.prepare_data(panel) for panel in (mexico, other))
    for name in ("dwellings", "percent", "receiving", "effective", "state_of"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name), equal_nan=True), name
    assert np.array_equal(ours.graph.edges, theirs.graph.edges)
    assert theirs.coords["state"].tolist() == ["M-01", "M-32"]
    circles = [circle_data.prepare_data(panel) for panel in (mexico, other)]
    assert np.array_equal(circles[0].observed, circles[1].observed, equal_nan=True)
    assert np.array_equal(circles[0].sampling, circles[1].sampling, equal_nan=True)
    assert np.array_equal(circles[0].region_of_state, circles[1].region_of_state)


def test_a_panel_tells_its_sample_and_mexicos_fractions_are_never_taken_for_it() -> None:
    country = simulated_country()
    told = design_of(country)
    assert (told.fraction, told.default_fraction, told.design_effect) == ({}, 0.1, 2.0)
    untold = Panel(country.tables, {k: v for k, v in country.metadata.items() if k != "sample"})
    assert design_of(untold).fraction == {}
    asked = design_of(country, SamplingDesign(design_effect=3.0))
    assert (asked.fraction, asked.default_fraction, asked.design_effect) == ({}, 0.1, 3.0)
    mexico = Panel({}, {"country": "Mexico"})
    assert design_of(mexico) == SamplingDesign()
    assert not codes_of(mexico.metadata).own


def test_the_simulated_country_is_whole_and_says_what_it_is(tmp_path: Path) -> None:
    country = simulated_country(seed=3)
    assert country.hash == simulated_country(seed=3).hash != simulated_country(seed=4).hash
    assert check_panel(country) == []
    assert "simulated" in country.metadata["country"]
    assert country.metadata["simulated"]["seed"] == 3
    pairs = country.table("adjacency")
    assert pd.concat([pairs["cvegeo_a"], pairs["cvegeo_b"]]).nunique() == 262


def test_the_command_writes_it_into_a_folder(tmp_path: Path) -> None:
    words = ["simulate", "country", "--seed", "3", "--out", str(tmp_path / "valdoria")]
    result = CliRunner().invoke(program, words)
    assert result.exit_code == 0
    panel = load_panel(tmp_path / "valdoria")
    assert panel.hash == simulated_country(seed=3).hash
    assert panel.metadata == simulated_country(seed=3).metadata


def test_codes_of_its_own_survive_the_one_file_form(tmp_path: Path, filled) -> None:
    panel = load_panel(filled())
    write_panel(panel, tmp_path / "mine.parquet")
    again = load_panel(tmp_path / "mine.parquet")
    assert again.hash == panel.hash
    assert again.metadata["codes"] == panel.metadata["codes"]
    assert describe(again)["states"] == 3
