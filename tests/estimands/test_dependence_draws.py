"""What was integrated out is drawn from its exact posterior given the parameters."""

from dataclasses import replace

import numpy as np
import pytest

from remitstats.estimands.dependence_draws import Sampler, window_weights
from remitstats.models import dependence
from remitstats.models.dependence_data import prepare_data
from remitstats.models.dependence_density import DependenceDensity
from remitstats.models.dependence_terms import NATION, SERIES, STATE
from remitstats.panel.load import load_mexico


def test_the_error_of_population_in_common_widens_growth_after_the_census(sampler):
    sds = sampler.density.sds(sampler.density.start())
    wide = replace(sampler.density.data.measures, population_common_sd=0.1)
    moved = replace(sampler, density=replace(sampler.density, data=with_measures(sampler, wide)))
    one, other = (s.draw(sds, np.random.default_rng(1), 3)[0] for s in (sampler, moved))
    # before the census of 2020 there is none
    np.testing.assert_allclose(one, other, atol=1e-6)
    off = moved._common_error(np.random.default_rng(2), 2000)
    assert (off == 0).all()
    later = replace(moved, density=replace(moved.density, data=in_2025(moved.density.data)))
    off = later._common_error(np.random.default_rng(2), 2000)
    assert off.std(axis=0)[-1] == pytest.approx(0.1 * (2025.875 - 2020.2), rel=0.05)


def with_measures(sampler, measures):
    return replace(sampler.density.data, measures=measures)


def in_2025(data):
    quarters = np.array([f"20{year}Q{q}" for year in range(19, 26) for q in range(1, 5)])
    return replace(data, coords={**data.coords, "quarter": quarters})


@pytest.fixture(scope="module")
def sampler():
    """Ten municipalities of two states, steady and faint, one of them never seen."""
    data = prepare_data(load_mexico().select(["01", "06", "32"]), last_quarter="2019Q4")
    faint = data.faint[data.kind_of]
    chosen = np.concatenate([np.flatnonzero(~faint)[[0, 1, 12, 13, 14]], np.flatnonzero(faint)[:5]])
    observed = data.observed[chosen].copy()
    observed[-1] = np.nan
    states = np.unique(data.state_of[chosen])
    kinds = np.unique(data.kind_of[chosen])
    small = replace(
        data,
        coords={
            **data.coords,
            "municipality": data.coords["municipality"][chosen],
            "state": data.coords["state"][states],
            "kind": data.coords["kind"][kinds],
        },
        observed=observed,
        state_of=np.searchsorted(states, data.state_of[chosen]),
        kind_of=np.searchsorted(kinds, data.kind_of[chosen]),
        faint=data.faint[kinds],
        shift=data.shift[states],
        shift_sd=data.shift_sd[states] + 0.02,
    )
    quarters = small.coords["quarter"]
    windows = window_weights(quarters, {"first": list(quarters[:4]), "last": list(quarters[-4:])})
    return Sampler(DependenceDensity(small, dependence.Priors()), windows, horizon=3)


