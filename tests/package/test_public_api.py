"""What is listed in docs/public-api.json is there and takes what it took."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path

import pytest

import remitstats

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location(
    "public_api", Path(__file__).with_name("public_api.py")
)
api = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(api)


@pytest.fixture(scope="module")
def now():
    return api.public_api()


@pytest.fixture(scope="module")
def listed():
    return json.loads(api.LIST.read_text("utf-8"))


def broken(before: dict, after: dict) -> list[str]:
    """Return what calls that worked before would stumble over; what is new is no harm."""
    found = []
    for name, what in before["python"].items():
        if name not in after["python"]:
            found.append(f"{name} is gone")
        elif not isinstance(what, dict) or "module" in what:
            found += [f"{name} is another thing"] if after["python"][name] != what else []
        else:
            found += broken_call(name, what, after["python"][name])
    for command, options in before["command line"].items():
        gone = set(options) - set(after["command line"].get(command, ()))
        found += [f"{command} {option} is gone" for option in sorted(gone)]
    return found


def broken_call(name: str, before: dict, after: dict) -> list[str]:
    found = [f"{name}: parameter {key} is gone" for key in before if key not in after]
    for key, how in after.items():
        old = before.get(key)
        if old is None and "default" not in how and not how["kind"].startswith("var"):
            found.append(f"{name}: parameter {key} is new and has no default")
        elif old is not None and how != old:
            found.append(f"{name}: parameter {key} was {old}, is {how}")
    order = [key for key, how in before.items() if how["kind"] == "positional_or_keyword"]
    if order != [key for key in list(after)[: len(order)] if key in order]:
        found.append(f"{name}: the order of its parameters has changed")
    return found


def test_nothing_listed_is_gone_or_takes_something_else(listed, now):
    assert broken(listed, now) == [], "if that is meant, say so in CHANGELOG.md and in the list"


def test_the_list_names_what_the_readme_shows(listed):
    for name in ("fit", "gate", "summarise", "load_mexico", "reliance.build", "Panel.select"):
        assert name in listed["python"]
    assert "--states" in listed["command line"]["remitstats run"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda api: api["python"].pop("fit"), "fit is gone"),
        (lambda api: api["python"]["fit"].pop("seed"), "fit: parameter seed is gone"),
        (lambda api: api["python"]["fit"]["seed"].update(default=2), "fit: parameter seed was"),
        (
            lambda api: api["python"]["fit"].update(more={"kind": "keyword_only"}),
            "fit: parameter more is new",
        ),
        (
            lambda api: api["python"].update(
                fit=dict(reversed(list(api["python"]["fit"].items())))
            ),
            "fit: the order",
        ),
        (lambda api: api["command line"]["remitstats run"].remove("--out"), "run --out is gone"),
    ],
)
def test_what_would_break_a_call_is_noticed(listed, change, said):
    after = json.loads(json.dumps(listed))
    change(after)
    assert any(said in problem for problem in broken(listed, after))


def test_what_is_new_breaks_nothing(listed):
    after = json.loads(json.dumps(listed))
    after["python"]["fit"]["more"] = {"kind": "keyword_only", "default": None}
    after["python"]["another"] = {}
    after["command line"]["remitstats run"].append("--more")
    assert broken(listed, after) == []


def test_all_places_name_the_same_version_and_licence():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert project["version"] == remitstats.__version__
    assert f"\nversion: {project['version']}\n" in citation
    assert f"\nlicense: {project['license']}\n" in citation
    assert project["version"] in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert (ROOT / "LICENSE").read_text("utf-8").startswith(f"{project['license']} License")
