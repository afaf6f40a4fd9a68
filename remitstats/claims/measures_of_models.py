"""Estimands from the results of fits that passed their gates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from remitstats import catalogue
from remitstats.claims.evidence import Evidence, NoEvidenceError, Sources
from remitstats.claims.measure import measure, require_column, require_one_of, single
from remitstats.claims.regime import (
    CLAIMS,
    CONTRADICTED,
    INCONCLUSIVE,
    NO_VERDICT,
    SUPPORTED,
)
from remitstats.estimands.circle import LAGGED, ORDERED

INTERVAL = ("eti90_lower", "eti90_upper")
UNCALIBRATED = "rule not calibrated"


def _table(sources: Sources, model: str, name: str) -> pd.DataFrame:
    tables: Mapping[str, pd.DataFrame] = sources.of(model).tables
    require_one_of(f"table of the results of {model}", name, tables)
    return tables[name]


def _estimate(row: pd.Series[Any], source: str, scale: float = 1.0) -> Evidence:
    numbers = [float(row[column]) * scale for column in ("median", *INTERVAL)]
    if not all(map(math.isfinite, numbers)):
        raise NoEvidenceError(f"{source} has no estimate there")
    value, lower, upper = numbers
    return Evidence(value, lower, upper, source=source)


@measure("results.estimate", gives="figure")
def estimate(sources: Sources, model: str, table: str, row: dict) -> Evidence:  # type: ignore[type-arg]
    """Median and 90% interval of one row of a table of a model's results."""
    catalogue.find(model)
    found = single(_table(sources, model, table), table, row)
    for column in ("median", *INTERVAL):
        require_column(found.to_frame().T, table, column)
    return _estimate(found, f"{model}/{table}")


@measure("results.probability", gives="probability")
def probability(
    sources: Sources,
    model: str,
    table: str,
    column: str,
    row: dict,  # type: ignore[type-arg]
) -> Evidence:
    """Probability in one row of a table of a model's results."""
    catalogue.find(model)
    whole = _table(sources, model, table)
    require_column(whole, table, column)
    return Evidence.probable(single(whole, table, row)[column], f"{model}/{table}")


def _nation(sources: Sources, table: str, **row: Any) -> pd.Series[Any]:
    return single(_table(sources, "reliance", table), table, {"level": "nation", **row})


@measure("reliance.national_percent", gives="figure", unit="% of dwellings", model="reliance")
def national_percent(sources: Sources, wave: int) -> Evidence:
    """Share of the nation's dwellings that receive remittances, at a census."""
    return _estimate(_nation(sources, "group", wave=wave), "reliance/group")


@measure("reliance.national_dwellings", gives="figure", unit="million dwellings", model="reliance")
def national_dwellings(sources: Sources, wave: int) -> Evidence:
    """Dwellings of the nation that receive remittances, at a census."""
    row = _nation(sources, "group", wave=wave)
    ends = [f"receiving_dwellings_{key}" for key in ("mean", *INTERVAL)]
    numbers = [float(row[column]) / 1e6 for column in ends]
    value, lower, upper = numbers
    return Evidence(value, lower, upper, source="reliance/group")


@measure("reliance.probability_of_increase", gives="probability", model="reliance")
def probability_of_increase(sources: Sources, from_wave: int, to_wave: int) -> Evidence:
    """Probability that the nation's reliance was higher at the later census."""
    row = _nation(sources, "group_change", from_wave=from_wave, to_wave=to_wave)
    return Evidence.probable(row["p_increase"], "reliance/group_change")


@measure("circle.regime", gives="verdict", model="circle")
def regime(sources: Sources, regime: str) -> Evidence:
    """Verdict on the vicious or the virtuous circle, by the rule tried on simulated panels."""
    require_one_of("regime", regime, CLAIMS)
    summary = sources.of("circle").summary
    given = summary.get("verdict")
    entry = given.get(regime) if isinstance(given, Mapping) else None
    if not isinstance(entry, Mapping) or entry.get("verdict", NO_VERDICT) == NO_VERDICT:
        why = str(entry.get("reason", "")) if isinstance(entry, Mapping) else ""
        reason = f"no verdict: {why}" if _calibrated(summary) else _uncalibrated(why)
        return Evidence(verdict=INCONCLUSIVE, reason=reason, source="circle")
    if entry["verdict"] != INCONCLUSIVE and not _calibrated(summary):
        return Evidence(verdict=INCONCLUSIVE, reason=_uncalibrated(""), source="circle")
    least = entry.get("probability")
    return Evidence(
        probability=math.nan if least is None else float(least),
        verdict=str(entry["verdict"]),
        reason=str(entry.get("reason") or ""),
        source="circle/regime",
    )


