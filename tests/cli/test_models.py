"""Several models in one run, one model alone, and the report again without fitting."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape

import pytest

from remitstats.catalogue import find
from remitstats.cli.options import design_of, priors_of
from remitstats.errors import RemitstatsError

STATES = "04,23"
SHORT = ("--states", STATES, "--draws", "40", "--tune", "40", "--chains", "2", "--seed", "7")
BOTH = ("--models", "circle,reliance")


def words(page) -> str:
    """The visible text of a page's body."""
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def both(tmp_path_factory, in_folder):
    """One run of two models, both too short for their gates; look at it, don't change it."""
    folder = tmp_path_factory.mktemp("both")
    return in_folder(folder)("run", *SHORT, *BOTH), folder


@pytest.fixture
def program(both, tmp_path, in_folder):
    """The program in a copy of what the run left."""
    shutil.copytree(both[1], tmp_path / "copy")
    return in_folder(tmp_path / "copy")


def test_a_run_of_several_models_says_of_each_how_it_went_and_exits_3(both):
    result, folder = both
    assert result.returncode == 3, result.stderr
    said = result.stderr.splitlines()
    for name in ("reliance", "circle"):
        assert f"{name}: sampling …" in said
        assert f"{name}: NOT CONVERGED: no finding is reported." in said
    assert result.stdout == "reports/index.html\n"
    assert {path.name for path in folder.iterdir()} == {"reports", "fits"}


def test_each_model_has_its_folder_of_results_and_reliance_the_top(both):
    out = both[1] / "reports"
    found = {name: json.loads((out / name / "results.json").read_text()) for name in ("", "circle")}
    assert (found[""]["model"], found["circle"]["model"]) == ("reliance", "circle")
    assert (out / "circle/summaries/link.csv").is_file()
    stored = {path.name for path in (both[1] / "fits").iterdir() if path.suffix == ".nc"}
    assert stored == {
        f"{model}-{summary['fit_key']}.nc"
        for model, summary in zip(("reliance", "circle"), found.values(), strict=True)
    }


def test_a_model_keeps_its_own_length_where_none_is_given(program):
    """The circle tunes 250 iterations by its own account; --draws and --chains are the user's."""
    result = program("fit", "circle", "--states", STATES, "--draws", "20", "--chains", "1")
    assert result.returncode == 3, result.stderr
    settings = json.loads((program.folder / "reports/circle/results.json").read_text())["settings"]
    assert (settings["draws"], settings["tune"], settings["chains"]) == (20, 250, 1)


def test_the_page_of_each_model_that_did_not_converge_says_so_first(both):
    out = both[1] / "reports"
    for page in ("index", "circle", "maps"):
        assert words(out / f"{page}.html").startswith("This fit did not converge"), page
    assert "The circle says why" in words(out / "index.html")


def test_the_same_run_again_uses_both_finished_fits(program):
    result = program("run", *SHORT, *BOTH)
    assert result.returncode == 3
    assert "sampling" not in result.stderr
    assert result.stderr.count("(a finished fit was used again)") == 2


def test_the_report_again_without_fitting_is_the_same_report(both, program):
    before = {p.name: p.read_bytes() for p in (both[1] / "reports").glob("*.html")}
    assert len(before) > 10
    for path in (program.folder / "reports").glob("*.html"):
        path.unlink()
    result = program("report", "--states", STATES)
    assert result.returncode == 3, result.stderr
    assert result.stdout == "reports/index.html\n"
    assert "circle: from reports/circle/results.json" in result.stderr
    after = {p.name: p.read_bytes() for p in (program.folder / "reports").glob("*.html")}
    assert after == before


def test_results_that_are_gone_are_made_again_from_the_stored_fit(both, program):
    reports = program.folder / "reports"
    shutil.rmtree(reports)
    result = program("report", "--states", STATES, "--models", "circle")
    assert result.returncode == 3, result.stderr
    assert re.search(r"circle: from fits/circle-[0-9a-f]{16}\.nc", result.stderr)
    for name in ("link", "loop", "regime"):
        ours = reports / f"circle/summaries/{name}.parquet"
        assert ours.read_bytes() == (both[1] / ours.relative_to(program.folder)).read_bytes()


def test_a_model_of_which_nothing_is_left_is_left_out_of_the_report(program):
    shutil.rmtree(program.folder / "reports/circle")
    for path in (program.folder / "fits").glob("circle-*"):
        path.unlink()
    result = program("report", "--states", STATES)
    assert result.returncode == 3, result.stderr
    assert "circle" not in result.stderr
    assert not (program.folder / "reports/circle.html").exists()
    asked = program("report", "--states", STATES, "--models", "circle")
    assert asked.returncode == 2
    assert "There is nothing to make a report of the circle model from" in asked.stderr
    assert "remitstats fit circle" in asked.stderr


def test_results_of_other_states_make_no_report(program):
    result = program("report", "--states", "04")
    assert result.returncode == 2
    assert "reports/results.json is of another panel or other states" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("report",), "no fit of it is kept in fits"),
        (("run", "--models", "circle"), "name it too (--models reliance,circle)"),
        (("run", "--models", "reliance,cirle"), "Did you mean 'circle'?"),
        (("run", "--models", ","), "No model is named."),
        (("run", "--lang", "fr"), "There is no language 'fr'"),
        (("report", "--lang", "ES"), "Languages: en, es."),
        (("run", *BOTH, "--prior", "state_sd=1,0.05"), "write --prior reliance.state_sd=… or"),
        (("run", *BOTH, "--prior", "circel.state_sd=1,0.05"), "Did you mean 'circle'?"),
        (("run", *BOTH, "--prior", "circle.stat_sd=1,0.05"), "Did you mean 'state_sd'?"),
        (("fit", "circle", "--prior", "own_lnk=1,0.05"), "Did you mean 'own_link'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_refused_in_words(given, said, refused):
    assert said in refused(*given)


def test_a_prior_goes_to_the_model_that_has_it():
    models = (find("reliance"), find("circle"))
    given = {"own_link": (0.0, 0.5), "reliance.state_sd": (2.0, 0.1), "wave_scale": (0.5,)}
    found = priors_of(given, models)
    assert found["circle"].own_link.sd == 0.5
    assert found["reliance"].state_sd.upper == 2.0
    assert found["reliance"].wave_scale.log_sd == 0.5
    assert priors_of({}, models) == {}


def test_a_design_effect_needs_a_model_that_takes_one():
    assert design_of(3.0, [find("circle")]).design_effect == 3.0
    assert design_of(None, []) is None
    with pytest.raises(RemitstatsError, match="means nothing to"):
        design_of(3.0, [])


def test_too_few_municipalities_for_a_model_are_refused_in_words(refused):
    said = refused("fit", "circle", "--states", "02,03")
    assert "can't be used for the circle model" in said
    assert "Take more states" in said
