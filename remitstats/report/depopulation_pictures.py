"""The figures of the depopulation page, with their alternative texts and captions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remitstats.estimands.depopulation_share import CLAIMED
from remitstats.report.depopulation_tables import KINDS, chosen, middles, of_nation
from remitstats.report.figures import style
from remitstats.report.figures.dots import Labels, Panel, dots
from remitstats.report.figures.growth_paths import Path, histogram, small_multiples, together
from remitstats.report.figures.predictive import predictive
from remitstats.report.map_job import map_job
from remitstats.report.picture import Job
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    from remitstats.estimands.depopulation_results import DepopulationResults
    from remitstats.report.shapes import MapShapes
    from remitstats.report.surroundings import Surroundings

RATE = style.Classes((-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0), style.ramp("RdYlBu", 8, 0.04, 0.96))
WIDTH = style.Classes((0.75, 1.0, 1.25, 1.5, 2.0), style.ramp("OrRd", 6, 0.06, 0.95))
DECLINE = style.Classes((0.05, 0.2, 0.8, 0.95), style.ramp("RdYlBu_r", 5, 0.08, 0.92))
CHANGE = style.Classes(
    (-20.0, -10.0, -5.0, 0.0, 5.0, 10.0, 20.0), style.ramp("RdYlBu", 8, 0.04, 0.96)
)


def depopulation_jobs(results: DepopulationResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw for depopulation.

    Parameters
    ----------
    results : DepopulationResults
        Rounded as they are written.
    surroundings : Surroundings
        Names the place; gives legends, captions, alternative texts and shapes.

    Returns
    -------
    list of Job
        Their names begin with ``depopulation_``.
    """
    texts = surroundings.texts
    return [
        *_shares(results, texts),
        *_maps(results, surroundings.shapes, surroundings.scope.place, texts),
        *_paths(results, texts),
        *_checks(results, texts),
    ]


def _path(rows: pd.DataFrame, title: str, *, seen: bool = False) -> Path:
    median, lower, upper = (
        rows[name].to_numpy(float) for name in ("median", "eti90_lower", "eti90_upper")
    )
    recorded = rows["recorded"].to_numpy(float) if seen else None
    return Path(title, middles(rows["interval"]), median, lower, upper, recorded)


def _shares(results: DepopulationResults, texts: Texts) -> Iterator[Job]:
    claim = texts.plain("depopulation.claim_label", percent=f"{CLAIMED:g}")
    any_loss = results.share[results.share["definition"] == "any loss"]
    short = any_loss[any_loss["years"] < 7.0].assign(interval=lambda r: r["period"])
    series = [
        _path(short[short["kind"] == kind], texts.plain(f"depopulation.kind_{kind}"))
        for kind in KINDS[1:]
    ]
    yield Job(
        "depopulation_share",
        "svg",
        texts.plain("depopulation.share_alt"),
        texts("depopulation.share_caption"),
        partial(together, series, texts.plain("depopulation.share_axis"), line=(CLAIMED, claim)),
    )
    longer = results.share[
        (results.share["years"] > 7.0)
        & (results.share["years"] < 20.0)
        & results.share["kind"].isin(KINDS[1:])
        & results.share["definition"].isin(["any loss", "loss in each interval"])
    ]
    longer = longer.assign(about=(longer["years"] / 5).round())
    longer = longer.sort_values(["about", "start"], kind="stable")
    rows = longer.assign(
        row=longer["period"].map(texts.said_plain),
        series=[texts.plain(f"depopulation.kind_{kind}") for kind in longer["kind"]],
    )
    if len(rows):
        labels = Labels(
            rows=list(rows["row"].unique()),
            series=[texts.plain(f"depopulation.kind_{kind}") for kind in KINDS[1:]],
            axis=texts.plain("depopulation.share_axis"),
        )
        whole = rows["definition"] == "any loss"
        panels = [
            Panel(texts.plain("depopulation.over_period"), rows[whole], line=CLAIMED),
            Panel(texts.plain("depopulation.over_each"), rows[~whole], line=CLAIMED),
        ]
        yield Job(
            "depopulation_periods",
            "svg",
            texts.plain("depopulation.periods_alt"),
            texts("depopulation.periods_caption", percent=f"{CLAIMED:g}"),
            partial(dots, panels, labels, left=0.95),
        )


