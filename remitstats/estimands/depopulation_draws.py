"""Draws of growth from a fit of the depopulation model: underlying, true and yet to come.

The arrays are float32 with the chains and draws in one first axis; `DepopulationDraws.chains`
gives a quantity its chains back for the gate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from remitstats.models.depopulation import (
    SMALL_SIZE,
    error_of_growth,
    neighbour_names,
    noise_names,
)
from remitstats.models.depopulation_data import DepopulationData, prepare_data
from remitstats.panel.panel import Panel
from remitstats.parts import icar

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Judged = dict[str, NDArray[Any]]  # draws by label, first axis the sample: what the gate judges

LARGEST_SHOCK = 25.0  # % a year: what passes in one interval is drawn within this
OFFSET = "growth"  # the prior that holds the model's offset


@dataclass(frozen=True)
class DepopulationDraws:
    """Posterior draws of a fit beside the data it was fitted to.

    Parameters
    ----------
    data : DepopulationData
        As the fit had them.
    posterior : dict of str to array
        Variables of the posterior, chains and draws in the first axis.
    offset : float
        Prior mean of growth, which the interval effects leave out.
    sizes : tuple of int
        Chains and draws.
    """

    data: DepopulationData
    posterior: dict[str, NDArray[np.floating]]
    offset: float
    sizes: tuple[int, int]

    @classmethod
    def of(cls, fit: xr.DataTree, panel: Panel) -> DepopulationDraws:
        """Return the draws of a fit, with the data made anew from its panel."""
        specification = json.loads(fit["provenance"].attrs["specification"])
        posterior = fit["posterior"].to_dataset()
        sizes = posterior.sizes["chain"], posterior.sizes["draw"]
        flat = {
            str(name): array.transpose("chain", "draw", ...)
            .to_numpy()
            .reshape(sizes[0] * sizes[1], *array.shape[2:])
            for name, array in posterior.data_vars.items()
        }
        return cls(
            prepare_data(panel, specification["through"], specification["error_power"]),
            flat,
            float(specification["priors"][OFFSET]["mean"]),
            sizes,
        )

    def thinned(self, draws: int) -> DepopulationDraws:
        """Return at most so many of the draws, evenly spaced, as one chain."""
        total = self.sizes[0] * self.sizes[1]
        chosen = np.linspace(0, total - 1, min(draws, total)).astype(int)
        kept = {name: value[chosen] for name, value in self.posterior.items()}
        return replace(self, posterior=kept, sizes=(1, len(chosen)))

    def chains(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values with their first axis split into chain and draw."""
        return values.reshape(*self.sizes, *values.shape[1:])

    @cached_property
    def error(self) -> Single:
        """What errors of levels add to growth, shape (sample, interval, municipality)."""
        return error_of_growth(self.data, self.posterior).astype(np.float32)

    @cached_property
    def underlying(self) -> Single:
        """The underlying rate in % a year, shape (sample, interval, municipality)."""
        return np.asarray(self.posterior["linear_predictor"] - self.error, dtype=np.float32)

    def noise(self, rng: np.random.Generator, scale: NDArray[np.floating]) -> Single:
        """Draw what passes in one interval.

        Student t of the fit's degrees of freedom, kept within `LARGEST_SHOCK` by drawing again:
        so heavy a tail would now and then let a municipality multiply a thousandfold.

        Parameters
        ----------
        rng : numpy.random.Generator
            Stream of the draws.
        scale : array, shape (sample, ...)
            Scales.
        """
        degrees = 2.0 / self.posterior["tail_weight"]
        shape = (len(degrees),) + (1,) * (scale.ndim - 1)
        degrees = degrees.reshape(shape)
        drawn = scale * rng.standard_t(np.broadcast_to(degrees, scale.shape))
        for _ in range(100):
            far = np.abs(drawn) > LARGEST_SHOCK
            if not far.any():
                break
            again = rng.standard_t(np.broadcast_to(degrees, scale.shape)[far])
            drawn[far] = scale[far] * again
        return np.clip(drawn, -LARGEST_SHOCK, LARGEST_SHOCK).astype(np.float32)

    def scale(self, interval: int, size: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the scale of what passes in an interval, shape (sample, municipality)."""
        noise = self.posterior[noise_names(self.data)[interval]][:, None]
        small = self.posterior["small_size"][:, None]
        return np.asarray(noise * np.sqrt(1.0 + small * SMALL_SIZE / size))

    @cached_property
    def true(self) -> Single:
        """Growth without the error of counts and survey, shape (sample, interval, municipality).

        Where nothing is recorded (a municipality that was created inside) it is drawn.
        """
        rng = np.random.default_rng((20, self.sizes[1]))
        recorded = self.data.percent.astype(np.float32)
        found = recorded - self.error
        for interval, row in enumerate(recorded):
            unknown = np.flatnonzero(np.isnan(row))
            if len(unknown):
                scale = self.scale(interval, self.data.size[interval, unknown])
                found[:, interval, unknown] = self.underlying[:, interval, unknown] + self.noise(
                    rng, scale
                )
        return found

    def over(self, growth: Single, start: int, end: int) -> Single:
        """Return mean growth over intervals start to end - 1, shape (sample, municipality)."""
        years = self.data.years[start:end].astype(np.float32)
        return np.asarray(np.tensordot(growth[:, start:end], years / years.sum(), axes=(1, 0)))

    def future(self, rng: np.random.Generator, years: tuple[float, ...]) -> tuple[Single, Single]:
        """Draw underlying rates and growth of intervals to come.

        Interval effects, state by interval effects, what neighbours share in an interval and scales
        of what passes are exchangeable: those to come are drawn like those that were; a
        municipality's own part goes on from its last value, and its shock scale follows its size.

        Parameters
        ----------
        rng : numpy.random.Generator
            Stream of the draws.
        years : tuple of float
            Lengths of the intervals to come.

        Returns
        -------
        underlying, growth : array, shape (sample, interval, municipality)
            In % a year.
        """
        p, data = self.posterior, self.data
        samples, municipalities = len(p["tail_weight"]), len(data.state_of)
        lasting = p["municipality_spatial"].astype(float)
        own = self._last_own()
        sd_own = p["municipality_sd"] * np.sqrt(1.0 - p["municipality_share"])
        rho = p["municipality_rho"]
        states = len(data.coords["state"])
        last = data.censuses.population[-1]
        level = np.broadcast_to(np.log(last), (samples, municipalities)).copy()
        names, neighbours = noise_names(data), neighbour_names(data)
        rates, growths = [], []
        for length in years:
            step = np.sqrt(1.0 - rho**2) * sd_own
            own = rho[:, None] * own + step[:, None] * rng.standard_normal(own.shape)
            interval = p["growth"] + p["interval_sd"] * rng.standard_normal(samples)
            slope = p["size_slope"] + p["size_interval_sd"] * rng.standard_normal(samples)
            rate = self.offset + interval[:, None] + slope[:, None] * data.log_size + lasting + own
            if states > 1:
                anew = p["state_interval_sd"][:, None] * rng.standard_normal((samples, states))
                rate = rate + (p["state_effect"] + anew)[:, data.state_of]
            which = rng.integers(len(names), size=samples)
            if "neighbour_effect" in p:
                near = np.stack([p[name] for name in neighbours])[which, np.arange(samples)]
                rate = rate + near[:, None] * icar.icar(data.graph).sample(rng, samples)
            noise = np.stack([p[name] for name in names])[which, np.arange(samples)]
            small = p["small_size"][:, None] * SMALL_SIZE / np.exp(level)
            shock = self.noise(rng, noise[:, None] * np.sqrt(1.0 + small))
            growth = rate + shock
            level += growth * length / 100.0
            rates.append(rate.astype(np.float32))
            growths.append(growth.astype(np.float32))
        return np.stack(rates, axis=1), np.stack(growths, axis=1)

    def _last_own(self) -> Array:
        """Return the municipality's own part in the last interval, shape (sample, municipality)."""
        p, data = self.posterior, self.data
        rest = self.offset + p["interval_effect"][:, -1, None]
        rest = rest + p["size_effect"][:, -1, None] * data.log_size + p["municipality_spatial"]
        if "neighbour_effect" in p:
            rest = rest + p["neighbour_effect"][:, -1]
        if "state_effect" in p:
            states = p["state_effect"] + p["state_interval_effect"][:, -1]
            rest = rest + states[:, data.state_of]
        return np.asarray(self.underlying[:, -1] - rest, dtype=float)
