"""The two figures: how fast each sampler was, and how the cost of a fit grows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison import by_waves
from benchmarks.cost import MEASURES, Slope, runs_by_size, runs_by_waves
from benchmarks.plan import Plan
from benchmarks.wording import best, number

BLUE, GREY, RED = "#1f5a85", "#8a8f94", "#b5482a"


def speed_figure(entries: dict[str, Any], plan: Plan, path: Path) -> None:
    """Draw the least ESS a second of each sampler, a panel a number of waves."""
    groups = [
        [(e, best(entries[e.key]["runs"])) for e in group if e.key in entries]
        for group in by_waves(plan).values()
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
                f"target in {number(run['seconds_to_target'], 2)} s"
                if run["reached"]
                else "target not reached"
            )
            axis.annotate(
                f"{number(run['ess_per_second'], 2)}   {goal}",
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


def cost_figure(scaling: dict[str, Any], path: Path) -> None:
    """Draw cost against the number of municipalities, with its slope, and of waves."""
    fig = Figure(figsize=(10.5, 3.8), layout="constrained")
    axes = fig.subplots(1, 3)
    sizes, waves = runs_by_size(scaling), runs_by_waves(scaling)
    for axis, name in zip(axes, ("seconds to ESS 400", "milliseconds an iteration"), strict=False):
        _, measure = MEASURES[name]
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
    _, measure = MEASURES["seconds to ESS 400"]
    axes[2].plot([r["waves"] for r in waves], [measure(r) for r in waves], "o", color=BLUE)
    axes[2].set_xticks(sorted({r["waves"] for r in waves}))
    axes[2].set_ylim(0, 1.1 * max(measure(r) for r in waves))
    axes[2].set_xlabel(f"waves ({waves[0]['areas']:,} municipalities)" if waves else "")
    axes[2].set_title("seconds to ESS 400\nby number of waves", fontsize=10, loc="left")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    fig.savefig(path, dpi=150)
