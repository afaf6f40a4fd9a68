"""The circle's measurements: scales, sampling errors, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import remitstats
from remitstats.errors import PanelError, RemitstatsError
from remitstats.models.circle_data import CircleData, prepare_data
from remitstats.models.circle_measures import VARIABLES, Measures
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign


@pytest.fixture(scope="module")
def mexico() -> Panel:
    return remitstats.load_mexico()


@pytest.fixture(scope="module")
def data(mexico: Panel) -> CircleData:
    return prepare_data(mexico)


def test_every_municipality_wave_and_variable_is_there(data: CircleData) -> None:
    assert data.shape == (2456, 3, 5)
    assert data.coords["interval"].tolist() == ["2000-2010", "2010-2020"]
    measured = data.scale.set_index(["wave", "variable"])["measured"]
    assert measured[2000, "migration"] == measured[2000, "reliance"] == 2443
    assert measured[2020, "underdevelopment"] == 2456


def test_measurements_are_standardised_within_their_wave(data: CircleData) -> None:
    assert np.nanmean(data.observed, axis=0) == pytest.approx(np.zeros((3, 5)), abs=0.02)
    spread = np.nanstd(data.observed, axis=0)
    assert spread.max() < 1.0 + 1e-9  # size takes some of the variance away
    assert spread.min() > 0.8


def test_measurements_do_not_depend_on_size(mexico: Panel, data: CircleData) -> None:
    census = mexico.table("municipality_census")
    people = census.groupby("cvegeo")["population"].mean().reindex(data.coords["municipality"])
    size = np.log(people.to_numpy(float))
    for t in range(3):
        for k in range(5):
            known = np.isfinite(data.observed[:, t, k])
            r = np.corrcoef(size[known], data.observed[known, t, k])[0, 1]
            assert abs(r) < 0.06, VARIABLES[k]


def test_sampling_error_is_that_of_an_arcsine_root(mexico: Panel, data: CircleData) -> None:
    table = mexico.table("municipality_wave").query("wave == 2010").set_index("cvegeo")
    code = "14039"  # Guadalajara
    dwellings = float(table.loc[code, "dwellings"])
    sampled = 0.0496 * dwellings
    worth = 1.0 / (1.0 / dwellings + 2.0 * (1.0 / sampled - 1.0 / dwellings))
    sd = float(data.scale.query("wave == 2010 and variable == 'reliance'")["sd"].iloc[0])
    place = list(data.coords["municipality"]).index(code)
    assert data.sampling[place, 1, 1] == pytest.approx(0.25 / worth / sd**2)
    assert (data.sampling[:, :, 2:] == 0).all()


def test_variance_of_an_arcsine_root_hardly_depends_on_the_share() -> None:
    rng, n = np.random.default_rng(1), 500
    for share in (0.02, 0.1, 0.5):
        root = np.arcsin(np.sqrt(rng.binomial(n, share, 100_000) / n))
        assert root.var() == pytest.approx(0.25 / n, rel=0.1)


def test_underdevelopment_loads_on_all_components(data: CircleData) -> None:
    for wave, factor in data.factors.items():
        assert factor.loading.min() > 0.4
        assert factor.reliability > 0.9
        names = data.components[wave]
        assert ("incomplete_basic_percent" in names) == (wave == 2020)
        assert "low_income_percent" not in names


def test_stability_is_high_where_few_are_poor(mexico: Panel, data: CircleData) -> None:
    poverty = mexico.table("municipality_wave").query("wave == 2010").set_index("cvegeo")
    share = poverty["patrimony_poverty_percent"].reindex(data.coords["municipality"])
    both = pd.DataFrame({"poverty": share.to_numpy(float), "stability": data.observed[:, 1, 2]})
    assert both.corr("spearman").iloc[0, 1] < -0.8


def test_what_lies_far_is_drawn_in_and_counted(mexico: Panel, data: CircleData) -> None:
    assert np.nanmax(np.abs(data.observed)) <= 4.0
    assert data.scale["drawn_in"].sum() > 0
    wide = prepare_data(mexico, Measures(most_sds=100.0))
    assert wide.scale["drawn_in"].sum() == 0
    assert np.nanmax(np.abs(wide.observed)) > 4.0


def test_other_measures_change_their_variable_alone(mexico: Panel, data: CircleData) -> None:
    other = prepare_data(mexico, Measures(underdevelopment="earth_floor_percent"))
    changed = [
        not np.array_equal(data.observed[:, :, k], other.observed[:, :, k], equal_nan=True)
        for k in range(5)
    ]
    assert changed == [False, False, False, True, False]


def test_blocks_lie_within_states(data: CircleData) -> None:
    tree = data.nested.tree
    states = np.array([code[:2] for code in data.coords["municipality"]])
    assert (data.coords["state"][tree.group_of] == states).all()
    assert np.bincount(tree.block_of).max() <= data.measures.block_size


def test_other_design_changes_the_errors_alone(mexico: Panel, data: CircleData) -> None:
    other = prepare_data(mexico, design=SamplingDesign(design_effect=4.0))
    assert np.array_equal(other.observed, data.observed, equal_nan=True)
    assert other.sampling.sum() > 1.3 * data.sampling.sum()


@pytest.mark.parametrize(
    ("table", "column"),
    [("municipality_wave", "emigrant_percent"), ("municipality_census", "population")],
)
def test_panel_without_a_variable_is_refused(mexico: Panel, table: str, column: str) -> None:
    panel = Panel({**mexico.tables, table: mexico.table(table).drop(columns=column)})
    with pytest.raises(PanelError, match=column):
        prepare_data(panel)


def test_single_wave_is_refused(mexico: Panel) -> None:
    with pytest.raises(PanelError, match="at least two waves"):
        prepare_data(mexico.select(waves=[2020]))


def test_unknown_measure_suggests_the_nearest() -> None:
    with pytest.raises(RemitstatsError, match="factor"):
        Measures(underdevelopment="factr")
