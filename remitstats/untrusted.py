"""Reading what somebody else wrote: files that are none, files without end, texts without a bottom.

What can't be read is told as the readers' own errors are (`OSError`, `ValueError`), so that each
says it in its words.
"""

from __future__ import annotations

import errno
import json
import stat
import tomllib
from pathlib import Path
from typing import Any

LARGEST = 100_000_000
"""Bytes of a text that are read; larger tables come as Parquet."""

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def require_plain(path: Path, largest: int | None = None) -> None:
    """Refuse what is no plain file (to read a pipe may take for ever), or is too large.

    Links are followed. A folder is left to whoever reads it.

    Raises
    ------
    OSError
        If there is nothing, or something else than a file, or more than `largest` bytes.
    """
    found = path.stat()
    for is_kind, kind in _KINDS:
        if is_kind(found.st_mode):
            raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))
    if largest is not None and found.st_size > largest:
        size = f"{found.st_size / 1e6:,.0f} megabytes, of which {largest / 1e6:,.0f} are read"
        raise OSError(errno.EFBIG, f"it has {size}", str(path))


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """Return the content of a plain file of at most `largest` bytes.

    Raises
    ------
    OSError
        If it can't be read, is no plain file, or is larger.
    """
    require_plain(path, largest)
    return path.read_bytes()


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """Return the text of a plain file.

    Raises
    ------
    OSError
        As `read_bytes`.
    UnicodeDecodeError
        If it is not in this encoding.
    """
    return read_bytes(path).decode(encoding)


def parse_json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Raises
    ------
    ValueError
        If it is none, or nested deeper than anybody writes by hand or program.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text holds.

    Raises
    ------
    tomllib.TOMLDecodeError
        If it is none, or nested deeper than anybody writes by hand or program.
    """
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise tomllib.TOMLDecodeError("it is nested too deeply") from error
