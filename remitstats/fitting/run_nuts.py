"""The No-U-Turn sampler of nutpie on the PyMC model itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from remitstats.fitting.run_chains import Progress
from remitstats.fitting.run_tree import Drawn
from remitstats.fitting.settings import Settings, available_cores


def run_nuts(
    model: Any,
    names: Sequence[str],
    settings: Settings,
    cores: int | None,
    progress: Progress | None,
) -> Drawn:
    """Fit a model with nutpie; of what it draws, keep the variables of some names.

    Other parameters are those of `fit`.
    """
    import pymc as pm  # noqa: PLC0415 - seconds to import; only this engine needs it

    if progress:
        progress("compiling and sampling (nutpie)", 0.0)
    start = time.perf_counter()
    tree = pm.sample(
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=min(settings.chains, cores or available_cores()),
        random_seed=settings.seed,
        nuts_sampler="nutpie",
        progressbar=False,
        model=model,
    )
    if tree["posterior"].sizes["draw"] < settings.draws:
        raise KeyboardInterrupt  # nutpie answers Ctrl-C with the draws it has: no whole fit
    wall = {"sample": time.perf_counter() - start}
    if progress:
        progress("compiling and sampling (nutpie)", 1.0)
    posterior = {}
    for name in names:
        if name not in tree["posterior"]:
            continue
        array = tree["posterior"][name]
        value = array.to_numpy()
        large = value.ndim > 2  # hyperparameters keep their precision
        posterior[name] = (array.dims, value.astype(np.float32) if large else value)
    stats = {
        new: (("chain", "draw"), tree["sample_stats"][old].to_numpy())
        for new, old in (
            ("lp", "logp"),
            ("acceptance_rate", "mean_tree_accept"),
            ("diverging", "diverging"),
            ("tree_depth", "depth"),
            ("energy", "energy"),
        )
        if old in tree["sample_stats"]
    }
    return Drawn(posterior, stats, wall, "nuts")
