"""Pooled groups against the covariance that nesting implies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from remitstats.parts import pooling

# seven municipalities in four states, one of which has none, in two regions
NESTED = pooling.Nesting([np.array([0, 0, 1, 1, 1, 3, 3]), np.array([0, 1, 1, 0])], 2)
SDS = (0.5, 0.8, 1.2)
DIMS = ("municipality", "state", "region")
COORDS = {"municipality": range(7), "state": range(4), "region": range(2)}
FLAT = pooling.Nesting([], 5)


def dense_joint(nesting: pooling.Nesting, sds: tuple[float, ...]) -> np.ndarray:
    """Covariance of the values of all levels, one after another: B D B', B by recursion."""
    sizes = nesting.sizes
    starts = np.concatenate([[0], np.cumsum(sizes)])
    total = int(starts[-1])
    enter = np.eye(total)  # from deviations to values
    for level in range(len(sizes) - 2, -1, -1):
        for group, parent in enumerate(nesting.parents[level]):
            enter[starts[level] + group] += enter[starts[level + 1] + parent]
    variance = np.repeat(np.square(sds), sizes)
    return enter @ np.diag(variance) @ enter.T


@pytest.mark.parametrize(("nesting", "sds"), [(NESTED, SDS), (FLAT, (0.7,))])
def test_log_density_is_that_of_the_dense_normal(
    nesting: pooling.Nesting, sds: tuple[float, ...]
) -> None:
    law = stats.multivariate_normal(cov=dense_joint(nesting, sds))
    for draw in range(3):
        drawn = pooling.sample(np.random.default_rng(draw), nesting, sds, 1)
        values = [level[0] for level in drawn]
        expected = law.logpdf(np.concatenate(values))
        assert pooling.log_density(values, nesting, sds) == pytest.approx(expected)


def test_draws_of_all_levels_have_the_joint_covariance(oracle: Any) -> None:
    levels = pooling.sample(np.random.default_rng(1), NESTED, SDS, 40_000)
    assert [level.shape for level in levels] == [(40_000, 7), (40_000, 4), (40_000, 2)]
    oracle.assert_moments(np.concatenate(levels, axis=1), dense_joint(NESTED, SDS))


def test_deviations_for_the_sparse_engine_have_the_same_covariance() -> None:
    dense = dense_joint(NESTED, SDS)[:7, :7]
    assert pooling.covariance(NESTED, SDS) == pytest.approx(dense)
    total = sum(
        sd**2 * (loading @ structure.covariance() @ loading.T)
        for sd, (structure, loading) in zip(SDS, pooling.deviations(NESTED), strict=True)
    )
    assert total == pytest.approx(dense)


def test_municipalities_of_a_state_share_its_and_its_regions_variance() -> None:
    found = pooling.covariance(NESTED, SDS)
    assert found[0, 0] == pytest.approx(0.25 + 0.64 + 1.44)
    assert found[0, 1] == pytest.approx(0.64 + 1.44)  # the same state
    assert found[0, 5] == pytest.approx(1.44)  # another state of the same region
    assert found[0, 2] == 0.0  # another region


def group_model(centred: bool, nesting: pooling.Nesting = NESTED) -> pm.Model:
    sds, dims = (SDS, DIMS) if nesting is NESTED else ((0.7,), ("state",))
    coords: dict[str, Any] = COORDS if nesting is NESTED else {"state": range(5)}
    with pm.Model(coords=coords) as model:
        levels = pooling.to_pymc("g", nesting, sds, dims, centred=centred)
        for value, dim in zip(levels, dims, strict=True):
            pm.Deterministic(f"level_{dim}", value, dims=dim)
    return model


@pytest.mark.usefixtures("quick_compile")
def test_pymc_centred_has_the_density_of_the_values() -> None:
    model = group_model(True)
    values = [row[0] for row in pooling.sample(np.random.default_rng(2), NESTED, SDS, 1)]
    point = {f"g_{dim}": value for dim, value in zip(DIMS, values, strict=True)}
    assert set(model.initial_point()) == set(point)
    expected = pooling.log_density(values, NESTED, SDS)
    assert model.compile_logp()(point) == pytest.approx(expected)


@pytest.mark.usefixtures("quick_compile")
def test_pymc_non_centred_has_the_same_density_times_the_volume() -> None:
    model = group_model(False)
    rng = np.random.default_rng(3)
    point = {f"g_{dim}_unit": rng.standard_normal(len(COORDS[dim])) for dim in DIMS}
    assert set(model.initial_point()) == set(point)
    outputs = model.replace_rvs_by_values([model[f"level_{dim}"] for dim in DIMS])
    values = model.compile_fn(outputs, inputs=model.value_vars)(point)
    volume = sum(
        size * np.log(sd) for size, sd in zip(NESTED.sizes, SDS, strict=True)
    )  # of the triangular map from units to values
    expected = pooling.log_density(values, NESTED, SDS) + volume
    assert model.compile_logp()(point) == pytest.approx(expected)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_forward(oracle: Any, centred: bool) -> None:
    with group_model(centred) as model:
        tree = pm.sample_prior_predictive(draws=4000, model=model, random_seed=1)
    levels = [tree["prior"][f"level_{dim}"].to_numpy()[0] for dim in DIMS]
    oracle.assert_moments(np.concatenate(levels, axis=1), dense_joint(NESTED, SDS))


@pytest.mark.usefixtures("quick_compile")
def test_one_level_is_exchangeable(oracle: Any) -> None:
    with group_model(False, FLAT) as model:
        tree = pm.sample_prior_predictive(draws=4000, model=model, random_seed=1)
    oracle.assert_moments(tree["prior"]["level_state"].to_numpy()[0], 0.49 * np.eye(5))


def test_impossible_nestings_are_refused() -> None:
    with pytest.raises(ValueError, match="level 0 must be positions between 0 and 1"):
        pooling.Nesting([np.array([0, 2])], 2)
    with pytest.raises(ValueError, match="level 1 must be positions between 0 and 0"):
        pooling.Nesting([np.array([0, 1]), np.array([0, -1])], 1)
    with pytest.raises(ValueError, match="one sd a level is needed, 3 in all, found 2"):
        pooling.covariance(NESTED, (1.0, 1.0))
    with pm.Model(coords=COORDS), pytest.raises(ValueError, match="one dim a level"):
        pooling.to_pymc("g", NESTED, SDS, ("municipality",))
