"""Macro: standard deviations, drifts and growths from the priors, in the years measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.estimands.macro import density_of, draw_latent
from remitstats.models import macro
from remitstats.models.macro_data import WINDOWS, MacroData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.validation.calibration import Simulated

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Macro:
    """The macro model in the years of a panel.

    Parameters
    ----------
    panel : Panel
        The panel.
    data : MacroData
        Its growths; which are known counts, their values don't.
    """

    panel: Panel
    data: MacroData
    name: str = macro.NAME
    code: tuple[str, ...] = (
        "models/macro*.py",
        "estimands/macro.py",
        "parts/collapsed_density.py",
        "parts/priors.py",
        "fitting/collapsed.py",
        "fitting/run*.py",
        "fitting/whitened.py",
        "validation/subjects/macro.py",
    )

    @classmethod
    def of(cls, panel: Panel) -> Macro:
        """Return the subject that a panel gives."""
        return cls(panel, prepare_data(panel))

    @property
    def headlines(self) -> tuple[str, ...]:
        """Lasting growth in the windows that verdicts are on, and by how much it was ahead."""
        sources = [str(name) for name in self.data.coords["source"]]
        own = [f"growth of {source} {window}" for window in WINDOWS for source in sources]
        ahead = [f"ahead of {source} {window}" for window in WINDOWS for source in sources[1:]]
        return (*own, *ahead)

    def describe(self) -> dict[str, Any]:
        """Return what is simulated."""
        years = self.data.coords["year"]
        return {"years": [int(years[0]), int(years[-1])], "growths": int(self.data.known.sum())}

    def simulate(self, seed: int) -> Simulated:
        """Draw standard deviations, what they govern, and growths."""
        rng, priors = np.random.default_rng(seed), macro.Priors()
        density = macro.MacroDensity(self.data, priors)
        count = density.sources
        shock = rng.exponential(1.0 / priors.shock_sd.rate, count)
        drift_sd = rng.exponential(1.0 / priors.drift_sd.rate, count)
        latent, _ = density.latent(np.concatenate([shock, drift_sd]))
        values, vectors = np.linalg.eigh(latent.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        drawn = latent.mean + root @ rng.standard_normal(len(values))
        year, source = density.cells
        growth = np.full(self.data.growth.shape, np.nan)
        growth[year, source] = density.adds.T @ drawn + shock[source] * rng.standard_normal(
            len(source)
        )
        years = len(self.data.coords["year"])
        drift = drawn[: count * years].reshape(count, years).T
        names = [str(name) for name in self.data.coords["source"]]
        truth = {f"shock_sd {name}": float(shock[j]) for j, name in enumerate(names)}
        truth |= {f"drift_sd {name}": float(drift_sd[j]) for j, name in enumerate(names)}
        coverage = drawn[count * years :]
        truth |= {name: float(x) for name, x in self._ranked(drift, coverage).items()}
        return Simulated(macro.model_of(replace(self.data, growth=growth)), self.panel, truth)

    def draws(self, tree: Any, _truth: Mapping[str, float]) -> Mapping[str, Array]:
        """Return the draws of the same quantities, those that were integrated out among them."""
        drawn = draw_latent(tree, density_of(tree), lambda _what, _share: None)
        found = self._ranked(drawn.drift, drawn.coverage)
        for name in ("shock_sd", "drift_sd"):
            values = tree["posterior"][name].transpose("chain", "draw", "source")
            for source in values["source"].to_numpy():
                found[f"{name} {source}"] = values.sel(source=source).to_numpy()
        return found

    def _ranked(self, drift: Array, coverage: Array) -> dict[str, Array]:
        """Return the quantities of drifts (..., year, source) and coverage (..., covered)."""
        years = self.data.coords["year"]
        names = [str(name) for name in self.data.coords["source"]]
        found: dict[str, Array] = {}
        for window, (first, last) in WINDOWS.items():
            inside = (years > first) & (years <= last)
            mean = drift[..., inside, :].mean(axis=-2)
            for j, name in enumerate(names):
                found[f"growth of {name} {window}"] = mean[..., j]
                if j:
                    found[f"ahead of {name} {window}"] = mean[..., 0] - mean[..., j]
        for j, name in enumerate(names):
            found[f"drift of {name} {years[-1]}"] = drift[..., -1, j]
        for year in range(coverage.shape[-1]):
            found[f"coverage {year + 1}"] = coverage[..., year]
        return found
