"""`fit_many`: the same fits as one by one, each stored at once, and no failure stops another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import remitstats
from remitstats.fitting.jobs import FitJob, FitOutcome, Judged, Simulate
from remitstats.fitting.many import fit_many
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import load_fit
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.simulate import grid_panel, simulate_reliance

SHORT = Settings(draws=10, tune=10, chains=2, seed=4)


@pytest.fixture(scope="module")
def jobs(small: Panel) -> list[FitJob]:
    """Five jobs of every kind, one of which can't be done."""
    import many_functions as functions

    job = FitJob("plain", panel=small, settings=SHORT, summary=functions.mean)
    other = reliance.Priors().with_values({"state_sd": (0.5, 0.01)})
    return [
        job,
        replace(job, name="prior", priors=other),
        replace(job, name="simulated", simulate=Simulate(3, {"state_sd": 0.4})),
        replace(job, name="missing", panel="/no/such/panel.csv"),
        replace(job, name="own model", model=functions.close_states),
    ]


@pytest.fixture(scope="module")
def serial(jobs: list[FitJob], tmp_path_factory: Any) -> list[FitOutcome]:
    return fit_many(jobs, folder=tmp_path_factory.mktemp("serial"), workers=1)


@pytest.fixture(scope="module")
def told() -> list[tuple[str, float]]:
    """What the progress of `parallel` was."""
    return []


@pytest.fixture(scope="module")
def parallel(
    jobs: list[FitJob], told: list[tuple[str, float]], tmp_path_factory: Any
) -> list[FitOutcome]:
    return fit_many(
        jobs,
        folder=tmp_path_factory.mktemp("parallel"),
        workers=2,
        progress=lambda what, share: told.append((what, share)),
    )


def same(a: Path | None, b: Path | None) -> bool:
    """Whether two stored fits hold the same numbers to the last bit."""
    assert a is not None and b is not None
    one, other = load_fit(a), load_fit(b)
    return all(
        one[group].to_dataset().identical(other[group].to_dataset())
        for group in ("posterior", "sample_stats", "observed_data", "constant_data")
    )


