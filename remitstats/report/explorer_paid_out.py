"""What the explorer shows of pay-outs: dollars a receiving dwelling, as paid and as received."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from remitstats.models.paid_out_data import CENSUS
from remitstats.report.explorer import Section, Series, estimates, gated, single

if TYPE_CHECKING:
    from remitstats.report.surroundings import Surroundings

_QUANTITIES = {
    "raw": ("dollars_dwelling", "count"),
    "corrected": ("dollars_dwelling", "count"),
    "inflow": ("ratio", "plain"),
    "outside": ("percent_money", "percent1"),
    "from_outside": ("percent_money", "percent1"),
}
LISTED = ("raw", "corrected")  # see `explorer.Series.listed`


def paid_out_section(results: Mapping[str, Any], surroundings: Surroundings) -> Section | None:
    """Return the section on pay-outs, None where the model was not fitted."""
    if "paid_out" not in results:
        return None
    texts = surroundings.texts
    found, withheld = gated(results, "paid_out")
    series: list[Series] = []
    if found is not None:
        source = "paid_out/summaries/municipality.csv"
        table: pd.DataFrame = found.municipality.assign(when=CENSUS)
        for quantity, (unit, kind) in _QUANTITIES.items():
            series.append(
                Series(
                    quantity,
                    title=texts.plain(f"explorer.series_{quantity}"),
                    unit=texts.plain(f"explorer.unit_{unit}"),
                    kind=kind,
                    table=estimates(table, "when", f"{quantity}_"),
                    source=source,
                    listed=quantity in LISTED,
                )
            )
        for column in ("p_hub", "p_drained"):
            series.append(
                Series(
                    column,
                    title=texts.plain(f"explorer.series_{column}"),
                    unit=texts.plain("explorer.unit_probability"),
                    kind="probability",
                    table=single(table, "when", column),
                    source=source,
                    listed=False,
                )
            )
    return Section(
        key="paid_out",
        title=texts.plain("explorer.paid_out_title"),
        about=texts.plain("explorer.paid_out_about"),
        page="paid_out",
        withheld=withheld,
        series=tuple(series),
    )
