"""Reliance: hyperparameters and percentages from the prior, on municipalities of some states."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.simulate.reliance import simulate_reliance
from remitstats.validation.calibration import Simulated

Array = NDArray[np.float64]
SINGLE = 9  # municipalities whose percentages are ranked, evenly spaced over the list


@dataclass(frozen=True, eq=False)
class Reliance:
    """The reliance model on a panel's geography, dwellings and gaps.

    Parameters
    ----------
    panel : Panel
        Gives them.
    """

    panel: Panel
    name: str = reliance.NAME
    code: tuple[str, ...] = (
        "models/reliance*.py",
        "parts/*.py",
        "fitting/laplace.py",
        "fitting/emulator.py",
        "fitting/run*.py",
        "simulate/reliance.py",
        "validation/subjects/reliance.py",
    )

    @cached_property
    def data(self) -> reliance.RelianceData:
        """Dwellings and gaps."""
        return reliance.prepare_data(self.panel)

    @property
    def headlines(self) -> tuple[str, ...]:
        """The share of all dwellings in each wave, its changes, and those of states."""
        waves, states = self.data.coords["wave"], self.data.coords["state"]
        later = [f"change {a}-{b}" for a, b in itertools.pairwise(waves)]
        own = [f"state {state} {wave}" for state in states for wave in waves]
        return (*(f"national {wave}" for wave in waves), *later, *own)

    def describe(self) -> dict[str, Any]:
        """Return what is simulated."""
        place = self.panel.table("municipality")
        return {
            "municipalities": len(place),
            "states": sorted(place["state"].astype(str).unique().tolist()),
        }

    def simulate(self, seed: int) -> Simulated:
        """Draw hyperparameters, percentages and what a census sample would publish of them."""
        made = simulate_reliance(self.panel, seed=seed)
        model = reliance.build(made.panel)
        percent = made.percent.to_numpy().T  # wave, municipality
        truth = dict(made.hyperparameters) | {
            name: float(value) for name, value in self._ranked(percent, self.data).items()
        }
        return Simulated(model, made.panel, truth)

    def draws(self, tree: Any, truth: Mapping[str, float]) -> Mapping[str, Array]:
        """Return the draws of the same quantities."""
        posterior = tree["posterior"]
        order = ("chain", "draw", "wave", "municipality")
        percent = 100.0 * special.expit(
            posterior["linear_predictor"].transpose(*order).to_numpy().astype(float)
        )
        found = self._ranked(percent, self.data)
        for name in truth:
            if name not in found:
                found[name] = posterior[name].transpose("chain", "draw").to_numpy()
        return found

    @staticmethod
    def _ranked(percent: Array, data: Any) -> dict[str, Array]:
        """Return the quantities of percentages, shape (..., wave, municipality), by name."""
        waves, codes = data.coords["wave"], data.coords["municipality"]
        weight = np.nan_to_num(data.dwellings)
        nation = np.sum(percent * weight, axis=-1) / weight.sum(axis=-1)
        found = {f"national {wave}": nation[..., t] for t, wave in enumerate(waves)}
        for t in range(1, len(waves)):
            name = f"change {waves[t - 1]}-{waves[t]}"
            found[name] = nation[..., t] - nation[..., t - 1]
        for s, state in enumerate(data.coords["state"]):
            own = np.where(data.state_of == s, weight, 0.0)
            share = np.sum(percent * own, axis=-1) / own.sum(axis=-1)
            found |= {f"state {state} {wave}": share[..., t] for t, wave in enumerate(waves)}
        for place in np.unique(np.linspace(0, len(codes) - 1, SINGLE).astype(int)):
            wave = place % len(waves)
            found[f"{codes[place]} {waves[wave]}"] = percent[..., wave, place]
        return found