def results(outcome: FitOutcome) -> tuple[Any, ...]:
    """What does not depend on where and when a job was done; a verdict's nan equals itself."""
    return outcome.name, outcome.summary, repr(outcome.gate), outcome.error


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    found = {path.name: path.stat() for path in folder.glob("*.nc")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def folder_of(outcomes: list[FitOutcome]) -> Path:
    assert outcomes[0].path is not None
    return outcomes[0].path.parent


def test_processes_give_the_same_fits_as_one_after_the_other(
    serial: list[FitOutcome], parallel: list[FitOutcome]
) -> None:
    assert [o.name for o in parallel] == [o.name for o in serial]
    for one, other in zip(serial, parallel, strict=True):
        assert results(one) == results(other)
        if one.path is not None:
            assert same(one.path, other.path)
    workers = {o.worker for o in parallel}
    assert len(workers) == 2 and not workers & {o.worker for o in serial}


def test_a_job_gives_the_fit_that_fit_gives(serial: list[FitOutcome], small: Panel) -> None:
    tree = remitstats.fit(reliance.build(small), small, seed=4, draws=10, tune=10, chains=2)
    assert serial[0].path is not None
    stored = load_fit(serial[0].path)["posterior"].to_dataset()
    assert stored.identical(tree["posterior"].to_dataset())
    assert repr(serial[0].gate) == repr(remitstats.gate(tree))
    assert not serial[0].converged


def test_a_job_that_cannot_be_done_is_reported_and_stops_no_other(
    parallel: list[FitOutcome],
) -> None:
    errors = {outcome.name: outcome.error for outcome in parallel}
    assert "/no/such/panel.csv" in errors.pop("missing")
    assert set(errors.values()) == {""}
    missing = parallel[3]
    assert (missing.path, missing.summary, missing.gate, missing.converged) == (
        None,
        None,
        None,
        False,
    )


def test_finished_fits_are_used_again_whoever_made_them(
    jobs: list[FitJob], parallel: list[FitOutcome]
) -> None:
    folder = folder_of(parallel)
    before = state_of(folder)
    again = fit_many(jobs, folder=folder, workers=1)
    assert state_of(folder) == before
    assert [o.reused for o in again] == [True, True, True, False, True]
    assert [(o.path, results(o)) for o in again] == [(o.path, results(o)) for o in parallel]


def test_a_simulated_panel_is_simulated_from_its_seed(
    serial: list[FitOutcome], small: Panel
) -> None:
    truth = simulate_reliance(small, seed=3, hyperparameters={"state_sd": 0.4})
    assert serial[2].path is not None
    attrs = load_fit(serial[2].path)["provenance"].attrs
    assert attrs["panel_hash"] == truth.panel.hash != small.hash


def test_a_changed_build_function_makes_another_fit(
    small: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
from remitstats.models import reliance

def build(panel):
    return reliance.build(panel, reliance.Priors().with_values({"state_sd": (%s, 0.01)}))
"""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    keys = []
    for upper in ("0.1", "0.2", "0.1"):
        (tmp_path / "mine.py").write_text(source % upper, encoding="utf-8")
        sys.modules.pop("mine", None)
        import mine  # type: ignore[import-not-found]

        (outcome,) = fit_many(
            [FitJob("own", model=mine.build, panel=small, settings=SHORT)],
            folder=tmp_path / "fits",
            workers=1,
        )
        assert outcome.path is not None
        keys.append((outcome.path.name, outcome.reused))
    assert keys[0][0] == keys[2][0] != keys[1][0]
    assert [reused for _, reused in keys] == [False, False, True]


def test_a_summary_that_fails_or_cannot_travel_leaves_the_fit(
    serial: list[FitOutcome], jobs: list[FitJob]
) -> None:
    import many_functions as functions

    bad = [
        replace(jobs[0], name="fails", summary=functions.fails),
        replace(jobs[0], name="unsendable", summary=functions.unsendable),
    ]
    failed, unsendable = fit_many(bad, folder=folder_of(serial), workers=1)
    assert failed.path == unsendable.path == serial[0].path
    assert failed.error.startswith("The fit is stored, but its summary failed: LookupError: no su")
    assert "many_functions.py, line" in failed.error
    assert "can't be sent back" in unsendable.error


def test_a_summary_may_bring_its_own_verdict(serial: list[FitOutcome], jobs: list[FitJob]) -> None:
    verdict = serial[0].gate
    assert verdict is not None
    mine = replace(verdict, reasons=("I say so",))
    (outcome,) = fit_many(
        [replace(jobs[0], summary=lambda _tree, _panel: Judged(7, mine))],
        folder=folder_of(serial),
        workers=1,
    )
    assert (outcome.summary, repr(outcome.gate), outcome.reused) == (7, repr(mine), True)


def test_progress_never_goes_back_and_ends_at_the_whole(
    told: list[tuple[str, float]], parallel: list[FitOutcome]
) -> None:
    assert {what for what, _ in told} == {"fitting 5 models"}
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert any(0.0 < share < 1 / 5 for share in shares)  # not only when a fit ends


def test_a_killed_process_is_replaced_and_its_job_done_again(
    jobs: list[FitJob], serial: list[FitOutcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import many_functions as functions

    monkeypatch.setenv(functions.MARK, str(tmp_path))
    told: list[str] = []
    asked = [
        replace(jobs[0], name="dies once", summary=functions.dies_once),
        replace(jobs[1], name="dies always", summary=functions.dies_always),
        jobs[2],
    ]
    once, always, other = fit_many(
        asked,
        folder=tmp_path / "fits",
        workers=2,
        retries=1,
        progress=lambda what, _share: told.append(what),
    )
    assert (once.summary, once.error, once.attempts) == ("lived", "", 2)
    assert once.reused  # it was stored before its process died
    assert len(once.lost) == 1 and "SIGKILL" in once.lost[0]
    assert same(once.path, serial[0].path)
    assert always.error.startswith("Its worker was lost 2 times: its process ended with SIGKILL")
    assert (always.attempts, always.converged) == (2, False)
    assert (other.error, other.summary) == ("", serial[2].summary)
    assert any(what.startswith("again, for its process ended") for what in told)


def test_a_process_killed_from_outside_while_it_fits_costs_nothing_but_time(
    jobs: list[FitJob], serial: list[FitOutcome], tmp_path: Path
) -> None:
    long = [replace(job, settings=replace(SHORT, tune=100)) for job in jobs[:2]]
    killed: list[int] = []

    def kill_one(_what: str, share: float) -> None:
        if share > 0.1 and not killed:  # a chain is under way
            own = psutil.Process().children()
            worker = next(p for p in own if "remitstats.fitting.worker" in p.cmdline())
            killed.append(worker.pid)
            worker.send_signal(signal.SIGKILL)

    outcomes = fit_many(long, folder=tmp_path, workers=2, progress=kill_one)
    assert len(killed) == 1
    assert sorted(o.attempts for o in outcomes) == [1, 2]
    assert [o.error for o in outcomes] == ["", ""]
    (job, lost), *_ = ((j, o) for j, o in zip(long, outcomes, strict=True) if o.attempts == 2)
    (expected,) = fit_many([job], folder=tmp_path / "again", workers=1)
    assert same(lost.path, expected.path)


SCRIPT = """
import sys
from pathlib import Path
from remitstats.fitting.jobs import FitJob
from remitstats.fitting.many import fit_many
from remitstats.fitting.settings import Settings
from remitstats.simulate import grid_panel
panel = grid_panel(2, 3, waves=(2010, 2020), states=("01", "02"), seed=3)
jobs = [
    FitJob(f"seed {seed}", panel=panel, settings=Settings(draws=10, tune=tune, chains=2, seed=seed))
    for seed, tune in ((1, 10), (2, 900_000), (3, 900_000))
]
print("begun", flush=True)
fit_many(jobs, folder=sys.argv[1], workers=2)
"""


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGKILL, id="killed", marks=pytest.mark.slow),
    ],
)
def test_what_is_finished_outlives_the_end_of_the_caller(number: int, tmp_path: Path) -> None:
    fits = tmp_path / "fits"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(fits)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # the signal goes to all of the group, as from a keyboard
    )
    try:
        wait_until(lambda: len(list(fits.glob("*.nc"))) == 1 and process.poll() is None, 120)
        time.sleep(0.5)
        family = psutil.Process(process.pid).children(recursive=True)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert process.returncode == -number
        assert said.count("Traceback") == (number == signal.SIGINT)  # that of the caller's script
        wait_until(lambda: not any(running(member) for member in family), 20)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    (kept,) = fits.glob("*.nc")
    before = state_of(fits)
    panel = grid_panel(2, 3, waves=(2010, 2020), states=("01", "02"), seed=3)
    (again,) = fit_many(
        [FitJob("seed 1", panel=panel, settings=replace(SHORT, seed=1))], folder=fits, workers=1
    )
    assert (again.path, again.reused) == (kept, True)
    assert state_of(fits) == before
    assert not list(fits.glob(".*.part"))


def running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_provenance_says_how_a_fit_came_about(serial: list[FitOutcome], small: Panel) -> None:
    from remitstats.fitting.store import read_provenance

    assert serial[4].path is not None
    found = read_provenance(load_fit(serial[4].path))
    assert (found["engine"], found["seed"], found["model"]) == ("laplace", 4, "reliance")
    assert found["panel_hash"] == small.hash
    assert found["specification"]["build"]["function"] == "many_functions:close_states"
    assert found["specification"]["priors"]["state_sd"]["upper"] == 0.1
    assert found["versions"]["numpy"] == np.__version__
    assert all(seconds >= 0 for seconds in found["wall_seconds"].values())
    assert json.dumps(found)  # plain values, all of it
