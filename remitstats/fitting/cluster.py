"""Many jobs on a Dask cluster.

Fits are pure functions of their job, so any worker may run any of them, and again. A worker that
sees the client's folder of fits (it looks for a file that the client put there) stores its fit
there itself, under the same lock as everybody else; from one that doesn't, the bytes of the file
come back and the client stores them. Workers report by Dask's events what they begin and how far
they are: so lost attempts are counted, which Dask itself does not tell.
"""

from __future__ import annotations

import queue
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import cloudpickle

from remitstats.errors import RemitstatsError
from remitstats.fitting.local import POLL, OnLost, Result, Watch
from remitstats.fitting.task import Done, Task, call_off, run_packed

PATIENCE = 30.0  # seconds for the scheduler to answer, and for it to have a worker
DESERTED = 300.0  # seconds without any worker until work under way is given up
EVERY = 1.0  # seconds between a worker's notes on how far it is
AHEAD = 2  # tasks given to the cluster at a time, for each of its threads


@contextmanager
def connected(cluster: Any) -> Iterator[Any]:
    """Give a Dask client with at least one worker.

    Parameters
    ----------
    cluster : str or dask.distributed.Client
        Address of a scheduler, such as ``"tcp://10.0.0.1:8786"``, or a client, which stays open.

    Raises
    ------
    RemitstatsError
        If Dask is not installed, nobody answers, or there are no workers.
    """
    try:
        import distributed  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise RemitstatsError(
            "A cluster needs the package 'distributed': pip install 'remitstats[cluster]'."
        ) from error
    if isinstance(cluster, distributed.Client):
        if cluster.asynchronous:
            raise RemitstatsError("The Dask client must not be asynchronous.")
        _require_workers(cluster, "the Dask cluster")
        yield cluster
        return
    if not isinstance(cluster, str):
        raise RemitstatsError(
            f"The cluster must be an address such as 'tcp://10.0.0.1:8786' or a "
            f"dask.distributed.Client, found {cluster!r}."
        )
    try:
        client = distributed.Client(cluster, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise RemitstatsError(
            f"No Dask scheduler answers at {cluster!r}: write its address as 'dask scheduler' "
            "prints it, such as tcp://10.0.0.1:8786."
        ) from error
    with client:
        _require_workers(client, cluster)
        yield client


def _require_workers(client: Any, where: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise RemitstatsError(
            f"There is no worker on {where}: start some with 'dask worker --nthreads 1 {where}'."
        ) from error


def run_on_cluster(
    tasks: Sequence[Task], client: Any, retries: int, watch: Watch, on_lost: OnLost
) -> Generator[Result]:
    """Run tasks on a Dask cluster; results come in the order in which they finish.

    Parameters
    ----------
    tasks : sequence of Task
        What to run.
    client : dask.distributed.Client
        The cluster.
    retries : int
        How often a task is begun again whose worker was lost.
    watch, on_lost : callable
        Told of work under way and of lost workers.

    Yields
    ------
    Result
        One a task. When the iterator is closed, tasks that are not finished are called off.

    Raises
    ------
    RemitstatsError
        If the connection is lost, or the cluster has had no worker for `DESERTED` seconds.
    """
    run = _Run(client, retries, on_lost)
    waiting = deque(tasks)
    client.subscribe_topic(run.topic, run.note)
    manned = time.monotonic()
    try:
        while waiting or run.futures:
            threads = sum(client.nthreads().values())
            if threads:
                manned = time.monotonic()
            elif time.monotonic() - manned > DESERTED:
                raise RemitstatsError(
                    f"The Dask cluster has had no worker for {DESERTED:.0f} seconds: start some. "
                    "Fits that came back are kept; the same call uses them again and does the rest."
                )
            room = AHEAD * max(1, threads) - len(run.futures)
            for _ in range(min(room, len(waiting))):
                run.submit(waiting.popleft())
            yield from run.results()
            watch(run.under_way)
    except (OSError, TimeoutError, CancelledError) as error:
        raise RemitstatsError(
            f"The connection to the Dask cluster was lost ({type(error).__name__}). Fits that "
            "came back are kept; the same call uses them again and does the rest."
        ) from error
    finally:
        run.call_off()
        with suppress(Exception):  # the connection may be gone
            client.unsubscribe_topic(run.topic)


class _Run:
    """The tasks that the cluster has, and what is known of them.

    Parameters
    ----------
    client : dask.distributed.Client
        The cluster.
    retries : int
        How often a task may be begun again.
    on_lost : callable
        Told of attempts that came to nothing.
    """

    def __init__(self, client: Any, retries: int, on_lost: OnLost) -> None:
        self.client, self.retries, self.on_lost = client, retries, on_lost
        self.name = uuid.uuid4().hex
        self.topic = f"remitstats-{self.name}"
        self.tasks: dict[int, Task] = {}
        self.futures: dict[int, Any] = {}
        self.worker: dict[int, str] = {}  # where a task was begun last
        self.fraction: dict[int, float] = {}
        self.lost: dict[int, list[str]] = defaultdict(list)
        self.ended: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self.events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    @property
    def under_way(self) -> float:
        """How many tasks' worth of work is done on those not finished."""
        return sum(self.fraction.get(number, 0.0) for number in self.futures)

    def submit(self, task: Task) -> None:
        """Give a task to the cluster."""
        import dask  # noqa: PLC0415 - an optional dependency

        number = task.number
        packed = cloudpickle.dumps(replace(task, run=self.name))
        # Dask warns of large arguments; a panel is one, and is needed.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
            key = f"{self.topic}-{number}-{len(self.lost[number])}"
            future = self.client.submit(_work, packed, number, self.topic, key=key, pure=False)
        self.tasks[number], self.futures[number] = task, future
        future.add_done_callback(lambda ended: self.ended.put((number, ended)))

    def note(self, event: tuple[float, Any]) -> None:
        """Take a worker's note; called in Dask's thread."""
        self.events.put(event[1])

    def results(self) -> Generator[Result]:
        """Give what ended by now, after waiting a moment for it."""
        timeout = POLL
        with suppress(queue.Empty):
            while True:
                number, future = self.ended.get(timeout=timeout)
                timeout = 0.001
                self._read_notes()
                if self.futures.get(number) is future:
                    yield from self._end(number, future)
        for number in self._read_notes():
            yield self._give_up(number)

    def _read_notes(self) -> list[int]:
        """Take in what workers said; return the tasks whose workers were lost too often."""
        with suppress(queue.Empty):
            while True:
                event = self.events.get_nowait()
                number = event["task"]
                if number not in self.futures:
                    continue
                self.fraction[number] = event["fraction"]
                if event["fraction"] == 0.0:  # begun, perhaps again
                    if number in self.worker:
                        self._lose(number)
                    self.worker[number] = event["worker"]
        return [n for n in self.futures if len(self.lost[n]) > self.retries]

    def _lose(self, number: int) -> None:
        where = self.worker.pop(number, None)
        reason = f"the worker {where} was lost" if where else "a worker was lost before it began"
        self.lost[number].append(reason)
        if len(self.lost[number]) <= self.retries:
            self.on_lost(self.tasks[number], reason)

    def _end(self, number: int, future: Any) -> Generator[Result]:
        from distributed import KilledWorker  # noqa: PLC0415 - an optional dependency

        try:
            done: Done = cloudpickle.loads(future.result())
        except (KilledWorker, CancelledError):
            # The scheduler gave it up (it has a limit of its own), or was started again.
            self._lose(number)
            if len(self.lost[number]) > self.retries:
                yield self._give_up(number)
            else:
                self.submit(self.tasks[number])
            return
        except Exception as error:  # whatever can go wrong on the way back
            done = Done(error=f"Its outcome can't be read: {type(error).__name__}: {error}")
        yield self._drop(number, done)

    def _give_up(self, number: int) -> Result:
        self.client.cancel([self.futures[number]])
        return self._drop(number, None)

    def _drop(self, number: int, done: Done | None) -> Result:
        del self.futures[number]
        return Result(self.tasks.pop(number), done, tuple(self.lost[number]))

    def call_off(self) -> None:
        """Take back what is not finished, and end the fits that are under way."""
        if not self.futures:
            return
        with suppress(Exception):  # the connection may be gone
            self.client.cancel(list(self.futures.values()))
            self.client.run(call_off, self.name, on_error="ignore")


def _work(packed: bytes, number: int, topic: str) -> bytes:
    """Run a task on a worker of the cluster."""
    from distributed import get_worker  # noqa: PLC0415 - an optional dependency

    worker = get_worker()
    told = time.monotonic()

    def note(fraction: float) -> None:
        event = {"task": number, "fraction": fraction, "worker": worker.address}
        worker.log_event(topic, event)

    def tell(fraction: float) -> None:
        nonlocal told
        if fraction > 0 and time.monotonic() - told >= EVERY:
            told = time.monotonic()
            note(fraction)

    note(0.0)
    return run_packed(packed, tell)
