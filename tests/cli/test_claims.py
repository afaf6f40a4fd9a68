"""`remitstats claims`: the table, JSON, a ledger of one's own, and what is refused."""

from __future__ import annotations

import json
import re

import pytest

MINE = """
format = 1
title = "Mine"
source = "Nobody"

[rule.figure]
is = "near"
within_percent = 1
beyond_percent = 5
why = "as counted"

[[claim]]
id = "people-of-2020"
kind = "figure"
section = "1"
says = "<b>126 million</b> people [red]live[/red] in Mexico."
value = 2456
unit = "municipalities"
date = "2020"

[[claim.test]]
basis = "own"
estimand = "panel.ratio"
at = { top = { table = "municipality_wave", column = "wave", row = { wave = 2020 } }, bottom = { table = "municipality_wave", column = "wave", row = { wave = 2020, cvegeo = "01001" } } }
rule = "figure"
"""  # noqa: E501


def test_the_table_names_every_claim_with_its_verdict(remitstats):
    shown = remitstats("claims", COLUMNS="160")
    assert (shown.returncode, shown.stderr) == (0, "")
    for text in ("depopulation-share", "contradicted", "34% of municipalities", "vicious-circle"):
        assert text in shown.stdout
    assert "Run: remitstats fit circle" in " ".join(shown.stdout.split())
    last = shown.stdout.splitlines()[-1]
    numbers = [int(number) for number in re.findall(r"\d+", last)]
    assert numbers[0] == sum(numbers[1:]) > 50
    assert remitstats.files == {}


def test_as_json_it_is_a_document(remitstats):
    held = json.loads(remitstats("claims", "--json").stdout)
    assert len(held["claims"]) == sum(held["counts"].values()) > 50
    assert held["rules"]["figure"]["beyond_percent"] == 25


def test_a_ledger_of_ones_own(remitstats):
    (remitstats.folder / "mine.toml").write_text(MINE, encoding="utf-8")
    shown = remitstats("claims", "--ledger", "mine.toml", COLUMNS="160")
    assert shown.returncode == 0, shown.stderr
    assert "1 claims: 1 supported" in shown.stdout
    assert "[red]live[/red]" in shown.stdout  # markup stays text


def test_results_that_did_not_converge_count_for_nothing(finished, in_folder):
    states = ("--states", "02,03")
    program = in_folder(finished.folder)
    held = json.loads(program("claims", "--json", *states, "--results", finished.out).stdout)
    claim = next(c for c in held["claims"] if c["id"] == "households-receiving-share")
    near = [test for test in claim["tests"] if test["estimand"].startswith("reliance")]
    assert near
    assert all(test["found"] is None for test in near)
    assert all("did not pass its gate" in test["reason"] for test in near)


def test_the_estimands_are_listed_with_what_they_take(remitstats):
    shown = remitstats("claims", "--estimands").stdout
    assert "census.declining_percent: figure" in shown
    assert "at: from_year (int), to_year (int)" in shown


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('is = "near"', 'is = "neat"', "line 7, key is: found 'neat' (did you mean 'near'?)"),
        ('"panel.ratio"', '"panel.ration"', "key estimand: found 'panel.ration' (did you mean"),
        ('column = "wave"', 'column = "wvae"', "Did you mean 'wave'"),
    ],
)
def test_a_mistake_in_a_ledger_is_refused_in_words(refused, remitstats, old, new, said):
    (remitstats.folder / "mine.toml").write_text(MINE.replace(old, new, 1), encoding="utf-8")
    assert said in refused("claims", "--ledger", "mine.toml")


def test_a_ledger_that_is_not_there_is_said(refused):
    assert "There is no ledger at nowhere.toml" in refused("claims", "--ledger", "nowhere.toml")
