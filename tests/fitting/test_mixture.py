"""The engine for heavy tails: its collapsed densities are the plain ones, and it samples them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import remitstats
from remitstats.fitting import mixture
from remitstats.fitting.columns_kernel import multiply, precisions, redraw, slopes
from remitstats.fitting.gate import gate
from remitstats.fitting.gaussian_system import GaussianSystem, Surrogate
from remitstats.fitting.local_blocks import LocalBlocks
from remitstats.fitting.mixture import Chain
from remitstats.fitting.mixture_density import (
    Given,
    given_multipliers,
    log_density,
    own_density,
)
from remitstats.models import depopulation
from remitstats.panel.panel import Panel
from remitstats.parts.latent_gaussian import LatentGaussian
from remitstats.simulate import grid_panel, simulate_depopulation

Array = NDArray[np.float64]


def dense(chain: Chain, multiplier: Array, theta: Array, integrated: set[int]) -> float:
    """Return the log density of the measurements with some fields integrated out, by SciPy."""
    system, model = chain.system, chain.model
    values = model.constrain(theta)
    observed, scale, _ = chain.likelihood.mixture(values)
    known = np.isfinite(observed)
    covariance = np.diag(scale**2 / multiplier)
    mean = model.offset.copy()
    for number, f in enumerate(system.fields):
        enters = np.kron(f.basis, f.columns.toarray())
        if number in integrated:
            prior = np.kron(f.covariance(values), f.structure.covariance())
            covariance += enters @ prior @ enters.T
        else:
            mean += enters @ system.layers(chain.state.field)[number].ravel()
    part = np.ix_(known, known)
    density = stats.multivariate_normal(mean[known], covariance[part]).logpdf(observed[known])
    return float(density)


def thetas(chain: Chain) -> list[Array]:
    rng = np.random.default_rng(4)
    return [0.3 * rng.standard_normal(len(chain.joint.names)) for _ in range(3)]


def test_columns_own_effects_are_integrated_out_exactly(chain: Chain, multiplier: Array) -> None:
    given = given_multipliers(chain.joint, multiplier, chain.state.field)
    local = set(chain.joint.blocks.square)
    found, expected = [], []
    for theta in thetas(chain):
        own = theta[chain.joint.of_columns]
        values = chain.model.constrain(theta)
        shared = sum(
            chain.joint.field_density(number, values, gram)
            for number, gram in given.gram.items()
            if number in chain.joint.moving
        )
        found.append(log_density(chain.joint, given, theta)[0] - shared + 0.5 * own @ own)
        expected.append(dense(chain, multiplier, theta, local))
    assert np.diff(found) == pytest.approx(np.diff(expected), abs=1e-4)


def test_the_map_and_what_lasts_are_integrated_out_exactly(chain: Chain, multiplier: Array) -> None:
    """Against SciPy: the whole of the shared fields' lasting parts, given the rest of each."""
    wide, maps, system = chain.joint.wide, chain.joint.row_maps, chain.system
    assert wide is not None
    assert maps is not None
    layers = [layer.copy() for layer in system.layers(chain.state.field)]
    weight = multiplier.reshape(chain.joint.known.shape)
    assert len(wide.lasting) == 3, "growth, size and states"
    found, expected = [], []
    for theta in thetas(chain):
        found.append(chain.fields.wide_law(theta, weight, layers).log_density)
        values = chain.model.constrain(theta)
        observed, scale, _ = chain.likelihood.mixture(values)
        covariance = np.diag(scale**2 / multiplier)
        mean = chain.model.offset.copy()
        lasting = {part.number for part in wide.lasting}
        for number, f in enumerate(system.fields):
            enters = np.kron(f.basis, f.columns.toarray())
            prior = np.kron(f.covariance(values), f.structure.covariance())
            if number in lasting:
                size = f.structure.size
                alike = np.kron(np.full((f.layers, f.layers), 1.0 / f.layers), np.eye(size))
                rest = np.eye(f.size) - alike
                # the law of the field given what differs between its rows
                gain = prior @ rest @ np.linalg.pinv(rest @ prior @ rest) @ rest
                mean += enters @ gain @ layers[number].ravel()
                covariance += enters @ (prior - gain @ prior) @ enters.T
            elif number == maps.number:
                mean += enters @ layers[number].ravel()
            else:
                assert number in chain.joint.blocks.square or number == wide.number
                covariance += enters @ prior @ enters.T
        known = np.isfinite(observed)
        density = stats.multivariate_normal(mean[known], covariance[np.ix_(known, known)])
        expected.append(density.logpdf(observed[known]))
    assert np.diff(found) == pytest.approx(np.diff(expected), abs=1e-4)


