"""Whatever words stand on the command line: done, or refused in words with exit code 2."""

from __future__ import annotations

import os
import re
import signal
import sys

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from remitstats.cli.app import in_words, invoke

HOLE = "WORD"
COMMANDS = (
    (HOLE,),
    ("fit", HOLE),
    ("fit", "reliance", "--panel", HOLE),
    ("fit", "reliance", "--panel", "nowhere.csv", "--prior", HOLE),
    ("fit", "reliance", "--panel", "nowhere.csv", "--draws", HOLE),
    ("run", "--panel", "nowhere.csv", "--models", HOLE),
    ("report", "--compare", HOLE, HOLE),
    ("many", HOLE),
    ("claims", "--ledger", HOLE),
    ("claims", "--results", HOLE),
    ("data", HOLE),
    ("data", "check", HOLE),
    ("data", "build", "--raw", HOLE, "--out", "panel.parquet"),
    ("simulate", HOLE, "--out", "made-up.csv"),
    ("validate", HOLE),
)
HARD = ("", " ", "-", "--", "-1", "--help=", "\x00", "\n", "a\x1b[31m", "1e999", "nan", "../" * 40)
MORE = ("=", "x=1,2", "~", "*", "[red]", "%s", "{0}", "\udcff", "９", "é" * 300, "/dev/null")
WORDS = st.text(max_size=12) | st.sampled_from(HARD + MORE)


@pytest.fixture
def kept_signals():
    """Give back what the program does with signals: here they are those of the tests."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_any_word_is_understood_or_refused_in_words(
    command, tmp_path, monkeypatch, capfd, kept_signals
):
    monkeypatch.chdir(tmp_path)

    @settings(
        max_examples=int(os.environ.get("REMITSTATS_EXAMPLES", "5")),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(WORDS)
    @example("\x00")
    @example("\udcff")
    @example("é" * 300)
    def holds(word):
        words = [word if each == HOLE else each for each in command]
        monkeypatch.setattr(sys, "argv", ["remitstats", *words])
        code = in_words(invoke)
        said = capfd.readouterr()
        assert code in (0, 2)
        assert code == 0 or re.search(r"\w", said.out + said.err)
        assert "Traceback" not in said.out + said.err

    holds()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
