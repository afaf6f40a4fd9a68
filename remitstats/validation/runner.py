"""Running a study of a model's calibration: in parallel, to be interrupted and gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from remitstats.errors import RemitstatsError
from remitstats.estimands.files import replace_file
from remitstats.fitting.settings import available_cores
from remitstats.fitting.version import code_of
from remitstats.untrusted import read_text
from remitstats.validation.calibration import Length, Record, Subject, simulate_once
from remitstats.validation.run import place_of_work

Progress = Callable[[str, float], None]
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
    tell = progress or (lambda _description, _fraction: None)
    place = folder / f"calibration-{asked.subject.name}-{asked.key}"
    numbers = range(asked.simulations)
    found = {n: record for n in numbers if (record := _known(place, n)) is not None}
    missing = [n for n in numbers if n not in found]
    title = f"simulating and fitting {asked.subject.name}, {asked.simulations} times"
    tell(title, len(found) / asked.simulations)
    for record in _results(asked, missing, workers, cluster) if missing else ():
        replace_file(_path(place, record.number), record.to_json() + "\n")
        found[record.number] = record
        tell(title, len(found) / asked.simulations)
    return [found[n] for n in numbers]


def finished(asked: Calibrating, folder: Path) -> list[Record]:
    """Return the records that there are, from the first to before the first that is missing."""
    place = folder / f"calibration-{asked.subject.name}-{asked.key}"
    records: list[Record] = []
    while (record := _known(place, len(records))) is not None:
        records.append(record)
    return records


def _path(place: Path, number: int) -> Path:
    return place / f"{number:05d}.json"


def _known(place: Path, number: int) -> Record | None:
    """Return the record of a simulation, or None where there is none that can be used."""
    try:
        record = Record.from_json(read_text(_path(place, number)))
    except (OSError, ValueError):
        return None
    return record if record.number == number else None


def _results(
    asked: Calibrating, numbers: Sequence[int], workers: int | None, cluster: str | None
) -> Iterator[Record]:
    if workers == 1 and cluster is None:
        yield from (_one(asked, number) for number in numbers)
        return
    with place_of_work(cluster):
        pool = Parallel(
            n_jobs=-1 if cluster else workers or available_cores(),
            return_as="generator_unordered",
            batch_size=1,
        )
        yield from pool(delayed(_one)(asked, number) for number in numbers)


def _one(asked: Calibrating, number: int) -> Record:
    with threadpool_limits(limits=1):
        return simulate_once(asked.subject, number, asked.seed, asked.length)
