"""`remitstats data export`: write a panel as a folder of CSV tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.", metavar="DIR")],
    file: Annotated[
        Path | None, typer.Option("--file", help="A panel of your own; without it, the shipped.")
    ] = None,
) -> None:
    """Write every table of a panel as CSV (UTF-8, commas, decimal points) into a new folder."""
    from remitstats.panel.file import write_folder  # noqa: PLC0415  (start-up time)
    from remitstats.panel.load import load_mexico, load_panel  # noqa: PLC0415

    written = write_folder(load_mexico() if file is None else load_panel(file), out)
    typer.echo(f"{len(written)} files in {out}: {', '.join(path.name for path in written)}.")
