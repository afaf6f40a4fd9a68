"""The samplers side by side: how fast each was, and whether they agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.plan import REFERENCE, Entry, Plan
from benchmarks.results import HERE, Results
from benchmarks.wording import best, number, table

MIXED_ENOUGH = 1.05  # R-hat above which posterior means are not worth comparing


def comparison(results: Results, plan: Plan) -> str:
    """Return a table a number of waves: what each sampler took for the same panel."""
    parts = []
    for waves, group in by_waves(plan).items():
        areas = group[0].panel.areas
        model = (
            "one wave (2020): state + BYM2"
            if waves == 1
            else f"{waves} waves: the reliance model of the report"
        )
        found = results.section("entries")
        rows = [
            _row(e, found[e.key], found.get(group[0].key), plan) for e in group if e.key in found
        ]
        if rows:
            title = f"**{model}, {areas:,} municipalities**\n\n"
            parts.append(title + table(list(_COLUMNS), rows))
    notes = sorted(
        {
            f"{e.label}: {run['note']}."
            for e in plan.entries
            if e.key in results.section("entries")
            and (run := best(results.section("entries")[e.key]["runs"])).get("note")
        }
    )
    return "\n\n".join([*parts, "\n".join(f"- {note}" for note in notes)])


def by_waves(plan: Plan) -> dict[int, list[Entry]]:
    """Return the entries that fit panels of so many waves, by that number."""
    groups: dict[int, list[Entry]] = {}
    for entry in plan.entries:
        groups.setdefault(len(entry.panel.waves), []).append(entry)
    return groups


_COLUMNS = (
    "sampler",
    "least ESS a second",
    "remitstats laplace is faster by",
    "seconds to ESS ≥ 400 and R-hat ≤ 1.01",
    "least ESS",
    "largest R-hat",
    "divergences",
    "iterations × chains",
    "wall seconds",
    "peak memory, MB",
)


def _row(entry: Entry, found: dict[str, Any], reference: dict[str, Any] | None, plan: Plan) -> Any:
    run = best(found["runs"])
    if "failed" in run:
        return [entry.label, "–", "–", str(run["failed"]), *["–"] * 6]
    ratio = "–"
    if reference and "failed" not in (base := best(reference["runs"])):
        ratio = f"{number(base['ess_per_second'] / run['ess_per_second'], 2)}×"
    target = (
        number(run["seconds_to_target"])
        if run["reached"]
        else f"not reached (limit {plan.limit:.0f} s)"
    )
    return [
        entry.label,
        number(run["ess_per_second"]),
        "1" if entry.laplace else ratio,
        target,
        number(run["ess_min"]),
        f"{run['r_hat_max']:.3f}",
        str(run["divergences"]),
        f"({run['warmup']:,} + {run['draws']:,}) × {run['chains']}",
        number(run["wall"]),
        number(run["peak_mb"]),
    ]


def agreement(results: Results, plan: Plan) -> str:
    """Return the table of how near the samplers' densities and posterior means are."""
    rows = []
    folder = results.path.parent if results.path.parent.name == "quick" else HERE / ".work" / "full"
    for entry in plan.entries:
        check = results.section("check").get(entry.key)
        if not check:
            continue
        density = check.get("failed") or (
            f"{check['largest_difference']:.0e} of {number(check['range_of_reference'])}"
        )
        rows.append([entry.label, density, _means(results, entry, folder)])
    return table(
        [
            "sampler",
            "largest difference of log densities, of their range",
            "posterior means against remitstats laplace",
        ],
        rows,
    )


def _means(results: Results, entry: Entry, folder: Path) -> str:
    """Compare an entry's posterior means with the reference's, in units of their own errors."""
    found = results.section("entries").get(entry.key)
    if entry.key == REFERENCE:
        return "–"
    paths = [folder / f"moments-{key}.npz" for key in (REFERENCE, entry.key)]
    if not found or "failed" in best(found["runs"]) or not all(p.is_file() for p in paths):
        kept = results.content.get("agreement", {}).get(entry.key)
        return str(kept) if kept else "–"
    if best(found["runs"])["r_hat_max"] > MIXED_ENOUGH:
        return f"not compared: R-hat {best(found['runs'])['r_hat_max']:.2f}"
    with np.load(paths[0]) as a, np.load(paths[1]) as b:
        away = a["mean"] - b["mean"]
        error = np.sqrt(a["sd"] ** 2 / a["ess"] + b["sd"] ** 2 / b["ess"])
        text = (
            f"root mean square difference {np.sqrt(np.mean((away / error) ** 2)):.2f} Monte Carlo "
            f"standard errors, largest {np.max(np.abs(away) / a['sd']):.2f} posterior sd"
        )
    results.content.setdefault("agreement", {})[entry.key] = text
    results.write()
    return text
