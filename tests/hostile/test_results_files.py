"""Results of somebody else's fits: whatever stands in their files, they are read or refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from remitstats.catalogue import CATALOGUE
from remitstats.claims.circle import Calibration
from remitstats.claims.circle_comparison import COMPARISON, Comparison
from remitstats.claims.model_calibration import FOLDER, ModelCalibration
from remitstats.errors import RemitstatsError
from remitstats.report.compare import compare, read_run
from remitstats.sources.fetch import SUMS, fetch
from remitstats.sources.registry import Entry

DATA = Path(__file__).parents[2] / "data"
EXAMPLES = int(os.environ.get("REMITSTATS_EXAMPLES", "10"))
many = settings(
    max_examples=max(25, EXAMPLES),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
BOTTOMLESS = "[" * 100_000


@pytest.mark.parametrize("model", [each.name for each in CATALOGUE])
def test_any_document_of_any_model_is_read_or_refused_in_words(model, tmp_path):
    kind = next(each for each in CATALOGUE if each.name == model).load("results")

    @many
    @given(values | st.fixed_dictionaries({"model": st.just(model), "converged": values}))
    @example({"model": [model]})
    def holds(document):
        (tmp_path / "results.json").write_text(json.dumps(document), encoding="utf-8")
        for read in (kind.read, read_run):
            with pytest.raises(RemitstatsError):  # there are no tables
                read(tmp_path)

    holds()


@pytest.mark.parametrize(
    "content", [BOTTOMLESS.encode(), b"", b"\xff\xfe{", b"{", b"null", b"1e999"]
)
def test_a_document_that_is_none_is_refused_in_words(content, tmp_path):
    (tmp_path / "results.json").write_bytes(content)
    for read in (read_run, lambda folder: compare(folder, folder.parent)):
        with pytest.raises(RemitstatsError):
            read(tmp_path)


def test_verdicts_that_are_none_are_refused_in_words(finished_reliance, tmp_path):
    for side in "ab":
        shutil.copytree(finished_reliance, tmp_path / side)
    place = tmp_path / "a" / "claims" / "results.json"
    place.parent.mkdir()

    @many
    @given(values)
    @example({"claims": [{"id": 1, "verdict": ["?"]}]})
    def holds(document):
        place.write_text(json.dumps(document), encoding="utf-8")
        try:
            compare(tmp_path / "a", tmp_path / "b")
        except RemitstatsError as error:
            assert "The verdicts in" in str(error)

    holds()
    place.write_text(BOTTOMLESS)
    with pytest.raises(RemitstatsError, match="nested too deeply"):
        compare(tmp_path / "a", tmp_path / "b")


@pytest.fixture(scope="module")
def finished_reliance(tmp_path_factory) -> Path:
    """Results of a fit of six squares, as a run writes them."""
    import remitstats
    from remitstats.models import reliance
    from remitstats.simulate import grid_panel

    panel = grid_panel(2, 3, waves=(2010, 2020), states=("01", "02"), seed=3)
    fit = remitstats.fit(reliance.build(panel), panel, seed=1, draws=10, tune=10, chains=2)
    out = tmp_path_factory.mktemp("finished")
    remitstats.summarise(fit, panel).rounded().write(out)
    return out


def test_tables_that_were_damaged_or_swapped_are_refused_in_words(finished_reliance, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished_reliance, folder)
    level = folder / "summaries" / "level.parquet"
    whole = level.read_bytes()
    for content in (b"", b"PAR1", whole[: len(whole) // 2], whole[::-1]):
        level.write_bytes(content)
        with pytest.raises(RemitstatsError, match="can't be read"):
            read_run(folder)
    pd.DataFrame({"another": [1]}).to_parquet(level)
    with pytest.raises(RemitstatsError, match="lacks"):
        read_run(folder)


KEPT = {
    "calibration of a model": (ModelCalibration.read, FOLDER + "/macro.json"),
    "comparison of circles": (Comparison.read, COMPARISON),
    "calibration of the circle": (Calibration.read, "circle_calibration.json"),
}


@pytest.mark.parametrize("kept", KEPT)
def test_a_kept_study_that_was_spoilt_is_read_or_refused_in_words(kept, tmp_path):
    read, name = KEPT[kept]
    whole = json.loads((DATA / name).read_text("utf-8"))
    path = tmp_path / "study.json"

    @many
    @given(st.sampled_from(sorted(whole)), values)
    def holds(key, value):
        path.write_text(json.dumps({**whole, key: value}), encoding="utf-8")
        try:
            read(path)
        except RemitstatsError as error:
            assert "study.json" in str(error)

    holds()
    for content in (BOTTOMLESS, "", "[]", "null"):
        path.write_text(content)
        with pytest.raises(RemitstatsError, match=r"study\.json"):
            read(path)


@pytest.mark.parametrize("content", [b"\xff\xff", b"nothing", b"0" * 64 + b"  folder/a\n" * 3])
def test_a_list_of_checksums_is_read_or_refused_in_words(content, tmp_path):
    (tmp_path / SUMS).write_bytes(content)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a").write_text("x")
    entry = Entry(key="a", publisher="p", table="t", url="http://127.0.0.1:9/a", path="folder/a")
    try:
        (outcome,) = fetch([entry], tmp_path, retries=0)
    except RemitstatsError as error:
        assert f"{SUMS} can't be read" in str(error)
    else:
        assert outcome.state == "failed"  # it is not taken for the file that was downloaded
