"""Paths without the loop: against the recursion itself, and on a small real panel."""

from __future__ import annotations

import numpy as np
import pytest

import remitstats
from remitstats.estimands.circle import summarise_circle
from remitstats.estimands.circle_contribution import moved_by_loop, paths
from remitstats.estimands.circle_loop import opened
from remitstats.models.circle_measures import VARIABLES

M, R, S, U, G = range(5)


def test_moves_are_those_of_two_runs_with_the_same_shocks() -> None:
    rng = np.random.default_rng(1)
    units, count = 7, len(VARIABLES)
    links = 0.4 * rng.normal(size=(units, 3, count, count))
    shocks = rng.normal(size=(units, 4, count))
    with_loop = [shocks[:, 0]]
    without = [shocks[:, 0]]
    for t in range(3):
        with_loop.append(np.einsum("uij,uj->ui", links[:, t], with_loop[-1]) + shocks[:, t + 1])
        cut = opened(links[:, t])
        without.append(np.einsum("uij,uj->ui", cut, without[-1]) + shocks[:, t + 1])
    found = moved_by_loop(links, np.stack(with_loop, axis=1))
    np.testing.assert_allclose(found, with_loop[-1] - without[-1])


def test_a_circle_without_feedback_moves_nothing() -> None:
    links = np.zeros((2, 2, 5, 5))
    links[:, :, R, M] = links[:, :, S, R] = links[:, :, U, S] = 0.5
    states = np.random.default_rng(2).normal(size=(2, 3, 5))
    assert not moved_by_loop(links, states).any()


@pytest.fixture(scope="module")
def small() -> tuple:
    panel = remitstats.load_mexico().select(["01", "06"])
    model = remitstats.circle.build(panel)
    return panel, model.data, remitstats.fit(model, panel, draws=30, tune=12, chains=2, seed=4)


def test_paths_of_a_fit_follow_its_seed_and_the_counted_shares(small: tuple) -> None:
    panel, data, fit = small
    table = panel.table("municipality_wave")
    last = table[table["wave"] == 2020].set_index("cvegeo")["receiving_percent"]
    percent = last.reindex(data.coords["municipality"]).to_numpy(float)
    found = paths(fit, data, percent, seed=3)
    again = paths(fit, data, percent, seed=3)
    np.testing.assert_array_equal(found.reliance, again.reliance)
    assert found.reliance.shape == (2, 30, len(percent))
    # what was counted scatters around what is true by the sampling error of a share
    middle = np.median(found.reliance, axis=(0, 1))
    assert np.corrcoef(middle, percent)[0, 1] > 0.9
    assert np.all((found.reliance >= 0) & (found.reliance <= 100))


def test_results_hold_every_municipality_and_judge_what_they_hold(small: tuple) -> None:
    panel, data, fit = small
    results = summarise_circle(fit, panel, data=data)
    table = results.contribution
    assert list(table["cvegeo"]) == list(data.coords["municipality"])
    moved = table["reliance_median"] - table["reliance_cut_median"]
    assert np.max(np.abs(moved - table["reliance_moved_median"])) < 1.0
    assert results.summary["quantities"] > 5 * len(table)
    assert len(results.confounding) == 20
    assert set(results.moved["quantity"]) > {"mean_reliance_moved", "mean_population_moved"}


def test_two_waves_close_no_loop(small: tuple) -> None:
    _, data, fit = small
    two = data.with_observed(data.observed[:, :2], data.earlier)
    with pytest.raises(ValueError, match="three waves"):
        paths(fit, two, np.full(data.shape[0], 5.0), seed=1)
