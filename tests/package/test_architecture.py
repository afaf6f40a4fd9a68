"""The import rules of ARCHITECTURE.md hold, and its table is complete."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "remitstats"
TEXT = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
ORDER = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
EXCEPTIONS = {("simulate/paid_out.py", "estimands")}
OUTSIDE = {"__init__", "data", "__version__"}  # data: figures, in an installed package


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> set[str]:
    """Return the parts of the package that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    found = {name.split(".")[1] for name in names if name.startswith("remitstats.")}
    return found - OUTSIDE


def breaches(modules: dict[Path, str]) -> set[tuple[str, str]]:
    """Return which module imports which part that stands below its own."""
    place = {part: number for number, part in enumerate(ORDER)}
    return {
        (path.relative_to(PACKAGE).as_posix(), other)
        for path, source in modules.items()
        for other in imported(ast.parse(source))
        if place[other] > place[part_of(path)]
    }


@pytest.fixture(scope="module")
def modules() -> dict[Path, str]:
    found = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    return {path: source for path, source in found.items() if part_of(path) not in OUTSIDE}


def test_the_table_names_every_part_once(modules):
    assert len(ORDER) == len(set(ORDER)) > 10
    assert {part_of(path) for path in modules} == set(ORDER)


def test_no_module_imports_a_part_below_its_own(modules):
    assert breaches(modules) == EXCEPTIONS
    for module, other in EXCEPTIONS:
        assert f"`{module}` takes" in TEXT
        assert f"from `{other}`" in TEXT


@pytest.mark.parametrize(
    "line",
    [
        "import remitstats.report.site",
        "from remitstats.report import site",
        "from remitstats import report",
        "def f():\n    from remitstats.report import site",
        "if TYPE_CHECKING:\n    from remitstats.report import site",
    ],
)
def test_an_import_the_wrong_way_is_found_wherever_it_stands(line):
    assert breaches({PACKAGE / "panel/load.py": line}) == {("panel/load.py", "report")}
    assert breaches({PACKAGE / "pipeline.py": line}) == set()
