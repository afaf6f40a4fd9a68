"""Where the pages of each language lie, and how a reader gets from one to the other.

The language that a report opens with lies on top, the others in a folder of their name, such as
``es/maps.html``. Pictures, tables and scripts are shared: they lie on top, whatever the language.
Templates and texts name every file as a page on top would; `write_in_language` puts the way up
before all but pages where the pages lie in a folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = {"en": "English", "es": "Español"}
"""What each language calls itself."""

_ADDRESS = re.compile(r'(?<=\s)(href|src)="([^"]*)"')


@dataclass(frozen=True)
class Switch:
    """One language of a page.

    Parameters
    ----------
    language, name : str
        Its code, and what it calls itself.
    address : str
        Of the page in it, from the page at hand.
    here : bool
        Whether the page at hand is that one.
    """

    language: str
    name: str
    address: str
    here: bool


def to_top(language: str, order: Sequence[str]) -> str:
    """Return the way from the pages of a language to the top of the report."""
    return "" if language == order[0] else "../"


def switch(file: str, language: str, order: Sequence[str]) -> list[Switch]:
    """Return the languages of a page; none where there is no choice.

    Parameters
    ----------
    file : str
        The page's file.
    language : str
        That of the page at hand.
    order : sequence of str
        All languages, the one on top first.
    """
    up = to_top(language, order)
    found: list[Switch] = []
    if len(order) == 1:
        return found
    for each, own_name in NAMES.items():
        if each in order:
            folder = "" if each == order[0] else f"{each}/"
            address = file if each == language else f"{up}{folder}{file}"
            found.append(Switch(each, own_name, address, each == language))
    return found


def write_in_language(
    pages: Mapping[str, str], stage: Path, language: str, order: Sequence[str]
) -> None:
    """Write the pages of a language.

    Parameters
    ----------
    pages : mapping of str to str
        HTML by file name.
    stage : Path
        The top of the report.
    language : str
        Of these pages.
    order : sequence of str
        All languages, the one on top first.
    """
    up = to_top(language, order)
    folder = stage / language if up else stage
    folder.mkdir(exist_ok=True)

    def moved(match: re.Match[str]) -> str:
        kind, address = match.groups()
        file = address.partition("#")[0]
        stays = not file or ":" in file or file.startswith("../") or file in pages
        return match[0] if stays else f'{kind}="{up}{address}"'

    for name, html in pages.items():
        text = _ADDRESS.sub(moved, html) if up else html
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
