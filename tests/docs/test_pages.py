"""Links between pages lead somewhere, commands on them exist, and every public name is listed."""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_command

import remitstats
from remitstats.cli.app import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for ending in ("*.md", "*.rst")
    for path in DOCS.rglob(ending)
    if "_build" not in path.relative_to(DOCS).parts
)
ROOT_PAGES = [ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING")]
OWN_COMMANDS = re.compile(r"^    (?:\.venv/bin/)?remitstats ([^#\n]+)|`remitstats ([^`#]+)`", re.M)


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("page", PAGES + ROOT_PAGES, ids=names(PAGES + ROOT_PAGES))
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_files_named_in_words_are_there(page):
    made_by_users = ("docs/_build", "reports/")
    for target in re.findall(
        r"`((?:docs|models|remitstats|tests|data|benchmarks)/[\w./-]+)`", page.read_text("utf-8")
    ):
        assert target.startswith(made_by_users) or (ROOT / target).exists(), target


def words_of(path):
    return " ".join((ROOT / path).read_text("utf-8").split())


@pytest.mark.parametrize(
    ("said", "source", "there"),
    [
        (
            "1,289 of 2,456 with 1.8% of the dollars",
            "docs/dependence.md",
            "1,289 of 2,456, with 1.8%",
        ),
        ("19 of 22 statistics", "docs/dependence.md", "19 of 22 statistics"),
        ("37 of 64 statistics", "docs/depopulation.md", "37 of 64 statistics"),
        ("0.26 points a year too high", "docs/depopulation.md", "0.26 points a year too high"),
        ("166 published, 93 to 121 expected", "README.md", "166 published; 93 to 121 expected"),
        ("**a weak one in 41 of 100**", "docs/circle.md", "| weakly vicious | 41 |"),
        ("a strong circle in 97 of 100", "docs/circle.md", "| vicious | 97 |"),
        (
            "deviation of 0.15 in logarithms",
            "remitstats/estimands/dependence_money.py",
            "sd: float = 0.15",
        ),
    ],
)
def test_figures_of_the_limits_are_those_of_their_sources(said, source, there):
    assert said in words_of("docs/limits.md")
    assert there in words_of(source)


def listed_in_toctrees(page):
    text = page.read_text("utf-8")
    for body in re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        lines = (x for x in body.split("\n") if x and not x.startswith(":"))
        yield from (re.sub(r".*<(.+)>", r"\1", line) for line in lines)  # "title <page>"


def test_every_page_is_reached_from_the_index():
    seen, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        for entry in listed_in_toctrees(page):
            found = [p for e in (".md", ".rst") if (p := page.parent / f"{entry}{e}").exists()]
            assert found, f"{page.name}: {entry}"
            waiting += [p for p in found if p not in seen]
    assert set(PAGES) == seen


def options_of(words):
    """Return the options of the command that the words begin with; None if there is none."""
    command = get_command(app)
    for word in words:
        if not hasattr(command, "commands"):
            break
        if word not in command.commands:
            return None
        command = command.commands[word]
    return {given for item in command.params for given in (*item.opts, *item.secondary_opts)}


@pytest.mark.parametrize("page", PAGES + ROOT_PAGES, ids=names(PAGES + ROOT_PAGES))
def test_commands_exist_with_the_options_they_are_given(page):
    for first, second in OWN_COMMANDS.findall(page.read_text("utf-8")):
        words = (first or second).split()
        if words[0].startswith("-"):
            continue
        options = options_of(words)
        assert options is not None, " ".join(words)
        given = {re.sub("=.*", "", word) for word in words if word.startswith("--")}
        assert given <= options, " ".join(words)


def test_a_command_that_is_none_would_be_noticed():
    assert options_of(["data", "chek"]) is None
    assert "--panel" in options_of(["fit", "reliance"])
    assert "--no-such" not in options_of(["run"])
    assert isinstance(app, typer.Typer)


def test_make_targets_on_the_pages_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in PAGES + ROOT_PAGES:
        found = re.findall(r"(?:^    |`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
        assert set(found) <= targets, page.name


def reference():
    return "\n".join(path.read_text("utf-8") for path in sorted((DOCS / "reference").glob("*.rst")))


def test_every_public_name_is_in_the_reference():
    listed = json.loads((DOCS / "public-api.json").read_text("utf-8"))["python"]
    text = reference()
    for name in listed:
        first, _, member = name.partition(".")
        if isinstance(listed[name], dict) and "module" in listed[name]:
            assert re.search(rf"remitstats\.(models\.)?{first}\b", text), name
        elif isinstance(getattr(remitstats, first), type):  # a class with its members
            shown = rf"auto(class|exception):: (remitstats\.)?{first}\n   :members:"
            assert re.search(shown, text), name
        else:
            assert re.search(rf":: (remitstats\.)?{re.escape(name)}\n", text), (name, member)


def test_everything_in_the_reference_can_be_imported():
    text = reference()
    current = re.findall(r":: (remitstats[\w.]*)", text)
    assert len(current) > 50
    for path in current:
        assert pkgutil.resolve_name(path) is not None, path


def test_the_pages_build_without_a_warning(tmp_path):
    """What `make docs` does."""
    for needed in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install .[dev]")
    words = ["-q", "-W", "--keep-going", "-b", "html", "-d", tmp_path / "trees"]
    command = [sys.executable, "-m", "sphinx", *words, DOCS, tmp_path / "html"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    made = (tmp_path / "html" / "reference" / "models.html").read_text("utf-8")
    assert "logit p_iw" in made
    pages = [p.read_text("utf-8") for p in (tmp_path / "html").rglob("*.html")]
    loaded = r'<(?:script|img)[^>]+src="https?:|<link[^>]+rel="stylesheet"[^>]+href="https?:'
    assert not any(re.search(loaded, page) for page in pages)  # read without a network
