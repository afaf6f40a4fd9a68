"""The `remitstats` command and how it ends: 0 done, 2 bad input, 3 not converged, 130 interrupted."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from remitstats.cli.data import app as data_app
from remitstats.cli.fit import fit, run
from remitstats.errors import RemitstatsError

INTERRUPTED = (
    "Interrupted: no file was left half written. Finished fits are kept; the same command uses "
    "them again and repeats only what was not finished."
)

app = typer.Typer(
    name="remitstats",
    help="Bayesian models of migration, remittances and development in Mexico's municipalities.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(data_app, name="data")
app.command()(run)
app.command()(fit)


def _version(wanted: bool) -> None:
    if wanted:
        from remitstats import __version__  # noqa: PLC0415  (start-up stays quick)

        typer.echo(f"remitstats {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command line; errors become sentences and exit codes, never tracebacks."""
    sys.exit(_run())


def _run() -> int:
    try:
        return app(standalone_mode=False) or 0
    except typer.Abort:
        typer.echo(INTERRUPTED, err=True)
        return 130
    except typer.TyperException as error:
        error.show()
        return error.exit_code
    except RemitstatsError as error:
        typer.echo(str(error), err=True)
        return error.exit_code
