"""The command line: `remitstats`. Thin; every command imports what it needs when it runs."""

from remitstats.cli.app import main

__all__ = ["main"]
