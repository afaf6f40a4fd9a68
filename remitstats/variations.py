"""Variations of the reliance model side by side: what each says, and how far it is from the first.

`remitstats many` and `models/sensitivity_reliance.py` go through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from remitstats.estimands.files import write_csv
from remitstats.estimands.reliance import summarise
from remitstats.fitting.jobs import FitJob, FitOutcome, Judged
from remitstats.fitting.many import fit_many
from remitstats.fitting.run_chains import Progress
from remitstats.panel.panel import Panel

COLUMNS = (
    "variation",
    "converged",
    "wave",
    "national_percent",
    "national_eti90_lower",
    "national_eti90_upper",
    "median_municipality_shift",
    "largest_municipality_shift",
    "median_interval_width",
    "rank_correlation_with_main",
)


@dataclass(frozen=True)
class Estimates:
    """The part of a fit's results by which variations are compared.

    Parameters
    ----------
    nation : DataFrame
        One row a wave: `wave, median, eti90_lower, eti90_upper`, in per cent of dwellings.
    level : DataFrame
        One row a municipality and wave: `cvegeo` and the same.
    """

    nation: pd.DataFrame
    level: pd.DataFrame


def estimates(tree: xr.DataTree, panel: Panel) -> Judged:
    """Return what a fit of the reliance model says, with the verdict on all that is reported."""
    results = summarise(tree, panel)
    columns = ["wave", "median", "eti90_lower", "eti90_upper"]
    nation = results.group[results.group["level"] == "nation"][columns]
    level = results.level[["cvegeo", *columns]]
    return Judged(Estimates(nation.reset_index(drop=True), level), results.gate)


def fit_variations(
    jobs: Sequence[FitJob],
    table: Path,
    *,
    folder: Path,
    workers: int | None = None,
    cluster: Any = None,
    progress: Progress | None = None,
) -> list[FitOutcome]:
    """Fit variations of the reliance model and write one table that compares them.

    Parameters
    ----------
    jobs : sequence of FitJob
        The variations; the first is what the others are compared with.
    table : Path
        The CSV file to write: the columns `COLUMNS`, one row a variation and wave. Percentages of
        dwellings and percentage points, posterior medians, 90% equal-tailed intervals.
    folder : Path
        Where finished fits are kept.
    workers, cluster, progress
        See `fit_many`.

    Returns
    -------
    list of FitOutcome
        With `Estimates` as summaries. A variation that failed has no rows in the table.
    """
    outcomes = fit_many(
        [replace(job, summary=estimates) for job in jobs],
        folder=folder,
        workers=workers,
        cluster=cluster,
        progress=progress,
    )
    write_csv(table, compare(outcomes))
    return outcomes


def compare(outcomes: Sequence[FitOutcome]) -> pd.DataFrame:
    """Return the table of variations (see `fit_variations`).

    How far municipalities moved is said of those that the first variation has too; nothing where
    it failed or has none of them.
    """
    main = outcomes[0].summary.level if outcomes and outcomes[0].summary is not None else None
    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        if outcome.summary is not None:
            rows += _rows(outcome, outcome.summary, main)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(outcome: FitOutcome, found: Estimates, main: pd.DataFrame | None) -> list[dict[str, Any]]:
    rows = []
    nation: Any
    for nation in found.nation.itertuples():
        own = found.level[found.level["wave"] == nation.wave].set_index("cvegeo")
        width = own["eti90_upper"] - own["eti90_lower"]
        shift, largest, correlation = np.nan, np.nan, np.nan
        if main is not None:
            base = main[main["wave"] == nation.wave].set_index("cvegeo")
            both = own[["median"]].join(base["median"].rename("main"), how="inner")
            if len(both):
                moved = (both["median"] - both["main"]).abs()
                shift, largest = float(moved.median()), float(moved.max())
            if len(both) > 1:
                correlation = float(both["median"].corr(both["main"], method="spearman"))
        rows.append(
            {
                "variation": outcome.name,
                "converged": outcome.converged,
                "wave": nation.wave,
                "national_percent": round(float(nation.median), 3),
                "national_eti90_lower": round(float(nation.eti90_lower), 3),
                "national_eti90_upper": round(float(nation.eti90_upper), 3),
                "median_municipality_shift": round(shift, 3),
                "largest_municipality_shift": round(largest, 3),
                "median_interval_width": round(float(width.median()), 3),
                "rank_correlation_with_main": round(correlation, 4),
            }
        )
    return rows
