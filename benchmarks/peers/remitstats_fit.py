"""remitstats itself: `reliance.build` and `remitstats.fit`, either engine."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import remitstats
from benchmarks.bym2 import Draws, Point, RunSettings
from benchmarks.panels import PanelSpec, export
from remitstats.models import reliance
from remitstats.panel.panel import Panel


def load(spec: dict[str, Any]) -> Panel:
    """Return the panel of a job."""
    return PanelSpec(**{**spec, "waves": tuple(spec["waves"])}).build()


def run(panel: Panel, settings: RunSettings, *, engine: str) -> Draws:
    """Build and fit the reliance model."""
    model = reliance.build(panel)
    tree = remitstats.fit(
        model,
        panel,
        seed=settings.seed,
        engine=engine,
        draws=settings.draws,
        tune=settings.warmup,
        chains=settings.chains,
        cores=settings.cores,
    )
    posterior = tree["posterior"]
    eta = posterior["linear_predictor"].transpose("chain", "draw", ...).to_numpy()
    return Draws(
        hyper={
            name: posterior[name].transpose("chain", "draw").to_numpy()
            for name in model.latent_gaussian.hyperparameters
        },
        eta=eta.reshape(*eta.shape[:2], -1),
        divergences=int(tree["sample_stats"]["diverging"].sum()),
        sampling_seconds=float(json.loads(tree["provenance"].attrs["wall_seconds"])["sample"]),
        note="compilation is counted with the sampling" if engine == "nuts" else "",
    )


def log_density(panel: Panel, points: list[Point], *, engine: str) -> list[float]:
    """Return the engine's own log density at points, in the measure of `bym2.log_density`.

    For NUTS that is the PyMC model. For the Laplace engine it is `LatentGaussian.log_joint`, the
    statement of the model that its tests hold it to; it counts hyperparameters as t with a
    standard normal prior and effects on their own scale, so the changes of variables are added.
    """
    data = export(panel)
    model = reliance.build(panel)
    if engine == "nuts":
        found = model.compile_logp(jacobian=False)
        return [
            float(
                found(
                    {
                        "state_sd_log__": np.log(p.state_sd),
                        "municipality_sd_log__": np.log(p.municipality_sd),
                        "municipality_share_logodds__": np.log(p.municipality_share)
                        - np.log1p(-p.municipality_share),
                        "wave_effect": np.array([data.intercept_sd * p.a]),
                        "state_unit": p.b,
                        "municipality_spatial_unit": p.f,
                        "municipality_unstructured_unit": p.v,
                    }
                )
            )
            for p in points
        ]
    blocks = model.latent_gaussian
    values = []
    for p in points:
        theta = np.array(
            [prior.unconstrain(p.hyper[name]) for name, prior in blocks.hyperparameters.items()]
        )
        sd, share = p.municipality_sd, p.municipality_share
        effects = {
            "wave_effect": np.array([data.intercept_sd * p.a]),
            "state_effect": p.state_sd * p.b,
            "municipality_spatial": sd * np.sqrt(share) * p.f,
            "municipality_unstructured": sd * np.sqrt(1.0 - share) * p.v,
        }
        jacobian = (
            data.states * np.log(p.state_sd)
            + (data.areas - 1) * (np.log(sd) + 0.5 * np.log(share))
            + data.areas * (np.log(sd) + 0.5 * np.log1p(-share))
            + sum(
                np.log(_slope(prior, t))
                for prior, t in zip(blocks.hyperparameters.values(), theta, strict=True)
            )
        )
        values.append(float(blocks.log_joint(theta, effects)) + float(jacobian))
    return values


def _slope(prior: Any, t: float, step: float = 1e-4) -> float:
    """Return dt / d(hyperparameter) by a fourth-order difference."""
    up, down = prior.constrain(t + step), prior.constrain(t - step)
    far_up, far_down = prior.constrain(t + 2 * step), prior.constrain(t - 2 * step)
    return float(12.0 * step / (8.0 * (up - down) - (far_up - far_down)))
