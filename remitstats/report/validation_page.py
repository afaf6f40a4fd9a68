"""The page on validation: what simulation found of each model, and which tests compare engines.

It shows what is kept with the package (`claims.model_calibration`) and depends on no fit: the page
is the same in every report of a version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from remitstats.claims.circle_calibration import shipped_calibration
from remitstats.claims.model_calibration import (
    FOLDER,
    ModelCalibration,
    shipped_calibrations,
)
from remitstats.claims.prior_sensitivity import FOLDER as SENSITIVITIES
from remitstats.claims.prior_sensitivity import (
    THRESHOLD,
    PriorSensitivity,
    shipped_sensitivities,
)
from remitstats.estimands.files import replace_file
from remitstats.report.figures.calibration import differences
from remitstats.report.pages import Page
from remitstats.report.picture import Job

if TYPE_CHECKING:
    from pathlib import Path

    from remitstats.report.texts import Texts

PAGE = Page("validation", "trust")
LEVELS = ("50", "80", "95")
ASKED, CLOSE = 200, 3.0
"""The bar set beforehand: simulations of a model, and points that coverage may be off."""
CHANCE = 0.01  # that the ranks of a quantity that is right leave the bands
AGREEMENT = (
    ("reliance_nuts", "tests/fitting/test_agreement.py"),
    ("reliance_peers", "tests/benchmarks/test_same_model.py"),
    ("mixture", "tests/fitting/test_mixture.py"),
    ("macro", "tests/macro/test_macro_model.py"),
    ("transition", "tests/models/test_transition.py"),
    ("dependence_state", "tests/models/test_dependence_state.py"),
    ("depopulation", "tests/models/test_depopulation.py"),
    ("paid_out", "tests/models/test_paid_out.py"),
    ("circle", "tests/models/test_circle.py"),
)
"""What is compared (a key of the texts), and the file of tests that does it."""


@dataclass(frozen=True)
class Validation:
    """What the page shows.

    Parameters
    ----------
    models : mapping of str to ModelCalibration
        By name of model.
    sensitivities : mapping of str to PriorSensitivity
        By name of model.
    """

    models: Mapping[str, ModelCalibration]
    sensitivities: Mapping[str, PriorSensitivity] = field(default_factory=dict)

    @classmethod
    def shipped(cls) -> Validation:
        """Return what is kept with the package."""
        return cls(shipped_calibrations(), shipped_sensitivities())

    @property
    def pages(self) -> tuple[Page, ...]:
        """The page, where there is something to show."""
        return (PAGE,) if self.models else ()

    def write(self, out: Path) -> None:
        """Write the files that the page shows below the folder of the report."""
        for name, found in self.models.items():
            replace_file(out / FOLDER / f"{name}.json", found.to_json())
        for name, moved in self.sensitivities.items():
            replace_file(out / SENSITIVITIES / f"{name}.json", moved.to_json())

    def jobs(self, texts: Texts) -> list[Job]:
        """Return what to draw: a figure a model, of its headline quantities."""
        words = {
            name: texts.plain(f"validation.legend_{name}")
            for name in ("band", "inside", "outside", "axis")
        }
        jobs = []
        for name, found in self.models.items():
            rows = found.quantities[found.quantities["headline"]]
            lines = [
                (found.distribution(str(quantity)), bool(rejected))
                for quantity, rejected in zip(rows["quantity"], rows["rejected"], strict=True)
            ]
            title = texts.plain(f"validation.name_{name}")
            given = {"model": title, "count": len(lines), "outside": sum(o for _, o in lines)}
            jobs.append(
                Job(
                    f"validation_{name}",
                    "png",
                    texts.plain("validation.alt", **given),
                    texts("validation.caption", **given),
                    partial(differences, found.limits, lines, words),
                )
            )
        return jobs

    def context(self) -> dict[str, Any]:
        """Return what the template may use, under the name ``validation``."""
        return {
            "models": [_model(name, found) for name, found in self.models.items()],
            "levels": LEVELS,
            "asked": ASKED,
            "close": CLOSE,
            "agreement": AGREEMENT,
            "circle": _circle(),
            "threshold": THRESHOLD,
            "sensitivity": [_sensitivity(*each) for each in self.sensitivities.items()],
        }


def _model(name: str, found: ModelCalibration) -> dict[str, Any]:
    """Return a record of a model; the bar is met or missed as the numbers say."""
    rows = found.quantities
    headlines = rows[rows["headline"]]
    coverage = {level: found.coverage[level] for level in LEVELS}
    missed = [
        reason
        for reason, wrong in (
            ("few", found.simulations < ASKED),
            ("rejected", len(found.rejected_headlines) > 0),
            ("coverage", any(abs(share - float(at)) > CLOSE for at, share in coverage.items())),
        )
        if wrong
    ]
    return {
        "name": name,
        "said": {str(key): _said(key, value) for key, value in found.study.items()},
        "simulations": found.simulations,
        "failed": found.failed,
        "again": found.again,
        "broken": found.broken,
        "quantities": rows.to_dict("records"),
        "count": len(rows),
        "headlines": len(headlines),
        "rejected": found.rejected,
        "rejected_headlines": found.rejected_headlines,
        "expected": CHANCE * len(rows),
        "coverage": coverage,
        "missed": missed,
        "command": str(found.study.get("command") or ""),
        "file": f"{FOLDER}/{name}.json",
    }


def _sensitivity(name: str, found: PriorSensitivity) -> dict[str, Any]:
    """Return a record of how a model's posterior moves with priors and data."""
    records = found.quantities.to_dict("records")
    rows = [
        {**row, "diagnosis": shows} for row, shows in zip(records, found.diagnosis, strict=True)
    ]
    headlines = [row for row in rows if row["headline"]]
    others = [row for row in rows if not row["headline"]]
    return {
        "name": name,
        "quantities": rows,
        "headlines": len(headlines),
        "moved": sum(bool(row["diagnosis"]) for row in headlines),
        "others": len(others),
        "others_moved": sum(bool(row["diagnosis"]) for row in others),
        "prior": found.counts_from("prior"),
        "likelihood": found.counts_from("likelihood"),
        "command": str(found.study.get("command") or ""),
        "file": f"{SENSITIVITIES}/{name}.json",
    }


def _said(key: str, value: Any) -> Any:
    """Return what was simulated as words: codes after each other, years and counts as a range."""
    if isinstance(value, Mapping):
        value = sorted({*value.values()})
    if isinstance(value, list) and key in ("years", "countries", "quarters"):
        return "–".join(dict.fromkeys(str(each) for each in (value[0], value[-1])))
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _circle() -> dict[str, Any] | None:
    """Return how many bars the verdict on the circle met on simulated countries."""
    found = shipped_calibration()
    if found is None:
        return None
    return {
        "met": int(found.every_bar["met"].sum()),
        "bars": len(found.every_bar),
        "panels": int(found.outcomes["count"].sum()),
        "missed": found.missed,
        "command": str(found.study.get("command") or ""),
    }
