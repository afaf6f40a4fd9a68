"""Letting one run at a time write into a folder; a second is told at once, not mixed in.

The folder itself is locked: no file is left for it, and the system gives the lock up with the
process, however that ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from remitstats.errors import RemitstatsError
from remitstats.panel.atomic import is_at

try:
    import fcntl
except ImportError:  # a system without such locks: nobody is kept out
    fcntl = None  # type: ignore[assignment]


@contextmanager
def only_writer(folders: Iterable[Path], option: str = "--out") -> Iterator[None]:
    """Be the only run that writes into some folders for as long as the block runs.

    Parameters
    ----------
    folders : iterable of Path
        They are made where missing, and removed again at the end if nothing was put there.
    option : str
        Option of the command line that names others.

    Raises
    ------
    RemitstatsError
        If another run is at one of them, or it can't be made.
    """
    with ExitStack() as held:
        for folder in sorted(set(folders)):  # in one order, so that no two wait in a circle
            held.enter_context(_locked(folder, option))
        yield


@contextmanager
def _locked(folder: Path, option: str) -> Iterator[None]:
    try:
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        handle, alone = _taken(folder)
    except OSError as error:
        raise RemitstatsError(
            f"The folder {folder} can't be written ({error.strerror or error}): choose another "
            f"with {option}."
        ) from error
    try:
        if not alone:
            raise RemitstatsError(
                f"Another run is writing into {folder}. Wait until it has ended, or choose another "
                f"folder with {option}."
            )
        yield
    finally:
        for place in missing:
            with suppress(OSError):  # there is something in it, as there should be
                place.rmdir()
        os.close(handle)


def _taken(folder: Path) -> tuple[int, bool]:
    """Return a handle on the folder, made if need be, and whether it is ours alone."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        if fcntl is None:
            return os.open(os.devnull, os.O_RDONLY), True
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # another run that made it has just removed it
            continue
        alone = _lock(handle)
        if not alone or is_at(handle, folder):
            return handle, alone
        os.close(handle)


def _lock(handle: int) -> bool:
    """Lock a folder and say whether that went; where there are no locks, it always does."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network disks have no locks
        return True
    return True
