"""The command line: `remitstats`. Thin; every command imports what it needs when it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable

__all__ = ["main", "run_script"]

INTERRUPTED = (
    "Interrupted: no file was left half written. Finished fits are kept; the same command uses "
    "them again and repeats only what was not finished."
)


def main() -> None:
    """Run the command line; errors become sentences and exit codes, never tracebacks."""
    run_script(None)


def run_script(work: Callable[[], int] | None) -> None:
    """Do what a script does and end as the command line ends: in sentences and exit codes.

    Parameters
    ----------
    work : callable, optional
        Returns the exit code; without it, the command line itself.
    """
    try:
        # Imported here, so that Ctrl-C while this is read from disk is answered like any other.
        from remitstats.cli.app import in_words, invoke  # noqa: PLC0415

        code = in_words(work or invoke)
    except KeyboardInterrupt:
        sys.stderr.write(f"{INTERRUPTED}\n")
        code = 130
    sys.exit(code)
