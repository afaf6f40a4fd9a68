"""`remitstats data check`: say everything that is wrong with a panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from remitstats.errors import Problem
    from remitstats.panel.panel import Panel

NARROWEST_TABLE = 110


def check(
    file: Annotated[
        Path, typer.Argument(help="A panel: a Parquet file, a folder of tables, or one CSV file.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    schema_only: Annotated[
        bool,
        typer.Option(
            "--schema-only",
            help="Don't ask whether there is enough for the reliance model: figures, and a map "
            "in one part.",
        ),
    ] = False,
) -> None:
    """Check a panel and report every problem: table, row, column, value, what is accepted."""
    from rich.console import Console  # noqa: PLC0415  (start-up time)

    panel, summary, problems = _examined(file, schema_only=schema_only)
    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    if as_json:
        typer.echo(_as_json(file, panel, summary, problems))
    elif panel is not None and not problems:
        console.print(f"{file} is a valid panel: {_contents(panel)}.")
        for sentence in _lacking(panel):
            console.print(f"  - {sentence}")
    else:
        console.print(summary)
        _print_problems(console, problems)
    if problems or panel is None:
        raise typer.Exit(2)


def _examined(file: Path, *, schema_only: bool) -> tuple[Panel | None, str, Sequence[Problem]]:
    """Return the panel if it could be read as one, a sentence and all problems."""
    from remitstats.errors import PanelError  # noqa: PLC0415
    from remitstats.panel.check import check_for_reliance  # noqa: PLC0415
    from remitstats.panel.load import load_panel  # noqa: PLC0415

    try:
        panel = load_panel(file)
    except PanelError as error:
        return None, error.summary, error.problems
    problems = [] if schema_only else check_for_reliance(panel)
    summary = f"{file} is in order but not enough for the reliance model:" if problems else ""
    return panel, summary, problems


def _lacking(panel: Panel) -> list[str]:
    from remitstats.panel.missing import SENTENCES, missing_for_reliance  # noqa: PLC0415

    return [SENTENCES[key] for key in missing_for_reliance(panel)]


def _contents(panel: Panel) -> str:
    wave = panel.table("municipality_wave")
    waves = sorted(wave["wave"].unique())
    codes = panel.table("municipality")["cvegeo"]
    parts = [
        _counted(len(codes), "municipality", "municipalities"),
        f"{_counted(len(waves), 'wave', 'waves')} ({', '.join(map(str, waves))})",
        _counted(len(set(panel.states_of(codes))), "state", "states"),
        _counted(len(panel.tables), "table", "tables"),
    ]
    filled = panel.metadata.get("geography")
    note = f" ({filled})" if filled else ""
    return f"{', '.join(parts)}{note}, hash {panel.hash}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _print_problems(console: Console, problems: Sequence[Problem]) -> None:
    if not (console.is_terminal and console.width >= NARROWEST_TABLE):
        for problem in problems:
            console.print(f"  - {problem}")
        return
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415  (as text, nothing in a cell can be markup)

    table = Table("table", "row", "column", "found", "accepted", "remedy", show_lines=True)
    for problem in problems:
        table.add_row(*(Text(cell) for cell in asdict(problem).values()))
    console.print(table, soft_wrap=False)


def _as_json(file: Path, panel: Panel | None, summary: str, problems: Sequence[Problem]) -> str:
    import json  # noqa: PLC0415

    answer: dict[str, Any] = {
        "file": str(file),
        "valid": panel is not None and not problems,
        "summary": summary,
        "problems": [asdict(problem) for problem in problems],
    }
    if panel is not None:
        from remitstats.panel.missing import missing_for_reliance  # noqa: PLC0415

        answer |= {"hash": panel.hash, "municipalities": len(panel.table("municipality"))}
        answer |= {"missing": missing_for_reliance(panel)}
    return json.dumps(answer, ensure_ascii=False, indent=2)
