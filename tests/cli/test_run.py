"""What a whole run leaves, says and exits with."""

from __future__ import annotations

import json
import shlex

import pandas as pd
import pytest

PAGES = ("index", "maps", "change", "ranking", "municipalities", "diagnostics", "method", "data")


def results(finished):
    return json.loads((finished.folder / finished.out / "results.json").read_text("utf-8"))


def test_a_fit_that_does_not_pass_the_gate_exits_3_and_says_why(finished):
    result = finished.result
    assert result.returncode == 3, result.stderr
    said = result.stderr.splitlines()
    at = said.index("NOT CONVERGED: no finding is reported.")
    found = results(finished)
    told = zip(found["reasons"], found["remedies"], strict=True)
    expected = [line for why, what in told for line in (f"  - {why}", f"    try: {what}")]
    assert expected
    assert said[at + 1 :] == expected
    assert any("bulk effective sample size is" in line for line in expected)
    assert any("take more draws: --draws " in line for line in expected)


def test_the_results_and_every_page_say_that_it_did_not_converge(finished):
    found = results(finished)
    assert found["converged"] is False
    assert found["headline"] is None
    for page in PAGES:
        html = (finished.folder / finished.out / f"{page}.html").read_text("utf-8")
        assert "did not converge" in html.lower() or "not converged" in html.lower(), page


def test_the_last_line_on_standard_output_is_the_path_of_the_report(finished):
    lines = finished.result.stdout.splitlines()
    assert lines == [f"{finished.out}/index.html"]
    assert (finished.folder / lines[-1]).is_file()


def test_into_a_pipe_each_phase_is_named_once_on_a_line_without_control_characters(finished):
    phases = [line for line in finished.result.stderr.splitlines() if line.endswith(" …")]
    assert phases[0] == "reading the panel …"
    assert "sampling …" in phases
    assert phases[-2:] == ["estimates and their convergence …", "drawing the report …"]
    assert len(phases) == len(set(phases))
    for text in (finished.result.stderr, finished.result.stdout):
        assert text.replace("\n", "").isprintable()
        assert "Warning" not in text


def test_only_whole_files_are_left(finished):
    assert {path.name for path in finished.folder.iterdir()} == {finished.out, finished.fits}
    names = [path.name for path in finished.folder.rglob("*")]
    assert not [name for name in names if name.endswith(".part")]
    stored = [path for path in (finished.folder / finished.fits).iterdir() if path.suffix == ".nc"]
    assert [path.name for path in stored] == [f"reliance-{results(finished)['fit_key']}.nc"]


def test_the_results_say_what_ran_and_how_to_run_it_again(finished):
    found = results(finished)
    assert (found["units"], found["states"], found["waves"]) == (10, 2, [2000, 2010, 2020])
    assert found["seed"] == 7
    assert (found["settings"]["draws"], found["chains"]) == (40, 2)
    assert found["interval"] == {"kind": "eti", "probability": 0.9}
    assert {"prepare", "sample", "summarise"} <= set(found["wall_seconds"])
    words = shlex.split(found["command"])
    assert words[:2] == ["remitstats", "run"]
    assert words[words.index("--out") + 1] == finished.out


def test_the_summaries_are_there_as_parquet_and_csv_with_the_same_rows(finished):
    folder = finished.folder / finished.out / "summaries"
    for name, rows in (("level", 30), ("municipalities", 10)):
        assert len(pd.read_parquet(folder / f"{name}.parquet")) == rows
        assert len(pd.read_csv(folder / f"{name}.csv", dtype={"cvegeo": str})) == rows


@pytest.fixture(scope="module")
def converged(tmp_path_factory, rows, in_folder):
    folder = tmp_path_factory.mktemp("converged")
    lines = ["cvegeo,wave,dwellings,receiving_percent", *rows]
    (folder / "mine.csv").write_text("\n".join(lines) + "\n")
    out = folder / "absolute" / "out"
    result = in_folder(folder)(
        *("fit", "reliance", "--panel", "mine.csv", "--out", out),
        *("--draws", 1200, "--tune", 200, "--chains", 2),
    )
    return result, out


def test_a_fit_of_ones_own_panel_that_converges_exits_0(converged):
    result, out = converged
    assert result.returncode == 0, result.stderr
    first, last = result.stdout.splitlines()
    assert first.startswith("Converged: R-hat at most 1.00")
    assert last == str(out / "results.json")
    found = json.loads((out / "results.json").read_text("utf-8"))
    assert found["converged"] is True
    assert found["reasons"] == []
    assert found["r_hat_max"] <= 1.01
    assert min(found["ess_bulk_min"], found["ess_tail_min"]) >= 400
    assert found["headline"] is not None


def test_a_fit_alone_writes_no_report(converged):
    _, out = converged
    assert {path.name for path in out.iterdir()} == {"results.json", "summaries"}


def test_the_estimates_follow_the_users_own_figures(converged, rows):
    _, out = converged
    level = pd.read_parquet(out / "summaries" / "level.parquet")
    published = {tuple(row.split(",")[:2]): float(row.split(",")[3]) for row in rows}
    for row in level.itertuples():
        assert row.median == pytest.approx(published[row.cvegeo, str(row.wave)], rel=0.5)
        assert row.eti90_lower < row.median < row.eti90_upper
