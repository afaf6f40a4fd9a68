"""Chains side by side, in threads: what is compiled in them holds no lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from remitstats.fitting.settings import available_cores

Progress = Callable[[str, float], None]


class _StoppedError(Exception):
    """Raised inside a chain's thread when the fit is interrupted."""


def in_threads[T](
    run: Callable[[int, Callable[[], None]], T],
    chains: int,
    cores: int | None,
    progress: Progress | None,
    count: tuple[int, int],
) -> list[T]:
    """Run the chains, several at once; end them all when one fails or the user interrupts.

    Parameters
    ----------
    run : callable
        Takes a chain's number and what it calls after every iteration.
    chains, cores, progress
        As elsewhere.
    count : tuple of int
        Iterations of all chains before these, and in the whole fit.
    """
    before, whole = count
    stop = threading.Event()
    done = [0] * chains

    def one(number: int) -> T:
        def tick() -> None:
            if stop.is_set():
                raise _StoppedError
            done[number] += 1

        return run(number, tick)

    with ThreadPoolExecutor(max_workers=min(chains, cores or available_cores())) as pool:
        futures: list[Future[T]] = [pool.submit(one, i) for i in range(chains)]
        try:
            pending = set(futures)
            while pending:
                finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                if progress:
                    progress("sampling", (before + sum(done)) / whole)
        except BaseException:
            stop.set()  # let the threads end before the interrupt travels on
            for future in futures:
                future.cancel()
            raise
    return [future.result() for future in futures]
