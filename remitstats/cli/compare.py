"""`remitstats report --compare A B`: what changed between two runs, as tables and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from remitstats.report.compare import Comparison, ModelComparison
    from remitstats.report.texts import Texts

MOST = 15  # estimates of a model that the terminal shows


def show_comparison(a: Path, b: Path, out: Path, language: str = "en") -> None:
    """Print what changed between the results in two folders, write the page, print its path.

    Raises
    ------
    RemitstatsError
        If a folder holds no results, or the page can't be written.
    """
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)

    from remitstats.pipeline import require_writable  # noqa: PLC0415
    from remitstats.report.compare import compare  # noqa: PLC0415
    from remitstats.report.compare_page import headline, write_page  # noqa: PLC0415
    from remitstats.report.texts import Texts  # noqa: PLC0415

    texts = Texts(language)
    texts = texts.with_constants(interval=texts.plain("site.interval"))
    found = compare(a, b)
    require_writable(out)
    page = write_page(found, out, texts)
    console = Console()
    typer.echo(f"A: {a}\nB: {b}")
    for line in headline(found, texts):
        typer.echo(line)
    _show_verdicts(console, found, texts)
    for model in found.models:
        _show(console, model, texts)
    typer.echo(str(page))


def _show_verdicts(console: Console, found: Comparison, texts: Texts) -> None:
    from rich.table import Table  # noqa: PLC0415  (start-up stays quick)
    from rich.text import Text  # noqa: PLC0415

    if not found.verdicts:
        return
    table = Table(texts.plain("compare.claim"), "A", "B", title=texts.plain("compare.verdicts"))
    for each in found.verdicts:
        table.add_row(*map(Text, (each.claim, each.a or "–", each.b or "–")))
    console.print(table)


def _show(console: Console, model: ModelComparison, texts: Texts) -> None:
    """Print a model: settings that differ, the gate, headline estimates, the largest changes."""
    from rich.table import Column, Table  # noqa: PLC0415  (start-up stays quick)
    from rich.text import Text  # noqa: PLC0415

    from remitstats.report.compare_page import cells, row, summary  # noqa: PLC0415

    console.print()
    what = Column(texts.plain("compare.setting"), overflow="fold")
    settings = Table(what, "A", "B", title=model.name)
    for line in (*model.run, *model.gate):
        settings.add_row(*map(Text, row(line, texts)))
    console.print(settings)
    typer.echo(summary(model, texts))
    rows = model.rows[model.rows["headline"]].head(MOST)
    shown = [*cells(rows), *cells(model.beyond.drop(rows.index, errors="ignore").head(MOST))]
    if not shown:
        return
    heads = ("estimate", "difference", "error", "ratio")
    first, *rest = (texts.plain(f"compare.{key}") for key in heads)
    table = Table(Column(first, overflow="fold"), "A", "B", *rest)
    for each in shown:
        table.add_row(
            *map(
                Text,
                (
                    f"{each['label']} ({each['table']})",
                    f"{each['a']}\n{each['a_interval']}",
                    f"{each['b']}\n{each['b_interval']}",
                    each["difference"],
                    each["error"],
                    each["ratio"] + (" !" if each["beyond"] else ""),
                ),
            )
        )
    console.print(table)
