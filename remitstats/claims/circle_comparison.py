"""A comparison of circles, as it travels with the package and stands on the page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.claims.records import read_record, table_of
from remitstats.claims.shipped import shipped

COMPARISON = "circle_comparison.json"
UNCERTAIN = (  # columns of `density` that comparisons of earlier versions lack
    "weight_eti90_lower",
    "weight_eti90_upper",
    "best_share",
    "psis_elpd",
    "psis_states_above",
)


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
        varies between states), weight (of stacking), weight_eti90_lower, weight_eti90_upper and
        best_share (90% interval of the weight, and how often the variant has the highest elpd,
        with states drawn again with replacement), psis_elpd (elpd by importance sampling) and
        psis_states_above (states whose k-hat is above the limit that `study` gives).
    prediction : DataFrame
        Columns variant, variable, error (root mean squared, standard deviations), ratio (to that of
        the whole model; above 1 is worse), eti90_lower, eti90_upper (90% interval of the ratio,
        from states drawn with replacement).
    state : DataFrame
        Columns variant, state, elpd, psis_elpd, k_hat: what `density` sums up.
    """

    study: dict[str, Any]
    density: pd.DataFrame
    prediction: pd.DataFrame
    state: pd.DataFrame = field(default_factory=pd.DataFrame)

    def to_json(self) -> str:
        """Return the comparison as text."""
        tables = {name: _plain(getattr(self, name)) for name in ("density", "prediction", "state")}
        return json.dumps({"study": self.study, **tables}, indent=1, allow_nan=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Comparison:
        """Read what `to_json` made, from a file.

        Raises
        ------
        RemitstatsError
            If the file is not there or something else.
        """
        return read_record(
            path,
            cls._of_document,
            "comparison of circles",
            "Make one with 'remitstats circle compare'.",
        )

    @classmethod
    def _of_document(cls, found: Any) -> Comparison:
        density, prediction = (table_of(found[name]) for name in ("density", "prediction"))
        for column in UNCERTAIN:
            known = density[column] if column in density else float("nan")
            density[column] = pd.Series(known, index=density.index, dtype=float)
        state = table_of(found.get("state", []))
        return cls(dict(found["study"]), density, prediction, state)


def shipped_comparison() -> Comparison | None:
    """Return the comparison that travels with the package, or None where there is none."""
    place = shipped(COMPARISON)
    return None if place is None else Comparison.read(place)


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows that JSON can hold: what is not known is null."""
    rounded = table.round(6).astype(object)
    rows = rounded.where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]
