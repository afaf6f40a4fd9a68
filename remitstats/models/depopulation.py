r"""Depopulation: growth of municipalities between censuses, what lasts of it and what passes.

Recorded growth y of municipality i over interval k, in % a year (of the logarithm, by the
calendar: censuses are 4.3 to 5.7 years apart), on boundaries that compare
(`depopulation_census`):

    y_ik ~ StudentT(nu, r_ik + d_ik, noise_sd_k sqrt(1 + small / size_ik))
    r_ik = a + u_k + (b + v_k) z_i + s_c(i) + t_c(i),k + h_ik + m_ik         the underlying rate
    m_ik = municipality_sd (sqrt(share) f_i + sqrt(1 - share) g_ik)

    a, u_k    growth and interval effect    Normal(growth prior), Normal(0, interval_sd)
    b, v_k    effect of size z_i (log of the first population, standardised), by interval
              Normal(0, size_slope.sd), Normal(0, size_interval_sd)
    s_c, t_ck state, state by interval      Normal(0, state_sd), Normal(0, state_interval_sd)
    h_ik      if asked for, what neighbours share in interval k: neighbour_sd_k times a scaled
              ICAR of its own; nought otherwise
    f_i       lasting, like the neighbours' scaled ICAR
    g_ik      the municipality's own        AR(1) over intervals, unit sd, lag-one municipality_rho
    d_ik      error of the counts and the survey   e_i,t / years_k at its end, minus at its start

m is a BYM2 effect whose unstructured part may change over time: with a correlation of 1 it is the
usual one, a lasting level; with less, a municipality's own luck runs out.

A count (1995, 2005) or a survey (2015) misses some and counts others twice: its level has an error
e_it ~ Normal(0, sd_t q_i) in %, with sd_t for a municipality of 5,000 persons and q_i falling with
the cube root of size. An error in a level pushes the growth before and after it in opposite
directions; that negative covariance is what tells count_sd and survey_sd from growth. Censuses
are taken as exact, so growth over ten years, from census to census, is the recorded one.
The sample of 2015 was about a fifth of all dwellings; INEGI's tables shipped here give no
error by municipality, so survey_sd has a prior (`Priors.survey_sd`) and the data speak.

Three kinds of growth follow, and every estimate says which it is of:

    recorded     y_ik, as published, boundaries aside
    true         y_ik - d_ik: without the error of counts and survey; what passes is in it
    underlying   r_ik: the rate without what passes and without errors

What it assumes: an error common to all of a country's municipalities (the count of 2005 missed
more people than the census of 2000) can't be told from an interval effect, and stays in the true
and the underlying rates of both intervals beside it; intervals are exchangeable; errors of
neighbours are independent; what passes in one interval says nothing of the next.

References
----------
Riebler, Sørbye, Simpson and Rue (2016), Statistical Methods in Medical Research 25: 1145-1165.
Knorr-Held (2000), Statistics in Medicine 19: 2555-2567.
INEGI, Encuesta Intercensal 2015: síntesis metodológica.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.models.depopulation_blocks import (
    NAME,
    SMALL_SIZE,
    UNPLACED_SD,
    latent_gaussian,
    likelihood,
    neighbour_names,
    noise_names,
)
from remitstats.models.depopulation_data import (
    CELLS,
    ERROR_POWER,
    DepopulationData,
    prepare_data,
)
from remitstats.models.depopulation_prior import Priors
from remitstats.panel.panel import Panel
from remitstats.parts import autoregression, icar

LENGTHS = {"draws": 1000, "tune": 60}
"""Kept and discarded iterations of a chain: what the whole country needs to pass its gate."""

__all__ = [
    "NAME",
    "SMALL_SIZE",
    "DepopulationData",
    "Priors",
    "build",
    "latent_gaussian",
    "likelihood",
    "neighbour_names",
    "noise_names",
    "prepare_data",
]


def build(
    panel: Panel,
    priors: Priors | None = None,
    *,
    through: int | None = None,
    error_power: float = ERROR_POWER,
    maps_by_interval: bool = False,
) -> Any:
    """Return the depopulation model of a panel as a PyMC model.

    Parameters
    ----------
    panel : Panel
        With `municipality_census` and `adjacency` (see `prepare_data`).
    priors : Priors, optional
        Defaults as `Priors` documents them.
    through : int, optional
        Last census used, such as 2010 for a forecast of 2020 that can be checked.
    error_power : float
        The error of a count or survey falls with this power of the population.
    maps_by_interval : bool
        Whether neighbours share something in each interval beside what lasts. It takes several
        times the draws to converge.

    Returns
    -------
    pymc.Model
        Dims `interval`, `municipality`, `state`. `linear_predictor` (interval, municipality) is
        the underlying rate plus the error of counts and survey, in % a year. Its attribute
        `latent_gaussian` is the same model as sparse blocks, `data` the arrays and
        `specification` the priors; `remitstats.fit` uses them.

    Raises
    ------
    PanelError
        If the panel lacks neighbours or has populations of fewer than four years.

    Examples
    --------
    >>> import remitstats
    >>> panel = remitstats.load_mexico()
    >>> model = remitstats.depopulation.build(panel)
    >>> fit = remitstats.fit(model, panel, seed=1)  # doctest: +SKIP
    """
    import pymc as pm  # noqa: PLC0415 - PyMC takes seconds to import; only models need it

    priors = priors or Priors()
    data = prepare_data(panel, through, error_power)
    blocks = latent_gaussian(data, priors, maps_by_interval=maps_by_interval)
    coords = {dim: value for dim, value in data.coords.items() if len(value)}
    with pm.Model(coords=coords) as model:
        hyper = {name: prior.to_pymc(name) for name, prior in blocks.hyperparameters.items()}
        rate = _underlying(data, priors, hyper)
        errors = _errors(data, hyper)
        eta = pm.Deterministic("linear_predictor", rate + errors, dims=CELLS)
        known = np.isfinite(data.percent)
        noise = pm.math.stack([hyper[name] for name in noise_names(data)])[:, None]
        scale = noise * pm.math.sqrt(1.0 + hyper["small_size"] * SMALL_SIZE / data.size)
        pm.StudentT(
            "recorded_growth",
            nu=2.0 / hyper["tail_weight"],
            mu=eta[known],
            sigma=scale[known],
            observed=data.percent[known],
        )
    model.latent_gaussian = replace(blocks, variable_names=frozenset(model.named_vars))
    model.data = data
    model.lengths = dict(LENGTHS)
    model.specification = {
        "model": NAME,
        "priors": priors.describe(),
        "through": int(data.censuses.year[-1]),
        "error_power": error_power,
        "maps_by_interval": maps_by_interval,
    }
    return model


def _underlying(data: DepopulationData, priors: Priors, hyper: Mapping[str, Any]) -> Any:
    """Add the underlying rate, shape (interval, municipality), to the model in context."""
    import pymc as pm  # noqa: PLC0415

    intervals, municipalities = len(data.coords["interval"]), len(data.coords["municipality"])
    level = pm.Normal("growth", 0.0, priors.growth.sd)
    interval = pm.Deterministic(
        "interval_effect",
        level + hyper["interval_sd"] * pm.Normal("interval_unit", dims="interval"),
        dims="interval",
    )
    slope = pm.Normal("size_slope", 0.0, priors.size_slope.sd)
    size = pm.Deterministic(
        "size_effect",
        slope + hyper["size_interval_sd"] * pm.Normal("size_unit", dims="interval"),
        dims="interval",
    )
    share = hyper["municipality_share"]
    spatial = pm.Deterministic(
        "municipality_spatial",
        hyper["municipality_sd"]
        * pm.math.sqrt(share)
        * icar.to_pymc("municipality_spatial_unit", data.graph, "municipality", None),
        dims="municipality",
    )
    own = autoregression.to_pymc(
        "municipality_own",
        intervals,
        hyper["municipality_rho"],
        hyper["municipality_sd"] * pm.math.sqrt(1.0 - share),
        ("municipality", "interval"),
        municipalities,
    )
    rate = priors.growth.mean + interval[:, None] + size[:, None] * data.log_size[None, :]
    rate = rate + spatial[None, :] + own.T
    names = neighbour_names(data)
    if names[0] in hyper:
        neighbour = pm.Deterministic(
            "neighbour_effect",
            pm.math.stack([hyper[name] for name in names])[:, None]
            * icar.to_pymc("neighbour_unit", data.graph, CELLS, intervals),
            dims=CELLS,
        )
        rate = rate + neighbour
    if "state_sd" in hyper:
        state = pm.Deterministic(
            "state_effect", hyper["state_sd"] * pm.Normal("state_unit", dims="state"), dims="state"
        )
        by_state = ("interval", "state")
        state_interval = pm.Deterministic(
            "state_interval_effect",
            hyper["state_interval_sd"] * pm.Normal("state_interval_unit", dims=by_state),
            dims=by_state,
        )
        rate = rate + (state[None, :] + state_interval)[:, data.state_of]
    return rate


def _errors(data: DepopulationData, hyper: Mapping[str, Any]) -> Any:
    """Add the errors of counts and survey, shape (interval, municipality), to the model."""
    import pymc as pm  # noqa: PLC0415

    total: Any = np.zeros(data.percent.shape)
    for dim in ("count", "survey"):
        if f"{dim}_sd" not in hyper:
            continue
        both = (dim, "municipality")
        error = pm.Deterministic(
            f"{dim}_error",
            hyper[f"{dim}_sd"] * pm.Normal(f"{dim}_unit", dims=both),
            dims=both,
        )
        total = total + pm.math.dot(data.contrasts(dim), error) * data.relative_error[None, :]
    if len(data.coords["unplaced"]):
        import pytensor.tensor as pt  # noqa: PLC0415

        unplaced = pm.Normal("unplaced_error", 0.0, UNPLACED_SD, dims="unplaced")
        at = data.growth.unplaced[:, 1]
        spread = pt.set_subtensor(pt.zeros(data.percent.shape[1])[at], unplaced)
        total = total + data.unplaced_rows * spread[None, :]
    return total


def underlying_rate(data: DepopulationData, posterior: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the underlying rate of draws: the linear predictor without the errors.

    Parameters
    ----------
    data : DepopulationData
        Of the model.
    posterior : mapping of str to array
        `linear_predictor`, shape (sample, interval, municipality), and the errors that the model
        has: `count_error`, `survey_error` (sample, year, municipality), `unplaced_error`.
    """
    return np.asarray(posterior["linear_predictor"] - error_of_growth(data, posterior))


def error_of_growth(data: DepopulationData, posterior: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return what the errors of counts and survey add to the growth, % a year, by draw."""
    total = np.zeros_like(posterior["linear_predictor"])
    for dim in ("count", "survey"):
        if f"{dim}_error" in posterior:
            error = posterior[f"{dim}_error"] * data.relative_error.astype(total.dtype)
            for column, contrast in enumerate(data.contrasts(dim).T):
                for row in np.flatnonzero(contrast):
                    total[:, row] += contrast[row].astype(total.dtype) * error[:, column]
    if "unplaced_error" in posterior:
        rows = data.unplaced_rows[:, 0]
        for row in np.flatnonzero(rows):
            total[:, row, data.growth.unplaced[:, 1]] += (
                rows[row].astype(total.dtype) * posterior["unplaced_error"]
            )
    return total
