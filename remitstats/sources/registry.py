"""The list of official files and their addresses, read from `registry.toml`."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from remitstats.errors import RemitstatsError
from remitstats.untrusted import parse_toml, read_text


@dataclass(frozen=True)
class Entry:
    """An official file and how it is got.

    Parameters
    ----------
    key : str
        Short name.
    publisher, table : str
        Who publishes it, under what title.
    url : str
        Stable address; empty if there is none. It must be https, but where `sha256` is known.
    path : str
        Where the download is kept below the folder.
    sha256 : str
        Of the publisher's file where it is known for certain: anything else is refused.
    built_from : str
        SHA-256 of the copy from which the shipped panel was built.
    becomes : str
        The file that `data build` reads, if it is not the download itself.
    by_hand : str
        How to get there.
    """

    key: str
    publisher: str
    table: str
    url: str = ""
    path: str = ""
    sha256: str = ""
    built_from: str = ""
    becomes: str = ""
    by_hand: str = ""


def read_registry(path: Path | None = None) -> list[Entry]:
    """Read the list of official files.

    Parameters
    ----------
    path : Path, optional
        Another list of the same form, for a mirror; by default the one shipped.

    Raises
    ------
    RemitstatsError
        If it can't be read, or an entry is not as it should be.
    """
    path = path or Path(__file__).with_name("registry.toml")
    try:
        content = parse_toml(read_text(path))
        entries = [Entry(**record) for record in content["file"]]
    except OSError as error:
        raise RemitstatsError(f"Can't read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RemitstatsError(f"{path} is not TOML: {error}.") from error
    except (KeyError, TypeError) as error:
        known = ", ".join(field.name for field in fields(Entry))
        raise RemitstatsError(
            f"{path} is not a list of [[file]] entries with {known}: {error}."
        ) from error
    for entry in entries:
        _refuse_unfit(path, entry)
    keys = [entry.key for entry in entries]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise RemitstatsError(f"{path} has two entries with the key {', '.join(twice)}.")
    return entries


def choose(entries: Sequence[Entry], keys: Iterable[str]) -> list[Entry]:
    """Return the entries of some keys, or all of them if no key is given.

    Raises
    ------
    RemitstatsError
        If there is no such key; the nearest one is suggested.
    """
    keys = list(keys)
    known = {entry.key: entry for entry in entries}
    for key in keys:
        if key not in known:
            close = difflib.get_close_matches(key, list(known), n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}."
            raise RemitstatsError(f"There is no official file {key}: {hint}")
    return [known[key] for key in dict.fromkeys(keys)] if keys else list(entries)


def _refuse_unfit(path: Path, entry: Entry) -> None:
    for field in fields(Entry):
        value = getattr(entry, field.name)
        if not isinstance(value, str) or not value.isprintable():
            raise RemitstatsError(
                f"{path}: {field.name} of {entry.key!r} must be a text on one line, "
                f"found {value!r}."
            )
    place = PurePosixPath(entry.path)
    outside = place.is_absolute() or ".." in place.parts or "\\" in entry.path
    if entry.url and (not place.name or outside):
        raise RemitstatsError(f"{path}: {entry.key} needs a path inside the folder.")
    if entry.url:
        _refuse_address(path, entry)
    if not entry.url and not entry.by_hand:
        raise RemitstatsError(f"{path}: {entry.key} has neither an address nor a way by hand.")


def is_private(url: str) -> bool:
    """Say whether nobody on the way can read or change what comes from an address.

    So it is with https, and with a server on this very machine.
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")


def _refuse_address(path: Path, entry: Entry) -> None:
    try:
        parts = urlsplit(entry.url)
        private = is_private(entry.url)
    except ValueError as error:
        raise RemitstatsError(
            f"{path}: the address of {entry.key} can't be read: {error}."
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RemitstatsError(f"{path}: the address of {entry.key} is not http or https.")
    if parts.username is not None or parts.password is not None:
        raise RemitstatsError(
            f"{path}: the address of {entry.key} holds a user name or a password. Lists are passed "
            "on and addresses are shown: take them out."
        )
    if entry.sha256 and not re.fullmatch("[0-9a-f]{64}", entry.sha256):
        raise RemitstatsError(
            f"{path}: the sha256 of {entry.key} must be 64 digits of 0 to 9 and a to f."
        )
    if not private and not entry.sha256:
        raise RemitstatsError(
            f"{path}: the address of {entry.key} is http, which anybody on the way can change. "
            "Give one of https, or the file's sha256."
        )
