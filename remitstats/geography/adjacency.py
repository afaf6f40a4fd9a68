"""Neighbours: pairs of municipalities on 2010 boundaries, and what a spatial model asks of them.

Pairs are unordered and stored once, the smaller code first, so that the graph is symmetric by
construction. Queen neighbours share at least a corner; rook neighbours share a border line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from remitstats.errors import PanelError, Problem


def fold_pairs(pairs: pd.DataFrame, parents: Mapping[str, str]) -> pd.DataFrame:
    """Return neighbour pairs on 2010 boundaries.

    A later municipality's neighbours become its parent's. Pairs that meet in one municipality
    vanish (they are its inside), pairs that become the same one are merged; they are rook
    neighbours if any of them was.

    Parameters
    ----------
    pairs : DataFrame
        ``cvegeo_a``, ``cvegeo_b``, ``rook`` on 2020 boundaries.
    parents : mapping of str to str
        Later municipality -> the one it is folded into.

    Returns
    -------
    DataFrame
        The same columns, sorted, ``cvegeo_a < cvegeo_b``.
    """
    codes = pairs[["cvegeo_a", "cvegeo_b"]].replace(dict(parents))
    ends = np.sort(codes.to_numpy(dtype=str), axis=1)
    folded = pd.DataFrame({"cvegeo_a": ends[:, 0], "cvegeo_b": ends[:, 1], "rook": pairs["rook"]})
    folded = folded[folded["cvegeo_a"] != folded["cvegeo_b"]]
    return folded.groupby(["cvegeo_a", "cvegeo_b"])["rook"].any().reset_index()


def components(codes: Sequence[str], pairs: pd.DataFrame) -> np.ndarray:
    """Return for each municipality the number of the connected part it belongs to.

    Parameters
    ----------
    codes : sequence of str
        The municipalities.
    pairs : DataFrame
        ``cvegeo_a``, ``cvegeo_b``.

    Returns
    -------
    ndarray of int, shape (len(codes),)
        Parts are numbered from 0 in the order of `codes`.

    Raises
    ------
    PanelError
        If a pair names a municipality that is not among `codes`.
    """
    index = pd.Index(codes)
    a, b = (index.get_indexer(pd.Index(pairs[end])) for end in ("cvegeo_a", "cvegeo_b"))
    unknown = sorted({*pairs["cvegeo_a"][a < 0], *pairs["cvegeo_b"][b < 0]})
    if unknown:
        raise PanelError(
            "The neighbour pairs name municipalities that are not in the panel.",
            [Problem("adjacency", code, "cvegeo", code, "a code of the panel") for code in unknown],
        )
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(len(index), len(index)))
    labels: np.ndarray = connected_components(graph, directed=False)[1]
    return labels


def isolates(codes: Sequence[str], pairs: pd.DataFrame) -> list[str]:
    """Return the municipalities without any neighbour."""
    with_neighbour = {*pairs["cvegeo_a"], *pairs["cvegeo_b"]}
    return [code for code in codes if code not in with_neighbour]
