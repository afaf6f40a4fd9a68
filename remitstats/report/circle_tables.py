"""Rows of the circle's results as its figures and tables show them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from remitstats.report.circle_links import CHAIN, OTHERS
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults

HALVES = ("deepening", "feedback")


def optional(results: CircleResults, name: str) -> pd.DataFrame | None:
    """Return a table that results may lack; None where it is not there or empty."""
    table = results.tables.get(name)
    return None if table is None or table.empty else table


def limit(regime: pd.DataFrame) -> float | None:
    """Return what counts as none: the first limit of a table of regimes, the headline's."""
    return float(regime["delta"].iloc[0]) if len(regime) else None


def one_limit(regime: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of that limit alone."""
    return regime[regime["delta"] == limit(regime)]


def link_name(pair: tuple[str, str], texts: Texts) -> str:
    """Return a link as words for a figure: from, an arrow, to."""
    start, end = (texts.plain(f"circle.short_{name}") for name in pair)
    return f"{start} → {end}"


def cut_rows(loop: pd.DataFrame, texts: Texts) -> pd.DataFrame:
    """Return the nation's loop gain, whole and with each link of the chain cut.

    Parameters
    ----------
    loop : DataFrame
        ``CircleResults.loop``.
    texts : Texts
        For the names of the rows.

    Returns
    -------
    DataFrame
        With ``row``, in the order of the figure.
    """
    names = {"gain": texts.plain("circle.gain_whole")}
    for start, end in CHAIN:
        words = texts.plain("circle.gain_without", link=link_name((start, end), texts))
        names[f"gain_without_{start}_{end}"] = words
    here = loop[(loop["level"] == "nation") & loop["quantity"].isin(names)]
    place = {quantity: i for i, quantity in enumerate(names)}
    rows = here.assign(row=here["quantity"].map(names), place=here["quantity"].map(place))
    return rows.sort_values("place", kind="stable").drop(columns="place").dropna(subset=["median"])


def place_rows(loop: pd.DataFrame) -> pd.DataFrame:
    """Return deepening and feedback of the nation and its regions, lagged links alone."""
    here = loop["level"].isin(["nation", "region"]) & (loop["reading"] == "lagged")
    rows = loop[here & loop["quantity"].isin(HALVES)]
    return rows.assign(row=rows["name"]).dropna(subset=["median"])


def specification_order(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the names of all specifications by their deepening, and those of the headline."""
    rows = specification_rows(table, "deepening").sort_values("median", kind="stable")
    rest = [name for name in table["specification"].unique() if name not in set(rows["row"])]
    marked = table.loc[table["headline"].astype(bool), "specification"].unique()
    return [*map(str, rows["row"]), *map(str, rest)], [str(name) for name in marked]


def specification_rows(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Return one quantity under all specifications, lagged links alone."""
    rows = table[(table["quantity"] == quantity) & (table["reading"] == "lagged")]
    return rows.assign(row=rows["specification"]).dropna(subset=["median"])


def coverage_rows(table: pd.DataFrame, texts: Texts) -> pd.DataFrame:
    """Return coverage of the links drawn as rows: a row a link, a series a scenario."""
    order = {pair: i for i, pair in enumerate((*CHAIN, *OTHERS))}
    pairs = zip(table["from"], table["to"], strict=True)
    ordered = table.assign(place=[float(order.get(pair, math.nan)) for pair in pairs])
    ordered = ordered.dropna(subset=["place", "coverage"]).sort_values("place", kind="stable")
    pairs = zip(ordered["from"], ordered["to"], strict=True)
    return ordered.assign(
        row=[link_name((str(start), str(end)), texts) for start, end in pairs],
        series=ordered["scenario"].astype(str),
        median=ordered["coverage"],
    )
