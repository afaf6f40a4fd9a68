"""A fit of the circle made by hand through summary, folder and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from remitstats.errors import RemitstatsError
from remitstats.estimands.circle import places_of, summarise_circle
from remitstats.estimands.circle_loop import CHAIN, gain, gain_long_run, ordered_effects
from remitstats.estimands.circle_natural import ONE_SD, TEN, NaturalScale
from remitstats.estimands.circle_results import COLUMNS, CircleResults
from remitstats.models.circle_measures import VARIABLES
from remitstats.panel.panel import Panel

CHAINS, DRAWS = 4, 600
STATES, REGIONS = ["01", "02", "03"], ["West", "East"]
INTERVALS = ["2000-2010", "2010-2020"]
WEIGHT = np.array([5, 3, 12])
MEAN = dict(zip(VARIABLES, (0.1, 0.2, 0.4, 0.0, 0.12), strict=True))
SD = dict(zip(VARIABLES, (0.08, 0.1, 0.9, 1.0, 0.15), strict=True))
M, R, S, U, G = range(5)


def circle_fit(form: dict | None = None, removed: tuple[str, str] | None = None) -> xr.DataTree:
    """Independent draws around a vicious circle, state 03 without feedback."""
    rng = np.random.default_rng(5)
    centre = np.diag([0.4, 0.4, 0.4, 0.8, 0.3])
    centre[R, M], centre[S, R], centre[U, S], centre[M, U] = 0.4, -0.2, -0.3, 0.3
    centre[U, M] = 0.2
    links = centre + rng.normal(0, 0.005, (CHAINS, DRAWS, 3, 2, 5, 5))
    links[:, :, 2, :, M, U] -= 0.3
    links[:, :, :, 1, R, M] += 0.1
    if removed:
        links[..., VARIABLES.index(removed[0]), VARIABLES.index(removed[1])] = 0.0
    root = rng.gamma(50, 0.01, (CHAINS, DRAWS, 3, 1, 1)) * np.eye(5)
    root += np.tril(rng.normal(0.1, 0.01, (CHAINS, DRAWS, 3, 5, 5)), -1)
    sample = (CHAINS, DRAWS)
    coords = {
        "state": STATES,
        "interval": INTERVALS,
        "wave": [2000, 2010, 2020],
        "region": REGIONS,
        **{key: list(VARIABLES) for key in ("variable", "variable_2", "to", "from")},
    }
    settings = {"engine": "laplace", "draws": DRAWS, "tune": 10, "chains": CHAINS, "seed": 3}
    form = {"removed": [], "by_interval": True, "by_region": True, "by_state": True} | (form or {})
    plain = dict.fromkeys(("model", "key", "panel_hash", "code_version"), "made by hand")
    dims = ("chain", "draw")

    def dataset(variables: dict) -> xr.Dataset:
        used = {dim for value in variables.values() for dim in value[0]}
        return xr.Dataset(variables, coords={k: v for k, v in coords.items() if k in used})

    def scale(values: dict[str, float]) -> tuple[tuple[str, str], np.ndarray]:
        return ("wave", "variable"), np.array([[1.0] * 5, [1.0] * 5, list(values.values())])

    return xr.DataTree.from_dict(
        {
            "posterior": dataset(
                {
                    "links": ((*dims, "state", "interval", "to", "from"), links),
                    "innovation": (
                        (*dims, "wave", "variable", "variable_2"),
                        root @ np.swapaxes(root, -1, -2),
                    ),
                    "link_state_sd": (dims, rng.gamma(4, 0.02, sample)),
                    "sampling_correlation": (dims, rng.normal(0.2, 0.1, sample)),
                }
            ),
            "sample_stats": xr.Dataset(
                {
                    "diverging": (dims, np.zeros(sample, bool)),
                    "energy": (dims, rng.normal(size=sample)),
                }
            ),
            "constant_data": dataset(
                {
                    "region_of_state": (("state",), np.array([0, 1, 1])),
                    "states": (("region",), np.array([1, 2])),
                    "municipalities": (("state",), WEIGHT),
                    "scale_mean": scale(MEAN),
                    "scale_sd": scale(SD),
                }
            ),
            "provenance": xr.Dataset(
                attrs={
                    **plain,
                    "settings": json.dumps(settings),
                    "wall_seconds": json.dumps({"sample": 1.0}),
                    "versions": json.dumps({"remitstats": "0"}),
                    "specification": json.dumps({"form": form}),
                    "sampler": "whitened",
                }
            ),
        }
    )


@pytest.fixture(scope="module")
def circle_panel() -> Panel:
    states = {"state": ["01", "02"], "name": ["Uno", "Dos"], "region": ["West", "East"]}
    return Panel({"state": pd.DataFrame(states)})


@pytest.fixture(scope="module")
def results(circle_panel) -> CircleResults:
    return summarise_circle(circle_fit(), circle_panel, command="made by hand")


def one(table: pd.DataFrame, **where: object) -> pd.Series:
    """Return the only row with these values."""
    here = np.logical_and.reduce([table[key] == value for key, value in where.items()])
    assert here.sum() == 1
    return table[here].iloc[0]


def test_national_links_are_those_of_states_weighted_by_their_municipalities(results):
    links = circle_fit()["posterior"]["links"].to_numpy()
    expected = np.average(links.mean(axis=3)[..., M, U], axis=2, weights=WEIGHT).ravel()
    where = {"level": "nation", "reading": "lagged", "to": "migration", "from": "underdevelopment"}
    row = one(results.link, interval="all", **where)
    assert row["mean"] == pytest.approx(expected.mean())
    assert row["eti90_upper"] == pytest.approx(np.quantile(expected, 0.95))
    assert row["claimed"]
    assert row["p_positive"] == 1.0
    assert row["p_negligible"] == 0.0
    assert row["r_hat"] < 1.01
    assert row["ess_bulk"] > 400


def test_intervals_are_reported_and_their_mean_is_what_all_says(results):
    where = {"level": "nation", "reading": "lagged", "to": "reliance", "from": "migration"}
    first, second, both = (
        one(results.link, interval=name, **where)["mean"] for name in (*INTERVALS, "all")
    )
    assert second - first == pytest.approx(0.1, abs=0.01)
    assert both == pytest.approx((first + second) / 2)


def test_only_the_claimed_chain_is_marked_as_claimed(results):
    claimed = results.link[results.link["claimed"]]
    assert set(zip(claimed["to"], claimed["from"], strict=True)) == set(CHAIN)


def test_ordered_reading_of_the_nation_is_total_effects_averaged_over_intervals(
    results, circle_panel
):
    fit = circle_fit()
    nation = places_of(fit, circle_panel, {})[0].readings["lagged"]
    innovation = fit["posterior"]["innovation"].to_numpy()
    by_interval = [ordered_effects(nation[:, :, t], innovation[:, :, t + 1]) for t in range(2)]
    total, within = (np.mean(part, axis=0) for part in zip(*by_interval, strict=True))
    row = one(results.loop, level="nation", reading="ordered total", quantity="gain")
    assert row["mean"] == pytest.approx(gain(total, within).mean())
    assert set(results.loop.loc[results.loop["reading"] != "lagged", "level"]) == {"nation"}


def test_places_with_the_circle_are_told_from_the_one_without_feedback(results):
    for code, vicious in (("01", 1.0), ("02", 1.0), ("03", 0.0)):
        row = one(results.regime, level="state", code=code)
        assert row["p_vicious"] == vicious
        assert row["p_none"] == 1.0 - vicious
        assert row["p_virtuous"] == row["p_undefined"] == 0.0
    assert one(results.regime, level="state", code="01")["name"] == "Uno"
    assert one(results.regime, level="state", code="03")["name"] == "03"  # the panel has no name


def test_draws_without_a_long_run_gain_are_counted_and_left_out(circle_panel):
    fit = circle_fit({"by_state": False, "by_region": False})
    links = fit["posterior"]["links"].to_numpy()
    links[:, :60, ..., U, U] = 1.05
    found = summarise_circle(fit, circle_panel)
    share = one(found.loop, reading="lagged", quantity="undefined_share")
    assert share["median"] == share["mean"] == 0.1
    row = one(found.loop, reading="lagged", quantity="gain_long_run")
    rest = np.average(links[:, 60:].mean(axis=3), axis=2, weights=WEIGHT)
    assert row["mean"] == pytest.approx(gain_long_run(rest).mean())
    assert "finite" not in found.gate.explain()


def test_links_alike_in_all_states_are_reported_of_the_nation_alone(circle_panel):
    fit = circle_fit({"by_state": False, "by_region": False})
    found = summarise_circle(fit, circle_panel)
    for name in ("link", "loop", "regime", "impulse"):
        assert set(found.tables[name]["level"]) == {"nation"}


def test_links_by_region_are_reported_of_regions(circle_panel):
    places = places_of(circle_fit(), circle_panel, {"by_region": True})
    assert [(p.level, p.code) for p in places] == [
        ("nation", "00"),
        ("region", "East"),
        ("region", "West"),
    ]
    links = circle_fit()["posterior"]["links"].to_numpy()
    np.testing.assert_allclose(places[2].readings["lagged"], links[:, :, 0])
    east = (3 * links[:, :, 1] + 12 * links[:, :, 2]) / 15
    np.testing.assert_allclose(places[1].readings["lagged"], east)


def test_a_link_that_the_form_leaves_out_does_not_fail_the_gate(circle_panel):
    form = {"removed": ["migration -> reliance"]}
    fit = circle_fit(form, removed=("reliance", "migration"))
    found = summarise_circle(fit, circle_panel)
    assert found.converged, found.gate.explain()
    assert one(found.loop, level="nation", reading="lagged", quantity="chain_product")["mean"] == 0


def test_a_chain_that_never_moves_fails_the_gate_and_withholds_the_verdict(circle_panel):
    fit = circle_fit()
    fit["posterior"]["links"].to_numpy()[0] = 0.1
    found = summarise_circle(fit, circle_panel)
    assert not found.converged
    assert "NOT CONVERGED" in repr(found)
    assert found.document()["verdict"] is None


def test_no_verdict_before_the_rule_is_calibrated(results):
    for claim in ("vicious", "virtuous"):
        assert results.document()["verdict"][claim]["verdict"] == "none"
    assert results.summary["horizon_years"] == 30


def test_impulse_of_ten_years_is_the_link_and_the_open_loop_is_smaller(results):
    where = {"level": "nation", "variable": "reliance", "years": 10}
    link = one(
        results.link,
        level="nation",
        reading="lagged",
        interval="all",
        to="reliance",
        **{"from": "migration"},
    )
    assert one(results.impulse, loop="closed", **where)["mean"] == pytest.approx(link["mean"])
    later = where | {"years": 30}
    closed = one(results.impulse, loop="closed", **later)["mean"]
    assert one(results.impulse, loop="open", **later)["mean"] < closed


def test_natural_units_undo_the_scale_around_the_mean_of_the_last_wave(results):
    scale = NaturalScale(MEAN, SD)
    level = np.sin(0.1) ** 2
    more = np.sin(0.1 + 0.08 * scale.size(TEN)) ** 2
    assert more - level == pytest.approx(0.10)
    assert scale.size(ONE_SD) == 1.0
    share = 100 * (np.sin(0.2 + 0.1) ** 2 - np.sin(0.2) ** 2)
    assert scale.convert("reliance", np.array(1.0)) == pytest.approx(share)
    poverty = scale.convert("stability", np.array([0.0, -50.0, 50.0]))
    start = 101 / (1 + np.exp(0.4)) - 0.5
    assert poverty == pytest.approx([0.0, 100 - start, -start])
    assert scale.convert("growth", np.array(2.0)) == pytest.approx(100 * (np.exp(0.3) - 1))
    row = one(results.natural, change=ONE_SD, variable="poverty", loop="closed", years=10)
    impulse = one(results.impulse, level="nation", variable="stability", loop="closed", years=10)
    assert row["median"] == pytest.approx(scale.convert("stability", impulse["median"]), rel=0.01)
    assert set(results.natural["variable"]) == {"reliance", "poverty", "underdevelopment", "growth"}
    assert set(results.natural["years"]) == {10, 20, 30}


def test_no_row_stands_twice(results):
    keys = {
        "link": ["level", "code", "interval", "reading", "to", "from"],
        "natural": ["change", "variable", "loop", "years"],
        "loop": ["level", "code", "reading", "quantity"],
        "regime": ["level", "code", "reading", "delta"],
        "impulse": ["level", "code", "loop", "variable", "years"],
        "parameter": ["name"],
    }
    for name, key in keys.items():
        assert len(results.tables[name])
        assert not results.tables[name].duplicated(key).any(), name


def test_what_is_written_is_read_back(results, tmp_path):
    results.write(tmp_path)
    back = CircleResults.read(tmp_path)
    assert back.summary == results.rounded().summary
    for name, table in results.rounded().tables.items():
        pd.testing.assert_frame_equal(back.tables[name], table)
    assert back.converged
    assert repr(back) == (
        "Circle of the nation, 2 regions and 3 states: "
        "link, natural, loop, regime, impulse, confounding, parameter"
    )
    assert list(back.specification) == list(COLUMNS["specification"])


def test_reading_an_empty_folder_says_to_run_the_fit(tmp_path):
    with pytest.raises(RemitstatsError, match="Run the fit first"):
        CircleResults.read(tmp_path)


def test_a_table_without_its_columns_is_refused(results):
    with pytest.raises(ValueError, match="'regime' lacks p_none"):
        replace(results, regime=results.regime.drop(columns="p_none"))
