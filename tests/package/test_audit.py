"""`make audit` gives a verdict or says that it has none; never one that nobody gave.

What answers here is a stand-in for Python: databases of vulnerabilities are on the network.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "audit"
STAND_IN = """#!/usr/bin/env bash
case " $* " in
  *" pip install "*) exit {install} ;;
  *" osv "*) {osv} ;;
  *) {pypi} ;;
esac
"""
NO_NETWORK = "echo 'ConnectionError: Failed to resolve pypi.org'; exit 1"
FOUND = "echo 'Found 2 known vulnerabilities in 1 package'; echo 'jinja2 3.1.0 PYSEC-1'; exit 1"
CLEAN = "echo 'No known vulnerabilities found'; exit 0"


@pytest.mark.parametrize(
    ("install", "pypi", "osv", "code", "said"),
    [
        (0, CLEAN, NO_NETWORK, 0, "No known vulnerability in the packages of constraints.txt"),
        (0, NO_NETWORK, CLEAN, 0, "(asked: osv)"),
        (0, FOUND, CLEAN, 1, "jinja2 3.1.0 PYSEC-1"),
        (0, NO_NETWORK, FOUND, 1, "jinja2 3.1.0 PYSEC-1"),
        (0, NO_NETWORK, NO_NETWORK, 2, "THE AUDIT WAS NOT DONE: neither database"),
        (1, CLEAN, CLEAN, 2, "THE AUDIT WAS NOT DONE: pip-audit could not be installed"),
    ],
    ids=["clean", "second asked", "found", "found by second", "no network", "no tool"],
)
def test_the_audit_ends_with_what_was_answered(install, pypi, osv, code, said, tmp_path):
    python = tmp_path / "python"
    python.write_text(STAND_IN.format(install=install, pypi=pypi, osv=osv))
    python.chmod(0o755)
    done = subprocess.run([SCRIPT, python], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert ("no verdict" in done.stderr) == (code == 2)
