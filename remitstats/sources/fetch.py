"""Downloading the official files from their publishers, whole and checked, or saying why not.

What is downloaded from where stands in `registry.toml` beside this file. A folder keeps the
SHA-256 of what was downloaded into it in `SHA256SUMS` (as `sha256sum --check` reads it): files
that still match are not downloaded again.

Connections are encrypted and the server's certificate is checked, at every redirect too; plain
http is followed only to a file whose SHA-256 is known. No password of this user is sent (`.netrc`),
and no more is written than `LARGEST`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol
from urllib.parse import urljoin

from remitstats.errors import RemitstatsError
from remitstats.sources.registry import Entry, is_private
from remitstats.untrusted import read_text

SUMS = "SHA256SUMS"
TIMEOUT = 60.0
RETRIES = 2
AGENT = "remitstats (statistics on migration; pooch)"
BLOCK = 1 << 20
LARGEST = 1 << 30  # bytes


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Parameters
    ----------
    entry : Entry
        The file.
    state : {"downloaded", "present", "failed", "by hand"}
        Downloaded now, already there, not to be had, or without a stable address.
    message : str
        What there is to know or to do; empty if nothing.
    """

    entry: Entry
    state: Literal["downloaded", "present", "failed", "by hand"]
    message: str = ""


class Bar(Protocol):
    """A progress bar for one file, as pooch drives it."""

    total: int

    def update(self, amount: int) -> None:
        """Advance by so many bytes."""

    def reset(self) -> None:
        """Start again."""

    def close(self) -> None:
        """End."""


class Bars(Protocol):
    """Gives a progress bar for each file."""

    def __call__(self, entry: Entry) -> Bar:
        """Return a bar for `entry`."""


def default_folder() -> Path:
    """Return the folder in which downloads are kept unless another is chosen."""
    import pooch  # noqa: PLC0415

    return Path(pooch.os_cache("remitstats")) / "raw"