def test_shared_fields_are_integrated_out_exactly(chain: Chain, multiplier: Array) -> None:
    joint, blocks = chain.joint, chain.joint.blocks
    residual = joint.measured.copy()
    for number, layer in enumerate(chain.system.layers(chain.state.field)):
        if number not in blocks.square and number not in joint.shared.numbers:
            residual -= blocks.enter(number, layer)
    residual = np.where(joint.known, residual, 0.0)
    weight = multiplier.reshape(joint.known.shape)
    found, expected = [], []
    for theta in thetas(chain):
        values = chain.model.constrain(theta)
        law = blocks.law(values, joint.variance(values, weight))
        shared = joint.shared.law(values, joint.shared.information(law, residual))
        found.append(shared.log_marginal + law.log_density(residual).sum())
        expected.append(
            dense(chain, multiplier, theta, set(blocks.square) | set(joint.shared.numbers))
        )
    assert np.diff(found) == pytest.approx(np.diff(expected), abs=1e-4)


def test_a_whole_field_is_drawn_from_its_law(chain: Chain, multiplier: Array) -> None:
    """Steps 3 and 4 without moves of theta, against the one big factorisation."""
    joint, system, model = chain.joint, chain.system, chain.model
    theta = np.zeros(len(joint.names))
    values = model.constrain(theta)
    observed, scale, _ = chain.likelihood.mixture(values)
    known = np.isfinite(observed)
    surrogate = Surrogate(
        np.where(known, observed, 0.0), np.where(known, multiplier / scale**2, 0.0), scale
    )
    exact = system.condition(theta, surrogate)
    ours = Chain(
        mixture.Preparation(
            joint,
            mixture.State(theta, exact.mean, exact.eta(exact.mean)),
            (np.zeros((len(theta), len(joint.of_columns))), -1.0),
            (np.zeros((len(theta), len(joint.of_likelihood))), -1.0),
            np.zeros((len(theta), len(joint.of_wide))),
        ),
        np.random.SeedSequence(3),
    )
    assert ours.fields.of_rows is not None
    for single in (*ours.fields.of_lasting, *ours.fields.of_shared, *ours.fields.of_rows.singles):
        single.log_length = -np.inf  # theta stands still
    field, eta, sums = exact.mean, [], []
    for _ in range(600):
        stays, field = ours.fields.redraw(theta, np.where(known, multiplier, 0.0), field)
        assert np.array_equal(stays, theta)
        eta.append(joint.eta(field)[known])
        sums.append(field)
    rng = np.random.default_rng(8)
    direct = [exact.eta(exact.field(rng.standard_normal(system.noise)))[known] for _ in range(600)]
    mean, sd = exact.eta(exact.mean)[known], np.std(direct, axis=0)
    # independent draws would give distances of which one in a thousand is beyond 3.3
    assert np.quantile(np.abs(np.mean(eta, axis=0) - mean) / sd * 600**0.5, 0.99) < 5.0
    assert np.median(np.std(eta, axis=0) / sd) == pytest.approx(1.0, abs=0.02)
    assert np.quantile(np.std(eta, axis=0) / sd, 0.99) < 1.2


