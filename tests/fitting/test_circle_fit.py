"""Fits of the circle model: what they hold, that they are kept, that they find a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import remitstats
from remitstats.models import circle
from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_form import Form, Priors, noise_of
from remitstats.panel.panel import Panel
from remitstats.parts.dynamic_panel import covariance

TRUE_LINKS = np.array(  # to, from: migration, reliance, stability, underdevelopment, growth
    [
        [0.40, 0.10, 0.00, 0.15, 0.00],
        [0.20, 0.50, 0.00, 0.00, 0.00],
        [0.00, 0.15, 0.40, -0.20, 0.00],
        [0.00, 0.00, -0.10, 0.60, 0.00],
        [-0.10, 0.00, 0.00, 0.00, 0.30],
    ]
)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return remitstats.load_mexico().select(["01", "06", "18"])


@pytest.fixture(scope="module")
def fit(panel: Panel) -> xr.DataTree:
    model = circle.build(panel, form=Form(by_interval=False))
    return remitstats.fit(model, panel, seed=1, draws=40, tune=30, chains=2)


def test_fit_has_the_layout_of_every_fit(fit: xr.DataTree, panel: Panel) -> None:
    assert fit["posterior"]["links"].dims == ("chain", "draw", "state", "interval", "to", "from")
    assert fit["posterior"]["links"].sel(to="reliance")["from"].to_numpy()[0] == "migration"
    assert fit["posterior"]["innovation"].sizes["wave"] == 3
    assert fit["observed_data"]["measurement"].dims == ("municipality", "wave", "variable")
    assert fit["provenance"].attrs["model"] == "circle"
    assert fit["provenance"].attrs["panel_hash"] == panel.hash
    assert set(fit["sample_stats"]) >= {"lp", "energy", "diverging"}


def test_short_fit_does_not_pass_the_gate_and_says_why(fit: xr.DataTree) -> None:
    verdict = remitstats.gate(fit)
    assert not verdict.converged
    assert any("effective sample size" in reason for reason in verdict.reasons)
    assert not any("not recorded" in reason for reason in verdict.reasons)


def test_fit_comes_back_from_disk(fit: xr.DataTree, tmp_path: Path) -> None:
    path = remitstats.save_fit(fit, tmp_path / "circle.nc")
    back = remitstats.load_fit(path)
    for group in ("posterior", "observed_data", "constant_data"):
        xr.testing.assert_equal(back[group].to_dataset(), fit[group].to_dataset())


def test_same_seed_gives_the_same_draws_on_any_number_of_cores(panel: Panel) -> None:
    def links(cores: int) -> Any:
        model = circle.build(panel, form=Form(by_interval=False))
        tree = remitstats.fit(model, panel, seed=3, draws=10, tune=12, chains=2, cores=cores)
        return tree["posterior"]["links"].to_numpy()

    assert np.array_equal(links(1), links(2))


def simulated(data: CircleData, seed: int) -> CircleData:
    """Return measurements drawn from the model with `TRUE_LINKS` in every state."""
    rng = np.random.default_rng(seed)
    units, waves, count = data.shape
    level = np.diag(np.array([0.5, 0.5, 0.4, 0.5, 0.3]) ** 2)
    news = np.stack([np.diag(np.array(sd) ** 2) for sd in ((0.6,) * 5, (0.4,) * 5, (0.4,) * 5)])
    links = np.broadcast_to(TRUE_LINKS, (1, waves - 1, count, count)).copy()
    tree = data.nested.tree

    def draw(share: float, size: int) -> np.ndarray:
        root = np.linalg.cholesky(share * covariance(links, level, news)[0])
        return rng.standard_normal((size, waves * count)) @ root.T

    state = 0.5 * rng.standard_normal((len(data.coords["state"]), waves * count))
    whole = draw(0.7, units) + draw(0.3, tree.blocks)[tree.block_of] + state[tree.group_of]
    variance = noise_of(data).flat * np.tile([1.0, 1.0, 0.0025, 0.0025, 0.01], waves)
    observed = (whole + np.sqrt(variance) * rng.standard_normal(whole.shape)).reshape(data.shape)
    return data.with_observed(np.where(np.isfinite(data.observed), observed, np.nan))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_links_of_simulated_panels_are_found_with_nominal_coverage() -> None:
    panel = remitstats.load_mexico().select(["01", "06", "11", "14", "16", "18", "24", "32"])
    data = prepare_data(panel)
    inside, scores = [], []
    for seed in range(8):
        model = circle.model_of(simulated(data, seed), Priors(), Form(by_interval=False))
        tree = remitstats.fit(model, panel, seed=seed, draws=300, tune=180)
        links = tree["posterior"]["links"].isel(state=0, interval=0).to_numpy().reshape(-1, 5, 5)
        low, high = np.quantile(links, [0.05, 0.95], axis=0)
        inside.append((low < TRUE_LINKS) & (high > TRUE_LINKS))
        scores.append((links.mean(axis=0) - TRUE_LINKS) / links.std(axis=0))
    # 200 intervals of nominal 90%, correlated within a panel
    assert 0.82 < np.mean(inside) < 0.97
    assert np.abs(np.mean(scores)) < 0.35
    assert 0.75 < np.std(scores) < 1.3
