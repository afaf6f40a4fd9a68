"""The posterior density of the state model of dependence, everything Gaussian integrated out.

Two groups of parameters that share no datum: those of the log ratio, and those of the growth of
product, which only the prediction of years without product needs. The same density as that of the
PyMC model of `dependence_state`; a test holds the two together.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.models.dependence_state_data import StateData
from remitstats.parts.collapsed_density import Pooled, Separable
from remitstats.parts.priors import NormalPrior, ScalePrior
from remitstats.parts.shared_path import nested, path_density
from remitstats.parts.unconstrained import (
    Layout,
    add_normal,
    add_scale,
    layout_of,
    log_scale_slope,
    parts_of,
    scale_of,
)

Array = NDArray[np.float64]
FARTHEST = 30.0  # an unconstrained number beyond which exponentials overflow
LOG_TWO_PI = math.log(2.0 * math.pi)
UNITS = {  # standard normals and the standard deviation that they are multiplied with
    "state_scale_unit": "state_scale_sd",
    "year_scale_unit": "year_scale_sd",
    "product_scale_unit": "product_scale_sd",
}
START = {  # standard deviations that stand in the vector as normal scores, and where to begin
    "level_sd": 1.0,
    "tendency_sd": 0.02,
    "region_sd": 0.05,
    "walk_sd": 0.1,
    "noise_sd": 0.03,
    "national_sd": 0.1,
    "product_national_sd": 0.03,
    "product_tendency_sd": 0.01,
    "product_sd": 0.03,
}
SCALES = (*START, *UNITS.values())


@dataclass(frozen=True)
class Priors:
    """Priors of the state model, for the logarithm of the ratio in per cent, with defaults.

    A standard deviation of 0.1 is about a tenth of the ratio.

    Parameters
    ----------
    start : NormalPrior
        National path in the first year: the defaults put the typical state between 0.1 and 27 per
        cent in nineteen cases of twenty.
    tendency : NormalPrior
        Mean growth of the national path, a year.
    persistence : NormalPrior
        Lag-one correlation of national growth, before it is held within (-1, 1) by a hyperbolic
        tangent.
    national_sd : ScalePrior
        Of national growth around its mean, a year.
    region_sd : ScalePrior
        Of what moves a region's states together away from the nation, a year.
    level_sd : ScalePrior
        Of the states' levels around the national path, half-way through.
    divergence : NormalPrior
        Yearly growth of the differences between states' levels; negative where states grow alike.
    tendency_sd : ScalePrior
        Of the states' own mean growth, a year.
    walk_sd : ScalePrior
        Of what moves a typical state away from the nation for good, a year.
    noise_sd : ScalePrior
        Of what leaves no trace a year later.
    state_scale_sd, year_scale_sd : ScalePrior
        Of the logarithm of how much more some states, and all states in some years, move.
    product_tendency : NormalPrior
        Mean growth of product in consumer prices, a year.
    product_national_sd, product_tendency_sd, product_sd, product_scale_sd : ScalePrior
        Of its growth: between years for all states, of the states' means, between years of a
        typical state, and of the logarithm of how much states differ in the last.
    """

    start: NormalPrior = NormalPrior(mean=0.5, sd=1.4)
    tendency: NormalPrior = NormalPrior(mean=0.0, sd=0.1)
    persistence: NormalPrior = NormalPrior(mean=0.0, sd=0.5)
    national_sd: ScalePrior = ScalePrior(upper=0.3, tail=0.05)
    region_sd: ScalePrior = ScalePrior(upper=0.2, tail=0.05)
    level_sd: ScalePrior = ScalePrior(upper=2.0, tail=0.05)
    divergence: NormalPrior = NormalPrior(mean=0.0, sd=0.03)
    tendency_sd: ScalePrior = ScalePrior(upper=0.1, tail=0.05)
    walk_sd: ScalePrior = ScalePrior(upper=0.3, tail=0.05)
    noise_sd: ScalePrior = ScalePrior(upper=0.3, tail=0.05)
    state_scale_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)
    year_scale_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)
    product_tendency: NormalPrior = NormalPrior(mean=0.025, sd=0.025)
    product_national_sd: ScalePrior = ScalePrior(upper=0.1, tail=0.05)
    product_tendency_sd: ScalePrior = ScalePrior(upper=0.05, tail=0.05)
    product_sd: ScalePrior = ScalePrior(upper=0.15, tail=0.05)
    product_scale_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)

    def describe(self) -> dict[str, Any]:
        """Return every prior as plain values, for provenance."""
        return {f.name: getattr(self, f.name).describe() for f in fields(self)}

    @classmethod
    def of(cls, described: Mapping[str, Mapping[str, Any]]) -> Priors:
        """Return the priors that `describe` described."""
        kinds: dict[str, Any] = {"normal": NormalPrior, "scale": ScalePrior}
        made: dict[str, Any] = {
            name: kinds[p["prior"]](**{k: v for k, v in p.items() if k != "prior"})
            for name, p in described.items()
        }
        return cls(**made)


@dataclass(frozen=True, eq=False)
class Pieces:
    """Covariances that hyperparameters make of the log ratio and of the growth of product.

    Leading dimensions are those of the hyperparameters.

    Parameters
    ----------
    level, tendency, walk, noise : array, shape (..., state, time, time)
        Parts of the states' covariances around their regions' paths, which add up.
    mean, whole, own : array, shape (time,) and (..., time, time)
        Of the national path, and covariance of what a region's path adds to it.
    groups : int
        Number of regions.
    """

    level: Array
    tendency: Array
    walk: Array
    noise: Array
    mean: Array
    whole: Array
    own: Array
    groups: int = 1

    @property
    def states(self) -> Array:
        """Covariance of every state's deviations from its region's path."""
        return self.level + self.tendency + self.walk + self.noise

    @property
    def common(self) -> Array:
        """Covariance of the regions' paths, stacked."""
        return nested(self.whole, self.own, self.groups)


