"""Random walks against Brownian motion, classical differences and dense linear algebra."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pymc as pm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from remitstats.parts import random_walk
from remitstats.parts.structure import log_density

Array = NDArray[np.float64]
CENSUS = np.array([1990.0, 1995.0, 2000.0, 2005.0, 2010.0, 2015.0, 2020.0])
UNEVEN = np.array([1990.0, 2000.0, 2005.0, 2010.0, 2020.0])


@st.composite
def times(draw: st.DrawFn) -> Array:
    steps = draw(st.lists(st.floats(0.1, 20.0), min_size=2, max_size=8))
    return draw(st.floats(-50.0, 2000.0)) + np.cumsum([0.0, *steps])


def without(at: Array, order: int) -> Array:
    """Projector that takes out the level and, for order 2, the line, by least squares."""
    design = np.vander(at - at.mean(), order, increasing=True)
    return np.eye(len(at)) - design @ np.linalg.pinv(design)


def brownian(at: Array) -> Array:
    return np.minimum.outer(at - at[0], at - at[0])


def path_covariance(at: Array, order: int) -> Array:
    """Unscaled covariance of the path from the walk that it or its slopes make."""
    take = without(at, order)
    if order == 1:
        return take @ brownian(at) @ take
    middle = 0.5 * (at[1:] + at[:-1])
    rise = np.tril(np.ones((len(at), len(at) - 1)), -1) * np.diff(at)
    return take @ rise @ brownian(middle) @ rise.T @ take


def scaled(covariance: Array) -> Array:
    return covariance / np.exp(np.log(np.diag(covariance)).mean())


@pytest.mark.parametrize("order", [1, 2])
def test_covariance_is_brownian_motion_up_to_what_is_constrained(order: int) -> None:
    @settings(deadline=None, max_examples=60)
    @given(times())
    def check(at: Array) -> None:
        part = random_walk.structure(at, order)
        expected = scaled(path_covariance(at, order))
        assert part.rank == len(at) - order
        assert part.covariance() == pytest.approx(expected, abs=1e-6)

    check()


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("size", [4, 7, 53])
def test_on_a_regular_grid_the_precision_is_the_classical_one(order: int, size: int) -> None:
    classical = np.diff(np.eye(size), n=order, axis=0)
    half = np.linalg.pinv(classical)  # of full row rank, where the square is all but singular
    inverse = half @ half.T
    factor = np.exp(np.log(np.diag(inverse)).mean())
    part = random_walk.structure(np.arange(size), order)
    assert part.covariance() == pytest.approx(inverse / factor, abs=1e-7)
    # R is that precision wherever the constraints leave the walk free
    take = without(np.arange(size), order)
    precision = take @ part.precision.toarray() @ take
    expected = factor * classical.T @ classical
    assert precision == pytest.approx(expected, abs=1e-9 * expected.max())


@settings(deadline=None, max_examples=30)
@given(times(), st.sampled_from([1, 2]), st.floats(0.01, 100.0), st.floats(-1e3, 1e3))
def test_the_unit_and_origin_of_time_do_not_matter(
    at: Array, order: int, unit: float, origin: float
) -> None:
    other = random_walk.structure(origin + unit * at, order)
    assert other.covariance() == pytest.approx(
        random_walk.structure(at, order).covariance(), abs=1e-5
    )


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("at", [CENSUS, UNEVEN], ids=["regular", "uneven"])
def test_typical_variance_is_one_and_constraints_hold(at: Array, order: int) -> None:
    part = random_walk.structure(at, order)
    assert np.exp(np.log(part.marginal_variance()).mean()) == pytest.approx(1.0)
    sample = part.sample(np.random.default_rng(1), 50)
    assert np.abs(sample.sum(axis=1)).max() < 1e-9
    if order == 2:
        assert np.abs(sample @ (at - at.mean())).max() < 1e-9
        assert (
            np.abs(random_walk.structure(at, 1).sample(np.random.default_rng(1), 5) @ at).max() > 1
        )


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("sd", [0.2, 1.0, 4.0])
def test_log_density_is_that_of_the_singular_normal(oracle: Any, order: int, sd: float) -> None:
    part = random_walk.structure(UNEVEN, order)
    covariance = sd**2 * scaled(path_covariance(UNEVEN, order))
    for x in sd * part.sample(np.random.default_rng(2), 3):
        expected = oracle.log_density(x, covariance, part.rank)
        assert log_density(x, part, sd) == pytest.approx(expected, abs=1e-8)


def test_a_free_trend_is_an_independent_normal_of_its_own(oracle: Any) -> None:
    bent = random_walk.structure(UNEVEN, 2)
    free = random_walk.structure(UNEVEN, 2, trend_sd=3.0)
    line = (UNEVEN - UNEVEN.mean()) / UNEVEN.std()
    expected = bent.covariance() + 9.0 * np.outer(line, line)
    assert free.rank == bent.rank + 1
    assert free.covariance() == pytest.approx(expected, abs=1e-9)
    x = free.sample(np.random.default_rng(3), 1)[0]
    assert abs(x.sum()) < 1e-9
    density = oracle.log_density(x, expected, free.rank)
    assert log_density(x, free) == pytest.approx(density, abs=1e-8)


def test_draws_have_the_covariance(oracle: Any) -> None:
    for order in (1, 2):
        sample = random_walk.structure(UNEVEN, order).sample(np.random.default_rng(4), 40_000)
        oracle.assert_moments(sample, scaled(path_covariance(UNEVEN, order)))


CASES = [(1, None, None), (2, None, None), (2, 3.0, None), (1, None, 2), (2, 3.0, 2)]


def walk_model(order: int, trend_sd: float | None, copies: int | None) -> pm.Model:
    dims = ("wave",) if copies is None else ("place", "wave")
    coords = {"wave": UNEVEN.astype(int), "place": range(copies or 1)}
    with pm.Model(coords=coords) as model:
        walk = random_walk.to_pymc(
            "w", UNEVEN, 0.7, dims, order=order, trend_sd=trend_sd, copies=copies
        )
        pm.Deterministic("walk", walk, dims=dims)
    return model


@pytest.mark.parametrize(("order", "trend_sd", "copies"), CASES)
@pytest.mark.usefixtures("quick_compile")
def test_pymc_has_the_density_of_the_walk(
    order: int, trend_sd: float | None, copies: int | None
) -> None:
    """Innovations have the walk's density times the volume of the map from one to the other."""
    model = walk_model(order, trend_sd, copies)
    part = random_walk.structure(UNEVEN, order, trend_sd)
    start, rng = model.initial_point(), np.random.default_rng(5)
    values = {name: rng.standard_normal(np.shape(value)) for name, value in start.items()}
    names = list(values)
    path_of = model.compile_fn(
        model.replace_rvs_by_values([model["walk"]])[0], inputs=model.value_vars
    )
    path = np.atleast_2d(path_of(values))
    assert {"w_innovation"} <= set(names)
    assert set(names) <= set(model.named_vars_to_dims) | {"w_trend_unit"}
    # the linear map of one copy's innovations, column by column
    unit_model = walk_model(order, trend_sd, None)
    unit_path = unit_model.compile_fn(
        unit_model.replace_rvs_by_values([unit_model["walk"]])[0], inputs=unit_model.value_vars
    )
    zero = {name: np.zeros_like(value) for name, value in unit_model.initial_point().items()}
    columns = []
    for name, value in zero.items():
        for at in np.ndindex(np.shape(value)):
            unit = {**zero, name: value.copy()}
            unit[name][at] = 1.0
            columns.append(unit_path(unit))
    matrix = np.array(columns).T
    assert matrix @ matrix.T == pytest.approx(0.49 * part.covariance(), abs=1e-9)
    volume = 0.5 * np.linalg.slogdet(matrix.T @ matrix)[1]
    ours = sum(log_density(row, part, 0.7) for row in path) + len(path) * volume
    assert model.compile_logp()(values) == pytest.approx(ours, abs=1e-8)


@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_forward(oracle: Any) -> None:
    with walk_model(2, 3.0, 2) as model:
        tree = pm.sample_prior_predictive(draws=4000, model=model, random_seed=1)
    draws = tree["prior"]["walk"].to_numpy()[0].reshape(4000, -1)
    one = 0.49 * random_walk.structure(UNEVEN, 2, 3.0).covariance()
    oracle.assert_moments(draws, np.kron(np.eye(2), one))
    assert list(model.coords["w_step"]) == [2005.0, 2010.0, 2020.0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"times": [2000, 2010], "order": 2}, "needs 3 times or more, found 2"),
        ({"times": [2000], "order": 1}, "needs 2 times or more, found 1"),
        ({"times": [2000, 2020, 2010]}, "rise"),
        ({"times": [2000, 2000, 2010]}, "rise"),
        ({"times": [2000, math.nan, 2010]}, "finite"),
        ({"times": [2000, 2010, 2020], "order": 3}, "order must be 1 or 2"),
        ({"times": [2000, 2010, 2020], "trend_sd": 1.0}, "for order 2"),
        ({"times": [2000, 2010, 2020], "order": 2, "trend_sd": 0.0}, "positive"),
    ],
)
def test_impossible_walks_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        random_walk.structure(**wrong)
