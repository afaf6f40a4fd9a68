"""Running a study of many simulated panels: in parallel, to be interrupted and gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

from remitstats.claims.circle import Calibration
from remitstats.errors import RemitstatsError
from remitstats.estimands.files import replace_file
from remitstats.fitting.settings import available_cores
from remitstats.fitting.version import code_of
from remitstats.untrusted import read_text
from remitstats.validation.circle import Case, Record, Trial, bars, coverage, outcomes

Progress = Callable[[str, float], None]
CODE = (  # what a record depends on; a study of an hour should outlive a change of anything else
    "claims/regime.py",
    "estimands/circle_loop.py",
    "fitting/collapsed.py",
    "models/circle*.py",
    "parts/collapsed_density.py",
    "parts/correlation.py",
    "parts/nested_normal.py",
    "parts/panel_kernel.py",
    "simulate/circle*.py",
    "validation/circle.py",
)


def run_study(
    trial: Trial,
    folder: Path,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> list[Record]:
    """Try every panel of a study that has not been tried yet.

    A panel depends on its study, scenario and number alone: not on the workers, nor on which panels
    were tried before.

    Parameters
    ----------
    trial : Trial
        The study and its country.
    folder : Path
        Where records are kept, each written as soon as its panel is done. Those of other studies,
        countries or versions of the code lie in folders of their own.
    workers : int, optional
        Processes; by default one a core.
    cluster : str, optional
        Address of a Dask scheduler to run on instead.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    list of Record
        One a panel, in the order of `Study.cases`.

    Raises
    ------
    RemitstatsError
        If the cluster can't be reached.
    """
    tell = progress or (lambda _description, _fraction: None)
    place = folder / f"circle-{study_key(trial)}"
    cases = trial.study.cases()
    found = {case: record for case in cases if (record := _known(place, case)) is not None}
    missing = [case for case in cases if case not in found]
    title = f"simulated panels ({trial.study.panels} of {len(trial.study.scenarios)} scenarios)"
    tell(title, len(found) / len(cases))
    if missing:
        with threadpool_limits(limits=1):
            _ = trial.near  # once, here: it travels to the workers with the trial
        for record in _results(trial, missing, workers, cluster):
            case = Case(record.scenario, record.number)
            replace_file(place / f"{case.name}.json", record.to_json() + "\n")
            found[case] = record
            tell(title, len(found) / len(cases))
    return [found[case] for case in cases]


def calibration_of(trial: Trial, records: Sequence[Record], command: str) -> Calibration:
    """Return what a study found, to be written beside the results.

    Parameters
    ----------
    trial : Trial
        The study.
    records : sequence of Record
        What `run_study` returned.
    command : str
        What to run to get it again.
    """
    study = trial.study.describe() | {
        "panels": trial.study.panels,
        "municipalities": trial.base.shape[0],
        "command": command,
        "code_version": code_of(*CODE),
    }
    return Calibration(study, outcomes(records), coverage(records), bars(records))


def study_key(trial: Trial) -> str:
    """Return what tells a study apart: its settings, its country, the code it depends on."""
    digest = hashlib.sha256(json.dumps(trial.study.describe(), sort_keys=True).encode())
    for array in (trial.country.sampling, trial.country.smallness, trial.country.nested.known):
        digest.update(array.tobytes())
    digest.update(code_of(*CODE).encode())
    return digest.hexdigest()[:12]


def _known(place: Path, case: Case) -> Record | None:
    """Return the record of a case, or None where there is none that can be used."""
    try:
        record = Record.from_json(read_text(place / f"{case.name}.json"))
    except (OSError, ValueError):
        return None
    return record if Case(record.scenario, record.number) == case else None


def _results(
    trial: Trial, cases: Iterable[Case], workers: int | None, cluster: str | None
) -> Iterator[Record]:
    with place_of_work(cluster):
        pool = Parallel(
            n_jobs=-1 if cluster else workers or available_cores(),
            return_as="generator_unordered",
            batch_size=1,
        )
        yield from pool(delayed(_one)(trial, case) for case in cases)


def place_of_work(cluster: str | None) -> AbstractContextManager[Any]:
    """Return the context in which joblib runs its work: here, or on a Dask cluster."""
    if cluster is None:
        return nullcontext()
    try:
        from distributed import Client  # noqa: PLC0415 - an optional dependency

        Client(cluster, timeout="10s")
    except ImportError as error:
        raise RemitstatsError(
            "A cluster needs the package 'distributed': pip install 'remitstats[cluster]'."
        ) from error
    except (OSError, ValueError) as error:
        raise RemitstatsError(f"No Dask scheduler answers at {cluster}: {error}") from error
    context: AbstractContextManager[Any] = parallel_config(backend="dask")
    return context


def _one(trial: Trial, case: Case) -> Record:
    with threadpool_limits(limits=1):
        return trial.run(case)
