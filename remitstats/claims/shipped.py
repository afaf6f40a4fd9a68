"""Files that travel with the package: in a wheel inside it, in a checkout beside it."""

from __future__ import annotations

from collections.abc import Callable
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


def shipped_by_model[T](folder: str, read: Callable[[Path], T]) -> dict[str, T]:
    """Return what files of models hold, by model: each is called after its own.

    Parameters
    ----------
    folder : str
        Where they are below `data`; nothing is returned where it is not there.
    read : callable
        Reads a file, and may raise `RemitstatsError`.
    """
    place = shipped(folder)
    paths = sorted(place.glob("*.json")) if place is not None else []
    return {path.stem: read(path) for path in paths}
