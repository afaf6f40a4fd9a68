"""Simulated panels: valid, labelled, repeatable, and as noisy as the sample design says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remitstats.errors import RemitstatsError
from remitstats.models import reliance
from remitstats.panel.check import check_for_reliance, check_panel
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign
from remitstats.simulate import GRID_HYPERPARAMETERS, grid_panel, simulate_reliance


@pytest.fixture(scope="module")
def wide() -> Panel:
    return grid_panel(15, 20, seed=2)


def test_grid_is_a_valid_panel_and_says_that_it_is_simulated(wide: Panel) -> None:
    assert check_panel(wide) == []
    assert check_for_reliance(wide) == []
    assert wide.metadata["country"] == "Simulated"
    assert wide.metadata["title"] == "Simulated: lattice of 15 by 20"
    assert wide.metadata["simulated"]["hyperparameters"]["state_sd"] == pytest.approx(0.5)
    assert wide.table("municipality")["name"].str.startswith("Simulated").all()


def test_grid_neighbours_are_those_of_a_chess_king(wide: Panel) -> None:
    pairs = wide.table("adjacency")
    assert pairs["rook"].sum() == 15 * 19 + 14 * 20
    assert (~pairs["rook"]).sum() == 2 * 14 * 19
    assert (pairs["cvegeo_a"] < pairs["cvegeo_b"]).all()
    place = wide.table("municipality").set_index("cvegeo")[["longitude", "latitude"]]
    apart = place.loc[pairs["cvegeo_a"]].to_numpy() - place.loc[pairs["cvegeo_b"]].to_numpy()
    assert np.abs(apart).max() == pytest.approx(0.1)


def test_same_seed_same_panel_and_other_seed_another() -> None:
    grids = [grid_panel(3, 4, states=("01", "02"), seed=seed) for seed in (1, 1, 2)]
    assert grids[0].hash == grids[1].hash != grids[2].hash


@pytest.mark.parametrize(
    "wrong", [{"waves": (2020,)}, {"states": ("01",)}, {"states": tuple("12345")}]
)
def test_impossible_grids_are_refused(wrong: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(ValueError, match="needs two waves"):
        grid_panel(2, 4, **wrong)  # type: ignore[arg-type]


def test_published_shares_scatter_round_the_truth_as_the_design_says(wide: Panel) -> None:
    design = SamplingDesign(design_effect=3.0)
    simulation = simulate_reliance(
        wide, seed=7, hyperparameters=GRID_HYPERPARAMETERS, design=design
    )
    data = reliance.prepare_data(simulation.panel, design)
    truth = simulation.percent.T.to_numpy() / 100
    z = (data.percent / 100 - truth) / np.sqrt(truth * (1 - truth) / data.effective)
    error = np.sqrt(2.0 / z.size)
    assert z.shape == (3, 300)
    assert z.mean() == pytest.approx(0.0, abs=4 / np.sqrt(z.size))
    assert z.var() == pytest.approx(1.0, abs=5 * error)


def test_completely_enumerated_municipalities_publish_whole_dwellings(wide: Panel) -> None:
    table = wide.table("municipality_wave")
    small = table[table["dwellings"] <= 1000]
    counts = small["receiving_percent"] * small["dwellings"] / 100
    assert len(small) > 20
    assert np.abs(counts - counts.round()).max() < 1e-6


def test_truth_is_what_was_asked_for_and_the_rest_comes_from_the_prior(lattice: Panel) -> None:
    simulation = simulate_reliance(lattice, seed=1, hyperparameters={"municipality_sd": 1.2})
    assert simulation.hyperparameters["municipality_sd"] == pytest.approx(1.2)
    other = simulate_reliance(lattice, seed=2, hyperparameters={"municipality_sd": 1.2})
    assert other.hyperparameters["state_sd"] != simulation.hyperparameters["state_sd"]
    assert list(simulation.hyperparameters) == list(
        reliance.latent_gaussian(reliance.prepare_data(lattice), reliance.Priors()).hyperparameters
    )


def test_large_effects_are_large(wide: Panel) -> None:
    def spread(sd: float) -> float:
        given = {**GRID_HYPERPARAMETERS, "municipality_sd": sd}
        percent = simulate_reliance(wide, seed=3, hyperparameters=given).percent / 100
        return float(np.log(percent / (1 - percent)).std().mean())

    assert spread(2.0) > 1.5 * spread(0.5)


def test_cells_without_data_stay_without_but_have_a_truth(lattice: Panel) -> None:
    simulation = simulate_reliance(lattice, seed=4)
    table = simulation.panel.table("municipality_wave").set_index(["cvegeo", "wave"])
    assert pd.isna(table.loc[("01003", 2000), "receiving_percent"])
    assert table["receiving_percent"].isna().sum() == 1
    assert simulation.percent.notna().all(axis=None)
    assert simulation.percent.index.name == "cvegeo"
    assert list(simulation.percent.columns) == [2000, 2010, 2020]
    # everything but the percentages is as it was
    before = lattice.table("municipality_wave").drop(columns="receiving_percent")
    after = simulation.panel.table("municipality_wave").drop(columns="receiving_percent")
    pd.testing.assert_frame_equal(before, after)
    assert check_panel(simulation.panel) == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"state_ds": 1.0}, "Did you mean 'state_sd'"),
        ({"wave_scale_2020": 1.0}, "no hyperparameter 'wave_scale_2020'"),
        ({"state_sd": -1.0}, "can't be -1.0"),
        ({"municipality_share": 1.5}, "can't be 1.5"),
        ({"wave_scale_2000": 0.0}, "can't be 0.0"),
    ],
)
def test_wrong_hyperparameters_are_explained(
    lattice: Panel, wrong: dict[str, float], says: str
) -> None:
    with pytest.raises(RemitstatsError, match=says):
        simulate_reliance(lattice, seed=1, hyperparameters=wrong)
