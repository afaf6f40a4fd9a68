"""The `remitstats` command and how it ends.

0 done, 2 bad input, 3 not converged, 130 interrupted (Ctrl-C), 143 terminated.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Annotated

import typer

from remitstats.cli import INTERRUPTED
from remitstats.cli.circle import app as circle_app
from remitstats.cli.claims import claims
from remitstats.cli.data import app as data_app
from remitstats.cli.fit import fit, report, run
from remitstats.cli.many import many
from remitstats.cli.simulate import simulate
from remitstats.cli.validate import validate
from remitstats.errors import RemitstatsError

TOO_LARGE = (
    "There is not enough memory for this: ask for fewer draws or chains (--draws, --chains) or for "
    "fewer states (--states)."
)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What is wrong with a disk that output is sent to."""

app = typer.Typer(
    name="remitstats",
    help="Bayesian models of migration, remittances and development in Mexico's municipalities.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(data_app, name="data")
app.add_typer(circle_app, name="circle")
app.command()(run)
app.command()(fit)
app.command()(many)
app.command()(simulate)
app.command()(validate)
app.command()(report)
app.command()(claims)


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


class _Terminated(BaseException):
    """Raised by SIGTERM and SIGHUP, so that temporary files are removed on the way out."""


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise _Terminated


def in_words(work: Callable[[], int]) -> int:
    """Do some work and return its exit code; what goes wrong is said in words.

    Parameters
    ----------
    work : callable
        Returns the exit code.

    Raises
    ------
    KeyboardInterrupt
        If the work was interrupted at the keyboard.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that can't be shown is shown in escapes
            stream.reconfigure(errors="backslashreplace")
    try:
        code = work()
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a disk that is full can still be told
        return code
    except _Terminated:
        typer.echo(INTERRUPTED, err=True)
        return 143
    except BrokenPipeError:  # whoever read the output has seen enough
        _say_no_more()
        return 1
    except RemitstatsError as error:
        typer.echo(str(error), err=True)
        return error.exit_code
    except MemoryError:
        typer.echo(TOO_LARGE, err=True)
        return RemitstatsError.exit_code
    except OSError as error:
        if error.filename is None and error.errno not in FULL:
            raise
        _tell(error)
        return RemitstatsError.exit_code


def _tell(error: OSError) -> None:
    """Say what is wrong with a path that the user gave, or with the disk that output goes to."""
    reason = (error.strerror or str(error)).lower()
    if error.filename is not None:  # such as one whose name is too long for the disk
        said = f"Can't use {error.filename}: {reason}. Check the path."
    else:
        _say_no_more()
        said = f"The output can't be written: {reason}. Send it elsewhere."
    with suppress(OSError):  # it may be as full where errors go
        typer.echo(said, err=True)


def _say_no_more() -> None:
    """Let what is still to be written to the standard output go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def invoke() -> int:
    """Run the command line and return its exit code."""
    # Not app(): Typer would turn Ctrl-C into a bare exit code, without a word to the user.
    command = typer.main.get_command(app)
    try:
        with command.make_context("remitstats", sys.argv[1:]) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # what Typer raises has it, its base has not
        return RemitstatsError.exit_code
    return 0
