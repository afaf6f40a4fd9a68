"""On which line of a TOML file a key stands; `tomllib` itself doesn't tell."""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)\s*(?:\.|=)")
_STRING = re.compile(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#|\[|\]|\{|\}')


def find_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Return the line of every table and key of a TOML text that is valid.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    dict
        Path, such as ``("claim", 2, "test", 0, "rule")``, to line, counted from 1. Keys of inline
        tables stand on the line of the table.
    """
    lines: dict[tuple[str | int, ...], int] = {(): 1}
    place: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    quote, depth = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not quote and depth == 0:
            header = _HEADER.match(line)
            if header is not None:
                place = _opened(header[1], line.lstrip().startswith("[["), counts)
                lines.setdefault(place, number)
                continue
            key = _KEY.match(line)
            if key is not None:
                lines.setdefault((*place, key[1].strip("\"'")), number)
        quote, depth = _carried(line, quote, depth)
    return lines


def line_of(lines: dict[tuple[str | int, ...], int], path: tuple[str | int, ...]) -> int:
    """Return the line of a path, or of the nearest table around it that is known."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _opened(
    name: str, repeated: bool, counts: dict[tuple[str | int, ...], int]
) -> tuple[str | int, ...]:
    """Return the path of a table that a header opens; tables in lists have their number."""
    path: tuple[str | int, ...] = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for i, part in enumerate(parts):
        path = (*path, part)
        if repeated and i == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _carried(line: str, quote: str, depth: int) -> tuple[str, int]:
    """Return which text of several lines, and how many brackets, are open after a line."""
    at = 0
    while at < len(line):
        if quote:
            end = line.find(quote, at)
            if end < 0:
                return quote, depth
            at, quote = end + 3, ""
            continue
        mark = _STRING.search(line, at)
        if mark is None or mark[0] == "#":
            break
        at = mark.end()
        if mark[0] in ('"""', "'''"):
            quote = mark[0]
        elif mark[0] in "[{":
            depth += 1
        elif mark[0] in "]}":
            depth = max(depth - 1, 0)
    return quote, depth
