"""From a filled template to a report: what is there is used, what is not is said."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from remitstats import pipeline
from remitstats.cli.data import app
from remitstats.errors import PanelError
from remitstats.estimands.results import RelianceResults
from remitstats.fitting.settings import AskedSettings
from remitstats.models import circle
from remitstats.panel.load import load_panel
from remitstats.rebuild import rebuild

SHORT = AskedSettings(engine="laplace", seed=1, draws=40, tune=30, chains=2)


@dataclass(frozen=True)
class Made:
    """A panel, the job that made a report of it, and what came of it."""

    job: pipeline.Job
    run: pipeline.Run

    @property
    def report(self) -> Path:
        return self.run.page.parent

    @property
    def results(self) -> RelianceResults:
        return self.run.outcomes["reliance"].results


def make(folder: Path) -> Made:
    out = folder.parent
    job = pipeline.Job(out / "report", out / "fits", panel=folder, settings=SHORT)
    return Made(job, pipeline.run(job))


@pytest.fixture(scope="module")
def whole(fill, tmp_path_factory) -> Made:
    """A panel that lacks shapes alone."""
    return make(fill(tmp_path_factory.mktemp("whole") / "mine"))


@pytest.fixture(scope="module")
def bare(fill, tmp_path_factory) -> Made:
    """One wave of codes and percentages, and nothing else."""
    empty = ("adjacency", "municipality", "state", "national_year")
    folder = tmp_path_factory.mktemp("bare") / "mine"
    return make(fill(folder, *empty, waves=(2019,), states="any"))


def said(page: Path) -> str:
    """Return the text of the part on what was left out, without marks."""
    found = re.search(r'<h2 id="missing">.*?</ul>', page.read_text("utf-8"), re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[0]) if found else ""


def test_the_check_says_what_the_report_will_lack(whole: Made, bare: Made) -> None:
    checked = CliRunner().invoke(app, ["check", str(whole.job.panel)])
    assert checked.exit_code == 0
    assert "9 municipalities, 2 waves (2009, 2019), 3 states" in checked.stdout
    assert checked.stdout.count("  - ") == 1
    assert "there are no maps" in checked.stdout
    checked = CliRunner().invoke(app, ["check", str(bare.job.panel)])
    assert checked.exit_code == 0
    assert checked.stdout.count("  - ") == 4


def test_a_filled_template_becomes_a_report(whole: Made) -> None:
    assert set(whole.run.outcomes) == {"reliance", "macro"}
    assert set(whole.run.left_out) == {"transition", "dependence", "dependence_state"}
    text = said(whole.run.page)
    assert "Maps." in text
    assert "Three paths, Dependence, Dependence of states." in text
    assert "not fitted to panels of another country" in text
    assert "Neighbours." not in text
    results = whole.results
    assert results.summary["missing"] == ["shapes"]
    assert results.summary["model_spec"]["sampling_design"]["default_fraction"] == 0.2
    assert set(results.group.loc[results.group["level"] == "region", "name"]) == {"Hills", "Coast"}
    assert set(results.level["state"]) == {"PA", "PB", "PC"}


def test_such_a_report_says_nothing_of_the_papers_figure(whole: Made) -> None:
    assert not (whole.report / "paper.html").exists()
    pages = [*whole.report.glob("*.html"), *whole.report.glob("es/*.html")]
    assert len(pages) > 20
    for page in pages:
        text = page.read_text("utf-8")
        assert "paper.html" not in text, page
        assert "Ruritania" in text
        assert "CONAPO" not in text, page
    document = json.loads((whole.report / "results.json").read_text("utf-8"))
    assert "p_national_at_least_8" not in document["estimates"]


def test_foreign_exchange_is_told_of_the_sources_and_years_that_are_there(whole: Made) -> None:
    results = whole.run.outcomes["macro"].results
    window = results.window.set_index(["source", "window"])
    assert list(window.index) == [("remittances", "2005-2019"), ("other_exports", "2005-2019")]
    assert len(results.turn) == len(results.coverage) == 0
    for source, growth in (("remittances", 12.0), ("other_exports", 3.0)):
        assert window.loc[(source, "2005-2019"), "observed"] == pytest.approx(growth)
    assert set(results.growth["year"]) == {*range(2004, 2020)}
    for page, left_out, none in (
        ("macro.html", "left out: Oil exports, Tourism.", "from 1995 on"),
        ("es/macro.html", "fuera del modelo: Petróleo, Turismo.", "desde 1995"),
    ):
        text = (whole.report / page).read_text("utf-8")
        assert left_out in re.sub(r"<[^>]+>", "", text)
        assert none not in text  # a fit that did not pass finds nothing, not even this
        assert not re.search("paper|artículo|Maquil|2001", text.split("<main")[1])


def test_one_wave_without_neighbours_or_groups_is_a_report_all_the_same(bare: Made) -> None:
    results = bare.results
    assert results.summary["missing"] == ["neighbours", "waves", "states", "shapes"]
    assert set(results.parameter["name"]) == {"municipality_sd"}
    assert len(results.change) == len(results.group_change) == 0
    text = said(bare.run.page)
    for word in ("Neighbours.", "Change.", "Groups.", "Maps."):
        assert word in text
    assert "Foreign exchange. This model needs what the panel does not hold" in text
    method = (bare.report / "method.html").read_text("utf-8")
    assert "there is no effect of space" in method
    assert "In the equations <i>u</i> is left out" in method
    spanish = said(bare.report / "es" / "index.html")
    for word in ("Vecinos.", "Cambio.", "Grupos.", "Mapas."):
        assert word in spanish


def test_a_report_that_is_made_again_says_the_same(bare: Made) -> None:
    before = said(bare.run.page)
    assert said(rebuild(bare.job).page) == before


def test_the_circle_needs_two_waves_and_says_so(bare: Made) -> None:
    with pytest.raises(PanelError) as caught:
        circle.build(load_panel(bare.job.panel))
    first = caught.value.problems[0]
    assert (first.column, first.found) == ("wave", "2019")
    assert "at least two waves" in first.accepted
    assert "fit a model of one wave" in first.remedy


def test_a_model_of_mexico_is_refused_by_name(whole: Made) -> None:
    with pytest.raises(PanelError, match="can't be used for the dependence model") as caught:
        pipeline.fit_model(whole.job, "dependence")
    (problem,) = caught.value.problems
    assert (problem.column, problem.found) == ("country", '"Ruritania"')
