"""What the explorer shows of dependence: money per person by quarter, its growth, income, rank."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from remitstats.errors import RemitstatsError
from remitstats.models.dependence_data import prepare_data
from remitstats.models.dependence_measures import Measures
from remitstats.report.explorer import Chart, Section, Series, estimates, gated, single

if TYPE_CHECKING:
    from remitstats.estimands.dependence_results import DependenceResults
    from remitstats.panel.panel import Panel
    from remitstats.report.surroundings import Surroundings
    from remitstats.report.texts import Texts

_QUARTER = re.compile(r"(\d{4})Q([1-4])")
DECIMALS = 2  # of the money measured in a quarter
UNLISTED = ("acceleration", "money_rank", "p_first_100")  # see `explorer.Series.listed`


def dependence_section(results: Mapping[str, Any], surroundings: Surroundings) -> Section | None:
    """Return the section on dependence, None where the model was not fitted."""
    if "dependence" not in results:
        return None
    texts = surroundings.texts
    found, withheld = gated(results, "dependence")
    head: dict[str, Any] = {
        "key": "dependence",
        "title": texts.plain("explorer.dependence_title"),
        "about": texts.plain("explorer.dependence_about"),
        "page": "dependence",
        "withheld": withheld,
    }
    if found is None:
        return Section(**head)
    faint = found.rank.loc[found.rank["reporting"] == "faint", ["cvegeo"]]
    return Section(
        **head,
        series=(*_money(found, surroundings), *_tables(found, texts)),
        charts=tuple(_charts(found, surroundings)),
        notes={"faint": texts.plain("explorer.note_faint")},
        noted=faint.assign(note="faint"),
    )


def quarterly(panel: Panel, results: DependenceResults) -> pd.DataFrame:
    """Return what was measured, as the model takes it.

    Parameters
    ----------
    panel : Panel
        Of which the results are.
    results : DependenceResults
        Their summary holds the measures.

    Returns
    -------
    DataFrame
        ``cvegeo, when, value``: money per person and quarter in the unit of the results. Quarters
        without payouts and gross errors are left out. Without rows where the panel is another one.
    """
    told = (results.summary.get("model_spec") or {}).get("measures") or {}
    known = {each.name for each in fields(Measures)}
    chosen = {key: value for key, value in told.items() if key in known}
    try:
        measures = Measures(**{**chosen, "breaks": tuple(chosen.get("breaks", Measures.breaks))})
        data = prepare_data(panel, measures)
    except RemitstatsError:
        return pd.DataFrame({"cvegeo": [], "when": [], "value": []})
    place, quarter = np.nonzero(np.isfinite(data.observed))
    return pd.DataFrame(
        {
            "cvegeo": data.coords["municipality"][place],
            "when": data.coords["quarter"][quarter].astype(str),
            "value": np.exp(data.observed[place, quarter]).round(DECIMALS),
        }
    )


def _money(results: DependenceResults, surroundings: Surroundings) -> Iterator[Series]:
    texts = surroundings.texts
    unit = _unit(results, texts)
    yield Series(
        "level",
        title=texts.plain("explorer.series_level"),
        unit=unit,
        kind="count",
        table=estimates(results.level, "window"),
        source="dependence/summaries/level.csv",
        chart="money",
        mark="interval",
    )
    measured = quarterly(surroundings.panel, results)
    if len(measured):
        yield Series(
            "measured",
            title=texts.plain("explorer.series_measured"),
            unit=unit,
            kind="count",
            table=measured,
            source="panel",
            chart="money",
            mark="dots",
            aside=True,
        )
    yield Series(
        "ahead",
        title=texts.plain("explorer.series_ahead"),
        unit=unit,
        kind="count",
        table=estimates(results.ahead, "quarter"),
        source="dependence/summaries/ahead.csv",
        chart="money",
        mark="ahead",
        aside=True,
    )


def _tables(results: DependenceResults, texts: Texts) -> Iterator[Series]:
    probability = texts.plain("explorer.unit_probability")
    newest = str(results.level["window"].iloc[-1])
    rank = results.rank.assign(window=newest)
    count = f"{results.rank['cvegeo'].nunique():,}"
    # The difference of two periods is a growth of its own kind, told in its own line.
    periods = results.growth[results.growth["period"] != "acceleration"]
    turn = results.growth[results.growth["period"] == "acceleration"]

    def of(key: str, unit: str, kind: str, table: pd.DataFrame, source: str) -> Series:
        title = texts.plain(f"explorer.series_{key}", count=count)
        file, listed = f"dependence/summaries/{source}.csv", key not in UNLISTED
        return Series(key, title, unit, kind, table, file, listed=listed)

    percent_a_year = texts.plain("explorer.unit_percent_year")
    yield of("growth", percent_a_year, "points1", estimates(periods, "period"), "growth")
    yield of(
        "p_rising", probability, "probability", single(periods, "period", "p_positive"), "growth"
    )
    if len(turn):
        turn = turn.assign(period=str(periods["period"].iloc[-1]))
        yield of(
            "acceleration",
            texts.plain("explorer.unit_points_year"),
            "points1",
            estimates(turn, "period"),
            "growth",
        )
    yield of(
        "money_rank", texts.plain("explorer.unit_rank"), "count", estimates(rank, "window"), "rank"
    )
    yield of(
        "p_first_100", probability, "probability", single(rank, "window", "p_first_100"), "rank"
    )
    share = results.income_share
    if len(share):
        share = share.dropna(subset=["median"]).assign(year=share["year"].astype(int))
        yield Series(
            "income_share",
            title=texts.plain("explorer.series_income_share"),
            unit=texts.plain("explorer.unit_percent_income"),
            kind="percent1",
            table=estimates(share, "year"),
            source="dependence/summaries/income_share.csv",
            chart="income",
            mark="interval",
        )
        yield of(
            "p_income_above_10",
            probability,
            "probability",
            single(share, "year", "p_above_10"),
            "income_share",
        )


def _charts(results: DependenceResults, surroundings: Surroundings) -> Iterator[Chart]:
    texts = surroundings.texts
    windows = results.summary.get("windows") or {}
    at = {str(name): _middle(str(windows.get(str(name), name))) for name in _names(results)}
    quarters = set(results.ahead["quarter"].astype(str))
    if "municipality_quarter" in surroundings.panel:
        table = surroundings.panel.table("municipality_quarter")
        quarters |= set(table["quarter"].astype(str))
    at |= {quarter: _middle(quarter) for quarter in quarters}
    yield Chart(
        "money",
        title=texts.plain("explorer.chart_money"),
        axis=_unit(results, texts),
        years=at,
    )
    if len(results.income_share):
        years = sorted({int(year) for year in results.income_share["year"]})
        yield Chart(
            "income",
            title=texts.plain("explorer.chart_income"),
            axis=texts.plain("explorer.unit_percent_income"),
            years={str(year): float(year) for year in years},
            ticks=tuple(float(year) for year in years),
        )


def _names(results: DependenceResults) -> list[str]:
    return [str(name) for name in results.level["window"].unique()]


def _middle(quarters: str) -> float:
    """Return the middle of the quarters named in a text, in years; of a bare year its middle."""
    found = _QUARTER.findall(quarters)
    if not found:
        return float(quarters[:4]) + 0.5
    ends = [int(year) + (int(quarter) - 0.5) / 4.0 for year, quarter in (found[0], found[-1])]
    return round(sum(ends) / 2.0, 4)


def _unit(results: DependenceResults, texts: Texts) -> str:
    key = str(results.summary.get("unit", "")).replace(" ", "_")
    return texts.plain(f"dependence.axis_{key}")
