"""What the explorer shows of population: the counts, growth, and what may come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.report.explorer import Chart, Section, Series, estimates, gated, single

if TYPE_CHECKING:
    from remitstats.report.surroundings import Surroundings
    from remitstats.report.texts import Texts

FOLDER = "depopulation/summaries"


def population_section(results: Mapping[str, Any], surroundings: Surroundings) -> Section | None:
    """Return the section on population; None where there are neither counts nor a model of them.

    The counts are the panel's. Growth and outlook are of the model ``depopulation``: its tables
    `municipality` (a row a municipality and interval) and `outlook` (and year to come).
    """
    texts = surroundings.texts
    found, withheld = gated(results, "depopulation")
    counts = _counts(surroundings)
    if counts is None and found is None and not withheld:
        return None
    series, years = [], set()
    if counts is not None:
        series.append(_population(counts, texts))
        years |= {int(when) for when in counts["when"]}
    charts = []
    if found is not None:
        growth = found.municipality.assign(
            interval=found.municipality["interval"].astype(str).str.replace("-", "–")
        )
        series += _growth(growth, texts)
        if len(found.outlook):
            series += _outlook(found.outlook, texts)
            years |= {int(year) for year in found.outlook["year"]}
        charts.append(_rates(growth, texts))
    if years:
        charts.insert(
            0,
            Chart(
                "population",
                title=texts.plain("explorer.chart_population"),
                axis=texts.plain("explorer.unit_persons"),
                years={str(year): float(year) for year in sorted(years)},
            ),
        )
    return Section(
        key="population",
        title=texts.plain("explorer.population_title"),
        about=texts.plain(
            "explorer.population_about" if found is not None else "explorer.population_counts_about"
        ),
        page="depopulation" if "depopulation" in results else "",
        withheld=withheld,
        series=tuple(series),
        charts=tuple(charts),
        notes={"joint": texts.plain("explorer.note_joint")},
        noted=None if found is None else _joint(found.municipality),
    )


def _joint(table: pd.DataFrame) -> pd.DataFrame:
    """Return the municipalities whose recorded growth is at some time that of a whole territory."""
    rows = table[table["joint"].fillna(value=False).astype(bool)]
    return rows[["cvegeo"]].drop_duplicates().assign(note="joint")


def _counts(surroundings: Surroundings) -> pd.DataFrame | None:
    """Return the population counted in the municipalities of the report, by year."""
    panel = surroundings.panel
    if "municipality_census" not in panel:
        return None
    table = panel.table("municipality_census")
    table = table[table["cvegeo"].isin(surroundings.units["cvegeo"])]
    rows = single(table, "year", "population")
    return rows.astype({"value": float}).sort_values(["cvegeo", "when"]) if len(rows) else None


def _population(counts: pd.DataFrame, texts: Texts) -> Series:
    return Series(
        "population",
        title=texts.plain("explorer.series_population"),
        unit=texts.plain("explorer.unit_persons"),
        kind="count",
        table=counts,
        source="panel",
        chart="population",
        mark="path",
    )


def _growth(table: pd.DataFrame, texts: Texts) -> Iterator[Series]:
    unit = texts.plain("explorer.unit_percent_year")
    source = f"{FOLDER}/municipality.csv"
    for key in ("underlying", "true"):
        yield Series(
            f"{key}_growth",
            title=texts.plain(f"explorer.series_{key}_growth"),
            unit=unit,
            kind="points",
            table=estimates(table, "interval", f"{key}_"),
            source=source,
            listed=key == "true",
            chart="rates" if key == "underlying" else "",
            mark="interval" if key == "underlying" else "",
        )
    yield Series(
        "recorded_growth",
        title=texts.plain("explorer.series_recorded_growth"),
        unit=unit,
        kind="points",
        table=single(table, "interval", "recorded"),
        source=source,
        listed=False,
        chart="rates",
        mark="dots",
    )
    for column in ("p_decline", "p_underlying_decline"):
        yield Series(
            column,
            title=texts.plain(f"explorer.series_{column}"),
            unit=texts.plain("explorer.unit_probability"),
            kind="probability",
            table=single(table, "interval", column),
            source=source,
            listed=False,
        )


def _outlook(table: pd.DataFrame, texts: Texts) -> Iterator[Series]:
    source = f"{FOLDER}/outlook.csv"
    yield Series(
        "outlook",
        title=texts.plain("explorer.series_outlook"),
        unit=texts.plain("explorer.unit_persons"),
        kind="count",
        table=estimates(table, "year"),
        source=source,
        chart="population",
        mark="ahead",
    )
    yield Series(
        "p_fewer",
        title=texts.plain("explorer.series_p_fewer"),
        unit=texts.plain("explorer.unit_probability"),
        kind="probability",
        table=single(table, "year", "p_decline"),
        source=source,
    )


def _rates(table: pd.DataFrame, texts: Texts) -> Chart:
    """Draw growth of an interval in the middle of its years."""
    at = {}
    for interval in table["interval"].unique():
        start, end = interval.split("–")
        at[interval] = (int(start) + int(end)) / 2.0
    return Chart(
        "rates",
        title=texts.plain("explorer.chart_rates"),
        axis=texts.plain("explorer.unit_percent_year"),
        years=at,
    )
