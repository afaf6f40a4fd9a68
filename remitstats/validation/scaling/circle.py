"""The circle: log densities of its parameters and of the measurements, the municipalities out.

A fit keeps links and covariances. The parameters that have priors are found from them: every link
and what differs between intervals, standard deviations and partial correlations.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from remitstats.errors import RemitstatsError
from remitstats.estimands.circle_loop import deepening, feedback, ordered_effects
from remitstats.models import circle
from remitstats.models.circle_density import CircleDensity
from remitstats.models.circle_form import interval_contrasts
from remitstats.models.circle_prior import scale_prior
from remitstats.models.reliance_data import design_of
from remitstats.panel.panel import Panel
from remitstats.validation.sensitivity import Scaled, log_prior_in

Array = NDArray[np.float64]
MOST = 250  # draws of a chain whose densities are computed: a likelihood takes a tenth of a second
GOVERNED = ("link_interval",)  # what a standard deviation stands above


def scaled(tree: xr.DataTree, panel: Panel) -> Scaled:
    """Return draws of a fit to a panel with their log densities.

    Raises
    ------
    RemitstatsError
        If the fit is not one of the default form and priors.
    """
    model = circle.build(panel, design=design_of(panel, None))
    if json.loads(tree["provenance"].attrs["specification"]) != json.loads(
        json.dumps(model.specification)
    ):
        raise RemitstatsError(
            "This fit of the circle is not of the default form, priors and measures: only such a "
            "one can be power-scaled. Fit it again without options."
        )
    posterior = tree["posterior"].to_dataset().transpose("chain", "draw", ...)
    step = max(1, int(np.ceil(posterior.sizes["draw"] / MOST)))
    posterior = posterior.isel(draw=slice(None, None, step))
    density: CircleDensity = model.collapsed
    free = parameters(density, posterior)
    x = unconstrained(density, free)
    likelihood = np.array([[density.log_likelihood(one) for one in chain] for chain in x])
    names = [name for name in free if name not in GOVERNED]
    prior = log_prior_in(model, free, names)
    quantities = _quantities(posterior, free)
    headlines = tuple(name for name in quantities if name.startswith(("deepening", "feedback")))
    return Scaled(quantities, headlines, prior, likelihood)


def parameters(density: CircleDensity, posterior: xr.Dataset) -> dict[str, Array]:
    """Return the draws of all free variables of the PyMC model, from what a fit keeps of them.

    Parameters
    ----------
    density : CircleDensity
        The model, of the default form: links that differ between intervals alone.
    posterior : Dataset
        Dims chain and draw first.
    """
    kept: dict[str, Array] = {
        str(name): value.to_numpy().astype(float) for name, value in posterior.data_vars.items()
    }
    links = kept["links"][:, :, 0]  # the same in every state
    contrasts = interval_contrasts(links.shape[2])
    kept["link"] = links.mean(axis=2)
    kept["link_interval"] = np.einsum("ij,cdiab->cdjab", contrasts, links)
    innovation = kept["innovation"]
    covariances = {
        "intercept": kept["intercept"],
        "initial": innovation[:, :, 0],
        "innovation": innovation[:, :, 1],
        "earlier": kept.get("earlier_innovation"),
    }
    sds = np.sqrt(np.diagonal(innovation[:, :, 1:], axis1=-2, axis2=-1))
    kept["innovation_ratio"] = sds[:, :, 1:] / sds[:, :, :1]
    for name, covariance in covariances.items():
        if f"{name}_sd" in density.layout and covariance is not None:
            sd, partial = partials_of(covariance)
            kept[f"{name}_sd"], kept[f"{name}_partial"] = sd, 0.5 * (1.0 + partial)
    kept["sampling_correlation_raw"] = np.arctanh(kept["sampling_correlation"])
    return {name: kept[name] for name in density.layout}


def partials_of(covariance: Array) -> tuple[Array, Array]:
    """Return standard deviations and canonical partial correlations of covariances.

    The inverse of `parts.correlation.correlation_factor` times the standard deviations.

    Parameters
    ----------
    covariance : array, shape (..., size, size)
        Positive definite.

    Returns
    -------
    sd : array, shape (..., size)
    partial : array, shape (..., pair)
    """
    sd = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    factor = np.linalg.cholesky(covariance) / sd[..., None]
    found = []
    for i in range(1, factor.shape[-1]):
        rest = np.ones(factor.shape[:-2])
        for j in range(i):
            z = factor[..., i, j] / np.sqrt(rest)
            found.append(z)
            rest = rest * (1.0 - z**2)
    return sd, np.stack(found, axis=-1)


def unconstrained(density: CircleDensity, free: dict[str, Array]) -> Array:
    """Return the vectors that `CircleDensity.constrain` makes the free variables of."""
    lead = free["link"].shape[:2]
    x = np.empty((*lead, density.size))
    for name, (place, _) in density.layout.items():
        value = free[name]
        if name.endswith(("_partial", "_share")):
            value = special.logit(value)
        elif (prior := scale_prior(name, density.priors)) is not None:
            value = np.vectorize(prior.unconstrain)(value)
        elif name.endswith(("_sd", "_scale")) or "_ratio" in name:
            value = np.log(value)
        x[..., place] = value.reshape(*lead, -1)
    return x


def _quantities(posterior: xr.Dataset, free: dict[str, Array]) -> dict[str, Array]:
    """Return what the verdict is on, the links, and the parameters that are single numbers."""
    links = posterior["links"].to_numpy().astype(float)[:, :, 0]
    innovation = posterior["innovation"].to_numpy().astype(float)[:, :, 1:]
    total, within = ordered_effects(links, innovation)
    found: dict[str, Array] = {}
    readings: dict[str, tuple[Array, Any]] = {
        "lagged": (links.mean(axis=2), None),
        "ordered": (total.mean(axis=2), within.mean(axis=2)),
    }
    for reading, (effects, inside) in readings.items():
        found[f"deepening {reading}"] = deepening(effects, inside)
        found[f"feedback {reading}"] = feedback(effects, inside)
    for i, to in enumerate(posterior["to"].to_numpy()):
        for j, origin in enumerate(posterior["from"].to_numpy()):
            found[f"{origin} → {to}"] = free["link"][..., i, j]
    return found | {name: value for name, value in free.items() if value.ndim == 2}
