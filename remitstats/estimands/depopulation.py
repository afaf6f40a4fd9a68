"""Depopulation: what the posterior says of municipalities that lose people.

A fit becomes tables (`DepopulationResults`): growth and the probability of decline by municipality
and interval, the share of municipalities in decline under the definitions in use, each against
the paper's 34%, what persists, what goes along, what is to come, and how such a forecast would
have done ten years ago. Everything reported passes the gate.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.errors import PanelError
from remitstats.estimands.depopulation_draws import DepopulationDraws, Judged
from remitstats.estimands.depopulation_forecast import (
    Hindcast,
    future_table,
    outlook,
    outlook_table,
    score_hindcast,
)
from remitstats.estimands.depopulation_link import link_table
from remitstats.estimands.depopulation_predictive import predictive_check
from remitstats.estimands.depopulation_results import COLUMNS, DepopulationResults, empty
from remitstats.estimands.depopulation_share import (
    CLAIMED,
    change_table,
    persistence_table,
    share_table,
)
from remitstats.estimands.summary import estimate, parameter_table, run_summary
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.fitting.run import fit as run_fit
from remitstats.models import depopulation as model_of
from remitstats.models.depopulation_census import LEAST_CENSUSES, read_censuses
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

HINDCAST_YEARS = 10
DESCRIPTIONS = {
    "growth": "growth of a typical municipality less its prior mean, % a year",
    "size_slope": "more growth for one standard deviation of log size, % a year",
    "interval_sd": "standard deviation between intervals, % a year",
    "size_interval_sd": "standard deviation of the effect of size between intervals",
    "state_sd": "lasting standard deviation between states, % a year",
    "state_interval_sd": "standard deviation between states within an interval, % a year",
    "municipality_sd": "standard deviation of municipality effects, % a year",
    "municipality_share": "share of their variance that neighbours have in common and that lasts",
    "municipality_rho": "correlation of a municipality's own part from interval to interval",
    "count_sd": "error of a count in a municipality of 5,000 persons, %",
    "survey_sd": "error of the survey in a municipality of 5,000 persons, %",
    "small_size": "size at which the variance of what passes is doubled, thousands of persons",
    "tail_weight": "twice the inverse of the degrees of freedom of what passes",
}


def summarise_depopulation(
    fit: xr.DataTree,
    panel: Panel,
    *,
    command: str = "remitstats.summarise_depopulation(fit, panel)",
    progress: Progress | None = None,
    hindcast: xr.DataTree | bool = True,
) -> DepopulationResults:
    """Turn a fit of the depopulation model into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned for the depopulation model.
    panel : Panel
        The panel it was fitted to.
    command : str
        What to run to get this again; goes into the summary.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.
    hindcast : DataTree or bool
        A fit of the model built with ``through`` ten years before the last census, to be scored
        on it. True makes that fit here, with the settings of the first; False leaves it out.

    Returns
    -------
    DepopulationResults
        R-hat and ESS are those of all parameters and of every rate, share, slope and population
        reported, those of the hindcast among them.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    draws = DepopulationDraws.of(fit, panel)
    settings = json.loads(fit["provenance"].attrs["settings"])
    seed = int(settings["seed"])
    names = _names(draws, panel)
    states = _states(draws, panel)
    censuses = draws.data.censuses
    published = _published(panel, censuses.municipality, censuses.year)
    tell("growth of every municipality", 0.05)
    municipality = _municipality(draws, names)
    group, judged = _group(draws, states)
    tell("definitions of decline", 0.15)
    share, more = share_table(draws, published)
    judged |= {f"share[{label}]": value for label, value in more.items()}
    change, more = change_table(share, more)
    judged |= {f"change[{label}]": value for label, value in more.items()}
    persistence, more = persistence_table(draws)
    judged |= {f"persistence[{label}]": value for label, value in more.items()}
    link, more = link_table(draws, panel)
    judged |= {f"link[{label}]": value for label, value in more.items()}
    tell("populations to come", 0.25)
    ahead = outlook(draws, seed)
    outlooks, more = outlook_table(draws, ahead, names)
    judged |= more
    future, more = future_table(draws, ahead, states)
    judged |= {f"future[{label}]": value for label, value in more.items()}
    predictive = predictive_check(draws, seed=seed)
    tell("forecast of the last census", 0.3)
    found, foretold, earlier = _hindcast(fit, panel, hindcast, settings, tell)
    tell("convergence of every reported quantity", 0.6)
    arrays: dict[str, Any] = {str(k): v for k, v in fit["posterior"].data_vars.items()}
    arrays = {k: v for k, v in arrays.items() if k != "linear_predictor"}
    arrays |= {
        "underlying": _labelled(draws, draws.underlying, municipality),
        "true": _labelled(draws, _uncertain(draws), municipality),
    }
    arrays |= {name: _array(draws, value) for name, value in judged.items()}
    arrays |= foretold
    table = convergence_of(
        arrays, lambda done: tell("convergence of every reported quantity", 0.6 + 0.4 * done)
    )
    data = draws.data
    counts = {
        "municipalities": len(data.coords["municipality"]),
        "states": len(data.coords["state"]),
        "intervals": [str(name) for name in data.coords["interval"]],
        "recorded_cells": int(np.isfinite(data.percent).sum()),
        "cells": int(data.percent.size),
        "joint_cells": int((municipality["joint"] > 0).sum()),
    }
    summary = run_summary(
        fit, judge(fit, table), counts, command=command, seconds=time.perf_counter() - start
    )
    summary |= {"claimed_percent": CLAIMED, "shares": _headline(share), **earlier}
    tell("done", 1.0)
    return DepopulationResults(
        municipality=municipality,
        group=group,
        share=share,
        change=change,
        persistence=persistence,
        link=link if len(link) else empty("link"),
        outlook=outlooks,
        future=future,
        hindcast=empty("hindcast") if found is None else found.score,
        hindcast_pit=empty("hindcast_pit") if found is None else found.pit,
        hindcast_municipality=(
            empty("hindcast_municipality") if found is None else found.municipality
        ),
        predictive=predictive,
        parameter=parameter_table(fit, table, DESCRIPTIONS | _by_interval(draws)),
        summary=summary,
    )


