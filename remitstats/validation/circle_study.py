"""Running the circle's study of many simulated panels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from remitstats.claims.circle_calibration import Calibration
from remitstats.fitting.version import code_of
from remitstats.validation.circle import Case, Record, Trial, bars, coverage, outcomes
from remitstats.validation.resumed import Progress, resumed

CODE = (  # what a record depends on; a study of an hour should outlive a change of anything else
    "claims/regime.py",
    "estimands/circle_loop.py",
    "fitting/collapsed.py",
    "models/circle*.py",
    "parts/collapsed_density.py",
    "parts/correlation.py",
    "parts/nested_normal.py",
    "parts/panel_kernel.py",
    "parts/priors.py",
    "parts/unconstrained.py",
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
    return resumed(
        {case.name: case for case in trial.study.cases()},
        trial.run,
        Record.from_json,
        lambda record: Case(record.scenario, record.number).name,
        folder / f"circle-{study_key(trial)}",
        title=f"simulated panels ({trial.study.panels} of {len(trial.study.scenarios)} scenarios)",
        workers=workers,
        cluster=cluster,
        progress=progress,
        before=partial(find_near, trial),
    )


def find_near(trial: Trial) -> None:
    """Compute, once, what travels to the workers with the trial."""
    with threadpool_limits(limits=1):
        _ = trial.near


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
