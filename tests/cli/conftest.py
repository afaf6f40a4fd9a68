"""The installed program, run as a user runs it, and small jobs for it."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(sys.executable).with_name("remitstats")
HEADER = "cvegeo,wave,dwellings,receiving_percent"
ROWS = (
    "02001,2000,81000,4.1",
    "02001,2010,122000,3.6",
    "02002,2000,186000,2.5",
    "02002,2010,262000,3.2",
    "03001,2000,15000,1.1",
    "03001,2010,18000,1.2",
    "03002,2000,11000,1.6",
    "03002,2010,16000,1.4",
)
LOUD = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
QUIET = ("NO_COLOR", "COLUMNS", "LINES")


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without what would decide how the program draws."""
    kept = {name: value for name, value in os.environ.items() if name not in (*LOUD, *QUIET)}
    return {**kept, "TERM": "xterm-256color", **changes}


@functools.cache
def preloaded() -> Any:
    """Return what runs the program without its start; made when it is first asked for."""
    path = Path(__file__).parents[1] / "preloaded.py"
    spec = importlib.util.spec_from_file_location("preloaded", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Preloaded(environment())


@pytest.fixture
def fork() -> Any:
    """Return what starts the program in a child that may be killed."""
    return preloaded()


@pytest.fixture(scope="session", autouse=True)
def end_preloaded() -> Iterator[None]:
    """End that process with the tests."""
    yield
    if preloaded.cache_info().currsize:
        preloaded().close()
        preloaded.cache_clear()


@dataclass(frozen=True)
class Program:
    """The program in one working folder."""

    folder: Path

    def __call__(
        self,
        *words: object,
        timeout: float = 240,
        limit: Callable[[], None] | None = None,
        started: bool = False,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, neither output being a terminal.

        Parameters
        ----------
        timeout : float
            Seconds after which it is killed.
        limit : callable, optional
            Called in the new process before the program starts.
        started : bool
            Start it as a user does, which takes seconds; otherwise a process that has imported
            it already runs it in a child (see `preloaded`).
        """
        if limit is None and not started:
            return preloaded().run(self.words(*words), self.folder, environment(**env), timeout)
        return subprocess.run(
            self.words(*words),
            cwd=self.folder,
            env=environment(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout,
            check=False,
            preexec_fn=limit,
        )

    def start(
        self, *words: object, terminal: int | None = None, **env: str
    ) -> subprocess.Popen[str]:
        """Start it and return at once; it writes into pipes, or on a terminal if one is given."""
        output = subprocess.PIPE if terminal is None else terminal
        return subprocess.Popen(
            self.words(*words),
            cwd=self.folder,
            env=environment(**env),
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=output,
            stderr=output,
            encoding="utf-8",
        )

    @staticmethod
    def words(*words: object) -> list[str]:
        return [str(PROGRAM), *map(str, words)]

    @property
    def files(self) -> dict[str, tuple[int, int]]:
        """Return size and time of everything in the folder."""
        found = self.folder.rglob("*")
        return {
            str(path.relative_to(self.folder)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in found
        }


@dataclass(frozen=True)
class Finished:
    """A run that came to its end, its folder, and the options that give it again."""

    result: subprocess.CompletedProcess[str]
    folder: Path
    options: tuple[str, ...]
    out: str
    fits: str


SMALL = ("--states", "02,03", "--draws", "40", "--tune", "40", "--chains", "2", "--seed", "7")


@pytest.fixture
def remitstats(tmp_path) -> Program:
    return Program(tmp_path)


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Options of a fit of ten municipalities that takes a second."""
    return SMALL


@pytest.fixture(scope="session")
def rows() -> tuple[str, ...]:
    """Rows of a panel of four municipalities that make one map across two states."""
    return ROWS


@pytest.fixture
def write_panel(tmp_path) -> Callable[..., Path]:
    """Return a writer of rows as a CSV panel."""

    def write(rows=ROWS, name: str = "mine.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(("\n".join([HEADER, *rows]) + "\n").encode(encoding))
        return path

    return write


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Finished:
    """One whole `run`, into folders with blanks and accents; look at it, don't change it."""
    folder = tmp_path_factory.mktemp("la corrida")
    out, fits = "informe ñandú [red]", "ajustes guardados"
    words = ("run", *SMALL, "--models", "reliance", "--out", out, "--fits", fits)
    result = Program(folder)(*words, started=True)
    return Finished(result, folder, SMALL, out, fits)


@pytest.fixture
def copied(finished, tmp_path) -> Finished:
    """Return a copy of the finished run that may be changed."""
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder)
    return Finished(finished.result, folder, finished.options, finished.out, finished.fits)


@pytest.fixture(scope="session")
def in_folder() -> type[Program]:
    """Return what makes the program run in a folder of one's choice."""
    return Program


@pytest.fixture
def refused(remitstats) -> Callable[..., str]:
    """Return a runner that holds the program to refusing well, and returns what it said.

    Refusing well: exit code 2, one sentence on standard error after the phases' names, nothing on
    standard output, no traceback, and the folder as it was.
    """

    def run(*words: object, **env: str) -> str:
        before = remitstats.files
        result = remitstats(*words, **env)
        assert result.returncode == 2, result.stderr
        assert "Traceback" not in result.stderr
        assert "Warning" not in result.stderr
        assert result.stdout == ""
        assert remitstats.files == before
        said = [line for line in result.stderr.splitlines() if not line.endswith(" …")]
        aside = ("  - ", "  … and ", "Usage: ", "Try '")
        assert len([line for line in said if line and not line.startswith(aside)]) == 1
        return "\n".join(said)

    return run
