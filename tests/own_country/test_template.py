"""The template of a country's panel: what is in it, and what is said of one filled in badly."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from remitstats.cli.data import app
from remitstats.errors import PanelError, RemitstatsError
from remitstats.panel.load import load_panel
from remitstats.panel.schema import TABLES as SCHEMA
from remitstats.panel.template import TABLES, write_template


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_template_has_headers_and_no_rows(tmp_path: Path) -> None:
    result = run("template", "--country", "El Salvador", "--codes", "9999", "--out", tmp_path / "a")
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "a" / "README.md")
    for table in TABLES:
        assert set(table.columns) <= set(SCHEMA[table.name].column_names)
        required = {c.name for c in SCHEMA[table.name].columns if c.required}
        assert required <= set(table.columns)
        path = tmp_path / "a" / f"{table.name}.csv"
        assert path.is_file() is table.made
        if table.made:
            assert path.read_text() == ",".join(table.columns) + "\n"
    about = json.loads((tmp_path / "a" / "metadata.json").read_text())
    assert about["country"] == "El Salvador"
    assert about["codes"] == {"municipality": "9999", "state": "any"}


@pytest.mark.parametrize("form", ["any", "9999", "AA-99", "SV.A"])
def test_the_examples_of_the_page_are_accepted(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "mine"
    write_template(folder, "Ruritania", form, "any" if form == "any" else "A9")
    page = (folder / "README.md").read_text()
    for table in TABLES:
        if table.made:
            row = re.search(rf"    {','.join(table.columns)}\n    (.*)", page)
            assert row
            path = folder / f"{table.name}.csv"
            path.write_text(path.read_text() + row[1] + "\n")
    # the neighbour, which no example of another table is about
    neighbour = (folder / "adjacency.csv").read_text().splitlines()[1].split(",")[1]
    with (folder / "municipality_wave.csv").open("a") as file:
        file.write(f"{neighbour},2024,100,5\n")
    group = (folder / "state.csv").read_text().splitlines()[1].split(",")[0]
    with (folder / "municipality.csv").open("a") as file:
        file.write(f"{neighbour},Another,{group},,\n")
    about = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps(about | {"sample": {"fraction": 1}}))
    assert len(load_panel(folder).table("municipality")) == 2


def test_an_empty_template_says_what_has_to_be_filled_in(tmp_path: Path) -> None:
    write_template(tmp_path / "mine", "Ruritania")
    result = run("check", tmp_path / "mine")
    assert result.exit_code == 2
    assert "column sample.fraction: found nothing" in result.stdout
    assert "Fill it in, or leave sample out" in result.stdout
    assert "municipality_wave, row -, column -: found no rows" in result.stdout


@pytest.mark.parametrize(
    ("country", "codes", "found"),
    [
        ("Mexico", "9999", '"Mexico"'),
        ("Ruritania", "9{4}", '"9{4}"'),
        ("Ruritania", "=9", '"=9"'),
        ("Ruritania", "9" * 21, '"' + "9" * 21 + '"'),
        ("Ruri\ntania", "any", '"Ruri\\ntania"'),
        (" ", "any", '" "'),
    ],
)
def test_what_no_template_can_be_made_of_is_named(
    tmp_path: Path, country: str, codes: str, found: str
) -> None:
    with pytest.raises(PanelError) as caught:
        write_template(tmp_path / "mine", country, codes)
    assert found in [problem.found for problem in caught.value.problems]
    assert not (tmp_path / "mine").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RemitstatsError, match="already there"):
        write_template(tmp_path, "Ruritania")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("about", "place", "accepted"),
    [
        ({"codes": "9999"}, "codes", "an object such as"),
        ({"codes": {"municipality": 4}}, "codes.municipality", "any, or a form"),
        ({"codes": {"municipalty": "99"}}, "codes.municipalty", "municipality and state"),
        ({"codes": {}, "country": None}, "country", "the name of the country"),
        ({"sample": [0.1]}, "sample", "an object such as"),
        ({"sample": {"fraction": 10}}, "sample.fraction", "above 0 and at most 1"),
        ({"sample": {"fraction": {"2009": "all"}}}, "sample.fraction.2009", "a year with a share"),
        ({"sample": {"design_effect": 0.5}}, "sample.design_effect", "1 or more"),
        ({"sample": {"complete_below": True}}, "sample.complete_below", "1 or more"),
        ({"sample": {"deff": 2}}, "sample.deff", "fraction, complete_below, design_effect"),
    ],
)
def test_metadata_that_can_not_be_used_are_named(filled, about, place, accepted) -> None:
    folder = filled()
    path = folder / "metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | about))
    with pytest.raises(PanelError) as caught:
        load_panel(folder)
    problem = next(p for p in caught.value.problems if p.column == place)
    assert problem.table == "metadata.json"
    assert accepted in problem.accepted
