"""Known truths are found again: parameters of simulated panels, with nominal coverage."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy import special

import remitstats
from remitstats.fitting.run import fit
from remitstats.models import reliance
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign
from remitstats.simulate import GRID_HYPERPARAMETERS, Simulation, grid_panel, simulate_reliance

Array = NDArray[np.float64]


def percent_of(tree: xr.DataTree) -> Array:
    """Draws of reliance in %, shape (sample, wave, municipality)."""
    eta = tree["posterior"]["linear_predictor"].to_numpy().astype(float)
    return np.asarray(100 * special.expit(eta.reshape(-1, *eta.shape[2:])))


def covered(simulation: Simulation, tree: xr.DataTree) -> NDArray[np.bool_]:
    """Whether the 90% interval of each municipality and wave holds the truth."""
    low, high = np.quantile(percent_of(tree), [0.05, 0.95], axis=0)
    truth = simulation.percent.T.to_numpy()
    return np.asarray((low <= truth) & (truth <= high))


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate_reliance(
        grid_panel(9, 10, seed=3), seed=12, hyperparameters=GRID_HYPERPARAMETERS
    )


@pytest.fixture(scope="module")
def found(simulation: Simulation) -> xr.DataTree:
    model = reliance.build(simulation.panel)
    return fit(model, simulation.panel, seed=1, draws=500, tune=100, chains=2)


def test_municipal_intervals_cover_the_truth(simulation: Simulation, found: xr.DataTree) -> None:
    """270 cells: the share covered has a standard error of about 2 points."""
    assert 0.83 < covered(simulation, found).mean() < 0.965


def test_estimates_are_better_than_what_is_published(
    simulation: Simulation, found: xr.DataTree
) -> None:
    """Borrowing strength must pay, on the logit scale and where samples are small."""
    data = reliance.prepare_data(simulation.panel)
    truth = special.logit(simulation.percent.T.to_numpy() / 100)
    eta = found["posterior"]["linear_predictor"].mean(("chain", "draw")).to_numpy()
    raw = special.logit((data.receiving + 0.5) / (data.effective + 1.0))
    error = np.sqrt(np.mean((eta - truth) ** 2))
    assert error < 0.9 * np.sqrt(np.mean((raw - truth) ** 2))
    assert abs(np.mean(eta - truth)) < 0.06


def test_hyperparameters_are_recovered(simulation: Simulation, found: xr.DataTree) -> None:
    z = {}
    for name, truth in simulation.hyperparameters.items():
        draws = found["posterior"][name].to_numpy()
        z[name] = (draws.mean() - truth) / draws.std()
    assert max(map(abs, z.values())) < 3.5, z
    learned = found["posterior"]["municipality_sd"].to_numpy()
    assert learned.std() < 0.2  # the data say something


def test_national_reliance_is_recovered(simulation: Simulation, found: xr.DataTree) -> None:
    weight = reliance.prepare_data(simulation.panel).dwellings
    truth = (simulation.percent.T.to_numpy() * weight).sum(axis=1) / weight.sum(axis=1)
    national = (percent_of(found) * weight).sum(axis=2) / weight.sum(axis=1)
    assert np.all(np.abs(national.mean(axis=0) - truth) < 4 * national.std(axis=0))
    assert np.all(national.std(axis=0) < 0.05 * truth)


@pytest.mark.slow
def test_too_good_a_sample_design_loses_coverage() -> None:
    """The check above can fail: believe a clustered sample to be a simple one and it does."""
    panel = grid_panel(9, 10, seed=3)
    simulation = simulate_reliance(
        panel,
        seed=12,
        hyperparameters=GRID_HYPERPARAMETERS,
        design=SamplingDesign(design_effect=12.0),
    )
    model = reliance.build(simulation.panel, design=SamplingDesign(design_effect=1.0))
    tree = fit(model, simulation.panel, seed=1, draws=500, tune=100, chains=2)
    assert covered(simulation, tree).mean() < 0.83


@pytest.mark.slow
def test_coverage_over_twenty_simulated_panels() -> None:
    """Truths drawn from the prior, as in simulation-based calibration.

    Cells: 20 panels of 120; the national share: 20 of 3 waves; hyperparameters: 20 of 8.
    """
    grid = grid_panel(5, 8, seed=4)
    weight = reliance.prepare_data(grid).dwellings
    cells, national, hyper, ranks = [], [], [], []
    for seed in range(20):
        simulation = simulate_reliance(grid, seed=seed)
        model = reliance.build(simulation.panel)
        tree = fit(model, simulation.panel, seed=seed, draws=500, tune=150, chains=2)
        cells.append(covered(simulation, tree).mean())
        draws = (percent_of(tree) * weight).sum(axis=2) / weight.sum(axis=1)
        truth = (simulation.percent.T.to_numpy() * weight).sum(axis=1) / weight.sum(axis=1)
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        national.append(((low <= truth) & (truth <= high)).mean())
        for name, value in simulation.hyperparameters.items():
            own = tree["posterior"][name].to_numpy()
            low, high = np.quantile(own, [0.05, 0.95])
            hyper.append(low <= value <= high)
            ranks.append((own < value).mean())
    assert 0.87 < np.mean(cells) < 0.93
    assert 0.78 < np.mean(national) <= 1.0
    assert 0.83 < np.mean(hyper) < 0.965
    # the truth's rank among the draws is uniform: Kolmogorov and Smirnov's distance, 160 ranks
    grid_of = (np.arange(160) + 0.5) / 160
    assert np.abs(np.sort(ranks) - grid_of).max() < 1.63 / np.sqrt(160)


@pytest.mark.slow
def test_national_posterior_is_close_to_what_is_published_in_mexico() -> None:
    """On two real states: the aggregate must not be pulled away from the census."""
    panel: Panel = remitstats.load_mexico().select(["32", "01"])
    model = reliance.build(panel)
    tree = fit(model, panel, seed=1, draws=400, tune=100, chains=2)
    data = model.data
    published = np.nansum(data.percent * data.dwellings, axis=1) / np.nansum(data.dwellings, axis=1)
    weight = np.nan_to_num(data.dwellings)
    national = (percent_of(tree) * weight).sum(axis=2) / weight.sum(axis=1)
    assert np.all(np.abs(national.mean(axis=0) - published) < 0.5)
