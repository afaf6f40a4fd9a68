"""What the explorer shows of reliance: its path over the waves, its changes, its rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.estimands.results import THRESHOLDS
from remitstats.report.explorer import Chart, Section, Series, estimates, gated, single

if TYPE_CHECKING:
    from remitstats.estimands.results import RelianceResults
    from remitstats.report.surroundings import Surroundings
    from remitstats.report.texts import Texts


def reliance_section(results: Mapping[str, Any], surroundings: Surroundings) -> Section:
    """Return the section on reliance; see `explorer.sections`."""
    texts = surroundings.texts
    found, withheld = gated(results, "reliance")
    head: dict[str, Any] = {
        "key": "reliance",
        "title": texts.plain("explorer.reliance_title"),
        "about": texts.plain("explorer.reliance_about"),
        "withheld": withheld,
    }
    if found is None:
        return Section(**head)
    return Section(
        **head,
        page="maps",
        series=_series(found, texts),
        charts=(_chart(found, surroundings),),
        notes={"unmeasured": texts.plain("explorer.note_unmeasured")},
        noted=_unmeasured(found),
    )


def _series(results: RelianceResults, texts: Texts) -> tuple[Series, ...]:
    level, change = results.level, results.change
    change = change.assign(
        period=change["from_wave"].astype(str) + "–" + change["to_wave"].astype(str)
    )
    rank = {f"rank_{key}": key for key in ("median", "eti90_lower", "eti90_upper")}
    ranked = level[["cvegeo", "wave", *rank]].rename(columns=rank)

    percent = texts.plain("explorer.unit_percent_dwellings")
    probability = texts.plain("explorer.unit_probability")
    return (
        Series(
            "reliance",
            title=texts.plain("explorer.series_reliance"),
            unit=percent,
            kind="percent1",
            table=estimates(level, "wave"),
            source="summaries/level.csv",
            chart="reliance",
            mark="interval",
        ),
        Series(
            "published",
            title=texts.plain("explorer.series_published"),
            unit=percent,
            kind="percent1",
            table=single(level, "wave", "published_percent"),
            source="summaries/level.csv",
            listed=False,
            chart="reliance",
            mark="dots",
        ),
        Series(
            "rank",
            title=texts.plain("explorer.series_rank", count=f"{level['cvegeo'].nunique():,}"),
            unit=texts.plain("explorer.unit_rank"),
            kind="count",
            table=estimates(ranked, "wave"),
            source="summaries/level.csv",
            listed=False,
        ),
        *(
            Series(
                f"p_above_{threshold}",
                title=texts.plain("explorer.series_p_above", threshold=threshold),
                unit=probability,
                kind="probability",
                table=single(level, "wave", f"p_above_{threshold}"),
                source="summaries/level.csv",
                listed=False,
            )
            for threshold in THRESHOLDS
        ),
        *_against_nation(level, texts),
        Series(
            "change",
            title=texts.plain("explorer.series_change"),
            unit=texts.plain("explorer.unit_points"),
            kind="points1",
            table=estimates(change, "period"),
            source="summaries/change.csv",
        ),
        Series(
            "p_increase",
            title=texts.plain("explorer.series_p_increase"),
            unit=probability,
            kind="probability",
            table=single(change, "period", "p_increase"),
            source="summaries/change.csv",
        ),
    )


def _against_nation(level: pd.DataFrame, texts: Texts) -> tuple[Series, ...]:
    """Return the probability of being above the whole, where the results have it."""
    if "p_above_nation" not in level:
        return ()
    return (
        Series(
            "p_above_nation",
            title=texts.plain("explorer.series_p_above_nation"),
            unit=texts.plain("explorer.unit_probability"),
            kind="probability",
            table=single(level, "wave", "p_above_nation"),
            source="summaries/level.csv",
            listed=False,
        ),
    )


def _chart(results: RelianceResults, surroundings: Surroundings) -> Chart:
    texts = surroundings.texts
    group = results.group[results.group["level"].isin(["nation", "state"])]
    group = group.dropna(subset=["median"])
    nation = group["level"] == "nation"
    references = pd.DataFrame(
        {
            "code": group["code"].where(~nation, "").astype(str),
            "name": group["name"].where(~nation, surroundings.scope.place).astype(str),
            "when": group["wave"].astype(str),
            "value": group["median"],
        }
    )
    return Chart(
        "reliance",
        title=texts.plain("explorer.chart_reliance"),
        axis=texts.plain("explorer.unit_percent_dwellings"),
        years={str(wave): float(wave) for wave in results.waves},
        ticks=tuple(float(wave) for wave in results.waves),
        references=references,
    )


def _unmeasured(results: RelianceResults) -> pd.DataFrame:
    rows = results.level[~results.level["measured"].astype(bool)]
    return rows[["cvegeo"]].drop_duplicates().assign(note="unmeasured")
