"""BYM2 against its dense covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from remitstats.parts import bym2, icar

# a ring with a chord, a pair and two islands
GRAPH = icar.Graph(9, np.array([(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (1, 3), (5, 6)]))
SIZE = GRAPH.size


def dense_covariance(oracle: Any, sd: float, share: float) -> Any:
    """By pseudo-inverse, component by component."""
    unit = np.zeros((SIZE, SIZE))
    for members in ([0, 1, 2, 3, 4], [5, 6]):
        block = np.ix_(members, members)
        laplacian = np.zeros((SIZE, SIZE))
        for a, b in GRAPH.edges:
            step = np.eye(SIZE)[a] - np.eye(SIZE)[b]
            laplacian += np.outer(step, step)
        inverse = np.linalg.pinv(laplacian[block])
        unit[block] = inverse / np.exp(np.log(np.diag(inverse)).mean())
    unit[7, 7] = unit[8, 8] = 1.0
    return sd**2 * (share * unit + (1 - share) * np.eye(SIZE))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95, 0.9999])
def test_density_of_the_sum_is_that_of_the_dense_normal(oracle: Any, share: float) -> None:
    covariance = dense_covariance(oracle, 0.7, share)
    assert bym2.covariance(GRAPH, 0.7, share) == pytest.approx(covariance, abs=1e-5)
    law = stats.multivariate_normal(cov=covariance)
    for effect in bym2.sample(np.random.default_rng(1), GRAPH, 0.7, share, 4):
        found = bym2.marginal_log_density(effect, GRAPH, 0.7, share)
        # the ridge of the ICAR, 1e-6, is in one of them only
        assert found == pytest.approx(law.logpdf(effect), abs=1e-4)


def test_a_typical_unit_has_the_standard_deviation_whatever_the_share() -> None:
    for share in (0.0, 0.5, 1.0):
        variance = np.diag(bym2.covariance(GRAPH, 1.5, share))
        assert np.sqrt(variance[7:]) == pytest.approx([1.5, 1.5])
    # all spatial: the geometric mean over a component
    assert np.exp(0.5 * np.log(variance[:5]).mean()) == pytest.approx(1.5, rel=1e-4)


def test_draws_have_the_covariance(oracle: Any) -> None:
    sample = bym2.sample(np.random.default_rng(2), GRAPH, 0.7, 0.6, 40_000)
    oracle.assert_moments(sample, dense_covariance(oracle, 0.7, 0.6))


def test_parts_for_the_sparse_engine_add_up_to_the_effect(oracle: Any) -> None:
    spatial, unstructured = bym2.structures(GRAPH, copies=2)
    sds = bym2.part_sds(0.7, 0.6)
    total = sds[0] ** 2 * spatial.covariance() + sds[1] ** 2 * unstructured.covariance()
    one = dense_covariance(oracle, 0.7, 0.6)
    assert total == pytest.approx(np.kron(np.eye(2), one), abs=1e-5)
    assert bym2.structures(GRAPH)[0] is GRAPH.structure


@pytest.mark.parametrize("copies", [None, 2])
@pytest.mark.usefixtures("quick_compile")
def test_pymc_has_the_density_of_the_unit_parts(copies: int | None) -> None:
    shape = (SIZE,) if copies is None else (copies, SIZE)
    dims = ("unit",) if copies is None else ("copy", "unit")
    rng = np.random.default_rng(3)
    with pm.Model(coords={"copy": range(copies or 1), "unit": range(SIZE)}) as model:
        effect = bym2.to_pymc("b", GRAPH, 0.7, 0.6, dims, copies)
        pm.Deterministic("effect", effect, dims=dims)
    point = {
        "b_spatial_unit": GRAPH.structure.sample(rng, copies or 1).reshape(shape),
        "b_unstructured_unit": rng.standard_normal(shape),
    }
    assert set(model.initial_point()) == set(point)
    spatial, rest = (np.atleast_2d(value) for value in point.values())
    soft = sum(icar.soft_log_density(row, GRAPH) for row in spatial)
    expected = soft + stats.norm.logpdf(rest).sum()
    assert model.compile_logp()(point) == pytest.approx(expected, rel=1e-9)
    # where the parts sum to zero, only the constant of the soft constraint is between the two
    hard = sum(bym2.unit_log_density(a, b, GRAPH) for a, b in zip(spatial, rest, strict=True))
    # per copy and component: a mean with sd 0.001 at zero, which is sqrt(n) times that in x
    constant = sum(-np.log(np.sqrt(2 * np.pi * n) * 0.001) for n in (5, 2)) * (copies or 1)
    assert expected - hard == pytest.approx(constant, abs=1e-4)
    with model:
        found = pm.draw(
            model.replace_rvs_by_values([model["effect"]])[0],
            givens={model.rvs_to_values[model[k]]: v for k, v in point.items()},
        )
    assert found == pytest.approx(
        0.7 * (np.sqrt(0.6) * point["b_spatial_unit"] + np.sqrt(0.4) * point["b_unstructured_unit"])
    )


@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_forward(oracle: Any) -> None:
    with pm.Model(coords={"unit": range(SIZE)}) as model:
        pm.Deterministic("effect", bym2.to_pymc("b", GRAPH, 0.7, 0.6, "unit"), dims="unit")
        tree = pm.sample_prior_predictive(draws=4000, model=model, random_seed=1)
    draws = tree["prior"]["effect"].to_numpy()[0]
    oracle.assert_moments(draws, dense_covariance(oracle, 0.7, 0.6))


@pytest.mark.parametrize(("sd", "share"), [(0.0, 0.5), (-1.0, 0.5), (1.0, -0.1), (1.0, 1.1)])
def test_impossible_values_are_refused(sd: float, share: float) -> None:
    with pytest.raises(ValueError, match="found"):
        bym2.part_sds(sd, share)


def test_an_all_spatial_effect_has_no_density_of_the_sum() -> None:
    with pytest.raises(ValueError, match="below 1"):
        bym2.marginal_log_density(np.zeros(SIZE), GRAPH, 1.0, 1.0)
