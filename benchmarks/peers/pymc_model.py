"""The model as a PyMC user writes it: `pm.ICAR`, a non-centred or a centred BYM2."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from benchmarks.bym2 import Bym2Data, Point


def build(data: Bym2Data, *, centred: bool) -> Any:
    """Return the model.

    Parameters
    ----------
    data : Bym2Data
        The data.
    centred : bool
        Whether effects are parameters on their own scale (Riebler's total effect around the
        spatial part) or in units of their standard deviations.
    """
    adjacency = np.zeros((data.areas, data.areas))
    adjacency[data.edges[:, 0], data.edges[:, 1]] = 1.0
    adjacency += adjacency.T
    with pm.Model() as model:
        state_sd = pm.Exponential("state_sd", data.state_rate)
        sd = pm.Exponential("municipality_sd", data.sd_rate)
        share = pm.Beta("municipality_share", data.share_alpha, data.share_beta)
        intercept = pm.Normal("intercept", data.mean, data.intercept_sd)
        plain = pm.ICAR("plain", W=adjacency)
        spatial = plain / np.sqrt(data.scaling)
        if centred:
            state = pm.Normal("state", 0.0, state_sd, shape=data.states)
            area = pm.Normal("area", sd * pt.sqrt(share) * spatial, sd * pt.sqrt(1.0 - share))
        else:
            state = state_sd * pm.Normal("state_unit", shape=data.states)
            unit = pm.Normal("area_unit", shape=data.areas)
            area = sd * (pt.sqrt(share) * spatial + pt.sqrt(1.0 - share) * unit)
        eta = pm.Deterministic("eta", intercept + state[data.state_of] + area)
        kernel = data.receiving * eta - data.effective * pt.softplus(eta)
        pm.Potential("likelihood", kernel.sum())
    return model


def log_density(data: Bym2Data, points: list[Point], *, centred: bool) -> list[float]:
    """Return the model's own log density at points, in the measure of `bym2.log_density`."""
    model = build(data, centred=centred)
    found = model.compile_logp(jacobian=False)
    values = []
    for p in points:
        share, sd = p.municipality_share, p.municipality_sd
        log_jacobian = 0.0
        at: dict[str, Any] = {
            "state_sd_log__": np.log(p.state_sd),
            "municipality_sd_log__": np.log(sd),
            "municipality_share_logodds__": np.log(share) - np.log1p(-share),
            "intercept": data.mean + data.intercept_sd * p.a,
            "plain": p.f * np.sqrt(data.scaling),
        }
        if centred:
            at["state"] = p.state_sd * p.b
            at["area"] = sd * (np.sqrt(share) * p.f + np.sqrt(1.0 - share) * p.v)
            # d(state, area) / d(b, v): the densities differ by the scales
            log_jacobian = data.states * np.log(p.state_sd) + data.areas * (
                np.log(sd) + 0.5 * np.log1p(-share)
            )
        else:
            at["state_unit"], at["area_unit"] = p.b, p.v
        values.append(float(found(at)) + log_jacobian)
    return values
