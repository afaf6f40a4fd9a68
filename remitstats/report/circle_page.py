"""What the circle's page and the front page say of the circle: plain records, no HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.estimands.results import SURE
from remitstats.report.circle_links import CHAIN, NODES, OTHERS, headline, row_of, sign, way
from remitstats.report.circle_tables import limit, one_limit, optional, specification_rows
from remitstats.report.figures.regime_map import REGIMES, most_probable
from remitstats.report.formats import capital
from remitstats.report.records import Row, described, records

if TYPE_CHECKING:
    from remitstats.estimands.circle_results import CircleResults
    from remitstats.report.surroundings import Surroundings

CLAIMS = ("vicious", "virtuous")
VERDICTS = ("supported", "contradicted", "inconclusive")
GLOSSARY = (
    *("circle_loop", "circle_gain", "circle_halves", "circle_band"),
    *("circle_within", "circle_sd", "circle_impulse", "circle_curve"),
)
SECTIONS = (
    *("found", "drawn", "loop", "time", "states", "tables", "assumed", "change"),
    *("moved", "hidden", "compared", "variations", "calibration", "converged"),
)
AGREEMENT = {  # columns shown, and how
    **dict.fromkeys(("panels", "vicious", "vicious_approximate"), "count"),
    **dict.fromkeys(("virtuous", "virtuous_approximate", "agree"), "count"),
    **dict.fromkeys(("coverage", "coverage_approximate"), "share"),
}
MOST_MOVED = 5  # municipalities shown at either end


def circle_context(
    results: CircleResults,
    surroundings: Surroundings,
) -> dict[str, Any]:
    """Return what the templates may use of the circle, under the name ``circle``.

    Parameters
    ----------
    results : CircleResults
        Rounded as they are written.
    surroundings : Surroundings
        Panel, place, texts, shapes.

    Returns
    -------
    dict
        Names and values for Jinja; no verdict and no finding where the fit did not converge.
    """
    regime = one_limit(results.regime)
    nation = headline(results.link, "nation")
    parts = {  # sections that need a table of their own, or that the fit passed its gate
        "moved": records(optional(results, "moved")) if results.converged else [],
        "contributions": _contributions(results, surroundings) if results.converged else [],
        "hidden": _hidden(results) if results.converged else [],
        "compared": _compared(results),
        "compared_sure": _sure(optional(results, "comparison")),
        "specifications": _specifications(optional(results, "specification")),
        "confusion": records(optional(results, "confusion")),
        "agreement": records(optional(results, "agreement")),
    }
    needs = {"variations": "specifications", "calibration": "confusion"}
    return {
        **parts,
        "shown": [name for name in SECTIONS if parts.get(needs.get(name, name), True)],
        "verdicts": _verdicts(results),
        "why_none": _why_none(results),
        "regimes": _national_regimes(regime),
        "chain": _links(nation, CHAIN),
        "others": _links(nation, OTHERS),
        "ways": _ways(nation),
        "natural": records(optional(results, "natural")),
        "natural_tables": _natural_tables(optional(results, "natural")),
        "gains": _gains(results.loop),
        "undefined": _undefined(results.loop),
        "counted": _counted(regime),
        "regions": _places(results.link, regime, "region"),
        "states": _places(results.link, regime, "state"),
        "links": _all_links(results.link),
        "curve": _curve(results),
        "parameters": described(results.parameter),
        "nodes": NODES,
        "pairs": CHAIN,
        "by_chains": _counts(optional(results, "agreement"), results.summary.get("by_chains")),
        "agreement_columns": AGREEMENT,
        "delta": limit(results.regime),
        "glossary": GLOSSARY,
    }


def _counts(table: pd.DataFrame | None, study: Mapping[str, Any] | None) -> Row:
    """Return how many panels were fitted both ways, a scenario and in all, and how many agree."""
    if table is None or not len(table):
        return {}
    return {
        "size": f"{(study or {}).get('municipalities', 0):,}",
        "panels": int(table["panels"].min()),
        "all": int(table["panels"].sum()),
        "same": int(table["agree"].sum()),
        "covered": bool((study or {}).get("coverage")),
    }


def _contributions(results: CircleResults, surroundings: Surroundings) -> list[Row]:
    """Return the municipalities whose reliance the loop raised and lowered most, surest first.

    Ordered by the end of the interval that is nearer to nought, so that a wide interval with a
    large median does not come first.
    """
    table = optional(results, "contribution")
    if table is None:
        return []
    known = table.dropna(subset=["reliance_moved_median"])
    up = known.nlargest(MOST_MOVED, "reliance_moved_eti90_lower")
    down = known.nsmallest(MOST_MOVED, "reliance_moved_eti90_upper").iloc[::-1]
    rows = pd.concat([up, down]).drop_duplicates("cvegeo")
    states = surroundings.panel.table("state").set_index("state")["name"]
    names = rows["state"].map(states).fillna(rows["state"])
    return records(rows.assign(state_name=names))


def _hidden(results: CircleResults) -> list[Row]:
    """Return the links with the cause that would undo them, those of the chain first."""
    rows = {(row["from"], row["to"]): row for row in records(optional(results, "confounding"))}
    return [rows[pair] for pair in (*CHAIN, *OTHERS) if pair in rows]


def _compared(results: CircleResults) -> list[Row]:
    """Return the forms that were compared, with how far each misses the last wave."""
    missed: dict[str, dict[str, Row]] = {}
    for row in records(optional(results, "prediction")):
        missed.setdefault(str(row["variant"]), {})[str(row["variable"])] = row
    return [
        {**row, "missed": missed.get(str(row["variant"]), {})}
        for row in records(optional(results, "comparison"))
    ]


def _sure(table: pd.DataFrame | None) -> bool:
    """Tell whether a comparison says how sure its weights are; those of earlier versions do not."""
    return table is not None and "best_share" in table and bool(table["best_share"].notna().all())


def _verdicts(results: CircleResults) -> list[Row]:
    """Return the verdict on each regime with its reason; none from a fit that did not converge."""
    given = results.summary.get("verdict")
    if not results.converged or not isinstance(given, Mapping):
        return []
    found = []
    for claim in CLAIMS:
        entry = given.get(claim)
        if isinstance(entry, Mapping) and entry.get("verdict") in VERDICTS:
            reason = str(entry.get("reason") or "")
            found.append({"claim": claim, "verdict": str(entry["verdict"]), "reason": reason})
    return found


def _why_none(results: CircleResults) -> str:
    """Return why there is no verdict, as a sentence; empty where there is one or no reason."""
    given = results.summary.get("verdict")
    if not isinstance(given, Mapping):
        return ""
    entries = [given.get(claim) for claim in CLAIMS]
    reasons = [
        str(entry["reason"]).rstrip(".")
        for entry in entries
        if isinstance(entry, Mapping) and entry.get("verdict") == "none" and entry.get("reason")
    ]
    return f"{capital(reasons[0])}." if reasons else ""


def _national_regimes(regime: pd.DataFrame) -> list[Row]:
    return records(regime[regime["level"] == "nation"])


def _links(links: pd.DataFrame, pairs: tuple[tuple[str, str], ...]) -> list[Row]:
    rows = []
    for pair in pairs:
        if pair in links.index:
            row = row_of(links, pair)
            rows.append({**row, "way": way(float(row["p_positive"])), "sign": sign(row)})
    return rows


def _ways(links: pd.DataFrame) -> dict[str, int]:
    """Return how many links of the chain go the claimed way, the other way, or may do either."""
    ways = [row["way"] for row in _links(links, CHAIN)]
    return {name: ways.count(name) for name in ("claimed", "opposite", "open")}


def _natural_tables(table: pd.DataFrame | None) -> list[Row]:
    """Return a record a size of step: its years, and a line a variable and loop."""
    tables: dict[str, Row] = {}
    for row in records(table):
        step = tables.setdefault(
            str(row["change"]), {"change": str(row["change"]), "years": [], "lines": {}}
        )
        years = int(row["years"])
        step["years"] = sorted({*step["years"], years})
        line = step["lines"].setdefault(
            (row["variable"], row["loop"]),
            {"variable": row["variable"], "loop": row["loop"], "rows": {}},
        )
        line["rows"][years] = row
    return [
        {**step, "lines": sorted(step["lines"].values(), key=lambda line: str(line["variable"]))}
        for step in tables.values()
    ]


def _gains(loop: pd.DataFrame) -> list[Row]:
    """Return the nation's gain in each reading, the whole loop's before that of each cut."""
    here = (loop["level"] == "nation") & loop["quantity"].astype(str).str.startswith("gain")
    return records(loop[here].dropna(subset=["median"]))


def _undefined(loop: pd.DataFrame) -> list[Row]:
    """Return the share of draws without a loop gain, where there are any."""
    here = (loop["level"] == "nation") & (loop["quantity"] == "undefined_share")
    rows = loop[here]
    return records(rows[rows["median"].fillna(rows["mean"]) > 0])


def _counted(regime: pd.DataFrame) -> list[Row]:
    """Return in how many states each regime is the most probable, and in how many it is sure."""
    rows = regime[(regime["level"] == "state") & (regime["reading"] == "lagged")]
    found = most_probable(rows)
    counted = []
    for name in REGIMES:
        here = found["regime"] == name
        if here.any():
            sure = int((here & (found["p"] >= SURE)).sum())
            counted.append({"regime": name, "states": int(here.sum()), "sure": sure})
    return counted


def _places(link: pd.DataFrame, regime: pd.DataFrame, level: str) -> list[Row]:
    """Return a record a place: its links by pair, its regime probabilities."""
    regime = regime[(regime["level"] == level) & (regime["reading"] == "lagged")]
    by_code = {str(row["code"]): row for row in records(regime)}
    places = []
    for code, rows in headline(link, level).groupby("code", sort=True):
        by_pair = {(row["from"], row["to"]): row for row in records(rows)}
        places.append(
            {
                "code": str(code),
                "name": str(rows["name"].iloc[0]),
                "links": by_pair,
                "regime": by_code.get(str(code)),
            }
        )
    return places


def _all_links(link: pd.DataFrame) -> list[Row]:
    """Return all national links, those of the chain first, then by where they come from."""
    rows = link[(link["level"] == "nation") & (link["interval"] == "all")]
    order = {pair: i for i, pair in enumerate((*CHAIN, *OTHERS))}
    place = {name: i for i, name in enumerate(NODES)}

    def key(row: Row) -> tuple[int, int, int]:
        pair = (row["from"], row["to"])
        return order.get(pair, len(order)), place.get(pair[0], 9), place.get(pair[1], 9)

    lagged = sorted(records(rows[rows["reading"] == "lagged"]), key=key)
    other = {(r["from"], r["to"]): r for r in records(rows[rows["reading"] != "lagged"])}
    return [{**row, "ordered": other.get((row["from"], row["to"]))} for row in lagged]


def _curve(results: CircleResults) -> list[Row]:
    """Count the specifications whose whole interval lies above, below or within the band."""
    table, delta = optional(results, "specification"), limit(results.regime)
    if table is None or delta is None:
        return []
    counted = []
    for quantity in ("deepening", "feedback"):
        rows = specification_rows(table, quantity)
        lower, upper = rows["eti90_lower"], rows["eti90_upper"]
        above, below = int((lower > delta).sum()), int((upper < -delta).sum())
        within = int(((lower >= -delta) & (upper <= delta)).sum())
        total = len(rows)
        rest = total - above - below - within
        counted.append(
            {
                "quantity": quantity,
                "total": total,
                "above": above,
                "below": below,
                "within": within,
                "rest": rest,
            }
        )
    return counted


def _specifications(table: pd.DataFrame | None) -> list[Row]:
    """Return a record a specification with its rows by quantity."""
    if table is None:
        return []
    found: dict[str, Row] = {}
    for row in records(table[table["reading"] == "lagged"]):
        name = str(row["specification"])
        entry = found.setdefault(
            name, {"name": name, "headline": bool(row["headline"]), "rows": {}}
        )
        entry["rows"][str(row["quantity"])] = row
    return list(found.values())
