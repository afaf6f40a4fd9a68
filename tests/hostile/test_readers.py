"""Whatever stands in a file or behind an option: it is read, or refused in words."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from remitstats.catalogue import CATALOGUE
from remitstats.cli.options import codes_of, names_of, numbers_of, priors_of
from remitstats.errors import PanelError, RemitstatsError
from remitstats.estimands.results import RelianceResults
from remitstats.panel.load import load_panel
from remitstats.plan import read_plan
from remitstats.sources import banxico, conapo, coneval, geo, inegi, nation, pnud, world
from remitstats.sources.files import FILES
from remitstats.sources.registry import read_registry

BASE = (
    b"cvegeo,wave,dwellings,receiving_percent\n"
    b"02001,2000,81000,4.1\n02001,2010,122000,3.6\n03001,2000,15000,1.1\n03001,2010,18000,1.2\n"
)
PIECES = st.binary(max_size=6) | st.sampled_from(
    [b"\x00", b"\xff\xfe", b"\n", b"\r", b'"', b",", b";", b"\xef\xbb\xbf", b"nan", b"1e999", b"-"]
)
EXAMPLES = int(os.environ.get("REMITSTATS_EXAMPLES", "10"))
LINES = 40  # of an official file: enough for its head and some rows
many = settings(
    max_examples=max(20, EXAMPLES),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@st.composite
def spoilt(draw, content: bytes) -> bytes:
    """Return some bytes with a few places cut out, doubled, replaced or added to."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 30)))
        piece = draw(st.just(content[start:end] * 2) | PIECES)
        content = content[:start] + piece + content[end:]
    return content


@pytest.fixture
def file(tmp_path) -> Callable[[bytes], Path]:
    def write(content: bytes, suffix: str = ".csv") -> Path:
        path = tmp_path / f"file{suffix}"
        path.write_bytes(content)
        return path

    return write


@many
@given(st.data())
def test_any_bytes_are_a_panel_or_refused_in_words(file, data):
    path = file(data.draw(spoilt(BASE) | st.binary(max_size=80)))
    try:
        load_panel(path)
    except PanelError as error:
        assert str(error).replace("\n", "").isprintable()


OFFICIAL: dict[str, list[Callable[[Path], object]]] = {
    "banxico-ce166": [banxico.read_municipal_quarters],
    "banxico-ce100": [banxico.read_state_quarters],
    "banxico-ce81": [banxico.read_national_months],
    "banxico-fix": [banxico.read_exchange_rate],
    "conapo-iaim-2000": [lambda raw: conapo.read_migration(raw, 2000)],
    "conapo-iim-2010": [lambda raw: conapo.read_migration(raw, 2010), conapo.read_municipal_names],
    "conapo-iim-2020": [lambda raw: conapo.read_migration(raw, 2020)],
    "conapo-im-1990-2015": [lambda raw: conapo.read_marginalisation(raw, 2010)],
    "conapo-im-2020": [lambda raw: conapo.read_marginalisation(raw, 2020)],
    "coneval-1990-2010": [lambda raw: coneval.read_patrimony_and_gini(raw, 2000)],
    "coneval-poverty-2010": [lambda raw: coneval.read_income_below_line(raw, 2010)],
    "coneval-poverty-2020": [lambda raw: coneval.read_income_below_line(raw, 2020)],
    "coneval-ictpc-2020": [coneval.read_income_per_person],
    "pnud-idh": [lambda raw: pnud.read_incomes(raw, 2010)],
    "pnud-oaxaca-districts": [pnud.read_district_members],
    "inegi-census-1990-2010": [inegi.read_census_1990_2010],
    "inegi-survey-2015": [lambda raw: inegi.read_census(raw, 2015)],
    "inegi-census-2020": [lambda raw: inegi.read_census(raw, 2020)],
    "inegi-state-gdp": [inegi.read_state_gdp],
    "inegi-inpc": [inegi.read_prices],
    "maddison-2023": [world.read_gdp_per_person, nation.read_net_migration],
    "inegi-trade": [nation.read_exchange],
    "enigh-receiving": [nation.read_figures],
    "geo-shapes": [geo.read_shapes],
    "geo-adjacency": [geo.read_adjacency],
    "geo-parents": [geo.read_parents],
}
HEAVY = {"geo-shapes", "pnud-idh", "coneval-ictpc-2020", "banxico-ce166"}


@pytest.mark.parametrize(
    "key", [pytest.param(k, marks=[pytest.mark.slow] if k in HEAVY else []) for k in OFFICIAL]
)
def test_an_official_file_that_was_spoilt_is_read_or_refused_in_words(raw, key):
    place = FILES[key].path
    whole = (raw / place).read_bytes()
    is_table = place.endswith(".csv") and key != "banxico-ce166"
    content = b"".join(whole.splitlines(keepends=True)[:LINES]) if is_table else whole

    @settings(parent=many, max_examples=EXAMPLES)
    @given(spoilt(content))
    @example(content[: len(content) // 2])
    @example(b"")
    @example(b"\xff" * 50)
    def holds(changed):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / place
            path.parent.mkdir(parents=True)
            path.write_bytes(changed)
            for read in OFFICIAL[key]:
                try:
                    read(Path(folder))
                except RemitstatsError as error:
                    assert str(error)

    holds()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@many
@given(values)
@example([[["deep"]]])
def test_any_metadata_is_read_or_refused_in_words(tmp_path, value):
    (tmp_path / "municipality_wave.csv").write_bytes(BASE)
    (tmp_path / "metadata.json").write_text(json.dumps(value), encoding="utf-8")
    try:
        load_panel(tmp_path)
    except PanelError as error:
        assert "metadata.json" in str(error) or "dictionary" in str(error)


@many
@given(values)
def test_any_results_are_read_or_refused_in_words(tmp_path, value):
    (tmp_path / "results.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(RemitstatsError):
        RelianceResults.read(tmp_path)


PLAN = b'draws = 40\nstates = ["02"]\n[[variation]]\nname = "a"\npriors.state_sd = [1, 0.05]\n'
LIST = b'[[file]]\nkey = "a"\npublisher = "p"\ntable = "t"\nurl = "https://x.mx/a"\npath = "a"\n'


@pytest.mark.parametrize(("read", "content"), [(read_plan, PLAN), (read_registry, LIST)])
def test_a_plan_or_a_list_that_was_spoilt_is_read_or_refused_in_words(read, content, file):
    @many
    @given(spoilt(content))
    @example(content + b"x = " + b"[" * 50_000)
    @example(content + b"x" + b".x" * 5_000 + b" = 1")
    def holds(changed):
        try:
            read(file(changed, ".toml"))
        except RemitstatsError as error:
            assert "file.toml" in str(error)

    holds()


words = st.text(max_size=12) | st.sampled_from(
    ["state_sd=1,0.05", "state_sd=1e999,nan", "reliance.state_sd=,", "=", "circle.", ".=1", "a=1,2"]
)


@many
@given(st.lists(words, max_size=4), st.none() | words, st.none() | words)
def test_any_words_behind_an_option_are_understood_or_refused_in_words(priors, states, models):
    for understand in (
        lambda: priors_of(numbers_of(priors), CATALOGUE),
        lambda: codes_of(states),
        lambda: names_of(models),
    ):
        try:
            understand()
        except RemitstatsError as error:
            assert str(error)
