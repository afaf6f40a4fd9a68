"""The engine of Gaussian fields: chains over their hyperparameters."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from remitstats.fitting import mixture
from remitstats.fitting.laplace import Chain, ChainDraws, prepare
from remitstats.fitting.run_chains import Progress, in_threads
from remitstats.fitting.run_tree import Drawn
from remitstats.fitting.settings import Settings, available_cores
from remitstats.parts.latent_gaussian import LatentGaussian


def run_laplace(
    blocks: LatentGaussian, settings: Settings, cores: int | None, progress: Progress | None
) -> Drawn:
    """Fit a model of Gaussian fields by their Laplace approximations, or as a mixture of Gaussians.

    Parameters are those of `fit`.
    """
    start = time.perf_counter()
    first, *rest = np.random.SeedSequence(settings.seed).spawn(1 + settings.chains)
    with threadpool_limits(limits=1):  # chains are the parallel part; BLAS threads only contend
        new_chain: Callable[[np.random.SeedSequence], Chain | mixture.Chain]
        heavy = isinstance(blocks.likelihood, mixture.ScaleMixture)
        if heavy:
            new_chain = partial(mixture.Chain, mixture.prepare(blocks, first, progress))
        else:
            new_chain = partial(
                Chain,
                prepare(
                    blocks,
                    np.random.default_rng(first),
                    progress,
                    cores=cores or available_cores(),
                ),
            )
        prepared = time.perf_counter()
        chains = _run_chains(new_chain, rest, settings, cores, progress)
    done = time.perf_counter()
    theta = np.stack([c.theta for c in chains])
    posterior: dict[str, Any] = {}
    for j, (name, prior) in enumerate(blocks.hyperparameters.items()):
        constrained = np.vectorize(prior.constrain, otypes=[float])(theta[:, :, j])
        posterior[name] = (("chain", "draw"), constrained)
    for name, (_, dims) in blocks.reported.items():
        shape = tuple(len(blocks.coords[dim]) for dim in dims)
        value = np.stack([c.reported[name] for c in chains])
        posterior[name] = (("chain", "draw", *dims), value.reshape(*value.shape[:2], *shape))
    shape = tuple(len(blocks.coords[dim]) for dim in blocks.dims)
    eta = np.stack([c.eta for c in chains])
    posterior["linear_predictor"] = (
        ("chain", "draw", *blocks.dims),
        eta.reshape(*eta.shape[:2], *shape),
    )
    dims = ("chain", "draw")
    stats = {
        "lp": (dims, np.stack([c.log_joint for c in chains])),
        "acceptance_rate_hyper": (dims, np.stack([c.accept_hyper for c in chains])),
        "diverging": (dims, np.stack([c.diverging for c in chains])),
    }
    if not heavy:
        stats["acceptance_rate"] = (dims, np.stack([c.accept_field for c in chains]))
        stats["log_importance_ratio"] = (dims, np.stack([c.log_ratio for c in chains]))
    wall = {"prepare": prepared - start, "sample": done - prepared}
    steps = {"steps": [c.steps for c in chains]}
    return Drawn(posterior, stats, wall, "mixture" if heavy else "", steps)


def _run_chains(
    new_chain: Callable[[np.random.SeedSequence], Chain | mixture.Chain],
    seeds: list[np.random.SeedSequence],
    settings: Settings,
    cores: int | None,
    progress: Progress | None,
) -> list[ChainDraws]:
    def run(number: int, tick: Callable[[], None]) -> ChainDraws:
        chain = new_chain(seeds[number])
        chain.tune(settings.tune, tick)
        return chain.draw(settings.draws, tick)

    count = settings.chains * (settings.draws + settings.tune)
    return in_threads(run, settings.chains, cores, progress, (0, count))