def dense(sampler, sds):  # noqa: PLR0915 - one matrix after the other
    """Mean and covariance of everything that is drawn, by one dense normal."""
    density = sampler.density
    data, form = density.data, density.form
    times, size = data.observed.shape[1], len(sampler.numbers)
    parts = {}
    for part, kinds in ((NATION, [0]), (STATE, [0]), (SERIES, range(len(data.faint)))):
        for kind in kinds:
            parts[part, kind] = form.split(part, kind, sds, sampler.kernel)
    extra = form.reporting_columns(sampler.numbers)
    reporting = np.diag(form.reporting_variance(sds))
    blocks = [parts[NATION, 0], *[parts[STATE, 0]] * len(data.coords["state"])]
    blocks += [parts[SERIES, kind] for kind in data.kind_of]
    # every path has a trend and a rest at all quarters; the reporting path's numbers come last
    total = 2 * size * len(blocks) + len(reporting)
    cov = np.zeros((total, total))
    for b, (trend, rest) in enumerate(blocks):
        first = 2 * size * b
        cov[first : first + size, first : first + size] = trend
        cov[first + size : first + 2 * size, first + size : first + 2 * size] = rest
    for s in range(len(data.coords["state"])):
        first = 2 * size * (1 + s) + size
        at = first + np.arange(times)
        cov[at, at] += data.shift_sd[s] ** 2
    cov[total - len(reporting) :, total - len(reporting) :] = reporting

    def path(block, *, trend_only=False, weights=None):
        rows = np.zeros((size, total))
        first = 2 * size * block
        rows[:, first : first + size] = np.eye(size)
        if not trend_only:
            rows[:, first + size : first + 2 * size] = np.eye(size)
        return rows if weights is None else weights @ rows

    def series(i):
        rows = path(0) + path(1 + data.state_of[i]) + path(1 + len(data.coords["state"]) + i)
        if data.faint[data.kind_of[i]]:
            rows[:, total - len(reporting) :] += extra
        return rows

    count = len(data.observed)
    look = np.concatenate([series(i)[:times] for i in range(count)])
    seen = np.isfinite(data.observed.ravel())
    look, y = look[seen], data.observed.ravel()[seen]
    wide = np.hstack([sampler.windows, np.zeros((len(sampler.windows), size - times))])
    wanted, trends = [], []
    for i in range(count):
        trend = (
            path(0, trend_only=True)
            + path(1 + data.state_of[i], trend_only=True)
            + path(1 + len(data.coords["state"]) + i, trend_only=True)
        )
        if data.faint[data.kind_of[i]]:  # its level is that of the newest reporting
            trend[:, total - len(reporting) :] += extra[times - 4 : times].mean(axis=0)
        trends.append(trend)
        wanted.append(wide @ trend)
        wanted.append(series(i)[times:])
    for s in range(len(data.coords["state"])):
        steady = np.flatnonzero((data.state_of == s) & ~data.faint[data.kind_of])
        if not len(steady):  # then it is the state's own path
            trend = path(0, trend_only=True) + path(1 + s, trend_only=True)
            wanted += [trend[:times], (path(0) + path(1 + s))[times:]]
            continue
        wanted.append(np.mean([trends[i][:times] for i in steady], axis=0))
        wanted.append(np.mean([series(i)[times:] for i in steady], axis=0))
    wanted = np.concatenate(wanted)
    inverse = np.linalg.inv(look @ cov @ look.T)
    gain = wanted @ cov @ look.T @ inverse
    return gain @ y, wanted @ cov @ wanted.T - gain @ (look @ cov @ wanted.T)


def test_draws_have_mean_and_covariance_of_the_dense_posterior(sampler):
    density = sampler.density
    sds = density.sds(density.start())
    mean, cov = dense(sampler, sds)
    rng = np.random.default_rng(1)
    flat = []
    for _ in range(100):
        trend, ahead, state, state_ahead = sampler.draw(sds, rng, repeats=20)
        municipal = np.concatenate([trend, ahead], axis=2).reshape(20, -1)
        by_state = np.concatenate([state, state_ahead], axis=2).reshape(20, -1)
        flat.append(np.concatenate([municipal, by_state], axis=1))
    drawn = np.concatenate(flat)
    assert drawn.shape[1] == len(mean)
    sd = np.sqrt(np.diag(cov))
    off = (drawn.mean(axis=0) - mean) / (sd / np.sqrt(len(drawn)))
    assert np.abs(off).max() < 4.5
    scaled = np.cov(drawn.T) / np.outer(sd, sd) - cov / np.outer(sd, sd)
    assert np.abs(scaled).max() < 6.5 / np.sqrt(len(drawn))


def test_a_municipality_never_seen_is_as_uncertain_as_its_prior(sampler):
    density = sampler.density
    sds = density.sds(density.start())
    rng = np.random.default_rng(2)
    trend = np.concatenate([sampler.draw(sds, rng, 20)[0] for _ in range(20)])
    own = trend[:, -1, 0] - trend[:, :, 0].mean(axis=1)
    level = sds[density.form.layout["faint_level_sd"][0]][0]
    assert 0.8 * level < own.std() < 2.5 * level


def test_windows_are_means_of_their_quarters():
    weights = window_weights(np.array(["2013Q1", "2013Q2", "2013Q3"]), {"a": ["2013Q1", "2013Q3"]})
    assert weights.tolist() == [[0.5, 0.0, 0.5]]
