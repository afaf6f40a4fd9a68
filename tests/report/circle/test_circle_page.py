from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

import remitstats
from remitstats.errors import RemitstatsError
from remitstats.models import circle as circle_model
from remitstats.models.circle_form import Form
from remitstats.report import build_report
from remitstats.report.pages import PAGES

MEGABYTE = 1_000_000
FINDINGS = ("As claimed", "The other way.", "come back to migration", "is the most probable in")


def words(page) -> str:
    """The visible text of a page's body."""
    body = page.read_text("utf-8").split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_without_results_of_the_circle_there_is_no_page_and_no_word_of_it(site):
    assert not (site / "circle.html").exists()
    assert not (site / "circle").exists()
    assert not list((site / "assets").glob("circle*"))
    for page in site.glob("*.html"):
        assert "circle.html" not in page.read_text("utf-8"), page.name
    assert 'id="circle' not in (site / "glossary.html").read_text("utf-8")


def test_with_them_every_page_links_to_it(circle_site):
    keys = {page.key for page in PAGES} | {"circle", "validation"}
    stems = {page.stem for page in circle_site.glob("*.html")}
    assert {stem for stem in stems if not stem.startswith("municipalities-")} == keys
    for page in circle_site.glob("*.html"):
        assert '<a href="circle.html"' in page.read_text("utf-8"), page.name


def test_every_link_of_the_page_leads_somewhere(circle_site):
    html = (circle_site / "circle.html").read_text("utf-8")
    addresses = re.findall(r'(?:href|src)="([^"]*)"', html)
    for address in addresses:
        path, _, anchor = address.partition("#")
        if address.startswith("data:"):
            continue
        target = circle_site / (path or "circle.html")
        assert target.is_file(), address
        if anchor:
            assert f'id="{anchor}"' in target.read_text("utf-8"), address
    assert any(address.startswith("glossary.html#circle_") for address in addresses)


def test_every_number_is_the_one_in_the_files(circle_site, walk_numbers):
    assert walk_numbers(circle_site, "circle.html") > 500
    assert walk_numbers(circle_site) > 1000


def test_verdicts_stand_with_their_reasons(circle_site):
    text = words(circle_site / "circle.html")
    assert "Whether there is a vicious circle remains inconclusive. Too near the limit" in text
    assert "A virtuous circle is contradicted" in text
    front = words(circle_site / "index.html")
    assert "Whether there is a vicious circle remains inconclusive." in front
    assert "circle_summary.svg" in (circle_site / "index.html").read_text("utf-8")


def test_the_reason_of_a_verdict_stays_text(circle_site):
    assert "&lt;b&gt;by far&lt;/b&gt;" in (circle_site / "circle.html").read_text("utf-8")


def test_links_are_said_to_go_the_way_their_probability_says(circle_site):
    link = pd.read_csv(circle_site / "circle/summaries/link.csv")
    link = link[(link["level"] == "nation") & (link["interval"] == "all") & link["claimed"]]
    p = link.loc[link["reading"] == "lagged", "p_positive"]
    claimed, opposite = (p >= 0.95).sum(), (p <= 0.05).sum()
    text = words(circle_site / "circle.html")
    assert f"Of the 4 links of the chain, {claimed} go the claimed way" in text
    assert text.count("As claimed.") == claimed
    assert text.count("The other way.") == opposite
    assert text.count("Open.") == 4 - claimed - opposite


def test_states_are_counted_by_their_most_probable_regime(circle_site):
    regime = pd.read_csv(circle_site / "circle/summaries/regime.csv")
    states = regime[regime["level"] == "state"]
    columns = ["p_vicious", "p_virtuous", "p_none", "p_undefined"]
    best = states[columns].idxmax(axis=1)
    text = words(circle_site / "circle.html")
    names = ("A vicious circle", "A virtuous circle", "No circle")
    for column, name in zip(columns, names, strict=False):
        count = (best == column).sum()
        said = f"{name} is the most probable in {count} of {len(states)} states"
        assert (said in text) == (count > 0)


