"""The notebooks run in their short form, use what is public, and are kept without results."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import warnings
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest

import remitstats

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
_SPEC = importlib.util.spec_from_file_location("make_ipynb", FOLDER / "make_ipynb.py")
notebooks = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(notebooks)


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text("utf-8")


def code_of(name: str) -> str:
    return "\n".join(source for kind, source in notebooks.cells(text_of(name)) if kind == "code")


@pytest.mark.parametrize("name", notebooks.NOTEBOOKS)
def test_a_notebook_runs_and_shows_tables_pictures_and_the_gate(name, monkeypatch, tmp_path):
    import matplotlib.pyplot as plt

    monkeypatch.setenv("REMITSTATS_SHORT", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context({"backend": "Agg"}), warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = notebooks.run(text_of(name), name)
        pictures = len(plt.get_fignums())
        plt.close("all")
    assert pictures >= 1
    assert sum(isinstance(value, pd.DataFrame) for value in shown) >= 4
    gates = [value for value in shown if isinstance(value, remitstats.Gate)]
    assert gates
    assert not any(gate.converged for gate in gates)  # a short form is no result, and is told so


@pytest.mark.parametrize("name", notebooks.NOTEBOOKS)
def test_a_notebook_uses_public_names_alone(name):
    tree = ast.parse(code_of(name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), node.attr
        if isinstance(node, ast.ImportFrom):
            assert not any(part.startswith("_") for part in node.module.split("."))
            assert not any(given.name.startswith("_") for given in node.names)


def test_the_folder_has_these_notebooks_and_the_index_leads_to_them():
    kept = {path.stem for path in FOLDER.glob("*.md")} - {"index"}
    assert kept == set(notebooks.NOTEBOOKS)
    index = (FOLDER / "index.md").read_text("utf-8")
    for name in notebooks.NOTEBOOKS:
        assert re.search(rf"^{name}$", index, re.MULTILINE)


def test_notebooks_become_jupyters_without_results(tmp_path):
    notebooks.main([str(tmp_path / "made")])
    for name in notebooks.NOTEBOOKS:
        made = json.loads((tmp_path / "made" / f"{name}.ipynb").read_text("utf-8"))
        assert made["nbformat"] == 4
        assert len({cell["id"] for cell in made["cells"]}) == len(made["cells"])
        code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
        joined = "\n".join("".join(cell["source"]) for cell in code)
        assert joined == code_of(name)
        assert made["cells"][0]["source"][0].startswith("# ")


def test_cells_of_a_notebook_are_what_stands_between_fences():
    text = "---\nkernel: x\n---\n\n# Title\n\n```python\na = 1\na + 1\n```\n\nWords `a`.\n"
    assert list(notebooks.cells(text)) == [
        ("markdown", "# Title"),
        ("code", "a = 1\na + 1"),
        ("markdown", "Words `a`."),
    ]
    assert notebooks.run(text, "small") == [2]