def test_gradients_are_those_of_differences(chain: Chain, multiplier: Array) -> None:
    given = given_multipliers(chain.joint, multiplier, chain.state.field)
    eta = np.random.default_rng(5).standard_normal(chain.model.cells)
    (theta, *_) = thetas(chain)
    for moved, density in (
        (chain.joint.of_columns, lambda t: log_density(chain.joint, given, t)),
        (chain.joint.of_likelihood, lambda t: own_density(chain.joint, eta, t)),
    ):
        _, slope = density(theta)
        for i in moved:
            step = 1e-5 * np.eye(len(theta))[i]
            change = (density(theta + step)[0] - density(theta - step)[0]) / 2e-5
            assert slope[i] == pytest.approx(change, rel=1e-4, abs=1e-3)


def test_matrices_of_all_columns_are_inverted_as_each_alone() -> None:
    rng = np.random.default_rng(6)
    fields, rows, columns = 2, 5, 131  # two full sets of lanes and a part of one
    root = rng.standard_normal((fields, rows, rows))
    covariance = root @ root.transpose(0, 2, 1)
    square = rng.gamma(1.0, 1.0, (fields, columns))
    variance = rng.gamma(2.0, 1.0, (rows, columns))
    matrices = np.einsum("fc,fij->cij", square, covariance)
    matrices[:, range(rows), range(rows)] += variance.T
    inverse = np.linalg.inv(matrices)
    precision, log_determinant = precisions(covariance, square, variance)
    residual = rng.standard_normal((rows, columns))
    weighted = multiply(precision, residual)
    assert np.moveaxis(precision, 2, 0) == pytest.approx(inverse)
    assert log_determinant == pytest.approx(np.linalg.slogdet(matrices)[1])
    assert pytest.approx(np.einsum("cij,jc->ci", inverse, residual)) == weighted.T
    of_fields, of_cells = slopes(precision, weighted, square)
    per_column = 0.5 * (np.einsum("ic,jc->cij", weighted, weighted) - inverse)
    assert of_fields == pytest.approx(np.einsum("fc,cij->fij", square, per_column))
    assert pytest.approx(np.diagonal(per_column, axis1=1, axis2=2)) == of_cells.T


def test_changes_of_one_rank_leave_the_matrices_of_the_new_multipliers() -> None:
    rng = np.random.default_rng(7)
    rows, columns = 4, 30
    covariance = np.array([np.eye(rows) + 0.5])
    ones = np.ones((1, columns))
    square, current = rng.gamma(2.0, 1.0, (2, rows, columns))
    trial = rng.gamma(1.0, 1.0, (rows, columns))
    known = rng.random((rows, columns)) < 0.9
    residual = rng.standard_normal((rows, columns))
    precision, log_determinant = precisions(covariance, ones, square / current)
    weighted = multiply(precision, residual)
    before, chance = current.copy(), np.log(rng.random(known.shape))
    redraw(precision, log_determinant, weighted, square, known, current, trial, chance)
    assert np.array_equal(current[~known], before[~known])
    assert 0.2 < (current != before)[known].mean() < 0.99, "some moves are made, some are not"
    anew, of_anew = precisions(covariance, ones, square / current)
    assert log_determinant == pytest.approx(of_anew)
    assert precision == pytest.approx(anew)
    assert weighted == pytest.approx(multiply(anew, residual))


