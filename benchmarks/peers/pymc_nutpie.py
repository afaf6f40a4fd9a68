"""Plain PyMC sampled by nutpie, as `pm.sample` does it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pymc as pm

from benchmarks.bym2 import HYPER, Bym2Data, Draws, Point, RunSettings
from benchmarks.peers import pymc_model


def run(
    data: Bym2Data, settings: RunSettings, *, centred: bool = False, adaptation: str = "diag"
) -> Draws:
    """Sample the PyMC model with nutpie."""
    with pymc_model.build(data, centred=centred), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = pm.sample(
            draws=settings.draws,
            tune=settings.warmup,
            chains=settings.chains,
            cores=settings.cores,
            random_seed=settings.seed,
            nuts_sampler="nutpie",
            nuts={"adaptation": adaptation},
            var_names=[*HYPER, "eta"],
            discard_tuned_samples=False,
            progressbar=False,
            compute_convergence_checks=False,
        )
    return from_tree(tree, {name: name for name in HYPER}, "eta")


def from_tree(tree: Any, hyper: dict[str, str], eta: str) -> Draws:
    """Return what a nutpie run by way of PyMC says about itself."""
    posterior, stats = tree["posterior"], tree["sample_stats"]
    work = [
        tree[group]["n_steps"].transpose("chain", "draw").to_numpy()
        for group in ("warmup_sample_stats", "sample_stats")
        if group in tree.children
    ]
    return Draws(
        hyper={n: posterior[v].transpose("chain", "draw").to_numpy() for n, v in hyper.items()},
        eta=posterior[eta].transpose("chain", "draw", ...).to_numpy(),
        divergences=int(stats["diverging"].sum()),
        sampling_seconds=_sampling_seconds(tree),
        work=np.concatenate(work, axis=1).astype(float),
    )


def _sampling_seconds(tree: Any) -> float:
    for group in ("sample_stats", "posterior"):
        if "sampling_time" in tree[group].attrs:
            return float(tree[group].attrs["sampling_time"])
    return float(tree.attrs["sampling_time"])


def log_density(
    data: Bym2Data, points: list[Point], *, centred: bool = False, adaptation: str = "diag"
) -> list[float]:
    """Return the sampler's own log density at points."""
    del adaptation  # says how it samples, not what
    return pymc_model.log_density(data, points, centred=centred)