def pieces(values: Mapping[str, Array], times: int, groups: int, priors: Priors) -> Pieces:
    """Return the covariances of the log ratio over so many years.

    Parameters
    ----------
    values : mapping of str to array
        Hyperparameters on their own scales, each (..., *shape): `level_sd`, `divergence`,
        `tendency_sd`, `walk_sd`, `noise_sd`, `region_sd`, `national_sd`, `persistence`,
        `state_scale` (state), `year_scale` (year but the first; later years have scale 1).
    times, groups : int
        Number of years, in a row, and of regions.
    priors : Priors
        Of the national path's start and tendency.
    """
    year = np.arange(times)
    scale = values["year_scale"]
    missing = times - 1 - scale.shape[-1]
    if missing > 0:
        scale = np.concatenate([scale, np.ones((*scale.shape[:-1], missing))], axis=-1)
    moved = np.concatenate(
        [np.zeros((*scale.shape[:-1], 1)), np.cumsum(scale[..., : times - 1] ** 2, axis=-1)],
        axis=-1,
    )
    earlier = np.minimum.outer(year, year)
    since = centred(values["year_scale"].shape[-1] + 1, times)

    def square(name: str) -> Array:
        return np.asarray(values[name])[..., None, None, None] ** 2

    own = values["state_scale"][..., :, None, None] ** 2
    growth = values["national_sd"][..., None, None] ** 2 * (
        values["persistence"][..., None, None] ** lags(times - 1)
    )
    summed = running_sum(times)
    known = priors.start.sd**2 + priors.tendency.sd**2 * np.outer(year, year)
    widened = 1.0 + values["divergence"][..., None] * since
    level = square("level_sd") * (widened[..., None, :, None] * widened[..., None, None, :])
    return Pieces(
        level=np.broadcast_to(level, (*own.shape[:-2], times, times)),
        tendency=square("tendency_sd")
        * np.broadcast_to(np.outer(since, since), (*own.shape[:-2], times, times)),
        walk=own * square("walk_sd") * moved[..., None, earlier],
        noise=own * square("noise_sd") * np.eye(times),
        mean=np.asarray(priors.start.mean + priors.tendency.mean * year, dtype=float),
        whole=known + summed @ growth @ summed.T,
        own=values["region_sd"][..., None, None] ** 2 * (earlier + 1),
        groups=groups,
    )


@functools.cache
def lags(times: int) -> NDArray[np.int64]:
    """Return how many years lie between two, shape (time, time)."""
    return np.abs(np.subtract.outer(np.arange(times), np.arange(times)))


