"""What is measured of a run: effective draws, R-hat, and when both were good enough."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from benchmarks.bym2 import Draws

ESS_TARGET = 400.0
R_HAT_TARGET = 1.01
STEPS = 32  # a run is cut to multiples of a 32nd to find when it reached the target
SHORTEST = 50  # draws per chain below which R-hat and ESS say nothing


@dataclass(frozen=True)
class Convergence:
    """Bulk ESS and R-hat (rank-normalised) of every quantity, shape (quantity,)."""

    ess: NDArray[np.float64]
    r_hat: NDArray[np.float64]

    @property
    def good(self) -> bool:
        """Whether every quantity reached the target."""
        return bool(np.min(self.ess) >= ESS_TARGET and np.max(self.r_hat) <= R_HAT_TARGET)


def convergence(quantities: NDArray[np.floating[Any]]) -> Convergence:
    """Return ESS and R-hat of draws of shape (chain, draw, quantity), as ArviZ computes them.

    A quantity that never varies, or is not finite, counts as not sampled: ESS 0, R-hat infinite.
    """
    chunks = np.array_split(np.arange(quantities.shape[2]), max(1, quantities.shape[2] // 100))

    def judge(chunk: NDArray[np.int64]) -> NDArray[np.float64]:
        part = np.asarray(quantities[:, :, chunk], dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack(
                [
                    array_stats.ess(part, method="bulk", chain_axis=0, draw_axis=1),
                    array_stats.rhat(part, chain_axis=0, draw_axis=1),
                ]
            )

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        ess, r_hat = np.concatenate(list(pool.map(judge, chunks)), axis=1)
    stuck = ~np.isfinite(ess) | ~np.isfinite(r_hat) | (np.ptp(quantities, axis=(0, 1)) == 0)
    return Convergence(np.where(stuck, 0.0, ess), np.where(stuck, np.inf, r_hat))


def stack(draws: Draws) -> tuple[list[str], NDArray[np.floating[Any]]]:
    """Return names and draws (chain, draw, quantity) of all quantities that are judged."""
    hyper = np.stack([np.asarray(v) for v in draws.hyper.values()], axis=2)
    names = [*draws.hyper, *(f"eta[{i}]" for i in range(draws.eta.shape[2]))]
    return names, np.concatenate([hyper.astype(draws.eta.dtype), draws.eta], axis=2)


def share_of_work(draws: Draws, warmup: int, kept: int) -> float:
    """Return the share of the sampling's seconds spent until `kept` draws per chain were there."""
    total: int = warmup + draws.eta.shape[1]
    if draws.work is None or draws.work.shape[1] != total:
        return (warmup + kept) / total
    return float(draws.work[:, : warmup + kept].sum() / draws.work.sum())


def first_good(quantities: NDArray[np.floating[Any]], whole: Convergence) -> int | None:
    """Return the fewest draws per chain with which everything reached the target, or None.

    Looked for by bisection among 32nds of the run, first on the worst quantities, then confirmed
    (or moved on) on all.
    """
    if not whole.good:
        return None
    length: int = quantities.shape[1]
    few = min(60, quantities.shape[2])
    worst = np.union1d(np.argsort(whole.ess)[:few], np.argsort(-whole.r_hat)[:few])
    subset = quantities[:, :, worst]

    def at(step: int) -> int:
        return length * step // STEPS

    low, high = 0, STEPS
    while high - low > 1:
        middle = (low + high) // 2
        enough = at(middle) >= SHORTEST and convergence(subset[:, : at(middle)]).good
        low, high = (low, middle) if enough else (middle, high)
    while high < STEPS and not convergence(quantities[:, : at(high)]).good:
        high += 1
    return at(high)


def measure(
    draws: Draws, warmup: int, wall: float, *, search: bool = True
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Judge a run that took `wall` seconds, compilation included.

    Parameters
    ----------
    draws : Draws
        The run.
    warmup : int
        Its warm-up.
    wall : float
        Its seconds.
    search : bool
        Whether to look for the time at which it reached the target: otherwise the whole run's.

    Returns
    -------
    dict
        What is reported of the run.
    dict of array, shape (quantity,)
        `names`, posterior `mean` and `sd`, and `ess`, to hold runs against each other.
    """
    names, quantities = stack(draws)
    found = convergence(quantities)
    wide = quantities.reshape(-1, len(names))
    moments = {
        "names": np.array(names),
        "mean": wide.mean(axis=0, dtype=float),
        "sd": wide.std(axis=0, dtype=float),
        "ess": found.ess,
    }
    least, most = int(np.argmin(found.ess)), int(np.argmax(found.r_hat))
    whole = int(quantities.shape[1]) if found.good else None
    kept = first_good(quantities, found) if search else whole
    rest = wall - draws.sampling_seconds
    ess = float(found.ess[least])
    report = {
        "draws": int(draws.eta.shape[1]),
        "warmup": warmup,
        "chains": int(draws.eta.shape[0]),
        "quantities": len(names),
        "wall": wall,
        "sampling": draws.sampling_seconds,
        "ess_min": ess,
        "ess_worst": names[least],
        "r_hat_max": float(found.r_hat[most]),
        "r_hat_worst": names[most],
        "divergences": draws.divergences,
        "ess_per_second": ess / wall,
        "reached": kept is not None,
        "seconds_to_target": None
        if kept is None
        else rest + draws.sampling_seconds * share_of_work(draws, warmup, kept),
        "draws_to_target": kept,
        "warmup_share": share_of_work(draws, warmup, 0),
        "note": draws.note,
    }
    return report, moments
