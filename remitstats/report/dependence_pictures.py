"""The figures of the dependence model's page, with their alternative texts and captions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from remitstats.report.figures.dots import Labels, Panel, dots
from remitstats.report.figures.forecast import forecast
from remitstats.report.figures.maps import area_map, symbol_map
from remitstats.report.figures.paths import PathPanel, paths
from remitstats.report.figures.predictive import predictive
from remitstats.report.figures.style import INCREASE, Classes, ramp
from remitstats.report.picture import Job

if TYPE_CHECKING:
    from remitstats.estimands.dependence_results import DependenceResults
    from remitstats.report.surroundings import Surroundings
    from remitstats.report.texts import Texts

MONEY = Classes((100, 300, 1000, 2000, 4000), ramp("YlGnBu", 6, 0.08, 1.0))
DOLLARS = Classes((5, 15, 50, 100, 200), ramp("YlGnBu", 6, 0.08, 1.0))
FACTOR = Classes((1.25, 1.5, 2, 4, 16), ramp("OrRd", 6, 0.06, 0.95))
GROWTH = Classes((-10, -5, -2, 0, 2, 5, 10), ramp("PuOr", 8, 0.06, 0.94))
SHARE = Classes((2, 5, 10, 20, 40), ramp("YlGnBu", 6, 0.08, 1.0))


def dependence_jobs(results: DependenceResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw for the dependence model.

    Parameters
    ----------
    results : DependenceResults
        Rounded as they are written.
    surroundings : Surroundings
        Names the place; gives legends, captions, alternative texts and map shapes.

    Returns
    -------
    list of Job
        Their names begin with ``dependence_``.
    """
    texts = surroundings.texts
    return [
        *_paths(results, surroundings),
        *_states(results, texts),
        *_maps(results, surroundings),
        *_checks(results, texts),
    ]


def _words(texts: Texts, unit: str) -> dict[str, str]:
    found = {key: texts.plain(f"dependence.legend_{key}") for key in ("observed", "trend", "ahead")}
    return {**found, "axis": texts.plain(f"dependence.axis_{unit}")}


def unit_key(results: DependenceResults) -> str:
    """Return the unit of money as the last part of a key of texts."""
    return str(results.summary.get("unit", "")).replace(" ", "_")


def _paths(results: DependenceResults, surroundings: Surroundings) -> Iterator[Job]:
    texts = surroundings.texts
    words = _words(texts, unit_key(results))
    measures = (results.summary.get("model_spec") or {}).get("measures") or {}
    breaks = tuple(measures.get("breaks") or ())
    table = results.path
    nation = table[table["level"] == "nation"]
    yield Job(
        "dependence_nation",
        "svg",
        texts.plain("dependence.nation_alt", place=surroundings.scope.place),
        texts("dependence.nation_caption"),
        partial(paths, [PathPanel(surroundings.scope.place, nation)], words, breaks=breaks),
    )
    states = [
        PathPanel(str(rows["name"].iloc[0]), rows)
        for _, rows in table[table["level"] == "state"].groupby("code", sort=True)
    ]
    if states:
        yield Job(
            "dependence_states",
            "png",
            texts.plain("dependence.states_alt", count=len(states)),
            texts("dependence.states_caption"),
            partial(paths, states, words, columns=4, breaks=breaks, shared=True),
        )
    found = []
    for code, rows in results.example.groupby("cvegeo", sort=False):
        why = texts.plain(f"dependence.why_{rows['why'].iloc[0]}")
        found.append(PathPanel(f"{rows['name'].iloc[0]} ({why})", rows.assign(code=code)))
    if found:
        yield Job(
            "dependence_examples",
            "png",
            texts.plain("dependence.examples_alt", count=len(found)),
            texts("dependence.examples_caption"),
            partial(paths, found, words, columns=2, breaks=breaks),
        )


def _states(results: DependenceResults, texts: Texts) -> Iterator[Job]:
    table = results.path_growth
    periods = [p for p in table["period"].unique() if p != "acceleration"]
    table = table.assign(row=table["name"], series="")
    nation = frozenset(table[table["level"] == "nation"]["row"])
    order = table[(table["period"] == periods[-1])].sort_values("median", ascending=False)
    if len(order) < 2:
        return
    labels = Labels(
        rows=list(order["row"]),
        marked=nation,
        series=("",),
        axis=texts.plain("dependence.growth_axis"),
    )
    shown = periods[1:] if len(periods) > 1 else periods
    panels = [Panel(texts.said_plain(period), table[table["period"] == period]) for period in shown]
    yield Job(
        "dependence_growth_states",
        "png",
        texts.plain("dependence.growth_states_alt"),
        texts("dependence.growth_states_caption"),
        partial(dots, panels, labels, left=1.42),
    )


