"""The commands under `remitstats data`; each imports what it needs when it runs."""

from __future__ import annotations

import typer

from remitstats.cli.data_build import build
from remitstats.cli.data_check import check
from remitstats.cli.data_export import export
from remitstats.cli.data_fetch import fetch
from remitstats.cli.data_info import info
from remitstats.cli.data_template import template

app = typer.Typer(
    name="data",
    help="Build, check, show, export and download the data; begin a panel of your own.",
    no_args_is_help=True,
)
for _command in (build, check, info, export, fetch, template):
    app.command()(_command)
