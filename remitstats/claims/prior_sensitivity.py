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

from remitstats.claims.shipped import shipped
from remitstats.errors import RemitstatsError
from remitstats.untrusted import parse_json, read_text

FOLDER = "validation/sensitivity"
THRESHOLD = 0.05
"""From which on a sensitivity counts: Kallioinen et al. (2024), section 2.4."""
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
    """

    study: dict[str, Any]
    quantities: pd.DataFrame

    @property
    def diagnosis(self) -> list[str]:
        """What each quantity shows: "conflict", "strong prior" or nothing.

        Both sensitivities large: prior and data pull apart ("conflict"). Only that to the prior:
        the data say little, and the prior speaks ("strong prior").
        """
        found = []
        for row in self.quantities.to_dict("records"):
            told = row["likelihood"] >= THRESHOLD
            moved = row["prior"] >= THRESHOLD
            found.append(("conflict" if told else "strong prior") if moved else "")
        return found

    def to_json(self) -> str:
        """Return it as text, a line a quantity."""
        rows = self.quantities[list(COLUMNS)].round(4).to_dict("records")
        lines = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
        return f'{{"study": {json.dumps(self.study)},\n"quantities": [{lines}]}}\n'

    @classmethod
    def read(cls, path: Path) -> PriorSensitivity:
        """Read what `to_json` made, from a file.

        Raises
        ------
        RemitstatsError
            If the file is not there or something else.
        """
        try:
            found = parse_json(read_text(path))
            return cls(dict(found["study"]), pd.DataFrame(found["quantities"])[list(COLUMNS)])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RemitstatsError(
                f"{path} holds no sensitivity of a model: {error}. Make it with 'remitstats "
                "validate MODEL --sensitivity'."
            ) from error


def shipped_sensitivities() -> dict[str, PriorSensitivity]:
    """Return by model the sensitivities that come with the package.

    Raises
    ------
    RemitstatsError
        If one of them is damaged.
    """
    place = shipped(FOLDER)
    paths = sorted(place.glob("*.json")) if place is not None else []
    return {path.stem: PriorSensitivity.read(path) for path in paths}
