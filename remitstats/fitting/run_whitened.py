"""The engine of collapsed models: chains in coordinates that their posterior is round in."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from remitstats.fitting import whitened
from remitstats.fitting.run_chains import Progress, in_threads
from remitstats.fitting.run_tree import Drawn
from remitstats.fitting.settings import Settings, available_cores
from remitstats.parts.collapsed_density import CollapsedDensity


def run_whitened(
    model: Any, settings: Settings, cores: int | None, progress: Progress | None
) -> Drawn:
    """Fit a collapsed model with chains in whitened coordinates; parameters are those of `fit`."""
    density: CollapsedDensity = model.collapsed
    start = time.perf_counter()
    first, *rest = np.random.SeedSequence(settings.seed).spawn(1 + settings.chains)
    with threadpool_limits(limits=1):
        shape = whitened.prepare(density, first, cores or available_cores(), progress)
        prepared = time.perf_counter()

        chains = [whitened.WhitenedChain(density, shape, each) for each in rest]
        total = settings.chains * (settings.tune + settings.draws)
        begun = 0

        def tune(moves: int) -> list[NDArray[np.float64]]:
            nonlocal begun
            visited = in_threads(
                lambda number, tick: chains[number].tune(moves, tick),
                settings.chains,
                cores,
                progress,
                (begun, total),
            )
            begun += settings.chains * moves
            return visited

        aim = getattr(model, "acceptance", whitened.ACCEPTANCE)
        whitened.tune_together(chains, settings.tune, tune, aim)
        for again in range(1 + whitened.FINER):
            drawn = in_threads(
                lambda number, tick: chains[number].draw(settings.draws, tick),
                settings.chains,
                cores,
                progress,
                (begun, total),
            )
            diverging = [stat["diverging"] for _, stat in drawn]
            if again == whitened.FINER or not whitened.made_finer(chains, diverging):
                break
            begun, total = total, total + settings.chains * settings.draws
    done = time.perf_counter()
    found = density.constrain(np.stack([x for x, _ in drawn]))
    posterior = {
        name: (("chain", "draw", *dims), found[name])
        for name, dims in model.dims_of_posterior.items()
        if name in found
    }
    dims = ("chain", "draw")
    stats = {name: (dims, np.stack([stat[name] for _, stat in drawn])) for name in drawn[0][1]}
    wall = {"prepare": prepared - start, "sample": done - prepared}
    details = {
        "steps": [chain.steps for chain in chains],
        "made_anew": again,
        "log_evidence_laplace": shape.log_evidence,
    }
    return Drawn(posterior, stats, wall, "whitened", details)
