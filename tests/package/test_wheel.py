"""The built package works on its own: in an empty folder, without the repository beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
INSIDE = (
    "remitstats/data/mexico.parquet",
    "remitstats/data/dictionary.json",
    "remitstats/report/texts_en.toml",
    "remitstats/report/assets/style.css",
    "remitstats/report/assets/municipalities.js",
    "remitstats/sources/registry.toml",
)


def done(*command, cwd, codes=(0,), **env):
    """Run a command to its end and hold it to one of some exit codes."""
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert ran.returncode in codes, ran.stdout + ran.stderr
    return ran


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel with what is installed, without a network."""
    pytest.importorskip("hatchling", reason="the wheel is built by hatchling: pip install .[dev]")
    folder = tmp_path_factory.mktemp("dist")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check")
    done(*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, REPOSITORY, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Path:
    """Install the wheel into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    done(*pip, "--no-deps", "--no-index", "--target", folder, wheel, cwd=folder)
    return folder


@pytest.fixture
def program(installed, tmp_path):
    """Return a runner of the installed program in an empty folder."""

    def run(*words, codes=(0,)):
        script = (sys.executable, installed / "bin" / "remitstats")
        return done(*script, *words, cwd=tmp_path, codes=codes, PYTHONPATH=str(installed))

    return run


@pytest.fixture(scope="session")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.parametrize("name", INSIDE)
def test_the_wheel_holds_what_the_program_reads(name, names):
    assert name in names


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(names):
    package = REPOSITORY / "remitstats"
    wanted = {
        path.relative_to(REPOSITORY).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    wanted |= {
        f"remitstats/{path.relative_to(REPOSITORY).as_posix()}"
        for path in (REPOSITORY / "data").rglob("*")
        if path.is_file()
    }
    own = {name for name in names if ".dist-info/" not in name}
    assert own == wanted
    assert any(name.endswith(".html.j2") for name in own)
    assert not [name for name in names if "test" in name.split("/")[0]]


def test_the_wheel_carries_the_licence_and_the_command(wheel, names):
    assert any(name.endswith("/LICENSE") for name in names)
    (entry,) = [name for name in names if name.endswith("entry_points.txt")]
    with zipfile.ZipFile(wheel) as archive:
        assert "remitstats = remitstats.cli:main" in archive.read(entry).decode()


def test_the_installed_package_is_the_one_that_runs(installed, tmp_path):
    code = "import remitstats.panel.load as l; print(l.shipped_path())"
    ran = done(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(installed))
    assert Path(ran.stdout.strip()) == installed / "remitstats" / "data" / "mexico.parquet"


def test_the_installed_program_knows_its_panel(program):
    facts = json.loads(program("data", "info", "--json").stdout)
    assert facts["municipalities"] == 2456


def test_the_installed_program_fits_and_reports_in_an_empty_folder(program, tmp_path):
    small = ("--states", "02,03", "--draws", "20", "--tune", "20", "--chains", "2")
    ran = program("run", *small, "--models", "reliance", codes=(3,))
    assert ran.stdout == "reports/index.html\n"
    assert "NOT CONVERGED" in ran.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"reports", "fits"}
    assert (tmp_path / "reports" / "index.html").stat().st_size > 1000
    assert json.loads((tmp_path / "reports" / "results.json").read_text())["units"] == 10
