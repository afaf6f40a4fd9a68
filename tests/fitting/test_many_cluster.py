"""`fit_many` on a real Dask cluster: the same fits, also when a worker is killed at its work."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remitstats.errors import RemitstatsError
from remitstats.fitting.jobs import FitJob, FitOutcome, Simulate
from remitstats.fitting.many import fit_many
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import load_fit
from remitstats.panel.file import write_panel
from remitstats.panel.panel import Panel

distributed = pytest.importorskip("distributed", reason="pip install 'remitstats[cluster]'")
dask = pytest.importorskip("dask", reason="pip install 'remitstats[cluster]'")

SHORT = Settings(draws=10, tune=10, chains=2, seed=4)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers, each a process of one thread, that have imported what fits need."""
    with (
        # A local cluster drops for good a worker that is away so long after it was lost,
        # also one that came back in between and was killed again.
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(warm)
        yield client


def warm() -> None:
    import pymc

    import remitstats.fitting.cluster

    assert pymc and remitstats


@pytest.fixture(scope="module")
def jobs(small: Panel, tmp_path_factory: Any) -> list[FitJob]:
    """Four jobs, one of which can't be done; one finds its panel in a file."""
    import many_functions as functions

    file = tmp_path_factory.mktemp("panel") / "mine.parquet"
    write_panel(small, file)
    job = FitJob("plain", panel=small, settings=SHORT, summary=functions.mean)
    return [
        job,
        replace(job, name="from a file", panel=file, settings=replace(SHORT, seed=5)),
        replace(job, name="missing", panel="/no/such/panel.csv"),
        replace(job, name="simulated", simulate=Simulate(3)),
    ]


@pytest.fixture(scope="module")
def serial(client: Any, jobs: list[FitJob], tmp_path_factory: Any) -> list[FitOutcome]:
    return fit_many(jobs, folder=tmp_path_factory.mktemp("serial"), workers=1)


def identical(outcomes: list[FitOutcome], expected: list[FitOutcome]) -> bool:
    """Whether outcomes and stored fits are the same to the last bit."""
    for one, other in zip(outcomes, expected, strict=True):
        assert (one.name, one.summary, one.error) == (other.name, other.summary, other.error)
        assert repr(one.gate) == repr(other.gate)
        if one.path is None or other.path is None:
            assert one.path is other.path is None
            continue
        a, b = load_fit(one.path), load_fit(other.path)
        for group in ("posterior", "sample_stats", "observed_data", "constant_data"):
            if not a[group].to_dataset().identical(b[group].to_dataset()):
                return False
    return True


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    found = {path.name: path.stat() for path in folder.glob("*.nc")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


@pytest.fixture(scope="module")
def shared(client: Any, jobs: list[FitJob], tmp_path_factory: Any) -> list[FitOutcome]:
    return fit_many(jobs, folder=tmp_path_factory.mktemp("shared"), cluster=client)


def test_a_cluster_gives_the_same_fits_as_one_after_the_other(
    shared: list[FitOutcome], serial: list[FitOutcome]
) -> None:
    assert identical(shared, serial)
    ran = {outcome.worker for outcome in shared if outcome.path is not None}
    assert len(ran) == 2 and not ran & {outcome.worker for outcome in serial}
    assert not any(outcome.reused for outcome in shared)
    assert "/no/such/panel.csv" in shared[2].error


def test_an_address_is_as_good_as_a_client_and_finished_fits_are_used_again(
    client: Any, jobs: list[FitJob], shared: list[FitOutcome]
) -> None:
    assert shared[0].path is not None
    folder = shared[0].path.parent
    before = state_of(folder)
    again = fit_many(jobs, folder=folder, cluster=client.scheduler.address)
    assert identical(again, shared)
    assert [outcome.reused for outcome in again] == [True, True, False, True]
    assert state_of(folder) == before
    assert not [path for path in folder.iterdir() if path.name.endswith(".part")]
    assert client.status == "running"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc/self/fd")
def test_workers_that_cannot_see_the_folder_send_their_fits(
    client: Any, jobs: list[FitJob], serial: list[FitOutcome], tmp_path: Path
) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        # A path by which only this process finds the folder, as on a machine of its own.
        mine = Path(f"/proc/self/fd/{handle}")
        sent = fit_many(jobs, folder=mine, cluster=client)
        assert identical(sent, serial)
        assert [path.parent for path in (o.path for o in sent) if path] == [mine] * 3
        before = state_of(tmp_path)
        assert len(before) == 3
        again = fit_many(jobs, folder=mine, cluster=client)
        assert identical(again, serial)
        assert [outcome.reused for outcome in again] == [True, True, False, True]
        assert state_of(tmp_path) == before
        # one that was damaged meanwhile is fitted anew
        assert sent[0].path is not None
        damaged = tmp_path / sent[0].path.name
        damaged.write_bytes(damaged.read_bytes()[:-1])
        mended = fit_many(jobs, folder=mine, cluster=client)
        assert identical(mended, serial)
        assert [outcome.reused for outcome in mended] == [False, True, False, True]
        after = state_of(tmp_path)
        assert [name for name in before if before[name] != after[name]] == [damaged.name]
    finally:
        os.close(handle)


def test_jobs_of_a_killed_worker_are_done_again_with_the_same_result(
    client: Any, jobs: list[FitJob], tmp_path: Path
) -> None:
    panel = jobs[0].panel
    long = [
        FitJob(
            f"seed {seed}", panel=panel, settings=Settings(draws=10, tune=300, chains=2, seed=seed)
        )
        for seed in (1, 2, 3)
    ]
    victims = client.run(os.getpid)
    killed: list[str] = []
    told: list[str] = []

    def kill_a_busy_worker(what: str, share: float) -> None:
        told.append(what)
        if share > 0.05 and not killed:  # chains are under way
            address = next(address for address, keys in client.processing().items() if keys)
            killed.append(address)
            os.kill(victims[address], signal.SIGKILL)

    outcomes = fit_many(long, folder=tmp_path / "fits", cluster=client, progress=kill_a_busy_worker)
    assert len(killed) == 1
    again = [outcome for outcome in outcomes if outcome.attempts > 1]
    assert len(again) == 1
    assert again[0].attempts == 2
    assert again[0].lost == (f"the worker {killed[0]} was lost",)
    assert f"again, for the worker {killed[0]} was lost: {again[0].name}" in told
    assert [outcome.error for outcome in outcomes] == ["", "", ""]
    (job,) = (job for job in long if job.name == again[0].name)
    assert identical(again, fit_many([job], folder=tmp_path / "expected", workers=1))


def test_a_job_that_kills_every_worker_is_given_up_and_stops_no_other(
    client: Any, jobs: list[FitJob], serial: list[FitOutcome], tmp_path: Path
) -> None:
    import many_functions as functions

    deadly = replace(jobs[0], name="deadly", summary=functions.dies_always)
    lost, kept = fit_many([deadly, jobs[3]], folder=tmp_path, cluster=client, retries=1)
    assert lost.error.startswith("Its worker was lost 2 times: the worker tcp://")
    assert (lost.attempts, lost.gate, lost.converged) == (2, None, False)
    assert identical([kept], [serial[3]])
    # its fit was stored before its worker died
    assert serial[0].path is not None
    assert load_fit(tmp_path / serial[0].path.name)


def test_an_interrupt_calls_off_what_is_under_way(
    client: Any, jobs: list[FitJob], tmp_path: Path
) -> None:
    endless = replace(jobs[0], name="endless", settings=replace(SHORT, seed=6, tune=900_000))

    def interrupt(_what: str, share: float) -> None:
        if share > 0.5 and list(tmp_path.glob("*.nc")):  # the first is done, the second under way
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_many([jobs[0], endless], folder=tmp_path, cluster=client, progress=interrupt)
    assert [path.name for path in tmp_path.glob("*.nc")]
    deadline = time.monotonic() + 20
    while any(client.run(busy).values()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def busy(dask_worker: Any) -> int:
    """Return how many tasks a worker's threads are at."""
    return len(dask_worker.active_threads)


def test_a_cluster_that_does_not_answer_is_explained(
    jobs: list[FitJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remitstats.fitting.cluster.PATIENCE", 1.0)
    with pytest.raises(RemitstatsError, match=r"No Dask scheduler answers at 'tcp://127\.0"):
        fit_many(jobs, folder=tmp_path, cluster="tcp://127.0.0.1:9")
    with pytest.raises(RemitstatsError, match="No Dask scheduler answers at 'nonsense://'"):
        fit_many(jobs, folder=tmp_path, cluster="nonsense://")
    with pytest.raises(RemitstatsError, match="must be an address such as"):
        fit_many(jobs, folder=tmp_path, cluster=8786)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as empty,
        pytest.raises(RemitstatsError, match=r"no worker on the Dask cluster.*dask worker"),
    ):
        fit_many(jobs, folder=tmp_path, cluster=empty)
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_whose_workers_all_left_is_given_up_in_words(
    jobs: list[FitJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remitstats.fitting.cluster.DESERTED", 0.5)

    def send_home(_what: str, share: float) -> None:
        if share > 0:
            cluster.scale(0)

    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        pytest.raises(RemitstatsError, match=r"has had no worker for 0 seconds: start some"),
    ):
        fit_many([jobs[0], jobs[3]], folder=tmp_path, cluster=client, progress=send_home)