@measure("circle.link", gives="verdict", model="circle")
def link(sources: Sources, start: str, end: str, sign: str = "positive") -> Evidence:
    """Whether a link of the circle has a sign, in every reading, once its rule is calibrated."""
    results = sources.of("circle")
    require_one_of("sign", sign, ("positive", "negative"))
    require_one_of("variable of the circle", start, set(results.link["from"]))
    require_one_of("variable of the circle", end, set(results.link["to"]))
    row = {"level": "nation", "interval": "all", "from": start, "to": end}
    chances = []
    for reading in (LAGGED, ORDERED):
        here = single(results.link, "link", {**row, "reading": reading})
        p = float(here["p_positive"])
        chances.append(p if sign == "positive" else 1.0 - p)
    least, most = min(chances), max(chances)
    said = f"probability {least:.3f} to {most:.3f} over the readings"
    if not _calibrated(results.summary):
        return Evidence(
            probability=least,
            verdict=INCONCLUSIVE,
            reason=_uncalibrated(f"{said}, which is not judged"),
            source="circle/link",
        )
    verdict = SUPPORTED if least >= 0.95 else CONTRADICTED if most <= 0.05 else INCONCLUSIVE
    return Evidence(probability=least, verdict=verdict, reason=said, source="circle/link")


def _calibrated(summary: Mapping[str, Any]) -> bool:
    """Whether the results hold a verdict by a rule that was tried on simulated panels."""
    given = summary.get("verdict")
    if not isinstance(summary.get("calibration"), Mapping) or not isinstance(given, Mapping):
        return False
    entries = [given[name] for name in CLAIMS if isinstance(given.get(name), Mapping)]
    # An open question is called so without a trial: it does not show that there was one.
    return any(e.get("verdict") in (SUPPORTED, CONTRADICTED) for e in entries)


def _uncalibrated(more: str) -> str:
    return f"{UNCALIBRATED}: {more}" if more else UNCALIBRATED


@measure("transition.reversed", gives="probability", model="transition")
def reversed_path(sources: Sources, path: str, how: str, rule: str, by: int) -> Evidence:
    """Probability that all countries of a path, or none, had turned by a year."""
    require_one_of("how", how, ("all", "none"))
    table = sources.of("transition").path_reversal
    row = single(table, "path_reversal", {"path": path, "rule": rule, "by": by})
    return Evidence.probable(row[f"p_{how}"], "transition/path_reversal")


@measure("transition.losing", gives="probability", model="transition")
def losing(sources: Sources, path: str, window: str) -> Evidence:
    """Probability that all countries of a path lose people on balance, in a window of years."""
    table = sources.of("transition").path_level
    row = single(table, "path_level", {"path": path, "window": window})
    return Evidence.probable(row["p_all_below_zero"], "transition/path_level")


@measure("transition.deepening", gives="probability", model="transition")
def deepening(sources: Sources, path: str, series: str, period: str, reading: str) -> Evidence:
    """Probability that remittances over GDP rose by over a tenth in all countries of a path."""
    table = sources.of("transition").path_change
    row = single(
        table,
        "path_change",
        {"path": path, "series": series, "period": period, "reading": reading},
    )
    return Evidence.probable(row["p_all_rose"], "transition/path_change")


@measure("transition.gap_widens", gives="probability", model="transition")
def gap_widens(sources: Sources, path: str, period: str) -> Evidence:
    """Probability that income against the United States fell in all countries of a path."""
    table = sources.of("transition").path_change
    row = single(
        table,
        "path_change",
        {"path": path, "series": "income", "period": period, "reading": "moves"},
    )
    return Evidence.probable(row["p_all_fell"], "transition/path_change")
