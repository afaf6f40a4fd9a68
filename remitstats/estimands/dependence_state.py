"""Dependence of the states: what the posterior says, and what is known without one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.estimands.dependence_state_claims import claim_table
from remitstats.estimands.dependence_state_paths import hyperparameters, paths_of
from remitstats.estimands.dependence_state_predictive import predictive_table
from remitstats.estimands.dependence_state_results import DependenceStateResults, empty
from remitstats.estimands.dependence_state_tables import (
    Judged,
    Money,
    change_table,
    concentration_tables,
    decomposition_table,
    level_table,
    rank_tables,
    tendency_table,
)
from remitstats.estimands.summary import parameter_table, run_summary
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.models.dependence_state_data import prepare_data
from remitstats.models.dependence_state_density import Priors
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

DESCRIPTIONS = {
    "level_sd": "standard deviation of states' levels (log)",
    "region_sd": "lasting yearly move of a region's states together (log)",
    "divergence": "yearly growth of the differences between states' levels",
    "tendency_sd": "standard deviation of states' own mean yearly growth (log)",
    "walk_sd": "lasting yearly move of a typical state away from the nation (log)",
    "noise_sd": "move of a typical state that leaves no trace (log)",
    "state_scale_sd": "standard deviation of the log of how much states move",
    "year_scale_sd": "standard deviation of the log of how much states move in a year",
    "national_sd": "standard deviation of national yearly growth (log)",
    "persistence": "correlation of national growth with that of the year before",
    "product_national_sd": "standard deviation between years of growth of product (log)",
    "product_tendency_sd": "standard deviation between states of mean growth of product (log)",
    "product_sd": "yearly move of a typical state's product away from the nation's (log)",
    "product_scale_sd": "standard deviation of the log of how much states' product moves",
}


def summarise_dependence_state(
    fit: xr.DataTree,
    panel: Panel,
    *,
    command: str = "remitstats.summarise_dependence_state(fit, panel)",
    progress: Progress | None = None,
    forecast: pd.DataFrame | None = None,
) -> DependenceStateResults:
    """Turn a fit of the state model of dependence into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned for the model.
    panel : Panel
        The panel it was fitted to.
    command : str
        What to run to get this again; goes into the summary.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.
    forecast : DataFrame, optional
        Scores of one-step-ahead predictions, as `forecast_dependence_state` returns them.

    Returns
    -------
    DependenceStateResults
        R-hat and ESS are those of all hyperparameters, trends, predicted ratios, changes,
        tendencies, ranks and measures of concentration.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    settings = json.loads(fit["provenance"].attrs["settings"])
    specification = json.loads(fit["provenance"].attrs["specification"])
    priors = Priors.of(specification["priors"])
    data = prepare_data(panel, specification["against"])
    values = hyperparameters(fit["posterior"].to_dataset())
    rng, check = (
        np.random.default_rng(s) for s in np.random.SeedSequence(settings["seed"]).spawn(2)
    )
    tell("paths of the states", 0.0)
    paths = paths_of(values, data, priors, rng)
    tell("estimates", 0.4)
    money = Money(data, paths, state_names(panel))
    judged = Judged(settings["chains"])
    tables: dict[str, pd.DataFrame] = {
        "level": level_table(money, judged),
        "change": change_table(money, judged),
        "tendency": tendency_table(money, judged),
        "decomposition": decomposition_table(money),
    }
    tables["rank"], tables["rank_change"] = rank_tables(money, judged)
    tables["concentration"], tables["concentration_change"] = concentration_tables(money, judged)
    tables["claim"] = claim_table(money, panel, judged)
    tell("posterior predictive check", 0.6)
    tables["predictive"] = predictive_table(values, paths.regional, data, priors, panel, check)
    tell("convergence of every reported quantity", 0.65)
    posterior = {str(k): v for k, v in fit["posterior"].data_vars.items()}
    table = convergence_of(
        posterior | judged.arrays,
        lambda share: tell("convergence of every reported quantity", 0.65 + 0.35 * share),
    )
    summary = run_summary(
        fit,
        judge(fit, table),
        _counts(money),
        command=command,
        seconds=time.perf_counter() - start,
    )
    tell("done", 1.0)
    return DependenceStateResults(
        **tables,
        parameter=parameter_table(fit, table, DESCRIPTIONS),
        summary=summary,
        forecast=empty("forecast") if forecast is None else forecast,
    )


def state_names(panel: Panel) -> Mapping[str, str]:
    """Return the names of the states; their codes where the panel has none."""
    if "state" not in panel:
        return {}
    table = panel.table("state")
    return dict(zip(table["state"].astype(str), table["name"].astype(str), strict=True))


def _counts(money: Money) -> dict[str, Any]:
    known = [int(y) for y in money.data.coords["year"]]
    return {
        "states": len(money.data.coords["state"]),
        "years": known,
        "predicted_years": [int(y) for y in money.data.coords["later"]],
        "against": money.data.against,
    }
