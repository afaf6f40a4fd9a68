"""On a terminal: bars that move, and colour unless it is unwanted."""

from __future__ import annotations

import os
import re

import pytest

pty = pytest.importorskip("pty", reason="terminals of this kind are of Unix")

COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10[0-7])(?:;\d+)*m")


@pytest.fixture
def drawn(remitstats):
    """Return a runner on a terminal of its own; it gives the exit code and what appeared."""

    def run(*words, **env):
        ours, theirs = pty.openpty()
        process = remitstats.start("fit", "reliance", *words, terminal=theirs, **env)
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the last holder of the other end is gone
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        return process.wait(timeout=60), shown.decode("utf-8")

    return run


def test_a_terminal_gets_a_bar_for_every_phase_and_ends_with_the_verdict(drawn, small):
    code, shown = drawn(*small)
    assert code == 3
    assert "━" in shown
    assert COLOUR.search(shown)
    for phase in ("Reading the panel", "Sampling", "Estimates and their convergence"):
        assert re.search(rf"{phase}.*100%", shown), phase
    last = shown.replace("\r", "").rstrip("\n").rsplit("\n", 1)[-1]
    assert last == "reports/results.json"


def test_no_color_draws_bars_without_colour(drawn, small):
    code, shown = drawn(*small, NO_COLOR="1")
    assert code == 3
    assert "━" in shown
    assert "Building the model" in shown
    assert not COLOUR.search(shown)
