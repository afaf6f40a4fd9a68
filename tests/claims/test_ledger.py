"""Reading ledgers: what is good comes back whole, what is not is told with line and key."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remitstats.claims.ledger import LedgerError
from remitstats.claims.lines import find_lines
from remitstats.claims.read import read_ledger
from remitstats.errors import RemitstatsError
from remitstats.estimands import dependence_state_claims, paid_out_claims

ANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def problems(path):
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    return caught.value.problems


def test_a_users_ledger_comes_back_as_it_was_written(write_ledger):
    ledger = read_ledger(write_ledger())
    (claim,) = ledger.claims
    assert (ledger.title, ledger.source) == ("Mine", "Nobody")
    assert (claim.id, claim.kind, claim.value, claim.unit) == (
        *("exports", "figure"),
        *((100.0, 100.0), "millions"),
    )
    (test,) = claim.tests
    assert (test.basis, test.estimand, test.claimed) == ("own", "panel.cell", (100.0, 100.0))
    assert test.at["row"] == {"year": 2001}
    assert test.rule.within_percent == 10
    assert claim.deciding == (test,)


def test_models_name_claims_as_the_ledger_does():
    ids = {claim.id for claim in read_ledger().claims}
    assert {dependence_state_claims.DEEPENS, dependence_state_claims.DYNAMIC} <= ids
    assert paid_out_claims.MAIN_INCOME in ids


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format = 1", "format = 2", "line 1, key format: found 2; accepted: 1"),
        ('title = "Mine"', 'titel = "Mine"', "did you mean 'title'"),
        ('title = "Mine"', "title = 3", "line 2, key title: found 3; accepted: a text"),
        ('is = "near"', 'is = "nearly"', "did you mean 'near'"),
        ("within_percent = 10", "within_percent = 30", "at most beyond_percent, found 30 and 25"),
        ("within_percent = 10", 'within_percent = "x"', "key within_percent: found 'x'"),
        ("within_percent = 10", "whithin_percent = 10", "did you mean 'within_percent'"),
        ('why = "usual limits"', "", "key why: found nothing; accepted: a text"),
        ('id = "exports"', 'id = "Ex ports"', "small letters, digits and single hyphens"),
        ('kind = "figure"', 'kind = "figur"', "did you mean 'figure'"),
        ('section = "1"', "", "key section: found nothing"),
        ("value = 100", "value = [3, 2]", "two in rising order"),
        ("value = 100", "value = 0", "a figure other than 0"),
        ("value = 100", "value = nan", "found nan; accepted: a number"),
        ("value = 100", "value = true", "found True; accepted: a number"),
        ('unit = "millions"', "", "key unit: found nothing"),
        ('basis = "own"', 'basis = "owned"', "did you mean 'own'"),
        ('estimand = "panel.cell"', 'estimand = "panel.cel"', "did you mean 'panel.cell'"),
        ('column = "oil', 'colum = "oil', "did you mean 'column'"),
        ('table = "national_year"', "table = 3", "key table: found 3; accepted: a text"),
        ("row = { year = 2001 }", "row = [2001]", "accepted: a table of columns and values"),
        ('rule = "figure"', 'rule = "figuer"', "did you mean 'figure'"),
        ('rule = "figure"', 'rule = "sure"', "a rule for a figure, which is what panel.cell gives"),
        ('basis = "own"', 'basis = "beside"', "key needs: found nothing"),
        ('note = "in 2001"', "note = 3", "key note: found 3"),
        ("value = 100", "", "the rule figure needs it"),
    ],
)
def test_a_mistake_is_told_with_line_key_and_what_is_accepted(write_ledger, old, new, said):
    path = write_ledger()
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = problems(path)
    assert any(said in problem for problem in found), found
    for problem in found:
        assert re.match(r"line \d+, key [\w-]+: ", problem), problem


def test_the_line_told_is_the_line_of_the_key(write_ledger, one_claim):
    second = one_claim.replace('"exports"', '"more"').replace("panel.cell", "panel.sell")
    path = write_ledger(one_claim + second)
    lines = path.read_text("utf-8").split("\n")
    (problem,) = problems(path)
    line = int(re.match(r"line (\d+)", problem)[1])
    assert lines[line - 1] == 'estimand = "panel.sell"'


def test_two_claims_of_one_id_are_refused_with_both_lines(write_ledger, one_claim):
    (problem,) = problems(write_ledger(one_claim + one_claim))
    assert "key id: found 'exports'; accepted: an id of its own; line 20 has it already" in problem


def test_all_mistakes_are_told_at_once(write_ledger):
    path = write_ledger()
    text = path.read_text("utf-8").replace('"own"', '"owned"').replace('kind = "f', 'kind = "x')
    path.write_text(text, encoding="utf-8")
    assert len(problems(path)) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"format = ", "it is not TOML"),
        (b"\xff\xfe", "it is not text in UTF-8"),
        (b"", "key claim: found nothing"),
        (b"claim = 3", "[[claim]] tables"),
        (b"claim = [3]", "[[claim]] tables"),
        (b"rule = 3\nclaim = []", "[rule.NAME] tables"),
        (b"[rule]\nfigure = 3", "a table [rule.figure]"),
        (b"[[claim]]\ntest = 3", "[[claim.test]] tables"),
        (b"[[claim]]\n[[claim.test]]\nat = 3\nestimand = 'panel.cell'", "a table with table, col"),
        (b"x = " + b"[" * 5000 + b"]" * 5000, "it is not TOML"),
    ],
)
def test_what_is_no_ledger_is_said_in_words(tmp_path, content, said):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    assert any(said in problem for problem in problems(path))


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(RemitstatsError, match="There is no ledger at"):
        read_ledger(tmp_path / "none.toml")
    with pytest.raises(RemitstatsError, match="can't be read"):
        read_ledger(tmp_path)


VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8),
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


def toml(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


@ANY
@given(st.data())
def test_any_value_in_any_place_is_read_or_refused_in_words(write_ledger, data):
    lines = write_ledger().read_text("utf-8").split("\n")
    keys = [i for i, line in enumerate(lines) if " = " in line]
    for i in data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3)):
        lines[i] = f"{lines[i].split(' = ')[0]} = {toml(data.draw(VALUES))}"
    path = write_ledger("\n".join(lines), head="")
    try:
        read_ledger(path)
    except LedgerError as error:
        assert error.problems


@ANY
@given(st.data())
def test_lines_may_be_lost_doubled_or_swapped(write_ledger, data):
    lines = write_ledger().read_text("utf-8").split("\n")
    count = st.integers(0, len(lines) - 1)
    first, second = data.draw(count), data.draw(count)
    lines[first], lines[second] = lines[second], lines[first]
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    path = write_ledger("\n".join(lines), head="")
    try:
        read_ledger(path)
    except LedgerError as error:
        assert error.problems


@given(st.text(max_size=200))
def test_finding_lines_never_fails(text):
    lines = find_lines(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def test_lines_are_found_around_texts_and_lists_of_several_lines():
    text = (
        'a = """\nb = 1\n[c]\n"""\nd = [\n  "x = 1",\n]\n'
        '[e] # [f]\n"g" = 1\n[[h]]\n[[h.i]]\nj = 1\n'
    )
    lines = find_lines(text)
    assert ("b",) not in lines
    assert ("c",) not in lines
    assert {k: v for k, v in lines.items() if k} == {
        ("a",): 1,
        ("d",): 5,
        ("e",): 8,
        ("e", "g"): 9,
        ("h", 0): 10,
        ("h", 0, "i", 0): 11,
        ("h", 0, "i", 0, "j"): 12,
    }
