"""Notebooks as Jupyter has them, and as programs: they are kept as Markdown, without results.

``make_ipynb.py FOLDER`` writes FOLDER/NAME.ipynb of each; ``make_ipynb.py --run FILE`` runs one and
prints what its cells end with.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NOTEBOOKS = ("first-look", "circle-afternoon", "your-country")
CODE = re.compile(r"^```python\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
HEADER = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)


def cells(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind ("markdown" or "code") and the text of each cell of a notebook."""
    text = HEADER.sub("", text)
    at = 0
    for found in CODE.finditer(text):
        between = text[at : found.start()].strip()
        if between:
            yield "markdown", between
        yield "code", found[1].strip()
        at = found.end()
    if text[at:].strip():
        yield "markdown", text[at:].strip()


def as_ipynb(text: str) -> dict[str, Any]:
    """Return a notebook in Jupyter's format 4, without results."""
    made: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(cells(text)):
        cell = {"id": f"cell-{number}", "cell_type": kind, "metadata": {}}
        cell["source"] = source.splitlines(keepends=True)
        made.append({**cell, "execution_count": None, "outputs": []} if kind == "code" else cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": made,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def run(text: str, name: str) -> list[Any]:
    """Run a notebook's cells and return what those that end with an expression gave.

    Parameters
    ----------
    text : str
        The notebook.
    name : str
        What it is called in tracebacks.
    """
    scope: dict[str, Any] = {"__name__": name}
    shown = []
    for number, (kind, source) in enumerate(cells(text)):
        if kind != "code":
            continue
        where = f"{name}, cell {number}"
        body = ast.parse(source, where).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), where, "exec"), scope)  # noqa: S102 - our own text
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), where, "eval"), scope))  # noqa: S307
    return shown


def main(words: list[str]) -> None:
    """Do what the words of the command line ask for."""
    if len(words) == 2 and words[0] == "--run":
        import matplotlib as mpl  # noqa: PLC0415 - only running needs it

        mpl.use("Agg")
        path = Path(words[1])
        for value in run(path.read_text("utf-8"), path.stem):
            print(value, end="\n\n")
    elif len(words) == 1 and not words[0].startswith("-"):
        folder = Path(words[0])
        folder.mkdir(parents=True, exist_ok=True)
        for name in NOTEBOOKS:
            made = as_ipynb((HERE / f"{name}.md").read_text("utf-8"))
            out = folder / f"{name}.ipynb"
            out.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
    else:
        raise SystemExit((__doc__ or "").strip())


if __name__ == "__main__":
    main(sys.argv[1:])
