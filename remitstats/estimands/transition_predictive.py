"""Does the transition model make series like those observed? New countries from its parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from remitstats.fitting.run_tree import seed_of
from remitstats.models.transition_data import SERIES
from remitstats.parts.local_level import PARAMETERS, Series

Array = NDArray[np.float64]

REPLICATES = 200
STREAM = 12


def predictive(fit: xr.DataTree, units: Mapping[str, Mapping[str, Series]]) -> pd.DataFrame:
    """Hold statistics of the changes from one observation to the next against replicated ones.

    Replicates are new countries: scales and events are drawn anew, not those of the countries there
    are, so that a country's own path can't hide a misfit. Countries with known breaks of the
    reporting are left out, also from what is observed.

    Parameters
    ----------
    fit : DataTree
        The fit.
    units : mapping
        By series and country, what the likelihood took.
    """
    seed = seed_of(fit)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM,)))
    posterior = fit["posterior"]
    flat = np.stack([posterior[n].to_numpy().reshape(-1, len(SERIES)) for n in PARAMETERS], axis=2)
    chosen = flat[np.linspace(0, len(flat) - 1, REPLICATES).astype(int)]
    rows = []
    for s, name in enumerate(SERIES):
        found = [unit for unit in units[name].values() if unit.regressors.shape[1] == 1]
        here = _statistics([np.diff(unit.observed) for unit in found])
        there = [
            _statistics([np.diff(_replicated(unit, x, rng)) for unit in found])
            for x in chosen[:, s]
        ]
        for statistic, observed in here.items():
            draws = np.array([one[statistic] for one in there])
            low, high = np.quantile(draws, (0.05, 0.95))
            rows.append(
                {
                    "series": name,
                    "statistic": statistic,
                    "observed": observed,
                    "replicated_mean": float(draws.mean()),
                    "replicated_eti90_lower": float(low),
                    "replicated_eti90_upper": float(high),
                    "p_value": float((draws >= observed).mean()),
                }
            )
    return pd.DataFrame(rows)


def _replicated(unit: Series, x: Array, rng: np.random.Generator) -> Array:
    scale, noise, nu, size = np.exp(x[[0, 1, 2, 4]])
    own = scale * np.sqrt(0.5 * nu / rng.standard_gamma(0.5 * nu))
    walk = unit.weights @ np.cumsum(rng.standard_normal(unit.weights.shape[1]))
    series = walk + noise * rng.standard_normal(len(unit.observed))
    if len(unit.event) and rng.random() < special.expit(x[3]):
        event = rng.choice(len(unit.event), p=np.exp(unit.log_prior))
        series = series + size * rng.standard_normal() * unit.event[event]
    return np.asarray(own * series)


def _statistics(changes: list[Array]) -> dict[str, float]:
    every = np.abs(np.concatenate(changes))
    pairs = np.concatenate([np.stack([c[:-1], c[1:]]) / c.std() for c in changes], axis=1)
    spread = np.log([c.std() for c in changes])
    largest = [np.abs(c).max() / np.median(np.abs(c)) for c in changes]
    return {
        "median size of a change": float(np.median(every)),
        "95th percentile of the size of a change": float(np.quantile(every, 0.95)),
        "largest change of a country over its median one, middle country": float(
            np.median(largest)
        ),
        "spread of countries' log standard deviations": float(np.std(spread)),
        "correlation of successive changes": float((pairs[0] * pairs[1]).mean()),
    }
