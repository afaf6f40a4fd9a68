"""Moves of the rows' maps: their laws against SciPy, and the rates they leave where they are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from remitstats.fitting.mixture import Chain
from remitstats.fitting.row_maps import RowMoves

Array = NDArray[np.float64]


def test_moves_of_the_rows_maps_are_integrated_out_exactly(chain: Chain, multiplier: Array) -> None:
    """What steps of the rows' standard deviations are decided by, against SciPy."""
    joint, maps = chain.joint, chain.joint.row_maps
    assert maps is not None
    assert all(i >= 0 for i in maps.of_row)
    assert len(maps.directions) > joint.blocks.rows, "errors of counts have directions"
    assert len(maps.numbers) == 1 + len(joint.shared.numbers)
    blocks, system = joint.blocks, chain.system
    start = joint.values(np.zeros(len(joint.names)))
    law = blocks.law(start, joint.variance(start, multiplier.reshape(joint.known.shape)))
    moves = RowMoves(maps, np.random.default_rng(1))
    layers = list(system.layers(chain.state.field))
    rng = np.random.default_rng(5)
    layers[maps.number] = 0.3 * system.fields[maps.number].structure.sample(rng, blocks.rows)
    shared = [n for n in range(len(layers)) if n not in blocks.square]
    residual = joint.measured - sum(blocks.enter(n, layers[n]) for n in shared)
    residual = np.where(joint.known, residual, 0.0)
    for direction in (maps.directions[0], maps.directions[-1]):
        found, expected = [], []
        for t in (-1.0, 0.0, 0.7):
            theta = np.zeros(len(joint.names))
            for row in np.flatnonzero(direction):
                theta[maps.of_row[row]] = t
            values = joint.values(theta)
            told = moves.law(direction, values, law, law.weigh(residual), layers)
            found.append(told.log_marginal)
            expected.append(_without_move(chain, multiplier, residual, layers, direction, values))
        assert np.diff(found) == pytest.approx(np.diff(expected), abs=1e-4)


def _without_move(
    chain: Chain,
    multiplier: Array,
    residual: Array,
    layers: list[Array],
    direction: Array,
    values: dict[str, float],
) -> float:
    """Return the log density of measurements and fields, a move along a direction integrated out.

    A field's part along the direction is normal given the rest of it; `values` differ from the
    usual ones in nothing that the columns' own effects or scales depend on.
    """
    joint, system = chain.joint, chain.system
    maps = joint.row_maps
    assert maps is not None
    observed, scale, _ = chain.likelihood.mixture(values)
    total = np.diag(scale**2 / multiplier)
    mean, value = np.zeros(residual.shape), 0.0
    for number, f in enumerate(system.fields):
        enters = np.kron(f.basis, f.columns.toarray())
        prior, covariance = f.covariance(values), f.structure.covariance()
        if number in joint.blocks.square:
            total += enters @ np.kron(prior, covariance) @ enters.T
        elif number in maps.numbers:
            precision = np.linalg.inv(prior)
            along = float(direction @ precision @ direction)
            moved = -np.outer(direction, direction @ precision @ layers[number]) / along
            rest = layers[number] + moved
            root = np.asarray(f.structure.root @ rest.T)
            value -= 0.5 * f.structure.rank * (np.linalg.slogdet(prior)[1] + np.log(along))
            value -= 0.5 * float(np.vdot(precision, root.T @ root))
            mean += joint.blocks.enter(number, moved)
            total += enters @ np.kron(np.outer(direction, direction) / along, covariance) @ enters.T
    known = np.isfinite(observed)
    law = stats.multivariate_normal(mean.ravel()[known], total[np.ix_(known, known)])
    return float(value + law.logpdf(residual.ravel()[known]))


def test_maps_change_places_and_the_rates_stay(chain: Chain) -> None:
    """Rows' maps against the lasting one: draws from their priors stay such draws."""
    maps, wide, system = chain.joint.row_maps, chain.joint.wide, chain.system
    assert maps is not None
    assert wide is not None
    joint, blocks = chain.joint, chain.joint.blocks
    values = joint.values(np.zeros(len(joint.names)))
    rng = np.random.default_rng(2)
    moves = RowMoves(maps, rng)
    numbers = [maps.number, wide.number]
    layers = list(system.layers(chain.state.field))
    squares: dict[int, list[float]] = {n: [] for n in numbers}
    for _ in range(400):
        for n in numbers:
            f, prior = system.fields[n], blocks.prior(n, values)
            layers[n] = prior.root @ f.structure.sample(rng, f.layers)
        before, old = sum(blocks.enter(n, layers[n]) for n in numbers), list(layers)
        moves.exchange(values, wide, layers)
        after = sum(blocks.enter(n, layers[n]) for n in numbers)
        assert after == pytest.approx(before)
        for n in numbers:
            f, prior = system.fields[n], blocks.prior(n, values)
            root = f.structure.root @ layers[n].T
            squares[n].append(float(np.vdot(prior.precision, root.T @ root)))
            assert np.abs(layers[n] - old[n]).max() > 0.0
    for n in numbers:
        f = system.fields[n]
        freedom = f.layers * f.structure.rank
        # chi square, in mean over 400 draws
        bound = 4.0 * np.sqrt(2.0 * freedom / 400)
        assert np.mean(squares[n]) == pytest.approx(freedom, abs=bound)
