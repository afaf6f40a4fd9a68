"""The figures of the page on pay-outs, with alternative texts and captions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from remitstats.report.figures.dots import Labels, Panel, dots
from remitstats.report.figures.style import Classes, ramp
from remitstats.report.map_job import map_job
from remitstats.report.picture import Job

if TYPE_CHECKING:
    from remitstats.estimands.paid_out_results import PaidOutResults
    from remitstats.report.surroundings import Surroundings

MOST = 20  # hubs drawn
DOLLARS = Classes((1, 3, 10, 20, 40), ramp("YlGnBu", 6, 0.08, 1.0))  # thousands
INFLOW = Classes((0.25, 0.67, 1.5, 2.5), ramp("PuOr", 5, 0.08, 0.92))
RATIO = Classes((1.25, 1.5, 2, 3, 5), ramp("OrRd", 6, 0.06, 0.95))
PROBABILITY = Classes((0.05, 0.25, 0.5, 0.75, 0.9), ramp("OrRd", 6, 0.06, 0.95))


def paid_out_jobs(results: PaidOutResults, surroundings: Surroundings) -> list[Job]:
    """Return what to draw of pay-outs.

    Parameters
    ----------
    results : PaidOutResults
        Rounded as they are written.
    surroundings : Surroundings
        Legends, captions, alternative texts; shapes of the municipalities.

    Returns
    -------
    list of Job
        Their names begin with ``paid_out_``.
    """
    return [*_disagreement(results, surroundings), *_hubs(results, surroundings),
            *_maps(results, surroundings)]  # fmt: skip


def _disagreement(results: PaidOutResults, surroundings: Surroundings) -> Iterator[Job]:
    texts = surroundings.texts
    names = {part: texts.plain(f"paid_out.part_{part}") for part in results.disagreement["part"]}
    rows = results.disagreement.assign(row=results.disagreement["part"].map(names), series="")
    labels = Labels(
        rows=list(names.values()), series=("",), axis=texts.plain("paid_out.parts_axis")
    )
    yield Job(
        "paid_out_parts",
        "svg",
        texts.plain("paid_out.parts_alt"),
        texts("paid_out.parts_caption"),
        partial(dots, [Panel("", rows)], labels, left=1.75),
    )


def _hubs(results: PaidOutResults, surroundings: Surroundings) -> Iterator[Job]:
    texts = surroundings.texts
    shown = results.municipality.set_index("cvegeo").reindex(results.hub["cvegeo"].head(MOST))
    if shown.empty:
        return
    names = {kind: texts.plain(f"paid_out.series_{kind}") for kind in ("raw", "corrected")}
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "row": shown["name"],
                    "series": name,
                    **{
                        end: shown[f"{kind}_{end}"] / 1000.0
                        for end in ("median", "eti90_lower", "eti90_upper")
                    },
                }
            )
            for kind, name in names.items()
        ]
    )
    labels = Labels(
        rows=list(shown["name"]), series=list(names.values()), axis=texts.plain("paid_out.hub_axis")
    )
    yield Job(
        "paid_out_hubs",
        "svg",
        texts.plain("paid_out.hubs_alt", places=", ".join(shown["name"].head(5))),
        texts("paid_out.hubs_caption"),
        partial(dots, [Panel("", rows)], labels, left=2.3),
    )


def _maps(results: PaidOutResults, surroundings: Surroundings) -> Iterator[Job]:
    shapes, texts = surroundings.shapes, surroundings.texts
    if shapes is None:
        return
    table = results.municipality.set_index("cvegeo")
    spread = table["corrected_eti90_upper"] / table["corrected_eti90_lower"].clip(lower=1e-9)
    for name, values, classes in (
        ("raw", table["raw_median"] / 1000.0, DOLLARS),
        ("corrected", table["corrected_median"] / 1000.0, DOLLARS),
        ("uncertainty", spread, RATIO),
        ("inflow", table["inflow_median"], INFLOW),
        ("p_hub", table["p_hub"], PROBABILITY),
        ("outside", table["outside_median"] / 100.0, PROBABILITY),
    ):
        yield map_job("paid_out", f"{name}_map", shapes, values, classes, texts)
