from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, stats

from remitstats.parts.local_level import LocalLevels, in_contrasts
from remitstats.parts.local_level_draws import draw_levels

YEARS = 24
X = np.array([np.log(0.7), np.log(1.3), np.log(5.0), -0.4, np.log(6.0)])


def averaged(rng: np.random.Generator, breaks: tuple[int, ...] = (), span: int = 4):
    """Return a made-up unit in means of some years, and how it was averaged."""
    weights = np.kron(np.eye(YEARS // span), np.full((1, span), 1.0 / span))
    regressors = [np.ones(YEARS), *((np.arange(YEARS) < year).astype(float) for year in breaks)]
    observed = np.cumsum(rng.standard_normal(YEARS // span)) + 3.0
    return in_contrasts(observed, weights, np.stack(regressors, axis=1), events=True)


def dense(unit, x: np.ndarray) -> float:
    """Return the log likelihood of a unit, every event a covariance of its own."""
    scale, noise, nu, size = np.exp(x[[0, 1, 2, 4]])
    chance = 1.0 / (1.0 + np.exp(-x[3]))
    walk = unit.weights @ np.minimum.outer(range(YEARS), range(YEARS)) @ unit.weights.T
    free = linalg.null_space((unit.weights @ unit.regressors).T)
    plain = walk + noise**2 * np.eye(len(unit.observed))
    terms = [np.log1p(-chance) + density(free, plain, unit, nu, scale)]
    for event, share in zip(unit.event, np.exp(unit.log_prior), strict=True):
        more = plain + size**2 * np.outer(event, event)
        terms.append(np.log(chance * share) + density(free, more, unit, nu, scale))
    return float(np.logaddexp.reduce(terms))


def density(free, covariance, unit, nu, scale) -> float:
    shape = scale**2 * free.T @ covariance @ free
    return stats.multivariate_t(shape=shape, df=nu).logpdf(free.T @ unit.observed)


@pytest.mark.parametrize("breaks", [(), (9,), (8, 9, 10)])
def test_the_likelihood_is_that_of_every_event_written_out(breaks):
    rng = np.random.default_rng(1)
    units = [averaged(rng, breaks), averaged(rng), averaged(rng, span=1)]
    value, _ = LocalLevels(units).gradient(X)
    assert value == pytest.approx(sum(dense(unit, X) for unit in units), rel=1e-10)


def test_the_gradient_is_the_slope():
    rng = np.random.default_rng(2)
    levels = LocalLevels([averaged(rng), averaged(rng, (9,), span=1), averaged(rng, span=2)])
    _, slope = levels.gradient(X)
    step = 1e-6 * np.eye(5)
    found = [(levels.gradient(X + e)[0] - levels.gradient(X - e)[0]) / 2e-6 for e in step]
    assert slope == pytest.approx(found, rel=1e-5)


def test_a_step_at_a_known_break_changes_neither_likelihood_nor_path():
    rng = np.random.default_rng(3)
    unit = averaged(rng, (9,), span=1)
    stepped = in_contrasts(
        unit.observed + 50.0 * (np.arange(YEARS) < 9), unit.weights, unit.regressors, events=True
    )
    assert LocalLevels([stepped]).gradient(X)[0] == pytest.approx(
        LocalLevels([unit]).gradient(X)[0]
    )
    x = np.tile(X, (50, 1))
    one, other = (draw_levels(u, x, np.random.default_rng(4)).path for u in (unit, stepped))
    assert other == pytest.approx(one, abs=1e-8)


def test_drawn_paths_have_the_mean_and_spread_of_the_exact_posterior():
    """With the scale all but known and no events the posterior of the path is a known normal."""
    rng = np.random.default_rng(5)
    unit = averaged(rng, (9,))
    x = np.tile([np.log(0.7), np.log(1.3), 16.0, -40.0, 0.0], (40_000, 1))
    drawn = draw_levels(unit, x, rng).path
    prior = 0.49 * np.minimum.outer(range(YEARS), range(YEARS))
    flat = 1e5 * unit.regressors @ unit.regressors.T
    covariance = unit.weights @ (prior + flat) @ unit.weights.T
    covariance += 0.49 * 1.69 * np.eye(len(unit.observed))
    cross = (prior + 1e5) @ unit.weights.T  # the path holds the start, not the break
    gain = cross @ np.linalg.inv(covariance)
    left = prior + 1e5 - gain @ cross.T
    assert drawn.mean(axis=0) == pytest.approx(gain @ unit.observed, abs=0.03)
    assert drawn.std(axis=0) == pytest.approx(np.sqrt(np.diag(left)), rel=0.03)


def test_a_jump_is_found_where_it_is_and_is_not_in_the_other_reading():
    rng = np.random.default_rng(6)
    path = 0.05 * np.cumsum(rng.standard_normal(40)) + 2.0 * (np.arange(40) >= 25)
    observed = path + 0.05 * rng.standard_normal(40)
    unit = in_contrasts(observed, np.eye(40), np.ones((40, 1)), events=True)
    x = np.tile([np.log(0.05), 0.0, np.log(50.0), 0.0, np.log(20.0)], (400, 1))
    drawn = draw_levels(unit, x, rng)
    change = drawn.path[:, 25:].mean(axis=1) - drawn.path[:, :25].mean(axis=1)
    other = drawn.without_jump()
    assert change.mean() == pytest.approx(path[25:].mean() - path[:25].mean(), abs=0.1)
    assert abs(other[:, 25:].mean() - other[:, :25].mean()) < 0.5
    assert (drawn.jump[:, 24] == 0).mean() > 0.95
    assert (drawn.jump[:, 25] > 1).mean() > 0.95


def test_an_outlier_moves_the_path_less_than_what_it_stands_out_by():
    rng = np.random.default_rng(7)
    observed = 0.05 * np.cumsum(rng.standard_normal(40))
    observed[20] += 3.0
    unit = in_contrasts(observed, np.eye(40), np.ones((40, 1)), events=True)
    x = np.tile([np.log(0.05), 0.0, np.log(50.0), 0.0, np.log(30.0)], (400, 1))
    middle = draw_levels(unit, x, rng).path.mean(axis=0)
    assert abs(middle[20] - middle[[15, 25]].mean()) < 0.3
