"""Malformed files, made one by one from a small panel that is in order.

Each case says by itself what a careful reader makes of it: `"refuse"`, or `"accept"` with the very
numbers of its text (see `careful`), or `"either"` where both would be honest.
"""

from __future__ import annotations

from cases import Case
from malformed_files import folders, large, parquet, places, workbooks
from malformed_texts import cells, encodings, headers, rows, separators, truncations


def corpus() -> list[Case]:
    """Return all cases; no two have the same name."""
    kinds = (encodings, truncations, separators, headers, rows, cells, parquet, workbooks, places)
    found = [case for kind in (*kinds, folders, large) for case in kind()]
    assert len({case.name for case in found}) == len(found)
    return found
