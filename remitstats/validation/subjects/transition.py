"""Transition: parameters, scales, events and paths from the prior, where the world has figures.

Starts of paths and effects of known breaks have flat priors and can't be drawn: all are nought. The
likelihood sees only what does not depend on them, and the posterior of a level moves with the start
of its path, so that the ranks of levels and differences are uniform whatever the start. The margin
of a turn asks for a level below nought and one above at once, and does not move so: it is not
ranked, but the levels and the difference that it is made of are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from remitstats.estimands.transition import PERIODS, ends
from remitstats.estimands.transition_rules import SENDING
from remitstats.fitting.run_tree import seed_of
from remitstats.models import transition
from remitstats.models.transition_data import COUNTRIES, SERIES, TransitionData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.parts.local_level import PARAMETERS, Series
from remitstats.parts.local_level_draws import draw_levels
from remitstats.validation.calibration import Simulated

Array = NDArray[np.float64]
STREAM = 11  # of a seed: the draws of what was summed out
LATE = (2019, 2023)
BACKGROUND = 3  # of the other countries, one in so many is simulated


@dataclass(frozen=True, eq=False)
class Transition:
    """The transition model on the countries, years and gaps of a panel.

    Parameters
    ----------
    panel : Panel
        The panel.
    data : TransitionData
        Its series, of a part of the background; which figures are known counts, not their values.
    """

    panel: Panel
    data: TransitionData
    name: str = transition.NAME
    code: tuple[str, ...] = (
        "models/transition*.py",
        "estimands/transition.py",
        "estimands/transition_rules.py",
        "parts/collapsed_density.py",
        "parts/local_level*.py",
        "parts/priors.py",
        "fitting/collapsed.py",
        "fitting/run*.py",
        "fitting/whitened.py",
        "validation/subjects/transition.py",
    )

    @classmethod
    def of(cls, panel: Panel) -> Transition:
        """Return the subject that a panel gives."""
        data = prepare_data(panel)
        countries = [str(code) for code in data.coords["country"]]
        others = [c for c in countries if c not in COUNTRIES][::BACKGROUND]
        kept = [countries.index(c) for c in (*COUNTRIES, *others)]
        coords = {**data.coords, "country": np.array([countries[i] for i in kept])}
        return cls(panel, TransitionData(coords, data.values[:, kept]))

    @cached_property
    def units(self) -> dict[str, dict[str, Series]]:
        """By series and country, what the likelihood takes; of the values only the gaps matter."""
        return {name: self.data.series(name) for name in SERIES}

    @property
    def headlines(self) -> tuple[str, ...]:
        """Late levels of net migration, and all changes: what is ranked but the parameters."""
        nothing = {
            name: {c: np.zeros((1, len(self.data.years))) for c in units if c in COUNTRIES}
            for name, units in self.units.items()
        }
        return tuple(self._ranked(nothing))

    def describe(self) -> dict[str, Any]:
        """Return what is simulated."""
        years = self.data.years
        return {
            "countries": {name: len(units) for name, units in self.units.items()},
            "years": [int(years[0]), int(years[-1])],
        }

    def simulate(self, seed: int) -> Simulated:
        """Draw parameters, what they govern, and the figures published of it."""
        rng, priors = np.random.default_rng(seed), transition.Priors()
        values = np.full_like(self.data.values, np.nan)
        truth: dict[str, float] = {}
        paths: dict[str, dict[str, Array]] = {name: {} for name in SERIES}
        countries = [str(code) for code in self.data.coords["country"]]
        for s, name in enumerate(SERIES):
            own = np.array([p.mean + p.sd * rng.standard_normal() for p in priors.of(name)])
            truth |= {f"{what} {name}": float(x) for what, x in zip(PARAMETERS, own, strict=True)}
            for country, unit in self.units[name].items():
                path, observed = _draw(unit, own, rng)
                # every year that an observation averages gets its value: so does their mean
                for row, value in zip(unit.weights, observed, strict=True):
                    values[s, countries.index(country), row > 0] = value
                if country in COUNTRIES:
                    paths[name][country] = path[None]
        truth |= {key: float(value[0]) for key, value in self._ranked(paths).items()}
        model = transition.model_of(replace(self.data, values=values))
        return Simulated(model, self.panel, truth)

    def draws(self, tree: Any, _truth: Mapping[str, float]) -> Mapping[str, Array]:
        """Return the draws of the same quantities, those that were summed out among them."""
        posterior, seed = tree["posterior"], seed_of(tree)
        sampled = np.stack(
            [posterior[n].transpose("chain", "draw", "series").to_numpy() for n in PARAMETERS],
            axis=-1,
        ).astype(float)
        shape = sampled.shape[:2]
        flat = sampled.reshape(-1, len(SERIES), len(PARAMETERS))
        data = replace(self.data, values=tree["observed_data"]["values"].to_numpy())
        paths: dict[str, dict[str, Array]] = {name: {} for name in SERIES}
        for s, name in enumerate(SERIES):
            units = data.series(name)
            for place, country in enumerate(c for c in COUNTRIES if c in units):
                stream = np.random.SeedSequence(seed, spawn_key=(STREAM, s, place))
                drawn = draw_levels(units[country], flat[:, s], np.random.default_rng(stream))
                paths[name][country] = drawn.path
        found = {
            f"{what} {name}": sampled[..., s, i]
            for s, name in enumerate(SERIES)
            for i, what in enumerate(PARAMETERS)
        }
        return found | {key: value.reshape(shape) for key, value in self._ranked(paths).items()}

    def _ranked(self, paths: Mapping[str, Mapping[str, Array]]) -> dict[str, Array]:
        """Return the quantities of paths, shape (draw, year), by series and country."""
        years = self.data.years
        found: dict[str, Array] = {}

        def mean(path: Array, window: tuple[int, int]) -> Array:
            inside = (years >= window[0]) & (years <= window[1])
            return np.asarray(path[:, inside].mean(axis=1))

        for country, path in paths["migration"].items():
            early, late = mean(path, SENDING), mean(path, LATE)
            found[f"level migration {country} {LATE[0]}-{LATE[1]}"] = late
            found[f"change migration {country} {SENDING[0]}-{LATE[1]}"] = late - early
        for name, periods in PERIODS.items():
            before, after = periods[-1].split(" to ")
            for country, path in paths[name].items():
                change = mean(path, ends(after)) - mean(path, ends(before))
                found[f"change {name} {country} {periods[-1]}"] = change
        return found


def _draw(unit: Series, parameters: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw a unit's path, jump included, and what is observed of it."""
    typical, noise, nu, size = np.exp(parameters[[0, 1, 2, 4]])
    count, years = unit.weights.shape
    scale = typical * np.sqrt(0.5 * nu / rng.standard_gamma(0.5 * nu))
    walk = np.concatenate([[0.0], np.cumsum(rng.standard_normal(years - 1))])
    event, jump = np.zeros(count), np.zeros(years)
    if len(unit.jump_year) and rng.random() < special.expit(parameters[3]):
        which = rng.choice(len(unit.jump_year), p=np.exp(unit.log_prior))
        amount = size * rng.standard_normal()
        event = amount * unit.event[which]
        if unit.jump_year[which] >= 0:
            jump = amount * (np.arange(years) >= unit.jump_year[which])
    observed = unit.weights @ walk + event + noise * rng.standard_normal(count)
    return scale * (walk + jump), scale * observed
