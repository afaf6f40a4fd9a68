"""Made-up remittances and product of states whose trend, tendency and future product are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import unknown
from remitstats.models.dependence_state_data import AGAINST, StateData, prepare_data
from remitstats.models.dependence_state_density import Priors, centred, pieces, product_pieces
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]

TRUE_STATE = {  # about what the shipped panel says
    "level_sd": 1.0,
    "divergence": -0.01,
    "tendency_sd": 0.01,
    "region_sd": 0.03,
    "walk_sd": 0.06,
    "noise_sd": 0.03,
    "state_scale_sd": 0.4,
    "year_scale_sd": 0.3,
    "national_sd": 0.1,
    "persistence": 0.3,
    "product_national_sd": 0.03,
    "product_tendency_sd": 0.005,
    "product_sd": 0.03,
    "product_scale_sd": 0.5,
    "tendency": 0.02,
    "product_tendency": 0.025,
}


@dataclass(frozen=True)
class StateSimulation:
    """A panel with simulated money of states, and what it was simulated from.

    Parameters
    ----------
    panel : Panel
        The given one with other `state_quarter` dollars and `state_year` product; exchange rates
        and prices are as given.
    hyperparameters : mapping of str to float
        The truth, with `tendency` the mean yearly growth of the national path.
    trend, log_ratio : DataFrame
        True trend and ratio, logarithms of per cent: one row a state, one column a year, those
        without published product included.
    product : DataFrame
        True product of the years whose product the panel does not have.
    tendency : Series
        True mean yearly growth of every state, the national one included.
    seed : int
        What it was drawn with.
    """

    panel: Panel
    hyperparameters: Mapping[str, float]
    trend: pd.DataFrame
    log_ratio: pd.DataFrame
    product: pd.DataFrame
    tendency: pd.Series
    seed: int


def simulate_dependence_state(
    panel: Panel, *, seed: int, hyperparameters: Mapping[str, float] | None = None
) -> StateSimulation:
    """Simulate the money of the states of a panel from the state model of dependence.

    Parameters
    ----------
    panel : Panel
        Gives states, regions, years, exchange rates, prices, and how a year's remittances are
        spread over its quarters. Product of the first year is kept.
    seed : int
        Everything random follows from it.
    hyperparameters : mapping of str to float, optional
        True values; those of `TRUE_STATE` where not given.

    Raises
    ------
    PanelError
        If the panel can't be used for the model.
    RemitstatsError
        If a hyperparameter is unknown.
    """
    given = dict(hyperparameters or {})
    for name in given:
        if name not in TRUE_STATE:
            raise unknown("hyperparameter", name, TRUE_STATE)
    truth = TRUE_STATE | given
    data = prepare_data(panel)
    rng = np.random.default_rng(seed)
    states, known = data.product.shape
    times, groups = len(data.years), len(data.coords["region"])
    values: dict[str, Array] = {name: np.array(value) for name, value in truth.items()}
    for name, size in (
        ("state_scale", states),
        ("year_scale", known - 1),
        ("product_scale", states),
    ):
        values[name] = np.exp(truth[f"{name}_sd"] * rng.standard_normal(size))
    priors = Priors()
    made = pieces(values, times, groups, priors)
    year, since = np.arange(times), centred(known, times)
    start = priors.start.mean
    growth = _normal(made.whole - _fixed(priors, year), rng)
    national = start + truth["tendency"] * year + growth
    regional = national + np.stack([_normal(made.own, rng) for _ in range(groups)])
    level = truth["level_sd"] * rng.standard_normal((int(states),))
    own = truth["tendency_sd"] * rng.standard_normal(states)
    tendency = truth["tendency"] + truth["divergence"] * level + own
    apart = truth["divergence"] * level + own
    deviation = level.reshape(-1, 1) + apart.reshape(-1, 1) * since
    walk = np.stack([_normal(c, rng) for c in made.walk])
    trend = regional[data.region_of] + deviation + walk
    noise = values["state_scale"][:, None] * truth["noise_sd"]
    log_ratio = trend + noise * rng.standard_normal(trend.shape)
    product = _product(data, values, truth, priors, rng)
    pesos = np.exp(log_ratio) / 100.0 * product
    codes = pd.Index(data.coords["state"], name="state")
    columns = pd.Index(data.years, name="year")
    return StateSimulation(
        panel=_with_money(panel, data, pesos, product[:, :known], seed),
        hyperparameters=truth,
        trend=pd.DataFrame(trend, codes, columns),
        log_ratio=pd.DataFrame(log_ratio, codes, columns),
        product=pd.DataFrame(product[:, known:], codes, columns[known:]),
        tendency=pd.Series(tendency, codes),
        seed=seed,
    )


def _fixed(priors: Priors, year: NDArray[np.int64]) -> Array:
    """Return what start and tendency, given here, add to the national path's covariance."""
    return np.asarray(priors.start.sd**2 + priors.tendency.sd**2 * np.outer(year, year))


def _normal(covariance: Array, rng: np.random.Generator) -> Array:
    values, vectors = np.linalg.eigh(covariance)
    noise = np.sqrt(np.maximum(values, 0.0)) * rng.standard_normal(len(values))
    return np.asarray(vectors @ noise)


def _product(
    data: StateData,
    values: Mapping[str, Array],
    truth: Mapping[str, float],
    priors: Priors,
    rng: np.random.Generator,
) -> Array:
    times = len(data.years) - 1
    made = product_pieces(values, times, priors)
    national = truth["product_tendency"] + truth["product_national_sd"] * rng.standard_normal(times)
    growth = national + np.stack([_normal(c, rng) for c in made.states])
    steps = np.cumsum(growth + np.diff(np.log(data.prices)), axis=1)
    first = data.product[:, :1]
    return np.concatenate([first, first * np.exp(steps)], axis=1)


def _with_money(panel: Panel, data: StateData, pesos: Array, product: Array, seed: int) -> Panel:
    years = data.years
    factor = pd.DataFrame(pesos / data.pesos, data.coords["state"], years).stack()
    quarter = panel.table("state_quarter")
    keys = pd.MultiIndex.from_arrays(
        [quarter["state"].astype(str), quarter["quarter"].astype(str).str[:4].astype(int)]
    )
    scale = factor.reindex(keys).fillna(1.0).to_numpy(float)
    dollars = pd.to_numeric(quarter["remittances_usd_million"]).astype(float)
    quarter["remittances_usd_million"] = dollars.to_numpy() * scale
    yearly = panel.table("state_year")
    column = AGAINST[data.against]
    amount = pd.DataFrame(product, data.coords["state"], data.coords["year"]).stack()
    keys = pd.MultiIndex.from_arrays([yearly["state"].astype(str), yearly["year"].astype(int)])
    drawn = amount.reindex(keys).to_numpy(float)
    old = pd.to_numeric(yearly[column]).astype(float).to_numpy()
    yearly[column] = np.where(np.isnan(drawn), old, drawn)
    changed = panel.with_table("state_quarter", quarter).with_table("state_year", yearly)
    title = str(panel.metadata.get("title", "panel")).removeprefix("Simulated: ")
    metadata = {
        **panel.metadata,
        "title": f"Simulated: {title}",
        "simulated": {"model": "dependence_state", "seed": seed},
    }
    return Panel(changed.tables, metadata)
