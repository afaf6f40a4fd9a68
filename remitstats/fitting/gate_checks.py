"""The checks of the gate: each returns what is wrong with a fit, in words, and what to try.

What a check can't compute does not pass. `gate` says where the measures are from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.fitting.gate_advice import longer_tuning, more_draws, other_engine

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400.0
SCATTERED = 1.1  # R-hat beyond which more draws alone are no advice
SLOW = 0.02  # independent draws a draw is worth below which they are no good advice either
K_HAT_LIMIT = 0.7
E_BFMI_LIMIT = 0.3
TREE_DEPTH = 10  # nutpie's largest
TREE_DEPTH_LIMIT = 0.05  # share of a chain's transitions from which on PyMC warns
LEAST_RATIOS = 25  # importance ratios from which k-hat is estimated: a tail of five
ALIKE = 1e-6  # log importance ratios no further apart than this have no tail to speak of
STATISTICS = {  # what each engine must have recorded to be judged
    "laplace": ("diverging", "log_importance_ratio"),
    "nuts": ("diverging", "energy", "tree_depth"),
    "mixture": ("diverging",),  # heavy tails: exact conditional draws, no proposals to weigh
    "whitened": ("diverging", "energy"),  # collapsed models: chains of exact law, no proposals
}

Finding = tuple[str, str]  # what is wrong, and what to try


def judge_draws(tree: xr.DataTree, settings: Mapping[str, Any]) -> list[Finding]:
    """Judge whether all draws and all statistics that were asked for are there and are numbers."""
    posterior, stats = tree["posterior"], tree["sample_stats"]
    found = []
    if not all(bool(np.isfinite(v.to_numpy()).all()) for v in posterior.data_vars.values()):
        found.append(
            (
                "draws are missing or not finite: the run was interrupted or broke down",
                "fit again, with another seed (--seed) if it happens twice",
            )
        )
    size = {name: posterior.sizes.get(name, 0) for name in ("chain", "draw")}
    asked = {"chain": int(settings["chains"]), "draw": int(settings["draws"])}
    if any(size[name] < asked[name] for name in asked):
        found.append(
            (
                f"only {math.prod(size.values())} of {math.prod(asked.values())} draws are there: "
                "the run was interrupted",
                "fit again",
            )
        )
    lacking = [
        name
        for name in STATISTICS.get(_sampler(tree, settings), ("diverging",))
        if name not in stats or {d: stats.sizes.get(d) for d in size} != size
    ]
    if lacking:
        found.append(
            (
                f"the sampler's {', '.join(lacking)} were not recorded for every draw: the run "
                "can't be judged",
                "fit again with this version of remitstats",
            )
        )
    if size["chain"] < 2:
        found.append(("a single chain can't show that it converged", "run several: --chains 4"))
    return found


def _sampler(tree: xr.DataTree, settings: Mapping[str, Any]) -> str:
    """Return what made the draws: the engine, unless the fit says more."""
    return str(tree["provenance"].attrs.get("sampler") or settings.get("engine", ""))


def judge_movement(table: pd.DataFrame, settings: Mapping[str, Any], chains: int) -> list[Finding]:
    """Judge whether every quantity is a number that moves in every chain, and can be judged."""
    if not len(table):
        return [("the fit has no quantity to judge", "fit again")]
    found = []
    broken, still = ~table["finite"], table["still_chains"] > 0
    columns = ["ess_bulk", "ess_tail", *(["r_hat"] if chains > 1 else [])]
    unknown = table[columns].isna().any(axis=1) & ~broken & ~still
    if broken.any():
        found.append((f"{_count(table, broken)} have draws that are not finite", "fit again"))
    if still.any():
        found.append(
            (
                f"{_count(table, still)} never moved in at least one chain",
                f"{longer_tuning(settings)} or {other_engine(settings)}",
            )
        )
    if unknown.any():
        found.append(
            (
                f"R-hat and effective sample size of {_count(table, unknown)} can't be computed",
                "take more draws: --draws 800",
            )
        )
    return found


def _count(table: pd.DataFrame, chosen: pd.Series[bool]) -> str:
    """Return how many quantities of a table are meant, and one of them by name."""
    return (
        f"{chosen.sum()} of {len(table)} quantities (such as {table['quantity'][chosen].iloc[0]})"
    )


def judge_mixing(
    table: pd.DataFrame, settings: Mapping[str, Any], worst: Mapping[str, tuple[float, str]]
) -> list[Finding]:
    """Judge R-hat and effective sample sizes; every advice names draws that will do for all."""
    r_hat, least = worst["r_hat"][0], min(worst["ess_bulk"][0], worst["ess_tail"][0])
    scattered = r_hat > SCATTERED
    factor = max(1.0, ESS_LIMIT / max(least, 1.0))
    if R_HAT_LIMIT < r_hat <= SCATTERED:  # R-hat^2 - 1 falls as one over the number of draws
        factor = max(factor, (r_hat**2 - 1) / (R_HAT_LIMIT**2 - 1))
    more = more_draws(settings, factor)
    worth = least / (int(settings["draws"]) * int(settings["chains"]))
    if worth < SLOW:
        more += (
            f"; as a draw is worth only {worth:.3f} independent ones, first use stronger priors "
            f"(--prior NAME=A,B) or {other_engine(settings)}"
        )
    found = []
    if r_hat > R_HAT_LIMIT:
        over = int((table["r_hat"] > R_HAT_LIMIT).sum())
        found.append(
            (
                f"R-hat is {r_hat:.3f} for {worst['r_hat'][1]} and above {R_HAT_LIMIT} for {over} "
                f"of {len(table)} quantities{': chains are in different places' * scattered}",
                f"{longer_tuning(settings)} or {other_engine(settings)}" if scattered else more,
            )
        )
    for kind in ("bulk", "tail"):
        value, name = worst[f"ess_{kind}"]
        if value < ESS_LIMIT:
            under = int((table[f"ess_{kind}"] < ESS_LIMIT).sum())
            found.append(
                (
                    f"{kind} effective sample size is {value:.0f} for {name} and below "
                    f"{ESS_LIMIT:.0f} for {under} of {len(table)} quantities",
                    more,
                )
            )
    return found


def statistic(stats: Any, name: str) -> NDArray[np.float64]:
    """Return a statistic of the sampler, dims (chain, draw); empty if it was not recorded."""
    if name not in stats:
        return np.empty((0, 0))
    return np.asarray(stats[name].transpose("chain", "draw").to_numpy(), dtype=float)


def judge_ratios(stats: Any, settings: Mapping[str, Any]) -> tuple[float, list[Finding], list[str]]:
    """Return Pareto k of the ratios of target to proposal of theta, what is wrong, and notes."""
    if "log_importance_ratio" not in stats:
        return math.nan, [], []
    ratio = statistic(stats, "log_importance_ratio").ravel()
    ratio = ratio[~np.isnan(ratio) & (ratio > -np.inf)]  # nan: no such proposal; -inf: no weight
    if len(ratio) < LEAST_RATIOS:
        finding = (
            f"k-hat of the hyperparameter proposals can't be estimated from {len(ratio)} of them: "
            "not trusted",
            more_draws(settings, 2 * LEAST_RATIOS / max(len(ratio), 1)),
        )
        return math.nan, [finding], []
    if np.ptp(ratio) <= ALIKE:
        note = (
            "The proposals of the hyperparameters have the posterior's own shape: their "
            "importance ratios are all alike, and k-hat is not needed."
        )
        return math.nan, [], [note]
    k_hat = _pareto_k(ratio) if np.isfinite(ratio).all() else math.inf
    if k_hat <= K_HAT_LIMIT:
        return k_hat, [], []
    value = "not a number" if math.isnan(k_hat) else f"{k_hat:.2f}"
    finding = (
        f"k-hat of the hyperparameter proposals is {value}, it must not be above {K_HAT_LIMIT}: "
        "not trusted",
        f"use stronger priors (--prior NAME=A,B) or {other_engine(settings)}",
    )
    return k_hat, [finding], []


def _pareto_k(log_weights: NDArray[np.float64]) -> float:
    from arviz_stats.base import array_stats  # noqa: PLC0415 - a second to import

    return float(array_stats.psislw(-log_weights)[1])  # it takes log likelihoods


def judge_energy(stats: Any, settings: Mapping[str, Any]) -> tuple[float, list[Finding]]:
    """Return the smallest E-BFMI over the chains and what is wrong with it."""
    if "energy" not in stats:
        return math.nan, []
    energy = statistic(stats, "energy")
    e_bfmi = math.nan
    if energy.shape[1] > 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.mean(np.diff(energy, axis=1) ** 2, axis=1)
            e_bfmi = float(np.min(step / np.var(energy, axis=1, ddof=1)))
    if e_bfmi >= E_BFMI_LIMIT:
        return e_bfmi, []
    value = "not a number" if math.isnan(e_bfmi) else f"{e_bfmi:.2f}"
    return e_bfmi, [
        (
            f"E-BFMI is {value}, it must be at least {E_BFMI_LIMIT}: the sampler does not reach "
            "the tails",
            f"{longer_tuning(settings)} or {other_engine(settings)}",
        )
    ]


def judge_depth(stats: Any, settings: Mapping[str, Any]) -> tuple[float, list[Finding]]:
    """Return the largest share of a chain's transitions at the largest tree depth."""
    if "tree_depth" not in stats:
        return math.nan, []
    share = float((statistic(stats, "tree_depth") >= TREE_DEPTH).mean(axis=1).max())
    if share <= TREE_DEPTH_LIMIT:
        return share, []
    return share, [
        (
            f"{share:.0%} of a chain's transitions ended at the largest tree depth, {TREE_DEPTH}, "
            f"more than {TREE_DEPTH_LIMIT:.0%}",
            f"{longer_tuning(settings)} or {other_engine(settings)}",
        )
    ]
