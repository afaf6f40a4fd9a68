"""What changed between two runs: known differences, and what is said where there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remitstats.cli.compare import show_comparison
from remitstats.errors import RemitstatsError
from remitstats.report.compare import compare
from remitstats.report.compare_estimates import BEYOND
from remitstats.report.compare_page import write_page
from remitstats.report.texts import Texts

ESS = 811.0  # of the simulated results
ERROR = np.sqrt(np.pi / 2 / ESS)  # of a median whose posterior has a standard deviation of 1


@pytest.fixture
def texts() -> Texts:
    return Texts("en", interval=Texts("en").plain("site.interval"))


@pytest.fixture
def pair(results, tmp_path):
    """Write two runs, the second changed by a function of the results, and compare them."""

    def make(change=lambda results: results):
        results.write(tmp_path / "a")
        change(results).write(tmp_path / "b")
        return compare(tmp_path / "a", tmp_path / "b")

    return make


def moved(results, errors: float, **changed):
    """The results with the nation's median of 2020 moved by some Monte Carlo errors."""
    group = results.group.copy()
    here = (group["level"] == "nation") & (group["wave"] == 2020)
    error = np.sqrt(2) * ERROR * group.loc[here, "sd"]
    group.loc[here, "median"] += errors * error
    return replace(results, group=group, summary={**results.summary, **changed})


def verdicts(folder: Path, **of) -> None:
    (folder / "claims").mkdir(parents=True)
    claims = [
        {"id": name, "says": f"{name} says", "verdict": verdict, "reason": f"why {verdict}"}
        for name, verdict in of.items()
    ]
    (folder / "claims/results.json").write_text(json.dumps({"claims": claims}))


def test_a_run_and_its_copy_do_not_differ(pair):
    found = pair()
    (model,) = found.models
    assert model.run == ()
    assert (model.rows["difference"] == 0).all()
    assert model.beyond.empty
    assert model.largest.empty
    assert dict(zip(model.municipalities["table"], model.municipalities["rows"], strict=True)) == {
        "level": 54,
        "change": 54,
    }


@pytest.mark.parametrize(("errors", "told"), [(1.0, 0), (-2.9, 0), (3.1, 1), (-8.0, 1)])
def test_only_what_exceeds_monte_carlo_error_is_told(pair, errors, told):
    (model,) = pair(lambda results: moved(results, errors)).models
    assert len(model.beyond) == told
    row = model.rows[model.rows["label"] == "Nowhere, 2020"].iloc[0]
    assert row["ratio"] == pytest.approx(abs(errors), rel=1e-3)
    assert np.sign(row["difference"]) == np.sign(errors)
    assert row["headline"]


def test_the_error_is_that_of_medians_of_independent_draws():
    rng = np.random.default_rng(4)
    draws = rng.normal(5.0, 2.0, (2, 4000, 400))
    differences = np.diff(np.median(draws, axis=2), axis=0)[0]
    error = np.sqrt(np.pi / 2) * 2.0 / np.sqrt(400) * np.sqrt(2)
    assert differences.std() == pytest.approx(error, rel=0.04)
    assert (np.abs(differences) > BEYOND * error).mean() < 0.006


def test_settings_that_differ_are_listed_and_no_others(pair):
    spec = {"priors": {"rho": "Beta(2, 1)"}, "design_effect": 1.5}
    (model,) = pair(
        lambda results: moved(results, 0, panel_hash="other", seed=2, model_spec=spec)
    ).models
    assert [(line.what, line.a, line.b) for line in model.run] == [
        ("panel_hash", "00000000simulate", "other"),
        ("seed", 1, 2),
        ("model_spec.priors.rho", "Beta(1, 1)", "Beta(2, 1)"),
    ]


@pytest.mark.parametrize("which", ["A", "B"])
def test_of_a_fit_that_did_not_pass_no_estimate_is_compared(
    simulated, results, tmp_path, texts, which
):
    sides = {"A": results, "B": results, which: simulated(converged=False)}
    for side, each in sides.items():
        each.write(tmp_path / side)
    found = compare(tmp_path / "A", tmp_path / "B")
    (model,) = found.models
    assert model.withheld == (which,)
    assert model.rows.empty
    assert model.municipalities.empty
    html = write_page(found, tmp_path / "out", texts).read_text("utf-8")
    assert f"The fit of {which} did not pass its gate" in html
    assert "R-hat of sigma_state is 1.2" in html
    assert "<b>bold</b>" not in html


