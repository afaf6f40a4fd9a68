"""The countries that cost is measured on."""

import numpy as np
import pytest

import remitstats
from benchmarks.panels import PanelSpec, connected_states, replicate
from remitstats.models import reliance
from remitstats.panel.check import check_panel


@pytest.fixture(scope="module")
def mexico():
    return remitstats.load_mexico()


@pytest.mark.parametrize("areas", [300, 600, 1200])
def test_parts_are_connected_and_of_about_the_size_asked_for(mexico, areas):
    panel = mexico.select(connected_states(mexico, areas), waves=[2020])
    graph = reliance.prepare_data(panel).graph
    assert len(graph.component_size) == 1
    assert abs(graph.size - areas) <= 0.1 * areas


def test_copies_are_a_legal_panel_of_separate_equal_maps(mexico):
    small = mexico.select(["09", "15", "17"], waves=[2010, 2020])
    one, three = (reliance.prepare_data(p) for p in (small, replicate(small, 3)))
    assert check_panel(replicate(small, 3)) == []
    assert three.graph.component_size.tolist() == [one.graph.size] * 3
    assert len(three.graph.edges) == 3 * len(one.graph.edges)
    assert np.sort(three.receiving[0]).sum() == pytest.approx(3 * one.receiving[0].sum())
    assert len(three.coords["state"]) == 3 * len(one.coords["state"])


def test_the_ten_copies_of_mexico_have_a_hundred_states(mexico):
    panel = replicate(mexico.select(connected_states(mexico, 2456), waves=[2020]), 10)
    table = panel.table("municipality")
    assert len(table) == 24_560
    assert table["cvegeo"].is_unique
    assert table["state"].nunique() == 100


def test_all_of_mexico_is_the_default():
    assert len(PanelSpec().build().table("municipality")) == 2456
