r"""Dependence of the states: remittances over product, every year, around a national path.

For the ratio of state s in year t, in per cent (`dependence_state_data` says how dollars of a
quarter become a ratio of a year):

    log ratio_st = n_t + r_region,t + level_s (1 + divergence (t - middle))
                   + tendency_s (t - middle) + w_st + e_st

    n_t         national path: the typical state   n_t - n_t-1 = tendency + g_t,
                g_t stationary with sd national_sd and lag-one correlation persistence
    r_rt        what moves a region's states together for good: start and steps
                Normal(0, region_sd)
    level_s     Normal(0, level_sd)
    divergence  yearly growth of the differences between levels: below 0 states grow alike
    tendency_s  a state's own mean growth          Normal(0, tendency_sd)
    w_st        what moves it for good             w_st - w_s,t-1 ~ Normal(0, walk_sd S_s Y_t)
    e_st        what leaves no trace               Normal(0, noise_sd S_s)
    S_s, Y_t    how much more a state, or all states in a year, move: log-normal, pooled

The *trend* of a state is all of that but e_st: what lasts. The
ratios themselves are known; the trend behind them, and whether a tendency stands behind the path,
are not. Nothing but the standard deviations, the persistence and the scales is sampled: all else
is Gaussian and integrated out (`parts.shared_path`), and drawn exactly given them afterwards.

A year whose remittances are known and whose product is not yet has a predicted ratio: known pesos
over predicted product. Growth of product in consumer prices is

    p_st = P_t + mean_s + Normal(0, product_sd Q_s),  P_t ~ Normal(tendency, product_national_sd),

fitted to the years there are. The prediction informs the trend of that year; the ratio's own past
does not inform the prediction of product.

What it assumes: states of a region that share a border are no more alike than others of it; a
change of how money is assigned to states, such as that of 2013 looks like, is a move like any
other, made likelier in such a year by Y_t; shares of product are as published, and INEGI revises
the newest. A higher ratio may come from more dollars, a cheaper peso or less product
(`estimands.dependence_state` splits it): rising dependence is no statement about what caused it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from remitstats.models.dependence_state_data import StateData, prepare_data
from remitstats.models.dependence_state_density import (
    SCALES,
    UNITS,
    Priors,
    StateDensity,
    centred,
)
from remitstats.panel.panel import Panel

NAME = "dependence_state"
__all__ = ["NAME", "Priors", "build", "model_of", "prepare_data"]


def build(panel: Panel, priors: Priors | None = None, against: str = "product") -> Any:
    """Return the state model of dependence as a PyMC model.

    Parameters
    ----------
    panel : Panel
        See `dependence_state_data.prepare_data`.
    priors : Priors, optional
        Defaults as `Priors` documents them.
    against : str
        "product" (the default: dependence), "manufacturing" or "oil": then a rising ratio means
        that remittances grow faster than that industry's product.

    Returns
    -------
    pymc.Model
        Dims `state`, `year`. The paths of nation and regions are variables, all else Gaussian is
        integrated out. Its attributes `collapsed` (the same without the paths, for the
        default engine), `data` and `specification` are read by `remitstats.fit`.

    Raises
    ------
    PanelError
        If the panel lacks what is needed (see `prepare_data`).
    """
    return model_of(prepare_data(panel, against), priors)


def model_of(data: StateData, priors: Priors | None = None) -> Any:
    """Return the state model of prepared data (see `build`)."""
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; only models need it

    priors = priors or Priors()
    years = data.coords["year"]
    growth_years = years[1:]
    coords = {"year": years, "growth_year": growth_years}
    coords |= {name: data.coords[name] for name in ("state", "region")}
    size = {unit: "growth_year" if unit.startswith("year") else "state" for unit in UNITS}
    with pm.Model(coords=coords) as model:
        values: dict[str, Any] = {n: getattr(priors, n).to_pymc(n) for n in SCALES}
        values["divergence"] = priors.divergence.to_pymc("divergence")
        raw = priors.persistence.to_pymc("persistence_raw")
        values["persistence"] = pm.Deterministic("persistence", pm.math.tanh(raw))
        for unit, sd in UNITS.items():
            name, z = unit.removesuffix("_unit"), pm.Normal(unit, dims=size[unit])
            scale = pm.math.exp(values[sd] * z)
            values[name] = pm.Deterministic(name, scale, dims=size[unit])
        _series(data, values, priors)
        _growth(data.real_growth, values, priors)
    model.data = data
    model.lengths = {"draws": 1000, "tune": 300}
    model.coords_of_posterior = {
        **data.coords,
        "growth_year": growth_years,
        "money_year": data.years,
    }
    model.dims_of_posterior = {
        **dict.fromkeys((*SCALES, "divergence", "persistence"), ()),
        **{unit.removesuffix("_unit"): (dim,) for unit, dim in size.items()},
    }
    model.collapsed = StateDensity(data, priors)
    model.specification = {
        "model": NAME,
        "priors": priors.describe(),
        "against": data.against,
        "known_until": int(years[-1]),
    }
    return model


def _series(data: StateData, values: dict[str, Any], priors: Priors) -> None:
    """Add the national path and the log ratios around it to the PyMC model in context."""
    import pymc as pm  # noqa: PLC0415
    import pytensor.tensor as pt  # noqa: PLC0415

    observed = data.log_percent
    times = observed.shape[1]
    year, eye = np.arange(times), np.eye(times)
    since = centred(times, times)
    start = priors.start.to_pymc("national_start")
    tendency = priors.tendency.to_pymc("national_tendency")
    lag = np.abs(np.subtract.outer(year[1:], year[1:]))
    root = pt.linalg.cholesky(values["persistence"] ** lag)
    unit = pm.Normal("national_growth_unit", dims="growth_year")
    growth = tendency + values["national_sd"] * (root @ unit)
    path = pt.concatenate([[start], start + pt.cumsum(growth)])
    path = pm.Deterministic("national", path, dims="year")
    steps = pm.Normal("region_unit", dims=("region", "year"))
    regions = values["region_sd"] * pt.cumsum(steps, axis=1)
    paths = (path[None] + regions)[data.region_of]
    moved = pt.concatenate([[0.0], pt.cumsum(values["year_scale"] ** 2)])
    walk = values["walk_sd"] ** 2 * moved[np.minimum.outer(year, year)]
    own = walk + values["noise_sd"] ** 2 * eye
    widened = 1.0 + values["divergence"] * since
    shared = values["level_sd"] ** 2 * pt.outer(widened, widened)
    shared = shared + values["tendency_sd"] ** 2 * np.outer(since, since)
    covariance = shared + values["state_scale"][:, None, None] ** 2 * own[None]
    pm.Potential("log_percent", _normal(observed, paths, covariance))


def _growth(observed: Any, values: dict[str, Any], priors: Priors) -> None:
    """Add the growth of product, around what is common to all states, to the model in context."""
    import pymc as pm  # noqa: PLC0415
    import pytensor.tensor as pt  # noqa: PLC0415

    eye = np.eye(observed.shape[1])
    tendency = priors.product_tendency.to_pymc("product_tendency")
    unit = pm.Normal("product_national_unit", dims="growth_year")
    path = pm.Deterministic(
        "product_national", tendency + values["product_national_sd"] * unit, dims="growth_year"
    )
    own = values["product_scale"][:, None, None] ** 2 * values["product_sd"] ** 2 * eye
    covariance = own + values["product_tendency_sd"] ** 2 * pt.ones_like(own)
    pm.Potential("real_growth", _normal(observed, path[None], covariance))


def _normal(observed: Any, paths: Any, covariance: Any) -> Any:
    """Return the log density of series (state, time) around their paths."""
    import pytensor.tensor as pt  # noqa: PLC0415

    root = pt.linalg.cholesky(covariance)
    away = (observed - paths)[..., None]
    z = pt.linalg.solve_triangular(root, away, lower=True, b_ndim=2)
    log_det = pt.sum(pt.log(pt.diagonal(root, axis1=-2, axis2=-1)))
    return -0.5 * pt.sum(z**2) - log_det - 0.5 * observed.size * np.log(2.0 * np.pi)
