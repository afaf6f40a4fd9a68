"""Priors of the dependence model, and its covariances as sums of scaled kernels.

Every covariance is a sum of terms, a kernel times the square of a product of standard deviations
(`dependence_terms`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.models.dependence_data import CENSUS_DATE, DependenceData, years_of
from remitstats.models.dependence_measures import Measures, quarter_number
from remitstats.models.dependence_terms import NATION, SERIES, STATE, Entries, Term
from remitstats.parts.grouped_paths import PathCovariances
from remitstats.parts.priors import ScalePrior

Array = NDArray[np.float64]

VAGUE_LEVEL, VAGUE_GROWTH, VAGUE_SEASON = 10.0, 0.5, 0.5  # sd of the nation's, a year for growth
VAGUE_REPORTING = 3.0  # sd of what faint municipalities' reporting has in common, each part
LEAST_NOISE = 1e-3  # sd that keeps covariances of paths invertible
KNOT_EVERY = 4  # quarters between the bends of the reporting path

SHARED = {"faint_level_sd": "level_sd", "faint_season_sd": "season_sd"}  # priors in common
TREND = ("level", "growth", "walk", "slope")  # kernels that make a trend


@dataclass(frozen=True)
class Priors:
    """Priors of the dependence model: P(sd > upper) = tail, on the scale of logarithms.

    Parameters
    ----------
    level_sd : ScalePrior
        Level of a municipality within its state.
    growth_sd : ScalePrior
        Its growth a year.
    noise_sd : ScalePrior
        What a quarter alone has, by kind of municipality.
    walk_sd : ScalePrior
        Step over a year of its random walk, by kind.
    season_sd : ScalePrior
        Its departure from the nation's season, by kind of steady municipality and of faint ones.
    step_ratio : ScalePrior
        Step of a municipality at each break of reporting over the noise of its quarters.
    faint_ramp_sd : ScalePrior
        What built up in a faint municipality under the second way of reporting.
    state_level_sd, state_growth_sd, state_walk_sd, state_season_sd, state_noise_sd : ScalePrior
        The same of states.
    nation_walk_sd, nation_slope_sd : ScalePrior
        Steps over a year of the nation's level and of its growth a year.
    faint_path_sd : ScalePrior
        Step over a year of the path that faint municipalities' reporting has in common.
    """

    level_sd: ScalePrior = ScalePrior(upper=3.0, tail=0.05)
    growth_sd: ScalePrior = ScalePrior(upper=0.15, tail=0.05)
    noise_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)
    walk_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)
    season_sd: ScalePrior = ScalePrior(upper=0.3, tail=0.05)
    step_ratio: ScalePrior = ScalePrior(upper=5.0, tail=0.05)
    faint_ramp_sd: ScalePrior = ScalePrior(upper=4.0, tail=0.05)
    state_level_sd: ScalePrior = ScalePrior(upper=2.0, tail=0.05)
    state_growth_sd: ScalePrior = ScalePrior(upper=0.1, tail=0.05)
    state_walk_sd: ScalePrior = ScalePrior(upper=0.3, tail=0.05)
    state_season_sd: ScalePrior = ScalePrior(upper=0.2, tail=0.05)
    state_noise_sd: ScalePrior = ScalePrior(upper=0.2, tail=0.05)
    nation_walk_sd: ScalePrior = ScalePrior(upper=0.3, tail=0.05)
    nation_slope_sd: ScalePrior = ScalePrior(upper=0.15, tail=0.05)
    faint_path_sd: ScalePrior = ScalePrior(upper=1.0, tail=0.05)

    def describe(self) -> dict[str, Any]:
        """Return every prior as plain values, for provenance."""
        return {f.name: getattr(self, f.name).describe() for f in fields(self)}


def kernels(numbers: NDArray[np.int64], centre: float, measures: Measures) -> dict[str, Array]:
    """Return the kernels at quarters, each shape (quarter, quarter).

    Parameters
    ----------
    numbers : array of int, shape (quarter,)
        Quarters as numbers (`quarter_number`); also later ones than were fitted.
    centre : float
        Year at which growth adds nothing and walks begin, in both directions.
    measures : Measures
        Breaks of reporting and uncertainty of population.
    """
    year = years_of(numbers)
    away = year - centre
    one = np.ones(len(year))
    season = np.eye(4)[numbers % 4] - 0.25
    first, last = (quarter_number(q) for q in measures.breaks)
    same_side = away[:, None] * away[None, :] > 0
    far = np.minimum(np.abs(away)[:, None], np.abs(away)[None, :])
    steps = [(numbers < at).astype(float) for at in (first, last)]
    ramp = reporting_ramp(numbers, measures)
    began = year - year[0]
    low, high = np.minimum.outer(began, began), np.maximum.outer(began, began)
    return {
        "level": np.outer(one, one),
        "growth": np.outer(away, away),
        "walk": np.where(same_side, far, 0.0),
        "season": season @ season.T / 0.75,
        "noise": np.eye(len(year)),
        "step 1": np.outer(steps[0], steps[0]),
        "step 2": np.outer(steps[1], steps[1]),
        "ramp": np.outer(ramp, ramp),
        "slope": low**2 * (3.0 * high - low) / 6.0,
        "population": population_kernel(year, measures),
    }


def reporting_ramp(numbers: NDArray[np.int64], measures: Measures) -> Array:
    """Return what builds up under the second way of reporting, from 0 to 1, and 0 elsewhere."""
    first, last = (quarter_number(q) for q in measures.breaks)
    inside = (numbers >= first) & (numbers < last)
    return np.asarray(np.where(inside, (numbers - first + 1) / (last - first), 0.0))


def population_kernel(year: Array, measures: Measures) -> Array:
    """Return the covariance of the error of interpolated log population."""
    began, ended = CENSUS_DATE[2010], CENSUS_DATE[2020]
    low, high = np.minimum.outer(year, year), np.maximum.outer(year, year)
    before = (low - began) * (ended - high) / (ended - began)
    after = np.maximum(year - ended, 0.0)
    step = measures.population_bridge_sd**2
    kernel = np.where(high <= ended, np.maximum(before, 0.0), 0.0) * step
    kernel += np.minimum.outer(after, after) * step
    return np.asarray(kernel + measures.population_growth_sd**2 * np.outer(after, after))


def reporting_basis(
    numbers: NDArray[np.int64], begun: int, ended: int, measures: Measures
) -> Array:
    """Return the columns of the path that faint municipalities' reporting has in common.

    Level, a step before each break, the ramp, and a path that bends once a year from quarter
    `begun` and stays where it is after quarter `ended`; shape (quarter, 4 + bends).
    """
    first, last = (quarter_number(q) for q in measures.breaks)
    columns = [
        np.ones(len(numbers)),
        (numbers < first).astype(float),
        (numbers < last).astype(float),
        reporting_ramp(numbers, measures),
    ]
    for knot in range(begun, ended, KNOT_EVERY):
        width = min(KNOT_EVERY, ended - knot)
        columns.append(np.clip((numbers - knot) / width, 0.0, 1.0))
    return np.stack(columns, axis=1)


@dataclass(frozen=True, eq=False)
class Form:
    """The parameters of a model and how its covariances follow from them.

    Parameters
    ----------
    data : DependenceData
        The data.
    priors : Priors
        Of the parameters.
    """

    data: DependenceData
    priors: Priors

    @cached_property
    def layout(self) -> Mapping[str, tuple[slice, str | None]]:
        """Where each parameter stands in the vector, and its dim; in the PyMC model's order."""
        faint, kinds = self.data.faint, len(self.data.faint)
        wanted: list[tuple[str, int, str | None]] = []
        if not faint.all():
            wanted.append(("level_sd", 1, None))
        if faint.any():
            wanted.append(("faint_level_sd", 1, None))
        wanted.append(("growth_sd", 1, None))
        wanted += [(name, kinds, "kind") for name in ("noise_sd", "walk_sd")]
        if not faint.all():
            wanted.append(("season_sd", int((~faint).sum()), "steady_kind"))
        wanted.append(("step_ratio", 2, "break"))
        if faint.any():
            wanted += [(f"faint_{part}_sd", 1, None) for part in ("season", "ramp", "path")]
        if len(self.data.coords["state"]) > 1:
            parts = ("level", "growth", "walk", "season", "noise")
            wanted += [(f"state_{part}_sd", 1, None) for part in parts]
        wanted += [(f"nation_{part}_sd", 1, None) for part in ("walk", "slope")]
        found, at = {}, 0
        for name, size, dim in wanted:
            found[name] = (slice(at, at + size), dim)
            at += size
        return found

    @cached_property
    def rate(self) -> Array:
        """Rates of the exponential priors, shape (parameter,)."""
        rates = np.empty(self.size)
        for name, (place, _) in self.layout.items():
            prior = getattr(self.priors, SHARED.get(name, name))
            rates[place] = prior.rate
        return rates

    @property
    def size(self) -> int:
        """Number of parameters."""
        return max(int(place.stop) for place, _ in self.layout.values())

    @property
    def centre(self) -> float:
        """The year in the middle of the quarters."""
        numbers = self.data.numbers
        return float(years_of(numbers[len(numbers) // 2 : len(numbers) // 2 + 1])[0])

    @property
    def reported(self) -> NDArray[np.int64]:
        """1 for the kinds that have the reporting path, else 0."""
        return self.data.faint.astype(np.int64)

    def reporting_columns(self, numbers: NDArray[np.int64]) -> Array:
        """Return the reporting path's columns at quarters; none without faint municipalities."""
        if not self.data.faint.any():
            return np.zeros((len(numbers), 0))
        fitted = self.data.numbers
        return reporting_basis(numbers, int(fitted[0]), int(fitted[-1]), self.data.measures)

    @cached_property
    def reporting_numbers(self) -> int:
        """How many numbers the reporting path has."""
        return int(self.reporting_columns(self.data.numbers).shape[1])

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """All parts of all covariances but the reporting path's."""

        def at(name: str, number: int = 0) -> int:
            return int(self.layout[name][0].start) + number

        found = []
        for c, faint in enumerate(self.data.faint):
            found += [
                Term(SERIES, c, (at("faint_level_sd" if faint else "level_sd"),), "level"),
                Term(SERIES, c, (at("growth_sd"),), "growth"),
                Term(SERIES, c, (at("noise_sd", c),), "noise"),
                Term(SERIES, c, (at("walk_sd", c),), "walk"),
                Term(
                    SERIES,
                    c,
                    (at("faint_season_sd") if faint else at("season_sd", c),),
                    "season",
                ),
                Term(SERIES, c, (), "population"),
                Term(SERIES, c, (), "noise", LEAST_NOISE),
            ]
            found += [
                Term(SERIES, c, (at("step_ratio", k), at("noise_sd", c)), f"step {k + 1}")
                for k in range(2)
            ]
            if faint:
                found.append(Term(SERIES, c, (at("faint_ramp_sd"),), "ramp"))
        if "state_level_sd" in self.layout:
            found += [
                Term(STATE, 0, (at(f"state_{name}_sd"),), name)
                for name in ("level", "growth", "walk", "season", "noise")
            ]
        found += [
            Term(STATE, 0, (), "noise", LEAST_NOISE),
            Term(NATION, 0, (at("nation_walk_sd"),), "walk"),
            Term(NATION, 0, (at("nation_slope_sd"),), "slope"),
            Term(NATION, 0, (), "level", VAGUE_LEVEL),
            Term(NATION, 0, (), "growth", VAGUE_GROWTH),
            Term(NATION, 0, (), "season", VAGUE_SEASON),
            Term(NATION, 0, (), "noise", LEAST_NOISE),
        ]
        return tuple(found)

    @cached_property
    def entries(self) -> Entries:
        """The terms as arrays."""
        return Entries.of(self.terms, len(self.data.faint))

    def covariances(self, sds: Array, kernel: Mapping[str, Array]) -> PathCovariances:
        """Return the covariances at some standard deviations.

        Parameters
        ----------
        sds : array, shape (parameter,)
            The parameters on their own scale.
        kernel : mapping of str to array
            What `kernels` returned; the fitted quarters first. Unidentified money adds to the
            states' variances at those.
        """
        kinds = len(self.data.faint)
        stacked = np.stack([kernel[name] for name in self.entries.kernels])
        found = np.tensordot(self.entries.weights(sds), stacked, 1)
        series, state, nation = found[:kinds], found[kinds], found[kinds + 1]
        states = np.repeat(state[None], len(self.data.coords["state"]), axis=0)
        fitted = self.data.shift_sd.shape[1]
        at = np.arange(fitted)
        states[:, at, at] += self.data.shift_sd**2
        return PathCovariances(series, states, self._with_reporting(nation, sds))

    def split(
        self, part: str, kind: int, sds: Array, kernel: Mapping[str, Array]
    ) -> tuple[Array, Array]:
        """Return the covariances of a trend and of all else, shape (quarter, quarter) each.

        Without what unidentified money adds to the states.
        """
        found = np.zeros((2, *kernel["noise"].shape))
        for term in self.terms:
            if term.part == part and term.kind == kind:
                size = term.scale * float(np.prod(sds[list(term.parameters)]))
                found[0 if term.kernel in TREND else 1] += size**2 * kernel[term.kernel]
        return found[0], found[1]

    def _with_reporting(self, nation: Array, sds: Array) -> Array:
        variance = self.reporting_variance(sds)
        times, more = len(nation), len(variance)
        whole = np.zeros((times + more, times + more))
        whole[:times, :times] = nation
        whole[times:, times:] = np.diag(variance)
        return whole

    def reporting_variance(self, sds: Array) -> Array:
        """Return the prior variances of the reporting path's numbers."""
        more = self.reporting_numbers
        variance = np.full(more, VAGUE_REPORTING**2)
        if more:
            width = KNOT_EVERY / 4.0
            variance[4:] = width * sds[self.layout["faint_path_sd"][0]] ** 2
        return variance

    def pull(self, sds: Array, by: PathCovariances, kernel: Mapping[str, Array]) -> Array:
        """Return the gradient in the logarithms of the parameters, given that in covariances."""
        times = len(kernel["noise"])
        stacked = np.stack([kernel[name] for name in self.entries.kernels])
        into = np.concatenate([by.series, by.state[None], by.nation[None, :times, :times]])
        out = self.entries.pull(sds, np.tensordot(into, stacked, ((1, 2), (1, 2))))
        if "faint_path_sd" in self.layout:
            at = self.layout["faint_path_sd"][0]
            bends = np.diag(by.nation)[times + 4 :]
            out[at] += 2.0 * (KNOT_EVERY / 4.0) * sds[at] ** 2 * bends.sum()
        return out


def root_of(covariance: Array) -> Array:
    """Return a root of a covariance that may be singular, shape (quarter, quarter)."""
    jitter = max(1e-10 * float(np.trace(covariance)) / len(covariance), 1e-14)
    return np.asarray(np.linalg.cholesky(covariance + jitter * np.eye(len(covariance))))
