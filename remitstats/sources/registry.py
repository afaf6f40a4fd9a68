"""The list of official files and their addresses, read from `registry.toml`."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath

from remitstats.errors import RemitstatsError


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
        Stable address; empty if there is none.
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
        content = tomllib.loads(path.read_text(encoding="utf-8"))
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
    place = PurePosixPath(entry.path)
    if entry.url and (not entry.path or place.is_absolute() or ".." in place.parts):
        raise RemitstatsError(f"{path}: {entry.key} needs a path inside the folder.")
    if entry.url and not entry.url.startswith(("http://", "https://")):
        raise RemitstatsError(f"{path}: the address of {entry.key} is not http or https.")
    if not entry.url and not entry.by_hand:
        raise RemitstatsError(f"{path}: {entry.key} has neither an address nor a way by hand.")
