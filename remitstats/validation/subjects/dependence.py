"""Dependence: standard deviations, paths and series from the prior, in the quarters of a panel.

Kinds of municipalities, gaps and how far unidentified money may be off stay those of the panel, as
they do in the model's likelihood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.estimands.dependence_draws import Sampler, draw_all, window_weights
from remitstats.fitting.run_tree import seed_of
from remitstats.models import dependence
from remitstats.models.dependence_data import CENSUS_DATE, DependenceData, prepare_data, years_of
from remitstats.models.dependence_density import DependenceDensity
from remitstats.panel.panel import Panel
from remitstats.simulate.dependence import draw_series
from remitstats.validation.calibration import Simulated

Array = NDArray[np.float64]
SINGLE = 9  # municipalities whose trends are ranked, evenly spaced over the list


@dataclass(frozen=True, eq=False)
class Dependence:
    """The dependence model on a panel's municipalities, kinds, quarters and gaps.

    Parameters
    ----------
    panel : Panel
        The panel.
    data : DependenceData
        Its series; which quarters are known counts, their values don't.
    """

    panel: Panel
    data: DependenceData
    name: str = dependence.NAME
    code: tuple[str, ...] = (
        "models/dependence.py",
        "models/dependence_[dfm]*.py",
        "estimands/dependence_draws.py",
        "parts/collapsed_density.py",
        "parts/grouped_paths.py",
        "parts/path_kernel.py",
        "parts/priors.py",
        "fitting/collapsed.py",
        "fitting/run*.py",
        "fitting/whitened.py",
        "simulate/dependence.py",
        "validation/subjects/dependence.py",
    )

    @classmethod
    def of(cls, panel: Panel) -> Dependence:
        """Return the subject that a panel gives."""
        return cls(panel, prepare_data(panel))

    @cached_property
    def density(self) -> DependenceDensity:
        """The model, with the panel's own observations."""
        return DependenceDensity(self.data, dependence.Priors())

    @cached_property
    def windows(self) -> Array:
        """Weights of the first and the last four quarters, shape (window, quarter)."""
        quarters = [str(quarter) for quarter in self.data.coords["quarter"]]
        return window_weights(np.array(quarters), {"first": quarters[:4], "last": quarters[-4:]})

    @property
    def headlines(self) -> tuple[str, ...]:
        """Trends in the last year and their changes since the first: of all, and of states."""
        places = ["all", *(f"state {code}" for code in self.data.coords["state"])]
        return tuple(f"{place} {what}" for place in places for what in ("trend", "change"))

    def describe(self) -> dict[str, Any]:
        """Return what is simulated."""
        quarters = self.data.coords["quarter"]
        return {
            "municipalities": len(self.data.coords["municipality"]),
            "states": [str(code) for code in self.data.coords["state"]],
            "kinds": [str(kind) for kind in self.data.coords["kind"]],
            "quarters": [str(quarters[0]), str(quarters[-1])],
        }

    def simulate(self, seed: int) -> Simulated:
        """Draw standard deviations, what they govern, and the remittances that come of it."""
        rng, data, density = np.random.default_rng(seed), self.data, self.density
        sds = density.sds(rng.standard_normal(density.size))
        made = draw_series(density, sds, rng)
        shared = made.nation_trend + made.state_trend
        trend = shared[data.state_of] + made.own_trend
        rest = (made.nation_rest + made.state_rest)[data.state_of] + made.own_rest
        seen = np.where(np.isfinite(data.observed), trend + rest + made.reporting, np.nan)
        # what all populations are off by after the last census is in the trends, not in the series
        after = np.maximum(years_of(data.numbers) - CENSUS_DATE[2020], 0.0)
        off = data.measures.population_common_sd * rng.standard_normal() * after
        faint = data.faint[data.kind_of]
        newest = np.where(faint, made.reporting[:, -4:].mean(axis=1), 0.0)
        known = [faint | (data.state_of != s) for s in range(len(shared))]
        state = np.stack(
            [
                path if all(without) else trend[~without].mean(axis=0)
                for path, without in zip(shared, known, strict=True)
            ]
        )
        ranked = self._ranked(
            (trend + newest[:, None] + off) @ self.windows.T, (state + off) @ self.windows.T
        )
        truth = self._parameters(density.constrain(density.unconstrain(sds)))
        truth |= {name: float(value) for name, value in ranked.items()}
        return Simulated(dependence.model_of(replace(data, observed=seen)), self.panel, truth)

    def draws(self, tree: Any, _truth: Mapping[str, float]) -> Mapping[str, Array]:
        """Return the draws of the same quantities, those that were integrated out among them."""
        seen = tree["observed_data"]["log_per_person"].transpose("municipality", "quarter")
        data = replace(self.data, observed=seen.to_numpy())
        sampler = Sampler(DependenceDensity(data, dependence.Priors()), self.windows, horizon=0)
        drawn = draw_all(sampler, tree, repeats=1, seed=seed_of(tree))
        posterior = tree["posterior"].to_dataset().transpose("chain", "draw", ...)
        layout = self.density.form.layout
        found = self._parameters({name: posterior[name].to_numpy() for name in layout})
        return found | self._ranked(drawn.trend.astype(float), drawn.state_trend @ self.windows.T)

    def _parameters(self, values: Mapping[str, Array]) -> dict[str, Any]:
        """Return standard deviations, shape (..., label) where there are several, one by one."""
        steady = self.data.coords["kind"][~self.data.faint]
        labels: dict[str, Sequence[str]] = {
            "kind": list(self.data.coords["kind"]),
            "steady_kind": list(steady),
            "break": dependence.BREAKS,
        }
        found: dict[str, Any] = {}
        for name, (_, dim) in self.density.form.layout.items():
            if dim is None:
                found[name] = values[name]
                continue
            found |= {f"{name} {key}": values[name][..., i] for i, key in enumerate(labels[dim])}
        return found

    def _ranked(self, trend: Array, state: Array) -> dict[str, Array]:
        """Return the quantities of trends, shape (..., municipality or state, window)."""
        codes, states = self.data.coords["municipality"], self.data.coords["state"]
        chosen = np.unique(np.linspace(0, len(codes) - 1, SINGLE).astype(int))
        found: dict[str, Array] = {"all": trend.mean(axis=-2)}
        found |= {f"state {code}": state[..., s, :] for s, code in enumerate(states)}
        found |= {str(codes[place]): trend[..., place, :] for place in chosen}
        return {
            f"{place} {what}": value
            for place, window in found.items()
            for what, value in (
                ("trend", window[..., 1]),
                ("change", window[..., 1] - window[..., 0]),
            )
        }
