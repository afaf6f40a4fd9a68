"""What SECURITY.md says of the code holds: nothing from disk is run, nothing is left unescaped."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for folder in ("remitstats", "models")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
FORBIDDEN = (  # names that run what they are given, or skip a check
    *("eval", "exec", "os.system", "os.popen", "read_pickle", "joblib.load", "joblib.Memory"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "shelve.open"),
    *("marshal.load", "marshal.loads", "yaml.load", "extractall", "unpack_archive", "mktemp"),
)
BETWEEN_PROCESSES = {  # pickles of one run, through pipes or a cluster
    "remitstats/fitting/cluster.py",
    "remitstats/fitting/local.py",
    "remitstats/fitting/task.py",
}


def calls(source: str) -> list[tuple[str, ast.Call]]:
    return [
        (ast.unparse(node.func), node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    ]


def is_forbidden(name: str) -> bool:
    last = name.rsplit(".", 1)[-1]
    methods = {word for word in FORBIDDEN if "." not in word} - {"eval", "exec"}
    return name in FORBIDDEN or last in methods


def is_unsafe(keyword: ast.keyword) -> bool:
    if keyword.arg in ("allow_pickle", "shell"):
        return not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    return keyword.arg == "verify" and ast.unparse(keyword.value) != "True"


def test_no_module_runs_or_unpickles_what_it_reads():
    found = [
        f"{name}, line {node.lineno}: {called}"
        for name, source in SOURCES.items()
        for called, node in calls(source)
        if is_forbidden(called) or any(is_unsafe(keyword) for keyword in node.keywords)
    ]
    assert found == []


def test_pickles_are_read_only_from_processes_of_the_same_run():
    found = {
        name
        for name, source in SOURCES.items()
        if any(called == "cloudpickle.loads" for called, _ in calls(source))
    }
    assert found == BETWEEN_PROCESSES


@pytest.mark.parametrize(
    "line",
    [
        *("pd.read_pickle(p)", "pickle.load(f)", "archive.extractall()", "eval(x)"),
        *("joblib.load(p)", "np.load(p, allow_pickle=True)", "get(u, verify=False)"),
    ],
)
def test_what_is_forbidden_would_be_found(line):
    ((called, node),) = calls(line)
    assert is_forbidden(called) or any(map(is_unsafe, node.keywords))


def test_templates_escape_everything_and_no_text_is_declared_safe_in_them():
    templates = list((ROOT / "remitstats/report/templates").glob("*.j2"))
    assert len(templates) > 10
    for template in templates:
        text = template.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup\(", text), template.name
        for address in re.findall(r"(?:src|href|action)\s*=\s*[\"']([^\"']*)", text):
            assert not address.startswith(("http:", "//", "javascript:")), template.name
    assert SOURCES["remitstats/report/site.py"].count("autoescape=True") == 1
    assert SOURCES["remitstats/report/site.py"].count("Environment(") == 1


def test_markup_is_made_of_constant_texts_alone():
    """`Markup(...)` switches escaping off: its argument must be ours, values come by `format`."""
    for name, source in SOURCES.items():
        for called, node in calls(source):
            if called.split(".")[-1] == "Markup" and node.args:
                ours = isinstance(node.args[0], ast.Constant) or name.endswith("report/texts.py")
                assert ours, f"{name}, line {node.lineno}"
