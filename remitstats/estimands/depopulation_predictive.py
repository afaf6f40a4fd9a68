"""Posterior predictive check of the depopulation model, with named statistics.

Replicated data are recorded growth that the model could have given for the same municipalities:
for each posterior draw of the hyperparameters and effects new errors of counts and survey, and
new shocks.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from remitstats.estimands.depopulation_draws import DepopulationDraws

Array = NDArray[np.float64]

STATISTICS = {
    "losing_percent": "municipalities with recorded loss, %",
    "mean": "mean recorded growth, % a year",
    "middle_half": "distance of the quartiles, % a year",
    "spread_small": "distance of the quartiles below 2,000 persons, % a year",
    "spread_large": "distance of the quartiles above 50,000 persons, % a year",
    "beyond_5": "further than 5% a year from the median, %",
    "beyond_10": "further than 10% a year from the median, %",
    "neighbours": "rank correlation with the mean of the neighbours",
    "interval_before": "rank correlation with the interval before",
    "two_before": "rank correlation with two intervals before",
    "four_before": "rank correlation with four intervals before",
    "lost_again": "recorded loss again after recorded loss, %",
}
MOST_DRAWS = 200
SMALL, LARGE = 2000.0, 50000.0


def predictive_check(draws: DepopulationDraws, *, seed: int) -> pd.DataFrame:
    """Compare statistics of recorded growth with those of replicated growth, by interval.

    Returns
    -------
    DataFrame
        `statistic, description, interval, observed, replicated_mean, replicated_eti90_lower,
        replicated_eti90_upper, p_value`; `p_value` near 0 or 1 means that the model does not
        reproduce the statistic.
    """
    data = draws.data
    few = draws.thinned(MOST_DRAWS)
    rng = np.random.default_rng((seed, 10))
    observed = _statistics(data.percent, draws)
    found = []
    for replicated in _replicate(few, rng):
        found.append(_statistics(np.where(np.isnan(data.percent), np.nan, replicated), draws))
    values = np.array(found)
    rows = []
    for s, (name, description) in enumerate(STATISTICS.items()):
        for k, interval in enumerate(data.coords["interval"]):
            drawn = values[:, s, k][np.isfinite(values[:, s, k])]
            seen = observed[s, k]
            if not np.isfinite(seen) or not len(drawn):
                continue
            low, high = np.quantile(drawn, (0.05, 0.95))
            rows.append(
                {
                    "statistic": name,
                    "description": description,
                    "interval": str(interval),
                    "observed": float(seen),
                    "replicated_mean": float(drawn.mean()),
                    "replicated_eti90_lower": float(low),
                    "replicated_eti90_upper": float(high),
                    "p_value": float((drawn > seen).mean() + 0.5 * (drawn == seen).mean()),
                }
            )
    return pd.DataFrame(rows)


def _replicate(draws: DepopulationDraws, rng: np.random.Generator) -> list[Array]:
    """Return recorded growth as the model could have given it, one data set a draw."""
    data, posterior = draws.data, draws.posterior
    count = len(posterior["tail_weight"])
    growth = draws.underlying.astype(float)
    for dim in ("count", "survey"):
        if f"{dim}_sd" in posterior:
            years = len(data.coords[dim])
            size = (count, years, data.percent.shape[1])
            error = posterior[f"{dim}_sd"][:, None, None] * rng.standard_normal(size)
            growth += np.einsum("ky,syi->ski", data.contrasts(dim), error * data.relative_error)
    for k in range(growth.shape[1]):
        growth[:, k] += draws.noise(rng, draws.scale(k, data.size[k]))
    return list(growth)


def _statistics(percent: Array, draws: DepopulationDraws) -> Array:
    """Return every statistic, shape (statistic, interval); nan where it is not defined."""
    data = draws.data
    edges = data.graph.edges
    found = np.full((len(STATISTICS), len(percent)), np.nan)
    for k, row in enumerate(percent):
        known = np.isfinite(row)
        values = row[known]
        middle = np.median(values)
        size = data.size[k]
        found[0, k] = 100.0 * (values < 0).mean()
        found[1, k] = values.mean()
        found[2, k] = _spread(values)
        found[3, k] = _spread(row[known & (size < SMALL)])
        found[4, k] = _spread(row[known & (size > LARGE)])
        found[5, k] = 100.0 * (np.abs(values - middle) > 5.0).mean()
        found[6, k] = 100.0 * (np.abs(values - middle) > 10.0).mean()
        found[7, k] = _neighbours(row, edges)
        for place, lag in ((8, 1), (9, 2), (10, 4)):
            if k >= lag:
                found[place, k] = _rank_correlation(row, percent[k - lag])
        if k:
            before = percent[k - 1] < 0
            both = known & np.isfinite(percent[k - 1]) & before
            found[11, k] = 100.0 * (row[both] < 0).mean() if both.any() else np.nan
    return found


def _spread(values: Array) -> float:
    if len(values) < 8:
        return float("nan")
    low, high = np.quantile(values, (0.25, 0.75))
    return float(high - low)


def _neighbours(row: Array, edges: NDArray[np.int64]) -> float:
    known = np.isfinite(row)
    filled = np.where(known, row, 0.0)
    total, count = np.zeros(len(row)), np.zeros(len(row))
    for a, b in ((edges[:, 0], edges[:, 1]), (edges[:, 1], edges[:, 0])):
        np.add.at(total, a, filled[b])
        np.add.at(count, a, known[b])
    with np.errstate(invalid="ignore", divide="ignore"):
        return _rank_correlation(row, np.where(count > 0, total / count, np.nan))


def _rank_correlation(a: Array, b: Array) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 8:
        return float("nan")
    return float(np.corrcoef(stats.rankdata(a[known]), stats.rankdata(b[known]))[0, 1])
