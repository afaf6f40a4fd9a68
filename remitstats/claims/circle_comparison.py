"""A comparison of circles, as it travels with the package and stands on the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.errors import RemitstatsError

COMPARISON = "circle_comparison.json"


@dataclass(frozen=True)
class Comparison:
    """What the comparison found.

    Parameters
    ----------
    study : dict
        What was compared: folds, draws, seed, municipalities, command, priors.
    density : DataFrame
        Columns variant, elpd (sum over states of the log density of what was left out),
        difference (to the whole model; below 0 is worse), se (of the difference, from how it
        varies between states), weight (of stacking).
    prediction : DataFrame
        Columns variant, variable, error (root mean squared, standard deviations), ratio (to that of
        the whole model; above 1 is worse), eti90_lower, eti90_upper (90% interval of the ratio,
        from states drawn with replacement).
    """

    study: dict[str, Any]
    density: pd.DataFrame
    prediction: pd.DataFrame

    def to_json(self) -> str:
        """Return the comparison as text."""
        tables = {
            name: getattr(self, name).round(6).to_dict("records")
            for name in ("density", "prediction")
        }
        return json.dumps({"study": self.study, **tables}, indent=1, allow_nan=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Comparison:
        """Read what `to_json` made, from a file.

        Raises
        ------
        RemitstatsError
            If the file is not there or something else.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            tables = [pd.DataFrame(found[name]) for name in ("density", "prediction")]
            return cls(dict(found["study"]), *tables)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RemitstatsError(
                f"{path} holds no comparison of circles: {error}. Make one with 'remitstats circle "
                "compare'."
            ) from error


def shipped_comparison() -> Comparison | None:
    """Return the comparison that travels with the package, or None where there is none."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "data" / COMPARISON, package.parent / "data" / COMPARISON):
        if place.is_file():
            return Comparison.read(place)
    return None
