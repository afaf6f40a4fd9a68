"""The command `remitstats data fetch`, as a user sees it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from remitstats.cli.data import app
from remitstats.errors import RemitstatsError


def run(*words):
    return CliRunner().invoke(app, ["fetch", *(str(word) for word in words)])


@pytest.fixture
def registry(publisher, tmp_path):
    """Return a list of two files at the publisher and one to be had by hand."""
    path = tmp_path / "registry.toml"
    head = '[[file]]\npublisher = "P"\ntable = "T [bold]"\n'
    path.write_text(
        f'{head}key = "good"\nurl = "{publisher.address}/file.csv"\npath = "a/good.csv"\n'
        f'{head}key = "gone"\nurl = "{publisher.address}/gone.csv"\npath = "gone.csv"\n'
        f'{head}key = "paper"\nby_hand = "Ask for it."\n'
    )
    return path


def test_the_list_downloads_nothing(registry, tmp_path, publisher):
    result = run("--list", "--registry", registry, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "T [bold]" in result.stdout
    assert "Ask for it." in result.stdout
    assert sum(publisher.asked.values()) == 0
    assert not (tmp_path / "out").exists()


def test_only_the_files_chosen_are_downloaded(registry, tmp_path, publisher):
    result = run("--only", "good", "--registry", registry, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "good: downloaded, a/good.csv" in result.stdout
    assert "1 downloaded, 0 already there, 0 to be had by hand, 0 failed" in result.stdout
    assert (tmp_path / "out/a/good.csv").is_file()
    assert set(publisher.asked) == {"/file.csv"}


def test_what_failed_is_said_at_the_end_and_the_rest_is_kept(registry, tmp_path):
    result = run("--registry", registry, "--out", tmp_path / "out")
    assert "paper: by hand. Ask for it." in result.stdout
    assert isinstance(result.exception, RemitstatsError)
    assert "gone: the publisher no longer has it there" in str(result.exception)
    assert (tmp_path / "out/a/good.csv").is_file()


def test_a_second_run_downloads_nothing_again(registry, tmp_path, publisher):
    for _ in range(2):
        result = run("--only", "good", "--registry", registry, "--out", tmp_path / "out")
    assert "good: present" in result.stdout
    assert publisher.asked["/file.csv"] == 1


def test_a_sum_that_does_not_match_is_tried_again_and_refused(registry, tmp_path, publisher):
    text = registry.read_text().replace('path = "a/good.csv"', f'path="g.csv"\nsha256="{"1" * 64}"')
    registry.write_text(text)
    result = run("--only", "good", "--registry", registry, "--out", tmp_path / "out")
    assert "not the file known" in str(result.exception)
    assert publisher.asked["/file.csv"] == 3


def test_an_unknown_key_is_refused(registry):
    result = run("--only", "goood", "--registry", registry)
    assert "did you mean good?" in str(result.exception)