def fetch(
    entries: Iterable[Entry],
    folder: Path,
    *,
    bars: Bars | None = None,
    retries: int = RETRIES,
    timeout: float = TIMEOUT,
) -> Iterator[Outcome]:
    """Download files, one after the other.

    Parameters
    ----------
    entries : iterable of Entry
        What to download; those without an address are reported as to be had by hand.
    folder : Path
        Where to keep them.
    bars : callable, optional
        Gives a progress bar for each file.
    retries : int
        How often a failed download is tried again.
    timeout : float
        Seconds without an answer after which a server is given up.

    Yields
    ------
    Outcome
        One a file, as soon as it is known. A file appears in the folder whole or not at all.

    Raises
    ------
    RemitstatsError
        If the folder can't be written.
    """
    with _written(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for entry in entries:
            if not entry.url:
                yield Outcome(entry, "by hand", entry.by_hand)
            elif _is_current(folder, entry):
                yield Outcome(entry, "present", entry.by_hand)
            else:
                bar = bars(entry) if bars else None
                yield _download(entry, folder, bar, retries, timeout)


def _download(entry: Entry, folder: Path, bar: Bar | None, retries: int, timeout: float) -> Outcome:
    import pooch  # noqa: PLC0415
    import requests  # noqa: PLC0415

    pooch.get_logger().setLevel("WARNING")
    staging = folder / f".fetch.{os.getpid()}.part"
    name = PurePosixPath(entry.path).name
    options: dict[str, Any] = {
        "headers": {"User-Agent": AGENT},
        "timeout": timeout,
        "verify": True,
        "auth": _nobody,
        "hooks": {"response": _watch(entry)},
    }
    try:
        store = pooch.create(
            path=staging,
            base_url="",
            registry={name: f"sha256:{entry.sha256}" if entry.sha256 else None},
            urls={name: entry.url},
            retry_if_failed=retries,
        )
        loader = pooch.HTTPDownloader(progressbar=_Measured(bar), chunk_size=1 << 16, **options)
        got = Path(store.fetch(name, downloader=loader))
        if _is_web_page(got):
            return Outcome(
                entry, "failed", f"the address leads to a web page. {_do_instead(entry)}"
            )
        digest = _sha256(got)
        target = folder / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        got.replace(target)
    except _UnfitError as error:
        return Outcome(entry, "failed", f"{error}. {_do_instead(entry)}")
    except requests.RequestException as error:
        return Outcome(entry, "failed", _explained(entry, error))
    except ValueError as error:
        return Outcome(entry, "failed", _refused(entry, error))
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if bar is not None:
            bar.close()
    _record(folder, entry.path, digest)
    return Outcome(entry, "downloaded", _about(entry, digest))


class _UnfitError(Exception):
    """What a server answers must not be taken; to ask again would not help."""


def _nobody(request: Any) -> Any:
    """Log in nowhere; without this, requests would send what `.netrc` holds for the host."""
    return request


def _watch(entry: Entry) -> Callable[..., None]:
    """Return what looks at every answer, redirects among them, before more of it is read."""

    def look(response: Any, **_: Any) -> None:
        target = response.headers.get("location") if response.is_redirect else None
        if target and not entry.sha256 and not is_private(urljoin(response.url, target)):
            raise _UnfitError(
                "the address leads on to one without encryption, where anybody on the way could "
                "change the file"
            )
        size = response.headers.get("content-length", "0")
        if size.isdecimal() and int(size) > LARGEST:
            raise _UnfitError(f"the server sends {int(size) / 1e9:,.1f} GB, far more than the file")

    return look


class _Measured:
    """A bar, or none, that stops a download without end."""

    def __init__(self, bar: Bar | None) -> None:
        self._bar = bar
        self._done = 0

    @property
    def total(self) -> int:
        """Size of the file as the server said it."""
        return self._bar.total if self._bar is not None else 0

    @total.setter
    def total(self, size: int) -> None:
        self._done = 0
        if self._bar is not None:
            self._bar.total = size

    def update(self, amount: int) -> None:
        """Advance, unless that is too far."""
        self._done += amount
        if self._done > LARGEST:
            raise _UnfitError(f"the server sends more than {LARGEST / 1e9:,.1f} GB")
        if self._bar is not None:
            self._bar.update(amount)

    def reset(self) -> None:
        """Start again."""
        self._done = 0
        if self._bar is not None:
            self._bar.reset()

    def close(self) -> None:
        """End."""
        if self._bar is not None:
            self._bar.close()


def _explained(entry: Entry, error: Exception) -> str:
    import requests  # noqa: PLC0415

    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (404, 410):
        reason = "the publisher no longer has it there"
    elif status in (401, 403, 429):
        reason = f"the publisher refuses downloads by programs ({status})"
    elif status is not None:
        reason = f"the publisher's server answers with error {status}"
    elif isinstance(error, requests.exceptions.ProxyError):
        reason = "the proxy can't be reached (HTTPS_PROXY and HTTP_PROXY say which it is)"
    elif isinstance(error, requests.exceptions.SSLError):
        reason = "the server's certificate is not trusted"
    elif isinstance(error, requests.Timeout):
        reason = "the server does not answer"
    elif isinstance(error, requests.exceptions.ChunkedEncodingError):
        reason = "the download broke off"
    elif isinstance(error, requests.ConnectionError):
        reason = "there is no connection: you are offline, or the server is not there"
    else:
        reason = f"the download failed ({type(error).__name__})"
    return f"{reason}. {_do_instead(entry)}"


def _refused(entry: Entry, error: ValueError) -> str:
    if "hash" not in str(error).lower():
        return f"the address can't be used ({error}). {_do_instead(entry)}"
    return (
        f"what was downloaded is not the file known: its SHA-256 is not {entry.sha256}. It was "
        f"thrown away; the publisher may have revised it, or the download was damaged. "
        f"{_do_instead(entry)}"
    )


def _do_instead(entry: Entry) -> str:
    return (
        f"Try again later, or download {entry.url} with a browser and save it as {entry.path} "
        "in the folder. The panel that is shipped does not need it."
    )


def _about(entry: Entry, digest: str) -> str:
    if not entry.built_from:
        return entry.by_hand
    if digest == entry.built_from:
        return "the very file from which the shipped panel was built"
    return "not the copy from which the shipped panel was built: the publisher has revised it"


def _is_web_page(path: Path) -> bool:
    """Say whether a server sent a page to look at, as some do instead of an error."""
    with path.open("rb") as file:
        start = file.read(512).lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _is_current(folder: Path, entry: Entry) -> bool:
    target = folder / entry.path
    expected = entry.sha256 or _sums(folder).get(entry.path)
    return expected is not None and target.is_file() and _sha256(target) == expected


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sums(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    if not path.is_file():
        return {}
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise RemitstatsError(
            f"{path} can't be read ({error}): remove it, and every file is downloaded again."
        ) from error
    pairs = (line.split("  ", 1) for line in text.splitlines())
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def _record(folder: Path, name: str, digest: str) -> None:
    sums = _sums(folder) | {name: digest}
    temporary = folder / f".{SUMS}.{os.getpid()}.part"
    lines = [f"{value}  {key}\n" for key, value in sorted(sums.items())]
    temporary.write_text("".join(lines), encoding="utf-8")
    temporary.replace(folder / SUMS)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RemitstatsError(
            f"Can't write into {folder}: {reason}. Choose another folder with --out."
        ) from error
