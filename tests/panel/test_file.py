"""A panel written in any form reads back the same, and is written whole or not at all."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from pandas.testing import assert_frame_equal

from remitstats.errors import PanelError, RemitstatsError
from remitstats.panel.file import read_panel, write_folder, write_panel
from remitstats.panel.load import load_panel
from remitstats.panel.panel import Panel, tidy_table


def assert_same(one: Panel, other: Panel) -> None:
    assert set(one.tables) == set(other.tables)
    for name in one.tables:
        assert_frame_equal(tidy_table(name, one.table(name)), other.table(name))
    assert one.hash == other.hash


def test_one_file_reads_back_the_same(small_panel, tmp_path):
    write_panel(small_panel, tmp_path / "panel.parquet")
    read = read_panel(tmp_path / "panel.parquet")
    assert_same(small_panel, read)
    assert read.metadata == small_panel.metadata


def test_a_folder_reads_back_the_same(small_panel, tmp_path):
    written = write_folder(small_panel, tmp_path / "folder")
    read = read_panel(tmp_path / "folder")
    assert_same(small_panel, read)
    assert read.metadata == small_panel.metadata
    assert all(path.is_file() for path in written)


def test_a_single_file_is_the_table_of_waves(small_panel, tmp_path):
    table = small_panel.table("municipality_wave")
    table.to_csv(tmp_path / "wave.csv", index=False)
    table.to_parquet(tmp_path / "wave.parquet", index=False)
    for name in ("wave.csv", "wave.parquet"):
        read = read_panel(tmp_path / name)
        assert list(read.tables) == ["municipality_wave"]
        assert_frame_equal(read.table("municipality_wave"), tidy_table("municipality_wave", table))


def test_a_folder_of_parquet_files_is_a_panel(small_panel, tmp_path):
    for name, frame in small_panel.tables.items():
        tidy_table(name, frame).to_parquet(tmp_path / f"{name}.parquet", index=False)
    assert_same(small_panel, load_panel(tmp_path))


def test_a_long_coast_survives_as_csv(small_panel, tmp_path):
    coast = shapely.Point(0, 0).buffer(1, quad_segs=5000).wkb
    shapes = small_panel.table("shape")
    shapes.loc[0, "geometry"] = coast
    write_folder(small_panel.with_table("shape", shapes), tmp_path / "folder")
    assert read_panel(tmp_path / "folder").table("shape").loc[0, "geometry"] == coast


def test_pandas_alone_reads_a_table_out_of_the_file(small_panel, tmp_path):
    path = tmp_path / "panel.parquet"
    write_panel(small_panel, path)
    read = pd.read_parquet(path, filters=[("table", "==", "state")]).dropna(axis=1, how="all")
    assert read.columns[0] == "table"
    assert read.drop(columns="table").to_dict("list") == {
        "name": ["Uno", "Dos"],
        "state": ["01", "02"],
        "region": ["North", "Centre"],
    }


def test_a_file_that_pandas_wrote_again_is_the_same_panel(small_panel, tmp_path):
    path = tmp_path / "panel.parquet"
    write_panel(small_panel, path)
    pd.read_parquet(path).sample(frac=1, random_state=1).to_parquet(path, index=False)
    assert load_panel(path).hash == small_panel.hash


def test_each_table_has_row_groups_of_its_own_and_keeps_whole_numbers_whole(small_panel, tmp_path):
    path = tmp_path / "panel.parquet"
    write_panel(small_panel, path)
    with pq.ParquetFile(path) as file:
        assert file.num_row_groups == len(small_panel.tables)
        assert str(file.schema_arrow.field("dwellings").type) == "int64"
        assert json.loads(file.schema_arrow.metadata[b"remitstats.dictionary"]) == []


def test_a_table_without_rows_survives(small_panel, tmp_path):
    empty = small_panel.table("account").iloc[:0]
    panel = small_panel.with_table("account", empty)
    write_panel(panel, tmp_path / "panel.parquet")
    read = read_panel(tmp_path / "panel.parquet")
    assert list(read.table("account").columns) == list(empty.columns)
    assert len(read.table("account")) == 0


def test_tables_are_read_when_first_asked_for(small_panel, tmp_path):
    path = tmp_path / "panel.parquet"
    write_panel(small_panel, path)
    panel = read_panel(path)
    assert "state" in panel
    assert len(panel.table("state")) == 2
    path.unlink()
    assert len(panel.table("state")) == 2
    with pytest.raises(PanelError, match="can't be read any more"):
        panel.table("shape")


def test_nothing_is_left_behind_when_writing_fails(small_panel, tmp_path):
    bad = Panel({**small_panel.tables, "state": pd.DataFrame({"state": [1.5]})})
    with pytest.raises(RemitstatsError):
        write_panel(bad, tmp_path / "panel.parquet")
    with pytest.raises(RemitstatsError):
        write_folder(bad, tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_when_writing_fails(small_panel, tmp_path):
    path = tmp_path / "panel.parquet"
    write_panel(small_panel, path)
    before = path.read_bytes()
    bad = Panel({"state": pd.DataFrame({"state": [1.5]})})
    with pytest.raises(RemitstatsError):
        write_panel(bad, path)
    assert path.read_bytes() == before


def test_a_place_that_can_not_be_written_is_named(small_panel, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RemitstatsError, match="Can't write"):
        write_panel(small_panel, tmp_path / "file" / "panel.parquet")
    with pytest.raises(RemitstatsError, match="Can't write"):
        write_folder(small_panel, tmp_path / "file" / "folder")


def test_a_folder_that_holds_something_is_not_written_into(small_panel, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(RemitstatsError, match="new or an empty folder"):
        write_folder(small_panel, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_the_same_panel_gives_the_same_bytes(small_panel, tmp_path):
    write_panel(small_panel, tmp_path / "one.parquet")
    write_panel(small_panel, tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
