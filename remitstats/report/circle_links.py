"""Which links of the circle the report draws, and which way each of the claimed chain should go."""

from __future__ import annotations

from typing import Any

import pandas as pd

from remitstats.estimands.results import SURE

NODES = ("migration", "reliance", "stability", "underdevelopment", "growth")
CHAIN = (
    ("migration", "reliance"),
    ("reliance", "stability"),
    ("stability", "underdevelopment"),
    ("underdevelopment", "migration"),
)
"""(from, to) of the claimed chain, each link claimed to be positive."""

OTHERS = (
    ("reliance", "migration"),
    ("migration", "underdevelopment"),
    ("reliance", "underdevelopment"),
    ("migration", "growth"),
)
"""(from, to) of the other links drawn: short cuts of the chain, dependence, depopulation."""

CLAIMED, OPPOSITE, OPEN = "claimed", "opposite", "open"


def way(p_positive: float) -> str:
    """Return whether a link of the chain goes the claimed way, the other way, or may do either."""
    if p_positive >= SURE:
        return CLAIMED
    return OPPOSITE if p_positive <= 1 - SURE else OPEN


def p_sign(row: Any) -> float:
    """Return the probability that a link has the sign of its median."""
    p = float(row["p_positive"])
    return p if row["median"] >= 0 else 1 - p


def sign(row: Any) -> str:
    """Return "positive" or "negative", or "unsure" where the sign's probability is too low."""
    if p_sign(row) < SURE:
        return "unsure"
    return "positive" if row["median"] >= 0 else "negative"


def headline(link: pd.DataFrame, level: str, code: str | None = None) -> pd.DataFrame:
    """Return the links of one place that the report states: lagged, both intervals together.

    Parameters
    ----------
    link : DataFrame
        ``CircleResults.link``.
    level, code : str
        The place; without a code all of the level.

    Returns
    -------
    DataFrame
        Indexed by (from, to).
    """
    here = (link["level"] == level) & (link["interval"] == "all") & (link["reading"] == "lagged")
    if code is not None:
        here &= link["code"] == code
    return link[here].set_index(["from", "to"], drop=False)


def row_of(links: pd.DataFrame, pair: tuple[str, str]) -> dict[str, Any]:
    """Return the row of a link, (from, to), of a table that `headline` gave."""
    return {str(key): value for key, value in links.loc[[pair]].to_dict("records")[0].items()}
