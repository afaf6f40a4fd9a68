"""What the circle's rule was found to be worth on simulated panels, and the files that keep it.

`remitstats validate circle` makes them: of all panels by the normal approximation, and of the first
of each scenario by chains too (`validation.circle`, `validation.circle_chains`).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats.claims.records import table_of
from remitstats.claims.shipped import shipped
from remitstats.errors import RemitstatsError
from remitstats.untrusted import parse_json, read_text

CALIBRATION = "circle_calibration.json"
UNMODELLED = "confounded"
"""The scenario that is outside what the model assumes: its intervals are not asked to hold."""
COVERED = (0.87, 0.93)
"""How often intervals of 90% must hold the truth."""
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
class CoverageByChains:
    """How often 90% intervals of the links hold the truth where chains make them.

    Parameters
    ----------
    estimate : float
        The approximation's coverage of all panels, corrected by `gap`.
    gap, gap_se : float
        Coverage by chains less that by the approximation in the panels fitted both ways, and its
        standard error.
    panels : int
        How many these are.
    """

    estimate: float
    gap: float
    gap_se: float
    panels: int


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
        """What was fitted by chains and how it covers, or None where nothing was."""
        if self.by_chains is None:
            return None
        found = self.coverage_by_chains
        return self.by_chains.study | {"coverage": None if found is None else asdict(found)}

    @property
    def coverage_by_chains(self) -> CoverageByChains | None:
        """How often 90% intervals of chains hold the truth; None without two panels a scenario.

        Few panels are fitted by chains, but each by the approximation too, and what is peculiar to
        a panel moves both alike. So the approximation's coverage of all panels is corrected by the
        mean difference in the panels fitted both ways (the difference estimator of double sampling:
        Cochran 1977, Sampling Techniques, chapter 12), scenario by scenario, and each of them
        weighs the same.
        """
        if self.by_chains is None:
            return None
        both = self.by_chains.agreement.set_index("scenario").drop(UNMODELLED, errors="ignore")
        every = self.coverage.groupby("scenario")["coverage"].mean()
        both = both[both.index.isin(every.index)]
        if not len(both) or both["panels"].min() < 2:
            return None
        gap = both["coverage"] - both["coverage_approximate"]
        se = math.sqrt(float((both["gap_sd"] ** 2 / both["panels"]).sum())) / len(both)
        return CoverageByChains(
            estimate=float((every.reindex(both.index) + gap).mean()),
            gap=float(gap.mean()),
            gap_se=se,
            panels=int(both["panels"].sum()),
        )

    @property
    def every_bar(self) -> pd.DataFrame:
        """The bars, those of the panels fitted by chains too."""
        chains = [] if self.by_chains is None else [self.by_chains.bars]
        found = self.coverage_by_chains
        if found is not None:
            low, high = COVERED
            row = {
                "bar": "90% intervals of links hold the truth (chains)",
                "asked": f"{low:.2f} to {high:.2f}",
                "found": found.estimate,
                "met": low <= found.estimate <= high,
            }
            chains.append(pd.DataFrame([row]))
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


def bars_by_chains(found: ByChains, calibration: Path) -> pd.DataFrame:
    """Return the bars of panels fitted by chains; that of coverage too, if it can be told.

    Parameters
    ----------
    found : ByChains
        What was found by chains.
    calibration : Path
        Where the file of all panels may be.

    Raises
    ------
    RemitstatsError
        If there is a file and it is something else.
    """
    if not calibration.exists():
        return found.bars
    whole = replace(Calibration.read(calibration), by_chains=found)
    return whole.every_bar.iloc[len(whole.bars) :].reset_index(drop=True)


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
    rows = {
        name: table.round(6).astype(object).where(table.notna(), None).to_dict("records")
        for name, table in tables.items()
    }
    document = {"study": study, **rows}
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
