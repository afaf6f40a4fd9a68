"""Recovery on made-up countries whose paths are not those of the model."""

from __future__ import annotations

import numpy as np
import pytest

import remitstats
from remitstats.estimands.transition import PERIODS, ends, summarise_transition
from remitstats.estimands.transition_rules import RULES
from remitstats.models import transition
from remitstats.models.transition_data import BREAKS
from remitstats.simulate.transition import TRUTHS, YEARS, simulate_transition


def fitted(seed: int, draws: int = 300, background: int = 60):
    made = simulate_transition(seed, background=background)
    model = transition.build(made.panel)
    fit = remitstats.fit(model, made.panel, seed=seed, draws=draws, tune=150, cores=1)
    return made, summarise_transition(fit, made.panel)


@pytest.fixture(scope="module")
def world():
    return fitted(1, 700, background=20)


@pytest.fixture(scope="module")
def results(world):
    return world[1]


def test_the_fit_passes_its_gate(results):
    assert results.converged, results.gate.explain()


def test_turns_are_found_and_dated_and_none_is_made_up(results):
    for rule in RULES:
        rows = results.reversal[
            (results.reversal["rule"] == rule) & (results.reversal["by"] == 2023)
        ].set_index("country")
        for country, truth in TRUTHS.items():
            row = rows.loc[country]
            if truth.turn is None:
                assert row["p_reversed"] < 0.05, (country, rule)
            else:
                assert row["p_reversed"] > 0.5, (country, rule)
    early = results.reversal.query("by == 2005 and country == 'KOR'")
    assert (early["p_reversed"] < 0.5).all()


def true_change(made, country: str, period: str) -> float:
    path = made.dependence[country]
    first, last = (ends(window) for window in period.split(" to "))
    before, after = (path[(a <= YEARS) & (b >= YEARS)].mean() for a, b in (first, last))
    return after - before


def test_a_break_of_reporting_becomes_no_change_of_dependence(world):
    """Published figures across the breaks say otherwise than the truth; the model does not."""
    made, results = world
    period = PERIODS["wdi_2022"][0]
    rows = results.change.query("reading == 'moves' and series == 'wdi_2022'")
    rows = rows[rows["period"] == period].set_index("country")
    published = made.panel.table("world_year").pivot(
        index="year", columns="country", values="remittances_gdp_percent_wdi_2022"
    )
    for country in BREAKS:
        true = np.expm1(true_change(made, country, period)) * 100
        naive = published[country].loc[2015:2019].mean() / published[country].loc[1977:1979].mean()
        row = rows.loc[country]
        assert row["eti90_lower"] < true < row["eti90_upper"], country
        if country != "MEX":
            assert not row["eti90_lower"] < 100 * (naive - 1) < row["eti90_upper"], country
    assert rows.loc["SLV", "p_rose"] > 0.95


def test_of_a_single_country_the_path_is_that_country(results):
    own = results.level.query("country == 'KOR'").set_index("window")["median"]
    path = results.path_level.query("path == 'state_led'").set_index("window")
    assert own.to_dict() == path["median"].to_dict()
    assert (path["countries"] == 1).all()


def test_a_path_of_which_a_country_lacks_figures_has_no_probability_of_all(results):
    lacking = results.path_change["countries"] < results.path_change["path"].map(
        {"integration": 4, "state_led": 1, "remittance_based": 4}
    )
    assert results.path_change.loc[lacking, "p_all_rose"].isna().all()
    assert results.path_change.loc[~lacking, "p_all_rose"].notna().all()


@pytest.mark.slow
def test_intervals_cover_what_is_true():
    """Over five worlds, levels of nine countries and changes without a break of reporting."""
    inside, changes, said = [], [], []
    for seed in range(100, 105):
        made, found = fitted(seed, background=20)
        for row in found.level.itertuples():
            first, last = {"1960-74": (10, 25), "2001-05": (51, 56), "2019-23": (69, 74)}[
                row.window
            ]
            true = TRUTHS[row.country].path()[first:last].mean()
            inside.append(row.eti90_lower <= true <= row.eti90_upper)
        moves = found.change[found.change["series"] != "income"].query("reading == 'moves'")
        for row in moves.itertuples():
            true = 100 * np.expm1(true_change(made, row.country, row.period))
            changes.append(row.eti90_lower <= true <= row.eti90_upper)
        turned = found.reversal.query("by == 2023")
        for row in turned.itertuples():
            truth = TRUTHS[row.country]
            if row.p_reversed >= 0.95:
                said.append(truth.turn is not None)
            if row.p_reversed <= 0.05:
                said.append(truth.turn is None)
    print(np.mean(inside), len(inside), np.mean(changes), len(changes), np.mean(said), len(said))
    assert np.mean(inside) >= 0.85
    assert np.mean(changes) >= 0.85
    assert np.mean(said) >= 0.95
    assert len(said) > 40
