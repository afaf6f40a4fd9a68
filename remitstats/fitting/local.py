"""Many jobs on this machine: one after the other, or on processes of their own.

The processes are plain ones (`subprocess`) that run `remitstats.fitting.worker` and talk through
their pipes. Against the pools of `concurrent.futures` and loky this has what a run of hours needs:
a lost process takes down its own job and no other, and it is known which; the caller's script
needs no ``if __name__ == "__main__"``; BLAS has one thread from the first import on; an interrupt
at the keyboard does not reach the workers; and they end with the caller, even one that is killed.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cloudpickle

from remitstats.fitting.task import Done, Task, run_packed
from remitstats.fitting.worker import FRACTION, read_message, write_message

Watch = Callable[[float], None]  # is told how many jobs' worth of work is under way
OnLost = Callable[[Task, str], None]  # is told of each attempt that came to nothing
THREADS = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMBA")
POLL = 0.2  # seconds between looks at the workers


@dataclass(frozen=True)
class Result:
    """What a place to run on reports of a task.

    Parameters
    ----------
    task : Task
        Which.
    done : Done, optional
        What came of it; None if its worker was lost too often.
    lost : tuple of str
        Why attempts came to nothing.
    """

    task: Task
    done: Done | None
    lost: tuple[str, ...] = ()


def run_here(tasks: Sequence[Task], watch: Watch) -> Generator[Result]:
    """Run tasks one after the other in this process; the results are as if they had travelled."""
    for task in tasks:
        yield Result(task, cloudpickle.loads(run_packed(cloudpickle.dumps(task), watch)))


def run_on_processes(
    tasks: Sequence[Task], workers: int, retries: int, watch: Watch, on_lost: OnLost
) -> Generator[Result]:
    """Run tasks on processes of this machine; results come in the order in which they finish.

    Parameters
    ----------
    tasks : sequence of Task
        What to run.
    workers : int
        Number of processes.
    retries : int
        How often a task is begun again whose process was lost.
    watch, on_lost : callable
        Told of work under way and of lost processes.

    Yields
    ------
    Result
        One a task. When the iterator is closed, the processes are ended.
    """
    waiting = deque(tasks)
    lost: dict[int, list[str]] = defaultdict(list)
    messages: Messages = queue.SimpleQueue()
    idle = [_Worker(messages) for _ in range(workers)]
    busy: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and idle:
                worker = idle.pop()
                busy.append(worker)
                worker.begin(waiting.popleft())
            with suppress(queue.Empty):
                worker, message = messages.get(timeout=POLL)
                found = worker.take(message)
                if worker in idle:  # it ended although it had nothing to do
                    idle[idle.index(worker)] = _Worker(messages)
                elif worker in busy and found is not None:
                    busy.remove(worker)
                    reasons = lost[worker.task.number]
                    if isinstance(found, Done):
                        idle.append(worker)
                        yield Result(worker.task, found, tuple(reasons))
                        continue
                    idle.append(_Worker(messages))
                    reasons.append(found)
                    if len(reasons) > retries:
                        yield Result(worker.task, None, tuple(reasons))
                    else:
                        on_lost(worker.task, found)
                        waiting.appendleft(worker.task)
            watch(sum(worker.fraction for worker in busy))
    finally:
        for worker in (*idle, *busy):
            worker.end()


class _Worker:
    """A process and the task it is at.

    Parameters
    ----------
    messages : queue
        Where to put what it says, with itself; None when it says no more.
    """

    task: Task

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self.fraction = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def begin(self, task: Task) -> None:
        """Give it a task, and start the process if that was not done yet."""
        self.task, self.fraction = task, 0.0
        if self.process is None:
            self.process = self._start()
        self._send(cloudpickle.dumps(task))

    def take(self, message: bytes | None) -> Done | str | None:
        """Return what a message says of the task: what came of it, why it was lost, or nothing."""
        if message is None:
            self.end()
            return self._why_lost()
        if len(message) == FRACTION.size:
            (self.fraction,) = FRACTION.unpack(message)
            return None
        try:
            done: Done = cloudpickle.loads(message)
        except Exception as error:  # whatever unpickling raises
            return Done(error=f"Its outcome can't be read: {type(error).__name__}: {error}")
        return done

    def end(self) -> None:
        """End the process, whatever it is at."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "remitstats.fitting.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                **{f"{name}_NUM_THREADS": "1" for name in THREADS},
                "PYTHONPATH": os.pathsep.join(place or str(Path.cwd()) for place in sys.path),
            },
            start_new_session=True,  # else an interrupt at the keyboard would reach it
        )
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        message: bytes | None = b""
        while message is not None:
            message = None
            with suppress(OSError, ValueError):  # closed meanwhile
                message = read_message(process.stdout) if process.stdout else None
            self.messages.put((self, message))

    def _send(self, message: bytes) -> None:
        with suppress(OSError):  # if it is gone, its last word will come
            if self.process is not None and self.process.stdin is not None:
                write_message(self.process.stdin, message)

    def _why_lost(self) -> str:
        code = self.process.returncode if self.process is not None else 0
        if code >= 0:
            return f"its process ended with exit code {code}"
        name = signal.Signals(-code).name
        advice = " (too little memory, perhaps: use fewer workers)" if name == "SIGKILL" else ""
        return f"its process ended with {name}{advice}"


Messages = queue.SimpleQueue[tuple[_Worker, bytes | None]]
