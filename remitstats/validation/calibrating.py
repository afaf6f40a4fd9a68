"""Running a study of a model's calibration: in parallel, to be interrupted and gone on with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from remitstats.errors import RemitstatsError
from remitstats.fitting.version import code_of
from remitstats.validation.calibration import Length, Record, Subject, simulate_once
from remitstats.validation.resumed import Progress, kept, resumed

COMMON = ("fitting/convergence.py", "validation/bands.py", "validation/calibration.py")
"""Code that the records of every model depend on, beside `Subject.code`."""


@dataclass(frozen=True, eq=False)
class Calibrating:
    """A study of a model's calibration.

    Parameters
    ----------
    subject : Subject
        The model and what is simulated.
    simulations : int
        How many.
    seed : int
        Everything random follows from it.
    length : Length
        Of the fits.

    Raises
    ------
    RemitstatsError
        If no simulation is asked for.
    """

    subject: Subject
    simulations: int = 200
    seed: int = 1
    length: Length = field(default_factory=Length)

    def __post_init__(self) -> None:
        if self.simulations < 1:
            raise RemitstatsError(
                f"A calibration takes at least one simulation, found {self.simulations}: give "
                "--simulations a number such as 200."
            )

    def describe(self) -> dict[str, Any]:
        """Return what every simulation depends on, but its number, as plain values."""
        return {
            "model": self.subject.name,
            **self.subject.describe(),
            "seed": self.seed,
            "length": asdict(self.length),
            "code_version": code_of(*COMMON, *self.subject.code),
        }

    @property
    def key(self) -> str:
        """What tells the records of a study from those of another one."""
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_calibration(
    asked: Calibrating,
    folder: Path,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> list[Record]:
    """Make every simulation of a study that has not been made yet.

    A simulation depends on its study and number alone: more of them may be asked for later, and
    those there are stay.

    Parameters
    ----------
    asked : Calibrating
        The study.
    folder : Path
        Where records are kept, each written as soon as its simulation is done. Those of other
        models, settings or versions of the code lie in folders of their own.
    workers : int, optional
        Processes; by default one a core.
    cluster : str, optional
        Address of a Dask scheduler to run on instead.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    list of Record
        One a simulation, in order.

    Raises
    ------
    RemitstatsError
        If the cluster can't be reached.
    """
    return resumed(
        {_name(number): number for number in range(asked.simulations)},
        partial(_simulate, asked),
        Record.from_json,
        _name_of,
        _place(asked, folder),
        title=f"simulating and fitting {asked.subject.name}, {asked.simulations} times",
        workers=workers,
        cluster=cluster,
        progress=progress,
    )


def finished(asked: Calibrating, folder: Path) -> list[Record]:
    """Return the records that there are, from the first to before the first that is missing."""
    place = _place(asked, folder)
    records: list[Record] = []
    while (record := kept(place, _name(len(records)), Record.from_json, _name_of)) is not None:
        records.append(record)
    return records


def _name(number: int) -> str:
    return f"{number:05d}"


def _name_of(record: Record) -> str:
    return _name(record.number)


def _place(asked: Calibrating, folder: Path) -> Path:
    return folder / f"calibration-{asked.subject.name}-{asked.key}"


def _simulate(asked: Calibrating, number: int) -> Record:
    return simulate_once(asked.subject, number, asked.seed, asked.length)
