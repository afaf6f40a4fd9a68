"""What speaks for or against a claim, and where it is looked for: a panel and results of fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remitstats import catalogue
from remitstats.untrusted import parse_json, read_text

if TYPE_CHECKING:
    from remitstats.panel.panel import Panel


class NoEvidenceError(Exception):
    """What a claim asks for is not there; no mistake of the ledger.

    Parameters
    ----------
    reason : str
        What is missing, as a clause.
    run : str
        What to run to get it; empty if nothing helps.
    """

    def __init__(self, reason: str, run: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.run = run


@dataclass(frozen=True)
class Evidence:
    """What an estimand says.

    Parameters
    ----------
    value : float
        The figure: a posterior median, or a published number; nan where there is none.
    lower, upper : float
        Ends of its 90% interval; the figure itself where it is published without one.
    probability : float
        Probability that what the claim says holds; nan where the estimand gives none.
    verdict, reason : str
        A verdict that the results themselves hold, with why.
    source : str
        Where it stands, such as ``reliance/group``.
    """

    value: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    probability: float = math.nan
    verdict: str = ""
    reason: str = ""
    source: str = ""

    @classmethod
    def exact(cls, value: float, source: str) -> Evidence:
        """Return a published figure: it has no interval of its own.

        Raises
        ------
        NoEvidenceError
            If it is missing.
        """
        number = float(value)
        if not math.isfinite(number):
            raise NoEvidenceError(f"{source} has no figure there")
        return cls(number, number, number, source=source)

    @classmethod
    def probable(cls, probability: float, source: str) -> Evidence:
        """Return a probability.

        Raises
        ------
        NoEvidenceError
            If it is none.
        """
        number = float(probability)
        if not 0 <= number <= 1:
            raise NoEvidenceError(f"{source} holds {number:g} there, which is no probability")
        return cls(probability=number, source=source)


@dataclass(frozen=True)
class Sources:
    """What a ledger is held against.

    Parameters
    ----------
    panel : Panel
        The shipped series.
    results : mapping of str to results
        Of fits to this panel, by name of model.
    absent : mapping of str to str
        Why there are no results of a model, where more is known than that.
    """

    panel: Panel
    results: Mapping[str, Any] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    def of(self, model: str) -> Any:
        """Return the results of a model.

        Raises
        ------
        NoEvidenceError
            If there are none, or their fit did not pass its gate.
        """
        found = self.results.get(model)
        if found is None:
            why = self.absent.get(model, f"there are no results of the {model} model")
            raise NoEvidenceError(f"no fit: {why}", f"remitstats fit {model}")
        if not found.converged:
            raise NoEvidenceError(
                f"no converged fit: that of the {model} model did not pass its gate",
                f"remitstats fit {model}",
            )
        return found


def read_sources(panel: Panel, folder: Path) -> Sources:
    """Return what a folder of results holds of the models of the catalogue.

    Parameters
    ----------
    panel : Panel
        Results of another panel, or of other states, are set aside.
    folder : Path
        Where `remitstats run` or `remitstats fit` wrote.

    Raises
    ------
    RemitstatsError
        If results are there and can't be read.
    """
    results: dict[str, Any] = {}
    absent: dict[str, str] = {}
    for model in catalogue.CATALOGUE:
        place = folder / model.subfolder
        path = place / "results.json"
        if not path.is_file():
            continue
        if _panel_hash(path) != panel.hash:
            absent[model.name] = f"{path} is of another panel or other states"
            continue
        results[model.name] = model.load("results").read(place)
    return Sources(panel, results, absent)


def _panel_hash(path: Path) -> str:
    try:
        return str(parse_json(read_text(path))["panel_hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
