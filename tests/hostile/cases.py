"""What a malformed file is made of: a small panel in order, and ways to write one that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HEADER = "cvegeo,wave,dwellings,receiving_percent"
ROWS = (
    "02001,2000,81000,4.1",
    "02001,2010,122000,3.6",
    "02002,2000,186000,2.5",
    "02002,2010,262000,3.2",
    "03001,2000,15000,1.1",
    "03001,2010,18000,1.2",
    "03002,2000,11000,1.6",
    "03002,2010,16000,1.4",
)
BASE = "\n".join((HEADER, *ROWS)) + "\n"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Case:
    """A file that somebody might have.

    Parameters
    ----------
    name : str
        What is wrong with it.
    expected : str
        "refuse", "accept" or "either".
    write : callable
        Writes it into an empty folder and returns its path.
    said : str
        What a refusal must say.
    heavy : bool
        Whether it is large, or takes long.
    """

    name: str
    expected: str
    write: Callable[[Path], Path]
    said: str = ""
    heavy: bool = False


def of_bytes(content: bytes, suffix: str = ".csv") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / f"panel{suffix}"
        path.write_bytes(content)
        return path

    return write


def of_text(text: str) -> Callable[[Path], Path]:
    return of_bytes(text.encode("utf-8", errors="surrogatepass"))


def with_rows(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def with_cell(column: int, value: str) -> str:
    cells = ROWS[2].split(",")
    cells[column] = f'"{value}"' if any(mark in value for mark in ",\n\r") else value
    return with_rows(*ROWS[:2], ",".join(cells), *ROWS[3:])
