"""Macro: log densities of what is drawn first, and of the growths given drift and coverage."""

from __future__ import annotations

import numpy as np
import xarray as xr

from remitstats.estimands.macro import density_of, draw_latent
from remitstats.panel.panel import Panel
from remitstats.parts.priors import HyperPrior
from remitstats.validation.sensitivity import Scaled, log_prior_of
from remitstats.validation.subjects.macro import Macro


def scaled(tree: xr.DataTree, panel: Panel) -> Scaled:
    """Return the draws of a fit to a panel with their log densities."""
    density = density_of(tree)
    priors, data = density.priors, density.data
    drawn = draw_latent(tree, density, lambda _what, _share: None)
    top: dict[str, HyperPrior] = {}
    draws = {}
    posterior = tree["posterior"].to_dataset().transpose("chain", "draw", "source")
    for number, source in enumerate(data.coords["source"]):
        for name, prior in (("shock_sd", priors.shock_sd), ("drift_sd", priors.drift_sd)):
            top[f"{name} {source}"] = prior
            draws[f"{name} {source}"] = posterior[name].to_numpy()[..., number].astype(float)
        # a drift begins where its prior says, and walks from there
        top[f"first drift {source}"] = priors.drift
        draws[f"first drift {source}"] = drawn.drift[..., 0, number]
    for number in range(drawn.coverage.shape[-1]):
        top[f"coverage {number}"] = priors.coverage
        draws[f"coverage {number}"] = drawn.coverage[..., number]
    year, source = density.cells
    mean = drawn.drift[..., year, source]
    covered = np.argwhere(data.covered & data.known)
    for number, (when, where) in enumerate(covered):
        mean[..., (year == when) & (source == where)] += drawn.coverage[..., [number]]
    sd = posterior["shock_sd"].to_numpy().astype(float)[..., source]
    z = (data.growth[year, source] - mean) / sd
    likelihood = np.sum(-0.5 * z**2 - np.log(sd), axis=-1)
    subject = Macro.of(panel)
    found = subject.draws(tree, {})
    return Scaled(found, subject.headlines, log_prior_of(top, draws), likelihood)
