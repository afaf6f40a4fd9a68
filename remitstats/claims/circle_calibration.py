"""What the circle's rule was found to be worth on simulated panels, and the files that keep it.

`remitstats validate circle` makes them: of all panels by the normal approximation, and of the first
of each scenario by chains too (`validation.circle`, `validation.circle_chains`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.claims.records import table_of
from remitstats.claims.shipped import shipped
from remitstats.errors import RemitstatsError
from remitstats.untrusted import parse_json, read_text

CALIBRATION = "circle_calibration.json"
BY_CHAINS = "circle_chains.json"


@dataclass(frozen=True)
class ByChains:
    """What the rule is worth on panels that were fitted by chains as well.

    Parameters
    ----------
    study : dict
        What was simulated and fitted, panels of each scenario, lengths of chains, command, code
        version.
    agreement, bars : DataFrame
        See `validation.circle_chains.agreement` and `chain_bars`.
    """

    study: dict[str, Any]
    agreement: pd.DataFrame
    bars: pd.DataFrame

    @classmethod
    def read(cls, path: Path) -> ByChains:
        """Read what `to_json` made, from a file.

        Raises
        ------
        RemitstatsError
            If the file is not there or something else.
        """
        found = _read(path, ("agreement", "bars"))
        return cls(found["study"], found["agreement"], found["bars"])

    def to_json(self) -> str:
        """Return it as text."""
        return _text(self.study, {"bars": self.bars, "agreement": self.agreement})


@dataclass(frozen=True)
class Calibration:
    """What the rule was found to be worth on simulated panels.

    Parameters
    ----------
    study : dict
        What was simulated and fitted (`validation.circle.Study.describe`), panels of each scenario,
        command, code version.
    outcomes, coverage, bars : DataFrame
        See the functions of these names in `validation.circle`.
    by_chains : ByChains, optional
        What chains say of some of the panels; kept in a file of its own.
    """

    study: dict[str, Any]
    outcomes: pd.DataFrame
    coverage: pd.DataFrame
    bars: pd.DataFrame
    by_chains: ByChains | None = None

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Read what `to_json` made, from a file.

        Raises
        ------
        RemitstatsError
            If the file is not there or something else.
        """
        found = _read(path, ("outcomes", "coverage", "bars"))
        return cls(found["study"], found["outcomes"], found["coverage"], found["bars"])

    def to_json(self) -> str:
        """Return the calibration as text, without what chains say."""
        names = ("bars", "outcomes", "coverage")
        return _text(self.study, {name: getattr(self, name) for name in names})

    @property
    def chains_study(self) -> dict[str, Any] | None:
        """What was fitted by chains, or None where nothing was."""
        return None if self.by_chains is None else self.by_chains.study

    @property
    def every_bar(self) -> pd.DataFrame:
        """The bars, those of the panels fitted by chains too."""
        chains = [] if self.by_chains is None else [self.by_chains.bars]
        return pd.concat([self.bars, *chains], ignore_index=True)

    @property
    def missed(self) -> list[str]:
        """The bars that were missed, in words."""
        return [
            f"{row['bar']}: {row['found']:.2f} (asked: {row['asked']})"
            for row in self.every_bar.to_dict("records")
            if not row["met"]
        ]

    def problem(self, form: dict[str, Any]) -> str:
        """Return why it says nothing of a fit, or nothing if it does."""
        studies = [self.study] + ([] if self.by_chains is None else [self.by_chains.study])
        if any(study.get("form") != form for study in studies):
            return "the rule was calibrated for another form of the model"
        if self.missed:
            return "on simulated panels the rule missed: " + "; ".join(self.missed)
        return ""


def shipped_calibration() -> Calibration | None:
    """Return the calibration that travels with the package, or None where there is none.

    Raises
    ------
    RemitstatsError
        If a file of it is damaged.
    """
    place, by_chains = shipped(CALIBRATION), shipped(BY_CHAINS)
    if place is None:
        return None
    found = Calibration.read(place)
    return found if by_chains is None else replace(found, by_chains=ByChains.read(by_chains))


def _read(path: Path, tables: tuple[str, ...]) -> dict[str, Any]:
    try:
        found = parse_json(read_text(path))
        return {"study": dict(found["study"]), **{k: table_of(found[k]) for k in tables}}
    except FileNotFoundError:
        raise RemitstatsError(
            f"{path} is not there: run 'remitstats validate circle' first."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RemitstatsError(f"{path} holds no calibration: {error}.") from error


def _text(study: dict[str, Any], tables: dict[str, pd.DataFrame]) -> str:
    rows = {name: table.round(6).to_dict("records") for name, table in tables.items()}
    document = {"study": study, **rows}
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
