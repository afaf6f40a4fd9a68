"""Rows of the depopulation results as its page and figures show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remitstats.estimands.depopulation_share import CLAIMED
from remitstats.report.not_reproduced import outside_interval
from remitstats.report.records import Row, records

if TYPE_CHECKING:
    from remitstats.estimands.depopulation_results import DepopulationResults

KINDS = ("published", "recorded", "true", "underlying")
LATEST_DATE = 2006  # of the figure the paper cites
NEAR = 1.0  # points from the claim within which a recorded share counts as it
SURE = 0.9
MOST = 12


def shares(results: DepopulationResults, definition: str) -> list[Row]:
    """Return a record a period with the shares of each kind under one definition."""
    rows = results.share[results.share["definition"] == definition]
    found: dict[str, Row] = {}
    for row in records(rows):
        entry = found.setdefault(
            row["period"], {"period": row["period"], "years": row["years"], "kinds": {}}
        )
        entry["kinds"][row["kind"]] = row
    order = {period: (round(row["years"] / 5), period) for period, row in found.items()}
    return [found[period] for period in sorted(found, key=lambda p: order[p])]


def boundaries(results: DepopulationResults) -> list[Row]:
    """Return a record a decade between censuses: any loss, as published and on one territory.

    What a census counts is taken as exact, so that what differs is territory alone.
    """
    share = results.share
    here = share[
        (share["definition"] == "any loss")
        & share["kind"].isin(KINDS[:2])
        & (share["start"] % 10 == 0)
        & (share["end"] - share["start"] == 10)
    ]
    found: dict[str, Row] = {}
    for row in records(here):
        found.setdefault(row["period"], {"period": row["period"]})[row["kind"]] = row
    return list(found.values())


def changes(results: DepopulationResults) -> list[Row]:
    """Return a record a pair of periods that follow each other: any loss, by kind."""
    found: dict[str, Row] = {}
    for row in records(results.change[results.change["definition"] == "any loss"]):
        key = f"{row['first']}, {row['last']}"
        names = {"first": row["first"], "last": row["last"], "kinds": {}}
        found.setdefault(key, names)["kinds"][row["kind"]] = row
    return list(found.values())


def fitting(results: DepopulationResults) -> list[Row]:
    """Return the definitions and dates under which the claimed share holds.

    Those that ended before the paper was written, by published figures within `NEAR` of it, or
    with it inside the 90% interval of the model.
    """
    share = results.share
    before = share["end"] <= LATEST_DATE
    known = share["kind"].isin(KINDS[:2])
    near = (share["median"] - CLAIMED).abs() <= NEAR
    inside = (share["eti90_lower"] <= CLAIMED) & (share["eti90_upper"] >= CLAIMED)
    rows = share[before & ((known & near) | (~known & inside))]
    return records(rows)


def of_nation(results: DepopulationResults, quantity: str) -> pd.DataFrame:
    """Return the nation's rows of a quantity, in the order of the intervals."""
    group = results.group
    return group[(group["level"] == "nation") & (group["quantity"] == quantity)]


def middles(intervals: pd.Series) -> np.ndarray:
    """Return the middle year of intervals named by their ends."""
    ends = intervals.astype(str).str.split("-", expand=True).astype(float)
    return np.asarray(ends.mean(axis=1), dtype=float)


def chosen(results: DepopulationResults) -> list[tuple[str, pd.DataFrame]]:
    """Return municipalities of interest with their rows, by rule.

    The six largest that lose people in every interval with a probability of `SURE` or more of
    the underlying rate, and the six largest whose underlying rate turned from growth in the first
    interval to loss in the last; the largest of all where there are none.
    """
    table = results.municipality
    size = results.outlook.drop_duplicates("cvegeo").set_index("cvegeo")["last"]
    wide = table.pivot(index="cvegeo", columns="interval", values="p_underlying_decline")
    order = size.reindex(wide.index).sort_values(ascending=False).index
    wide = wide.reindex(order)
    lasting = wide.index[(wide >= SURE).all(axis=1)][: MOST // 2]
    turned = wide.index[(wide.iloc[:, 0] <= 1 - SURE) & (wide.iloc[:, -1] >= SURE)]
    codes = [*lasting, *[code for code in turned if code not in lasting][: MOST // 2]]
    codes = codes or list(order[: MOST // 2])
    return [(code, table[table["cvegeo"] == code]) for code in codes]


def links(results: DepopulationResults) -> list[Row]:
    """Return the slopes, corrected, and differences after each wave, within states and not."""
    rows = results.link
    if not len(rows):
        return []
    found: dict[tuple[str, ...], Row] = {}
    for row in records(rows):
        key = (row["measure"], str(row["wave"]), row["interval"], row["within"])
        entry = found.setdefault(
            key, {name: row[name] for name in ("measure", "wave", "interval", "when", "within")}
        )
        entry[row["quantity"]] = row
    return list(found.values())


def hindcast(results: DepopulationResults) -> dict[str, dict[str, Row]]:
    """Return the scores by forecast and quantity with its level."""
    found: dict[str, dict[str, Row]] = {}
    for row in records(results.hindcast):
        level = int(row["level"])
        name = f"{row['quantity']}_{level}" if level else str(row["quantity"])
        found.setdefault(str(row["forecast"]), {})[name] = row
    return found


def missed(results: DepopulationResults) -> list[Row]:
    """Return the statistics that the model does not reproduce: outside their 90% interval."""
    return records(outside_interval(results.predictive))
