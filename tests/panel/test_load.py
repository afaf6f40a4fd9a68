"""Loading the shipped panel, and one's own."""

from __future__ import annotations

import pandas as pd
import pytest

from remitstats.errors import PanelError
from remitstats.panel.check import check_for_reliance, check_panel
from remitstats.panel.file import write_folder
from remitstats.panel.load import load_mexico, load_panel


def test_the_shipped_panel_is_valid_and_enough_for_the_reliance_model():
    panel = load_mexico()
    assert check_panel(panel) == []
    assert check_for_reliance(panel) == []
    assert len(panel.table("municipality")) == 2456


def test_zeros_of_2000_are_more_than_its_ones_lead_to_expect():
    """What the README says of the statistic that the reliance model does not reproduce."""
    table = load_mexico().table("municipality_wave").dropna(subset=["receiving_percent"])
    count = (table["receiving_percent"] * table["dwellings"] / 100).astype(float).round()
    whole = table["dwellings"].between(500, 2000)  # small enough to have been counted whole

    def municipalities(wave, dwellings):
        return int((whole & (table["wave"] == wave) & (count == dwellings)).sum())

    assert (municipalities(2000, 0), municipalities(2000, 1)) == (85, 11)
    assert (municipalities(2010, 0), municipalities(2010, 1)) == (13, 13)
    zero = table[(table["wave"] == 2000) & (table["receiving_percent"] == 0)]
    assert (len(zero), int((zero["emigrant_percent"] == 0).sum())) == (166, 104)


def test_a_csv_of_mexico_gets_the_shipped_geography(write_csv):
    panel = load_panel(write_csv())
    assert panel.table("municipality")["name"].to_list() == ["Aguascalientes", "Ensenada"]
    assert panel.table("state")["region"].notna().all()
    assert "the shipped panel" in panel.metadata["geography"]
    assert set(panel.table("shape")["cvegeo"]) == {"01001", "02001"}


def test_the_whole_of_mexico_from_one_csv_is_enough_for_the_reliance_model(tmp_path):
    load_mexico().table("municipality_wave").to_csv(tmp_path / "all.csv", index=False)
    assert check_for_reliance(load_panel(tmp_path / "all.csv")) == []


def test_another_country_is_called_by_its_codes(tmp_path):
    path = tmp_path / "arcadia.csv"
    path.write_text("cvegeo,wave,dwellings,receiving_percent\n98001,2000,10,1\n99002,2000,5,\n")
    panel = load_panel(path)
    assert panel.table("municipality").to_dict("list") == {
        "cvegeo": ["98001", "99002"],
        "name": ["98001", "99002"],
        "state": ["98", "99"],
    }
    assert panel.table("state")["region"].unique().tolist() == ["Whole country"]
    assert "adjacency" not in panel
    assert "geography" not in panel.metadata


def test_a_country_that_says_so_is_not_taken_for_mexico(tmp_path):
    (tmp_path / "metadata.json").write_text('{"country": "Arcadia"}')
    rows = "01001,2000,10,1\n01998,2000,5,2\n"
    text = "cvegeo,wave,dwellings,receiving_percent\n" + rows
    (tmp_path / "municipality_wave.csv").write_text(text)
    panel = load_panel(tmp_path)
    assert panel.table("municipality")["name"].to_list() == ["01001", "01998"]


def test_a_panel_with_its_own_geography_keeps_it(small_panel, tmp_path):
    write_folder(small_panel, tmp_path / "folder")
    panel = load_panel(tmp_path / "folder")
    assert panel.hash == small_panel.hash
    assert panel.metadata == small_panel.metadata


def test_the_error_counts_the_problems_and_prints_the_first_twenty(tmp_path):
    codes = [f"01{number:03d}" for number in range(1, 12)]
    frame = pd.DataFrame({"cvegeo": codes * 3, "wave": sorted([2000, 2010, 2020] * 11)})
    frame.assign(dwellings=-1, receiving_percent=1).to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(PanelError) as caught:
        load_panel(tmp_path / "bad.csv")
    assert len(caught.value.problems) == 33
    assert caught.value.summary.endswith("is not a valid panel: 33 problems.")
    assert "and 13 more" in str(caught.value)
