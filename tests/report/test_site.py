from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from remitstats.errors import RemitstatsError
from remitstats.report import build_report
from remitstats.report.pages import PAGES

MEGABYTE = 1_000_000


class _Reader(HTMLParser):
    """Collects numbers marked with their source, addresses, and the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[dict[str, str]] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self._open: dict[str, str] | None = None
        self._body = False

    def handle_starttag(self, tag, attrs):
        attributes = {key: value or "" for key, value in attrs}
        self.tags.append(tag)
        self._body = self._body or tag == "body"
        if tag == "data":
            self._open = {**attributes, "text": ""}
            self.numbers.append(self._open)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.addresses += [attributes[key] for key in ("href", "src") if key in attributes]

    def handle_endtag(self, tag):
        if tag == "data":
            self._open = None

    def handle_data(self, data):
        if self._open is not None:
            self._open["text"] += data
        if self._body and data.strip():
            self.texts.append(data.strip())


def read(page):
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def test_every_number_is_the_one_in_the_files(site, walk_numbers):
    assert walk_numbers(site) > 500


def test_the_table_of_the_page_is_the_csv(site):
    html = (site / "municipalities.html").read_text("utf-8")
    data = json.loads(re.search(r'id="table-data">(.*?)</script>', html, re.S)[1])
    csv = pd.read_csv(
        site / "summaries/municipalities.csv",
        encoding="utf-8-sig",
        dtype={"cvegeo": str, "state": str},
    )
    page = pd.DataFrame(data["rows"], columns=[column["name"] for column in data["columns"]])
    assert list(page.columns) == list(csv.columns)
    pd.testing.assert_frame_equal(page, csv, check_dtype=False, rtol=0)


def test_all_pages_are_there_and_link_only_to_what_exists(site):
    of_states = {"municipalities-01", "municipalities-02"}
    always = {page.key for page in PAGES} | {"validation"}
    assert {page.stem for page in site.glob("*.html")} == always | of_states
    for page in site.glob("*.html"):
        for address in read(page).addresses:
            path, _, anchor = address.partition("#")
            if address.startswith("data:"):
                continue
            assert "://" not in address and not address.startswith("//")
            target = site / path if path else page
            assert target.is_file(), f"{page.name}: {address}"
            if anchor and not anchor.startswith("m-"):
                assert anchor in read(target).ids, f"{page.name}: {address}"


def test_pages_have_alternative_texts_and_one_heading(site):
    for page in site.glob("*.html"):
        html = page.read_text("utf-8")
        assert html.count("<h1") == 1
        for image in re.findall(r"<img[^>]*>", html):
            assert re.search(r'alt="[^"]{20,}"', image), image


def test_the_interval_is_named_at_every_figure_with_one_and_in_each_table(site):
    for key in ("index", "ranking", "states", "change", "paper", "check", "municipalities"):
        assert "90% equal-tailed interval" in (site / f"{key}.html").read_text("utf-8"), key


def test_a_fit_that_did_not_converge_says_so_first_and_finds_nothing(stuck_site):
    for page in set(stuck_site.glob("*.html")) - {stuck_site / "validation.html"}:  # of no fit
        reader = read(page)
        assert reader.texts[0].startswith("This fit did not converge"), page.name
        everything = " ".join(reader.texts)
        assert "R-hat of sigma_state is 1.2" in everything
        assert "What to try: take more draws: --draws 5600." in everything
        assert "What to try: run several: --chains 4" in everything
        assert "<b>bold</b>" not in page.read_text("utf-8")
        assert "<title>Not converged: " in page.read_text("utf-8")
    front = read(stuck_site / "index.html")
    assert front.numbers == []
    assert "No finding is stated" in " ".join(front.texts)
    assert read(stuck_site / "paper.html").numbers == []
    assert "lie outside" not in (stuck_site / "check.html").read_text("utf-8")
    assert json.loads((stuck_site / "results.json").read_text())["headline"] is None


def test_a_fit_that_does_not_say_whether_it_converged_is_taken_for_one_that_did_not(
    simulated, grid_panel, tmp_path
):
    results = simulated(waves=(2020,))
    del results.summary["converged"]
    build_report(results, grid_panel(results, shapes=False), tmp_path, languages=["en"])
    for page in set(tmp_path.glob("*.html")) - {tmp_path / "validation.html"}:  # of no fit
        reader = read(page)
        assert reader.texts[0].startswith("This fit did not converge"), page.name
        assert "What to try: fit again." in " ".join(reader.texts)


def test_what_should_be_known_of_a_fit_that_converged_is_said(simulated, grid_panel, tmp_path):
    results = simulated(waves=(2020,))
    results.summary["notes"] = ["All ratios are <i>alike</i>."]
    build_report(results, grid_panel(results, shapes=False), tmp_path, languages=["en"])
    html = (tmp_path / "diagnostics.html").read_text("utf-8")
    assert "All ratios are &lt;i&gt;alike&lt;/i&gt;." in html


def test_a_fit_that_converged_has_no_warning(site):
    for page in site.glob("*.html"):
        assert "did not converge" not in page.read_text("utf-8").split("</header>")[0]


def test_hostile_names_stay_text(hostile_site):
    for page in hostile_site.glob("*.html"):
        html = page.read_text("utf-8")
        assert "<script>window" not in html
        assert "<img src=x" not in html
        scripts = {"municipalities": 6, "explorer": 10}.get(page.stem, 1)
        assert read(page).tags.count("script") == scripts
    assert "{{ 7 * 7 }} {name} %s" in (hostile_site / "ranking.html").read_text("utf-8")
    csv = (hostile_site / "summaries/municipalities.csv").read_text("utf-8-sig")
    for cell in ("=cmd", "-1+1", "@SUM"):
        assert f"'{cell}" in csv
        assert not re.search(rf'(^|,|,"){re.escape(cell)}', csv, re.M)


@pytest.mark.parametrize("waves", [(2010,), (2010, 2020), (1990, 2000, 2010, 2020)])
def test_any_number_of_waves(simulated, grid_panel, tmp_path, waves):
    results = simulated(waves=waves)
    build_report(results, grid_panel(results), tmp_path, languages=["en"])
    html = (tmp_path / "maps.html").read_text("utf-8")
    for wave in waves:
        assert f"level_{wave}.png" in html
    pairs = len(waves) * (len(waves) - 1) // 2
    assert len(list((tmp_path / "assets").glob("change_*.png"))) == pairs


def test_without_shapes_the_report_says_that_it_has_no_maps(simulated, grid_panel, tmp_path):
    results = simulated()
    build_report(results, grid_panel(results, shapes=False), tmp_path, languages=["en"])
    assert "has no maps" in (tmp_path / "maps.html").read_text("utf-8")
    assert not list((tmp_path / "assets").glob("level_*"))
    assert "<img" not in (tmp_path / "index.html").read_text("utf-8")


def test_shapes_that_lack_some_municipalities_are_counted(simulated, grid_panel, tmp_path):
    results = simulated()
    panel = grid_panel(results)
    panel = panel.with_table("shape", panel.table("shape").iloc[:15])
    build_report(results, panel, tmp_path, languages=["en"])
    assert "3 municipalities have no shape" in (tmp_path / "maps.html").read_text("utf-8")


def test_a_part_of_a_country_is_not_held_against_the_national_figure(
    simulated, grid_panel, tmp_path
):
    results = simulated()
    build_report(
        results, grid_panel(results, shapes=False, all_states=False), tmp_path, languages=["en"]
    )
    paper = (tmp_path / "paper.html").read_text("utf-8")
    assert "no comparison is made" in paper
    assert "Uno, Dos (Nowhere)" in paper
    assert not (tmp_path / "assets/claimed.svg").exists()
    assert "8%: the largest probability" not in (tmp_path / "index.html").read_text("utf-8")


def test_a_check_over_all_waves_needs_no_wave(simulated, grid_panel, tmp_path):
    results = simulated(waves=(2010, 2020))
    whole = results.predictive.iloc[[0]].assign(wave=None, statistic="correlation of the waves")
    table = pd.concat([results.predictive.astype({"wave": object}), whole], ignore_index=True)
    build_report(
        replace(results, predictive=table),
        grid_panel(results, shapes=False),
        tmp_path,
        languages=["en"],
    )
    html = (tmp_path / "check.html").read_text("utf-8")
    assert "<td>2010</td>" in html
    assert "<td>–</td>" in html


def test_a_bare_panel_will_do(simulated, grid_panel, tmp_path):
    results = simulated()
    bare = type(grid_panel(results))({"municipality_wave": results.level[["cvegeo", "wave"]]}, {})
    build_report(results, bare, tmp_path, languages=["en"])
    data = (tmp_path / "data.html").read_text("utf-8")
    assert "came without a dictionary" in data
    assert "came without an account" in data


def test_a_second_report_replaces_the_first_and_nothing_else(simulated, grid_panel, site, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    shutil.copytree(site, tmp_path, dirs_exist_ok=True)
    assert (tmp_path / "assets/level_2000.png").exists()
    second = simulated(waves=(2010, 2020))
    build_report(second, grid_panel(second, shapes=False), tmp_path, languages=["en"])
    assert (tmp_path / "mine.txt").read_text() == "keep"
    assert not (tmp_path / "assets/level_2000.png").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_report_that_is_broken_off_has_no_front_page_and_the_next_is_whole(
    results, grid_panel, site, tmp_path
):
    """A page that can't be replaced stands for whatever breaks off the moving in its middle."""
    shutil.copytree(site, tmp_path, dirs_exist_ok=True)
    (tmp_path / "maps.html").unlink()
    (tmp_path / "maps.html" / "in the way").mkdir(parents=True)
    with pytest.raises(RemitstatsError, match="Can't write the report"):
        build_report(results, grid_panel(results, shapes=False), tmp_path, languages=["en"])
    assert not (tmp_path / "index.html").exists()  # it would lead to pages of two reports
    shutil.rmtree(tmp_path / "maps.html")
    build_report(results, grid_panel(results, shapes=False), tmp_path, languages=["en"])
    assert (tmp_path / "index.html").exists()
    assert not (tmp_path / "es").exists()  # of the first report, which the second is not told of
    assert not list(tmp_path.glob(".*"))


