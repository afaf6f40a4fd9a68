"""No prior gives weight to what no demographer would believe.

Each limit was set from what has been seen anywhere, before its weight was looked at: at most one
draw in a hundred of the prior may lie beyond it.
"""

from __future__ import annotations

import numpy as np
import pytest

import remitstats
from remitstats.models import dependence_state, macro, transition
from remitstats.models.reliance import prior_predictive

MOST = 0.01
DRAWS = 20_000


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def test_no_nation_has_four_dwellings_of_five_that_receive_remittances():
    panel = remitstats.load_mexico().select(["01", "06", "22"])
    drawn = prior_predictive(panel, draws=4000, seed=4)
    assert np.mean(drawn["national_percent"] > 80.0) <= MOST


def test_no_source_of_foreign_exchange_doubles_every_year_for_a_decade(rng):
    priors, years = macro.Priors(), 10
    first = priors.drift.mean + priors.drift.sd * rng.standard_normal(DRAWS)
    step = rng.exponential(1.0 / priors.drift_sd.rate, DRAWS)
    walk = np.cumsum(rng.standard_normal((DRAWS, years)), axis=1) * step[:, None]
    growth = first + walk.mean(axis=1)
    assert np.mean(np.abs(growth) > np.log(2.0)) <= MOST


def test_no_typical_state_begins_with_remittances_of_four_fifths_of_its_product(rng):
    start = dependence_state.Priors().start
    percent = np.exp(start.mean + start.sd * rng.standard_normal(DRAWS))
    assert np.mean(percent > 80.0) <= MOST


def test_no_country_typically_loses_or_gains_a_tenth_of_its_people_more_every_year(rng):
    scale = transition.Priors().migration_scale
    change = np.exp(scale.mean + scale.sd * rng.standard_normal(DRAWS))
    assert np.mean(change * np.abs(rng.standard_normal(DRAWS)) > 100.0) <= MOST


@pytest.mark.parametrize("name", ["remittances_scale", "income_scale"])
def test_remittances_over_product_and_income_do_not_typically_fourfold_in_a_year_for_good(
    name, rng
):
    scale = getattr(transition.Priors(), name)
    change = np.exp(scale.mean + scale.sd * rng.standard_normal(DRAWS))
    assert np.mean(change * rng.standard_normal(DRAWS) > 2.0 * np.log(2.0)) <= MOST
