"""`remitstats data info`: show what a panel holds and where it is from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

_TITLES = {
    "reliance_percent": "dwellings that receive remittances, %",
    "dwellings": "dwellings",
    "population": "population",
    "municipality_remittances_usd_million": "remittances, municipal sums, USD million",
    "state_remittances_usd_million": "remittances, state sums, USD million",
}


def info(
    file: Annotated[
        Path | None, typer.Argument(help="A panel of your own; without it, the one shipped.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
) -> None:
    """Show a panel's tables, coverage, publishers, check figures and hash."""
    import json  # noqa: PLC0415  (start-up time)

    from rich.console import Console  # noqa: PLC0415

    from remitstats.panel.describe import describe  # noqa: PLC0415
    from remitstats.panel.load import load_mexico, load_panel  # noqa: PLC0415

    facts = describe(load_mexico() if file is None else load_panel(file))
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(str(facts["title"] or file or "A panel"), style="bold")
    console.print(
        f"{facts['municipalities']:,} municipalities, {facts['states']:,} states, "
        f"waves {', '.join(map(str, facts['waves']))}; hash {facts['hash']}"
    )
    if facts["built"]:
        console.print(f"Official files consulted on {facts['built']}.")
    console.print(_tables(facts["tables"]))
    for name, values in facts["check_figures"].items():
        figures = ", ".join(f"{key}: {value:,}" for key, value in values.items())
        console.print(f"{_TITLES.get(name, name)}: {figures}", soft_wrap=True)
    if facts["publishers"]:
        console.print(_publishers(facts["publishers"]))


def _tables(tables: dict[str, Any]) -> Table:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = Table("table", "rows", "columns", "period", box=None)
    for name, extent in tables.items():
        period = f"{extent['from']} to {extent['to']}" if extent["from"] else ""
        cells = (name, f"{extent['rows']:,}", str(len(extent["columns"])), period)
        shown.add_row(*(Text(cell) for cell in cells))
    return shown


def _publishers(entries: list[dict[str, str]]) -> Table:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = Table("publisher", "table", "vintage", box=None)
    for entry in entries:
        shown.add_row(*(Text(entry[key]) for key in ("publisher", "table", "vintage")))
    return shown
