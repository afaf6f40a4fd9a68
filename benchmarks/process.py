"""Starting a worker in the right environment, watching it and ending it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.plan import OWN

ROOT = Path(__file__).resolve().parents[1]
SPARE = 1200.0  # seconds beyond the limit that imports, loading and measuring may take


@dataclass(frozen=True)
class Environments:
    """Interpreters by environment, and a folder for files that are thrown away."""

    own: Path
    peers: Path
    scratch: Path

    def python(self, environment: str) -> Path:
        """Return the interpreter of an environment."""
        return self.own if environment == OWN else self.peers


def run(
    environments: Environments,
    environment: str,
    module: str,
    arguments: list[str],
    *,
    limit: float,
    cache: Path,
    label: str,
    variables: dict[str, str] | None = None,
) -> str | None:
    """Run a module in a process group of its own; return None, or why it did not finish.

    Parameters
    ----------
    environments, environment
        Where it runs.
    module, arguments
        What runs.
    limit : float
        Seconds after which the worker ends itself; much later it is ended from here.
    cache : Path
        Folder that all compilation caches are kept in: a fresh one makes everybody compile.
    label : str
        What the progress says.
    variables : dict, optional
        Further environment variables.
    """
    cache.mkdir(parents=True, exist_ok=True)
    command = [str(environments.python(environment)), "-m", module, *arguments]
    variables = {
        **os.environ,
        "PYTENSOR_FLAGS": f"base_compiledir={cache / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(cache / "numba"),
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": str(ROOT),
        **(variables or {}),
    }
    log = environments.scratch / f"log-{os.getpid()}-{time.time_ns()}.txt"
    start = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=out, stderr=out, start_new_session=True
        )
        try:
            while process.poll() is None:
                time.sleep(0.2)
                passed = time.monotonic() - start
                if sys.stderr.isatty():
                    print(f"\r  {label} … {passed:.0f} s ", end="", file=sys.stderr, flush=True)
                if passed > limit + SPARE:
                    break
        finally:
            with contextlib.suppress(ProcessLookupError):  # what it left behind, too
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    passed = time.monotonic() - start
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    log.unlink()
    if process.returncode == 0:
        return None
    if process.returncode == -signal.SIGALRM or passed > limit + SPARE:
        return f"not finished within {limit:.0f} s"
    if process.returncode < 0:
        return f"crashed ({signal.Signals(-process.returncode).name})"
    return (tail or ["failed without a word"])[0][:300]


def job(
    environments: Environments,
    environment: str,
    content: dict[str, Any],
    *,
    cache: Path,
    label: str,
) -> dict[str, Any]:
    """Run `benchmarks.worker` on a job; return its result, or `{"failed": why}`."""
    name = f"job-{os.getpid()}-{time.time_ns()}"
    request, answer = (environments.scratch / f"{name}-{end}.json" for end in ("in", "out"))
    request.write_text(json.dumps(content), encoding="utf-8")
    failure = run(
        environments,
        environment,
        "benchmarks.worker",
        [str(request), str(answer)],
        limit=content["limit"],
        cache=cache,
        label=label,
    )
    try:
        if failure or not answer.is_file():
            return {"failed": failure or "no result was written"}
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found
    finally:
        request.unlink()
        answer.unlink(missing_ok=True)
