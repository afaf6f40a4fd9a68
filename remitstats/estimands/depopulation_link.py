"""How growth goes together with migration intensity and reliance: associations, not effects.

The census sample measures both percentages with error, which flattens a slope. Beside the slope
of what is published stands that divided by the reliability of the measure, the share of its
variance between municipalities that is not sampling error under the assumed design
(`parts.sampling_error`); Fuller (1987), Measurement Error Models, section 1.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.estimands.depopulation_draws import DepopulationDraws, Judged
from remitstats.estimands.summary import estimate
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign, effective_dwellings, sampled_dwellings

Array = NDArray[np.float64]

MEASURES = {
    "emigrant_percent": "migration intensity",
    "receiving_percent": "reliance",
}
QUARTERS = 4


def link_table(
    draws: DepopulationDraws, panel: Panel, design: SamplingDesign | None = None
) -> tuple[pd.DataFrame, Judged]:
    """Return slopes of the underlying rate on the square root of each measure.

    The square root makes the spread of percentages that are mostly small comparable; slopes are
    per standard deviation of it, all municipalities alike, over the interval that starts with
    the wave and the one that ends with it.

    Parameters
    ----------
    draws : DepopulationDraws
        Of the fit.
    panel : Panel
        With `municipality_wave`.
    design : SamplingDesign, optional
        Assumed census sample.

    Returns
    -------
    table : DataFrame
        `measure, description, wave, interval, when, within, quantity, municipalities,
        reliability`, the estimate and `p_negative`. Quantities: `slope` (as published),
        `slope_corrected`, and `difference` of the mean underlying rate between the fourth of
        municipalities with most and with least; `within` says whether states are compared
        ("country") or only municipalities of one state ("states").
    judged : dict of str to array
        Draws.
    """
    rows: list[dict[str, Any]] = []
    judged: Judged = {}
    if "municipality_wave" not in panel:
        return pd.DataFrame(rows), judged
    table = panel.table("municipality_wave")
    intervals, codes = draws.data.coords["interval"], draws.data.coords["municipality"]
    for measure, description in MEASURES.items():
        if measure not in table:
            continue
        for wave in sorted(int(w) for w in table["wave"].unique()):
            x, variance = _measure(table, measure, wave, codes, design or SamplingDesign())
            for k, name in enumerate(intervals):
                first, last = (int(year) for year in str(name).split("-"))
                if wave not in (first, last):
                    continue
                when = "after the wave" if wave == first else "before the wave"
                for within in ("country", "states"):
                    found = _slopes(draws, k, x, variance, within=within == "states")
                    for quantity, values, reliability, count in found:
                        key = {
                            "measure": measure,
                            "description": description,
                            "wave": wave,
                            "interval": str(name),
                            "when": when,
                            "within": within,
                            "quantity": quantity,
                        }
                        numbers = {n: float(v) for n, v in estimate(values).items()}
                        numbers["p_negative"] = float((values < 0).mean())
                        more = {"municipalities": count, "reliability": reliability}
                        rows.append({**key, **more, **numbers})
                        judged[", ".join(str(v) for v in key.values())] = values
    return pd.DataFrame(rows), judged


def _measure(
    table: pd.DataFrame, measure: str, wave: int, codes: NDArray[np.str_], design: SamplingDesign
) -> tuple[Array, Array]:
    """Return the square root of a measure, and its sampling variance (delta method)."""
    own = table[table["wave"] == wave].set_index("cvegeo").reindex(codes)
    share, dwellings = (
        np.asarray(own[name].astype("Float64").to_numpy(float, na_value=np.nan), dtype=np.float64)
        for name in (measure, "dwellings")
    )
    share = share / 100.0
    effective = effective_dwellings(
        dwellings, sampled_dwellings(dwellings, wave, design), design.design_effect
    )
    # the variance of the square root of a share near p is (1 - p) / (4 n)
    return np.sqrt(share), (1.0 - share) / (4.0 * effective)


def _slopes(
    draws: DepopulationDraws, interval: int, x: Array, variance: Array, *, within: bool
) -> list[tuple[str, Array, float, int]]:
    known = np.isfinite(x) & np.isfinite(variance)
    x, variance, state = x[known], variance[known], draws.data.state_of[known]
    rate = draws.underlying[:, interval, known].astype(float)
    if within:
        x = x - _mean(x[None], state)[0]
        rate = rate - _mean(rate, state)
    centred = x - x.mean()
    sd = float(np.sqrt(np.mean(centred**2)))
    if not sd > 0:
        return []
    reliability = float(np.clip(1.0 - variance.mean() / sd**2, 0.05, 1.0))
    slope = rate @ (centred / sd) / len(x)
    order = np.argsort(x, kind="stable")
    size = len(x) // QUARTERS
    difference = rate[:, order[-size:]].mean(axis=1) - rate[:, order[:size]].mean(axis=1)
    # a standard deviation of what is free of error is the published one times its root
    corrected = slope / np.sqrt(reliability)
    return [
        ("slope", slope, reliability, len(x)),
        ("slope_corrected", corrected, reliability, len(x)),
        ("difference", difference, reliability, len(x)),
    ]


def _mean(values: Array, state: NDArray[np.int64]) -> Array:
    """Return each municipality's state mean, shape of `values` (sample, municipality)."""
    count = np.bincount(state)
    member = np.zeros((len(state), len(count)))
    member[np.arange(len(state)), state] = 1.0
    means = values @ (member / np.maximum(count, 1))
    return np.asarray(means[:, state])
