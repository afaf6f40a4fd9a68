"""`remitstats claims`: which claims hold, by the rules of a ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remitstats.cli.options import PanelFile, States, codes_of

if TYPE_CHECKING:
    from remitstats.claims.assess import Assessment
    from remitstats.claims.ledger import Ledger


def claims(
    *,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", help="A ledger of your own (TOML).", metavar="FILE"),
    ] = None,
    results: Annotated[
        Path, typer.Option("--results", help="Folder of the results of fits.", metavar="DIR")
    ] = Path("reports"),
    panel: PanelFile = None,
    states: States = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    estimands: Annotated[
        bool, typer.Option("--estimands", help="List the estimands that a ledger may name.")
    ] = False,
) -> None:
    """Hold the claims of a ledger against the shipped series and the results of fits."""
    if estimands:
        _list_estimands()
        return
    codes = codes_of(states)
    from remitstats.claims.assess import evaluate  # noqa: PLC0415  (start-up stays quick)
    from remitstats.claims.evidence import read_sources  # noqa: PLC0415
    from remitstats.claims.read import read_ledger  # noqa: PLC0415
    from remitstats.pipeline import open_panel  # noqa: PLC0415

    read = read_ledger(ledger)
    found = evaluate(read, read_sources(open_panel(panel, codes), results))
    if as_json:
        typer.echo(json.dumps(_document(read, found), indent=2, ensure_ascii=False))
    else:
        _show(read, found)


def _document(ledger: Ledger, found: Sequence[Assessment]) -> dict[str, object]:
    from remitstats.claims.assess import document  # noqa: PLC0415  (start-up stays quick)

    return document(ledger, found)


def _show(ledger: Ledger, found: Sequence[Assessment]) -> None:
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from remitstats.claims.assess import counts, show_figure  # noqa: PLC0415

    table = Table("claim", "claimed", "verdict", "why", title=Text(ledger.title), show_lines=True)
    for each in found:
        claim = each.claim
        figure = "" if claim.value is None else show_figure(claim.value, claim.unit)
        why = each.reason
        if each.run:
            why += f". Run: {'; '.join(each.run)}"
        said = f"{claim.id}\n{claim.says}"
        table.add_row(Text(said), Text(figure), Text(each.verdict), Text(why))
    console = Console()
    console.print(table)
    said = ", ".join(f"{number} {verdict}" for verdict, number in counts(found).items())
    console.print(Text(f"{len(found)} claims: {said}."))


def _list_estimands() -> None:
    from remitstats.claims.measures import MEASURES  # noqa: PLC0415  (start-up stays quick)

    for name, measure in sorted(MEASURES.items()):
        asked = ", ".join(
            f"{key} ({kind}{'' if key in measure.required else ', optional'})"
            for key, kind in measure.parameters.items()
        )
        typer.echo(f"{name}: {measure.gives}\n    {measure.description}\n    at: {asked}")
