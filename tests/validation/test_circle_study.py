"""Studies of simulated circles: what is kept, counted, resumed, and that estimates hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import remitstats
from remitstats.claims.circle_calibration import (
    CALIBRATION,
    ByChains,
    Calibration,
    bars_by_chains,
)
from remitstats.claims.regime import CLAIMS
from remitstats.cli.app import app
from remitstats.errors import RemitstatsError
from remitstats.estimands.circle import LAGGED, ORDERED
from remitstats.fitting.collapsed import laplace
from remitstats.fitting.version import code_of
from remitstats.models.circle_data import CircleData, coarser, prepare_data
from remitstats.validation.circle import (
    LINKS,
    Case,
    Record,
    Study,
    Trial,
    bars,
    confusion,
    coverage,
    outcomes,
)
from remitstats.validation.circle_chains import Chains, both_ways, run_both_ways, summary_of
from remitstats.validation.circle_study import CODE, calibration_of, run_study, study_key

STATES = ["01", "06", "18"]


@pytest.fixture(scope="module")
def country() -> CircleData:
    return prepare_data(remitstats.load_mexico().select(STATES))


@pytest.fixture(scope="module")
def trial(country: CircleData) -> Trial:
    return Trial(Study(panels=1, every=1, scenarios=("no loop", "vicious"), draws=200), country)


def record(scenario: str, number: int, **changed: object) -> Record:
    truth = (0.2,) * len(LINKS)
    verdict = {"vicious": "inconclusive", "virtuous": "contradicted"}
    made = Record(
        scenario, number, truth, (0.25,) * len(LINKS), (0.1,) * len(LINKS),
        (0.1,) * len(LINKS), (0.4,) * len(LINKS), {}, verdict,
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def test_a_coarser_country_has_all_states_and_whole_blocks(country: CircleData) -> None:
    part = coarser(country, 3)
    assert part.coords["state"].tolist() == STATES
    blocks = np.bincount(country.nested.tree.group_of_block)
    assert part.nested.tree.blocks == np.ceil(blocks / 3).sum()
    whole = {
        frozenset(country.coords["municipality"][country.nested.tree.block_of == b])
        for b in range(country.nested.tree.blocks)
    }
    for b in range(part.nested.tree.blocks):
        assert frozenset(part.coords["municipality"][part.nested.tree.block_of == b]) in whole
    kept = np.isin(country.coords["municipality"], part.coords["municipality"])
    np.testing.assert_array_equal(part.observed, country.observed[kept])


def test_a_part_without_a_state_has_no_such_state(country: CircleData) -> None:
    keep = np.array([not str(code).startswith("06") for code in country.coords["municipality"]])
    part = country.take(keep)
    assert part.coords["state"].tolist() == ["01", "18"]
    assert part.nested.tree.groups == len(part.region_of_state) == 2
    with pytest.raises(RemitstatsError, match="at least one"):
        country.take(np.zeros_like(keep))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_search_begun_nearby_finds_the_same_mode() -> None:
    trial = Trial(Study(panels=1, every=3), prepare_data(remitstats.load_mexico()))
    density = trial.density(Case("no loop", 1))
    far, near = laplace(density), laplace(density, near=trial.near)
    sd = np.sqrt(np.sum(far.root**2, axis=1))
    place = density.layout["link"][0]
    assert np.abs((near.mode - far.mode) / sd)[place].max() < 0.5
    spread = np.sqrt(np.sum(near.root**2, axis=1))
    assert spread[place] == pytest.approx(sd[place], rel=0.1)


def test_a_panel_depends_on_its_study_and_number_alone(trial: Trial, country: CircleData) -> None:
    case = Case("no loop", 0)
    first = trial.run(case)
    more = Trial(replace(trial.study, scenarios=("vicious", "no loop")), country)
    assert np.array_equal(more.data(case).observed, trial.data(case).observed, equal_nan=True)
    assert Record.from_json(first.to_json()) == first
    assert case.seed(trial.study) != Case("vicious", 0).seed(trial.study)
    assert case.seed(trial.study) != case.seed(replace(trial.study, seed=2))


def test_a_study_goes_on_where_it_was_interrupted(trial: Trial, tmp_path: Path) -> None:
    done = run_study(trial, tmp_path, workers=1)
    assert [(r.scenario, r.number) for r in done] == [("no loop", 0), ("vicious", 0)]
    files = sorted(tmp_path.rglob("*.json"))
    assert len(files) == 2
    files[0].write_text("{", encoding="utf-8")  # half a record is no record
    before = files[1].stat().st_mtime_ns
    again = run_study(trial, tmp_path, workers=1)
    assert again == done
    assert files[1].stat().st_mtime_ns == before


def test_records_of_other_code_are_not_used(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    now = study_key(trial)
    monkeypatch.setattr("remitstats.validation.circle_study.CODE", CODE[:-1])
    assert study_key(trial) != now
    with pytest.raises(ValueError, match="no code in"):
        code_of("models/no_such_model*.py")


def test_counts_and_bars_are_those_of_the_records(trial: Trial, tmp_path: Path) -> None:
    found = {"vicious": "supported", "virtuous": "contradicted"}
    records = [record("no loop", n) for n in range(19)] + [record("no loop", 19, verdict=found)]
    records += [record("vicious", n, verdict=found) for n in range(3)] + [record("vicious", 3)]
    table = confusion(records).set_index(["scenario", "claim", "verdict"])["share"]
    assert table["no loop", "vicious", "supported"] == 0.05
    assert table["vicious", "vicious", "inconclusive"] == 0.25
    assert outcomes(records).groupby("scenario")["share"].sum().tolist() == [1.0, 1.0]
    asked = bars(records).set_index("bar")["met"]
    assert asked["vicious supported where there is: no loop"]
    assert not asked["vicious supported where it is so"]
    missed = calibration_of(trial, records, "remitstats validate circle")
    path = tmp_path / "calibration.json"
    path.write_text(missed.to_json(), encoding="utf-8")
    back = Calibration.read(path)
    assert back.missed == missed.missed
    assert any("0.75" in text for text in back.missed)


def test_coverage_counts_intervals_that_hold_the_truth() -> None:
    outside = (0.3,) * len(LINKS)
    records = [record("no loop", n) for n in range(9)] + [record("no loop", 9, lower=outside)]
    table = coverage(records)
    assert (table["coverage"] == 0.9).all()
    assert table["bias"].to_numpy() == pytest.approx(0.05)
    assert (table["eti90_lower"] < 0.9).all()
    assert (table["eti90_upper"] > 0.9).all()


def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RemitstatsError, match="validate circle"):
        Calibration.read(tmp_path / "none.json")
    (tmp_path / "other.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(RemitstatsError, match="holds no calibration"):
        Calibration.read(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["validate", "circl"], "circle"),
        (["validate", "circle", "--panels", "0"], "at least 1"),
        (["validate", "circle", "--scenarios", "viscous"], "vicious"),
        (["simulate", "circle", "--scenario", "viscous"], "vicious"),
        (["simulate", "reliance"], "circle"),
    ],
)
def test_what_can_not_be_asked_is_refused_in_words(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, RemitstatsError)
    assert said in str(result.exception)


def test_a_simulated_country_is_written_as_a_table(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "made-up.csv"
    result = CliRunner().invoke(app, ["simulate", "circle", "--out", str(path), "--seed", "3"])
    assert result.exit_code == 0, result.output
    table = pd.read_csv(path, dtype={"cvegeo": str})
    assert sorted(table["wave"].unique()) == [1990, 2000, 2010, 2020]
    assert table[table["wave"] == 1990]["migration"].isna().all()
    assert table["underdevelopment"].std() == pytest.approx(0.9, abs=0.4)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_intervals_hold_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    study = Study(panels=24, every=4, scenarios=("no loop", "vicious"))
    records = run_study(Trial(study, prepare_data(remitstats.load_mexico())), tmp_path)
    held = coverage(records)
    # 1,200 intervals, those of a panel correlated
    assert 0.84 < held["coverage"].mean() < 0.95
    assert np.abs(held["bias"] / held["error"]).mean() < 0.35


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_normal_approximation_says_much_the_same_as_chains() -> None:
    # a few states alone say too little: short chains do not converge there
    study = Study(panels=1, every=4, scenarios=("no loop", "vicious"))
    trial = Trial(study, prepare_data(remitstats.load_mexico()))
    for scenario in study.scenarios:
        found = both_ways(trial, Chains(chains=4, tune=250, draws=400), Case(scenario, 0))
        assert found.r_hat < 1.1
        assert found.mean_away < 0.5
        assert 0.7 < found.sd_ratio < 1.3
        for claim in CLAIMS:
            for reading in (LAGGED, ORDERED):
                chance = found.chance[claim][reading]
                assert abs(chance - found.approximate_chance[claim][reading]) < 0.25


def test_panels_fitted_both_ways_are_kept_and_counted(trial: Trial, tmp_path: Path) -> None:
    length = Chains(chains=2, tune=20, draws=20)
    first = run_both_ways(trial, 1, tmp_path, length=length, workers=1)
    assert [one.scenario for one in first] == list(trial.study.scenarios)
    files = sorted(tmp_path.rglob("chains-*/*.json"))
    assert len(files) == len(first)
    before = [path.stat().st_mtime_ns for path in files]
    assert run_both_ways(trial, 1, tmp_path, length=length, workers=1) == first
    assert [path.stat().st_mtime_ns for path in files] == before
    found = summary_of(trial, first, "remitstats validate circle", length)
    assert found.agreement["panels"].tolist() == [1] * len(first)
    for one, row in zip(first, found.agreement.to_dict("records"), strict=True):
        assert row["vicious"] == (one.verdict["vicious"] == "supported")
        assert row["agree"] == (one.verdict == one.approximate_verdict)
        assert row["coverage"] == pytest.approx(np.mean(one.held))
    path = tmp_path / "circle_chains.json"
    path.write_text(found.to_json(), encoding="utf-8")
    again = ByChains.read(path)
    assert again.to_json() == found.to_json()


def test_a_bar_that_chains_miss_takes_the_verdict_away(trial: Trial) -> None:
    bar = {"bar": "vicious supported where it is so (chains)", "asked": "at least 0.80"}
    table = pd.DataFrame([bar | {"found": 0.7, "met": False}])
    form = trial.study.form.describe()
    whole = Calibration({"form": form}, pd.DataFrame(), pd.DataFrame(), table.assign(met=True))
    assert whole.problem(form) == ""
    nothing = pd.DataFrame(columns=["scenario", "panels", "gap_sd", "coverage"])
    nothing["coverage_approximate"] = nothing["coverage"]
    no_coverage = pd.DataFrame(columns=["scenario", "coverage"])
    missed = replace(
        whole, coverage=no_coverage, by_chains=ByChains({"form": form}, nothing, table)
    )
    assert "chains): 0.70" in missed.problem(form)


def coverages(found: dict[str, tuple[float, float]], panels: int = 4) -> ByChains:
    """Return coverages by chains and by the approximation, by scenario."""
    rows = [
        {"scenario": name, "panels": panels, "gap_sd": 0.04, "coverage": own,
         "coverage_approximate": approximate}
        for name, (own, approximate) in found.items()
    ]  # fmt: skip
    return ByChains({"form": {}}, pd.DataFrame(rows), pd.DataFrame({"met": [True]}))


def test_coverage_by_chains_is_that_of_all_panels_and_what_chains_change(tmp_path: Path) -> None:
    every = pd.DataFrame(
        {"scenario": ["a", "a", "b", "confounded"], "coverage": [0.9, 0.86, 0.9, 0.5]}
    )
    bars = pd.DataFrame({"met": [True]})
    whole = Calibration({"form": {}}, pd.DataFrame(), every, bars)
    assert whole.coverage_by_chains is None
    # unlucky panels: both ways are below what all panels show, the difference is not
    found = {"a": (0.84, 0.82), "b": (0.85, 0.85), "confounded": (0.2, 0.6)}
    both = replace(whole, by_chains=coverages(found))
    covered = both.coverage_by_chains
    assert covered is not None
    assert covered.gap == pytest.approx(0.01)
    assert covered.estimate == pytest.approx(0.9)  # a: 0.88 + 0.02, b: 0.90
    assert covered.gap_se == pytest.approx(np.sqrt(2 * 0.04**2 / 4) / 2)
    assert covered.panels == 8
    assert both.missed == []
    assert both.by_chains is not None
    path = tmp_path / CALIBRATION
    assert len(bars_by_chains(both.by_chains, path)) == 1  # no file of all panels: not told
    path.write_text(whole.to_json(), encoding="utf-8")
    told = bars_by_chains(both.by_chains, path)
    assert told["found"].iloc[-1] == pytest.approx(0.9)
    low = replace(whole, by_chains=coverages({"a": (0.80, 0.86), "b": (0.80, 0.85)}))
    assert "hold the truth (chains): 0.84 (asked: 0.87 to 0.93)" in low.problem({})
    assert replace(whole, by_chains=coverages(found, panels=1)).coverage_by_chains is None