def test_a_second_limit_of_what_counts_as_none_is_for_the_files(
    simulated_circle, tmp_path, report_with
):
    circle = simulated_circle()
    regime = circle.regime
    wider = regime.assign(delta=0.1, p_vicious=0.0, p_none=1.0)
    circle = replace(circle, regime=pd.concat([regime, wider], ignore_index=True))
    report_with(circle=circle)
    html = (tmp_path / "circle.html").read_text("utf-8")
    assert ",0.05|p_vicious" in html
    assert ",0.1|" not in html
    assert len(pd.read_csv(tmp_path / "circle/summaries/regime.csv")) == 2 * len(regime)


def test_a_fit_that_did_not_pass_says_so_first_and_finds_nothing(stuck_circle_site):
    text = words(stuck_circle_site / "circle.html")
    assert text.startswith("This fit did not converge")
    assert "R-hat of link[growth] is 1.3" in text
    assert "What to try: take more draws." in text
    assert "No verdict and no finding is stated" in text
    front = words(stuck_circle_site / "index.html")
    assert not front.startswith("This fit did not converge")
    assert "did not pass its gate, so nothing is said about it here" in front
    for finding in (*FINDINGS, "inconclusive.", "contradicted:", "Of the 4 links"):
        assert finding not in text, finding
        assert finding not in front, finding
    assert "<title>Not converged: " in (stuck_circle_site / "circle.html").read_text("utf-8")


def test_the_front_page_of_a_report_that_did_not_converge_gives_no_verdict(
    simulated, simulated_circle, grid_panel, tmp_path
):
    results = simulated(converged=False)
    build_report(
        results,
        grid_panel(results, shapes=False),
        tmp_path,
        others={"circle": simulated_circle()},
        languages=["en"],
    )
    front = words(tmp_path / "index.html")
    assert front.startswith("This fit did not converge")
    assert "remains inconclusive" not in front
    assert not words(tmp_path / "circle.html").startswith("This fit did not converge")


def test_every_figure_has_an_alternative_text_and_the_interval_its_name(circle_site):
    html = (circle_site / "circle.html").read_text("utf-8")
    images = re.findall(r"<img[^>]*>", html)
    assert len(images) == 9
    for image in images:
        assert re.search(r'alt="[^"]{40,}"', image), image
    assert html.count("<h1") == 1
    assert "Migration" not in re.search(r'alt="(Drawing[^"]*)"', html)[1]
    assert "migration to reliance on remittances: positive" in html
    assert html.count("90% equal-tailed interval") > 5


def test_tables_that_are_not_there_leave_out_their_sections(
    simulated_circle, tmp_path, report_with
):
    circle = simulated_circle(trials=False)
    report_with(circle=circle)
    html = (tmp_path / "circle.html").read_text("utf-8")
    for section in ("variations", "calibration"):
        assert f'id="{section}"' not in html
        assert f'"#{section}"' not in html
    assert not (tmp_path / "assets/circle_regimes.png").exists()
    assert "circle_nation.svg" in html


def test_hostile_names_stay_text(simulated_circle, hostile_names, tmp_path, report_with):
    names = {f"{i + 1:02d}": name for i, name in enumerate(hostile_names)}
    circle = simulated_circle(names=names)
    report_with(circle=circle)
    html = (tmp_path / "circle.html").read_text("utf-8")
    assert re.findall(r"<script[^>]*>", html) == ['<script src="assets/language.js" defer>']
    assert "<img src=x" not in html
    assert "&lt;script&gt;window.hacked" in html
    csv = (tmp_path / "circle/summaries/regime.csv").read_text("utf-8-sig")
    assert "'=cmd" in csv


