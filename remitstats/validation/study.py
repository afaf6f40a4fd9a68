"""What many simulations of a model say together, and the file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remitstats.errors import RemitstatsError
from remitstats.untrusted import parse_json
from remitstats.validation.bands import PROBABILITY, bands, distribution_of
from remitstats.validation.calibration import LEVELS, Record, Subject


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a study of a model's calibration found.

    Parameters
    ----------
    study : dict
        Model, what was simulated, seed, lengths, version of the code, command.
    failed, again, broken : int
        Fits that never passed, those made a second time, and those that ended in an error and have
        no ranks (they count among the failed as well).
    places : DataFrame
        Where the truth stood: a column a quantity, a row a simulation.
    quantities : DataFrame
        One row a quantity: `quantity, headline, rejected` (whether its ranks leave the bands),
        `bias` (mean distance from the truth in posterior standard deviations), `coverage_50`, … in
        per cent.
    """

    study: dict[str, Any]
    failed: int
    again: int
    broken: int
    places: pd.DataFrame
    quantities: pd.DataFrame = field(repr=False)

    @property
    def simulations(self) -> int:
        """How many there were."""
        return len(self.places) + self.broken

    @property
    def coverage(self) -> dict[str, float]:
        """Mean coverage of all quantities, in per cent, by the intervals' nominal one."""
        names = [f"coverage_{100 * p:.0f}" for p in LEVELS]
        return {name.split("_")[1]: float(self.quantities[name].mean()) for name in names}

    @property
    def rejected(self) -> list[str]:
        """Quantities whose ranks are not uniform."""
        rejected = self.quantities["rejected"]
        return [str(name) for name in self.quantities.loc[rejected, "quantity"]]

    @property
    def rejected_headlines(self) -> list[str]:
        """Headline quantities whose ranks are not uniform: by the bar set, there is none."""
        rows = self.quantities["rejected"] & self.quantities["headline"]
        return [str(name) for name in self.quantities.loc[rows, "quantity"]]

    def to_json(self) -> str:
        """Return it as text."""
        return (
            json.dumps(
                {
                    "study": self.study,
                    "failed": self.failed,
                    "again": self.again,
                    "broken": self.broken,
                    "places": {name: self.places[name].tolist() for name in self.places},
                    "quantities": self.quantities.round(4).to_dict("records"),
                },
                allow_nan=False,
            ).replace('}, {"quantity"', '},\n {"quantity"')
            + "\n"
        )

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Read what `to_json` made, from a file.

        Raises
        ------
        RemitstatsError
            If the file is not there or something else.
        """
        try:
            found = parse_json(path.read_text(encoding="utf-8"))
            return cls(
                dict(found["study"]),
                int(found["failed"]),
                int(found["again"]),
                int(found["broken"]),
                pd.DataFrame(found["places"]),
                pd.DataFrame(found["quantities"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RemitstatsError(
                f"{path} holds no calibration of a model: {error}. Make one with 'remitstats "
                "validate MODEL'."
            ) from error


def calibration_of(
    subject: Subject, records: Sequence[Record], study: Mapping[str, Any]
) -> Calibration:
    """Return what a study found.

    Parameters
    ----------
    subject : Subject
        The model.
    records : sequence of Record
        All of its simulations.
    study : mapping
        How they were made.

    Raises
    ------
    RemitstatsError
        If there is not a single fit.
    """
    ranked = [record for record in records if record.place]
    if not ranked:
        why = f": {records[0].error}" if records else ""
        raise RemitstatsError(f"No simulation of {subject.name} could be fitted{why}.")
    places = pd.DataFrame([record.place for record in ranked])
    limits = bands(len(ranked), PROBABILITY)
    rows = []
    for name in places:
        held = np.array([record.held[str(name)] for record in ranked])
        rows.append(
            {
                "quantity": str(name),
                "headline": str(name) in subject.headlines,
                "rejected": not limits.hold(distribution_of(places[name])),
                "bias": float(np.mean([record.away[str(name)] for record in ranked])),
                **{
                    f"coverage_{100 * p:.0f}": 100.0 * float(share)
                    for p, share in zip(LEVELS, held.mean(axis=0), strict=True)
                },
            }
        )
    return Calibration(
        {"model": subject.name, **subject.describe(), **study},
        failed=sum(not record.passed for record in records),
        again=sum(record.tries > 1 for record in records),
        broken=len(records) - len(ranked),
        places=places,
        quantities=pd.DataFrame(rows),
    )
