"""Posterior predictive check of the dependence model, with named statistics.

Replicated data are other municipalities of the same kinds in the same states and years, seen in the
same quarters: paths from the posterior, all that is a municipality's own drawn anew.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.estimands.dependence_draws import Sampler, normal_draws
from remitstats.estimands.dependence_results import COLUMNS
from remitstats.models.dependence_form import root_of
from remitstats.models.dependence_measures import quarter_number
from remitstats.models.dependence_terms import SERIES

Array = NDArray[np.float64]
STATISTICS = {
    "level_sd": "standard deviation of mean levels between municipalities",
    "change_sd": "standard deviation of changes from a quarter to the next",
    "change_mad": "robust standard deviation of these changes (from the median distance)",
    "change_beyond_4": "changes beyond four robust standard deviations, per cent",
    "change_correlation": "correlation of a change with the next",
    "year_change_sd": "standard deviation of changes over four quarters",
    "growth_sd": "standard deviation of growth from the first four quarters to the last, a year",
    "growth_persistence": "correlation of growth in the first half and in the second",
    "season_sd": "standard deviation of municipalities' seasons around the common one",
    "break_2_excess": "typical change at the second break over that of other quarters",
    "rising": "municipalities higher in the last four quarters than in the first, per cent",
}
MOST_DRAWS = 200


def predictive_check(sampler: Sampler, fit: xr.DataTree, *, seed: int) -> pd.DataFrame:
    """Compare statistics of the series with those of replicated ones.

    Parameters
    ----------
    sampler : Sampler
        Of the fit.
    fit : DataTree
        A fit of the dependence model.
    seed : int
        Seed of the replications.

    Returns
    -------
    DataFrame
        `p_value` is the share of replications above what was observed: near 0 or 1 means that the
        model does not reproduce the statistic.
    """
    density = sampler.density
    data, layout = density.data, density.form.layout
    values = {
        name: fit["posterior"][name].to_numpy().reshape(-1, *fit["posterior"][name].shape[2:])
        for name in layout
    }
    total = len(next(iter(values.values())))
    rng = np.random.default_rng(seed)
    faint = data.faint[data.kind_of]
    groups = {
        label: inside
        for label, inside in (("steady", ~faint), ("faint", faint))
        if inside.sum() >= 10
    }
    seen = np.isfinite(data.observed)
    numbers = data.numbers
    at_break = numbers - numbers[0] == quarter_number(data.measures.breaks[1]) - numbers[0]

    def of(y: Array) -> dict[str, Array]:
        return {
            label: statistics(y[inside], numbers % 4, at_break) for label, inside in groups.items()
        }

    observed = of(data.observed)
    replicated = []
    for draw in np.linspace(0, total - 1, min(MOST_DRAWS, total)).astype(int):
        sds = density.vector({name: value[draw] for name, value in values.items()})
        z, d = density.paths(sds).draw(rng)
        fitted = len(numbers)
        y = z[:fitted] + d[data.state_of]
        y[faint] += density.extra @ z[fitted:]
        for kind in range(len(data.faint)):
            members = np.flatnonzero(data.kind_of == kind)
            trend, rest = density.form.split(SERIES, kind, sds, density.kernel)
            y[members] += normal_draws(rng, (len(members),), root_of(trend + rest))
        replicated.append(of(np.where(seen, y, np.nan)))
    rows = []
    for label in groups:
        drawn = np.array([one[label] for one in replicated])
        for s, (name, description) in enumerate(STATISTICS.items()):
            column = drawn[:, s][np.isfinite(drawn[:, s])]
            value = float(observed[label][s])
            if not np.isfinite(value) or not len(column):
                continue
            low, high = np.quantile(column, (0.05, 0.95))
            rows.append(
                {
                    "statistic": name,
                    "description": description,
                    "reporting": label,
                    "observed": value,
                    "replicated_mean": float(column.mean()),
                    "replicated_eti90_lower": float(low),
                    "replicated_eti90_upper": float(high),
                    "p_value": float((column > value).mean() + 0.5 * (column == value).mean()),
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS["predictive"]))


def statistics(y: Array, season: NDArray[np.int64], at_break: NDArray[np.bool_]) -> Array:
    """Return every statistic of `STATISTICS`, in their order.

    Parameters
    ----------
    y : array, shape (municipality, quarter)
        Logarithms; nan where not seen.
    season : array of int, shape (quarter,)
        Quarter of the year.
    at_break : array of bool, shape (quarter,)
        The quarter of the second break.
    """
    frame = y - _median(y, 0)
    change = np.diff(frame, axis=1)
    flat = change[np.isfinite(change)]
    spread = 1.4826 * float(np.median(np.abs(flat))) if len(flat) else np.nan
    following = np.isfinite(change[:, 1:]) & np.isfinite(change[:, :-1])
    year = frame[:, 4:] - frame[:, :-4]
    first, last = _mean(frame[:, :4]), _mean(frame[:, -4:])
    half = y.shape[1] // 2
    middle = _mean(frame[:, half - 2 : half + 2])
    years = (y.shape[1] - 4) / 4.0
    growth = (last - first) / years
    both = np.isfinite(first) & np.isfinite(middle) & np.isfinite(last)
    known = np.isfinite(first) & np.isfinite(last)
    raw = _mean(y[:, -4:]) - _mean(y[:, :4])
    by_season = np.stack([_mean(frame[:, season == q]) for q in range(4)], axis=1)
    by_season = by_season - by_season.mean(axis=1, keepdims=True)
    there = change[:, at_break[1:]]
    there = there[np.isfinite(there)]
    return np.array(
        [
            np.nanstd(_mean(y)),
            flat.std() if len(flat) else np.nan,
            spread,
            100.0 * float((np.abs(flat) > 4 * spread).mean()) if len(flat) else np.nan,
            _correlation(change[:, 1:][following], change[:, :-1][following]),
            np.nanstd(year[np.isfinite(year)]) if np.isfinite(year).any() else np.nan,
            growth[known].std() if known.sum() > 2 else np.nan,
            _correlation((middle - first)[both], (last - middle)[both]),
            np.nanstd(by_season[np.isfinite(by_season)]),
            1.4826 * np.median(np.abs(there)) / spread if len(there) > 2 else np.nan,
            100.0 * float((raw[known] > 0).mean()) if known.any() else np.nan,
        ]
    )


def _median(y: Array, axis: int) -> Array:
    """Return medians that are 0 where nothing is seen."""
    empty = ~np.isfinite(y).any(axis=axis)
    filled = np.where(np.expand_dims(empty, axis), 0.0, y)
    return np.asarray(np.nanmedian(filled, axis=axis))


def _mean(y: Array) -> Array:
    """Return means of what is seen in each row; nan where that is less than two thirds."""
    seen = np.isfinite(y)
    count = seen.sum(axis=1)
    total = np.where(seen, y, 0.0).sum(axis=1)
    enough = count >= max(1, (2 * y.shape[1]) // 3)
    return np.where(enough, total / np.maximum(count, 1), np.nan)


def _correlation(a: Array, b: Array) -> float:
    if len(a) < 3 or a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
