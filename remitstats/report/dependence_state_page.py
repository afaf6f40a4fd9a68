"""What the page on dependence of states and the front page say of it: plain records, no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.estimands.results import SURE
from remitstats.report.not_reproduced import outside_middle
from remitstats.report.records import Row, described, records

if TYPE_CHECKING:
    from remitstats.estimands.dependence_state_results import DependenceStateResults
    from remitstats.report.surroundings import Surroundings


def dependence_state_context(
    results: DependenceStateResults,
    surroundings: Surroundings,  # noqa: ARG001 - the numbers alone tell what is said
) -> dict[str, Any]:
    """Return what the templates may use of the states, under the name ``dependence_state``.

    Parameters
    ----------
    results : DependenceStateResults
        Rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts, shapes.
    """
    level, change = results.level, results.change
    nation = level[level["level"] == "nation"]
    known = nation[(nation["quantity"] == "trend") & ~nation["predicted"]]
    first, last = int(known["year"].min()), int(known["year"].max())
    predicted = nation[nation["quantity"] == "ratio"]
    tendency = results.tendency
    typical = tendency[tendency["code"] == "typical"]
    whole = (change["from_year"] == first) & (change["to_year"] == last)
    states = change[whole & (change["level"] == "state")]
    return {
        "first": records(known[known["year"] == first])[0],
        "last": records(known[known["year"] == last])[0],
        "highest": records(known.loc[[known["observed"].idxmax()]])[0],
        "lowest": records(known.loc[[known["observed"].idxmin()]])[0],
        "predicted": records(predicted),
        "tendency": records(typical)[0],
        "tendency_word": _word(float(typical["p_rising"].iloc[0])),
        "risen": int((states["observed"] > 0).sum()),
        "counted": len(states),
        "periods": _periods(results),
        "national": records(change[change["level"] == "nation"]),
        "states": _states(results, first, last),
        "decomposition": records(results.decomposition[results.decomposition["level"] == "nation"]),
        "concentration": _concentration(results, first, last),
        "claims": records(results.claim),
        "forecast": records(results.forecast),
        "predictive": described(results.predictive),
        "missed": described(outside_middle(results.predictive)),
        "parameters": described(results.parameter),
    }


def _word(p: float) -> str:
    """Return whether something is so: "yes", "no" or "open"."""
    return "yes" if p >= SURE else "no" if p <= 1 - SURE else "open"


def _periods(results: DependenceStateResults) -> list[Row]:
    """Return a record a period: how many states rose for sure, fell for sure, or may have."""
    rows = results.change[results.change["level"] == "state"]
    found = []
    for (start, end, predicted), part in rows.groupby(
        ["from_year", "to_year", "predicted"], sort=False
    ):
        rose, fell = (
            int((part["p_rising"] >= SURE).sum()),
            int((part["p_rising"] <= 1 - SURE).sum()),
        )
        found.append(
            {
                "from_year": start,
                "to_year": end,
                "predicted": bool(predicted),
                "rose": rose,
                "fell": fell,
                "open": len(part) - rose - fell,
            }
        )
    return found


def _states(results: DependenceStateResults, first: int, last: int) -> list[Row]:
    """Return a record a state, the most dependent first: levels, changes, rank, tendency."""
    level = results.level[results.level["level"] == "state"]
    trend = level[level["quantity"] == "trend"].set_index(["code", "year"])
    ratio = level[level["quantity"] == "ratio"]
    change = results.change.set_index(["code", "from_year", "to_year"])
    tendency = results.tendency.set_index("code")
    moved = results.rank_change.set_index(["code", "from_year", "to_year"])
    rank = results.rank.set_index(["code", "year"])

    def row(table: pd.DataFrame, *key: Any) -> Row:
        names = [str(name) for name in table.index.names]
        values = table.loc[key if len(key) > 1 else key[0]].to_dict()
        return {**dict(zip(names, key, strict=True)), **values}

    found = []
    newest = trend.xs(last, level="year")["observed"].sort_values(ascending=False)
    for code in newest.index:
        later = ratio[ratio["code"] == code].sort_values("year")
        found.append(
            {
                "code": code,
                "name": str(trend.loc[(code, last), "name"]),
                "first": row(trend, code, first),
                "last": row(trend, code, last),
                "later": records(later.tail(1))[0] if len(later) else None,
                "change": row(change, code, first, last),
                "tendency": row(tendency, code),
                "rank": row(rank, code, last),
                "moved": row(moved, code, first, last),
            }
        )
    return found


def _concentration(results: DependenceStateResults, first: int, last: int) -> list[Row]:
    """Return a record a measure: its first and last value, and their difference."""
    level = results.concentration
    moved = results.concentration_change
    found = []
    for quantity in level["quantity"].unique():
        here = level[level["quantity"] == quantity].set_index("year", drop=False)
        change = moved[
            (moved["quantity"] == quantity)
            & (moved["from_year"] == first)
            & (moved["to_year"] == last)
        ]
        found.append(
            {
                "quantity": quantity,
                "first": here.loc[first].to_dict(),
                "last": here.loc[last].to_dict(),
                "change": records(change)[0],
            }
        )
    return found
