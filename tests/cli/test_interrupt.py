"""Ctrl-C and termination, whenever they come: one sentence, no half file, and on it goes."""

from __future__ import annotations

import signal

import pytest

SENTENCE = (
    "Interrupted: no file was left half written. Finished fits are kept; the same command uses "
    "them again and repeats only what was not finished."
)
LONG = ("--draws", "500000")  # minutes of sampling, of which a moment runs


def stop_at(process, mark, number):
    """Send a signal once a line with `mark` came; return exit code and what was said after it.

    Names of phases and the list of imports aside: they may still be on their way.
    """
    for line in process.stderr:
        if mark in line:
            break
    else:
        pytest.fail(f"the program ended before it said {mark!r}")
    process.send_signal(number)
    output, said = process.communicate(timeout=30)
    assert output == ""
    aside = [line for line in said.splitlines() if line.endswith(" …") or line.startswith("import")]
    return process.returncode, [line for line in said.splitlines() if line not in aside]


def half_files(program):
    names = [name.rsplit("/", 1)[-1] for name in program.files]
    return [name for name in names if name.endswith((".part", ".tmp"))]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "terminated"]
)
def test_stopped_while_sampling_it_keeps_nothing_half_done(number, code, remitstats, small):
    process = remitstats.start("run", *small, "--models", "reliance", *LONG)
    returned, said = stop_at(process, "sampling", number)
    assert (returned, said) == (code, [SENTENCE])
    assert half_files(remitstats) == []
    assert [name for name in remitstats.files if not name.endswith(".lock")] == ["fits"]


def test_interrupted_while_the_report_is_drawn_it_keeps_the_fit_and_goes_on(remitstats, small):
    process = remitstats.start("run", *small, "--models", "reliance")
    returned, said = stop_at(process, "drawing the report", signal.SIGINT)
    assert (returned, said) == (130, [SENTENCE])
    assert half_files(remitstats) == []
    assert "reports/index.html" not in remitstats.files
    (stored,) = [name for name in remitstats.files if name.endswith(".nc")]
    kept = remitstats.files[stored]
    again = remitstats("fit", "reliance", *small)
    assert "(a finished fit was used again)" in again.stderr
    assert again.stdout == "reports/results.json\n"
    assert remitstats.files[stored] == kept


@pytest.mark.parametrize("module", ["typer", "pandas", "xarray", "pymc"])
def test_interrupted_while_it_still_loads_it_ends_in_the_same_sentence(module, remitstats, small):
    process = remitstats.start("run", *small, "--models", "reliance", PYTHONPROFILEIMPORTTIME="1")
    returned, said = stop_at(process, f" {module}.", signal.SIGINT)
    assert (returned, said) == (130, [SENTENCE])
    assert half_files(remitstats) == []


def test_interrupted_while_the_panel_is_built_nothing_is_written(remitstats, raw):
    process = remitstats.start("data", "build", "--raw", raw, "--out", "panel.parquet")
    returned, said = stop_at(process, "building the panel", signal.SIGINT)
    assert returned == 130
    assert said == [
        "Interrupted: nothing was written to panel.parquet. Run the command again to build it."
    ]
    assert remitstats.files == {}


def test_a_reader_that_has_seen_enough_is_no_error(remitstats):
    with remitstats.start("data", "info") as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
