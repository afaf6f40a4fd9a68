"""The dependence model: what its posterior says of municipalities, states and the nation.

Everything is made of the draws of `dependence_draws`; every quantity that is reported goes through
the gate. See `DependenceResults` for the tables.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from remitstats.estimands.dependence_check import predictive_check
from remitstats.estimands.dependence_draws import HORIZON, Sampler, draw_all
from remitstats.estimands.dependence_forecast import forecast_check
from remitstats.estimands.dependence_money import IncomeError, incomes
from remitstats.estimands.dependence_places import examples, municipalities, state_paths
from remitstats.estimands.dependence_results import DependenceResults
from remitstats.estimands.dependence_tables import Reported
from remitstats.estimands.dependence_windows import Windows
from remitstats.estimands.summary import parameter_table, run_summary
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.fitting.run_tree import seed_of
from remitstats.models.dependence_data import DependenceData, prepare_data
from remitstats.models.dependence_density import DependenceDensity
from remitstats.models.dependence_form import Priors
from remitstats.models.dependence_measures import Measures, quarter_name, quarter_number
from remitstats.panel.panel import Panel
from remitstats.parts.priors import ScalePrior

Progress = Callable[[str, float], None]

REPEATS, EVERY = 4, 3  # four draws of the latent for every third draw of the parameters
FEWEST_CHECKED = 32  # quarters of a panel whose forecasts are checked by default
CHECKED = {"draws": 100, "tune": 90}  # length of the fits that forecasts are checked with
DESCRIPTIONS = {
    "level_sd": "level of steady municipalities within a state",
    "faint_level_sd": "level of faint municipalities within a state",
    "growth_sd": "growth a year between municipalities",
    "faint_season_sd": "departure from the nation's season, faint municipalities",
    "faint_ramp_sd": "what built up in faint municipalities under the second way of reporting",
    "faint_path_sd": "a year's step of the reporting path of faint municipalities",
    "state_level_sd": "level of states",
    "state_growth_sd": "growth a year between states",
    "state_walk_sd": "a year's step of a state's random walk",
    "state_season_sd": "departure of states from the nation's season",
    "state_noise_sd": "what a quarter alone has in a state",
    "nation_walk_sd": "a year's step of the nation's level",
    "nation_slope_sd": "a year's step of the nation's growth",
}


def density_of(fit: xr.DataTree, panel: Panel) -> DependenceDensity:
    """Return the density that a fit was made with.

    Parameters
    ----------
    fit : DataTree
        A fit of the dependence model.
    panel : Panel
        The panel it was fitted to.
    """
    known = json.loads(fit["provenance"].attrs["specification"])
    chosen = {**known["measures"], "breaks": tuple(known["measures"]["breaks"])}
    priors = {
        name: ScalePrior(prior["upper"], prior["tail"]) for name, prior in known["priors"].items()
    }
    data = prepare_data(panel, Measures(**chosen), last_quarter=known["last_quarter"])
    return DependenceDensity(data, Priors(**priors))


def summarise_dependence(
    fit: xr.DataTree,
    panel: Panel,
    *,
    income_error: IncomeError | None = None,
    origins: Sequence[str] | None = None,
    command: str = "remitstats.summarise_dependence(fit, panel)",
    progress: Progress | None = None,
) -> DependenceResults:
    """Turn a fit of the dependence model into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned for the dependence model.
    panel : Panel
        The panel it was fitted to: gives series, names and incomes.
    income_error : IncomeError, optional
        How far estimated incomes may be off.
    origins : sequence of str, optional
        Quarters from which forecasts are checked, by a short fit each; by default the one eight
        quarters before the last, none where the panel is too short for it.
    command : str
        What to run to get this again; goes into the summary.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    DependenceResults
        R-hat and ESS in its summary are those of all parameters and of every quantity reported.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    error = income_error or IncomeError()
    density = density_of(fit, panel)
    data = density.data
    seed = seed_of(fit)
    quarters = [str(q) for q in data.coords["quarter"]]
    whole = [int(q[:4]) for q in quarters if q.endswith("Q1") and f"{q[:4]}Q4" in quarters]
    income = incomes(panel, data, error, sorted(set(whole)))
    windows = Windows(data, tuple(one.year for one in income))
    sampler = Sampler(density, windows.weights)
    many = int(fit["posterior"].sizes["draw"]) >= 2 * EVERY
    draws = draw_all(
        sampler,
        fit,
        repeats=REPEATS,
        every=EVERY if many else 1,
        seed=seed,
        progress=lambda share: tell("drawing levels, growth and forecasts", share),
    )
    tell("tables", 0.0)
    places = municipalities(panel, data)
    reported = Reported(data, windows, draws, places)
    tables = {
        "level": reported.level(),
        "growth": reported.growth(),
        "rank": reported.rank(),
        "ahead": reported.ahead(sampler.numbers[len(quarters) :]),
        "nation": reported.nation(income, seed),
        "income_share": reported.income_share(income, seed),
        "concentration": reported.concentration(seed),
    }
    paths = state_paths(panel, data, draws, windows, sampler.numbers[len(quarters) :])
    tables |= {"path": paths[0], "path_growth": paths[1]}
    tell("convergence of every reported quantity", 0.0)
    tables["example"], shown = examples(
        sampler, fit, tables, repeats=REPEATS, every=EVERY if many else 1, seed=seed
    )
    judged = convergence_of(
        {str(k): v for k, v in fit["posterior"].data_vars.items()}
        | reported.judged
        | paths[2]
        | shown,
        lambda share: tell("convergence of every reported quantity", share),
    )
    tell("posterior predictive check", 0.0)
    tables["predictive"] = predictive_check(sampler, fit, seed=seed)
    parameter = parameter_table(_named(fit), judged, _descriptions(data))
    faint = data.faint[data.kind_of]
    counts = {
        "municipalities": len(faint),
        "steady": int((~faint).sum()),
        "faint": int(faint.sum()),
        "complete": int(np.isfinite(data.observed).all(axis=1).sum()),
        "groups": len(data.grouped.kind),
        "gross_errors": int(data.errors.sum()),
        "states": len(data.coords["state"]),
        "quarters": len(quarters),
        "first_quarter": quarters[0],
        "last_quarter": quarters[-1],
        "steady_dollar_percent": 100.0
        * float(np.nansum(data.dollars[~faint]) / np.nansum(data.dollars)),
    }
    summary = run_summary(
        fit, judge(fit, judged), counts, command=command, seconds=time.perf_counter() - start
    )
    summary |= {
        "unit": data.measures.unit,
        "windows": {name: f"{q[0]} to {q[-1]}" for name, q in windows.quarters.items()},
        "periods": {name: round(years, 4) for name, (_, _, years) in windows.periods.items()},
        "dollar_value": _dollar_value(data, windows),
        "income_error": error.describe(),
        "income_sd": {
            str(one.year): {
                str(kind): round(float(one.sd[one.source == kind].mean()), 4)
                for kind in np.unique(one.source[one.source != ""])
            }
            for one in income
        },
        "latent_draws": [int(n) for n in draws.trend.shape[:2]],
    }
    score = _forecasts(density, panel, quarters, origins, seed, tell)
    if score is not None:
        tables["forecast_score"] = score
        summary["forecast_gates"] = dict(score.attrs["gates"])
    tell("done", 1.0)
    return DependenceResults(
        parameter=parameter,
        summary=summary,
        income_sensitivity=reported.income_sensitivity(income, error),
        **tables,
    )


