"""How many municipalities lose people: definitions a demographer would use, each by itself.

A definition is a period and a threshold; or loss in each of several intervals. It is applied to
growth of three kinds: recorded (published figures: no uncertainty), true (without the error of
counts and survey) and underlying (without what passes in one interval as well).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.estimands.depopulation_draws import DepopulationDraws, Judged
from remitstats.estimands.summary import estimate
from remitstats.models.depopulation_census import Censuses, recorded_percent

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

CLAIMED = 34.0  # per cent of municipalities that the paper says are affected
THRESHOLDS = (0.0, -0.5, -1.0)  # % a year
PUBLISHED, RECORDED, TRUE, UNDERLYING = "published", "recorded", "true", "underlying"
EACH = "loss in each interval"
LONGEST = 3  # intervals joined to a longer period


@dataclass(frozen=True)
class Definition:
    """When a municipality counts as losing people.

    Parameters
    ----------
    start, end : int
        Rows of the first and last census.
    threshold : float
        Mean growth, % a year, below which it loses; 0 for any loss.
    each : bool
        Whether it must lose in every interval between.
    """

    start: int
    end: int
    threshold: float = 0.0
    each: bool = False

    @property
    def name(self) -> str:
        """Return what the definition is called in tables."""
        if self.each:
            return EACH
        return "any loss" if self.threshold == 0.0 else f"below {self.threshold:g}% a year"


def definitions(censuses: int) -> Iterator[Definition]:
    """Return all definitions for so many censuses."""
    for length in range(1, min(LONGEST, censuses - 1) + 1):
        for start in range(censuses - length):
            for threshold in THRESHOLDS:
                yield Definition(start, start + length, threshold)
            if length > 1:
                yield Definition(start, start + length, each=True)
    if censuses - 1 > LONGEST:
        yield Definition(0, censuses - 1)
        yield Definition(0, censuses - 1, each=True)


def recorded_loss(censuses: Censuses, definition: Definition) -> tuple[Mask, Mask]:
    """Return whether each municipality lost by recorded figures, and whether it can be told."""
    if definition.each:
        steps = [
            recorded_percent(censuses, row, row + 1)
            for row in range(definition.start, definition.end)
        ]
        known = np.isfinite(steps).all(axis=0)
        return np.all([step < 0 for step in steps], axis=0) & known, known
    percent = recorded_percent(censuses, definition.start, definition.end)
    known = np.isfinite(percent)
    return (percent < definition.threshold) & known, known


def published_loss(population: Array, date: Array, definition: Definition) -> tuple[Mask, Mask]:
    """Return the same on the municipalities as the censuses published them."""
    percent = 100.0 * np.diff(np.log(population), axis=0) / np.diff(date)[:, None]
    if definition.each:
        part = percent[definition.start : definition.end]
        known = np.isfinite(part).all(axis=0)
        return (part < 0).all(axis=0) & known, known
    start, end = population[definition.start], population[definition.end]
    length = date[definition.end] - date[definition.start]
    mean = 100.0 * np.log(end / start) / length
    known = np.isfinite(mean)
    return (mean < definition.threshold) & known, known


def drawn_loss(draws: DepopulationDraws, kind: str, definition: Definition) -> NDArray[np.bool_]:
    """Return whether each municipality loses, by draw, shape (sample, municipality)."""
    growth = draws.true if kind == TRUE else draws.underlying
    if definition.each:
        return np.asarray((growth[:, definition.start : definition.end] < 0).all(axis=1))
    return np.asarray(draws.over(growth, definition.start, definition.end) < definition.threshold)


def share_table(draws: DepopulationDraws, published: Array) -> tuple[pd.DataFrame, Judged]:
    """Return the share of municipalities that lose people under every definition.

    Parameters
    ----------
    draws : DepopulationDraws
        Of the fit.
    published : array, shape (census, municipality)
        Populations on the boundaries of their own year.

    Returns
    -------
    table : DataFrame
        `kind, definition, period, start, end, years, threshold, municipalities, losing`, the
        estimate of `percent`, and `p_at_least_claimed`.
    judged : dict of str to array
        Draws of the uncertain shares by label, shape (sample,).
    """
    data = draws.data
    year, date = data.censuses.year, data.censuses.date
    rows: list[dict[str, Any]] = []
    judged: Judged = {}
    for definition in definitions(len(year)):
        key = {
            "definition": definition.name,
            "period": f"{year[definition.start]}-{year[definition.end]}",
            "start": int(year[definition.start]),
            "end": int(year[definition.end]),
            "years": float(date[definition.end] - date[definition.start]),
            "threshold": definition.threshold,
        }
        for kind in (PUBLISHED, RECORDED):
            lost, known = (
                published_loss(published, date, definition)
                if kind == PUBLISHED
                else recorded_loss(data.censuses, definition)
            )
            percent = np.array([100.0 * float(lost.sum()) / max(1, int(known.sum()))])
            counts = {"municipalities": int(known.sum()), "losing": float(lost.sum())}
            rows.append({"kind": kind, **key, **counts, **_estimate(np.repeat(percent, 2))})
        for kind in (TRUE, UNDERLYING):
            loses = drawn_loss(draws, kind, definition)
            percent = 100.0 * loses.mean(axis=1)
            counts = {"municipalities": loses.shape[1], "losing": float(loses.sum(axis=1).mean())}
            rows.append({"kind": kind, **key, **counts, **_estimate(percent)})
            # whole numbers: a share that is certain is a finding, not a stuck chain
            judged[f"{kind}, {definition.name}, {key['period']}"] = loses.sum(axis=1)
    return pd.DataFrame(rows), judged


def _estimate(percent: Array) -> dict[str, float]:
    found = {name: float(value) for name, value in estimate(percent).items()}
    return {**found, "p_at_least_claimed": float((percent >= CLAIMED).mean())}


def change_table(share: pd.DataFrame, drawn: Judged) -> tuple[pd.DataFrame, Judged]:
    """Return how much larger the share in decline is in a period than in the one before it.

    Parameters
    ----------
    share : DataFrame
        As `share_table` returns it.
    drawn : dict of str to array
        What it returns beside: the number of municipalities that lose, by draw.

    Returns
    -------
    table : DataFrame
        `kind, definition, first, last`, the estimate in percentage points, and `p_rise`: the
        probability that the share is larger in the last period than in the first. Periods follow
        each other and join as many intervals.
    judged : dict of str to array
        Draws of the change in numbers of municipalities.
    """
    rows: list[dict[str, Any]] = []
    judged: Judged = {}
    one = share[share["definition"] != EACH]
    years = sorted({int(year) for year in share["start"]} | {int(year) for year in share["end"]})
    place = {year: row for row, year in enumerate(years)}
    for _, same in one.groupby(["kind", "definition"], sort=False):
        for before, after in itertools.permutations(same.to_dict("records"), 2):
            lengths = {place[row["end"]] - place[row["start"]] for row in (before, after)}
            if before["end"] != after["start"] or len(lengths) > 1:
                continue
            kind, definition = before["kind"], before["definition"]
            label = f"{kind}, {definition}, {before['period']}, {after['period']}"
            if kind in (PUBLISHED, RECORDED):
                points = np.repeat(after["median"] - before["median"], 2)
            else:
                first, last = (
                    drawn[f"{kind}, {definition}, {r['period']}"] for r in (before, after)
                )
                judged[label] = last - first
                points = 100.0 * judged[label] / before["municipalities"]
            rows.append(
                {
                    "kind": kind,
                    "definition": definition,
                    "first": before["period"],
                    "last": after["period"],
                    **{name: float(value) for name, value in estimate(points).items()},
                    "p_rise": float((points > 0).mean()),
                }
            )
    return pd.DataFrame(rows), judged


def persistence_table(
    draws: DepopulationDraws,
) -> tuple[pd.DataFrame, Judged]:
    """Return how often municipalities that lost people lose again in the next interval.

    Returns
    -------
    table : DataFrame
        `kind, period, given, municipalities`, the estimate of `percent`: the share that loses in
        the second interval of the period among those that lost (`given` "loss") or grew ("growth")
        in the first.
    judged : dict of str to array
        Draws of the uncertain shares.
    """
    data = draws.data
    names = data.coords["interval"]
    rows: list[dict[str, Any]] = []
    judged: Judged = {}
    for k in range(len(names) - 1):
        period = f"{names[k]}, {names[k + 1]}"
        known = np.isfinite(data.percent[k]) & np.isfinite(data.percent[k + 1])
        recorded = data.percent[:, known] < 0
        for given in ("loss", "growth"):
            first = recorded[k] if given == "loss" else ~recorded[k]
            share = 100.0 * np.repeat(recorded[k + 1][first].mean() if first.any() else np.nan, 2)
            rows.append(_again(RECORDED, period, given, float(first.sum()), share))
            for kind, growth in ((TRUE, draws.true), (UNDERLYING, draws.underlying)):
                before = growth[:, k] < 0
                before = before if given == "loss" else ~before
                count = before.sum(axis=1)
                both = (before & (growth[:, k + 1] < 0)).sum(axis=1)
                share = np.where(count > 0, 100.0 * both / np.maximum(count, 1), np.nan)
                rows.append(_again(kind, period, given, float(count.mean()), share))
                judged[f"{kind}, {given}, {period}"] = count
                judged[f"{kind}, loss after {given}, {period}"] = both
    return pd.DataFrame(rows), judged


def _again(kind: str, period: str, given: str, count: float, share: Array) -> dict[str, object]:
    defined = share[np.isfinite(share)]
    found = estimate(defined) if len(defined) > 1 else dict.fromkeys(estimate(np.zeros(2)), np.nan)
    return {
        "kind": kind,
        "period": period,
        "given": given,
        "municipalities": count,
        **{name: float(value) for name, value in found.items()},
    }
