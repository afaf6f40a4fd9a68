"""Posterior predictive check of the reliance model, with named statistics.

Replicated data are what the census sample could have published had the model been true: for each
posterior draw a binomial count out of the effective dwellings of every measured cell.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from remitstats.estimands.results import COLUMNS
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import draw_published

STATISTICS = {
    "zero_municipalities": "municipalities without a single receiving dwelling",
    "national_percent": "dwelling-weighted national share, %",
    "median_percent": "median municipality, %",
    "sd_percent": "standard deviation between municipalities, percentage points",
    "percentile_90": "nine municipalities in ten lie below, %",
    "above_20": "municipalities with more than 20% of dwellings receiving",
    "neighbour_correlation": "rank correlation with the mean of the neighbours",
    "earlier_wave_correlation": "rank correlation with the wave before",
}
MOST_DRAWS = 500
BATCH = 25  # replications worked on together


def predictive_check(fit: xr.DataTree, panel: Panel, *, seed: int) -> pd.DataFrame:
    """Compare statistics of the published shares with those of replicated ones, wave by wave.

    Parameters
    ----------
    fit : DataTree
        Fit of the reliance model.
    panel : Panel
        Gives the neighbours.
    seed : int
        Seed of the replications.

    Returns
    -------
    DataFrame
        `statistic, description, wave, observed, replicated_mean, replicated_eti90_lower,
        replicated_eti90_upper, p_value`; `p_value` is the share of replications above what was
        observed, ties counting half: near 0 or 1 means that the model does not reproduce the
        statistic.
    """
    data = fit["constant_data"]
    waves = fit["posterior"]["wave"].to_numpy()
    codes = fit["posterior"]["municipality"].to_numpy().astype(str)
    effective = data["effective_dwellings"].transpose("wave", "municipality").to_numpy()
    dwellings = data["dwellings"].transpose("wave", "municipality").to_numpy()
    published = data["published_percent"].transpose("wave", "municipality").to_numpy()
    neighbours = _neighbour_mean(panel, codes)
    draws = fit["posterior"]["linear_predictor"].transpose("chain", "draw", "wave", "municipality")
    flat = draws.to_numpy().reshape(-1, *draws.shape[2:])
    rng = np.random.default_rng(seed)
    chosen = np.linspace(0, len(flat) - 1, min(MOST_DRAWS, len(flat))).astype(int)
    replicated = []
    for start in range(0, len(chosen), BATCH):
        eta = flat[chosen[start : start + BATCH]].astype(float)
        share = 100.0 * draw_published(rng, eta, effective)
        replicated.append(_statistics(share, dwellings, neighbours))
    shown = np.where(effective > 0, published, np.nan)
    observed = _statistics(shown[None], dwellings, neighbours)[0]
    values = np.concatenate(replicated)
    rows = []
    for s, (name, description) in enumerate(STATISTICS.items()):
        for w, wave in enumerate(waves):
            drawn = values[:, s, w][np.isfinite(values[:, s, w])]
            if not np.isfinite(observed[s, w]) or not len(drawn):
                continue
            low, high = np.quantile(drawn, (0.05, 0.95))
            rows.append(
                {
                    "statistic": name,
                    "description": description,
                    "wave": int(wave),
                    "observed": float(observed[s, w]),
                    "replicated_mean": float(drawn.mean()),
                    "replicated_eti90_lower": float(low),
                    "replicated_eti90_upper": float(high),
                    "p_value": _p_value(drawn, float(observed[s, w])),
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS["predictive"]))


def _p_value(replicated: NDArray[np.float64], observed: float) -> float:
    """Return P(replicated > observed) + P(replicated = observed) / 2, fair to counts."""
    return float((replicated > observed).mean() + 0.5 * (replicated == observed).mean())


def _neighbour_mean(panel: Panel, codes: NDArray[np.str_]) -> list[NDArray[np.int64]]:
    position = {code: i for i, code in enumerate(codes)}
    near: list[list[int]] = [[] for _ in codes]
    if "adjacency" not in panel:
        return [np.empty(0, dtype=np.int64)] * 2
    table = panel.table("adjacency")
    for a, b in zip(table["cvegeo_a"].astype(str), table["cvegeo_b"].astype(str), strict=True):
        if a in position and b in position:
            near[position[a]].append(position[b])
            near[position[b]].append(position[a])
    pairs = [(i, j) for i, others in enumerate(near) for j in others]
    pair = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return [pair[:, 0], pair[:, 1]]


def _statistics(
    share: NDArray[np.float64],
    dwellings: NDArray[np.float64],
    neighbours: list[NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Return every statistic of data sets that lack the same cells.

    Parameters
    ----------
    share : array, shape (data set, wave, municipality)
        Per cent; nan where there is none.
    dwellings : array, shape (wave, municipality)
        Weights.
    neighbours : list of two arrays, shape (pair,)
        Positions of the municipalities of each pair.

    Returns
    -------
    array, shape (data set, statistic, wave)
        nan where a wave has fewer than three municipalities.
    """
    sets, waves = share.shape[:2]
    out = np.full((sets, len(STATISTICS), waves), np.nan)
    known = np.isfinite(share[0])
    for w in range(waves):
        if known[w].sum() < 3:
            continue
        # rows in one piece each, so that equal data sets give equal sums to the last digit
        own = np.ascontiguousarray(share[:, w][:, known[w]])
        weight = dwellings[w][known[w]]
        earlier = np.full(sets, np.nan)
        if w:
            both = known[w] & known[w - 1]
            earlier = _rank_correlation(share[:, w][:, both], share[:, w - 1][:, both])
        out[:, :, w] = np.stack(
            [
                (own == 0).sum(axis=1),
                (own * weight).sum(axis=1) / weight.sum(),
                np.median(own, axis=1),
                own.std(axis=1),
                np.quantile(own, 0.9, axis=1),
                (own > 20).sum(axis=1),
                _with_neighbours(share[:, w], neighbours),
                earlier,
            ],
            axis=1,
        )
    return out


def _with_neighbours(
    values: NDArray[np.float64], pair: list[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Return the rank correlation of (data set, municipality) with the mean of the neighbours."""
    first, second = pair
    sets, size = values.shape
    known = np.isfinite(values[0])
    first, second = first[known[second]], second[known[second]]
    count = np.bincount(first, minlength=size)
    place = (first + size * np.arange(sets)[:, None]).ravel()
    total = np.bincount(place, values[:, second].ravel(), sets * size).reshape(sets, size)
    have = (count > 0) & known
    return _rank_correlation(values[:, have], total[:, have] / count[have])


def _rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Spearman's correlation of the rows of two tables; nan where one does not vary."""
    if a.shape[1] < 3:
        return np.full(len(a), np.nan)
    # ties share a rank: zeros are many
    rank_a, rank_b = (r - r.mean(axis=1, keepdims=True) for r in map(_ranks, (a, b)))
    spread = np.sqrt((rank_a**2).sum(axis=1) * (rank_b**2).sum(axis=1))
    product = (rank_a * rank_b).sum(axis=1)
    nothing = np.full(len(a), np.nan)
    return np.asarray(np.divide(product, spread, out=nothing, where=spread > 0))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(stats.rankdata(np.ascontiguousarray(values), axis=1))