def test_the_same_results_give_the_same_files(
    results, simulated_circle, grid_panel, circle_site, tmp_path
):
    build_report(results, grid_panel(results), tmp_path, others={"circle": simulated_circle()})
    written = [path for path in circle_site.rglob("*circle*") if path.is_file()]
    assert len(written) >= 8
    for path in written:
        assert path.read_bytes() == (tmp_path / path.relative_to(circle_site)).read_bytes(), path


def test_a_later_report_without_the_circle_leaves_nothing_of_it(
    results, grid_panel, circle_site, tmp_path
):
    def of_the_circle() -> list[str]:
        found = (path.relative_to(tmp_path) for path in tmp_path.rglob("*circle*"))
        # what is kept of its validation belongs to the page "Validation", whatever was fitted
        return [str(path) for path in found if path.suffix and path.parts[0] != "validation"]

    shutil.copytree(circle_site, tmp_path, dirs_exist_ok=True)
    assert of_the_circle()
    build_report(results, grid_panel(results, shapes=False), tmp_path, languages=["en"])
    assert of_the_circle() == []


def test_the_page_of_a_whole_country_stays_small(results, simulated_circle, grid_panel, tmp_path):
    names = {f"{i + 1:02d}": f"State {i + 1}" for i in range(32)}
    circle = simulated_circle(names=names)
    build_report(
        results, grid_panel(results), tmp_path, others={"circle": circle}, languages=["en"]
    )
    html = (tmp_path / "circle.html").read_text("utf-8")
    pictures = sum(path.stat().st_size for path in (tmp_path / "assets").glob("circle_*"))
    assert len(html.encode()) + pictures < 3 * MEGABYTE


@pytest.mark.slow
def test_a_real_fit_too_short_for_the_gate_makes_a_page_that_says_so(tmp_path, report_with):
    panel = remitstats.load_mexico().select(["01", "06", "18"])
    model = circle_model.build(panel, form=Form(by_interval=False))
    fit = remitstats.fit(model, panel, seed=1, draws=30, tune=24, chains=2)
    circle = remitstats.summarise_circle(fit, panel)
    report_with(circle=circle)
    text = words(tmp_path / "circle.html")
    assert "No verdict and no finding is stated" in text
    assert not any(finding in text for finding in FINDINGS)


def test_a_model_that_does_not_exist_has_no_page(results, simulated_circle, grid_panel, tmp_path):
    with pytest.raises(RemitstatsError, match="Did you mean 'circle'"):
        build_report(
            results,
            grid_panel(results),
            tmp_path,
            others={"circel": simulated_circle()},
            languages=["en"],
        )
    assert list(tmp_path.iterdir()) == []


def test_the_front_page_names_first_which_model_did_not_converge(stuck_circle_site, circle_site):
    front = words(stuck_circle_site / "index.html")
    said = front.index("Not everything converged. Nothing is stated here of: The circle")
    assert said < front.index("of dwellings receive remittances")
    assert "Not everything converged" not in words(circle_site / "index.html")


def test_the_comparison_says_how_sure_its_weights_are_where_it_knows(
    simulated_circle, circle_site, tmp_path, report_with
):
    text = words(circle_site / "circle.html")
    assert "States with k-hat too high" in text
    assert "0.40 ( 0.10 to 0.80 )" in text or "0.40 (0.10 to 0.80)" in text
    circle = simulated_circle()
    known = [*("variant", "elpd", "difference", "se", "weight")]
    earlier = replace(circle, comparison=circle.comparison[known])
    report_with(circle=earlier)
    text = words(tmp_path / "circle.html")
    assert "Which circle predicts better" in text
    assert "States with k-hat too high" not in text


def test_what_chains_say_of_simulated_panels_stands_beside_the_approximation(circle_site):
    text = words(circle_site / "circle.html")
    assert "Both verdicts were the same in 36 of 40 panels" in text
    assert "to the same data of 2,456 municipalities" in text
    assert "Vicious, chains" in text
