"""Dependence of the states: hyperparameters, paths and money from the prior, in the years known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.estimands.dependence_state_paths import hyperparameters, paths_of
from remitstats.fitting.run_tree import seed_of
from remitstats.models import dependence_state
from remitstats.models.dependence_state_data import StateData, prepare_data
from remitstats.models.dependence_state_density import SCALES
from remitstats.panel.panel import Panel
from remitstats.simulate.dependence_state import TRUE_STATE, simulate_dependence_state
from remitstats.validation.calibration import Simulated

Array = NDArray[np.float64]
SINGLE = 6  # states whose paths are ranked, evenly spaced over the list
STREAM = 11  # of the fit's seed: the draws of what was integrated out


@dataclass(frozen=True, eq=False)
class DependenceState:
    """The state model of dependence on a panel's states, regions and years.

    Parameters
    ----------
    panel : Panel
        The panel.
    data : StateData
        Its money of the states: exchange rates, prices and product of the first year are kept.
    """

    panel: Panel
    data: StateData
    name: str = dependence_state.NAME
    code: tuple[str, ...] = (
        "models/dependence_state*.py",
        "estimands/dependence_state_paths.py",
        "parts/collapsed_density.py",
        "parts/priors.py",
        "parts/shared_path.py",
        "parts/unconstrained.py",
        "fitting/collapsed.py",
        "fitting/run*.py",
        "fitting/whitened.py",
        "simulate/dependence_state.py",
        "validation/subjects/dependence_state.py",
    )

    @classmethod
    def of(cls, panel: Panel) -> DependenceState:
        """Return the subject that a panel gives."""
        return cls(panel, prepare_data(panel))

    @property
    def states(self) -> NDArray[np.int64]:
        """Positions of the states whose paths are ranked."""
        return np.unique(np.linspace(0, len(self.data.coords["state"]) - 1, SINGLE).astype(int))

    @property
    def headlines(self) -> tuple[str, ...]:
        """The nation's and the states' trends in the last known year, their changes and growth."""
        year, first = self.data.coords["year"][-1], self.data.coords["year"][0]
        own = [str(self.data.coords["state"][place]) for place in self.states]
        names = ["national", *(f"state {code}" for code in own)]
        kinds = (f"trend {year}", f"change {first}-{year}", "tendency")
        later = [f"state {code} ratio {y}" for code in own for y in self.data.coords["later"]]
        return (*(f"{name} {kind}" for name in names for kind in kinds), *later)

    def describe(self) -> dict[str, Any]:
        """Return what is simulated."""
        years = self.data.coords["year"]
        return {
            "states": [str(code) for code in self.data.coords["state"]],
            "years": [int(years[0]), int(years[-1])],
            "years_without_product": [int(year) for year in self.data.coords["later"]],
        }

    def simulate(self, seed: int) -> Simulated:
        """Draw hyperparameters, paths and the money that they make."""
        rng, priors = np.random.default_rng(seed), dependence_state.Priors()
        truth = {name: rng.exponential(1.0 / getattr(priors, name).rate) for name in SCALES}
        truth["persistence"] = math.tanh(_normal(priors.persistence, rng))
        for name in ("divergence", "tendency", "product_tendency"):
            truth[name] = _normal(getattr(priors, name), rng)
        assert set(truth) == set(TRUE_STATE)  # noqa: S101 - nothing is left at its usual value
        made = simulate_dependence_state(
            self.panel, seed=int(rng.integers(2**32)), hyperparameters=truth
        )
        # the simulated paths all start from the prior's mean: all move by the same
        start = _normal(priors.start, rng) - priors.start.mean
        data = prepare_data(made.panel)
        factor = math.exp(start)
        data = replace(data, dollars=factor * data.dollars, pesos=factor * data.pesos)
        ranked = self._ranked(
            made.trend.to_numpy() + start,
            made.log_ratio.to_numpy() + start,
            made.tendency.to_numpy(),
        )
        given = {name: truth[name] for name in (*SCALES, "divergence", "persistence")}
        given["national tendency"] = truth["tendency"]
        return Simulated(
            dependence_state.model_of(data),
            made.panel,
            given | {name: float(value) for name, value in ranked.items()},
        )

    def draws(self, tree: Any, truth: Mapping[str, float]) -> Mapping[str, Array]:
        """Return the draws of the same quantities, those that were integrated out among them."""
        posterior = tree["posterior"].to_dataset()
        shape = (posterior.sizes["chain"], posterior.sizes["draw"])
        values = hyperparameters(posterior)
        constant = tree["constant_data"]
        data = replace(
            self.data,
            dollars=constant["remittances_usd_million"].to_numpy(),
            pesos=constant["remittances_mxn_million"].to_numpy(),
            product=constant["product_mxn_million"].to_numpy(),
        )
        rng = np.random.default_rng(np.random.SeedSequence(seed_of(tree), spawn_key=(STREAM,)))
        paths = paths_of(values, data, dependence_state.Priors(), rng)
        found = {name: values[name] for name in truth if name in values}
        found["national tendency"] = paths.national_tendency
        found |= self._ranked(paths.trend, paths.log_ratio, paths.tendency)
        return {name: draws.reshape(shape) for name, draws in found.items()}

    def _ranked(self, trend: Array, log_ratio: Array, tendency: Array) -> dict[str, Array]:
        """Return the quantities of trends (..., state, year) and tendencies (..., state)."""
        years = self.data.coords["year"]
        last = len(years) - 1
        found: dict[str, Array] = {}
        for place in self.states:
            name = f"state {self.data.coords['state'][place]}"
            own = trend[..., place, :]
            found[f"{name} trend {years[-1]}"] = own[..., last]
            found[f"{name} change {years[0]}-{years[-1]}"] = own[..., last] - own[..., 0]
            found[f"{name} tendency"] = tendency[..., place]
            for t, year in enumerate(self.data.coords["later"], start=last + 1):
                found[f"{name} ratio {year}"] = log_ratio[..., place, t]
                found[f"{name} trend {year}"] = own[..., t]
        # the nation is ranked by what states have in common: the mean of their trends
        nation = trend.mean(axis=-2)
        found[f"national trend {years[-1]}"] = nation[..., last]
        found[f"national change {years[0]}-{years[-1]}"] = nation[..., last] - nation[..., 0]
        return found


def _normal(prior: Any, rng: np.random.Generator) -> float:
    return float(prior.mean + prior.sd * rng.standard_normal())
