"""What simulation says of a model's estimates, and the file that keeps it.

`remitstats validate MODEL` makes it (`validation.calibration` says how); the report shows what is
kept with the package.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.claims.records import columns_of, read_record, table_of
from remitstats.claims.shipped import shipped_by_model

FOLDER = "validation"


@dataclass(frozen=True, eq=False)
class ModelCalibration:
    """What a study of a model's calibration found.

    Parameters
    ----------
    study : dict
        Model, what was simulated, seed, lengths, version of the code, command.
    failed, again, broken : int
        Fits that never passed, those made again, and those that ended in an error and have
        no ranks (they count among the failed as well).
    places : DataFrame
        Where the truth stood: a column a quantity, a row a simulation.
    limits : DataFrame
        `point`, `lower`, `upper`: between which shares of the places at most `point` lie.
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
    limits: pd.DataFrame
    quantities: pd.DataFrame

    @property
    def simulations(self) -> int:
        """How many there were."""
        return len(self.places) + self.broken

    @property
    def coverage(self) -> dict[str, float]:
        """Mean coverage of all quantities, in per cent, by the intervals' nominal one."""
        names = [str(name) for name in self.quantities if str(name).startswith("coverage_")]
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

    def distribution(self, quantity: str) -> NDArray[np.float64]:
        """Return the share of places of a quantity at most as large as each point of the limits."""
        ordered = np.sort(self.places[quantity].to_numpy(float))
        return np.searchsorted(ordered, self.limits["point"], side="right") / len(ordered)

    def to_json(self) -> str:
        """Return it as text, a line a quantity."""
        quantities = self.quantities.round(4).to_dict("records")
        lines = {
            "study": json.dumps(self.study),
            "failed": json.dumps(self.failed),
            "again": json.dumps(self.again),
            "broken": json.dumps(self.broken),
            "limits": json.dumps({str(k): v.round(4).tolist() for k, v in self.limits.items()}),
            "quantities": _lines([json.dumps(row) for row in quantities], "[]"),
            "places": _lines(
                [f"{json.dumps(k)}: {json.dumps(v.tolist())}" for k, v in self.places.items()], "{}"
            ),
        }
        return _lines([f'"{name}": {value}' for name, value in lines.items()], "{}") + "\n"

    @classmethod
    def read(cls, path: Path) -> ModelCalibration:
        """Read what `to_json` made, from a file.

        Raises
        ------
        RemitstatsError
            If the file is not there or something else.
        """
        return read_record(
            path,
            lambda found: cls(
                dict(found["study"]),
                int(found["failed"]),
                int(found["again"]),
                int(found["broken"]),
                columns_of(found["places"]),
                columns_of(found["limits"]),
                table_of(found["quantities"]),
            ),
            "calibration of a model",
            "Make one with 'remitstats validate MODEL'.",
        )


def shipped_calibrations() -> dict[str, ModelCalibration]:
    """Return by model the calibrations that come with the package.

    Raises
    ------
    RemitstatsError
        If one of them is damaged.
    """
    return shipped_by_model(FOLDER, ModelCalibration.read)


def _lines(parts: Sequence[str], ends: str) -> str:
    return ends[0] + ",\n".join(parts) + ends[1]
