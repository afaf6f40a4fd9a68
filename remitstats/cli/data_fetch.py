"""`remitstats data fetch`: download the official files from their publishers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from remitstats.sources.fetch import Outcome
    from remitstats.sources.registry import Entry


def fetch(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the files; without it, this user's cache folder."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only the file of this key; may be given several times."),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Show what there is and download nothing.")
    ] = False,
    registry: Annotated[
        Path | None,
        typer.Option(help="Another list of files, such as a mirror's (TOML)."),
    ] = None,
) -> None:
    """Download official files from the publishers' own addresses, checked and whole.

    Files without a stable address are listed with the way to get them by hand. The panel that is
    shipped needs none of them.
    """
    from rich.console import Console  # noqa: PLC0415  (start-up time)

    from remitstats.sources.fetch import default_folder  # noqa: PLC0415
    from remitstats.sources.registry import choose, read_registry  # noqa: PLC0415

    entries = choose(read_registry(registry), only or ())
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    if list_only:
        for entry in entries:
            console.print(_listed(entry))
        return
    folder = out or default_folder()
    outcomes = _fetched(entries, folder, console)
    _conclude(outcomes, folder, console)


def _listed(entry: Entry) -> str:
    place = f"-> {entry.path}" if entry.url else ""
    becomes = f"becomes {entry.becomes}" if entry.becomes else ""
    notes = " ".join(part for part in (place, becomes, entry.by_hand) if part)
    address = entry.url or "by hand"
    return f"{entry.key}: {entry.publisher}, {entry.table}\n    {address}\n    {notes}"


def _fetched(entries: list[Entry], folder: Path, console: Console) -> list[Outcome]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # noqa: PLC0415

    from remitstats.sources.fetch import fetch as download  # noqa: PLC0415

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    outcomes: list[Outcome] = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for outcome in download(entries, folder, bars=lambda entry: _Bar(progress, entry.key)):
            outcomes.append(outcome)
            if outcome.state in ("downloaded", "present"):
                note = f" ({outcome.message})" if outcome.message else ""
                console.print(f"{outcome.entry.key}: {outcome.state}, {outcome.entry.path}{note}")
    return outcomes


def _conclude(outcomes: list[Outcome], folder: Path, console: Console) -> None:
    from remitstats.errors import RemitstatsError  # noqa: PLC0415

    for outcome in outcomes:
        if outcome.state == "by hand":
            console.print(f"{outcome.entry.key}: by hand. {outcome.message}")
    count = Counter(outcome.state for outcome in outcomes)
    console.print(
        f"{count['downloaded']} downloaded, {count['present']} already there, "
        f"{count['by hand']} to be had by hand, {count['failed']} failed: {folder}"
    )
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if failed:
        lines = [f"  - {outcome.entry.key}: {outcome.message}" for outcome in failed]
        raise RemitstatsError("\n".join(["Not all files could be downloaded.", *lines]))


class _Bar:
    """One file's bar in a rich progress display, with the face that pooch expects."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name
        self._task: TaskID | None = None
        self._total = 0

    @property
    def total(self) -> int:
        """Size of the file in bytes; 0 if the server does not say."""
        return self._total

    @total.setter
    def total(self, size: int) -> None:
        self.close()  # a failed try may have left its bar
        self._total = size
        self._task = self._progress.add_task(self._name, total=size or None)

    def update(self, amount: int) -> None:
        """Advance by so many bytes."""
        if self._task is not None:
            self._progress.update(self._task, advance=amount)

    def reset(self) -> None:
        """Start again, as pooch does before it declares a file complete."""
        if self._task is not None:
            self._progress.reset(self._task, total=self._total or None)

    def close(self) -> None:
        """Take the bar away, if it is there."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = None
