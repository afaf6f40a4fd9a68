"""Help and version: what they say, and that they come at once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import remitstats as package

COMMANDS = (
    *(
        "run",
        "fit",
        "many",
        "report",
        "claims",
        "simulate",
        "validate",
        "circle compare",
        "circle impulse",
    ),
    *("data build", "data check", "data info", "data export", "data fetch", "data template"),
)
README = Path(__file__).parents[2] / "README.md"
OPTIONS = (
    *("out", "fits", "panel", "states", "draws", "tune", "chains", "seed"),
    *("engine", "quick", "prior", "design-effect"),
)


def test_the_help_of_the_program_names_its_commands(remitstats):
    shown = remitstats("--help", started=True)
    assert (shown.returncode, shown.stderr) == (0, "")
    for command in ("run", "fit", "data"):
        assert f" {command} " in shown.stdout


@pytest.mark.parametrize("command", ["data", *COMMANDS])
def test_every_command_has_help(command, remitstats):
    shown = remitstats(*command.split(), "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"Usage: remitstats {command}" in shown.stdout
    assert remitstats.files == {}


@pytest.mark.parametrize("command", ["run", "fit"])
def test_the_help_of_a_fit_names_every_option(command, remitstats):
    shown = remitstats(command, "--help", COLUMNS="120").stdout
    for option in OPTIONS:
        assert f"--{option}" in shown


def commands_of_the_readme():
    """Return the command and the options of every call of the program in README.md."""
    calls = re.findall(r"(?:^    |`)remitstats ([^`#\n]+)", README.read_text("utf-8"), re.MULTILINE)
    found = {}
    for call in calls:
        command = next(name for name in COMMANDS if call.startswith(name))
        found.setdefault(command, set()).update(re.findall(r" (--[a-z-]+)", call))
    return found


def test_the_readme_calls_commands_with_options_that_they_have(remitstats):
    found = commands_of_the_readme()
    assert {"run", "fit", "data build", "data check", "data export", "data info"} <= set(found)
    for command, options in found.items():
        shown = remitstats(*command.split(), "--help", COLUMNS="120").stdout
        assert options <= set(re.findall(r"--[a-z-]+", shown)), command


def test_no_command_at_all_shows_the_help(remitstats):
    shown = remitstats(started=True)
    assert shown.returncode == 2
    assert "Usage: remitstats" in shown.stdout + shown.stderr


def test_the_version_is_that_of_the_package(remitstats):
    shown = remitstats("--version", started=True)
    assert (shown.returncode, shown.stdout) == (0, f"remitstats {package.__version__}\n")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from remitstats.cli import main\n"
        "sys.argv = ['remitstats', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print('IMPORTED', *sorted(sys.modules), file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(ran.stderr.split("IMPORTED")[1].split())
    assert "typer" in imported
    heavy = {"pymc", "pytensor", "pandas", "numpy", "scipy", "xarray", "matplotlib", "pyarrow"}
    assert not imported & heavy
