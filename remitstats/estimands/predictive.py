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
    eta = fit["posterior"]["linear_predictor"].transpose("chain", "draw", "wave", "municipality")
    flat = eta.to_numpy().reshape(-1, *eta.shape[2:])
    rng = np.random.default_rng(seed)
    chosen = np.linspace(0, len(flat) - 1, min(MOST_DRAWS, len(flat))).astype(int)
    replicated = []
    for i in chosen:
        share = 100.0 * draw_published(rng, flat[i].astype(float), effective)
        replicated.append(_statistics(share, dwellings, neighbours))
    observed = _statistics(np.where(effective > 0, published, np.nan), dwellings, neighbours)
    values = np.stack(replicated)
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
    """Return every statistic of one data set, shape (statistic, wave)."""
    out = np.full((len(STATISTICS), len(share)), np.nan)
    for w, values in enumerate(share):
        known = np.isfinite(values)
        if known.sum() < 3:
            continue
        own = values[known]
        weight = dwellings[w][known]
        earlier = np.nan
        if w:
            both = known & np.isfinite(share[w - 1])
            earlier = _rank_correlation(values[both], share[w - 1][both])
        out[:, w] = (
            (own == 0).sum(),
            own @ weight / weight.sum(),
            np.median(own),
            own.std(),
            np.quantile(own, 0.9),
            (own > 20).sum(),
            _with_neighbours(values, neighbours),
            earlier,
        )
    return out


def _with_neighbours(values: NDArray[np.float64], pair: list[NDArray[np.int64]]) -> float:
    first, second = pair
    usable = np.isfinite(values[second])
    total = np.bincount(first[usable], values[second[usable]], len(values))
    count = np.bincount(first[usable], minlength=len(values))
    have = (count > 0) & np.isfinite(values)
    return _rank_correlation(values[have], total[have] / count[have])


def _rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if len(a) < 3:
        return float("nan")
    rank_a, rank_b = stats.rankdata(a), stats.rankdata(b)  # ties share a rank: zeros are many
    if np.ptp(rank_a) == 0 or np.ptp(rank_b) == 0:
        return float("nan")
    return float(np.corrcoef(rank_a, rank_b)[0, 1])
