"""How long the next run of an entry should be, so that it just reaches the target in time."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import ESS_TARGET
from benchmarks.plan import Entry, Plan
from remitstats.fitting.settings import Settings

MOST_DRAWS = 16_000  # per chain: memory
MARGIN = 1.3  # ESS and speed of the next run are guessed from the last
FILL = 0.85  # share of the time limit that a run which can't reach the target is made to fill


def next_lengths(entry: Entry, plan: Plan, runs: list[dict[str, Any]]) -> tuple[int, int] | None:
    """Return warm-up and draws per chain of the next run, or None when there is none to make.

    Parameters
    ----------
    entry : Entry
        The sampler.
    plan : Plan
        Time limit and first lengths.
    runs : list of dict
        What the runs so far gave, `failed` among it for those that gave nothing.
    """
    if not runs:
        return _first(entry, plan)
    last = runs[-1]
    if len(runs) >= plan.most_runs or last.get("reached"):
        return None
    if "failed" in last:
        # too long a guess: half of it, unless not even the first run came to an end
        longest = max((r["draws"] for r in runs if "failed" not in r), default=0)
        half = last["lengths"][1] // 2
        late = last["failed"].startswith("not finished")
        return (last["lengths"][0], half) if late and longest and half > longest else None
    warmup = last["warmup"] if entry.laplace else plan.main_warmup
    needed = MARGIN * last["draws"] * ESS_TARGET / max(last["ess_min"], 1.0)
    if last["r_hat_max"] > 1.01:
        needed = max(needed, 2.0 * last["draws"])
    draws = int(min(max(needed, warmup), MOST_DRAWS))
    if seconds(last, warmup, draws) > FILL * plan.limit:
        draws = _fitting(last, warmup, plan.limit)
    better = draws >= 1.2 * last["draws"] or (warmup > last["warmup"] and draws >= last["draws"])
    return (warmup, draws) if better else None


def _first(entry: Entry, plan: Plan) -> tuple[int, int]:
    if not entry.laplace:
        return plan.pilot, plan.pilot
    if plan.laplace:
        return plan.laplace
    return Settings().tune, Settings().draws


def seconds(run: dict[str, Any], warmup: int, draws: int) -> float:
    """Return the wall seconds a run of other lengths should take, judged by one that was made."""
    per_warmup = run["warmup_share"] * run["sampling"] / run["warmup"]
    per_draw = (1.0 - run["warmup_share"]) * run["sampling"] / run["draws"]
    return float(run["wall"] - run["sampling"] + per_warmup * warmup + per_draw * draws)


def _fitting(run: dict[str, Any], warmup: int, limit: float) -> int:
    none = seconds(run, warmup, 0)
    each = seconds(run, warmup, 1) - none
    return int(min(max((FILL * limit - none) / max(each, 1e-9), 0.0), MOST_DRAWS))


def seconds_to_target(run: dict[str, Any]) -> float:
    """Return the wall seconds to an ESS of 400, as if ESS grew in proportion to the draws.

    The same rule for runs that went beyond and those that fell short: what curves of cost need.
    """
    return seconds(run, run["warmup"], round(run["draws"] * ESS_TARGET / run["ess_min"]))
