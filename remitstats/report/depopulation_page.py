"""What the page and the front page say of depopulation: plain records, no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.estimands.depopulation_share import CLAIMED
from remitstats.report.depopulation_tables import (
    SURE,
    boundaries,
    changes,
    fitting,
    hindcast,
    links,
    missed,
    of_nation,
    shares,
)
from remitstats.report.records import Row, described, records

if TYPE_CHECKING:
    from remitstats.estimands.depopulation_results import DepopulationResults
    from remitstats.report.surroundings import Surroundings

GLOSSARY = (
    *("depopulation_recorded", "depopulation_true", "depopulation_underlying"),
    *("depopulation_joint", "depopulation_crps"),
)
MOST_LOSING = 15


def depopulation_context(
    results: DepopulationResults,
    surroundings: Surroundings,
) -> dict[str, Any]:
    """Return what the templates may use of depopulation, under the name ``depopulation``.

    Parameters
    ----------
    results : DepopulationResults
        Rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts, shapes.

    Returns
    -------
    dict
        Names and values for Jinja; no finding where the fit did not converge.
    """
    definitions = [str(name) for name in results.share["definition"].unique()]
    future = results.future
    nation = future[future["level"] == "nation"]
    ahead = {
        year: {row["quantity"]: row for row in records(nation[nation["year"] == year])}
        for year in sorted(int(each) for each in nation["year"].unique())
    }
    last = max(ahead, default=0)
    intervals = [str(name) for name in results.municipality["interval"].unique()]
    return {
        "claimed": CLAIMED,
        "definitions": definitions,
        "shares": {name: shares(results, name) for name in definitions},
        "boundaries": boundaries(results),
        "changes": changes(results),
        "fitting": fitting(results) if results.converged else [],
        "sure": round(100 * SURE),
        "intervals": intervals,
        "rates": records(of_nation(results, "mean_rate")),
        "lasting": _lasting(results.municipality),
        "persistence": _persistence(results.persistence),
        "links": links(results),
        "future": ahead,
        "horizon": {"year": last, "rows": ahead[last]} if last else {},
        "states": _states(results),
        "losing": _most_losing(results),
        "hindcast": hindcast(results),
        "said": results.summary.get("hindcast"),
        "missed": missed(results),
        "neighbours_missed": any(
            row["statistic"] == "neighbours" and row["observed"] > row["replicated_eti90_upper"]
            for row in missed(results)
        ),
        "checked": len(results.predictive),
        "parameters": described(results.parameter),
        "glossary": GLOSSARY,
        "has_states": surroundings.states is not None,
    }


def _lasting(table: pd.DataFrame) -> Row:
    """Count municipalities by how sure decline or growth is in the last interval and in all."""
    last = table[table["interval"] == table["interval"].iloc[-1]]
    wide = table.pivot(index="cvegeo", columns="interval", values="p_underlying_decline")
    return {
        "losing": int((last["p_underlying_decline"] >= SURE).sum()),
        "growing": int((last["p_underlying_decline"] <= 1 - SURE).sum()),
        "open": int(
            last["p_underlying_decline"].between(1 - SURE, SURE, inclusive="neither").sum()
        ),
        "always": int((wide >= SURE).all(axis=1).sum()),
        "municipalities": len(wide),
    }


def _persistence(table: pd.DataFrame) -> list[Row]:
    """Return a record a pair of intervals: by kind, after loss and after growth."""
    found: dict[str, Row] = {}
    for row in records(table):
        entry = found.setdefault(row["period"], {"period": row["period"], "rows": {}})
        entry["rows"][(row["kind"], row["given"])] = row
    return list(found.values())


def _states(results: DepopulationResults) -> list[Row]:
    """Return a record a state: its last underlying rate, its share losing, its future."""
    group, future = results.group, results.future
    if not len(group):
        return []
    last = group["interval"].iloc[-1]
    here = group[(group["level"] == "state") & (group["interval"] == last)]
    ahead = future[(future["level"] == "state") & (future["year"] == future["year"].max())]
    found: dict[str, Row] = {}
    for row in records(here):
        entry = found.setdefault(row["code"], {"code": row["code"], "name": row["name"]})
        entry[row["quantity"]] = row
    for row in records(ahead):
        found[row["code"]][f"future_{row['quantity']}"] = row
    return list(found.values())


def _most_losing(results: DepopulationResults) -> list[Row]:
    """Return the municipalities whose population is to fall most, of those that are sure to."""
    table = results.outlook[results.outlook["year"] == results.outlook["year"].max()]
    sure = table[table["p_decline"] >= SURE]
    lost = sure["last"] - sure["median"]
    return records(sure.loc[lost.sort_values(ascending=False).index[:MOST_LOSING]])
