"""Reliance: log densities of hyperparameters and waves, and of the census given the percentages."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from remitstats.models import reliance
from remitstats.models.reliance_data import design_of
from remitstats.panel.panel import Panel
from remitstats.parts.prior_values import with_values
from remitstats.parts.priors import HyperPrior, NormalPrior
from remitstats.validation.sensitivity import Scaled, log_prior_of
from remitstats.validation.subjects.reliance import Reliance


def scaled(tree: xr.DataTree, panel: Panel) -> Scaled:
    """Return the draws of a fit to a panel with their log densities."""
    told = json.loads(tree["provenance"].attrs["specification"])["priors"]
    numbers = {
        name: tuple(float(v) for key, v in prior.items() if key != "prior")
        for name, prior in told.items()
    }
    priors = with_values(reliance.Priors(), numbers)
    data = reliance.prepare_data(panel, design_of(panel, None))
    blocks = reliance.latent_gaussian(data, priors)
    posterior = tree["posterior"].to_dataset().transpose("chain", "draw", ...)
    top: dict[str, HyperPrior] = dict(blocks.hyperparameters)
    draws = {name: posterior[name].to_numpy().astype(float) for name in top}
    for number, wave in enumerate(data.coords["wave"]):
        # the intercept's mean is not in the effect of a wave
        top[f"wave {wave}"] = NormalPrior(0.0, priors.intercept.sd)
        draws[f"wave {wave}"] = posterior["wave_effect"].to_numpy()[..., number].astype(float)
    cells = posterior["linear_predictor"].transpose("chain", "draw", "wave", "municipality")
    likelihood = np.empty((cells.sizes["chain"], cells.sizes["draw"]))
    for chain in range(len(likelihood)):
        for draw in range(likelihood.shape[1]):
            eta = cells[chain, draw].to_numpy().astype(float).ravel()
            likelihood[chain, draw] = blocks.likelihood.log_density(eta, {}).sum()
    subject = Reliance(panel)
    found = subject.draws(tree, dict.fromkeys(blocks.hyperparameters, 0.0))
    return Scaled(found, subject.headlines, log_prior_of(top, draws), likelihood)
