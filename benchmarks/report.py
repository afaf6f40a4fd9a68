"""From results to the tables, sentences and figures of `benchmarks/README.md`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.comparison import agreement, comparison
from benchmarks.cost import cost_tables
from benchmarks.figures import cost_figure, speed_figure
from benchmarks.plan import Plan
from benchmarks.results import HERE, Results
from benchmarks.wording import number, table

BEGIN, END = "<!-- {}: written by the benchmark -->", "<!-- end of {} -->"


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
        speed_figure(entries, plan, home / "ess_per_second.png")
    if results.section("scaling"):
        cost_figure(results.section("scaling"), home / "cost.png")
    return readme


def _put(text: str, name: str, content: str) -> str:
    begin, end = BEGIN.format(name), END.format(name)
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{content.strip()}\n\n{end}{after}"


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
                number(row["first_ms"]),
                number(row["again_ms"]),
                f"{number(row['again_ratio'], 2)}×",
                number(row["solve_ms"]),
                f"{number(row['solve_ratio'], 2)}×",
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
        parts.append(title + table(header, rows))
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
            f"{k} {number(found['mean'][k], 2) if found['mean'][k] < 1e4 else '> 10,000'}"
            + (f" (remitstats {number(r[0], 2)} ± {number(r[1], 1)})" if r else "")
            for k in found["mean"]
            for r in [found.get("reference", {}).get(k)]
        )
        off, ratio = found.get("eta_off"), found.get("eta_sd_ratio")
        rows.append(
            [
                name,
                number(found["wall"]),
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
    return table(header, rows) if rows else ""


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
    "comparison": comparison,
    "agreement": agreement,
    "cost": cost_tables,
    "algebra": _algebra,
    "extras": _extras,
    "machine": _machine,
}
