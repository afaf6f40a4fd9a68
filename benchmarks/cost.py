"""What a fit costs by the number of municipalities and of waves, and how the cost grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.plan import Plan
from benchmarks.results import Results
from benchmarks.wording import Run, number, table


@dataclass(frozen=True)
class Slope:
    """Least-squares slope of log y on log x, with its standard error."""

    slope: float
    error: float

    @classmethod
    def of(cls, x: Iterable[float], y: Iterable[float]) -> Slope:
        """Fit the line."""
        a, b = np.log(np.array(list(x))), np.log(np.array(list(y)))
        design = np.column_stack([np.ones(len(a)), a])
        coefficient, _, _, _ = np.linalg.lstsq(design, b, rcond=None)
        free = len(a) - 2
        if free < 1:
            return cls(float(coefficient[1]), math.nan)
        variance = float(np.sum((b - design @ coefficient) ** 2)) / free
        return cls(float(coefficient[1]), math.sqrt(variance / float(np.sum((a - a.mean()) ** 2))))

    def __str__(self) -> str:
        """Say it."""
        return f"{self.slope:.2f} (standard error {self.error:.2f})"


MEASURES: dict[str, tuple[str, Callable[[Run], float]]] = {
    "seconds to ESS 400": ("seconds_to_400", lambda run: float(run["seconds_to_400"])),
    "milliseconds an iteration": (
        "iteration",
        lambda run: 1e3 * run["sampling"] / (run["warmup"] + run["draws"]),
    ),
    "seconds of preparation": ("preparation", lambda run: run["wall"] - run["sampling"]),
}


def runs_by_size(scaling: dict[str, Any]) -> list[Run]:
    """Return the runs for which the number of municipalities was varied, by that number."""
    return sorted(
        (r for k, r in scaling.items() if not k.startswith("waves") and "failed" not in r),
        key=lambda run: run["areas"],
    )


def runs_by_waves(scaling: dict[str, Any]) -> list[Run]:
    """Return the runs for which the number of waves was varied, by that number."""
    return sorted(
        (r for k, r in scaling.items() if k.startswith("waves") and "failed" not in r),
        key=lambda run: run["waves"],
    )


def cost_tables(results: Results, plan: Plan) -> str:
    """Return tables of cost by municipalities and by waves, and how cost grows with the first."""
    del plan
    scaling = results.section("scaling")
    parts = []
    for what, unit in (("areas", "municipalities"), ("waves", "waves")):
        runs = runs_by_size(scaling) if what == "areas" else runs_by_waves(scaling)
        if not runs:
            continue
        rows = []
        for value in sorted({run[what] for run in runs}):
            same = [run for run in runs if run[what] == value]
            rows.append(
                [
                    f"{value:,}",
                    *(
                        number(float(np.mean([measure(r) for r in same])))
                        for _, measure in MEASURES.values()
                    ),
                    number(min(r["ess_min"] for r in same)),
                    f"{max(r['r_hat_max'] for r in same):.3f}",
                    number(max(r["peak_mb"] for r in same)),
                    str(len(same)),
                ]
            )
        header = [unit, *MEASURES, "least ESS", "largest R-hat", "peak memory, MB", "fits"]
        parts.append(table(header, rows))
        if what == "areas" and len({run["areas"] for run in runs}) > 1:
            parts.append(_slopes(runs))
    failed = [f"{k}: {run['failed']}" for k, run in scaling.items() if "failed" in run]
    return "\n\n".join([*parts, *failed])


def _slopes(runs: list[Run]) -> str:
    areas = [run["areas"] for run in runs]
    waves = runs[0]["waves"]
    lines = [
        f"Growth with the number N of municipalities ({waves} wave(s)), as the slope of log cost "
        "on log N:",
        "",
    ]
    last = sorted(set(areas))[-2:]
    for name, (_, measure) in MEASURES.items():
        y = [measure(run) for run in runs]
        tail = [(a, v) for a, v in zip(areas, y, strict=True) if a in last]
        local = Slope.of(*zip(*tail, strict=True))
        lines.append(
            f"- {name}: N^{Slope.of(areas, y)}; from {last[0]:,} to {last[1]:,} alone "
            f"N^{local.slope:.2f}"
        )
    return "\n".join(lines)