def _maps(results: DependenceResults, surroundings: Surroundings) -> Iterator[Job]:
    shapes, texts = surroundings.shapes, surroundings.texts
    if shapes is None:
        return
    place, unit = surroundings.scope.place, unit_key(results)
    newest = results.level[results.level["window"] == results.level["window"].iloc[-1]]
    newest = newest.set_index("cvegeo")
    window = (results.summary.get("windows") or {}).get(str(newest["window"].iloc[0]), "")
    window = texts.said_plain(window)
    faint = shapes.align((newest["reporting"] == "faint").astype(float)) == 1
    marks: dict[str, Any] = {"marked": faint, "marked_label": texts.plain("dependence.faint")}

    def job(name: str, values: np.ndarray, classes: Classes, **more: Any) -> Job:
        legend = texts.plain(f"dependence.{name}_legend" + (f"_{unit}" if name == "level" else ""))
        return Job(
            f"dependence_{name}",
            "png",
            texts.plain(f"dependence.{name}_alt", place=place, **more),
            texts(f"dependence.{name}_caption", **more),
            partial(area_map, shapes, values, classes, legend, **marks),
        )

    people = surroundings.population

    def symbols(name: str, values: np.ndarray, classes: Classes, **more: Any) -> Iterator[Job]:
        """Draw the same values by population, so that large empty places do not dominate."""
        if people is None or not np.nan_to_num(shapes.align(people)).max() > 0:
            return
        steady = np.where(faint, np.nan, values)  # circles can't be hatched
        legend = texts.plain(f"dependence.{name}_legend" + (f"_{unit}" if name == "level" else ""))
        yield Job(
            f"dependence_symbols_{name}",
            "png",
            texts.plain(f"dependence.symbols_{name}_alt", place=place, **more),
            texts(f"dependence.symbols_{name}_caption", **more),
            partial(symbol_map, shapes, steady, shapes.align(people), classes, legend),
        )

    classes = DOLLARS if unit == "dollars" else MONEY
    yield job("level", shapes.align(newest["median"]), classes, window=window)
    yield from symbols("level", shapes.align(newest["median"]), classes, window=window)
    factor = newest["eti90_upper"] / newest["eti90_lower"]
    yield job("factor", shapes.align(factor), FACTOR, window=window)
    periods = list(results.growth["period"].unique())
    for name, period in zip(("growth", "later"), (periods[0], periods[-2]), strict=False):
        rows = results.growth[results.growth["period"] == period].set_index("cvegeo")
        said = texts.said_plain(period)
        yield job(name, shapes.align(rows["median"]), GROWTH, period=said)
        if name == "growth":
            yield from symbols(name, shapes.align(rows["median"]), GROWTH, period=said)
        yield job(f"{name}_p", shapes.align(rows["p_positive"]), INCREASE, period=said)
        if len(periods) == 1:
            return
    if len(results.income_share):
        year = int(results.income_share["year"].max())
        rows = results.income_share[results.income_share["year"] == year].set_index("cvegeo")
        yield job("share", shapes.align(rows["median"]), SHARE, year=year)
        yield job("share_p", shapes.align(rows["p_above_10"]), INCREASE, year=year)


def _checks(results: DependenceResults, texts: Texts) -> Iterator[Job]:
    if len(results.forecast_score):
        words = {
            key: texts.plain(f"dependence.score_{key}")
            for key in ("crps", "coverage", "ahead", "steady", "faint")
        }
        methods = results.forecast_score["method"].unique()
        words |= {m: texts.plain(f"dependence.method_{str(m).split()[0]}") for m in methods}
        yield Job(
            "dependence_forecast",
            "svg",
            texts.plain("dependence.forecast_alt"),
            texts("dependence.forecast_caption"),
            partial(forecast, results.forecast_score, words),
        )
    if len(results.predictive):
        said = results.predictive["reporting"].map(texts.said_plain)
        table: pd.DataFrame = results.predictive.assign(wave=said)
        yield Job(
            "dependence_predictive",
            "png",
            texts.plain("dependence.predictive_alt"),
            texts("dependence.predictive_caption"),
            partial(
                predictive, table, texts.plain("check.observed"), texts.plain("check.replicated")
            ),
        )
