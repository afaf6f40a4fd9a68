"""What each page of the report shows: plain records for the templates, no HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.estimands.files import plain
from remitstats.estimands.results import SURE, RelianceResults
from remitstats.fitting.gate_checks import (
    E_BFMI_LIMIT,
    ESS_LIMIT,
    K_HAT_LIMIT,
    R_HAT_LIMIT,
    TREE_DEPTH_LIMIT,
)
from remitstats.report.dictionary import read_dictionary
from remitstats.report.formats import date_label
from remitstats.report.not_reproduced import outside_interval
from remitstats.report.numbers import Numbers
from remitstats.report.picture import Picture
from remitstats.report.pictures import top_rows
from remitstats.report.records import described
from remitstats.report.scope import Scope
from remitstats.report.tables import municipality_data
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    from remitstats.panel.panel import Panel
    from remitstats.report.shapes import MapShapes


@dataclass(frozen=True)
class Page:
    """A page: its key names template, file and texts; its group is a heading of the menu."""

    key: str
    group: str


PAGES = (
    Page("maps", "results"),
    Page("change", "results"),
    Page("ranking", "results"),
    Page("states", "results"),
    Page("explorer", "results"),
    Page("municipalities", "results"),
    Page("paper", "results"),
    Page("diagnostics", "trust"),
    Page("check", "trust"),
    Page("method", "trust"),
    Page("data", "sources"),
    Page("reproduce", "sources"),
    Page("glossary", "sources"),
    Page("index", "results"),
)

GROUPS = ("results", "models", "trust", "sources")
"""Headings of the menu; "models" stands there only where the report has pages of other models."""


# Key in the summary, kind of number, whether the limit is the most or least accepted, limit, and
# the key that names the worst quantity.
_MEASURES = (
    ("r_hat_max", "r_hat", "at_most", R_HAT_LIMIT, "r_hat_worst"),
    ("ess_bulk_min", "count", "at_least", ESS_LIMIT, "ess_bulk_worst"),
    ("ess_tail_min", "count", "at_least", ESS_LIMIT, "ess_tail_worst"),
    ("divergences", "count", "at_most", 0, ""),
    ("k_hat", "plain", "at_most", K_HAT_LIMIT, ""),
    ("e_bfmi_min", "plain", "at_least", E_BFMI_LIMIT, ""),
    ("tree_depth_share", "plain", "at_most", TREE_DEPTH_LIMIT, ""),
    ("quantities", "count", "", None, ""),
    ("draws", "count", "", None, ""),
    ("chains", "count", "", None, ""),
)


def pages_of(scope: Scope) -> tuple[Page, ...]:
    """Return the pages of a report; the one on the paper's figure is of Mexico alone."""
    return tuple(page for page in PAGES if page.key != "paper" or not scope.foreign)


def page_context(
    results: RelianceResults,
    panel: Panel,
    scope: Scope,
    texts: Texts,
    pictures: Mapping[str, Picture],
    shapes: MapShapes | None,
    others: Sequence[Page] = (),
    first: Sequence[Page] = (),
) -> dict[str, Any]:
    """Return what the templates of all pages may use.

    Parameters
    ----------
    results : RelianceResults
        Rounded as they are written.
    panel : Panel
        For title, dictionary and account.
    scope : Scope
        What the report covers.
    texts : Texts
        The catalogue.
    pictures : mapping of str to Picture
        As `draw_all` gives them.
    shapes : MapShapes or None
        To say which units the maps lack.
    others : sequence of Page
        Pages of other models.
    first : sequence of Page
        Pages that stand directly after the front page.

    Returns
    -------
    dict
        Names and values for Jinja.
    """
    document = results.document()
    summary = plain(results.summary)
    pages = pages_of(scope)
    menu = (pages[-1], *first, *pages[:-1], *others)
    return {
        "t": texts,
        "n": Numbers(document, texts.plain("site.to"), language=texts.language),
        "doc": document,
        "summary": summary,
        "scope": scope,
        "pictures": pictures,
        "has_maps": shapes is not None,
        "unmapped": shapes.missing if shapes is not None else 0,
        "menu": {
            group: [page for page in menu if page.group == group]
            for group in GROUPS
            if any(page.group == group for page in menu)
        },
        "converged": results.converged,
        "engine": summary.get("engine"),
        "advice": results.gate.advice(),
        "notes": results.gate.notes,
        "waves": results.waves,
        "intervals": results.intervals,
        "nation": _by_wave(results.group[results.group["level"] == "nation"], "wave"),
        "nation_change": _nation_change(results),
        "groups": _groups(results),
        "group_changes": _group_changes(results),
        "extremes": _extremes(results, document),
        "moved": _indexed((document.get("headline") or {}).get("moved")),
        "above": _indexed((document.get("headline") or {}).get("above")),
        "paper": _paper(document, results.waves),
        "top": {wave: top_rows(results, wave).to_dict("records") for wave in results.waves},
        "state_names": [group["name"] for group in _groups(results) if group["level"] == "state"],
        "units": int(results.level["cvegeo"].nunique()),
        "municipality_data": municipality_data(results, texts),
        "predictive": described(results.predictive),
        "outside": described(outside_interval(results.predictive)),
        "parameters": described(results.parameter),
        "measures": _MEASURES,
        "seconds": _seconds(summary),
        "spec": list(_flatten(summary.get("model_spec") or {})),
        "versions": summary.get("versions") or {},
        "panel_title": str(panel.metadata.get("title") or scope.country),
        "built": date_label(
            panel.metadata.get("built") or texts.plain("site.missing"), texts.language
        ),
        "panel_hash": str(summary.get("panel_hash") or panel.hash),
        "dictionary": read_dictionary(panel.metadata.get("dictionary")),
        "account": _account(panel),
        "sure": SURE,
    }


