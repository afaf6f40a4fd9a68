"""Estimands of pay-outs on a fit made by hand around a simulated truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import remitstats
from remitstats.errors import RemitstatsError
from remitstats.estimands.paid_out_flows import PARTS, expected, flows_of, parameters
from remitstats.estimands.paid_out_predictive import STATISTICS
from remitstats.estimands.paid_out_results import PaidOutResults
from remitstats.models.paid_out import Priors
from remitstats.models.paid_out_data import prepare_data
from remitstats.parts.sampling_error import SamplingDesign
from remitstats.simulate import PaidSimulation, simulate_paid_out

CHAINS, DRAWS = 2, 40


@pytest.fixture(scope="module")
def simulation() -> PaidSimulation:
    panel = remitstats.load_mexico().select(["01", "06", "29"])
    return simulate_paid_out(panel, seed=1, hyperparameters={"noise": 0.05})


def fit_around(
    simulation: PaidSimulation, form: str = "gravity", jitter: float = 0.02
) -> xr.DataTree:
    rng = np.random.default_rng(2)
    data = prepare_data(simulation.panel)
    dims = {
        "share_logit": "municipality",
        "own_pull": "municipality",
        "state_rate": "state",
        "block_unit": "block",
    }
    posterior = {}
    for name, value in simulation.parameters.items():
        draws = value + jitter * rng.normal(size=(CHAINS, DRAWS, *np.shape(value)))
        own = (dims[name],) if name in dims else ()
        posterior[name] = (("chain", "draw", *own), draws)
    settings = {"engine": "laplace", "draws": DRAWS, "tune": 10, "chains": CHAINS, "seed": 3}
    specification = {
        "model": "paid_out",
        "form": form,
        "priors": Priors().describe(),
        "sampling_design": SamplingDesign().describe(),
        "noise": None,
        "within": 20.0,
    }
    sample = (("chain", "draw"), rng.normal(size=(CHAINS, DRAWS)))
    plain = dict.fromkeys(("model", "key", "panel_hash", "code_version"), "by hand")
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(posterior, coords=data.coords),
            "sample_stats": xr.Dataset(
                {
                    "diverging": (("chain", "draw"), np.zeros((CHAINS, DRAWS), bool)),
                    "energy": sample,
                    "tree_depth": (("chain", "draw"), np.full((CHAINS, DRAWS), 3)),
                }
            ),
            "provenance": xr.Dataset(
                attrs={
                    **plain,
                    "settings": json.dumps(settings),
                    "wall_seconds": json.dumps({"sample": 1.0}),
                    "versions": json.dumps({"remitstats": "0"}),
                    "specification": json.dumps(specification),
                    "sampler": "nuts",
                }
            ),
        }
    )


@pytest.fixture(scope="module")
def results(simulation: PaidSimulation) -> PaidOutResults:
    return remitstats.summarise_paid_out(fit_around(simulation), simulation.panel)


def test_money_of_households_adds_up_to_money_paid(
    results: PaidOutResults, simulation: PaidSimulation
) -> None:
    data = prepare_data(simulation.panel)
    values = parameters(fit_around(simulation))
    flows = flows_of(values, data)
    assert flows.lived.sum(axis=1) == pytest.approx(data.dollars.sum(), rel=1e-5)
    national = results.group.query("level == 'nation'").set_index("quantity")
    assert national.loc["raw", "mean"] == pytest.approx(national.loc["corrected", "mean"], rel=1e-5)


def test_municipalities_add_up_to_their_state(
    results: PaidOutResults, simulation: PaidSimulation
) -> None:
    data = prepare_data(simulation.panel)
    flows = flows_of(parameters(fit_around(simulation)), data)
    member = data.state_of == 1
    whole = flows.lived[:, member].sum(axis=1) / flows.receiving[:, member].sum(axis=1)
    row = results.group.query("code == '06' and quantity == 'corrected'").iloc[0]
    assert row["mean"] == pytest.approx(whole.mean(), rel=1e-4)


def test_at_the_truth_flows_are_the_simulated_ones(
    results: PaidOutResults, simulation: PaidSimulation
) -> None:
    found = results.municipality.set_index("cvegeo")
    truth = simulation.municipality
    assert found["inflow_median"].to_numpy() == pytest.approx(truth["inflow"].to_numpy(), rel=0.1)
    assert found["outside_median"].to_numpy() == pytest.approx(truth["outside"].to_numpy(), abs=3.0)


def test_correction_brings_dollars_back_to_what_households_get(
    results: PaidOutResults, simulation: PaidSimulation
) -> None:
    found = results.municipality.set_index("cvegeo")
    rate = np.log(simulation.municipality["rate"])
    raw = np.log(found["raw_median"].clip(lower=1.0)) - rate
    corrected = np.log(found["corrected_median"]) - rate
    assert corrected.std() < 0.25 * raw.std()


def test_probability_of_a_hub_follows_its_inflow(results: PaidOutResults) -> None:
    table = results.municipality
    assert (table.loc[table["p_hub"] > 0.95, "inflow_median"] > 1.5).all()
    assert (table.loc[table["p_drained"] > 0.95, "inflow_median"] < 1 / 1.5).all()
    assert set(results.hub["cvegeo"]) == set(table.loc[table["p_hub"] >= 0.9, "cvegeo"])


def test_parts_of_the_disagreement_add_up_to_all_of_it(results: PaidOutResults) -> None:
    assert list(results.disagreement["part"]) == list(PARTS)
    assert results.disagreement["mean"].sum() == pytest.approx(100.0)


def test_correlation_rises_when_money_is_where_it_is_lived(results: PaidOutResults) -> None:
    table = results.correlation.set_index("pair")
    assert table.loc["raw", "known"]
    assert table.loc["lived", "median"] > table.loc["sampled", "median"]


def test_shares_of_a_home_are_whole(simulation: PaidSimulation) -> None:
    data = prepare_data(simulation.panel)
    values = {name: np.asarray(v)[None] for name, v in simulation.parameters.items()}
    made = expected(values, data)
    total = np.bincount(data.home, made["share"][0])
    assert total == pytest.approx(np.ones(data.size))


def test_claim_says_what_the_data_hold_and_gives_the_share_no_probability(
    results: PaidOutResults,
) -> None:
    claim = results.claim.set_index("estimand")
    assert (claim["claim"] == "remittances-main-income").all()
    income = claim.loc["household_income_dollars", "mean"]
    each = claim.loc["dollars_per_receiving_dwelling", "mean"]
    ratio = claim.loc["dollars_per_receiving_dwelling_over_household_income", "mean"]
    assert ratio == pytest.approx(each / income)
    assert np.isnan(claim.loc["dollars_per_receiving_dwelling", "probability"])


def test_predictive_check_has_every_statistic(results: PaidOutResults) -> None:
    assert set(results.predictive["statistic"]) <= set(STATISTICS)
    assert len(results.predictive) >= 8


def test_results_come_back_from_disk(results: PaidOutResults, tmp_path: Path) -> None:
    results.write(tmp_path)
    back = PaidOutResults.read(tmp_path)
    for name, table in results.rounded().tables.items():
        pd.testing.assert_frame_equal(back.tables[name], table, check_dtype=False)


def test_form_without_flows_has_nothing_to_summarise(simulation: PaidSimulation) -> None:
    with pytest.raises(RemitstatsError, match="gravity"):
        remitstats.summarise_paid_out(fit_around(simulation, form="own"), simulation.panel)
