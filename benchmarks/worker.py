"""One entry in a process of its own: `python -m benchmarks.worker JOB RESULT`.

The job names a sampler; the result says how long it took, what it needed and how well it mixed.
The clock runs from after the imports, with all compilation caches empty; an alarm ends the process
when the time limit has passed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks import measure
from benchmarks.bym2 import Bym2Data, Point, RunSettings, log_density

MB = 2.0**20
CHECK_POINTS = 6


class PeakMemory(threading.Thread):
    """Peak memory of this process and those it started, in bytes, looked at twice a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Look until asked to stop."""
        while not self._stop_asked.wait(0.5):
            self.peak = max(self.peak, _tree_memory(os.getpid()))

    def stop(self) -> float:
        """Stop, and return the peak."""
        self._stop_asked.set()
        self.join()
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return max(self.peak, own * (1.0 if sys.platform == "darwin" else 1024.0))


def _tree_memory(root: int) -> float:
    """Return the memory of a process (resident) and of all below it (proportional), in bytes."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        parents[int(folder.name)] = int(fields.rsplit(")", 1)[1].split()[1])
    below, found = {root}, {root}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below} - found
        found |= below
    total = 0.0
    for pid in found:
        try:
            if pid == root:
                pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
                total += pages * os.sysconf("SC_PAGE_SIZE")
            else:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
                line = next(row for row in rollup.splitlines() if row.startswith("Pss:"))
                total += float(line.split()[1]) * 1024.0
        except (OSError, StopIteration, IndexError):
            continue
    return total


def main() -> None:
    """Run the job of the command line."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    start = time.perf_counter()
    for name in job["libraries"]:
        importlib.import_module(name)
    peer: Any = importlib.import_module(f"benchmarks.peers.{job['peer']}")
    result: dict[str, Any] = {
        "import": time.perf_counter() - start,
        "versions": _versions(job["libraries"]),
    }
    data = peer.load(job["panel"]) if "panel" in job else Bym2Data.load(Path(job["data"]))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, whatever it is doing
    signal.setitimer(signal.ITIMER_REAL, job["limit"])
    work = {"check": _check, "run": _run, "describe": _describe}[job["action"]]
    result |= work(peer, data, job)
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    target = Path(sys.argv[2])
    part = target.with_suffix(".part")
    part.write_text(json.dumps(result), encoding="utf-8")
    part.replace(target)


def _versions(libraries: list[str]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    names = importlib.metadata.packages_distributions()
    for library in libraries:
        distribution = names.get(library.split(".")[0], [library])[0]
        found[distribution] = importlib.metadata.version(distribution)
    return found


def _run(peer: Any, data: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Sample, and measure when the clock has stopped."""
    settings = RunSettings(**job["settings"])
    memory = PeakMemory()
    memory.start()
    start = time.perf_counter()
    draws = peer.run(data, settings, **job["options"])
    wall = time.perf_counter() - start
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    peak = memory.stop()
    report, moments = measure.measure(draws, settings.warmup, wall, search=job.get("search", True))
    np.savez(job["moments"], **cast("dict[str, Any]", moments))
    return {**report, "peak_mb": peak / MB}


def _check(peer: Any, data: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Hold a sampler's own log density to the reference at random points.

    Only differences count (a density is known up to a constant), so the spread over the points
    of (own - reference) is what is returned, beside the spread of the reference itself.
    """
    reference = Bym2Data.load(Path(job["data"]))
    rng = np.random.default_rng(20)
    points = [Point.draw(reference, rng) for _ in range(CHECK_POINTS)]
    own = np.array(peer.log_density(data, points, **job["options"]))
    expected = np.array([log_density(reference, p) for p in points])
    return {
        "largest_difference": float(np.ptp(own - expected)),
        "range_of_reference": float(np.ptp(expected)),
        "points": len(points),
    }


def _describe(peer: Any, data: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Run something that yields moments instead of draws (see `peers.pymc_extras_fit`)."""
    memory = PeakMemory()
    memory.start()
    start = time.perf_counter()
    found: dict[str, Any] = peer.describe(data, **job["options"])
    wall = time.perf_counter() - start
    return {"wall": wall, "peak_mb": memory.stop() / MB, **found}


if __name__ == "__main__":
    main()
