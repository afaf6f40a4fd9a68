"""Places that can't be written are refused before the work begins, not after it."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from remitstats.sources.files import FILES


def test_a_file_in_the_way_of_the_output_is_named(refused, tmp_path):
    (tmp_path / "file").write_text("mine")
    said = refused("run", "--out", "file/reports")
    assert "file is a file, not a folder: choose another with --out." in said


def test_a_file_in_the_way_of_the_fits_is_named_with_its_option(refused, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert "choose another with --fits." in refused("fit", "reliance", "--fits", tmp_path / "file")


@pytest.mark.parametrize("inside", ["summaries", "assets"])
def test_a_file_in_the_way_inside_the_output_is_named(inside, refused, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / inside).write_text("mine")
    assert f"{inside} is a file, not a folder" in refused("run", "--out", "out")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_a_folder_where_nothing_can_be_made_is_refused(refused):
    said = refused("run", "--out", "/proc/reports")
    assert "The folder /proc/reports" in said
    assert "can't be written" in said


def test_a_name_too_long_for_the_disk_is_refused(refused):
    said = refused("run", "--out", "a" * 300)
    assert "can't be written (File name too long)" in said


@pytest.mark.skipif(os.name == "nt", reason="names are always text there")
def test_a_name_that_is_no_text_is_refused(refused):
    said = refused("run", "--out", os.fsdecode(b"caf\xe9"))
    assert "is no text: choose another with --out." in said


def test_a_disk_that_runs_full_is_said_in_words_and_leaves_no_half_file(remitstats, small):
    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    result = remitstats("fit", "reliance", *small, limit=full)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert "Can't write fits/" in result.stderr
    assert result.stdout == ""
    assert [name for name in remitstats.files if not name.endswith(".lock")] == ["fits"]


def test_a_build_from_a_folder_that_is_not_there_is_refused(refused):
    said = refused("data", "build", "--raw", "nowhere", "--out", "panel.parquet")
    assert "The folder of official files nowhere does not exist." in said


def test_a_build_from_an_empty_folder_names_what_is_missing(refused, tmp_path):
    (tmp_path / "raw").mkdir()
    said = refused("data", "build", "--raw", "raw", "--out", "panel.parquet")
    places = {file.path for file in FILES.values()}
    assert f"{len(places)} official files are missing from raw." in said
    assert sum(place in said for place in places) >= 20  # the first; how many more is said


def test_a_comparison_needs_two_folders_with_results(refused, tmp_path):
    (tmp_path / "a").mkdir()
    assert "The folder a holds no results of a fit." in refused("report", "--compare", "a", "b")
    said = refused("report", "--compare", "a", "b", "--states", "14")
    assert "--panel, --states and --models can't be used with it" in said