def _by_interval(draws: DepopulationDraws) -> dict[str, str]:
    found: dict[str, str] = {}
    for names, text in (
        (
            model_of.neighbour_names(draws.data) if "neighbour_effect" in draws.posterior else (),
            "standard deviation of what neighbours share in {} alone, % a year",
        ),
        (
            model_of.noise_names(draws.data),
            "scale of what passes in {} in a large municipality, % a year",
        ),
    ):
        for name, interval in zip(names, draws.data.coords["interval"], strict=False):
            found[name] = text.format(interval)
    return found


def _names(draws: DepopulationDraws, panel: Panel) -> pd.DataFrame:
    codes = draws.data.coords["municipality"].astype(str)
    known = panel.table("municipality").set_index("cvegeo")["name"].astype(str)
    named = known.reindex(codes)
    name = np.where(named.isna(), codes, named.to_numpy(str))
    return pd.DataFrame({"cvegeo": codes, "name": name, "state": [code[:2] for code in codes]})


def _states(draws: DepopulationDraws, panel: Panel) -> pd.DataFrame:
    codes = draws.data.coords["state"].astype(str)
    names = pd.Series(codes, index=codes)
    if "state" in panel:
        names.update(panel.table("state").set_index("state")["name"].astype(str))
    return pd.DataFrame({"state": codes, "name": names.to_numpy(str)})


def _published(panel: Panel, codes: NDArray[np.str_], years: NDArray[np.int64]) -> Array:
    """Return populations on the boundaries of their year, shape (census, municipality)."""
    table = panel.table("municipality_census")
    column = "published_population" if "published_population" in table else "population"
    values = pd.to_numeric(table[column]).astype("Float64").to_numpy(float, na_value=np.nan)
    index = pd.MultiIndex.from_arrays([table["year"].astype(int), table["cvegeo"].astype(str)])
    wide = pd.Series(values, index=index).unstack()
    return np.asarray(wide.reindex(index=years, columns=codes), dtype=float)


def _municipality(draws: DepopulationDraws, names: pd.DataFrame) -> pd.DataFrame:
    data, tables = draws.data, []
    own = 100.0 * np.diff(np.log(data.censuses.population), axis=0) / data.years[:, None]
    for k, interval in enumerate(data.coords["interval"]):
        rate, true = draws.underlying[:, k], draws.true[:, k]
        recorded = data.percent[k]
        with np.errstate(invalid="ignore"):
            joint = np.isfinite(recorded) & ~(np.abs(recorded - own[k]) < 1e-9)
        tables.append(
            names.assign(
                interval=str(interval),
                recorded=recorded,
                joint=joint.astype(float),
                **{f"underlying_{key}": value for key, value in estimate(rate).items()},
                **{f"true_{key}": value for key, value in estimate(true).items()},
                p_decline=(true < 0).mean(axis=0),
                p_underlying_decline=(rate < 0).mean(axis=0),
                p_underlying_below_half=(rate < -0.5).mean(axis=0),
                p_underlying_below_one=(rate < -1.0).mean(axis=0),
            )
        )
    return pd.concat(tables, ignore_index=True)[list(COLUMNS["municipality"])]


