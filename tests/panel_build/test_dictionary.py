from __future__ import annotations

import json
from pathlib import Path

import pytest

from remitstats.panel.dictionary import dictionary_records, documents
from remitstats.panel.load import load_panel

DATA = Path(__file__).resolve().parents[2] / "data"


def test_the_dictionary_describes_every_column_of_the_panel_and_no_other(mexico):
    described = [(record["table"], record["column"]) for record in dictionary_records()]
    assert len(described) == len(set(described))
    held = {(name, column) for name, frame in mexico.tables.items() for column in frame}
    assert set(described) == held


def test_every_record_is_complete():
    for record in dictionary_records():
        assert set(record) == {
            *("table", "column", "publisher", "source", "vintage", "unit", "definition", "terms"),
        }
        assert all(record.values())


@pytest.mark.parametrize("name", list(documents()))
def test_documents_beside_the_panel_are_current(name):
    text = (DATA / name).read_text(encoding="utf-8")
    assert text == documents()[name], "run: python -m remitstats.panel.dictionary"


def test_the_readme_shows_every_record():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    for record in dictionary_records():
        assert f"| {record['column']} | {record['unit']} | {record['definition']} |" in text


def test_the_dictionary_can_be_read_by_machines():
    records = json.loads((DATA / "dictionary.json").read_text(encoding="utf-8"))
    assert records == dictionary_records()


def test_the_shipped_panel_is_what_the_official_files_give(mexico):
    shipped = load_panel(DATA / "mexico.parquet")
    assert shipped.hash == mexico.hash, (
        "run: remitstats data build --raw DIR --out data/mexico.parquet"
    )
    assert shipped.metadata["dictionary"] == dictionary_records()
    assert (DATA / "mexico.parquet").stat().st_size < 4e6
