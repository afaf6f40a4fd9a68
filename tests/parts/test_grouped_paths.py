"""The collapsed density of many series equals the plain normal one, and so do its gradients."""

import numpy as np
import pytest
from scipy import stats

from remitstats.parts.grouped_paths import GroupedSeries, PathCovariances, density


def covariance(rng, size, scale=1.0):
    root = rng.standard_normal((size, size + 3))
    return scale * (root @ root.T / size + 0.5 * np.eye(size))


class Example:
    """Some states, two kinds of series (the second with an extra path), times missing."""

    def __init__(self, series=40, times=7, states=3, k=2, seed=1, missing=0.5, gaps=0.4):
        rng = np.random.default_rng(seed)
        self.state = rng.integers(0, states, series)
        self.kind = rng.integers(0, 3, series)
        self.y = rng.standard_normal((series, times))
        incomplete = rng.random(series) < missing
        self.y[incomplete[:, None] & (rng.random((series, times)) < gaps)] = np.nan
        self.reported = np.array([0, 0, 1])
        self.extra = rng.standard_normal((times, k))
        self.covariances = PathCovariances(
            np.array([covariance(rng, times, 0.5 + c) for c in range(3)]),
            np.array([covariance(rng, times, 0.3 + 0.1 * s) for s in range(states)]),
            covariance(rng, times + k, 2.0),
        )
        self.data = GroupedSeries.of(self.y, self.state, self.kind, states, 3)

    def plain(self, covariances):
        """Log density of the whole by one dense normal."""
        series, times = self.y.shape
        k = self.extra.shape[1]
        z = covariances.nation
        whole = np.zeros((series * times, series * times))
        design = [np.hstack([np.eye(times), r * self.extra]) for r in self.reported]
        for i in range(series):
            for j in range(series):
                block = design[self.kind[i]] @ z @ design[self.kind[j]].T
                if self.state[i] == self.state[j]:
                    block = block + covariances.state[self.state[i]]
                if i == j:
                    block = block + covariances.series[self.kind[i]]
                whole[i * times : (i + 1) * times, j * times : (j + 1) * times] = block
        seen = np.isfinite(self.y.ravel())
        assert k == z.shape[0] - times
        return stats.multivariate_normal(
            cov=whole[np.ix_(seen, seen)], allow_singular=False
        ).logpdf(self.y.ravel()[seen])

    def collapsed(self, covariances, gradient=True):
        return density(self.data, covariances, self.reported, self.extra, gradient=gradient)


@pytest.mark.parametrize("missing", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("k", [0, 2])
def test_the_collapsed_density_is_the_plain_normal_one(missing, k):
    example = Example(missing=missing, k=k)
    value, _, _ = example.collapsed(example.covariances)
    assert value == pytest.approx(example.plain(example.covariances), rel=1e-11)
    assert example.collapsed(example.covariances, gradient=False)[0] == value


@pytest.mark.parametrize("gaps", [0.15, 0.8])
def test_series_that_miss_few_times_or_many_have_the_plain_normal_density(gaps):
    example = Example(series=30, times=9, missing=1.0, gaps=gaps)
    few = (example.data.length >= 6).mean()  # of nine: told from what complete series say
    assert few > 0.9 if gaps < 0.5 else few < 0.1
    value, _, _ = example.collapsed(example.covariances)
    assert value == pytest.approx(example.plain(example.covariances), rel=1e-11)


@pytest.mark.parametrize("gaps", [0.15, 0.4, 0.7])
@pytest.mark.parametrize("part", ["series", "state", "nation"])
def test_gradients_are_those_of_the_plain_density(part, gaps):
    example = Example(series=15, times=5, gaps=gaps)
    _, by, _ = example.collapsed(example.covariances)
    rng = np.random.default_rng(2)
    start = getattr(example.covariances, part)
    step = rng.standard_normal(start.shape[-2:])
    step = step + step.T
    full = np.broadcast_to(step, start.shape)
    ends = []
    for sign in (1.0, -1.0):
        moved = dict(vars(example.covariances))
        moved[part] = start + sign * 1e-5 * full
        ends.append(example.plain(PathCovariances(**moved)))
    slope = (ends[0] - ends[1]) / 2e-5
    assert np.sum(getattr(by, part) * step) == pytest.approx(slope, rel=1e-6)


def test_paths_drawn_have_the_posterior_of_the_plain_normal():
    example = Example(series=20, times=4, states=2, k=1)
    _, _, posterior = example.collapsed(example.covariances)
    times, k = 4, 1
    size = times + k + 2 * times
    prior = np.zeros((size, size))
    prior[: times + k, : times + k] = example.covariances.nation
    rows, noise = [], []
    for s in range(2):
        part = slice(times + k + s * times, times + k + (s + 1) * times)
        prior[part, part] = example.covariances.state[s]
    precision, right = np.linalg.inv(prior), np.zeros(size)
    for i, y in enumerate(example.y):
        seen = np.isfinite(y)
        c = example.kind[i]
        design = np.zeros((times, size))
        design[:, :times] = np.eye(times)
        design[:, times : times + k] = example.reported[c] * example.extra
        first = times + k + example.state[i] * times
        design[:, first : first + times] = np.eye(times)
        rows = design[seen]
        noise = np.linalg.inv(example.covariances.series[c][np.ix_(seen, seen)])
        precision += rows.T @ noise @ rows
        right += rows.T @ noise @ y[seen]
    variance = np.linalg.inv(precision)
    mean = variance @ right
    rng = np.random.default_rng(3)
    draws = []
    for _ in range(20_000):
        z, d = posterior.draw(rng)
        draws.append(np.concatenate([z, d.ravel()]))
    draws = np.array(draws)
    sd = np.sqrt(np.diag(variance))
    assert np.abs((draws.mean(axis=0) - mean) / sd).max() < 5 / np.sqrt(len(draws))
    scaled = (np.cov(draws.T) - variance) / np.outer(sd, sd)
    assert np.abs(scaled).max() < 0.05


def test_a_covariance_that_is_none_gives_no_number():
    example = Example(series=6, times=4)
    broken = PathCovariances(
        example.covariances.series - 20 * np.eye(4),
        example.covariances.state,
        example.covariances.nation,
    )
    assert np.isnan(example.collapsed(broken)[0])


def test_series_that_are_complete_make_one_group_a_kind_however_many_they_are():
    few, many = (Example(series=n, missing=0.0) for n in (60, 600))
    assert len(few.data.kind) == len(many.data.kind) == 3
    assert few.data.scatter.shape == many.data.scatter.shape
    assert len(many.data.cell_state) == 9  # kinds times states
    assert sum(many.data.members) == 600
