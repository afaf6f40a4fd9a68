r"""Many series around shared paths, with everything Gaussian integrated out exactly.

Series i of state s and kind c, seen at the times its mask has:

    y_i      = X_c z + d_s + e_i
    z        ~ Normal(0, N)     the nation: a value for each time, and k numbers of an extra path
    d_s      ~ Normal(0, D_s)   a state's path
    e_i      ~ Normal(0, S_c)   whatever a series has of its own, noise included

X_c z is the nation's path, for the kinds that have it with the extra path added. All series of one
kind with the same times seen (a *group*) share one covariance, so that the density needs of them
only, by state, their number and mean, and one matrix of squares and products around these means.
A thousand more complete series cost nothing, and one that misses few times costs little: the
inverse of its covariance is that of its kind less a matrix of as low a rank.

The gradients are those of the marginal density, by Fisher's identity: for a covariance S whose
effect is e, 1/2 (S^-1 E[e e' | y] S^-1 - S^-1).

References
----------
Anderson (2003), An Introduction to Multivariate Statistical Analysis, chapters 3 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remitstats.parts.path_kernel import grouped_density

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GroupedSeries:
    """What the density needs of many series.

    Parameters
    ----------
    observed : array of int, shape (group, time)
        Times seen by a group, ascending, in the leading places.
    length : array of int, shape (group,)
        How many.
    kind : array of int, shape (group,)
        Kind of its series.
    members : array, shape (group,)
        Number of series.
    scatter_of : array of int, shape (group,)
        Place in `scatter`; -1 where every state has a single series of the group.
    scatter : array, shape (·, time, time)
        Sums of squares and products around the means by state, nought where not seen.
    cell_start : array of int, shape (group + 1,)
        First cell of a group; a cell is a group in a state.
    cell_state, cell_count, cell_mean : array, shape (cell,), (cell,) and (cell, time)
        State, number of series and mean, nought where not seen.
    group_of : array of int, shape (series,)
        Group of every series; -1 for one that is never seen.
    states, kinds : int
        How many.
    """

    observed: Integers
    length: Integers
    kind: Integers
    members: Array
    scatter_of: Integers
    scatter: Array
    cell_start: Integers
    cell_state: Integers
    cell_count: Array
    cell_mean: Array
    group_of: Integers
    states: int
    kinds: int

    @classmethod
    def of(
        cls, y: Array, state: Integers, kind: Integers, states: int, kinds: int
    ) -> GroupedSeries:
        """Return the statistics of series.

        Parameters
        ----------
        y : array, shape (series, time)
            nan where not seen.
        state, kind : array of int, shape (series,)
            State and kind of each.
        states, kinds : int
            How many there are.
        """
        series, times = y.shape
        seen = np.isfinite(y)
        keys: dict[tuple[int, bytes], list[int]] = {}
        for i in range(series):
            if seen[i].any():
                keys.setdefault((int(kind[i]), seen[i].tobytes()), []).append(i)
        ordered = list(keys.items())
        groups = len(ordered)
        observed = np.zeros((groups, times), dtype=np.int64)
        length = np.zeros(groups, dtype=np.int64)
        scatter_of = np.full(groups, -1, dtype=np.int64)
        group_of = np.full(series, -1, dtype=np.int64)
        scatters: list[Array] = []
        starts, cell_state, cell_count, cell_mean = [0], [], [], []
        for g, (_, members) in enumerate(ordered):
            at = np.flatnonzero(seen[members[0]])
            n = length[g] = len(at)
            observed[g, :n] = at
            group_of[members] = g
            around = np.zeros((times, times))
            for s in np.unique(state[members]):
                rows = y[[i for i in members if state[i] == s]][:, at]
                mean = np.zeros(times)
                mean[at] = rows.mean(axis=0)
                apart = rows - mean[at]
                around[np.ix_(at, at)] += apart.T @ apart
                cell_state.append(int(s))
                cell_count.append(float(len(rows)))
                cell_mean.append(mean)
            if len(members) > len(cell_state) - starts[-1]:
                scatter_of[g] = len(scatters)
                scatters.append(around)
            starts.append(len(cell_state))
        return cls(
            observed=observed,
            length=length,
            kind=np.array([key for (key, _), _ in ordered], dtype=np.int64),
            members=np.array([float(len(m)) for _, m in ordered]),
            scatter_of=scatter_of,
            scatter=np.array(scatters) if scatters else np.zeros((1, times, times)),
            cell_start=np.array(starts, dtype=np.int64),
            cell_state=np.array(cell_state, dtype=np.int64),
            cell_count=np.array(cell_count),
            cell_mean=np.array(cell_mean).reshape(len(cell_state), times),
            group_of=group_of,
            states=states,
            kinds=kinds,
        )

    @property
    def times(self) -> int:
        """Number of times."""
        return int(self.observed.shape[1])

    @cached_property
    def arrays(self) -> tuple[Any, ...]:
        """The arrays in the order of the compiled function."""
        return (
            self.observed, self.length, self.kind, self.members, self.scatter_of, self.scatter,
            self.cell_start, self.cell_state, self.cell_count, self.cell_mean,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class PathPosterior:
    """Posterior of the shared paths given all covariances.

    Parameters
    ----------
    nation_mean, nation_variance : array, shape (time + k,) and its square
        Of z.
    information : array, shape (state, time, time + k)
        L: what the series of a state say of d, by z.
    variance : array, shape (state, time, time)
        Of d given z.
    linear : array, shape (state, time)
        h: the mean of d given z is variance (h - L z).
    """

    nation_mean: Array
    nation_variance: Array
    information: Array
    variance: Array
    linear: Array

    def draw(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw z, shape (time + k,), and the states' paths, shape (state, time)."""
        z = self.nation_mean + _root(self.nation_variance) @ rng.standard_normal(
            len(self.nation_mean)
        )
        gap = self.linear - self.information @ z
        noise = rng.standard_normal(gap.shape)
        roots = np.linalg.cholesky(_symmetric(self.variance))
        d = np.einsum("sij,sj->si", self.variance, gap) + np.einsum("sij,sj->si", roots, noise)
        return z, d


