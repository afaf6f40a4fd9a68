"""Results on disk: one JSON file, written whole after every step, so that a run can go on later."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remitstats.fitting.version import code_version

HERE = Path(__file__).resolve().parent
COMMON = ("bym2.py", "measure.py", "worker.py", "panels.py", "ladder.py")


class Results:
    """What has been measured, by section and key.

    Parameters
    ----------
    path : Path
        The JSON file.
    fresh : bool
        Whether to forget what it holds.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self.content: dict[str, Any] = {}
        self._lock = threading.Lock()
        if path.is_file() and not fresh:
            self.content = json.loads(path.read_text(encoding="utf-8"))

    def section(self, name: str) -> dict[str, Any]:
        """Return the results of a section by key."""
        found: dict[str, Any] = self.content.get(name, {})
        return found

    def get_or_make(
        self, section: str, key: str, digest: str, make: Callable[[], dict[str, Any]]
    ) -> tuple[dict[str, Any], bool]:
        """Return a result made earlier from the same input and code, or make and keep it."""
        kept = self.section(section).get(key)
        if kept and kept.get("digest") == digest:
            return kept, True
        made = {**make(), "digest": digest, "load": round(os.getloadavg()[0], 2)}
        with self._lock:
            self.content.setdefault(section, {})[key] = made
            self.write()
        return made, False

    def keep_only(self, section: str, keys: set[str]) -> None:
        """Forget results of a section that the plan no longer asks for."""
        known = self.section(section)
        if known:
            self.content[section] = {k: v for k, v in known.items() if k in keys}

    def write(self) -> None:
        """Write the file whole."""
        self.content["machine"] = machine()
        part = self.path.with_suffix(".part")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(self.content, indent=1) + "\n", encoding="utf-8")
        part.replace(self.path)


def machine() -> dict[str, Any]:
    """Return what of the machine bears on the numbers."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_gib": round(pages / 2**30),
        "python": platform.python_version(),
        "packages": {
            name: importlib.metadata.version(name)
            for name in ("remitstats", "numpy", "scipy", "qdldl", "pymc", "nutpie", "arviz-stats")
        },
    }


def digest_of(what: dict[str, Any], sources: list[str]) -> str:
    """Return a hash of what is asked for, of the benchmark's code for it and of the engine's."""
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode())
    for name in (*COMMON, *sources):
        digest.update((HERE / name).read_bytes())
    if "peers/remitstats_fit.py" in sources:
        digest.update(code_version().encode())
    return digest.hexdigest()[:16]
