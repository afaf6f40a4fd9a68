"""How much estimates depend on priors and on data, and the file that keeps what was found.

`remitstats validate MODEL --sensitivity` makes it (`validation.sensitivity` says how); the report
shows what is kept with the package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.claims.records import read_record, table_of
from remitstats.claims.shipped import shipped_by_model

FOLDER = "validation/sensitivity"
THRESHOLD = 0.05
"""From which on a sensitivity counts, if chance shows less: as Kallioinen et al. (2024) have it."""
COLUMNS = ("quantity", "headline", "prior", "likelihood")


@dataclass(frozen=True, eq=False)
class PriorSensitivity:
    """What power-scaling of a model's priors and likelihood does to its posterior.

    Parameters
    ----------
    study : dict
        Model, what was fitted, settings, version of the code, command.
    quantities : DataFrame
        One row a quantity: `quantity, headline, prior, likelihood`; the last two how far its
        posterior moves with the logarithm of the power.
    chance : dict
        `prior` and `likelihood`: what one in twenty quantities exceeds that has nothing to do
        with either; the fewer the draws, the more.
    """

    study: dict[str, Any]
    quantities: pd.DataFrame
    chance: dict[str, float]

    def counts_from(self, group: str) -> float:
        """Return from which number on a sensitivity counts: no less than chance shows."""
        return max(THRESHOLD, self.chance[group])

    @property
    def diagnosis(self) -> list[str]:
        """What each quantity shows: "conflict", "strong prior", "unclear" or nothing.

        Nothing is said of one that does not move with the priors. Of the others, one that moves
        with the data too is told by both, and they may pull apart ("conflict"); one that hardly
        moves with the data is told by its prior ("strong prior"); where chance alone moves as much
        as the data do, it is "unclear".
        """
        found = []
        for row in self.quantities.to_dict("records"):
            if row["prior"] < self.counts_from("prior"):
                found.append("")
            elif row["likelihood"] < THRESHOLD:
                found.append("strong prior")
            elif row["likelihood"] < self.counts_from("likelihood"):
                found.append("unclear")
            else:
                found.append("conflict")
        return found

    def to_json(self) -> str:
        """Return it as text, a line a quantity."""
        rows = self.quantities[list(COLUMNS)].round(4).to_dict("records")
        lines = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
        chance = json.dumps({name: round(value, 4) for name, value in self.chance.items()})
        study = json.dumps(self.study)
        return f'{{"study": {study},\n"chance": {chance},\n"quantities": [{lines}]}}\n'

    @classmethod
    def read(cls, path: Path) -> PriorSensitivity:
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
                table_of(found["quantities"])[list(COLUMNS)],
                {name: float(found["chance"][name]) for name in ("prior", "likelihood")},
            ),
            "sensitivity of a model",
            "Make it with 'remitstats validate MODEL --sensitivity'.",
        )


def shipped_sensitivities() -> dict[str, PriorSensitivity]:
    """Return by model the sensitivities that come with the package.

    Raises
    ------
    RemitstatsError
        If one of them is damaged.
    """
    return shipped_by_model(FOLDER, PriorSensitivity.read)
