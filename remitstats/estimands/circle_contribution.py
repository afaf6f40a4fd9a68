"""What the loop contributed: reliance and population in the last wave, had the loop been cut.

The counterfactual is the model's own. After the first wave migration no longer answers to reliance,
stability, underdevelopment and growth (`circle_loop.opened`); everything else, the shocks too,
stays as it was. With two intervals the loop can close once: what the first wave's states did to
migration in the second moves reliance and growth in the third. States are what a municipality is
away from its own lasting level, so that a nation as a whole cannot be moved, and what the loop did
before the first wave is part of these levels: the figures say how the loop told municipalities
apart within two decades, not how large it is. They take the lagged links and the model for true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from remitstats.estimands.circle_loop import opened
from remitstats.fitting.settings import available_cores
from remitstats.models.circle_data import CircleData
from remitstats.models.circle_form import noise_of
from remitstats.models.circle_measures import SAMPLED, VARIABLES
from remitstats.parts.panel_states import draw_states

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

PATH_DRAWS = 600  # of each chain at most; each draws its own states, which hardly depend
MOVED = (  # what is said of all municipalities together
    "mean_reliance_moved",
    "mean_population_moved",
    "share_of_reliance_change",
    "share_of_growth_change",
)
_R, _G = VARIABLES.index("reliance"), VARIABLES.index("growth")


@dataclass(frozen=True, eq=False)
class Paths:
    """Draws of the last wave with and without the loop.

    Parameters
    ----------
    reliance, reliance_cut : array, shape (chain, draw, municipality)
        Percent of dwellings that receive remittances, in the model's view of the last wave; nan
        where it was not measured.
    growth_moved : array, shape (chain, draw, municipality)
        What the loop added to the logarithm of population over the last interval.
    moved : mapping of str to array, shape (chain, draw)
        `MOVED`: mean size of the moves (percentage points of reliance, percent of population), and
        variance of what the loop moved over that of the change since the first wave.
    """

    reliance: Array
    reliance_cut: Array
    growth_moved: Array
    moved: dict[str, Array]


def moved_by_loop(links: Array, states: Array) -> Array:
    """Return what the loop moved the last wave's states, once the others' effect on migration goes.

    Parameters
    ----------
    links : array, shape (unit, interval, to, from)
        Effects of every unit's group.
    states : array, shape (unit, wave, variable)
        States that did occur.

    Returns
    -------
    array, shape (unit, variable)
        States with the loop less states without it, shocks held.
    """
    away = np.zeros_like(states[:, 0])
    without = opened(links)
    for t in range(links.shape[1]):
        lost = links[:, t] - without[:, t]
        away = np.einsum("uij,uj->ui", without[:, t], away) + np.einsum(
            "uij,uj->ui", lost, states[:, t]
        )
    return away


def paths(
    fit: xr.DataTree,
    data: CircleData,
    percent: Array,
    *,
    seed: int,
    draws: int = PATH_DRAWS,
    progress: Progress | None = None,
) -> Paths:
    """Return the last wave with and without the loop.

    Parameters
    ----------
    fit : DataTree
        A fit of the circle in its default or a richer form, of `data`.
    data : CircleData
        The measurements it was fitted to.
    percent : array, shape (municipality,)
        Percent of dwellings that receive, as counted in the last wave; nan where it was not.
    seed : int
        Of the states' draws.
    draws : int
        Of each chain, evenly from its posterior draws (all, if there are fewer).
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Raises
    ------
    ValueError
        If there are fewer than three waves: a loop takes two intervals.
    """
    if data.shape[1] < 3:
        raise ValueError("a loop takes two intervals, and so three waves")
    posterior = fit["posterior"]
    chains, whole = posterior.sizes["chain"], posterior.sizes["draw"]
    kept = np.unique(np.linspace(0, whole - 1, min(draws, whole)).astype(int))
    noise = noise_of(data)
    group = data.nested.tree.group_of
    values = {
        str(k): v.transpose("chain", "draw", ...).to_numpy() for k, v in posterior.data_vars.items()
    }
    seeds = np.random.SeedSequence(seed).spawn(chains * len(kept))
    shape = (chains, len(kept), data.shape[0])
    reliance, without, growth = (np.empty(shape) for _ in range(3))
    moved = {name: np.empty(shape[:2]) for name in MOVED}
    sd = _last_sd(data)
    counted = np.arcsin(np.sqrt(percent / 100.0))
    last = (data.shape[1] - 1) * data.shape[2] + _R  # where reliance stands in what was measured
    observed = data.observed[:, -1, _R]

    def one(chain: int, place: int) -> None:
        arguments = panel_arguments({k: v[chain, kept[place]] for k, v in values.items()})
        rng = np.random.default_rng(seeds[chain * len(kept) + place])
        states, measured = draw_states(data.nested, noise, rng, **arguments)
        away = moved_by_loop(arguments["links"][group], states)
        true = counted + sd[_R] * (measured[:, last] - observed)
        reliance[chain, place] = _percent(true)
        without[chain, place] = _percent(true - sd[_R] * away[:, _R])
        growth[chain, place] = sd[_G] * away[:, _G]
        size = np.abs(reliance[chain, place] - without[chain, place])
        moved["mean_reliance_moved"][chain, place] = np.nanmean(size)
        more = 100.0 * np.abs(np.expm1(growth[chain, place]))
        moved["mean_population_moved"][chain, place] = more.mean()
        change = states[:, -1] - states[:, 0]
        for name, k in (("share_of_reliance_change", _R), ("share_of_growth_change", _G)):
            moved[name][chain, place] = away[:, k].var() / change[:, k].var()
        if progress and place % 10 == 0:
            progress("paths without the loop", (chain * len(kept) + place) / len(seeds))

    with threadpool_limits(limits=1), ThreadPoolExecutor(available_cores()) as pool:
        places = [(c, d) for c in range(chains) for d in range(len(kept))]
        list(pool.map(one, *zip(*places, strict=True)))
    return Paths(reliance, without, growth, moved)


def _last_sd(data: CircleData) -> Array:
    """Return the standard deviation of every transformed variable in the last wave."""
    rows = data.scale[data.scale["wave"] == data.coords["wave"][-1]].set_index("variable")
    return np.asarray(rows["sd"].reindex(VARIABLES).to_numpy(float))


def _percent(root: Array) -> Array:
    return np.asarray(100.0 * np.sin(np.clip(root, 0.0, 0.5 * np.pi)) ** 2)


def panel_arguments(values: Mapping[str, Array]) -> dict[str, Any]:
    """Return one draw of the parameters as `panel_states` takes them.

    Parameters
    ----------
    values : mapping of str to array
        What `CircleDensity.constrain` returns of one point, or one draw of a fit's posterior.
    """

    def at(name: str) -> Array:
        return np.ascontiguousarray(values[name])

    count = len(VARIABLES)
    sampled = [float(values[f"sampling_ratio_{v}"]) for v in SAMPLED]
    others = [float(values[f"size_noise_sd_{v}"]) ** 2 + 1e-8 for v in VARIABLES[len(SAMPLED) :]]
    known = "earlier_scale" in values
    return {
        "links": at("links"),
        "intercept": at("intercept"),
        "innovation": at("innovation"),
        "intercept_share": float(values["intercept_share"]),
        "innovation_share": float(values["innovation_share"]),
        "noise_scale": np.array([*sampled, *others]),
        "noise_correlation": float(values["sampling_correlation"]),
        "earlier_scale": at("earlier_scale") if known else np.zeros(0),
        "earlier_link": at("earlier_link") if known else np.zeros((0, count)),
        "earlier_innovation": at("earlier_innovation") if known else np.zeros((0, 0)),
    }


def contribution_table(
    found: Paths, codes: Array, names: pd.DataFrame, population: Array
) -> pd.DataFrame:
    """Return one row a municipality; see `CircleResults.contribution`.

    Parameters
    ----------
    found : Paths
        What `paths` returned.
    codes : array of str, shape (municipality,)
        Codes, in the order of the draws.
    names : DataFrame
        Columns name and state, by cvegeo.
    population : array, shape (municipality,)
        As counted in the last wave; nan where it was not.

    Returns
    -------
    DataFrame
        Reliance in percent and its move in percentage points; population counted, what it would
        have been, and the move in percent of that; the probabilities that the loop raised each.
    """
    columns: dict[str, Any] = {
        "cvegeo": codes,
        "name": names["name"].reindex(codes).to_numpy(),
        "state": names["state"].reindex(codes).to_numpy(),
        "population": population,
    }
    for path, draws in judged_paths(found, population):
        flat = draws.reshape(-1, draws.shape[-1])
        lower, median, upper = np.quantile(flat, (0.05, 0.5, 0.95), axis=0)
        columns |= {
            f"{path}_median": median,
            f"{path}_eti90_lower": lower,
            f"{path}_eti90_upper": upper,
        }
    more = np.mean(found.reliance > found.reliance_cut, axis=(0, 1))
    columns["p_more_reliant"] = np.where(np.isfinite(columns["reliance_median"]), more, np.nan)
    columns["p_more_people"] = np.mean(found.growth_moved > 0, axis=(0, 1))
    return pd.DataFrame(columns)


def judged_paths(found: Paths, population: Array) -> Iterator[tuple[str, Array]]:
    """Return the draws behind the table, (chain, draw, municipality) each, by name."""
    yield "reliance", found.reliance
    yield "reliance_cut", found.reliance_cut
    yield "reliance_moved", found.reliance - found.reliance_cut
    yield "population_cut", population * np.exp(-found.growth_moved)
    yield "population_moved", 100.0 * np.expm1(found.growth_moved)
