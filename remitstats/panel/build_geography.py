"""The tables ``adjacency`` and ``shape`` on 2010 boundaries."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError
from remitstats.geography.adjacency import components, fold_pairs, isolates
from remitstats.geography.shapes import dissolve, simplify
from remitstats.panel.account import Account
from remitstats.panel.codes import PARENTS
from remitstats.sources import conapo, geo


def build_adjacency(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``adjacency``: queen pairs on 2010 boundaries, each once.

    Raises
    ------
    PanelError
        If a municipality has no neighbour or the map falls into parts.
    """
    published = geo.read_adjacency(raw)
    pairs = fold_pairs(published, PARENTS)
    codes = sorted(conapo.read_municipal_names(raw)["cvegeo"])
    alone = isolates(codes, pairs)
    parts = int(components(codes, pairs).max()) + 1
    if alone or parts > 1:
        raise PanelError(
            f"The neighbour pairs leave {len(alone)} municipalities alone ({', '.join(alone[:9])}) "
            f"and the map in {parts} parts; one part without any left alone is known."
        )
    account.add(
        "geo-adjacency",
        "neighbour pairs",
        rows_in=len(published),
        merged=len(published) - len(pairs),
        rows_out=len(pairs),
        note="merged: pairs inside a parent, and pairs that became one",
    )
    return {"adjacency": pairs}


def build_shapes(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``shape``: one polygon a municipality of 2010, as well-known binary."""
    published = geo.read_shapes(raw)
    shapes = simplify(dissolve(published, PARENTS))
    account.add(
        "geo-shapes",
        "map shapes",
        rows_in=len(published),
        merged=len(published) - len(shapes),
        rows_out=len(shapes),
    )
    return {"shape": shapes}
