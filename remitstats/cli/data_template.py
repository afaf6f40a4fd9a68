"""`remitstats data template`: an empty panel of another country, to be filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def template(
    *,
    country: Annotated[str, typer.Option("--country", help="The country's name.", metavar="NAME")],
    out: Annotated[Path, typer.Option("--out", help="New folder to write.", metavar="DIR")] = Path(
        "my-panel"
    ),
    codes: Annotated[
        str,
        typer.Option(
            "--codes",
            help="How codes of municipalities are written: 9 a digit, A a capital letter (9999), "
            "or any.",
            metavar="FORM",
        ),
    ] = "any",
    state_codes: Annotated[
        str,
        typer.Option("--state-codes", help="The same of states (99), or any.", metavar="FORM"),
    ] = "any",
) -> None:
    """Write the files of a panel of your own country, with headers and an explanation."""
    from remitstats.panel.template import README, write_template  # noqa: PLC0415  (start-up quick)

    write_template(out, country, codes, state_codes)
    typer.echo(str(out / README))
