"""Knorr-Held's four types against dense Kronecker products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytest
import scipy.sparse as sp
from scipy import stats

from remitstats.parts import autoregression, icar, interaction, random_walk
from remitstats.parts.structure import Structure, independent, log_density

# a ring with a chord, a pair and an island
GRAPH = icar.Graph(8, np.array([(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (1, 3), (5, 6)]))
SPACE = icar.icar(GRAPH)
YEARS = np.array([1990.0, 2000.0, 2005.0, 2010.0, 2020.0])
TIMES = {
    "first": random_walk.structure(YEARS, 1),
    "second": random_walk.structure(YEARS, 2),
    "trend": random_walk.structure(YEARS, 2, trend_sd=2.0),
    "ar": autoregression.structure(0.8, 5),
}
KINDS = interaction.KINDS


def dense_parts(kind: str, time: str) -> tuple[np.ndarray, np.ndarray]:
    """Structure matrices of both sides, by hand: singular ones, with nothing filled up."""
    if kind in ("II", "IV"):
        scale = np.sqrt(random_walk.scaling_factor(YEARS, 2 if time in ("second", "trend") else 1))
        if time == "ar":
            left = np.linalg.inv(autoregression.covariance(0.8, 5))
        else:
            order = 1 if time == "first" else 2
            step = scale * random_walk.differences(YEARS, order).toarray()
            left = step.T @ step
            if time == "trend":
                line = (YEARS - YEARS.mean()) / YEARS.std()
                left += np.outer(line, line) / (5.0 * 2.0) ** 2
    else:
        left = np.eye(5)
    if kind in ("III", "IV"):
        right = np.zeros((8, 8))
        factor = GRAPH.scaling[GRAPH.component]
        for a, b in GRAPH.edges:
            step = np.eye(8)[a] - np.eye(8)[b]
            right += factor[a] * np.outer(step, step)
        right[7, 7] = 1.0
    else:
        right = np.eye(8)
    return left, right


CASES = [(kind, time) for kind in KINDS for time in TIMES]


@pytest.mark.parametrize(("kind", "time"), CASES)
def test_rank_and_constraints_are_those_of_the_dense_product(kind: Any, time: str) -> None:
    part = interaction.structure(kind, TIMES[time], SPACE)
    matrix = np.kron(*dense_parts(kind, time))
    rows = part.constraint.toarray()
    assert part.rank == np.linalg.matrix_rank(matrix)
    # the constraints span the null space of the product, and none follows from the others
    assert np.abs(matrix @ rows.T).max(initial=0.0) < 1e-9 * np.abs(matrix).max()
    assert rows.shape[0] == 40 - part.rank == np.linalg.matrix_rank(rows, tol=1e-9)


@pytest.mark.parametrize(("kind", "time"), CASES)
def test_covariance_is_the_pseudo_inverse_of_the_dense_product(kind: Any, time: str) -> None:
    left, right = dense_parts(kind, time)
    expected = np.kron(np.linalg.pinv(left, rtol=1e-9), np.linalg.pinv(right, rtol=1e-9))
    part = interaction.structure(kind, TIMES[time], SPACE)
    assert part.covariance() == pytest.approx(expected, abs=1e-4)  # the ridge of the ICAR
    noise = part.from_noise(np.eye(part.root.shape[0]))
    assert noise @ noise.T == pytest.approx(expected, abs=1e-4)
    rows, space = interaction.copies(kind, TIMES[time], SPACE)
    copies = np.kron(np.eye(rows.shape[1]), space.covariance())
    entered = np.kron(rows, np.eye(8))
    assert entered @ copies @ entered.T == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_log_density_is_that_of_the_singular_normal(oracle: Any, kind: Any) -> None:
    left, right = dense_parts(kind, "first")
    covariance = np.kron(np.linalg.pinv(left, rtol=1e-9), np.linalg.pinv(right, rtol=1e-9))
    part = interaction.structure(kind, TIMES["first"], SPACE)
    for x in 0.6 * part.sample(np.random.default_rng(1), 3):
        expected = oracle.log_density(x, 0.36 * covariance, part.rank)
        assert log_density(x, part, 0.6) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_typical_cell_has_variance_one(kind: Any) -> None:
    part = interaction.structure(kind, TIMES["second"], SPACE)
    assert np.exp(np.log(part.marginal_variance()).mean()) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_have_the_covariance_and_meet_the_constraints(oracle: Any, kind: Any) -> None:
    part = interaction.structure(kind, TIMES["first"], SPACE)
    sample = part.sample(np.random.default_rng(2), 20_000)
    oracle.assert_moments(sample, part.covariance())
    cells = sample.reshape(-1, 5, 8)
    if kind in ("II", "IV"):  # every place's path sums to zero
        assert np.abs(cells.sum(axis=1)).max() < 1e-9
    if kind in ("III", "IV"):  # every time's map does, part by part
        assert np.abs(cells[:, :, :5].sum(axis=2)).max() < 1e-9
        assert np.abs(cells[:, :, 5:7].sum(axis=2)).max() < 1e-9


def test_type_two_of_a_country_needs_no_constraint_in_copies() -> None:
    rows, space = interaction.copies("II", TIMES["first"], independent(2456))
    assert rows.shape == (5, 4)
    assert space.constraint.shape[0] == 0
    whole = interaction.structure("II", TIMES["first"], independent(2456))
    assert whole.constraint.shape[0] == 2456
    # forward draws of all cells work on the two small structures
    assert np.abs(whole.sample(np.random.default_rng(3), 2).reshape(2, 5, -1).sum(1)).max() < 1e-9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("quick_compile")
def test_pymc_has_the_density_of_the_copies(kind: Any) -> None:
    with pm.Model(coords={"wave": YEARS.astype(int), "place": range(8)}) as model:
        effect = interaction.to_pymc("i", kind, TIMES["first"], GRAPH, 0.6, ("wave", "place"))
        pm.Deterministic("effect", effect, dims=("wave", "place"))
    rows, space = interaction.copies(kind, TIMES["first"], SPACE)
    unit = space.sample(np.random.default_rng(4), rows.shape[1])
    if kind in ("III", "IV"):
        expected = sum(icar.soft_log_density(row, GRAPH) for row in unit)
    else:
        expected = stats.norm.logpdf(unit).sum()
    assert model.initial_point()["i_unit"].shape == unit.shape
    assert model.compile_logp()({"i_unit": unit}) == pytest.approx(expected, rel=1e-9)
    at = model.compile_fn(
        model.replace_rvs_by_values([model["effect"]])[0], inputs=model.value_vars
    )
    assert at({"i_unit": unit}) == pytest.approx(0.6 * rows @ unit)
    assert set(model.named_vars_to_dims) == {"i_unit", "effect"}


@pytest.mark.parametrize("kind", ["II", "IV"])
@pytest.mark.usefixtures("quick_compile")
def test_pymc_draws_forward(oracle: Any, kind: Any) -> None:
    with pm.Model(coords={"wave": YEARS.astype(int), "place": range(8)}) as model:
        effect = interaction.to_pymc("i", kind, TIMES["second"], GRAPH, 0.6, ("wave", "place"))
        pm.Deterministic("effect", effect, dims=("wave", "place"))
        tree = pm.sample_prior_predictive(draws=3000, model=model, random_seed=1)
    draws = tree["prior"]["effect"].to_numpy()[0].reshape(3000, 40)
    part = interaction.structure(kind, TIMES["second"], SPACE)
    oracle.assert_moments(draws, 0.36 * part.covariance())


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="found 'V'"):
        interaction.structure("V", TIMES["first"], SPACE)  # type: ignore[arg-type]


def test_any_structure_can_be_time() -> None:
    """Two years apart and one that stands alone, say."""
    pair = Structure(
        sp.csr_array(np.array([[1.0, -1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])),
        sp.csr_array(np.array([[1.0, 1.0, 0.0]])),
        2,
    )
    both = interaction.structure("IV", pair, SPACE)
    assert both.rank == 2 * 6
    assert both.covariance() == pytest.approx(np.kron(pair.covariance(), SPACE.covariance()))
