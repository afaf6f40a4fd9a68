"""The robustness value of links: against least squares with a cause left out."""

from __future__ import annotations

import numpy as np
import pytest

from remitstats.estimands.circle_confounding import robustness, state_covariances

LINKS = np.array([[[0.5, 0.2, 0.0], [0.1, 0.6, 0.3], [0.0, -0.2, 0.4]]])
START = np.array([[1.0, 0.3, 0.1], [0.3, 0.8, -0.2], [0.1, -0.2, 0.6]])
NEW = np.diag([0.5, 0.4, 0.3])


def test_a_cause_of_that_strength_takes_the_whole_link_away() -> None:
    """Simulate the cause: with it the true effect is nothing, without it the link appears."""
    value, _ = robustness(LINKS, np.stack([START, NEW]))
    strength = value[1, 2]
    rng, size = np.random.default_rng(1), 400_000
    states = rng.multivariate_normal(np.zeros(3), START, size)
    others = np.column_stack([states[:, :2], np.ones(size)])

    def left(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return y - x @ np.linalg.lstsq(x, y, rcond=None)[0]

    own = left(states[:, 2], others)
    cause = np.sqrt(strength) * own / own.std() + np.sqrt(1 - strength) * rng.normal(size=size)
    cause = left(cause, others)
    rest = np.sqrt(NEW[1, 1])  # what the observed states leave open of the outcome
    free = left(cause, np.column_stack([others, states[:, 2]]))
    outcome = states @ LINKS[0, 1]
    noise = rng.normal(size=size) * rest * np.sqrt(1 - strength)
    outcome = outcome + np.sqrt(strength) * rest * free / free.std() + noise
    with_all = np.column_stack([others, states[:, 2], cause])
    found = np.linalg.lstsq(with_all, outcome, rcond=None)[0]
    assert found[3] == pytest.approx(0.0, abs=0.01)


def test_no_link_needs_no_cause() -> None:
    value, observed = robustness(LINKS, np.stack([START, NEW]))
    assert value[0, 2] == 0.0
    assert np.all((value >= 0) & (value < 1))
    assert np.all(observed[0, 1, :2] == 0.0), "the ends of a link are no third variable"


def test_states_go_on_as_the_recursion_says() -> None:
    links = np.concatenate([LINKS, 0.5 * LINKS])
    found = state_covariances(links, np.stack([START, NEW, NEW]))
    np.testing.assert_allclose(found[0], START)
    np.testing.assert_allclose(found[1], LINKS[0] @ START @ LINKS[0].T + NEW)
