"""Jobs without sense are refused in words, before anything is fitted."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remitstats.errors import RemitstatsError
from remitstats.fitting.jobs import FitJob
from remitstats.fitting.many import fit_many
from remitstats.fitting.settings import Settings
from remitstats.models import reliance
from remitstats.panel.panel import Panel

SHORT = Settings(draws=10, tune=10, chains=2, seed=4)


@pytest.fixture
def jobs(small: Panel) -> list[FitJob]:
    """Two jobs in order."""
    return [FitJob(name, panel=small, settings=SHORT) for name in ("plain", "other")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": 0}, "'workers' must be a whole number of at least 1, found 0"),
        ({"workers": 1.5}, "'workers' must be a whole number"),
        ({"retries": -1}, "'retries' must be a whole number of at least 0"),
        ({"workers": 2, "cluster": "tcp://localhost:1"}, "either workers.*or a cluster"),
    ],
)
def test_options_without_sense_are_refused(
    options: dict[str, Any], said: str, jobs: list[FitJob], tmp_path: Path
) -> None:
    with pytest.raises(RemitstatsError, match=said):
        fit_many(jobs, folder=tmp_path / "fits", **options)
    assert not (tmp_path / "fits").exists()


def test_jobs_that_cannot_be_told_apart_or_sent_are_refused(
    jobs: list[FitJob], tmp_path: Path
) -> None:
    with pytest.raises(RemitstatsError, match="used more than once: plain"):
        fit_many([jobs[0], jobs[0]], folder=tmp_path)
    held = replace(jobs[0], name="held", priors=threading.Lock())
    with pytest.raises(RemitstatsError, match="The job 'held' can't be sent"):
        fit_many([held, jobs[1]], folder=tmp_path)
    with pytest.raises(RemitstatsError, match="takes FitJob objects, found 'plain'"):
        fit_many(["plain"], folder=tmp_path)  # type: ignore[list-item]
    assert fit_many([], folder=tmp_path) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "name must be a text"),
        ({"model": "relience"}, "Did you mean 'reliance'"),
        ({"model": lambda panel: panel}, "function at the top of a module"),
        ({"model": reliance}, "function at the top of a module"),
        ({"states": "14"}, r"sequence of codes such as \('14', '32'\)"),
        ({"summary": "mean"}, "must be a function of a fit and its panel"),
    ],
)
def test_a_job_without_sense_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(RemitstatsError, match=said):
        FitJob(**{"name": "a", **wrong})


def test_a_folder_that_cannot_be_written_is_refused_at_once(
    jobs: list[FitJob], tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(RemitstatsError, match="can't be written"):
        fit_many(jobs, folder=blocked / "fits")
