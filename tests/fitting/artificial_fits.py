"""Fits made of random numbers, for the tests of the gate: good unless something is spoilt."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.float64]
CHAINS, DRAWS, PLACES = 4, 1000, 5
DIMS = ("chain", "draw")


def draws(seed: int = 2, chains: int = CHAINS, size: int = DRAWS) -> Array:
    return np.random.default_rng(seed).normal(5.0, 1.0, (chains, size, PLACES))


def autocorrelated(values: Array, rho: float) -> Array:
    out = values.copy()
    for i in range(1, out.shape[1]):
        out[:, i] = rho * out[:, i - 1] + np.sqrt(1 - rho**2) * values[:, i]
    return out


def heavy(shape: float, seed: int = 5) -> Array:
    """Log importance ratios whose weights have a Pareto tail of this shape."""
    return shape * np.random.default_rng(seed).exponential(1.0, (CHAINS, DRAWS))


def make_tree(
    sd: Array | None = None,
    percent: Array | None = None,
    engine: str = "laplace",
    **statistics: NDArray[Any] | None,
) -> xr.DataTree:
    """Return a fit of one scale and five shares, all independent draws unless given.

    The engine's statistics are good unless given; None leaves one out.
    """
    sd = np.random.default_rng(1).gamma(4.0, 0.1, (CHAINS, DRAWS)) if sd is None else sd
    percent = draws(3, *sd.shape) if percent is None else percent
    good: dict[str, NDArray[Any]] = {"diverging": np.zeros(sd.shape, dtype=bool)}
    if engine == "laplace":
        good |= {"log_importance_ratio": heavy(0.2)[: sd.shape[0], : sd.shape[1]]}
    else:
        good |= {"energy": draws(4, *sd.shape)[:, :, 0], "tree_depth": np.full(sd.shape, 4)}
    recorded = {k: (DIMS, v) for k, v in (good | statistics).items() if v is not None}
    asked = {"engine": engine, "draws": DRAWS, "tune": 60, "chains": CHAINS}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {"sd": (DIMS, sd), "percent": ((*DIMS, "municipality"), percent)},
                coords={"municipality": [f"0100{i}" for i in range(1, PLACES + 1)]},
            ),
            "sample_stats": xr.Dataset(recorded),
            "provenance": xr.Dataset(attrs={"settings": json.dumps(asked)}),
        }
    )


def nuts(**statistics: NDArray[Any] | None) -> xr.DataTree:
    return make_tree(engine="nuts", **statistics)


def shifted() -> xr.DataTree:
    values = draws()
    values[0, :, 3] += 1.0
    return make_tree(percent=values)


def diverging() -> NDArray[np.bool_]:
    flags = np.zeros((CHAINS, DRAWS), dtype=bool)
    flags[0, :3] = True
    return flags


def deep(share: float) -> Array:
    """Tree depths of which this share of one chain is the largest."""
    depth = np.full((CHAINS, DRAWS), 5)
    depth[2, : round(share * DRAWS)] = 10
    return depth
