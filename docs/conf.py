"""How the documentation is built: `make docs`, offline, with warnings as errors."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import remitstats

project = "remitstats"
author = "The remitstats team"
copyright = author  # the name that Sphinx looks for
version = release = remitstats.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"remitstats {version}"
html_copy_source = False
highlight_language = "none"  # formulas and lines of a shell are no Python

# Docstrings are numpy's. `Names` are shown as code: many models have a `Priors` of their own.
default_role = "code"
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it in words, with shapes and units
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
myst_heading_anchors = 3


SEVERAL = re.compile(r"\b(Priors|Measures|Form|Noise)\b")


def as_written(_app: Any, what: str, _name: str, _of: Any, _options: Any, lines: list[str]) -> None:
    """Keep formulas of modules as they are written, and names that several models have unlinked.

    Modules say the mathematics of a model in plain text: what is indented after an empty line is
    meant as it stands, and reStructuredText would make quotations of it.
    """
    if what != "module":
        lines[:] = [SEVERAL.sub(r"``\1``", x) if x.startswith(":type ") else x for x in lines]
        return
    found: list[str] = []
    inside = False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not inside and not (found and found[-1]):
            found += ["::", ""]
        inside = indented or (inside and not line)
        found.append(line)
    lines[:] = found


def setup(app: Any) -> None:
    """Let Sphinx know."""
    app.connect("autodoc-process-docstring", as_written)
