"""Simulated money of states: the panel holds the truth, and the model finds it."""

from __future__ import annotations

import numpy as np
import pytest

import remitstats
from remitstats.errors import RemitstatsError
from remitstats.estimands.dependence_state_paths import hyperparameters, paths_of
from remitstats.models import dependence_state
from remitstats.models.dependence_state_data import prepare_data
from remitstats.models.dependence_state_density import Priors
from remitstats.panel.panel import Panel
from remitstats.simulate import simulate_dependence_state


@pytest.fixture(scope="module")
def panel() -> Panel:
    return remitstats.load_mexico()


def test_panel_holds_the_simulated_ratios(panel: Panel) -> None:
    simulation = simulate_dependence_state(panel, seed=1)
    data = prepare_data(simulation.panel)
    known = data.product.shape[1]
    assert data.log_percent == pytest.approx(simulation.log_ratio.to_numpy()[:, :known])
    later = np.log(100.0 * data.pesos[:, known:] / simulation.product.to_numpy())
    assert later == pytest.approx(simulation.log_ratio.to_numpy()[:, known:])


def test_same_seed_gives_the_same_panel_and_another_does_not(panel: Panel) -> None:
    first, again, other = (simulate_dependence_state(panel, seed=s) for s in (1, 1, 2))
    assert first.panel.hash == again.panel.hash
    assert first.panel.hash != other.panel.hash


def test_unknown_hyperparameter_is_refused(panel: Panel) -> None:
    with pytest.raises(RemitstatsError, match="Did you mean 'walk_sd'"):
        simulate_dependence_state(panel, seed=1, hyperparameters={"walk": 0.1})


def test_without_noise_the_ratio_is_its_trend(panel: Panel) -> None:
    simulation = simulate_dependence_state(panel, seed=3, hyperparameters={"noise_sd": 0.0})
    assert simulation.trend.to_numpy() == pytest.approx(simulation.log_ratio.to_numpy())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_truth_of_simulated_panels_is_inside_intervals_as_often_as_they_say(panel: Panel) -> None:
    inside: dict[str, list[np.ndarray]] = {}
    scores = []

    def note(name: str, drawn: np.ndarray, truth: np.ndarray | float) -> None:
        low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
        inside.setdefault(name, []).append(np.ravel((low <= truth) & (truth <= high)))

    for seed in range(12):
        simulation = simulate_dependence_state(panel, seed=seed)
        model = dependence_state.build(simulation.panel)
        tree = remitstats.fit(model, simulation.panel, seed=seed, draws=250, tune=200)
        values = hyperparameters(tree["posterior"].to_dataset())
        data = prepare_data(simulation.panel)
        paths = paths_of(values, data, Priors(), np.random.default_rng(seed))
        known = data.product.shape[1]
        note("trend", paths.trend, simulation.trend.to_numpy())
        note("predicted", paths.log_ratio[:, :, known:], simulation.log_ratio.to_numpy()[:, known:])
        note("tendency", paths.tendency, simulation.tendency.to_numpy())
        for name, truth in simulation.hyperparameters.items():
            if name in values:
                note("hyperparameters", values[name], truth)
        truth = simulation.log_ratio.to_numpy()[:, known:]
        scores.append((paths.log_ratio[:, :, known:].mean(axis=0) - truth).mean())
    share = {name: float(np.mean(np.concatenate(found))) for name, found in inside.items()}
    assert 0.85 < share["trend"] < 0.95
    # a year's predictions share the national error: twelve panels are twelve draws of it
    assert 0.75 < share["predicted"] <= 1.0
    assert 0.70 < share["tendency"] <= 1.0
    assert 0.80 < share["hyperparameters"] < 0.98
    assert abs(np.mean(scores)) < 0.03
