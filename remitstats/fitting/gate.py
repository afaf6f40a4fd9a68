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

from remitstats.errors import RemitstatsError
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate_advice import longer_tuning, other_engine
from remitstats.fitting.gate_checks import (
    Finding,
    judge_depth,
    judge_draws,
    judge_energy,
    judge_mixing,
    judge_movement,
    judge_ratios,
    statistic,
)

UNEXPLAINED = "the fit does not say that it converged"


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
    divergences = int(np.sum(statistic(stats, "diverging") != 0))
    k_hat, k_findings, notes = judge_ratios(stats, settings)
    e_bfmi, e_findings = judge_energy(stats, settings)
    depth, depth_findings = judge_depth(stats, settings)
    findings = [
        *judge_draws(tree, settings),
        *judge_movement(table, settings, chains),
        *judge_mixing(table, settings, worst),
        *k_findings,
        *e_findings,
        *depth_findings,
    ]
    if divergences:
        advice = f"{longer_tuning(settings)} or {other_engine(settings)}"
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
