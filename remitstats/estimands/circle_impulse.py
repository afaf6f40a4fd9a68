"""Responses to migration with links of one's own choice cut."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from remitstats.errors import RemitstatsError, unknown
from remitstats.estimands.circle import LAGGED, places_of
from remitstats.estimands.circle_loop import HORIZON, WAVE_YEARS, cut, responses
from remitstats.estimands.summary import estimate
from remitstats.models.circle_measures import VARIABLES
from remitstats.panel.panel import Panel

WHOLE = "whole"


def impulse_table(
    fit: xr.DataTree, panel: Panel, cuts: Iterable[tuple[str, str]] = (), waves: int = HORIZON
) -> pd.DataFrame:
    """Return what one standard deviation more of migration, once, goes with later, for the nation.

    Parameters
    ----------
    fit : DataTree
        A fit of the circle; judge it with `remitstats.gate` first.
    panel : Panel
        The panel it was fitted to.
    cuts : iterable of (from, to)
        Links that are set to zero, together.
    waves : int
        Waves of ten years.

    Returns
    -------
    DataFrame
        Columns links ("whole", or what is cut), variable, years, and the estimate in standard
        deviations of the variable, by the lagged reading.

    Raises
    ------
    RemitstatsError
        If a variable is not one of the circle's, or `waves` is less than 1.
    """
    if waves < 1:
        raise RemitstatsError(f"Responses need at least one wave of ten years, found {waves}.")
    pairs = list(cuts)
    for name in (variable for pair in pairs for variable in pair):
        if name not in VARIABLES:
            raise unknown("variable of the circle", name, VARIABLES)
    nation = places_of(fit, panel, {})[0].readings[LAGGED].mean(axis=2)
    ways = {WHOLE: nation}
    if pairs:
        without = nation
        for origin, to in pairs:
            without = cut(without, to, origin)
        ways[f"without {', '.join(f'{a} → {b}' for a, b in pairs)}"] = without
    rows = []
    for name, effects in ways.items():
        moved = responses(effects, waves).reshape(-1, waves, len(VARIABLES))
        found = estimate(moved)
        for (w, wave), (k, variable) in (
            ((w, wave), (k, variable))
            for k, variable in enumerate(VARIABLES)
            for w, wave in enumerate(range(1, waves + 1))
        ):
            row = {key: float(np.asarray(value)[w, k]) for key, value in found.items()}
            rows.append({"links": name, "variable": variable, "years": WAVE_YEARS * wave} | row)
    return pd.DataFrame(rows)
