"""Posterior predictive check of the state model of dependence, with named statistics.

Replications keep the paths of the regions, and draw every state's level, tendency, walk and noise
anew: what is checked is how states move around their regions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from remitstats.models.dependence_state_data import StateData
from remitstats.models.dependence_state_density import Priors, pieces
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
MOST_DRAWS = 500
STATISTICS = {
    "typical_move": "median size of a state's yearly move away from the nation, log per cent",
    "largest_move": "largest such move, log per cent",
    "heavy_tails": "excess kurtosis of such moves, each over its state's standard deviation",
    "echo": "correlation of a state's move with its move of the year before",
    "restless_states": "largest over smallest standard deviation of a state's moves",
    "restless_year": "largest standard deviation between states of one year's moves, log per cent",
    "catching_up": "rank correlation of a state's first ratio with its later growth",
    "spread_first": "standard deviation between states of the log ratio, first year",
    "spread_last": "standard deviation between states of the log ratio, last year",
    "neighbours": "mean correlation of the moves of states that share a border",
}


def predictive_table(
    values: Mapping[str, Array],
    regional: Array,
    data: StateData,
    priors: Priors,
    panel: Panel,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Compare statistics of the log ratios with those of replications.

    Parameters
    ----------
    values : mapping of str to array
        Hyperparameters by draw.
    regional : array, shape (draw, region, year)
        The regions' paths in the same draws.
    data, priors
        Of the fit.
    panel : Panel
        Gives the borders between states.
    rng : numpy.random.Generator
        Stream of the replications.

    Returns
    -------
    DataFrame
        `statistic, description, observed, replicated_mean, replicated_eti90_lower,
        replicated_eti90_upper, p_value` (share of replications above, ties counting half).
    """
    count = len(regional)
    chosen = np.linspace(0, count - 1, min(MOST_DRAWS, count)).astype(int)
    part = {name: value[chosen] for name, value in values.items()}
    known = data.product.shape[1]
    groups = len(data.coords["region"])
    root = np.linalg.cholesky(pieces(part, known, groups, priors).states)
    noise = rng.standard_normal((*root.shape[:-1], 1))
    replicated = regional[chosen][:, data.region_of, :known] + (root @ noise)[..., 0]
    borders = state_borders(panel, data.coords["state"])
    observed = _statistics(data.log_percent[None], borders)[0]
    drawn = _statistics(replicated, borders)
    rows = []
    for i, (name, description) in enumerate(STATISTICS.items()):
        if not np.isfinite(observed[i]):
            continue
        low, high = np.quantile(drawn[:, i], (0.05, 0.95))
        above = (drawn[:, i] > observed[i]).mean() + 0.5 * (drawn[:, i] == observed[i]).mean()
        rows.append(
            {
                "statistic": name,
                "description": description,
                "observed": float(observed[i]),
                "replicated_mean": float(drawn[:, i].mean()),
                "replicated_eti90_lower": float(low),
                "replicated_eti90_upper": float(high),
                "p_value": float(above),
            }
        )
    return pd.DataFrame(rows)


def state_borders(panel: Panel, states: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return pairs of states with neighbouring municipalities, shape (pair, 2)."""
    if "adjacency" not in panel:
        return np.empty((0, 2), dtype=np.int64)
    table = panel.table("adjacency")
    place = {str(code): i for i, code in enumerate(states)}
    ends = [table[name].astype(str).str[:2] for name in ("cvegeo_a", "cvegeo_b")]
    pairs = {
        (min(place[a], place[b]), max(place[a], place[b]))
        for a, b in zip(*ends, strict=True)
        if a != b and a in place and b in place
    }
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _statistics(series: Array, borders: NDArray[np.int64]) -> Array:
    """Return every statistic of data sets (set, state, year), shape (set, statistic)."""
    moves = np.diff(series, axis=2)
    moves = moves - moves.mean(axis=1, keepdims=True)
    sd = moves.std(axis=2, keepdims=True)
    size, z = 100.0 * np.abs(moves), moves / sd
    growth = series[:, :, -1] - series[:, :, 0]
    neighbours = np.full(len(series), np.nan)
    if len(borders):
        a, b = z[:, borders[:, 0]], z[:, borders[:, 1]]
        a, b = (x - x.mean(axis=2, keepdims=True) for x in (a, b))
        spread = np.sqrt((a**2).sum(axis=2) * (b**2).sum(axis=2))
        neighbours = ((a * b).sum(axis=2) / spread).mean(axis=1)
    flat = z.reshape(len(series), -1)
    return np.column_stack(
        [
            np.median(size, axis=(1, 2)),
            size.max(axis=(1, 2)),
            stats.kurtosis(flat, axis=1),
            _correlation(z[:, :, 1:], z[:, :, :-1]),
            sd[:, :, 0].max(axis=1) / sd[:, :, 0].min(axis=1),
            100.0 * moves.std(axis=1).max(axis=1),
            _correlation(*(stats.rankdata(x, axis=1) for x in (series[:, :, 0], growth))),
            series[:, :, 0].std(axis=1),
            series[:, :, -1].std(axis=1),
            neighbours,
        ]
    )


def _correlation(a: Array, b: Array) -> Array:
    a, b = (x.reshape(len(x), -1) for x in (a, b))
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    return np.asarray((a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)))
