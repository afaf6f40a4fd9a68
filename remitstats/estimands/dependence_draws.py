"""Draws of what the dependence model integrated out, exact given each draw of its parameters.

Only what is reported is drawn and kept: averages of a municipality's trend over some quarters and
its next quarters, and the paths of nation and states.

Nation and states come from their posterior (`parts.grouped_paths`). Every municipality follows by
Matheron's rule: draw its parts from their prior, see what series they would have given, and add
what the difference to the actual series says of them. No factor of a conditional covariance is
needed, so that thousands of municipalities cost little more than the draws themselves.

References
----------
Journel and Huijbregts (1978), Mining Geostatistics, section VII.A.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from remitstats.fitting.settings import available_cores
from remitstats.models.dependence_data import CENSUS_DATE, years_of
from remitstats.models.dependence_density import DependenceDensity
from remitstats.models.dependence_form import kernels, root_of
from remitstats.models.dependence_terms import NATION, SERIES, STATE
from remitstats.parts.grouped_paths import PathCovariances
from remitstats.parts.path_kernel import solve_series

Array = NDArray[np.float64]
HORIZON = 8  # quarters ahead


@dataclass(frozen=True, eq=False)
class LatentDraws:
    """Draws, on the scale of logarithms.

    Parameters
    ----------
    trend : array, shape (chain, draw, municipality, window)
        Mean trend of each municipality over each window, nation and state included.
    ahead : array, shape (chain, draw, municipality, quarter)
        The next quarters as they will be measured.
    state_trend, state_ahead : array, shape (chain, draw, state, quarter)
        Means over the steady municipalities of each state: of trends at the fitted quarters, and
        of the next quarters. A state without any has its path's instead.
    """

    trend: NDArray[np.float32]
    ahead: NDArray[np.float32]
    state_trend: NDArray[np.float32]
    state_ahead: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws what was integrated out.

    Parameters
    ----------
    density : DependenceDensity
        The model.
    windows : array, shape (window, quarter)
        Weights of the fitted quarters in each window; rows add up to 1.
    horizon : int
        Quarters after the last fitted one.
    members : array of int, optional
        Positions of the municipalities to draw; all by default.
    """

    density: DependenceDensity
    windows: Array
    horizon: int = HORIZON
    members: NDArray[np.int64] | None = None

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """All quarters as numbers, the fitted ones first."""
        fitted = self.density.data.numbers
        return np.concatenate([fitted, fitted[-1] + 1 + np.arange(self.horizon)])

    @cached_property
    def kernel(self) -> dict[str, Array]:
        """The kernels at all quarters."""
        return kernels(self.numbers, self.density.form.centre, self.density.data.measures)

    @cached_property
    def chosen(self) -> NDArray[np.int64]:
        """Positions of the municipalities that are drawn."""
        if self.members is not None:
            return np.asarray(self.members, dtype=np.int64)
        return np.arange(len(self.density.data.observed))

    @cached_property
    def order(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Drawn municipalities by group, and where each group begins."""
        grouped = self.density.data.grouped
        group_of = grouped.group_of[self.chosen]
        order = np.argsort(group_of, kind="stable")
        start = np.searchsorted(group_of[order], np.arange(len(grouped.kind) + 1))
        return order.astype(np.int64), start.astype(np.int64)

    def draw(
        self, sds: Array, rng: np.random.Generator, repeats: int = 1
    ) -> tuple[Array, Array, Array, Array]:
        """Draw everything `LatentDraws` holds, given the parameters; first axis `repeats`.

        Parameters
        ----------
        sds : array, shape (parameter,)
            The standard deviations.
        rng : numpy.random.Generator
            The stream.
        repeats : int
            Independent draws given the same parameters.
        """
        whole = self.density.form.covariances(sds, self.kernel)
        paths = self._paths(sds, whole, rng, repeats)
        trend, ahead, state, state_ahead = self._municipalities(sds, whole, paths, rng)
        off = self._common_error(rng, repeats)
        trend += (off @ self.windows.T)[:, None]
        return trend, ahead, state + off[:, None], state_ahead

    def _common_error(self, rng: np.random.Generator, repeats: int) -> Array:
        """Draw the error of population that all have in common, shape (repeat, quarter)."""
        data = self.density.data
        after = np.maximum(years_of(data.numbers) - CENSUS_DATE[2020], 0.0)
        rate = data.measures.population_common_sd * rng.standard_normal(repeats)
        return np.asarray(rate[:, None] * after)

    def _paths(
        self, sds: Array, whole: PathCovariances, rng: np.random.Generator, repeats: int
    ) -> _Paths:
        """Draw the paths of nation and states: what of them is trend, and how they go on."""
        data, form = self.density.data, self.density.form
        fitted = data.observed.shape[1]
        posterior = self.density.paths(sds)
        columns = form.reporting_columns(self.numbers)
        nation_parts = form.split(NATION, 0, sds, self.kernel)
        nation_cov = nation_parts[0] + nation_parts[1]
        nation_roots = [root_of(part) for part in nation_parts]
        nation_inverse = np.linalg.inv(nation_cov[:fitted, :fitted])
        state_parts = form.split(STATE, 0, sds, self.kernel)
        state_roots = [root_of(part) for part in state_parts]
        state_inverse = np.linalg.inv(whole.state[:, :fitted, :fitted])
        nation = np.empty((repeats, len(self.numbers)))
        nation_trend = np.empty((repeats, fitted))
        states = len(whole.state)
        state = np.empty((repeats, states, len(self.numbers)))
        state_trend = np.empty((repeats, states, fitted))
        reporting = np.zeros((repeats, len(self.numbers)))
        for r in range(repeats):
            z, d = posterior.draw(rng)
            reporting[r] = columns @ z[fitted:]
            trend, rest = (normal_draws(rng, (), root) for root in nation_roots)
            told = nation_inverse @ (z[:fitted] - (trend + rest)[:fitted])
            nation[r] = trend + rest + nation_cov[:, :fitted] @ told
            nation[r, :fitted] = z[:fitted]
            nation_trend[r] = trend[:fitted] + nation_parts[0][:fitted, :fitted] @ told
            trend, rest = (normal_draws(rng, (states,), root) for root in state_roots)
            path = trend + rest
            path[:, :fitted] += data.shift_sd * rng.standard_normal(data.shift_sd.shape)
            told = np.einsum("sij,sj->si", state_inverse, d - path[:, :fitted])
            state[r] = path + np.einsum("sij,sj->si", whole.state[:, :, :fitted], told)
            state[r, :, :fitted] = d
            state_trend[r] = trend[:, :fitted] + told @ state_parts[0][:fitted, :fitted]
        return _Paths(nation, state, state_trend + nation_trend[:, None], reporting)

    def _municipalities(
        self, sds: Array, whole: PathCovariances, paths: _Paths, rng: np.random.Generator
    ) -> tuple[Array, Array, Array, Array]:
        """Draw what is a municipality's own, given the paths, and put both together."""
        data, form = self.density.data, self.density.form
        fitted = data.observed.shape[1]
        repeats, ahead = len(paths.nation), len(self.numbers) - fitted
        observed, state_of = data.observed[self.chosen], data.state_of[self.chosen]
        kind_of = data.kind_of[self.chosen]
        inside, kinds = len(self.windows), len(data.faint)
        target = np.empty((repeats, len(observed), inside + ahead))
        residual = np.empty((repeats, len(observed), fitted))
        cross = np.empty((kinds, inside + ahead, fitted))
        members = [np.flatnonzero(kind_of == kind) for kind in range(kinds)]
        # sums of steady municipalities' own trends by state: linear in what series tell
        sums = np.zeros((repeats, len(whole.state), fitted))
        parts = [form.split(SERIES, kind, sds, self.kernel) for kind in range(kinds)]
        for kind, here in enumerate(members):
            trend, rest = (
                normal_draws(rng, (repeats, len(here)), root_of(part)) for part in parts[kind]
            )
            target[:, here, :inside] = trend[:, :, :fitted] @ self.windows.T
            own = trend + rest
            target[:, here, inside:] = own[:, :, fitted:]
            path = paths.nation[:, None, :fitted] + paths.state[:, state_of[here], :fitted]
            if data.faint[kind]:
                path += paths.reporting[:, None, :fitted]
            else:
                sums += _by_state(trend[:, :, :fitted], state_of[here], len(whole.state))
            residual[:, here] = observed[here] - path - own[:, :, :fitted]
            cross[kind, :inside] = self.windows @ parts[kind][0][:fitted, :fitted]
            cross[kind, inside:] = whole.series[kind, fitted:, :fitted]
        grouped = data.grouped
        told = solve_series(
            grouped.observed,
            grouped.length,
            grouped.kind,
            *self.order,
            np.ascontiguousarray(whole.series[:, :fitted, :fitted]),
            residual,
        )
        for kind, here in enumerate(members):
            target[:, here] += told[:, here] @ cross[kind].T
            if not data.faint[kind]:
                known = _by_state(told[:, here], state_of[here], len(whole.state))
                sums += known @ parts[kind][0][:fitted, :fitted]
        faint = data.faint[kind_of]
        # what is called a faint municipality's level is on the newest reporting too
        newest = paths.reporting[:, None, fitted - 4 : fitted].mean(axis=2)
        trends = target[:, :, :inside] + paths.state_trend[:, state_of] @ self.windows.T
        trends[:, faint] += newest[:, :, None]
        later = target[:, :, inside:]
        later += paths.nation[:, None, fitted:] + paths.state[:, state_of, fitted:]
        later[:, faint] += paths.reporting[:, None, fitted:]
        count = np.bincount(state_of[~faint], minlength=len(whole.state))
        state = paths.state_trend + sums / np.maximum(count, 1)[:, None]
        state_later = _by_state(later[:, ~faint], state_of[~faint], len(whole.state))
        state_later /= np.maximum(count, 1)[:, None]
        without = count == 0
        own_path = paths.nation[:, None, fitted:] + paths.state[:, :, fitted:]
        state_later[:, without] = own_path[:, without]
        return trends, later, state, state_later


def _by_state(values: Array, state_of: NDArray[np.int64], states: int) -> Array:
    """Return sums over the municipalities of each state, shape (repeat, state, quarter)."""
    design = np.zeros((states, len(state_of)))
    design[state_of, np.arange(len(state_of))] = 1.0
    return np.asarray(design @ values)


@dataclass(frozen=True, eq=False)
class _Paths:
    """Draws of shared paths at all quarters (trends at the fitted ones); first axis repeats.

    A state's trend has the nation's in it.
    """

    nation: Array
    state: Array
    state_trend: Array
    reporting: Array


def normal_draws(rng: np.random.Generator, shape: tuple[int, ...], root: Array) -> Array:
    """Draw normals of a covariance given by its root, shape (*shape, quarter)."""
    return np.asarray(rng.standard_normal((*shape, len(root))) @ root.T)


def draw_all(
    sampler: Sampler,
    fit: xr.DataTree,
    *,
    repeats: int = 2,
    every: int = 1,
    seed: int = 1,
    progress: Callable[[float], None] | None = None,
) -> LatentDraws:
    """Draw what was integrated out for the draws of a fit.

    Parameters
    ----------
    sampler : Sampler
        What to draw.
    fit : DataTree
        A fit of the dependence model.
    repeats : int
        Draws for each draw of the parameters.
    every : int
        Take every so many draws of the parameters.
    seed : int
        The draws follow from it and from the number of the chain.
    progress : callable, optional
        Called with a fraction between 0 and 1.
    """
    posterior = fit["posterior"]
    layout = sampler.density.form.layout
    values = {name: posterior[name].to_numpy()[:, ::every] for name in layout}
    first = next(iter(layout))
    chains, draws = values[first].shape[:2]
    data = sampler.density.data
    count, states = len(sampler.chosen), len(data.coords["state"])
    fitted, ahead = data.observed.shape[1], sampler.horizon
    shapes = (
        (count, len(sampler.windows)),
        (count, ahead),
        (states, fitted),
        (states, ahead),
    )
    found = [np.empty((chains, draws * repeats, *shape), dtype=np.float32) for shape in shapes]
    _ = sampler.order, sampler.kernel, data.grouped  # made once, before threads share them
    done = [0]

    def run(chain: int) -> None:
        rng = np.random.default_rng([seed, chain])
        for draw in range(draws):
            sds = sampler.density.vector(
                {name: value[chain, draw] for name, value in values.items()}
            )
            place = slice(draw * repeats, (draw + 1) * repeats)
            for into, value in zip(found, sampler.draw(sds, rng, repeats), strict=True):
                into[chain, place] = value
            done[0] += 1
            if progress:
                progress(done[0] / (chains * draws))

    with threadpool_limits(limits=1), ThreadPoolExecutor(available_cores()) as pool:
        list(pool.map(run, range(chains)))
    return LatentDraws(*found)


def window_weights(quarters: NDArray[np.str_], windows: dict[str, list[str]]) -> Array:
    """Return the weights of quarters in windows, each the mean of some quarters.

    Parameters
    ----------
    quarters : array of str
        The fitted quarters.
    windows : mapping of str to list of str
        The quarters of each window.
    """
    at = np.array([[q in wanted for q in quarters] for wanted in windows.values()], dtype=float)
    return np.asarray(at / at.sum(axis=1, keepdims=True))
