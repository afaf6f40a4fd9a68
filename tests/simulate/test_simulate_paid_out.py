"""Simulated pay-outs: the panel holds them, and the model finds what they were made of."""

from __future__ import annotations

import numpy as np
import pytest

import remitstats
from remitstats.errors import RemitstatsError
from remitstats.estimands.paid_out_flows import expected, flows_of, parameters
from remitstats.models import paid_out
from remitstats.models.paid_out_data import prepare_data
from remitstats.simulate import simulate_paid_out

STATES = ["01", "11", "14", "16", "20", "21", "29", "32"]


def test_panel_holds_the_simulated_dollars_and_shares() -> None:
    panel = remitstats.load_mexico().select(["01", "06"])
    simulation = simulate_paid_out(panel, seed=1, hyperparameters={"noise": 1e-6})
    data = prepare_data(simulation.panel)
    values = {name: np.asarray(v)[None] for name, v in simulation.parameters.items()}
    paid = expected(values, data)["paid"][0]
    assert data.dollars == pytest.approx(paid, rel=1e-3)
    sd = np.sqrt(simulation.municipality["share"] / data.effective)
    assert (np.abs(data.percent / 100 - simulation.municipality["share"]) < 5 * sd + 0.01).all()


def test_same_seed_gives_the_same_panel() -> None:
    panel = remitstats.load_mexico().select(["01", "06"])
    first, again = (simulate_paid_out(panel, seed=2) for _ in range(2))
    assert first.panel.hash == again.panel.hash


def test_unknown_hyperparameter_is_refused() -> None:
    panel = remitstats.load_mexico().select(["01", "06"])
    with pytest.raises(RemitstatsError, match="reach"):
        simulate_paid_out(panel, seed=1, hyperparameters={"reech": 1.0})


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_truth_of_simulated_panels_is_inside_intervals_as_often_as_they_say() -> None:
    panel = remitstats.load_mexico().select(STATES)
    inside: dict[str, list[np.ndarray]] = {}

    def note(name: str, drawn: np.ndarray, truth: np.ndarray | float) -> None:
        low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
        inside.setdefault(name, []).append(np.ravel((low <= truth) & (truth <= high)))

    for seed in range(5):
        simulation = simulate_paid_out(panel, seed=seed)
        truth_of_noise = simulation.hyperparameters
        noise = paid_out.Noise(truth_of_noise["noise"], truth_of_noise["noise_slope"])
        model = paid_out.build(simulation.panel, noise=noise)
        tree = remitstats.fit(model, simulation.panel, seed=seed, draws=400, tune=500, chains=2)
        values = parameters(tree)
        flows = flows_of(values, prepare_data(simulation.panel))
        truth = simulation.municipality
        note("inflow", flows.inflow, truth["inflow"].to_numpy())
        note("outside", flows.outside, truth["outside"].to_numpy() - 1e-9)
        for name, value in simulation.hyperparameters.items():
            if name in ("noise", "noise_slope"):
                continue  # assumed
            note("hyperparameters", values[name], value)
    share = {name: float(np.mean(np.concatenate(found))) for name, found in inside.items()}
    assert 0.85 < share["inflow"] < 0.95
    assert 0.83 < share["outside"] < 0.96
    assert 0.75 < share["hyperparameters"] < 0.99
