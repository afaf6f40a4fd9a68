"""What a run of an engine leaves, and the DataTree that is made of it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from remitstats.fitting.settings import Settings
from remitstats.fitting.version import code_version, fit_key
from remitstats.panel.panel import Panel

PACKAGES = ("remitstats", "pymc", "nutpie", "numpy", "scipy", "qdldl", "xarray", "arviz-stats")


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a run of an engine leaves.

    Parameters
    ----------
    posterior, stats : dict
        Draws and statistics of the sampler, as xarray takes variables: dims and values.
    wall : dict of str to float
        Seconds by phase.
    sampler : str
        Which was used, where an engine has several.
    details : dict
        What else is worth keeping about the run, as plain values.
    """

    posterior: dict[str, Any]
    stats: dict[str, Any]
    wall: dict[str, float]
    sampler: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def tree_of(
    model: Any,
    panel: Panel,
    name: str,
    coords: Mapping[str, Any],
    settings: Settings,
    drawn: Drawn,
) -> xr.DataTree:
    """Return a fit: what was drawn, what it was drawn from and where all that comes from.

    Parameters
    ----------
    model : pymc.Model
        What was sampled; its `data` and `specification` are kept.
    panel : Panel
        What it was built from.
    name : str
        Name of the model.
    coords : mapping
        Coordinates of its dims.
    settings : Settings
        How it was sampled.
    drawn : Drawn
        What came of it.
    """
    data = model.data
    known = {dim: np.asarray(value) for dim, value in coords.items()}
    sample = {"chain": np.arange(settings.chains), "draw": np.arange(settings.draws)}

    def dataset(variables: dict[str, Any], own: dict[str, Any]) -> xr.Dataset:
        used = {dim for value in variables.values() for dim in value[0]}
        return xr.Dataset(
            variables, coords={**own, **{k: v for k, v in known.items() if k in used}}
        )

    provenance = {
        "model": name,
        "key": fit_key(model.specification, panel.hash, settings),
        "panel_hash": panel.hash,
        "code_version": code_version(),
        "settings": json.dumps(settings.describe()),
        "specification": json.dumps(model.specification),
        "wall_seconds": json.dumps({k: round(v, 3) for k, v in drawn.wall.items()}),
        "versions": json.dumps(versions()),
        "engine_details": json.dumps(drawn.details),
        "sampler": drawn.sampler,
    }
    return xr.DataTree.from_dict(
        {
            "posterior": dataset(drawn.posterior, sample),
            "sample_stats": xr.Dataset(drawn.stats, coords=sample),
            "observed_data": dataset(data.observed_variables(), {}),
            "constant_data": dataset(data.constant_variables(), {}),
            "provenance": xr.Dataset(attrs=provenance),
        }
    )


def seed_of(fit: xr.DataTree) -> int:
    """Return the seed of a fit: what is drawn from it afterwards follows from it too."""
    return int(json.loads(fit["provenance"].attrs["settings"])["seed"])


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
