"""From results to the tables, sentences and figures of `benchmarks/README.md`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.plan import REFERENCE, Entry, Plan
from benchmarks.results import HERE, Results

BEGIN, END = "<!-- {}: written by the benchmark -->", "<!-- end of {} -->"
BLUE, GREY, RED = "#1f5a85", "#8a8f94", "#b5482a"
MIXED_ENOUGH = 1.05  # R-hat above which posterior means are not worth comparing

Run = dict[str, Any]


def best(runs: list[Run]) -> Run:
    """Return the run that speaks for an entry: the last that finished, or the failure."""
    finished = [run for run in runs if "failed" not in run]
    return finished[-1] if finished else runs[-1]


def sentence(run: Run) -> str:
    """Say in a line how a run went."""
    if "failed" in run:
        return str(run["failed"])
    reached = (
        f"target after {run['seconds_to_target']:.1f} s" if run["reached"] else "target not reached"
    )
    return (
        f"{run['wall']:.1f} s, least ESS {run['ess_min']:.0f}, R-hat {run['r_hat_max']:.3f}, "
        f"{run['ess_per_second']:.3g} ESS/s, {reached}"
    )


def write(results: Results, plan: Plan, home: Path) -> Path:
    """Write figures and README for results, both into the folder `home`; return the README."""
    readme = home / "README.md"
    text = (HERE / "README.md").read_text(encoding="utf-8")
    if home != HERE:
        text = text.replace("\n", "\n\n**A trial: its numbers mean nothing.**\n", 1)
    for name, make in _PARTS.items():
        text = _put(text, name, make(results, plan))
    readme.write_text(text, encoding="utf-8")
    entries = results.section("entries")
    if entries:
        _speed_figure(entries, plan, home / "ess_per_second.png")
    if results.section("scaling"):
        _cost_figure(results.section("scaling"), home / "cost.png")
    return readme


def _put(text: str, name: str, content: str) -> str:
    begin, end = BEGIN.format(name), END.format(name)
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{content.strip()}\n\n{end}{after}"


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, thousands with a comma."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


# --- the comparison ---------------------------------------------------------------------------


def _comparison(results: Results, plan: Plan) -> str:
    parts = []
    for waves, group in _by_waves(plan).items():
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
            parts.append(title + _table(list(_COLUMNS), rows))
    notes = sorted(
        {
            f"{e.label}: {run['note']}."
            for e in plan.entries
            if e.key in results.section("entries")
            and (run := best(results.section("entries")[e.key]["runs"])).get("note")
        }
    )
    return "\n\n".join([*parts, "\n".join(f"- {note}" for note in notes)])


def _by_waves(plan: Plan) -> dict[int, list[Entry]]:
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
        ratio = f"{_number(base['ess_per_second'] / run['ess_per_second'], 2)}×"
    target = (
        _number(run["seconds_to_target"])
        if run["reached"]
        else f"not reached (limit {plan.limit:.0f} s)"
    )
    return [
        entry.label,
        _number(run["ess_per_second"]),
        "1" if entry.laplace else ratio,
        target,
        _number(run["ess_min"]),
        f"{run['r_hat_max']:.3f}",
        str(run["divergences"]),
        f"({run['warmup']:,} + {run['draws']:,}) × {run['chains']}",
        _number(run["wall"]),
        _number(run["peak_mb"]),
    ]


def _agreement(results: Results, plan: Plan) -> str:
    rows = []
    folder = results.path.parent if results.path.parent.name == "quick" else HERE / ".work" / "full"
    for entry in plan.entries:
        check = results.section("check").get(entry.key)
        if not check:
            continue
        density = check.get("failed") or (
            f"{check['largest_difference']:.0e} of {_number(check['range_of_reference'])}"
        )
        rows.append([entry.label, density, _means(results, entry, folder)])
    return _table(
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


# --- cost -------------------------------------------------------------------------------------


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


_MEASURES: dict[str, tuple[str, Callable[[Run], float]]] = {
    "seconds to ESS 400": ("seconds_to_400", lambda run: float(run["seconds_to_400"])),
    "milliseconds an iteration": (
        "iteration",
        lambda run: 1e3 * run["sampling"] / (run["warmup"] + run["draws"]),
    ),
    "seconds of preparation": ("preparation", lambda run: run["wall"] - run["sampling"]),
}


def _sizes(scaling: dict[str, Any]) -> list[Run]:
    return sorted(
        (r for k, r in scaling.items() if not k.startswith("waves") and "failed" not in r),
        key=lambda run: run["areas"],
    )


def _waves(scaling: dict[str, Any]) -> list[Run]:
    return sorted(
        (r for k, r in scaling.items() if k.startswith("waves") and "failed" not in r),
        key=lambda run: run["waves"],
    )


def _cost(results: Results, plan: Plan) -> str:
    del plan
    scaling = results.section("scaling")
    parts = []
    for what, unit in (("areas", "municipalities"), ("waves", "waves")):
        runs = _sizes(scaling) if what == "areas" else _waves(scaling)
        if not runs:
            continue
        rows = []
        for value in sorted({run[what] for run in runs}):
            same = [run for run in runs if run[what] == value]
            rows.append(
                [
                    f"{value:,}",
                    *(
                        _number(float(np.mean([measure(r) for r in same])))
                        for _, measure in _MEASURES.values()
                    ),
                    _number(min(r["ess_min"] for r in same)),
                    f"{max(r['r_hat_max'] for r in same):.3f}",
                    _number(max(r["peak_mb"] for r in same)),
                    str(len(same)),
                ]
            )
        header = [unit, *_MEASURES, "least ESS", "largest R-hat", "peak memory, MB", "fits"]
        parts.append(_table(header, rows))
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
    for name, (_, measure) in _MEASURES.items():
        y = [measure(run) for run in runs]
        tail = [(a, v) for a, v in zip(areas, y, strict=True) if a in last]
        local = Slope.of(*zip(*tail, strict=True))
        lines.append(
            f"- {name}: N^{Slope.of(areas, y)}; from {last[0]:,} to {last[1]:,} alone "
            f"N^{local.slope:.2f}"
        )
    return "\n".join(lines)


# --- linear algebra, pymc-extras, machine -----------------------------------------------------


def _algebra(results: Results, plan: Plan) -> str:
    parts = []
    for waves, found in sorted(results.section("solvers").items()):
        if "failed" in found:
            parts.append(f"{waves} wave(s): {found['failed']}")
            continue
        rows = [
            [
                row["name"],
                row["matrix"],
                f"{row['entries']:,}" if row["entries"] else "–",
                _number(row["first_ms"]),
                _number(row["again_ms"]),
                f"{_number(row['again_ratio'], 2)}×",
                _number(row["solve_ms"]),
                f"{_number(row['solve_ratio'], 2)}×",
                f"{row['threads_gain']:.1f}",
            ]
            if "error" not in row
            else [row["name"], row["error"], *["–"] * 7]
            for row in found["rows"]
        ]
        title = (
            f"**{waves} wave(s), {plan.sizes[-1]:,} municipalities: a matrix of "
            f"{found['size']:,} rows**\n\n"
        )
        header = [
            "solver",
            "matrix",
            "entries of the factor",
            "first, ms",
            "again, ms",
            "again / qdldl",
            "solve, ms",
            "solve / qdldl",
            "gain of two threads",
        ]
        parts.append(title + _table(header, rows))
    return "\n\n".join(parts)


_METHODS = {
    "map": "`find_MAP`",
    "laplace": '`fit(method="laplace")`',
    "inla": '`fit(method="INLA")`',
}


def _extras(results: Results, plan: Plan) -> str:
    del plan
    rows = []
    for method, name in _METHODS.items():
        found = results.section("extras").get(method)
        if not found:
            continue
        if "failed" in found:
            rows.append([name, found["failed"], "–", "–", "–"])
            continue
        hyper = ", ".join(
            f"{k} {_number(found['mean'][k], 2) if found['mean'][k] < 1e4 else '> 10,000'}"
            + (f" (remitstats {_number(r[0], 2)} ± {_number(r[1], 1)})" if r else "")
            for k in found["mean"]
            for r in [found.get("reference", {}).get(k)]
        )
        off, ratio = found.get("eta_off"), found.get("eta_sd_ratio")
        rows.append(
            [
                name,
                _number(found["wall"]),
                hyper,
                f"{off[0]:.2f}; {off[1]:.2f}" if off else "–",
                f"{ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})" if ratio else "–",
            ]
        )
    header = [
        "pymc-extras",
        "seconds",
        "hyperparameters",
        "municipal logits off by (median; largest), posterior sd",
        "their sd over remitstats', median (range)",
    ]
    return _table(header, rows) if rows else ""


def _machine(results: Results, plan: Plan) -> str:
    del plan
    found = results.content.get("machine")
    if not found:
        return ""
    packages = {name: [version] for name, version in found["packages"].items()}
    for section in ("entries", "extras"):
        for result in results.section(section).values():
            for run in result.get("runs", [result]):
                for name, version in run.get("versions", {}).items():
                    known = packages.setdefault(name, [])
                    if version not in known:
                        known.append(version)
    packages.pop("python", None)
    return (
        f"{found['cores']} cores, {found['memory_gib']} GiB of memory, Python {found['python']}; "
        + ", ".join(
            f"{name} {v[0]}" + "".join(f" ({other} for some)" for other in v[1:])
            for name, v in sorted(packages.items())
        )
        + "."
    )


_PARTS: dict[str, Callable[[Results, Plan], str]] = {
    "comparison": _comparison,
    "agreement": _agreement,
    "cost": _cost,
    "algebra": _algebra,
    "extras": _extras,
    "machine": _machine,
}

# --- figures ----------------------------------------------------------------------------------


def _speed_figure(entries: dict[str, Any], plan: Plan, path: Path) -> None:
    groups = [
        [(e, best(entries[e.key]["runs"])) for e in group if e.key in entries]
        for group in _by_waves(plan).values()
    ]
    groups = [g for g in groups if any("failed" not in r for _, r in g)]
    if not groups:
        return
    height = 0.9 * len(groups) + 0.46 * sum(map(len, groups))
    fig = Figure(figsize=(8.6, height), layout="constrained")
    ratios = [len(g) + 0.6 for g in groups]
    axes = fig.subplots(len(groups), 1, squeeze=False, sharex=True, height_ratios=ratios)
    values = [r["ess_per_second"] for g in groups for _, r in g if "failed" not in r]
    for axis, group in zip(axes[:, 0], groups, strict=True):
        ordered = sorted(group, key=lambda pair: pair[1].get("ess_per_second", 0.0))
        for y, (entry, run) in enumerate(ordered):
            if "failed" in run:
                axis.annotate(
                    run["failed"],
                    (min(values) / 3, y),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=9,
                    color=GREY,
                )
                continue
            color = BLUE if entry.key.startswith("laplace") else GREY
            axis.plot(run["ess_per_second"], y, "o", color=color, markersize=8)
            axis.plot([min(values) / 3, run["ess_per_second"]], [y, y], color=color, linewidth=1)
            goal = (
                f"target in {_number(run['seconds_to_target'], 2)} s"
                if run["reached"]
                else "target not reached"
            )
            axis.annotate(
                f"{_number(run['ess_per_second'], 2)}   {goal}",
                (run["ess_per_second"], y),
                xytext=(9, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        axis.set_yticks(range(len(ordered)), [e.label for e, _ in ordered])
        axis.set_ylim(-0.6, len(ordered) - 0.4)
        axis.set_xscale("log")
        low = min(values) / 3
        axis.set_xlim(low, max(values) * math.sqrt(max(values) / low))
        panel = group[0][0].panel
        waves = "2020 wave" if len(panel.waves) == 1 else f"{len(panel.waves)} waves"
        axis.set_title(
            f"{waves}, {panel.areas:,} municipalities", loc="left", fontsize=10, weight="bold"
        )
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axes[-1, 0].set_xlabel(
        "least bulk ESS of any parameter per second, compilation included (log scale)"
    )
    fig.savefig(path, dpi=150)


def _cost_figure(scaling: dict[str, Any], path: Path) -> None:
    fig = Figure(figsize=(10.5, 3.8), layout="constrained")
    axes = fig.subplots(1, 3)
    sizes, waves = _sizes(scaling), _waves(scaling)
    for axis, name in zip(axes, ("seconds to ESS 400", "milliseconds an iteration"), strict=False):
        _, measure = _MEASURES[name]
        x, y = [r["areas"] for r in sizes], [measure(r) for r in sizes]
        axis.loglog(x, y, "o", color=BLUE)
        if len(set(x)) > 1:
            slope = Slope.of(x, y)
            ends = np.array([min(x), max(x)])
            center = np.exp(np.mean(np.log(y)) - slope.slope * np.mean(np.log(x)))
            axis.loglog(ends, center * ends**slope.slope, color=BLUE, linewidth=1)
            steep = y[int(np.argmin(x))] * (ends / ends[0]) ** 1.3
            axis.loglog(ends, steep, color=RED, linewidth=1, linestyle="--")
            axis.set_title(f"{name}\nN^{slope}", fontsize=10, loc="left")
            axis.annotate("N^1.3", (ends[1], steep[1]), color=RED, ha="right", va="bottom")
        ticks = sorted(set(x))
        axis.set_xticks(ticks, [f"{v:,}" for v in ticks], fontsize=8, rotation=30)
        axis.minorticks_off()
        axis.set_xlabel(f"municipalities ({sizes[0]['waves']} waves)" if sizes else "")
    _, measure = _MEASURES["seconds to ESS 400"]
    axes[2].plot([r["waves"] for r in waves], [measure(r) for r in waves], "o", color=BLUE)
    axes[2].set_xticks(sorted({r["waves"] for r in waves}))
    axes[2].set_ylim(0, 1.1 * max(measure(r) for r in waves))
    axes[2].set_xlabel(f"waves ({waves[0]['areas']:,} municipalities)" if waves else "")
    axes[2].set_title("seconds to ESS 400\nby number of waves", fontsize=10, loc="left")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    fig.savefig(path, dpi=150)
