"""The command line: `remitstats`. Thin; every command imports what it needs when it runs."""

from __future__ import annotations

import sys

__all__ = ["main"]

INTERRUPTED = (
    "Interrupted: no file was left half written. Finished fits are kept; the same command uses "
    "them again and repeats only what was not finished."
)


def main() -> None:
    """Run the command line; errors become sentences and exit codes, never tracebacks."""
    try:
        # Imported here, so that Ctrl-C while this is read from disk is answered like any other.
        from remitstats.cli.app import run_app  # noqa: PLC0415

        code = run_app()
    except KeyboardInterrupt:
        sys.stderr.write(f"{INTERRUPTED}\n")
        code = 130
    sys.exit(code)
