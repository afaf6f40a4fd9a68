"""Where files are that travel with the package: in a wheel inside it, in a checkout beside it."""

from __future__ import annotations

from pathlib import Path


def shipped(name: str) -> Path | None:
    """Return the place of a file or folder below `data`, or None where it is not there.

    Parameters
    ----------
    name : str
        Its path below `data`, such as "validation".
    """
    package = Path(__file__).resolve().parents[1]
    for place in (package / "data" / name, package.parent / "data" / name):
        if place.exists():
            return place
    return None
