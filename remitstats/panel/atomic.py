"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from remitstats.errors import RemitstatsError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` that takes its place when the block ends well.

    Parameters
    ----------
    path : Path
        The file to write; an older one stays untouched until the new one is complete.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    RemitstatsError
        If the folder can't be made or written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.replace(path)
    finally:
        with suppress(OSError):  # there is none if its folder could not be made
            temporary.unlink()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its place when the block ends well.

    Raises
    ------
    RemitstatsError
        If `path` is a file or a folder that holds something, or can't be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with _explained(path):
            if path.exists() and not (path.is_dir() and not any(path.iterdir())):
                raise RemitstatsError(f"{path} is already there: name a new or an empty folder.")
            temporary.mkdir(parents=True)
            yield temporary
            if path.exists():
                path.rmdir()
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RemitstatsError(
            f"Can't write {path}: {reason}. Choose a place you can write to."
        ) from error