@dataclass(frozen=True, eq=False)
class PathCovariances:
    """All covariances of the model.

    Parameters
    ----------
    series : array, shape (kind, time, time)
        S_c.
    state : array, shape (state, time, time)
        D_s.
    nation : array, shape (time + k, time + k)
        N.
    """

    series: Array
    state: Array
    nation: Array


def density(
    data: GroupedSeries,
    covariances: PathCovariances,
    reported: Integers,
    extra: Array,
    *,
    gradient: bool = True,
) -> tuple[float, PathCovariances, PathPosterior]:
    """Return the log density of the series, its gradients and the posterior of the paths.

    Parameters
    ----------
    data : GroupedSeries
        The series.
    covariances : PathCovariances
        Of everything.
    reported : array of int, shape (kind,)
        1 where series of a kind have the extra path.
    extra : array, shape (time, k)
        The extra path is this times k numbers.
    gradient : bool
        Without it the gradients are zero.

    Returns
    -------
    value : float
        nan where a covariance is not positive definite.
    gradients : PathCovariances
        In each covariance; `state` has a single one, the sum over the states.
    posterior : PathPosterior
        Of the shared paths.
    """
    found = grouped_density(
        *data.arrays,
        np.asarray(reported, dtype=np.int64),
        np.ascontiguousarray(extra, dtype=float),
        np.ascontiguousarray(covariances.series),
        np.ascontiguousarray(covariances.state),
        np.ascontiguousarray(covariances.nation),
        gradient,
    )
    by = PathCovariances(found[1], found[2], found[3])
    return float(found[0]), by, PathPosterior(*found[4:])


def _symmetric(a: Array) -> Array:
    return np.asarray(0.5 * (a + np.swapaxes(a, -1, -2)))


def _root(a: Array) -> Array:
    values, vectors = np.linalg.eigh(_symmetric(a))
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
