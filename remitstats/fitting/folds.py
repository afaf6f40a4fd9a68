"""Cross-validation of the reliance model: panels of which some percentages are held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from remitstats.errors import RemitstatsError
from remitstats.fitting.jobs import Cell, FitJob
from remitstats.panel.panel import Panel

TABLE = "municipality_wave"


def hold_out(panel: Panel, cells: Sequence[Cell]) -> Panel:
    """Return the panel without the published percentages of some cells.

    Parameters
    ----------
    panel : Panel
        With the table `municipality_wave`.
    cells : sequence of (cvegeo, wave)
        Which; dwellings stay, so that aggregates still count them.

    Raises
    ------
    RemitstatsError
        If the panel has no such cell, or nothing is published for it.
    """
    table = panel.table(TABLE)
    keys = list(zip(table["cvegeo"].astype(str), table["wave"].astype(int), strict=True))
    published = dict(zip(keys, table["receiving_percent"].notna(), strict=True))
    wanted = {(str(cvegeo), int(wave)) for cvegeo, wave in cells}
    for cvegeo, wave in sorted(wanted):
        if (cvegeo, wave) not in published:
            if cvegeo in {code for code, _ in keys}:
                waves = sorted({w for code, w in keys if code == cvegeo})
                raise RemitstatsError(
                    f"The panel has no wave {wave} of municipality {cvegeo}. Waves: "
                    f"{', '.join(map(str, waves))}."
                )
            raise RemitstatsError(
                f"The panel has no municipality {cvegeo!r}: write its five-digit code."
            )
        if not published[cvegeo, wave]:
            raise RemitstatsError(
                f"Nothing can be held back of municipality {cvegeo} in {wave}: no percentage is "
                "published for it. Choose among the cells that have one."
            )
    held = np.array([key in wanted for key in keys], dtype=bool)
    table["receiving_percent"] = table["receiving_percent"].mask(held)
    return panel.with_table(TABLE, table)


def random_folds(panel: Panel, folds: int, *, seed: int) -> list[tuple[Cell, ...]]:
    """Deal the cells that have data at random onto folds of equal size, give or take one.

    Parameters
    ----------
    panel : Panel
        The whole panel.
    folds : int
        How many, at least two.
    seed : int
        Of the dealing.

    Returns
    -------
    list of tuple of (cvegeo, wave)
        The cells of each fold; every cell with data is in exactly one.

    Raises
    ------
    RemitstatsError
        If there are fewer than two folds or fewer cells than folds.
    """
    table = panel.table(TABLE)
    known = table[table["receiving_percent"].notna() & table["dwellings"].notna()]
    cells = sorted(zip(known["cvegeo"].astype(str), known["wave"].astype(int), strict=True))
    if not 2 <= folds <= len(cells):
        raise RemitstatsError(
            f"The number of folds must lie between 2 and the {len(cells)} cells with data, "
            f"found {folds}."
        )
    order = np.random.default_rng(seed).permutation(len(cells))
    return [tuple(cells[i] for i in sorted(part)) for part in np.array_split(order, folds)]


def fold_jobs(job: FitJob, folds: Sequence[Sequence[Cell]]) -> list[FitJob]:
    """Return one job a fold: the same as `job`, without sight of the fold's percentages.

    Parameters
    ----------
    job : FitJob
        The fit of the whole panel.
    folds : sequence of sequences of (cvegeo, wave)
        Such as `random_folds` returns, or one a state to leave out states.
    """
    return [
        replace(job, name=f"{job.name}, fold {number}", hold_out=(*job.hold_out, *cells))
        for number, cells in enumerate(folds, 1)
    ]