def _dollar_value(data: DependenceData, windows: Windows) -> dict[str, float]:
    """Return how a dollar's worth in the unit moved, per cent a year: all the time and in parts."""
    if np.ptp(data.log_value) == 0:
        return {}
    growth = windows.growth(windows.weights @ data.log_value)
    names = ("whole", "before", "after")
    return {k: round(float(v), 4) for k, v in zip(names, growth.values(), strict=False)}


def _forecasts(
    density: DependenceDensity,
    panel: Panel,
    quarters: list[str],
    origins: Sequence[str] | None,
    seed: int,
    tell: Progress,
) -> pd.DataFrame | None:
    if origins is None:
        enough = len(quarters) >= FEWEST_CHECKED
        last = quarter_number(quarters[-1]) - HORIZON
        origins = (quarter_name(last),) if enough else ()
    if not origins:
        return None
    return forecast_check(
        panel,
        origins=origins,
        priors=density.priors,
        measures=density.data.measures,
        seed=seed,
        draws=CHECKED["draws"],
        tune=CHECKED["tune"],
        progress=lambda _what, share: tell("forecasts against what came", share),
    )


def _named(fit: xr.DataTree) -> xr.DataTree:
    """Return the fit with each parameter a variable of its own, as `parameter_table` wants."""
    flat: dict[str, Any] = {}
    for name, array in fit["posterior"].data_vars.items():
        if array.ndim == 2:
            flat[str(name)] = array
            continue
        dim = array.dims[2]
        for label in array[dim].to_numpy():
            flat[f"{name}[{label}]"] = array.sel({dim: label}, drop=True)
    return xr.DataTree.from_dict({"posterior": xr.Dataset(flat)})


def _descriptions(data: DependenceData) -> dict[str, str]:
    found = dict(DESCRIPTIONS)
    words = {
        "noise_sd": "what a quarter alone has",
        "walk_sd": "a year's step of a municipality's random walk",
        "season_sd": "departure from the nation's season",
    }
    for kind in data.coords["kind"]:
        found |= {f"{name}[{kind}]": f"{text}, {kind}" for name, text in words.items()}
    for number, label in enumerate(("second reporting", "third reporting")):
        found[f"step_ratio[{label}]"] = (
            f"step at break {number + 1} of reporting over the noise of a quarter"
        )
    return found
