"""Writing a file or folder whole or not at all, and clearing away what a killed writer left.

A writer holds a lock on its temporary file for as long as it lives: the system gives the lock up
with the process, however that ends. What is not locked belongs to nobody and may be removed.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from remitstats.errors import RemitstatsError

try:
    import fcntl
except ImportError:  # a system without such locks: leftovers stay, nothing else changes
    fcntl = None  # type: ignore[assignment]

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.\d+(-\d+)?\.part", re.DOTALL)


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
        Where to write: an empty file, already there and locked. Write into it, don't put another
        in its place.

    Raises
    ------
    RemitstatsError
        If the folder can't be made or written.

    Notes
    -----
    What killed writers of the same file left is removed first.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale(path.parent, lambda name: name == path.name)
        temporary, lock = _create(path, _new_file)
        try:
            yield temporary
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        finally:
            os.close(lock)


def require_place(path: Path) -> None:
    """Refuse a place that no file can be written to, without leaving anything there.

    Parameters
    ----------
    path : Path
        A file to be written, with the folder it shall stand in.

    Raises
    ------
    RemitstatsError
        If it is a folder, or its folder can't be made or written.
    """
    with _explained(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        made = []
        folder = path.parent
        while not folder.exists():
            made.append(folder)
            folder = folder.parent
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        finally:
            for place in made:
                with suppress(OSError):
                    place.rmdir()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its place when the block ends well.

    Raises
    ------
    RemitstatsError
        If `path` is a file or a folder that holds something, or can't be written.
    """
    with _explained(path):
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise RemitstatsError(f"{path} is already there: name a new or an empty folder.")
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale(path.parent, lambda name: name == path.name)
        temporary, lock = _create(path, _new_folder)
        try:
            yield temporary
            if path.exists():
                path.rmdir()
            temporary.replace(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        finally:
            os.close(lock)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that is removed when the block ends.

    For what is made in pieces and then put into places of its own. What killed writers left under
    the same name is removed first.

    Raises
    ------
    OSError
        If it can't be made.
    """
    remove_stale(path.parent, lambda name: name == path.name)
    temporary, lock = _create(path, _new_folder)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(lock)


def remove_stale(folder: Path, is_ours: Callable[[str], bool]) -> list[Path]:
    """Remove temporary files and folders whose writer was killed.

    Parameters
    ----------
    folder : Path
        Where to look; not in folders below it.
    is_ours : callable
        Is given the name that the finished file would have had; only where it says True may
        something be removed.

    Returns
    -------
    list of Path
        What was removed. A temporary file that a living process writes is never touched.
    """
    removed: list[Path] = []
    if fcntl is None:
        return removed
    for path in folder.iterdir():
        match = _TEMPORARY.fullmatch(path.name)
        if match is None or not is_ours(match["name"]):
            continue
        with suppress(OSError):  # gone by now, or not ours to remove
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not is_at(handle, path):
                    continue
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
                removed.append(path)
            finally:
                os.close(handle)
    return removed


def _create(path: Path, new: Callable[[Path], int]) -> tuple[Path, int]:
    """Make a temporary file or folder beside `path`; return it and the handle that locks it."""
    for number in itertools.count():
        again = f"-{number}" if number else ""
        temporary = path.with_name(f".{path.name}.{os.getpid()}{again}.part")
        try:
            handle = new(temporary)
        except FileExistsError:
            continue
        # Another process may have taken it for a leftover before it was locked.
        if fcntl is None or is_at(handle, temporary):
            return temporary, handle
        os.close(handle)
    raise AssertionError  # the count has no end


def _new_file(path: Path) -> int:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    return _locked(handle)


def _new_folder(path: Path) -> int:
    path.mkdir()
    return _locked(os.open(os.devnull if fcntl is None else path, os.O_RDONLY))


def _locked(handle: int) -> int:
    """Return the handle, locked; where there are no locks, one that is in nobody's way."""
    if fcntl is None:
        os.close(handle)
        return os.open(os.devnull, os.O_RDONLY)
    with suppress(OSError):  # some network disks have no locks
        fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def is_at(handle: int, path: Path) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RemitstatsError(
            f"Can't write {path}: {reason}. Choose a place you can write to."
        ) from error