def test_multipliers_redrawn_without_the_columns_effects_keep_their_law(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One column with one measured row: the multiplier's law is known up to one integral."""
    blocks = chain.joint.blocks
    theta = chain.state.theta
    values = chain.model.constrain(theta)
    _, scale, degrees = chain.likelihood.mixture(values)
    shape = (blocks.rows, blocks.columns)
    residual = np.zeros(shape)
    residual[0] = 3.0
    known = np.zeros(shape, dtype=bool)
    known[0] = True
    monkeypatch.setattr(chain.joint, "known", known)
    given = Given(known.ravel().astype(float), residual, {})
    draws = []
    for _ in range(400):
        given = Given(chain.redraw(theta, given), residual, {})
        draws.append(given.multiplier.reshape(shape)[0].copy())
    kept = np.array(draws)[20:]
    own = sum(
        (f.basis @ f.covariance(values) @ f.basis.T)[0, 0] * blocks.square[number]
        for number, f in enumerate(blocks.system.fields)
        if number in blocks.square
    )
    grid = np.exp(np.linspace(-12.0, 5.0, 4000))
    for column in range(0, blocks.columns, 30):
        variance = own[column] + scale.reshape(shape)[0, column] ** 2 / grid
        weight = grid * grid ** (0.5 * degrees - 1.0) * np.exp(-0.5 * degrees * grid)
        weight *= np.exp(-0.5 * 9.0 / variance) / np.sqrt(variance)
        expected = np.sum(np.log(grid) * weight) / np.sum(weight)
        assert np.log(kept[:, column]).mean() == pytest.approx(expected, abs=0.45)


def test_a_map_of_one_layer_is_found(blocks: LatentGaussian) -> None:
    local = LocalBlocks(GaussianSystem(blocks))
    names = [local.system.fields[n].components[0].name for n in local.local]
    assert names == ["municipality_own", "count_error", "unplaced_error"]


@pytest.fixture(scope="module")
def simulated() -> Panel:
    return simulate_depopulation(grid_panel(5, 8, seed=3), seed=4).panel


@pytest.mark.parametrize("maps_by_interval", [False, True])
def test_a_fit_has_the_layout_of_every_fit(
    simulated: Panel, monkeypatch: pytest.MonkeyPatch, maps_by_interval: bool
) -> None:
    monkeypatch.setattr(mixture, "PILOT", (4, 4))  # the layout does not depend on its length
    model = depopulation.build(simulated, maps_by_interval=maps_by_interval)
    tree = remitstats.fit(model, simulated, seed=3, draws=10, tune=10, chains=2, cores=2)
    again = remitstats.fit(model, simulated, seed=3, draws=10, tune=10, chains=2, cores=1)
    posterior = tree["posterior"]
    assert posterior["linear_predictor"].dims == ("chain", "draw", "interval", "municipality")
    assert posterior["growth"].shape == (2, 10)
    assert posterior["count_error"].sizes == {
        "chain": 2,
        "draw": 10,
        "count": 2,
        "municipality": 40,
    }
    for name, array in posterior.data_vars.items():
        assert np.isfinite(array).all(), name
        assert array.equals(again["posterior"][name]), "cores change nothing"


@pytest.mark.slow
def test_the_engine_agrees_with_nuts() -> None:
    """Two real states; every hyperparameter, effect and rate within Monte Carlo error."""
    panel = remitstats.load_mexico().select(["01", "06"])
    model: Any = depopulation.build(panel)
    ours = remitstats.fit(model, panel, seed=1, draws=2000, tune=100, chains=2)
    nuts = remitstats.fit(model, panel, seed=2, engine="nuts", draws=2000, tune=1500, chains=2)
    assert gate(ours).r_hat_max < 1.05
    differences = []
    for name, array in ours["posterior"].data_vars.items():
        a, b = (
            tree["posterior"][name].transpose("chain", "draw", ...).to_numpy().astype(float)
            for tree in (ours, nuts)
        )
        sd = np.maximum(a.std(axis=(0, 1)), 1e-6)
        differences.append(np.abs(a.mean(axis=(0, 1)) - b.mean(axis=(0, 1))) / sd)
        assert array.dims == nuts["posterior"][name].dims
        ratio = a.std(axis=(0, 1)) / b.std(axis=(0, 1))
        assert np.median(ratio) == pytest.approx(1.0, abs=0.1), name
    found = np.concatenate([np.ravel(part) for part in differences])
    # a hundred independent draws of either put means within 0.14 standard deviations
    assert np.quantile(found, 0.99) < 0.2
    assert found.max() < 0.4