def _maps(
    results: DepopulationResults, shapes: MapShapes | None, place: str, texts: Texts
) -> Iterator[Job]:
    if shapes is None:
        return
    table = results.municipality
    last = str(table["interval"].iloc[-1])
    said = texts.said_plain(last)
    rows = table[table["interval"] == last].set_index("cvegeo")
    width = rows["underlying_eti90_upper"] - rows["underlying_eti90_lower"]
    for name, values, classes in (
        ("rate", rows["underlying_median"], RATE),
        ("width", width, WIDTH),
        ("decline", rows["p_underlying_decline"], DECLINE),
    ):
        yield map_job(
            "depopulation", name, shapes, values, classes, texts, place=place, interval_name=said
        )
    year = int(results.outlook["year"].max())
    ahead = results.outlook[results.outlook["year"] == year].set_index("cvegeo")
    for name, values, classes in (
        ("change", 100.0 * (ahead["median"] / ahead["last"] - 1.0), CHANGE),
        ("ahead", ahead["p_decline"], DECLINE),
    ):
        yield map_job("depopulation", name, shapes, values, classes, texts, place=place, year=year)


def _paths(results: DepopulationResults, texts: Texts) -> Iterator[Job]:
    words = (
        texts.plain("depopulation.band"),
        texts.plain("depopulation.recorded"),
        texts.plain("depopulation.rate_axis"),
    )
    nation = of_nation(results, "mean_rate")
    states = results.group[
        (results.group["level"] == "state") & (results.group["quantity"] == "mean_rate")
    ]
    panels = [_path(nation, texts.plain("depopulation.nation"), seen=True)]
    panels += [
        _path(rows, str(rows["name"].iloc[0]), seen=True)
        for _, rows in states.groupby("code", sort=True)
    ]
    spread = states if len(states) else nation
    ends = (
        float(np.floor(min(spread["median"].min(), spread["recorded"].min()) - 0.2)),
        float(np.ceil(max(spread["median"].max(), spread["recorded"].max()) + 0.2)),
    )
    yield Job(
        "depopulation_states",
        "png",
        texts.plain("depopulation.states_alt"),
        texts("depopulation.states_caption"),
        partial(small_multiples, panels, words, limits=ends),
    )
    names = {"median": "underlying_median", "eti90_lower": "underlying_eti90_lower"}
    names["eti90_upper"] = "underlying_eti90_upper"
    municipal = [
        _path(
            rows.assign(**{new: rows[old] for new, old in names.items()}),
            str(rows["name"].iloc[0]),
            seen=True,
        )
        for _, rows in chosen(results)
    ]
    yield Job(
        "depopulation_municipalities",
        "png",
        texts.plain(
            "depopulation.municipalities_alt", names=", ".join(path.title for path in municipal)
        ),
        texts("depopulation.municipalities_caption"),
        partial(small_multiples, municipal, words),
    )


def _checks(results: DepopulationResults, texts: Texts) -> Iterator[Job]:
    spoken = results.predictive["interval"].map(texts.said_plain)
    table = results.predictive.assign(wave=spoken)
    if len(table):
        yield Job(
            "depopulation_check",
            "png",
            texts.plain("depopulation.check_alt"),
            texts("depopulation.check_caption"),
            partial(
                predictive,
                table,
                texts.plain("depopulation.recorded"),
                texts.plain("depopulation.replicated"),
            ),
        )
    pit = results.hindcast_pit
    if len(pit):
        said = results.summary.get("hindcast") or {}
        years = {"through": said.get("through", ""), "foretold": said.get("foretold", "")}
        yield Job(
            "depopulation_hindcast",
            "svg",
            texts.plain("depopulation.pit_alt", **years),
            texts("depopulation.pit_caption", **years),
            partial(
                histogram,
                pit["lower"].to_numpy(float),
                pit["upper"].to_numpy(float),
                pit["share"].to_numpy(float),
                texts.plain("depopulation.pit_axis"),
                texts.plain("depopulation.pit_even"),
            ),
        )