def _group(draws: DepopulationDraws, states: pd.DataFrame) -> tuple[pd.DataFrame, Judged]:
    data = draws.data
    everyone = np.ones(len(data.state_of), dtype=bool)
    groups = [("nation", "00", "Mexico", everyone)]
    groups += [
        ("state", code, name, data.state_of == number)
        for number, (code, name) in enumerate(
            zip(states["state"].astype(str), states["name"].astype(str), strict=True)
        )
    ]
    rows: list[dict[str, Any]] = []
    judged: Judged = {}
    for k, interval in enumerate(data.coords["interval"]):
        for level, code, name, members in groups:
            weight = data.size[k, members] / data.size[k, members].sum()
            rate, true = draws.underlying[:, k, members], draws.true[:, k, members]
            recorded = data.percent[k, members]
            lost = 100.0 * np.nanmean(recorded < 0) if np.isfinite(recorded).any() else np.nan
            quantities = {
                "mean_rate": (rate.mean(axis=1, dtype=float), np.nanmean(recorded)),
                "weighted_rate": (rate @ weight, np.nan),
                "losing_percent": (100.0 * (true < 0).mean(axis=1), lost),
                "underlying_losing_percent": (100.0 * (rate < 0).mean(axis=1), lost),
            }
            for quantity, (values, seen) in quantities.items():
                key = {"level": level, "code": code, "name": name, "interval": str(interval)}
                numbers = {n: float(v) for n, v in estimate(values).items()}
                rows.append({**key, "quantity": quantity, "recorded": float(seen), **numbers})
                label = f"group[{quantity}, {level} {code}, {interval}]"
                judged[label] = values
                if quantity.endswith("_percent"):
                    # whole numbers: a share that is certain is a finding, not a stuck chain
                    judged[label] = np.rint(values * len(weight) / 100.0).astype(np.int64)
    return pd.DataFrame(rows), judged


def _uncertain(draws: DepopulationDraws) -> NDArray[np.float32]:
    """Return true growth where it is uncertain at all; nan elsewhere."""
    moves = np.ptp(draws.true, axis=0) > 0
    return np.where(moves, draws.true, np.float32(np.nan))


def _labelled(
    draws: DepopulationDraws, values: NDArray[np.float32], municipality: pd.DataFrame
) -> xr.DataArray:
    coords = {
        "interval": municipality["interval"].unique(),
        "municipality": draws.data.coords["municipality"],
    }
    return xr.DataArray(
        draws.chains(values), dims=("chain", "draw", "interval", "municipality"), coords=coords
    )


def _array(draws: DepopulationDraws, values: NDArray[Any]) -> xr.DataArray:
    split = draws.chains(values)
    dims = [f"row_{i}" for i in range(split.ndim - 2)]
    coords = {dim: np.arange(size) for dim, size in zip(dims, split.shape[2:], strict=True)}
    return xr.DataArray(split, dims=("chain", "draw", *dims), coords=coords)


def _headline(share: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the shares of municipalities with any loss, for the summary."""
    chosen = share[(share["definition"] == "any loss")]
    columns = ["kind", "period", "median", "eti90_lower", "eti90_upper", "p_at_least_claimed"]
    return [{str(k): v for k, v in row.items()} for row in chosen[columns].to_dict("records")]


def _hindcast(
    fit: xr.DataTree,
    panel: Panel,
    hindcast: xr.DataTree | bool,
    settings: dict[str, Any],
    tell: Progress,
) -> tuple[Hindcast | None, dict[str, xr.DataArray], dict[str, Any]]:
    """Return the scored forecast, what of it is to be judged, and what the summary says."""
    later = read_censuses(panel)
    last = int(later.year[-1])
    through = last - HINDCAST_YEARS
    enough = through in later.year and int((later.year <= through).sum()) >= LEAST_CENSUSES
    ours = int(json.loads(fit["provenance"].attrs["specification"])["through"])
    if hindcast is False or (hindcast is True and (not enough or ours != last)):
        return None, {}, {"hindcast": None}
    start = time.perf_counter()
    if hindcast is True:
        specification = json.loads(fit["provenance"].attrs["specification"])
        model = model_of.build(
            panel,
            _priors(fit),
            through=through,
            error_power=specification["error_power"],
            maps_by_interval=specification["maps_by_interval"],
        )
        lengths = {key: settings[key] for key in ("draws", "tune", "chains", "seed", "engine")}
        earlier = run_fit(
            model,
            panel,
            **lengths,
            progress=lambda _what, done: tell("forecast of the last census", 0.3 + 0.3 * done),
        )
    else:
        assert isinstance(hindcast, xr.DataTree)  # noqa: S101 - a bool was handled above
        earlier = hindcast
    draws = DepopulationDraws.of(earlier, panel)
    if int(draws.data.censuses.year[-1]) != through:
        raise PanelError(
            f"The hindcast is to be fitted through {through}: "
            f"remitstats.depopulation.build(panel, through={through})."
        )
    found, judged = score_hindcast(draws, later, last, int(settings["seed"]))
    arrays = {f"hindcast {name}": _array(draws, value) for name, value in judged.items()}
    posterior = earlier["posterior"].data_vars.items()
    arrays |= {f"hindcast {name}": value for name, value in posterior if value.ndim == 2}
    said = {"through": through, "foretold": last, "seconds": time.perf_counter() - start}
    return found, arrays, {"hindcast": said}


def _priors(fit: xr.DataTree) -> Any:
    """Return the priors of a fit as the model takes them."""
    described = json.loads(fit["provenance"].attrs["specification"])["priors"]
    default = model_of.Priors()
    kinds = {name: type(getattr(default, name)) for name in described}
    return model_of.Priors(
        **{
            name: kinds[name](**{k: v for k, v in values.items() if k != "prior"})
            for name, values in described.items()
        }
    )