def test_municipalities_of_one_run_alone_are_counted(simulated, results, pair):
    def without_one(results):
        return replace(results, level=results.level[results.level["cvegeo"] != "02018"])

    (model,) = pair(without_one).models
    level = model.municipalities.set_index("table").loc["level"]
    assert (level["rows"], level["only_a"], level["only_b"]) == (51, 3, 0)


def test_verdicts_that_differ_are_told(results, tmp_path, texts):
    for side in "ab":
        results.write(tmp_path / side)
    verdicts(tmp_path / "a", one="supported", two="inconclusive", old="supported")
    verdicts(tmp_path / "b", one="contradicted", two="inconclusive", new="<b>supported")
    found = compare(tmp_path / "a", tmp_path / "b")
    assert [(each.claim, each.a, each.b) for each in found.verdicts] == [
        ("one", "supported", "contradicted"),
        ("old", "supported", None),
        ("new", None, "<b>supported"),
    ]
    assert found.judged == 2
    html = write_page(found, tmp_path / "out", texts).read_text("utf-8")
    assert "why contradicted" in html
    assert "<b>supported" not in html


def test_the_page_and_the_terminal_tell_the_same(results, tmp_path, capsys):
    results.write(tmp_path / "a")
    moved(results, 9.0, panel_hash="other").write(tmp_path / "b")
    show_comparison(tmp_path / "a", tmp_path / "b", tmp_path / "out")
    said = capsys.readouterr().out
    html = unescape((tmp_path / "out/compare.html").read_text("utf-8"))
    for words in (
        "The data differ: panel 00000000simulate in A, other in B.",
        "At least one run has no verdicts on claims; none are compared.",
        "differ by more than 3 Monte Carlo errors; of municipalities, 0 of 108.",
    ):
        assert words in html
        assert words in " ".join(said.split())
    assert "9.0 !" in said
    assert said.rstrip().endswith("compare.html")
    assert "://" not in html.split("</style>")[1]


def test_models_that_one_run_has_are_named(results, tmp_path, texts):
    for side in "ab":
        results.write(tmp_path / side)
    macro = tmp_path / "b/macro"
    macro.mkdir()
    (macro / "results.json").write_text('{"model": "macro"}')
    with pytest.raises(RemitstatsError, match=r"No results in .*macro"):
        compare(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "There is no folder"),
        (lambda folder: folder.write_text("mine"), "is a file, not a folder"),
        (lambda folder: folder.mkdir(), "holds no results of a fit. It is empty."),
        (lambda folder: (folder / "x").mkdir(parents=True), "It holds x."),
    ],
    ids=["missing", "file", "empty", "other"],
)
def test_a_folder_without_results_is_refused_in_words(results, tmp_path, make, said):
    results.write(tmp_path / "a")
    make(tmp_path / "b")
    with pytest.raises(RemitstatsError) as error:
        compare(tmp_path / "a", tmp_path / "b")
    assert said in str(error.value)
    assert "Name two folders that remitstats run, fit or report wrote to" in str(error.value)


def test_results_that_can_not_be_read_are_named(results, tmp_path):
    for side in "ab":
        results.write(tmp_path / side)
    (tmp_path / "b/results.json").write_text("{")
    with pytest.raises(RemitstatsError, match="can't be read"):
        compare(tmp_path / "a", tmp_path / "b")


def test_a_folder_is_not_compared_with_itself(results, tmp_path):
    results.write(tmp_path / "a")
    with pytest.raises(RemitstatsError, match="the same folder"):
        compare(tmp_path / "a", tmp_path / "a/../a")


def test_verdicts_that_can_not_be_read_are_named(results, tmp_path):
    for side in "ab":
        results.write(tmp_path / side)
        verdicts(tmp_path / side, one="supported")
    (tmp_path / "a/claims/results.json").write_text('{"claims": 3}')
    with pytest.raises(RemitstatsError, match=r"The verdicts in .* can't be read"):
        compare(tmp_path / "a", tmp_path / "b")


def test_infinite_ratios_are_told_where_nothing_varies(results, tmp_path):
    def without_spread(results, by):
        group = results.group.assign(sd=0.0)
        return replace(results, group=group.assign(median=group["median"] + by))

    without_spread(results, 0.0).write(tmp_path / "c")
    without_spread(results, 1.0).write(tmp_path / "d")
    (model,) = compare(tmp_path / "c", tmp_path / "d").models
    ratio = model.rows.loc[model.rows["table"] == "group", "ratio"]
    assert (ratio == np.inf).all()
    assert pd.notna(ratio).all()
