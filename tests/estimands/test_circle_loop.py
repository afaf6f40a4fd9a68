"""The loop's algebra: known answers and what must hold of any matrix."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from remitstats.estimands.circle_loop import (
    CHAIN,
    chain_product,
    cut,
    deepening,
    dominant_eigenvalue,
    feedback,
    gain,
    gain_long_run,
    loop_quantities,
    opened,
    ordered_effects,
    regimes,
    responses,
)

M, R, S, U, G = range(5)
FAR = 400


@pytest.fixture
def chain() -> np.ndarray:
    """The claimed chain and nothing else."""
    effects = np.zeros((5, 5))
    effects[R, M], effects[S, R], effects[U, S], effects[M, U] = 0.5, 0.4, -0.6, 0.3
    return effects


@pytest.fixture
def stable() -> np.ndarray:
    """Draws of matrices whose spectral radius is below 1, dims (2, 20, to, from)."""
    found = np.random.default_rng(4).normal(0, 0.3, (2, 20, 5, 5))
    return found * (0.85 / np.maximum(dominant_eigenvalue(found), 0.85))[..., None, None]


def test_gain_of_a_pure_chain_is_the_product_of_its_links(chain):
    product = 0.5 * 0.4 * -0.6 * 0.3
    assert gain(chain) == pytest.approx(product)
    assert chain_product(chain) == pytest.approx(product)
    assert gain_long_run(chain) == pytest.approx(product)
    assert gain(chain, horizon=2) == 0.0  # the chain takes four waves


def test_halves_of_a_pure_chain_are_the_products_of_theirs(chain):
    assert deepening(chain) == pytest.approx(0.5 * 0.4 * -0.6)
    assert feedback(chain) == pytest.approx(0.3)


def test_own_links_accumulate_over_the_horizon():
    effects = np.zeros((5, 5))
    effects[U, M], effects[U, U], effects[M, U] = 0.1, 0.9, 0.2
    carried = 1 + 0.9 + 0.81
    assert deepening(effects) == pytest.approx(0.1 * carried)
    assert feedback(effects) == pytest.approx(0.2 * carried)
    assert gain(effects) == pytest.approx(0.02 * carried)


@pytest.mark.parametrize(("to", "origin"), CHAIN)
def test_any_link_cut_opens_a_pure_chain(chain, to, origin):
    quantities = loop_quantities(chain)
    assert gain(cut(chain, to, origin)) == 0.0
    assert quantities[f"gain_without_{origin}_{to}"] == 0.0
    assert quantities[f"closed_by_{origin}_{to}"] == quantities["gain"] != 0.0


def test_cutting_leaves_the_matrix_it_was_given(chain):
    before = chain.copy()
    cut(chain, *CHAIN[0])
    opened(chain)
    assert (chain == before).all()


def test_gain_does_not_depend_on_the_order_of_the_other_variables(stable):
    for order in itertools.permutations([R, S, U, G]):
        mixed = stable[..., [M, *order], :][..., :, [M, *order]]
        np.testing.assert_allclose(gain(mixed), gain(stable), atol=1e-14)
        np.testing.assert_allclose(gain_long_run(mixed), gain_long_run(stable), atol=1e-11)


def test_a_long_horizon_reaches_the_closed_form(stable):
    rest = stable[..., 1:, 1:]
    held = dominant_eigenvalue(rest) < 0.95
    assert held.sum() > 10
    found = stable[held]
    inverse = np.linalg.inv(np.eye(4) - found[..., 1:, 1:])
    into, back = found[..., 1:, :1], found[..., :1, 1:]
    through = (back @ inverse @ into)[..., 0, 0]
    np.testing.assert_allclose(gain(found, horizon=FAR), through, rtol=1e-6)
    np.testing.assert_allclose(
        deepening(found, horizon=FAR), (inverse @ into)[..., 2, 0], rtol=1e-6
    )
    np.testing.assert_allclose(feedback(found, horizon=FAR), (back @ inverse)[..., 0, 2], rtol=1e-6)
    own = np.abs(found[..., M, M]) < 1
    expected = np.where(own, through / (1 - found[..., M, M]), np.nan)
    np.testing.assert_allclose(gain_long_run(found), expected)


def test_long_run_gain_is_undefined_where_a_lasting_unit_grows_for_ever(chain):
    explosive, restless, reversing = (chain.copy() for _ in range(3))
    explosive[U, U], restless[M, M], reversing[M, M] = 1.02, 1.0, -1.1
    found = gain_long_run(np.stack([chain, explosive, restless, reversing]))
    assert np.isnan(found).tolist() == [False, True, True, True]
    assert np.isfinite(gain(np.stack([explosive, restless, reversing]))).all()


def test_innovations_without_correlation_make_ordered_equal_to_lagged(stable):
    innovation = np.diag([0.4, 1.0, 2.0, 0.3, 0.1])
    total, within = ordered_effects(stable, innovation)
    np.testing.assert_allclose(total, stable, atol=1e-15)
    lagged = loop_quantities(stable)
    for name, value in loop_quantities(total, within).items():
        np.testing.assert_allclose(value, lagged[name], atol=1e-12, err_msg=name)


@pytest.fixture
def structure() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects within a wave, direct effects of the wave before, covariance of what is new."""
    rng = np.random.default_rng(2)
    within = np.tril(rng.normal(0, 0.4, (5, 5)), -1)
    direct = rng.normal(0, 0.2, (5, 5))
    solved = np.linalg.inv(np.eye(5) - within)
    return within, direct, solved @ np.diag(rng.gamma(4, 0.2, 5)) @ solved.T


