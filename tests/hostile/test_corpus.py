"""Malformed panels: each is read with the very numbers it holds or refused in words, soon."""

from __future__ import annotations

import importlib.util
import os
import sys
from decimal import Decimal
from pathlib import Path

import careful
import pandas as pd
import pytest
from corpus import corpus

from remitstats.panel.load import load_panel

HERE = Path(__file__).parent
SECONDS = 10
MEMORY = 2 * 1024**3
QUICK = 9  # one case in so many runs by default


def module_of(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


CASES = corpus()


@pytest.fixture(scope="module")
def program():
    """Return what runs the program in a child: a crash or a hang of it is no crash of ours."""
    made = module_of("tests_hostile_preloaded", HERE.parent / "preloaded.py").Preloaded(os.environ)
    yield made
    made.close()


def share() -> list:
    return [
        pytest.param(
            case,
            id=ascii(case.name).strip("'\""),
            marks=[pytest.mark.slow] if case.heavy or number % QUICK else [],
        )
        for number, case in enumerate(CASES)
    ]


def test_there_are_many_and_of_all_kinds():
    assert len(CASES) >= 200
    expected = [case.expected for case in CASES]
    assert set(expected) == {"refuse", "accept", "either"}
    assert min(expected.count(verdict) for verdict in set(expected)) >= 15


@pytest.mark.parametrize("case", share())
def test_it_is_read_as_written_or_refused_in_words(case, program, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    path = case.write(folder)
    before = sorted(folder.rglob("*"))
    done = program.run(
        ["remitstats", "data", "check", str(path)], tmp_path, os.environ, timeout=12 * SECONDS
    )
    assert program.seconds < SECONDS
    assert program.memory < MEMORY
    assert "Traceback" not in done.stderr + done.stdout
    assert "Warning" not in done.stderr + done.stdout
    assert sorted(folder.rglob("*")) == before
    assert done.returncode in (0, 2), (done.returncode, done.stderr)
    verdict = "accept" if done.returncode == 0 else "refuse"
    assert case.expected in (verdict, "either"), done.stdout + done.stderr
    if verdict == "refuse":
        assert_said_in_words(done.stdout + done.stderr, case, path)
    else:
        assert_as_written(path)


def assert_said_in_words(said: str, case, path: Path) -> None:
    assert case.said in said
    assert path.name in said
    assert len(said) < 20_000
    assert said.replace("\n", "").isprintable()
    problems = [line for line in said.splitlines() if line.startswith("  - ")]
    for line in problems:
        assert ", column " in line
        assert ": found " in line
        assert "; accepted: " in line
    if not problems:
        assert any(word in said for word in ("can't be read", "There is no", "Check the path")), (
            said
        )


def assert_as_written(path: Path) -> None:
    """Hold every number of the panel against an independent reading of the file."""
    table = load_panel(path).table("municipality_wave")
    found = {}
    for row in table.itertuples():
        numbers = (row.dwellings, row.receiving_percent)
        found[row.cvegeo, int(row.wave)] = tuple(
            None if pd.isna(number) else float(number) for number in numbers
        )
    expected = careful.numbers_of(path)
    assert {
        key: tuple(None if number is None else float(number) for number in numbers)
        for key, numbers in expected.items()
    } == found
    assert all(
        number is None or isinstance(number, Decimal)
        for pair in expected.values()
        for number in pair
    )
