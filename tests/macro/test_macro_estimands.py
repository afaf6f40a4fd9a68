"""What is said of growth: the truth is found, draws are exact, files come back."""

from __future__ import annotations

import numpy as np
import pytest

import remitstats
from remitstats.estimands.macro import (
    WINDOWS,
    _given,
    density_of,
    percent,
    summarise_macro,
)
from remitstats.estimands.macro_results import TABLES, MacroResults
from remitstats.models import macro
from remitstats.parts.priors import NormalPrior, ScalePrior


def test_drifts_and_coverage_are_found(results, drifts):
    window = results.window.set_index(["source", "window"])
    for source, drift in drifts.items():
        for name in WINDOWS:
            row = window.loc[(source, name)]
            assert row["eti90_lower"] - 1 < percent(drift) < row["eti90_upper"] + 1, source
    assert window.loc[("remittances", "1995-2005"), "p_fastest"] > 0.95
    assert (results.coverage["p_positive"] > 0.9).all()
    covered = results.coverage
    assert (covered["eti90_lower"] < percent(0.20)).all()
    assert (covered["eti90_upper"] > percent(0.20)).all()


def test_probabilities_of_being_fastest_add_up(results):
    sums = results.window.groupby("window")["p_fastest"].sum()
    assert sums.to_numpy() == pytest.approx(1.0)


def test_differences_and_turns_are_those_of_the_windows(results):
    window = results.window.set_index(["source", "window"])["mean"]
    for row in results.difference.itertuples():
        expected = window["remittances", row.window] - window[row.against, row.window]
        assert row.mean == pytest.approx(expected, abs=1e-9)
    for row in results.turn.itertuples():
        expected = window[row.source, row.to_window] - window[row.source, row.from_window]
        assert row.mean == pytest.approx(expected, abs=1e-9)


def test_draws_of_what_was_integrated_out_have_its_conditional_law(fit):
    """Against the dense conditional normal: mean and covariance of many draws."""
    density = density_of(fit)
    scales = density.scales(np.full(density.size, 0.2))
    latent, cross = density.latent(scales)
    gain = np.linalg.solve(density.covariance(scales), cross.T).T
    mean = latent.mean + gain @ density.observed
    covariance = latent.covariance - gain @ cross.T
    rng = np.random.default_rng(1)
    draws = np.stack([_given(density, scales, rng) for _ in range(4000)])
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((draws.mean(axis=0) - mean) / sd).max() < 5 / np.sqrt(4000)
    assert draws.std(axis=0) == pytest.approx(sd, rel=0.08)
    found = np.corrcoef(draws[:, :6].T)
    expected = covariance[:6, :6] / np.outer(sd[:6], sd[:6])
    assert found == pytest.approx(expected, abs=0.08)


def test_the_density_is_made_again_as_it_was_sampled(series):
    priors = macro.Priors(
        drift_sd=ScalePrior(upper=0.02, tail=0.1), coverage=NormalPrior(mean=0.1, sd=0.05)
    )
    model = macro.build(series, priors)
    fit = remitstats.fit(model, series, seed=1, draws=20, tune=20, chains=1)
    again = density_of(fit)
    assert again.priors == priors
    x = np.linspace(-1, 1, again.size)
    assert again.gradient(x)[0] == pytest.approx(model.collapsed.gradient(x)[0], rel=1e-12)


def test_the_same_fit_gives_the_same_tables(fit, series, results):
    again = summarise_macro(fit, series)
    for name in TABLES:
        assert again.tables[name].equals(results.tables[name]), name


def test_every_reported_quantity_goes_through_the_gate(results):
    window, sources = len(WINDOWS), 4
    cells = len(results.growth)
    least = cells + window * sources + sources + window * (sources - 1) + 3 + 2 * sources
    assert results.gate.quantities >= least


def test_results_come_back_from_disk(results, tmp_path):
    results.write(tmp_path)
    back = MacroResults.read(tmp_path)
    for name, table in results.rounded().tables.items():
        assert list(back.tables[name].columns) == list(table.columns)
        assert back.tables[name].round(6).equals(table.reset_index(drop=True).round(6)), name
    assert back.summary == results.rounded().summary


def test_a_short_fit_says_in_its_name_that_it_is_none(series):
    fit = remitstats.fit(macro.build(series), series, seed=1, draws=30, tune=30, chains=2)
    short = summarise_macro(fit, series)
    assert not short.converged
    assert "NOT CONVERGED" in repr(short)


@pytest.mark.slow
def test_the_shipped_series_pass_the_gate():
    panel = remitstats.load_mexico()
    fit = remitstats.fit(macro.build(panel), panel, seed=1)
    results = summarise_macro(fit, panel)
    assert results.converged, results.gate
    inside = results.predictive["p_value"].between(0.025, 0.975)
    assert inside.mean() > 0.9


@pytest.mark.slow
def test_both_engines_agree(series, results):
    fit = remitstats.fit(
        macro.build(series), series, seed=2, engine="nuts", draws=1500, tune=1000, chains=2
    )
    other = summarise_macro(fit, series)
    ours, theirs = (r.window.set_index(["source", "window"]) for r in (results, other))
    assert ((ours["mean"] - theirs["mean"]).abs() < 0.35 * theirs["sd"]).all()
    assert ours["sd"].to_numpy() == pytest.approx(theirs["sd"].to_numpy(), rel=0.3)


@pytest.mark.slow
def test_intervals_hold_what_they_say(simulate_series, drifts):
    """Twelve simulated countries: of 96 windows, 90% intervals hold about 90%."""
    held = []
    for seed in range(12):
        panel = simulate_series(seed=100 + seed, shock=0.08)
        fit = remitstats.fit(macro.build(panel), panel, seed=seed, draws=400, tune=120, chains=2)
        window = summarise_macro(fit, panel).window
        truth = window["source"].map({name: percent(d) for name, d in drifts.items()})
        held += list((window["eti90_lower"] < truth) & (truth < window["eti90_upper"]))
    assert np.mean(held) > 0.8
