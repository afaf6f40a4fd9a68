from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from remitstats.errors import RemitstatsError
from remitstats.estimands.files import guard_formula, plain
from remitstats.estimands.results import TABLES, RelianceResults
from remitstats.fitting.gate import NotConvergedError, require_converged


def test_what_is_written_is_read_back(results, tmp_path):
    results.write(tmp_path)
    again = RelianceResults.read(tmp_path)
    for name in TABLES:
        pd.testing.assert_frame_equal(again.tables[name], results.rounded().tables[name])
    assert again.summary["seed"] == results.summary["seed"]


def test_csv_and_parquet_hold_the_same_numbers(results, tmp_path):
    results.write(tmp_path)
    for name in (*TABLES, "municipalities"):
        parquet = pd.read_parquet(tmp_path / "summaries" / f"{name}.parquet")
        csv = pd.read_csv(tmp_path / "summaries" / f"{name}.csv", dtype={"cvegeo": str})
        numbers = parquet.select_dtypes("float").columns
        assert len(numbers)
        pd.testing.assert_frame_equal(csv[numbers], parquet[numbers], check_dtype=False, rtol=0)


def test_json_is_strict_and_holds_no_nan(results, tmp_path):
    results.write(tmp_path)

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in results.json")

    text = (tmp_path / "results.json").read_text(encoding="utf-8")
    document = json.loads(text, parse_constant=refuse)
    assert document["k_hat"] is None
    assert document["converged"] is True
    nation = document["estimates"]["national"]
    assert [row["wave"] for row in nation] == [2000, 2010, 2020]
    assert set(nation[0]) >= {"median", "eti90_lower", "eti90_upper"}


def test_headline_counts_are_those_of_the_tables(results):
    headline = results.headline()
    moved = {(row["from_wave"], row["to_wave"]): row for row in headline["moved"]}
    rows = results.change[(results.change.from_wave == 2000) & (results.change.to_wave == 2020)]
    assert moved[2000, 2020]["rose"] == (rows.p_increase >= 0.95).sum()
    assert moved[2000, 2020]["fell"] == (rows.p_increase <= 0.05).sum()
    assert sum(moved[2000, 2020][key] for key in ("rose", "fell", "unsure")) == len(rows)
    last = headline["states"][-1]
    states = results.group[(results.group.level == "state") & (results.group.wave == 2020)]
    assert last["highest"] == states.loc[states["median"].idxmax(), "code"]


def test_a_fit_that_did_not_converge_has_no_headline(simulated):
    assert simulated(converged=False).document()["headline"] is None


@pytest.mark.parametrize("value", [None, "True", 1, False])
def test_anything_but_true_counts_as_not_converged(results, value):
    summary = {**results.summary, "converged": value}
    assert not replace(results, summary=summary).converged


def test_a_verdict_with_reasons_against_it_counts_as_not_converged(results):
    summary = {**results.summary, "converged": True, "reasons": ["R-hat is 3"]}
    assert not replace(results, summary=summary).converged


def test_results_read_from_disk_carry_the_verdict_and_show_it(simulated, tmp_path):
    simulated(converged=False).write(tmp_path)
    read = RelianceResults.read(tmp_path)
    shown = repr(read)
    assert "NOT CONVERGED" in shown
    assert "  - R-hat of sigma_state is 1.2\n    try: take more draws: --draws 5600" in shown
    with pytest.raises(NotConvergedError, match="R-hat of sigma_state"):
        require_converged(read.gate)


def test_results_show_what_they_are_of_not_their_tables(results):
    shown = repr(results)
    assert "18 municipalities, waves 2000, 2010, 2020" in shown
    assert "NOT CONVERGED" not in shown
    assert len(shown) < 200
    require_converged(results.gate)


def test_adjacent_intervals_come_first(results):
    assert results.intervals == [(2000, 2010), (2010, 2020), (2000, 2020)]


def test_one_row_a_municipality(results):
    wide = results.municipalities()
    assert wide["cvegeo"].is_unique
    assert len(wide) == results.level["cvegeo"].nunique()
    row = results.level[(results.level.wave == 2010)].set_index("cvegeo").loc["01003"]
    there = wide.set_index("cvegeo").loc["01003"]
    assert there["reliance_2010_median"] == pytest.approx(row["median"], abs=5e-5)
    assert there["reliance_2010_eti90_upper"] == pytest.approx(row["eti90_upper"], abs=5e-5)


def test_a_missing_column_is_named(results):
    with pytest.raises(ValueError, match=r"'level' lacks rank_median"):
        replace(results, level=results.level.drop(columns="rank_median"))


def test_a_place_that_cannot_be_written_is_said(results, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RemitstatsError, match="Can't write"):
        results.write(tmp_path / "file")


def test_reading_nothing_says_what_is_missing(tmp_path):
    with pytest.raises(RemitstatsError, match=r"results\.json is missing"):
        RelianceResults.read(tmp_path)


def test_reading_a_broken_file_is_one_message(results, tmp_path):
    results.write(tmp_path)
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(RemitstatsError, match="can't be read"):
        RelianceResults.read(tmp_path)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", " =1"])
def test_formulas_are_defused(text):
    assert guard_formula(text) == "'" + text


@pytest.mark.parametrize("text", ["León", "", "A=1", 3, None])
def test_other_cells_stay(text):
    assert guard_formula(text) == text


def test_plain_values_for_json():
    assert plain({1: (float("inf"), pd.NA, "x")}) == {"1": [None, None, "x"]}
