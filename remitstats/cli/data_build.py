"""``remitstats data build``: the shipped panel from the official files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console, Group

    from remitstats.panel.panel import Panel


def build(
    raw: Annotated[
        Path, typer.Option("--raw", help="Folder of the official files.", metavar="DIR")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Panel file to write (Parquet).", metavar="FILE")
    ],
) -> None:
    """Build the panel of Mexico from the publishers' official files."""
    from rich.console import Console  # noqa: PLC0415  (start-up stays quick)

    from remitstats.errors import PanelError, RemitstatsError  # noqa: PLC0415
    from remitstats.panel.atomic import require_place  # noqa: PLC0415
    from remitstats.panel.check import check_panel  # noqa: PLC0415
    from remitstats.panel.file import write_panel  # noqa: PLC0415

    console = Console()
    errors = Console(stderr=True)
    try:
        require_place(out)  # known before the work begins
        panel = _built(raw, errors)
        problems = check_panel(panel)
        if problems:
            raise PanelError("The panel built does not pass its own check.", problems)
        write_panel(panel, out)
    except RemitstatsError as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        errors.print(
            f"Interrupted: nothing was written to {out}. Run the command again to build it.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(130) from None
    console.print(_account(panel))
    size = out.stat().st_size / 1e6
    written = f"{out} ({size:.1f} MB, panel {panel.hash})"
    console.print(written, markup=False, highlight=False, soft_wrap=True)


def _built(raw: Path, console: Console) -> Panel:
    from remitstats.cli.progress import Phases  # noqa: PLC0415  (start-up stays quick)
    from remitstats.panel.build import build_panel  # noqa: PLC0415

    with Phases(console) as phases:
        return build_panel(
            raw, lambda _step, done, total: phases("building the panel", done / total)
        )


def _account(panel: Panel) -> Group:
    from rich import box  # noqa: PLC0415
    from rich.console import Group  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title="Account of the build, in rows", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("source", "step"):
        table.add_column(name, overflow="fold")
    for name in ("in", "merged", "missing", "out"):
        table.add_column(name, justify="right", no_wrap=True)
    notes = []
    for line in panel.table("account").to_dict("records"):
        counts = [f"{line[name]:,}" for name in ("rows_in", "merged", "missing", "rows_out")]
        table.add_row(line["source"], line["step"], *counts)
        if line["note"]:
            notes.append(Text(f"- {line['step']}: {line['note']}"))
    return Group(table, *notes)
