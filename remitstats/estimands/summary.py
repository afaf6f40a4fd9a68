"""What the results of every model have in common: estimates, hyperparameters, and the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.fitting.gate import Gate

INTERVAL = {"kind": "eti", "probability": 0.9}
QUANTILES = (0.05, 0.5, 0.95)
ESTIMATE = ("mean", "sd", "median", "eti90_lower", "eti90_upper")


def estimate(draws: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return mean, sd, median and the 90% equal-tailed interval over the first axis."""
    low, middle, high = np.quantile(draws, QUANTILES, axis=0)
    return {
        "mean": draws.mean(axis=0, dtype=float),
        "sd": draws.std(axis=0, ddof=1, dtype=float),
        "median": middle,
        "eti90_lower": low,
        "eti90_upper": high,
    }


def parameter_table(
    fit: xr.DataTree, table: pd.DataFrame, descriptions: Mapping[str, str]
) -> pd.DataFrame:
    """Return the hyperparameters of a fit with their convergence, one row each.

    Parameters
    ----------
    fit : DataTree
        Its posterior variables that are single numbers are the hyperparameters.
    table : DataFrame
        What `convergence_of` returned for them.
    descriptions : mapping of str to str
        What each is in words; a name without a description stands for itself.
    """
    rows = []
    known = table.set_index("quantity")
    for name, array in fit["posterior"].data_vars.items():
        if array.ndim != 2:
            continue
        text = descriptions.get(str(name), str(name))
        found = {k: float(v) for k, v in estimate(array.to_numpy().ravel()).items()}
        row: dict[str, Any] = {"name": str(name), "description": text, **found}
        judged = known.loc[[str(name)], ["r_hat", "ess_bulk", "ess_tail"]]
        rows.append(row | judged.to_dict("records")[0])
    return pd.DataFrame(rows)


def run_summary(
    fit: xr.DataTree, verdict: Gate, counts: Mapping[str, Any], *, command: str, seconds: float
) -> dict[str, Any]:
    """Return what a summary says of the run: model, gate, settings, provenance.

    Parameters
    ----------
    fit : DataTree
        The fit.
    verdict : Gate
        Of the fit and everything reported of it.
    counts : mapping
        How large the data are, by the model's own names.
    command : str
        What to run to get this again.
    seconds : float
        What summarising took.
    """
    provenance = fit["provenance"].attrs
    settings = json.loads(provenance["settings"])
    wall = json.loads(provenance["wall_seconds"]) | {"summarise": round(seconds, 3)}
    return {
        "model": provenance["model"],
        "engine": settings["engine"],
        **verdict.describe(),
        "wall_seconds": wall,
        **counts,
        "interval": INTERVAL,
        "seed": settings["seed"],
        "settings": settings,
        "model_spec": json.loads(provenance["specification"]),
        "panel_hash": provenance["panel_hash"],
        "fit_key": provenance["key"],
        "code_version": provenance["code_version"],
        "versions": json.loads(provenance["versions"]),
        "command": command,
    }