def test_ordered_effects_give_back_the_model_behind_the_covariance(structure):
    within, direct, innovation = structure
    links = np.linalg.inv(np.eye(5) - within) @ direct
    total, inside = ordered_effects(links, innovation)
    np.testing.assert_allclose(inside, within, atol=1e-12)
    np.testing.assert_allclose(total, within + direct, atol=1e-12)


@pytest.mark.parametrize("horizon", [1, 3, 5])
def test_halves_are_what_a_wave_by_wave_simulation_of_the_model_gives(structure, horizon):
    within, direct, _ = structure
    total = within + direct

    def run(pushed: int) -> list[np.ndarray]:
        """A lasting unit on one variable from wave 0 on; migration answers to nothing else."""
        before, states = np.zeros(5), []
        for _ in range(horizon + 2):
            now = np.zeros(5)
            for k in range(5):
                held = k == M
                now[k] = float(k == pushed) + (
                    0.0 if held else within[k] @ now + direct[k] @ before
                )
            states.append(now)
            before = now
        return states

    deep, back = run(M), run(U)
    answer = direct[M, 1:]
    assert deepening(total, within, horizon) == pytest.approx(deep[horizon][U])
    assert feedback(total, within, horizon) == pytest.approx(answer @ back[horizon - 1][1:])
    assert gain(total, within, horizon) == pytest.approx(answer @ deep[horizon][1:])


def test_what_acts_within_a_wave_takes_no_time_in_the_long_run_either(structure):
    within, direct, _ = structure
    total = within + direct
    far = gain(total, within, FAR) / (1 - total[M, M])
    assert gain_long_run(total, within) == pytest.approx(far)
    links = np.linalg.inv(np.eye(5) - within) @ direct
    assert dominant_eigenvalue(total, within) == pytest.approx(dominant_eigenvalue(links))


def test_responses_are_columns_of_powers_and_the_open_loop_returns_nothing(stable):
    moved = responses(stable)
    assert moved.shape == (2, 20, 3, 5)
    np.testing.assert_allclose(moved[..., 0, :], stable[..., :, M])
    np.testing.assert_allclose(moved[..., 2, :], np.linalg.matrix_power(stable, 3)[..., :, M])
    own = responses(opened(stable))[..., M]
    np.testing.assert_allclose(own, stable[..., [M], M] ** np.arange(1, 4))


def test_a_closed_chain_has_an_eigenvalue_that_the_open_one_lacks(chain):
    found = loop_quantities(chain)
    assert found["eigenvalue"] == pytest.approx(abs(0.5 * 0.4 * 0.6 * 0.3) ** 0.25)
    assert found["eigenvalue_open"] == pytest.approx(0.0, abs=1e-12)


def test_regimes_of_hand_made_halves():
    deepened = np.array([0.2, -0.2, 0.2, -0.2, 0.04, 0.05, -0.06])
    fed_back = np.array([0.2, 0.2, -0.2, 0.01, 0.2, 0.2, 0.06])
    found = regimes(deepened, fed_back)
    assert found["vicious"].tolist() == [True, False, False, False, False, False, False]
    assert found["virtuous"].tolist() == [False, True, False, False, False, False, True]
    assert found["none"].tolist() == [False, False, True, True, True, True, False]
    assert regimes(deepened, fed_back, delta=0.03)["vicious"][4]
