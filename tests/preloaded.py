"""The program without its start: a process that has imported it forks a child for each run.

Importing PyMC, pandas and Matplotlib takes longer than most of what is tested here. A child has
arguments, folder, environment and streams of its own, as a program just started has; what does
differ is that modules are there already. Start-up is therefore tested with the real program.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

NURSERY = """
import io, json, os, socket, sys, traceback
import pymc, matplotlib.figure, pandera.pandas, pandera.backends.pandas.builtin_checks
import remitstats.pipeline, remitstats.plan, remitstats.rebuild, remitstats.variations
import remitstats.cli.app, remitstats.report.site, remitstats.panel.failures
from remitstats.cli import main

def streams():
    for number, errors in ((1, "strict"), (2, "backslashreplace")):
        raw = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
        text = io.TextIOWrapper(raw, "utf-8", errors, line_buffering=number == 2)
        yield text

def run(given):
    os.chdir(given["folder"])
    os.environ.clear()
    os.environ.update(given["environment"])
    sys.argv = given["words"]
    sys.stdout, sys.stderr = streams()
    sys.stdin = open(0)
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    except BaseException:
        traceback.print_exc()
    return 1

ours = socket.socket(fileno=int(sys.argv[1]))
while True:
    message, handles, _, _ = socket.recv_fds(ours, 1 << 20, 3)
    if not message:
        break
    child = os.fork()
    if child == 0:
        for number, handle in enumerate(handles):
            os.dup2(handle, number)
        code = 1
        try:
            code = run(json.loads(message))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    for handle in handles:
        os.close(handle)
    ours.send(str(child).encode())
    _, status, used = os.wait4(child, 0)
    said = os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024, used.ru_utime + used.ru_stime
    ours.send(" ".join(map(str, said)).encode())
"""


class Preloaded:
    """Runs the program in children of a process that has it in memory.

    Attributes
    ----------
    memory : int
        Bytes that the last run had in use at most, what it shares with the process among them.
    seconds : float
        How long it had a core, whatever else ran on the machine.
    """

    memory = 0
    seconds = 0.0

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", NURSERY, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**environment, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()

    def start(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
        """Start the program, its output going nowhere, and return its process id."""
        given = {"words": list(words), "folder": str(folder), "environment": dict(environment)}
        with Path(os.devnull).open("r+b") as nothing:
            self.ours.settimeout(60)
            socket.send_fds(self.ours, [json.dumps(given).encode()], [nothing.fileno()] * 3)
            return int(self.ours.recv(32))

    def end(self) -> int:
        """Wait for the end of what was started and return its exit code."""
        self.ours.settimeout(240)
        return self.ended()

    def ended(self) -> int:
        """Take down what is said of a run that ended and return its exit code."""
        code, memory, seconds = self.ours.recv(64).split()
        self.memory, self.seconds = int(memory), float(seconds)
        return int(code)

    def run(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run the program to its end, like `subprocess.run`."""
        given = {"words": list(words), "folder": str(folder), "environment": dict(environment)}
        with (
            Path(os.devnull).open("rb") as nothing,
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as errors,
        ):
            handles = [file.fileno() for file in (nothing, output, errors)]
            self.ours.settimeout(60)
            socket.send_fds(self.ours, [json.dumps(given).encode()], handles)
            child = int(self.ours.recv(32))
            self.ours.settimeout(timeout)
            try:
                code = self.ended()
            except TimeoutError:
                os.kill(child, signal.SIGKILL)
                self.ours.settimeout(60)
                self.ours.recv(64)
                raise subprocess.TimeoutExpired(list(words), timeout) from None
            texts = []
            for file in (output, errors):
                file.seek(0)
                texts.append(file.read().decode("utf-8", errors="surrogateescape"))
        return subprocess.CompletedProcess(list(words), code, *texts)

    def close(self) -> None:
        """End the process."""
        self.process.kill()  # it is between children: nothing can be lost
        self.ours.close()
        self.process.wait(timeout=60)
