"""The gate: a posterior is reported only if every reported quantity has converged.

R-hat and ESS are those of `convergence`; k-hat is that of Vehtari, Simpson, Gelman, Yao and Gabry
(2024), Journal of Machine Learning Research 25: 1-58; E-BFMI that of Betancourt (2016),
arXiv:1604.00695. What a check can't compute does not pass.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.settings import LIMITS

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400.0
SCATTERED = 1.1  # R-hat beyond which more draws alone are no advice
SLOW = 0.02  # independent draws a draw is worth below which they are no good advice either
K_HAT_LIMIT = 0.7
E_BFMI_LIMIT = 0.3
TREE_DEPTH = 10  # nutpie's largest
TREE_DEPTH_LIMIT = 0.05  # share of a chain's transitions from which on PyMC warns
NUTS_TUNE = 1000  # what NUTS takes to adapt to hundreds of parameters
LEAST_RATIOS = 25  # importance ratios from which k-hat is estimated: a tail of five
ALIKE = 1e-6  # log importance ratios no further apart than this have no tail to speak of
STATISTICS = {  # what each engine must have recorded to be judged
    "laplace": ("diverging", "log_importance_ratio"),
    "nuts": ("diverging", "energy", "tree_depth"),
    "mixture": ("diverging",),  # heavy tails: exact conditional draws, no proposals to weigh
    "whitened": ("diverging", "energy"),  # collapsed models: chains of exact law, no proposals
}
UNEXPLAINED = "the fit does not say that it converged"

Finding = tuple[str, str]  # what is wrong, and what to try


class NotConvergedError(RemitstatsError):
    """A finding was asked of a fit that did not pass its gate."""

    exit_code = 3


@dataclass(frozen=True, repr=False)
class Gate:
    """Verdict on a fit.

    Parameters
    ----------
    converged : bool
        Whether the fit may be reported.
    reasons : tuple of str
        Why not, in words; empty if it converged.
    remedies : tuple of str
        What to try, one for each reason, in options of the command line; `remitstats.fit` takes
        the same names (``draws=1400`` for ``--draws 1400``).
    notes : tuple of str
        What is no failure but should be known.
    r_hat_max, ess_bulk_min, ess_tail_min : float
        Worst values over all judged quantities.
    r_hat_worst, ess_bulk_worst, ess_tail_worst : str
        Which quantity each belongs to.
    divergences : int
        Divergent transitions after tuning.
    k_hat : float
        Pareto k of the hyperparameter proposals' importance ratios (nan for NUTS, and where all
        ratios are alike).
    e_bfmi_min : float
        Smallest energy fraction of a chain (nan where the engine reports no energy).
    tree_depth_share : float
        Largest share over the chains of transitions that ended at the largest tree depth (nan
        where the engine grows no trees).
    quantities, draws, chains : int
        How many quantities were judged, and on how many draws in all and chains.
    """

    converged: bool
    reasons: tuple[str, ...]
    remedies: tuple[str, ...]
    notes: tuple[str, ...]
    r_hat_max: float
    ess_bulk_min: float
    ess_tail_min: float
    r_hat_worst: str
    ess_bulk_worst: str
    ess_tail_worst: str
    divergences: int
    k_hat: float
    e_bfmi_min: float
    tree_depth_share: float
    quantities: int
    draws: int
    chains: int

    def describe(self) -> dict[str, Any]:
        """Return the verdict as plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def read(cls, summary: Mapping[str, Any]) -> Gate:
        """Return the verdict that `describe` put among the values of a summary.

        A verdict that is not there is none: `converged` is True only where the summary says so
        and holds no reason against it. Numbers that are not there are nan or 0.
        """

        def number(name: str) -> float:
            value = summary.get(name)
            return math.nan if value is None else float(value)

        def words(name: str) -> tuple[str, ...]:
            return tuple(str(word) for word in summary.get(name) or ())

        return cls(
            converged=summary.get("converged") is True and not summary.get("reasons"),
            reasons=words("reasons"),
            remedies=words("remedies"),
            notes=words("notes"),
            r_hat_max=number("r_hat_max"),
            ess_bulk_min=number("ess_bulk_min"),
            ess_tail_min=number("ess_tail_min"),
            r_hat_worst=str(summary.get("r_hat_worst", "-")),
            ess_bulk_worst=str(summary.get("ess_bulk_worst", "-")),
            ess_tail_worst=str(summary.get("ess_tail_worst", "-")),
            divergences=int(summary.get("divergences") or 0),
            k_hat=number("k_hat"),
            e_bfmi_min=number("e_bfmi_min"),
            tree_depth_share=number("tree_depth_share"),
            quantities=int(summary.get("quantities") or 0),
            draws=int(summary.get("draws") or 0),
            chains=int(summary.get("chains") or 0),
        )

    def advice(self) -> list[Finding]:
        """Return each reason against the fit with what to try; none if it converged."""
        if self.converged:
            return []
        if not self.reasons:
            return [(UNEXPLAINED, "fit again")]
        remedies = self.remedies[: len(self.reasons)]
        return list(zip_longest(self.reasons, remedies, fillvalue=""))

    def explain(self) -> str:
        """Return each reason and what to try as lines of text, empty if the fit converged."""
        lines = []
        for reason, remedy in self.advice():
            lines.append(f"  - {reason}")
            lines += [f"    try: {remedy}"] if remedy else []
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return the verdict for people: reasons and what to try, then the figures."""
        head = "Converged" if self.converged else "NOT CONVERGED: no finding can be taken from it"
        figures = (
            f"R-hat at most {self.r_hat_max:.4f} ({self.r_hat_worst}), bulk ESS at least "
            f"{self.ess_bulk_min:.1f} ({self.ess_bulk_worst}), tail ESS at least "
            f"{self.ess_tail_min:.1f} ({self.ess_tail_worst}), {self.divergences} divergences, "
            f"k-hat {self.k_hat:.2f}, E-BFMI {self.e_bfmi_min:.2f}, share at the largest tree "
            f"depth {self.tree_depth_share:.2f}; {self.quantities} quantities, {self.draws} draws "
            f"in {self.chains} chains"
        )
        return "\n".join([head, *filter(None, [self.explain()]), *self.notes, figures])


def require_converged(verdict: Gate) -> None:
    """Refuse a fit that did not pass; to be called before anything is concluded from one.

    Parameters
    ----------
    verdict : Gate
        What `gate` returned, or `RelianceResults.gate`.

    Raises
    ------
    NotConvergedError
        With every reason and what to try. The command line exits with 3.
    """
    if not verdict.converged:
        raise NotConvergedError(
            f"This fit did not converge, so nothing is concluded from it:\n{verdict.explain()}"
        )


def gate(tree: xr.DataTree, derived: Mapping[str, xr.DataArray] | None = None) -> Gate:
    """Judge a fit.

    Parameters
    ----------
    tree : DataTree
        What `remitstats.fit` returned. Every posterior variable is judged, element by element.
    derived : mapping of str to DataArray, optional
        Further quantities that will be reported (dims chain, draw, …).

    Returns
    -------
    Gate
        The verdict, with reasons in words.

    Raises
    ------
    RemitstatsError
        If it is no fit of remitstats.
    """
    _require_fit(tree)
    arrays = {str(k): v for k, v in tree["posterior"].data_vars.items()} | dict(derived or {})
    return judge(tree, convergence_of(arrays))


def _require_fit(tree: xr.DataTree) -> None:
    missing = [name for name in ("posterior", "sample_stats", "provenance") if name not in tree]
    if missing:
        raise RemitstatsError(
            f"This is no fit of remitstats, it has no group {', '.join(missing)}: pass what "
            "remitstats.fit or remitstats.load_fit returned."
        )


def judge(tree: xr.DataTree, table: pd.DataFrame) -> Gate:
    """Turn a convergence table and the sampler's statistics into a verdict.

    Parameters
    ----------
    tree : DataTree
        The fit.
    table : DataFrame
        What `convergence_of` returned for everything that will be reported.
    """
    _require_fit(tree)
    settings = json.loads(tree["provenance"].attrs["settings"])
    posterior, stats = tree["posterior"], tree["sample_stats"]
    chains, draws = (posterior.sizes.get(name, 0) for name in ("chain", "draw"))
    worst = {
        "r_hat": _worst(table, "r_hat", largest=True),
        "ess_bulk": _worst(table, "ess_bulk", largest=False),
        "ess_tail": _worst(table, "ess_tail", largest=False),
    }
    divergences = int(np.sum(_statistic(stats, "diverging") != 0))
    k_hat, k_findings, notes = _judge_ratios(stats, settings)
    e_bfmi, e_findings = _judge_energy(stats, settings)
    depth, depth_findings = _judge_depth(stats, settings)
    findings = [
        *_judge_draws(tree, settings),
        *_judge_movement(table, settings, chains),
        *_judge_mixing(table, settings, worst),
        *k_findings,
        *e_findings,
        *depth_findings,
    ]
    if divergences:
        advice = f"{_longer_tuning(settings)} or {_other_engine(settings)}"
        findings.append((f"{divergences} transitions diverged", advice))
    return Gate(
        converged=not findings,
        reasons=tuple(reason for reason, _ in findings),
        remedies=tuple(remedy for _, remedy in findings),
        notes=tuple(notes),
        r_hat_max=worst["r_hat"][0],
        ess_bulk_min=worst["ess_bulk"][0],
        ess_tail_min=worst["ess_tail"][0],
        r_hat_worst=worst["r_hat"][1],
        ess_bulk_worst=worst["ess_bulk"][1],
        ess_tail_worst=worst["ess_tail"][1],
        divergences=divergences,
        k_hat=k_hat,
        e_bfmi_min=e_bfmi,
        tree_depth_share=depth,
        quantities=len(table),
        draws=chains * draws,
        chains=chains,
    )


def _worst(table: pd.DataFrame, column: str, *, largest: bool) -> tuple[float, str]:
    """Return the worst number of a column and the quantity it belongs to."""
    known = table.dropna(subset=[column])
    if not len(known):
        return math.nan, "-"
    values = known[column].to_numpy()
    row = int(values.argmax() if largest else values.argmin())
    return float(values[row]), str(known["quantity"].to_numpy()[row])


def _judge_draws(tree: xr.DataTree, settings: Mapping[str, Any]) -> list[Finding]:
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


def _judge_movement(table: pd.DataFrame, settings: Mapping[str, Any], chains: int) -> list[Finding]:
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
                f"{_longer_tuning(settings)} or {_other_engine(settings)}",
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


def _judge_mixing(
    table: pd.DataFrame, settings: Mapping[str, Any], worst: Mapping[str, tuple[float, str]]
) -> list[Finding]:
    """Judge R-hat and effective sample sizes; every advice names draws that will do for all."""
    r_hat, least = worst["r_hat"][0], min(worst["ess_bulk"][0], worst["ess_tail"][0])
    scattered = r_hat > SCATTERED
    factor = max(1.0, ESS_LIMIT / max(least, 1.0))
    if R_HAT_LIMIT < r_hat <= SCATTERED:  # R-hat^2 - 1 falls as one over the number of draws
        factor = max(factor, (r_hat**2 - 1) / (R_HAT_LIMIT**2 - 1))
    more = _more_draws(settings, factor)
    worth = least / (int(settings["draws"]) * int(settings["chains"]))
    if worth < SLOW:
        more += (
            f"; as a draw is worth only {worth:.3f} independent ones, first use stronger priors "
            f"(--prior NAME=A,B) or {_other_engine(settings)}"
        )
    found = []
    if r_hat > R_HAT_LIMIT:
        over = int((table["r_hat"] > R_HAT_LIMIT).sum())
        found.append(
            (
                f"R-hat is {r_hat:.3f} for {worst['r_hat'][1]} and above {R_HAT_LIMIT} for {over} "
                f"of {len(table)} quantities{': chains are in different places' * scattered}",
                f"{_longer_tuning(settings)} or {_other_engine(settings)}" if scattered else more,
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


def _statistic(stats: Any, name: str) -> NDArray[np.float64]:
    """Return a statistic of the sampler, dims (chain, draw); empty if it was not recorded."""
    if name not in stats:
        return np.empty((0, 0))
    return np.asarray(stats[name].transpose("chain", "draw").to_numpy(), dtype=float)


def _judge_ratios(
    stats: Any, settings: Mapping[str, Any]
) -> tuple[float, list[Finding], list[str]]:
    """Return Pareto k of the ratios of target to proposal of theta, what is wrong, and notes."""
    if "log_importance_ratio" not in stats:
        return math.nan, [], []
    ratio = _statistic(stats, "log_importance_ratio").ravel()
    ratio = ratio[~np.isnan(ratio) & (ratio > -np.inf)]  # nan: no such proposal; -inf: no weight
    if len(ratio) < LEAST_RATIOS:
        finding = (
            f"k-hat of the hyperparameter proposals can't be estimated from {len(ratio)} of them: "
            "not trusted",
            _more_draws(settings, 2 * LEAST_RATIOS / max(len(ratio), 1)),
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
        f"use stronger priors (--prior NAME=A,B) or {_other_engine(settings)}",
    )
    return k_hat, [finding], []


def _pareto_k(log_weights: NDArray[np.float64]) -> float:
    from arviz_stats.base import array_stats  # noqa: PLC0415 - a second to import

    return float(array_stats.psislw(-log_weights)[1])  # it takes log likelihoods


def _judge_energy(stats: Any, settings: Mapping[str, Any]) -> tuple[float, list[Finding]]:
    """Return the smallest E-BFMI over the chains and what is wrong with it."""
    if "energy" not in stats:
        return math.nan, []
    energy = _statistic(stats, "energy")
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
            f"{_longer_tuning(settings)} or {_other_engine(settings)}",
        )
    ]


def _judge_depth(stats: Any, settings: Mapping[str, Any]) -> tuple[float, list[Finding]]:
    """Return the largest share of a chain's transitions at the largest tree depth."""
    if "tree_depth" not in stats:
        return math.nan, []
    share = float((_statistic(stats, "tree_depth") >= TREE_DEPTH).mean(axis=1).max())
    if share <= TREE_DEPTH_LIMIT:
        return share, []
    return share, [
        (
            f"{share:.0%} of a chain's transitions ended at the largest tree depth, {TREE_DEPTH}, "
            f"more than {TREE_DEPTH_LIMIT:.0%}",
            f"{_longer_tuning(settings)} or {_other_engine(settings)}",
        )
    ]


def _more_draws(settings: Mapping[str, Any], factor: float) -> str:
    """Return how to get this many times the draws, and a quarter more for luck."""
    wanted = 1.25 * factor * int(settings["draws"])
    step = 10 ** max(0, math.floor(math.log10(wanted)) - 1)
    draws = min(math.ceil(wanted / step) * step, LIMITS["draws"][1])
    return f"take more draws: --draws {draws}"


def _longer_tuning(settings: Mapping[str, Any]) -> str:
    least = NUTS_TUNE if settings.get("engine") == "nuts" else 0
    tune = min(max(4 * int(settings.get("tune", 100)), least), LIMITS["tune"][1])
    return f"tune longer (--tune {tune}), use stronger priors (--prior NAME=A,B)"


def _other_engine(settings: Mapping[str, Any]) -> str:
    if settings.get("engine") == "nuts":
        return "--engine laplace"
    return f"--engine nuts --tune {NUTS_TUNE} (small panels)"
