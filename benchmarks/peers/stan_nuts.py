"""The model in Stan, through PyStan: its wheel brings Stan's sources and compiler front end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import stan

from benchmarks.bym2 import HYPER, Bym2Data, Draws, Point, RunSettings

PROGRAM = Path(__file__).with_name("bym2.stan")


def _build(data: Bym2Data, seed: int) -> Any:
    values = {
        "areas": data.areas,
        "states": data.states,
        "pairs": len(data.edges),
        "receiving": data.receiving,
        "effective": data.effective,
        "state_of": data.state_of + 1,
        "first": data.edges[:, 0] + 1,
        "second": data.edges[:, 1] + 1,
        "scaling": data.scaling,
        "mean_logit": data.mean,
        "intercept_sd": data.intercept_sd,
        "state_rate": data.state_rate,
        "sd_rate": data.sd_rate,
        "share_alpha": data.share_alpha,
        "share_beta": data.share_beta,
    }
    return stan.build(PROGRAM.read_text(encoding="utf-8"), data=values, random_seed=seed)


def run(data: Bym2Data, settings: RunSettings) -> Draws:
    """Compile and sample with NUTS; PyStan runs as many chains at once as there are cores."""
    posterior = _build(data, settings.seed)
    start = time.perf_counter()
    fit = posterior.sample(
        num_chains=settings.chains,
        num_warmup=settings.warmup,
        num_samples=settings.draws,
        save_warmup=True,
    )
    seconds = time.perf_counter() - start
    kept = slice(settings.warmup, None)

    def by_chain(name: str) -> np.ndarray:
        """PyStan interleaves chains along the last axis: draw 0 of all chains, then draw 1, …"""
        flat = np.asarray(fit[name])
        return np.moveaxis(flat.reshape(*flat.shape[:-1], -1, settings.chains), (-1, -2), (0, 1))

    return Draws(
        hyper={name: by_chain(name).reshape(settings.chains, -1)[:, kept] for name in HYPER},
        eta=by_chain("eta")[:, kept],
        divergences=int(by_chain("divergent__").reshape(settings.chains, -1)[:, kept].sum()),
        sampling_seconds=seconds,
        work=by_chain("n_leapfrog__").reshape(settings.chains, -1),
    )


def log_density(data: Bym2Data, points: list[Point]) -> list[float]:
    """Return the sampler's own log density at points.

    Stan's `log_prob` includes the Jacobians of its transformations: taken off here by hand.
    """
    posterior = _build(data, 1)
    values = []
    for p in points:
        at = {**p.hyper, "a": p.a, "b": p.b.tolist(), "f": p.f.tolist(), "v": p.v.tolist()}
        unconstrained = _unconstrain(at)
        share = p.municipality_share
        log_jacobian = np.log(p.state_sd) + np.log(p.municipality_sd) + np.log(share * (1 - share))
        values.append(float(posterior.log_prob(unconstrained)) - float(log_jacobian))
    return values


def _unconstrain(at: dict[str, Any]) -> list[float]:
    """Return Stan's unconstrained parameters in the order of the program.

    `sum_to_zero_vector` is Stan's isometric log-ratio transform (Stan Reference Manual 2.36 and
    later, "Zero sum vectors"), which is linear and orthogonal: no Jacobian.
    """
    share = at["municipality_share"]
    return [
        float(np.log(at["state_sd"])),
        float(np.log(at["municipality_sd"])),
        float(np.log(share) - np.log1p(-share)),
        float(at["a"]),
        *at["b"],
        *_free_zero_sum(np.asarray(at["f"])),
        *at["v"],
    ]


def _free_zero_sum(x: np.ndarray) -> list[float]:
    """Return the coordinates of a zero-sum vector in the orthonormal basis that Stan uses.

    Coordinate n (from 1) belongs to the vector that is 1 in the first n places, -n in place
    n + 1 and 0 beyond, divided by its length sqrt(n (n + 1)).
    """
    n = np.arange(1.0, len(x))
    return list((np.cumsum(x)[:-1] - n * x[1:]) / np.sqrt(n * (n + 1.0)))