def test_what_a_killed_run_left_of_a_report_goes_with_the_next(results, grid_panel, tmp_path):
    left = tmp_path / ".report.1.part" / "assets"
    left.mkdir(parents=True)
    build_report(results, grid_panel(results, shapes=False), tmp_path, languages=["en"])
    assert not list(tmp_path.glob(".*"))


def test_the_same_results_give_the_same_files(results, grid_panel, site, tmp_path):
    build_report(results, grid_panel(results), tmp_path)
    for path in site.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert path.read_bytes() == (tmp_path / path.relative_to(site)).read_bytes(), path


def test_a_list_of_files_that_points_outside_is_not_followed(simulated, grid_panel, tmp_path):
    out = tmp_path / "out"
    (out / "assets").mkdir(parents=True)
    (tmp_path / "precious").write_text("keep")
    (out / "assets/files.json").write_text(json.dumps(["../precious", str(tmp_path / "precious")]))
    results = simulated(waves=(2020,))
    build_report(results, grid_panel(results, shapes=False), out, languages=["en"])
    assert (tmp_path / "precious").read_text() == "keep"


def test_a_place_that_cannot_be_written_is_said(results, grid_panel, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RemitstatsError, match="Can't write the report"):
        build_report(
            results, grid_panel(results, shapes=False), tmp_path / "file", languages=["en"]
        )


def test_progress_rises_to_one(simulated, grid_panel, tmp_path):
    seen: list[tuple[str, float]] = []
    results = simulated(waves=(2020,))
    build_report(
        results, grid_panel(results), tmp_path, lambda *step: seen.append(step), languages=["en"]
    )
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(text for text, _ in seen)


def test_the_report_needs_no_pymc_and_is_quick_to_import():
    code = (
        "import sys, remitstats.report; assert 'matplotlib' not in sys.modules;"
        "import remitstats.report.site; assert 'matplotlib.pyplot' not in sys.modules;"
        "assert 'pymc' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_pages_of_a_whole_country_stay_small(simulated, grid_panel, tmp_path):
    results = simulated(units=2456)
    build_report(results, grid_panel(results, shapes=False), tmp_path, languages=["en"])
    for page in tmp_path.glob("*.html"):
        carried = [tmp_path / a for a in read(page).addresses if a.startswith("assets/")]
        weight = page.stat().st_size + sum(path.stat().st_size for path in set(carried))
        assert weight < 3 * MEGABYTE, page.name
