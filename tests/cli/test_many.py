"""`remitstats many`: a plan of variations in, one table that compares them out."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from remitstats.errors import RemitstatsError
from remitstats.fitting.jobs import Simulate
from remitstats.plan import read_plan
from remitstats.variations import COLUMNS

REPOSITORY = Path(__file__).parents[2]
SHORT = 'states = ["02", "03"]\ndraws = 40\ntune = 40\nchains = 2\n'
PLAN = f"""
{SHORT}
[[variation]]
name = "main"

[[variation]]
name = "design effect 4"
design_effect = 4.0

[[variation]]
name = "made up"
simulate.seeds = [5]
simulate.hyperparameters.state_sd = 0.3
"""


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def ran(tmp_path_factory, in_folder):
    """Return the folder and the outcome of a plan that was run on two processes."""
    folder = tmp_path_factory.mktemp("la corrida")
    (folder / "mi plan.toml").write_text(PLAN, encoding="utf-8")
    program = in_folder(folder)
    result = program("many", "mi plan.toml", "--out", "out", "--fits", "fits", "--workers", 2)
    return program, result


def test_a_plan_gives_one_table_with_a_row_a_variation_and_wave(ran):
    program, result = ran
    assert result.returncode == 3, result.stderr  # the fits are too short to converge
    assert "Traceback" not in result.stderr
    assert result.stdout.splitlines()[-1] == "out/mi plan.csv"
    rows = rows_of(program.folder / "out" / "mi plan.csv")
    assert tuple(rows[0]) == COLUMNS
    found = [(row["variation"], row["wave"]) for row in rows]
    names = ("main", "design effect 4", "made up, seed 5")
    assert found == [(name, wave) for name in names for wave in ("2000", "2010", "2020")]
    assert {row["converged"] for row in rows} == {"False"}
    for row in rows:
        low, middle, high = (
            float(row[f"national_{key}"]) for key in ("eti90_lower", "percent", "eti90_upper")
        )
        assert 0 < low < middle < high < 100
        is_main = row["variation"] == "main"
        assert (float(row["largest_municipality_shift"]) == 0) == is_main
        correlation = float(row["rank_correlation_with_main"])
        assert correlation == 1 if is_main else -1 <= correlation <= 1
        if row["variation"] == "design effect 4":  # the same data, trusted less
            assert correlation > 0.8


def test_what_was_run_is_shown_with_its_verdict(ran):
    _, result = ran
    shown = " ".join(result.stdout.split())
    for word in ("main", "design effect 4", "made up, seed 5", "NO", "R-hat is", "try: "):
        assert word in shown
    assert "fitting 3 models …" in result.stderr


def test_the_main_variation_is_the_fit_that_fit_makes(ran):
    program, _ = ran
    rows = rows_of(program.folder / "out" / "mi plan.csv")
    options = ("--states", "02,03", "--draws", 40, "--tune", 40, "--chains", 2)
    again = program("fit", "reliance", *options)
    assert "(a finished fit was used again)" in again.stderr
    groups = rows_of(program.folder / "reports" / "summaries" / "group.csv")
    nation = [row for row in groups if row["level"] == "nation"]
    for row, other in zip(rows[:3], nation, strict=True):
        assert float(row["national_percent"]) == pytest.approx(float(other["median"]), abs=6e-4)


def test_the_same_plan_again_repeats_nothing(ran):
    program, _ = ran
    before = {name: v for name, v in program.files.items() if name.endswith(".nc")}
    table = (program.folder / "out" / "mi plan.csv").read_bytes()
    result = program("many", "mi plan.toml", "--out", "out", "--fits", "fits", "--workers", 1)
    assert result.returncode == 3
    assert " ".join(result.stdout.split()).count("finished fit") == 3
    assert {name: v for name, v in program.files.items() if name.endswith(".nc")} == before
    assert (program.folder / "out" / "mi plan.csv").read_bytes() == table


def test_a_variation_that_fails_is_said_and_the_others_are_done(ran):
    program, _ = ran
    text = f'{SHORT}\n[[variation]]\nname = "main"\n[[variation]]\nname = "far"\npanel = "no.csv"\n'
    (program.folder / "half.toml").write_text(text, encoding="utf-8")
    result = program("many", "half.toml", "--out", "out", "--fits", "fits", "--workers", 1)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "There is no file or folder" in " ".join(result.stdout.split())
    assert {row["variation"] for row in rows_of(program.folder / "out" / "half.csv")} == {"main"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "it is not TOML: Invalid value (at end of document)"),
        ("", "the plan, key variation: found nothing; accepted: [[variation]] tables"),
        ('[variation]\nname = "a"', "the plan, key variation: found {'name': 'a'}; accepted: [[v"),
        ("[[variation]]\n", "variation 1, key name: found nothing; accepted: a text of its own"),
        ('drwas = 5\n[[variation]]\nname = "a"', "there is no key 'drwas' (did you mean 'draws'?)"),
        (
            '[[variation]]\nname = "a"\ndraws = "many"',
            "variation 1 ('a'), key draws: found 'many'; accepted: a whole number from 10 to",
        ),
        ('[[variation]]\nname = "a"\nchains = true', "key chains: found True; accepted: a whole"),
        ('[[variation]]\nname = "a"\ndraws = 3', "key draws: found 3; accepted: a whole number"),
        ('[[variation]]\nname = "a"\nengine = "stan"', "found 'stan'; accepted: one of laplace, n"),
        ('[[variation]]\nname = "a"\nmodel = "relience"', "accepted: one of reliance"),
        ('[[variation]]\nname = "a"\nstates = "14"', "found '14'; accepted: a list of two-digit"),
        ('[[variation]]\nname = "a"\nstates = [14]', "found [14]; accepted: a list of two-digit"),
        ('[[variation]]\nname = "a"\ndesign_effect = 0.5', "found 0.5; accepted: a number of at"),
        ('[[variation]]\nname = "a"\ndesign_effect = nan', "found nan; accepted: a number of at"),
        (
            '[[variation]]\nname = "a"\npriors.stat_sd = [1, 0.05]',
            "key priors.stat_sd: found [1, 0.05]. There is no prior 'stat_sd'. Did you mean 'state",
        ),
        (
            '[[variation]]\nname = "a"\npriors.state_sd = [1]',
            "The prior 'state_sd' takes 2 number(s) (upper, tail), found 1.",
        ),
        (
            '[[variation]]\nname = "a"\npriors.state_sd = "1"',
            "key priors.state_sd: found '1'; accepted: a list of numbers",
        ),
        (
            '[[variation]]\nname = "a"\nsimulate.seeds = 3',
            "key simulate.seeds: found 3; accepted: a list of whole numbers",
        ),
        (
            '[[variation]]\nname = "a"\nsimulate = {seeds = [1], truth = 2}',
            "key simulate.truth: found 2; accepted: a table with seeds",
        ),
        (
            '[[variation]]\nname = "a"\n[[variation]]\nname = "a"',
            "key name: found 'a more than once'; accepted: a text of its own for each variation",
        ),
    ],
)
def test_a_mistake_in_a_plan_is_answered_with_place_found_and_accepted(text, said, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RemitstatsError) as caught:
        read_plan(path)
    message = str(caught.value)
    assert message.startswith(f"{path} is not a plan that can be used: 1 problem.")
    assert said in message


def test_all_mistakes_of_a_plan_are_told_at_once_and_nothing_is_written(refused, remitstats):
    (remitstats.folder / "plan.toml").write_text(
        'draws = 1\n[[variation]]\nname = "a"\nseed = -1\n[[variation]]\nnme = "b"\n',
        encoding="utf-8",
    )
    message = refused("many", "plan.toml")
    assert "plan.toml is not a plan that can be used: 5 problems." in message
    for place in (
        "variation 1 ('a'), key draws: found 1;",
        "variation 1 ('a'), key seed: found -1;",
        "variation 2: there is no key 'nme' (did you mean 'name'?)",
        "variation 2, key name: found nothing;",
        "variation 2, key draws: found 1;",
    ):
        assert place in message


def test_a_file_that_is_no_plan_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder.toml").mkdir()
    Path("latin.toml").write_bytes('name = "ñ"'.encode("latin-1"))
    for name, said in (
        ("no.toml", "There is no plan at no.toml"),
        ("folder.toml", "folder.toml can't be read: is a directory"),
        ("latin.toml", "not text in UTF-8"),
    ):
        with pytest.raises(RemitstatsError, match=said):
            read_plan(name)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--workers", 0, "'workers' must be a whole number of at least 1, found 0"),
        ("--out", "good.toml", "good.toml is a file, not a folder"),
        ("--fits", "good.toml", "good.toml is a file, not a folder"),
    ],
)
def test_options_that_cannot_be_used_are_refused(option, value, said, refused, remitstats):
    (remitstats.folder / "good.toml").write_text('[[variation]]\nname = "a"', encoding="utf-8")
    assert said in refused("many", "good.toml", option, value)


def test_a_plan_becomes_the_jobs_it_describes(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(
        'seed = 3\nstates = ["14"]\n[[variation]]\nname = "a"\n'
        '[[variation]]\nname = "b"\nseed = 4\npanel = "mine.csv"\ncomplete_below = 500\n'
        "[variation.priors]\nstate_sd = [2, 0.1]\n"
        '[[variation]]\nname = "c"\nsimulate.seeds = [7, 8]\n',
        encoding="utf-8",
    )
    a, b, c7, c8 = read_plan(path).jobs
    assert [job.name for job in (a, b, c7, c8)] == ["a", "b", "c, seed 7", "c, seed 8"]
    assert (a.settings.seed, b.settings.seed, a.states, b.states) == (3, 4, ("14",), ("14",))
    assert (a.panel, b.panel) == (None, tmp_path / "mine.csv")
    assert (a.design.complete_below, b.design.complete_below) == (1000.0, 500.0)
    assert (b.priors.state_sd.upper, b.priors.state_sd.tail) == (2.0, 0.1)
    assert (a.simulate, c7.simulate, c8.simulate) == (None, Simulate(7), Simulate(8))
    changed = read_plan(path, {"seed": 9, "states": ["32"]}).jobs
    assert {(job.settings.seed, job.states) for job in changed} == {(9, ("32",))}


def test_the_sensitivity_plan_changes_one_assumption_at_a_time():
    jobs = read_plan(REPOSITORY / "models" / "sensitivity_reliance.toml").jobs
    main, *others = jobs
    assert main.name == "main"
    assert len(others) == 5
    for job in others:
        changed = [
            name
            for name in ("panel", "states", "priors", "design", "settings", "simulate")
            if getattr(job, name) != getattr(main, name)
        ]
        assert len(changed) == 1, job.name
    with (REPOSITORY / "docs" / "sensitivity.csv").open(encoding="utf-8-sig") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS


@pytest.mark.slow
def test_the_sensitivity_script_gives_the_plan_with_its_options(tmp_path):
    script = REPOSITORY / "models" / "sensitivity_reliance.py"
    options = ("--states", "02,03", "--draws", "10", "--tune", "10", "--chains", "2")
    ran = subprocess.run(
        [sys.executable, str(script), *options, "--workers", "1"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert ran.returncode == 3, ran.stderr
    assert ran.stdout.splitlines()[-1] == "reports/sensitivity/sensitivity.csv"
    rows = rows_of(tmp_path / "reports" / "sensitivity" / "sensitivity.csv")
    assert len(rows) == 18
    assert len(list((tmp_path / "fits").glob("*.nc"))) == 6


def test_interrupted_it_keeps_what_is_finished_and_says_so(remitstats):
    text = (
        f'{SHORT}\n[[variation]]\nname = "short"\n'
        '[[variation]]\nname = "endless"\ndraws = 500_000\n'
        '[[variation]]\nname = "endless too"\ndraws = 500_000\nseed = 2\n'
    )
    (remitstats.folder / "plan.toml").write_text(text, encoding="utf-8")
    process = remitstats.start("many", "plan.toml", "--workers", 2)
    deadline = time.monotonic() + 120
    while not (kept := list((remitstats.folder / "fits").glob("*.nc"))):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, said = process.communicate(timeout=30)
    assert (process.returncode, output) == (130, "")
    assert said.splitlines()[-1].startswith("Interrupted: no file was left half written.")
    assert "Traceback" not in said
    left = [path for path in (remitstats.folder / "fits").iterdir() if path.suffix != ".lock"]
    assert left == kept
    assert not (remitstats.folder / "reports").exists()
