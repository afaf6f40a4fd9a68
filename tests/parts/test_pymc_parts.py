"""The custom PyMC distributions against NumPy: element by element, never summed again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytest

from remitstats.parts import icar
from remitstats.parts.sampling_error import EffectiveBinomial

GRAPH = icar.Graph(6, np.array([(0, 1), (1, 2), (2, 0), (3, 4)]))  # two parts and an island
STRUCTURE = icar.icar(GRAPH)
MEMBERS = ([0, 1, 2], [3, 4])


def oracle(x: np.ndarray) -> float:
    """Unit-scale ICAR with each part's mean held at zero to within 0.001."""
    held = sum((x[member].mean() / 0.001) ** 2 for member in map(np.array, MEMBERS))
    return icar.log_density(x, STRUCTURE) - 0.5 * held


@pytest.mark.parametrize("copies", [None, 3])
def test_icar_log_density_has_one_value_a_copy(copies: int | None) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6,) if copies is None else (copies, 6))
    coords: dict[str, Any] = {"copy": range(copies or 1), "unit": range(6)}
    dims = "unit" if copies is None else ("copy", "unit")
    with pm.Model(coords=coords) as model, pytensor.config.change_flags(mode="FAST_COMPILE"):
        variable = icar.to_pymc("x", GRAPH, dims, copies)
        one = pm.logp(variable, x).eval()
        total = model.compile_logp()({"x": x})
    expected = np.array([oracle(row) for row in np.atleast_2d(x)])
    assert one.shape == (() if copies is None else (copies,))
    assert np.atleast_1d(one) == pytest.approx(expected, rel=1e-9)
    assert total == pytest.approx(expected.sum(), rel=1e-9)


@pytest.mark.filterwarnings("ignore:Numba will use object mode:UserWarning")
def test_icar_can_be_drawn_forward() -> None:
    with pm.Model(coords={"copy": range(2), "unit": range(6)}):
        variable = icar.to_pymc("x", GRAPH, ("copy", "unit"), 2)
        draws = pm.draw(variable, draws=3000, random_seed=1)
    assert draws.shape == (3000, 2, 6)
    assert np.abs(draws[:, :, :3].sum(axis=-1)).max() < 1e-9
    assert np.abs(draws[:, :, 3:5].sum(axis=-1)).max() < 1e-9
    covariance = np.cov(STRUCTURE.sample(np.random.default_rng(2), 20_000).T)
    assert np.cov(draws[:, 0].T) == pytest.approx(covariance, abs=0.12)
    assert np.abs(np.corrcoef(draws[:, 0].T, draws[:, 1].T)[:6, 6:][5]).max() < 0.1


def test_effective_binomial_of_the_model_is_the_kernel_cell_by_cell(model: Any, data: Any) -> None:
    eta = np.random.default_rng(4).normal(-3.0, 1.0, data.effective.shape)
    observed = model["receiving_dwellings"]
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        cells = pm.logp(observed, data.receiving)
        at = pytensor.function(
            [model["linear_predictor"]], cells, on_unused_input="raise", mode="FAST_COMPILE"
        )
    kernel = EffectiveBinomial(data.receiving, data.effective).log_density(eta)
    assert at(eta).shape == eta.shape
    assert at(eta) == pytest.approx(kernel, rel=1e-10)