def _by_wave(table: pd.DataFrame, column: str) -> dict[int, dict[str, Any]]:
    rows = table.dropna(subset=["median"]).sort_values(column).to_dict("records")
    return {int(row[column]): {str(key): value for key, value in row.items()} for row in rows}


def _nation_change(results: RelianceResults) -> dict[tuple[int, int], dict[str, Any]]:
    rows = results.group_change[results.group_change["level"] == "nation"].to_dict("records")
    by_pair = {(int(row["from_wave"]), int(row["to_wave"])): row for row in rows}
    return {
        pair: {str(key): value for key, value in by_pair[pair].items()}
        for pair in results.intervals
        if pair in by_pair
    }


def _groups(results: RelianceResults) -> list[dict[str, Any]]:
    """Return nation, regions and states in that order, each with its rows by wave."""
    groups = []
    for level in ("nation", "region", "state"):
        table = results.group[results.group["level"] == level]
        for code, rows in table.groupby("code", sort=True):
            name = str(rows["name"].iloc[0])
            groups.append(
                {"level": level, "code": code, "name": name, "rows": _by_wave(rows, "wave")}
            )
    return groups


def _group_changes(results: RelianceResults) -> list[dict[str, Any]]:
    groups = []
    for level in ("nation", "region", "state"):
        table = results.group_change[results.group_change["level"] == level]
        for _, rows in table.groupby("code", sort=True):
            pairs = {(int(r["from_wave"]), int(r["to_wave"])): r for r in rows.to_dict("records")}
            groups.append({"level": level, "name": str(rows["name"].iloc[0]), "rows": pairs})
    return groups


def _extremes(results: RelianceResults, document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return highest and lowest state of the last wave, where there are several."""
    states = (document.get("headline") or {}).get("states") or []
    table = results.group[results.group["level"] == "state"].set_index(["code", "wave"])
    if not states or table.index.get_level_values("code").nunique() < 2:
        return None
    last = states[-1]
    wave = last["wave"]

    def row(code: str) -> dict[str, Any]:
        cells = {str(key): value for key, value in table.loc[(code, wave)].to_dict().items()}
        return {**cells, "level": "state", "code": code, "wave": wave}

    return {"wave": wave, "high": row(last["highest"]), "low": row(last["lowest"])}


def _indexed(records: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Return records with their place, by which a number names its source."""
    return [{**record, "at": i} for i, record in enumerate(records or [])]


def _paper(document: Mapping[str, Any], waves: list[int]) -> dict[str, Any]:
    """Return the probabilities that the national share reaches the claim, and what they say."""
    given = (document.get("estimates") or {}).get("p_national_at_least_8") or {}
    known = {wave: float(given[str(wave)]) for wave in waves if given.get(str(wave)) is not None}
    verdict = "some"
    if not known:
        verdict = "unknown"
    elif max(known.values()) <= 1 - SURE:
        verdict = "none"
    elif min(known.values()) >= SURE:
        verdict = "all"
    highest = max(known, key=lambda wave: known[wave]) if known else None
    return {"known": known, "verdict": verdict, "highest": highest}


def _seconds(summary: Mapping[str, Any]) -> list[str]:
    seconds = summary.get("wall_seconds")
    return list(seconds) if isinstance(seconds, dict) else []


def _flatten(tree: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as lines of a two-column table."""
    if isinstance(tree, Mapping):
        values = list(tree.values())
        if prefix and not any(isinstance(value, Mapping | list) for value in values):
            return [(prefix, ", ".join(f"{key} {value}" for key, value in tree.items()))]
        lines: list[tuple[str, str]] = []
        for key, value in tree.items():
            lines += _flatten(value, f"{prefix} · {key}" if prefix else str(key))
        return lines
    if isinstance(tree, list):
        return [(prefix, ", ".join(str(item) for item in tree))]
    return [(prefix, str(tree))]


def _account(panel: Panel) -> list[dict[str, str]]:
    """Return the account of the build as text, whole numbers without decimals."""
    if "account" not in panel:
        return []
    lines = []
    for row in panel.table("account").to_dict("records"):
        cells = {}
        for key in ("source", "step", "rows_in", "merged", "missing", "rows_out", "note"):
            value = row.get(key)
            if value is None or pd.isna(value):
                cells[key] = ""
            elif isinstance(value, str):
                cells[key] = value
            else:
                cells[key] = f"{int(value):,}"
        lines.append(cells)
    return lines
