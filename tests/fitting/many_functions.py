"""Functions that the tests of `fit_many` send to other processes; these import them by name."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import xarray as xr

from remitstats.models import reliance
from remitstats.panel.panel import Panel

MARK = "REMITSTATS_TEST_MARK"  # environment variable: folder where a process leaves its mark


def mean(tree: xr.DataTree, panel: Panel) -> dict[str, float]:
    """Return the mean of all draws."""
    return {
        "mean": float(tree["posterior"]["linear_predictor"].mean()),
        "municipalities": len(panel.table("municipality")),
    }


def fails(tree: xr.DataTree, panel: Panel) -> None:
    raise LookupError("no such thing")


def unsendable(tree: xr.DataTree, panel: Panel) -> Any:
    return threading.Lock()


def dies_once(tree: xr.DataTree, panel: Panel) -> str:
    mark = Path(os.environ[MARK]) / "died"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "lived"


def dies_always(tree: xr.DataTree, panel: Panel) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def close_states(panel: Panel) -> Any:
    """Build a model of one's own: states that differ little."""
    return reliance.build(panel, reliance.Priors().with_values({"state_sd": (0.1, 0.01)}))