@functools.cache
def running_sum(times: int) -> Array:
    """Return what adds up growth to a path that starts at nought, shape (time, time - 1)."""
    return np.tril(np.ones((times, times - 1)), -1)


def centred(known: int, times: int) -> Array:
    """Return years counted from the middle of the known ones, shape (time,)."""
    return np.asarray(np.arange(times) - 0.5 * (known - 1), dtype=float)


def product_pieces(values: Mapping[str, Array], times: int, priors: Priors) -> Pieces:
    """Return the covariances of the growth of product over so many years (see `pieces`)."""
    scale = values["product_scale"][..., :, None, None] ** 2
    shape = (*scale.shape[:-2], times, times)

    def square(name: str) -> Array:
        return np.asarray(values[name])[..., None, None, None] ** 2

    nothing = np.zeros(shape)
    return Pieces(
        level=np.broadcast_to(square("product_tendency_sd"), shape),
        tendency=nothing,
        walk=nothing,
        noise=scale * square("product_sd") * np.eye(times),
        mean=np.full(times, priors.product_tendency.mean),
        whole=priors.product_tendency.sd**2
        + values["product_national_sd"][..., None, None] ** 2 * np.eye(times),
        own=np.zeros((times, times)),
    )


@dataclass(frozen=True, eq=False)
class StateDensity:
    """Log posterior density of the hyperparameters.

    Parameters
    ----------
    data : StateData
        The money of the states.
    priors : Priors
        Of the hyperparameters.
    """

    data: StateData
    priors: Priors

    @cached_property
    def layout(self) -> Layout:
        """Where each variable stands in the vector; in the PyMC model's order."""
        states, years = self.data.product.shape
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(SCALES, ())
        shapes["divergence"] = ()
        shapes["persistence_raw"] = ()
        shapes["state_scale_unit"] = (states,)
        shapes["year_scale_unit"] = (years - 1,)
        shapes["product_scale_unit"] = (states,)
        return layout_of(shapes)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return max(int(place.stop) for place, _ in self.layout.values())

    def start(self) -> Array:
        """Return where a search for the mode may begin."""
        x = np.zeros(self.size)
        for name, value in START.items():
            x[self.layout[name][0]] = getattr(self.priors, name).unconstrain(value)
        for name in UNITS.values():
            x[self.layout[name][0]] = math.log(0.5)
        return x

    def separable(self) -> list[Separable]:
        """Return none: the national path ties all states."""
        return []

    def pooled(self) -> list[Pooled]:
        """Return the scales of states and years."""
        return [
            Pooled(self.layout[sd][0].start, self.layout[unit][0], getattr(self.priors, sd).rate)
            for unit, sd in UNITS.items()
        ]

    def constrain(self, x: Array) -> dict[str, Array]:
        """Return the hyperparameters on their own scales.

        Parameters
        ----------
        x : array, shape (..., parameter)
            Unconstrained parameters.
        """
        out = parts_of(x, self.layout)
        for name in SCALES:
            pooled = name in UNITS.values()
            out[name] = (
                np.exp(out[name]) if pooled else scale_of(out[name], getattr(self.priors, name))
            )
        out["persistence"] = np.tanh(out["persistence_raw"])
        for unit, sd in UNITS.items():
            out[unit.removesuffix("_unit")] = np.exp(out[sd][..., None] * out[unit])
        return out

    def gradient(self, x: Array) -> tuple[float, Array]:
        """Return log density and gradient; minus infinity and zeros where it is not defined."""
        nowhere = -math.inf, np.zeros(self.size)
        if np.max(np.abs(x)) > FARTHEST:
            return nowhere
        out = np.zeros(self.size)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values = self.constrain(x)
            try:
                value = self._ratio(values, out) + self._product(values, out)
            except np.linalg.LinAlgError:
                return nowhere
            # so far with respect to logarithms of standard deviations and scales
            for name in START:
                place = self.layout[name][0]
                out[place] *= log_scale_slope(x[place], getattr(self.priors, name))
            value += self._prior(x, out)
        return (value, out) if math.isfinite(value) and np.isfinite(out).all() else nowhere

    def _prior(self, x: Array, out: Array) -> float:
        value = add_normal(x, out, self.layout["persistence_raw"][0], self.priors.persistence)
        value += add_normal(x, out, self.layout["divergence"][0], self.priors.divergence)
        for name in UNITS.values():
            value += add_scale(x, out, self.layout[name][0], getattr(self.priors, name))
        standard = x[self._standard]
        out[self._standard] -= standard
        return value - 0.5 * float(standard @ standard + len(standard) * LOG_TWO_PI)

    @cached_property
    def _standard(self) -> NDArray[np.int64]:
        """Places of what is a standard normal under the priors."""
        places = (self.layout[name][0] for name in (*START, *UNITS))
        return np.concatenate([np.arange(place.start, place.stop) for place in places])

    def _ratio(self, values: Mapping[str, Array], out: Array) -> float:
        times, groups = self.data.product.shape[1], len(self.data.coords["region"])
        made = pieces(values, times, groups, self.priors)
        found = path_density(
            self._log_percent, made.states, made.mean, made.common, self.data.region_of
        )
        by = found.by_covariance

        def add(name: str, value: float) -> None:
            out[self.layout[name][0]] += 2.0 * value

        add("level_sd", float(np.sum(by * made.level)))
        since, widened = centred(times, times), 1.0 + values["divergence"] * centred(times, times)
        wider = values["level_sd"] ** 2 * (since @ by.sum(axis=0) @ widened)
        out[self.layout["divergence"][0]] += 2.0 * float(wider)
        add("tendency_sd", float(np.sum(by * made.tendency)))
        walk, noise = (np.sum(by * part, axis=(1, 2)) for part in (made.walk, made.noise))
        add("walk_sd", float(walk.sum()))
        add("noise_sd", float(noise.sum()))
        self._scaled(values, "state_scale", 2.0 * (walk + noise), out)
        # a year's scale stands in every entry at or after it
        own = values["state_scale"] ** 2 * values["walk_sd"] ** 2
        entry = np.tensordot(own, by, 1)
        beyond = np.cumsum(np.cumsum(entry[::-1, ::-1], axis=0), axis=1)[::-1, ::-1]
        moved = values["year_scale"] ** 2 * np.diagonal(beyond)[1:]
        self._scaled(values, "year_scale", 2.0 * moved, out)
        # the national path and what regions add to it
        by_whole = found.by_common.sum(axis=(0, 2))
        by_own = np.einsum("gtgu->tu", found.by_common)
        add("region_sd", float(np.sum(by_own * made.own)))
        rho, variance = float(values["persistence"]), float(values["national_sd"]) ** 2
        lag, summed = lags(times - 1), running_sum(times)
        by_growth = summed.T @ by_whole @ summed
        add("national_sd", variance * float(np.sum(by_growth * rho**lag)))
        slope = lag * np.power(rho, np.maximum(lag - 1, 0))
        by_rho = variance * float(np.sum(by_growth * slope))
        out[self.layout["persistence_raw"][0]] += by_rho * (1.0 - rho**2)
        return found.value

    def _product(self, values: Mapping[str, Array], out: Array) -> float:
        series = self._real_growth
        made = product_pieces(values, series.shape[1], self.priors)
        nowhere = np.zeros(len(series), dtype=np.int64)
        found = path_density(series, made.states, made.mean, made.common, nowhere)
        by = found.by_covariance
        noise = np.sum(by * made.noise, axis=(1, 2))
        self._scaled(values, "product_scale", 2.0 * noise, out)
        variance = float(values["product_national_sd"]) ** 2
        for name, value in (
            ("product_tendency_sd", np.sum(by * made.level)),
            ("product_sd", noise.sum()),
            ("product_national_sd", variance * np.trace(found.by_common[0, :, 0])),
        ):
            out[self.layout[name][0]] += 2.0 * float(value)
        return found.value

    @cached_property
    def _log_percent(self) -> Array:
        return self.data.log_percent

    @cached_property
    def _real_growth(self) -> Array:
        return self.data.real_growth

    def _scaled(self, values: Mapping[str, Array], name: str, by_log: Array, out: Array) -> None:
        """Add the gradient in scales exp(sd unit), given that in their logarithms."""
        unit, sd = f"{name}_unit", UNITS[f"{name}_unit"]
        out[self.layout[unit][0]] += values[sd] * by_log
        out[self.layout[sd][0]] += float(values[sd]) * float(by_log @ values[unit])
