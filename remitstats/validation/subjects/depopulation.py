"""Depopulation: hyperparameters, rates and errors from the priors, on municipalities of states.

Recorded growth is drawn, not populations: the sizes that the model takes for given stay those of
the panel, as they do in its likelihood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.models import depopulation
from remitstats.models.depopulation_data import DepopulationData
from remitstats.panel.panel import Panel
from remitstats.validation.calibration import Simulated

Array = NDArray[np.float64]
SINGLE = 9  # municipalities whose rates are ranked, evenly spaced over the list


@dataclass(frozen=True, eq=False)
class Depopulation:
    """The depopulation model on a panel's geography, sizes, years and gaps.

    Parameters
    ----------
    panel : Panel
        Gives them.
    """

    panel: Panel
    name: str = depopulation.NAME
    code: tuple[str, ...] = (
        "models/depopulation*.py",
        "parts/*.py",
        "fitting/columns_kernel.py",
        "fitting/field_moves.py",
        "fitting/gaussian_system.py",
        "fitting/laplace.py",
        "fitting/local_blocks.py",
        "fitting/mixture*.py",
        "fitting/moves.py",
        "fitting/run*.py",
        "fitting/shared_fields.py",
        "fitting/wide_field.py",
        "validation/subjects/depopulation.py",
    )

    @cached_property
    def data(self) -> DepopulationData:
        """Sizes, years and gaps; which growths are known counts, their values don't."""
        return depopulation.prepare_data(self.panel)

    @property
    def headlines(self) -> tuple[str, ...]:
        """Mean rates and shares in decline of all, interval by interval, and rates of states."""
        intervals, states = self.data.coords["interval"], self.data.coords["state"]
        kinds = ("mean rate", "losing", "underlying losing")
        everywhere = [f"{kind} {interval}" for kind in kinds for interval in intervals]
        own = [f"state {state} mean rate {intervals[-1]}" for state in states]
        return (*everywhere, *own)

    def describe(self) -> dict[str, Any]:
        """Return what is simulated."""
        return {
            "municipalities": len(self.data.coords["municipality"]),
            "states": [str(state) for state in self.data.coords["state"]],
            "intervals": [str(interval) for interval in self.data.coords["interval"]],
        }

    def simulate(self, seed: int) -> Simulated:
        """Draw hyperparameters, what they govern, and the growth that censuses would record."""
        rng = np.random.default_rng(seed)
        model = depopulation.build(self.panel)
        blocks = model.latent_gaussian
        values = blocks.constrain(rng.standard_normal(len(blocks.hyperparameters)))
        effects = {
            c.name: (
                np.linalg.cholesky(c.covariance(values)) @ c.structure.sample(rng, c.copies)
            ).ravel()
            for c in blocks.components
        }
        shape = self.data.percent.shape
        predictor = blocks.linear_predictor(values, effects).reshape(shape)
        _, scale, degrees = blocks.likelihood.mixture(values)
        passes = scale.reshape(shape) * rng.standard_t(degrees, shape)
        percent = np.where(np.isfinite(self.data.percent), predictor + passes, np.nan)
        errors = [c for c in blocks.components if c.name.endswith("_error")]
        error = np.sum([c.enter(effects[c.name]).reshape(shape) for c in errors], axis=0)
        # the engine reads the blocks and the data; sizes in them stay what they are
        model.latent_gaussian = replace(
            blocks, likelihood=replace(blocks.likelihood, observed=percent)
        )
        model.data = replace(self.data, percent=percent)
        ranked = self._ranked(predictor - error, percent - error)
        return Simulated(
            model, self.panel, values | {name: float(value) for name, value in ranked.items()}
        )

    def draws(self, tree: Any, truth: Mapping[str, float]) -> Mapping[str, Array]:
        """Return the draws of the same quantities."""
        posterior = tree["posterior"]
        sizes = posterior.sizes["chain"], posterior.sizes["draw"]
        flat = {
            str(name): array.transpose("chain", "draw", ...)
            .to_numpy()
            .astype(float)
            .reshape(-1, *array.shape[2:])
            for name, array in posterior.data_vars.items()
        }
        error = depopulation.error_of_growth(self.data, flat)
        recorded = tree["observed_data"]["recorded_growth"].transpose("interval", "municipality")
        found = self._ranked(flat["linear_predictor"] - error, recorded.to_numpy() - error)
        for name in truth:
            if name not in found:
                found[name] = flat[name]
        return {name: values.reshape(sizes) for name, values in found.items()}

    def _ranked(self, underlying: Array, true: Array) -> dict[str, Array]:
        """Return the quantities of rates in % a year, shape (..., interval, municipality)."""
        data = self.data
        intervals, codes = data.coords["interval"], data.coords["municipality"]
        known = np.isfinite(data.percent)
        found: dict[str, Array] = {}
        for k, interval in enumerate(intervals):
            rate = underlying[..., k, :]
            found[f"mean rate {interval}"] = rate.mean(axis=-1)
            found[f"losing {interval}"] = (true[..., k, known[k]] < 0).mean(axis=-1)
            found[f"underlying losing {interval}"] = (rate < 0).mean(axis=-1)
        for s, state in enumerate(data.coords["state"]):
            own = underlying[..., -1, data.state_of == s]
            found[f"state {state} mean rate {intervals[-1]}"] = own.mean(axis=-1)
        for place in np.unique(np.linspace(0, len(codes) - 1, SINGLE).astype(int)):
            k = place % len(intervals)
            found[f"{codes[place]} underlying {intervals[k]}"] = underlying[..., k, place]
            if known[k, place]:
                found[f"{codes[place]} true {intervals[k]}"] = true[..., k, place]
        return found
