"""The gate: a posterior is reported only if every reported quantity has converged.

R-hat and ESS are the rank-normalised ones of Vehtari, Gelman, Simpson, Carpenter and Bürkner
(2021), Bayesian Analysis 16: 667-718, as ArviZ computes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.fitting.settings import available_cores

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400.0
K_HAT_LIMIT = 0.7
E_BFMI_LIMIT = 0.3
TAILS = (0.05, 0.95)  # tail ESS is the smaller one of these two quantiles


@dataclass(frozen=True)
class Gate:
    """Verdict on a fit.

    Parameters
    ----------
    converged : bool
        Whether the fit may be reported.
    reasons : tuple of str
        Why not, in words; empty if it converged.
    r_hat_max, ess_bulk_min, ess_tail_min : float
        Worst values over all judged quantities.
    r_hat_worst, ess_bulk_worst, ess_tail_worst : str
        Which quantity each belongs to.
    divergences : int
        Divergent transitions after tuning.
    k_hat : float
        Pareto k of the hyperparameter proposals' importance ratios (nan for NUTS).
    e_bfmi_min : float
        Smallest energy fraction of a chain (nan where the engine reports no energy).
    quantities, draws, chains : int
        How many quantities were judged, and on how many draws in all and chains.
    """

    converged: bool
    reasons: tuple[str, ...]
    r_hat_max: float
    ess_bulk_min: float
    ess_tail_min: float
    r_hat_worst: str
    ess_bulk_worst: str
    ess_tail_worst: str
    divergences: int
    k_hat: float
    e_bfmi_min: float
    quantities: int
    draws: int
    chains: int

    def describe(self) -> dict[str, Any]:
        """Return the verdict as plain values."""
        return {**asdict(self), "reasons": list(self.reasons)}


def convergence(draws: NDArray[np.floating[Any]]) -> pd.DataFrame:
    """Return R-hat and ESS of many quantities at once.

    Parameters
    ----------
    draws : array, shape (chain, draw, quantity)
        Posterior draws.

    Returns
    -------
    DataFrame
        Columns `r_hat`, `ess_bulk`, `ess_tail`; one row a quantity. A quantity that never
        varies has nan.
    """
    from arviz_stats.base import array_stats  # noqa: PLC0415 - a second to import

    columns = np.asarray(draws, dtype=float)
    chunks = np.array_split(np.arange(columns.shape[2]), max(1, columns.shape[2] // 200))

    def judge(chunk: NDArray[np.int64]) -> NDArray[np.float64]:
        part = columns[:, :, chunk]
        axes: dict[str, Any] = {"chain_axis": 0, "draw_axis": 1}
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack(
                [
                    array_stats.rhat(part, **axes),
                    array_stats.ess(part, method="bulk", **axes),
                    array_stats.ess(part, method="tail", prob=TAILS, **axes),
                ],
                axis=1,
            )

    with ThreadPoolExecutor(max_workers=available_cores()) as pool:
        table = np.concatenate(list(pool.map(judge, chunks)))
    constant = np.ptp(columns, axis=(0, 1)) == 0
    table[constant] = np.nan
    return pd.DataFrame(table, columns=["r_hat", "ess_bulk", "ess_tail"])


def convergence_of(
    arrays: Mapping[str, xr.DataArray], progress: Callable[[float], None] | None = None
) -> pd.DataFrame:
    """Return R-hat and ESS of every element of named arrays with dims chain and draw first.

    Returns
    -------
    DataFrame
        Columns `quantity` (name and coordinates), `r_hat`, `ess_bulk`, `ess_tail`.
    """
    tables = []
    total = sum(array.size for array in arrays.values())
    done = 0
    for name, array in arrays.items():
        stacked = array.transpose("chain", "draw", ...)
        dims = stacked.dims[2:]
        values = stacked.to_numpy().reshape(*stacked.shape[:2], -1)
        if dims:
            index = pd.MultiIndex.from_product([stacked[d].to_numpy() for d in dims])
            labels = [f"{name}[{', '.join(map(str, item))}]" for item in index]
        else:
            labels = [name]
        table = convergence(values)
        table.insert(0, "quantity", labels)
        if np.issubdtype(values.dtype, np.integer):
            table = table.dropna()  # a rank that is certain is a finding, not a stuck chain
        else:
            # without a single draw it is not defined, as is a group without data in a wave;
            # of a posterior variable `judge` will say that its draws are not finite
            table = table[~np.isnan(values).all(axis=(0, 1))]
        tables.append(table)
        done += array.size
        if progress:
            progress(done / total)
    return pd.concat(tables, ignore_index=True)


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
    """
    arrays = {str(k): v for k, v in tree["posterior"].data_vars.items()} | dict(derived or {})
    return judge(tree, convergence_of(arrays), _expected_draws(tree))


def _expected_draws(tree: xr.DataTree) -> int:
    settings = json.loads(tree["provenance"].attrs["settings"])
    return int(settings["draws"]) * int(settings["chains"])


def judge(tree: xr.DataTree, table: pd.DataFrame, expected_draws: int) -> Gate:
    """Turn a convergence table and the sampler's statistics into a verdict.

    Parameters
    ----------
    tree : DataTree
        The fit.
    table : DataFrame
        What `convergence_of` returned for everything that will be reported.
    expected_draws : int
        Draws the fit was asked for; fewer means that it was interrupted.
    """
    posterior, stats = tree["posterior"], tree["sample_stats"]
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    divergences = int(stats["diverging"].sum())
    k_hat, e_bfmi = _k_hat(stats), _e_bfmi(stats)
    constant = int(table["r_hat"].isna().sum())
    finite = table.dropna(subset=["r_hat", "ess_bulk", "ess_tail"])
    broken = not all(bool(np.isfinite(v.to_numpy()).all()) for v in posterior.data_vars.values())

    def worst(column: str, largest: bool) -> tuple[float, str]:
        if not len(finite):
            return math.nan, "-"
        values = finite[column].to_numpy()
        row = int(values.argmax() if largest else values.argmin())
        return float(finite[column].to_numpy()[row]), str(finite["quantity"].to_numpy()[row])

    r_hat, r_hat_name = worst("r_hat", largest=True)
    bulk, bulk_name = worst("ess_bulk", largest=False)
    tail, tail_name = worst("ess_tail", largest=False)
    reasons = []
    if broken:
        reasons.append("draws are missing or not finite: the run was interrupted or broke down")
    if chains * draws < expected_draws:
        reasons.append(f"only {chains * draws} of {expected_draws} draws are there")
    if chains < 2:
        reasons.append("a single chain can't show that it converged: run at least 2")
    elif constant:
        reasons.append(f"{constant} of {len(table)} quantities never moved")
    if r_hat > R_HAT_LIMIT:
        over = int((finite["r_hat"] > R_HAT_LIMIT).sum())
        reasons.append(
            f"R-hat is {r_hat:.3f} for {r_hat_name} and above {R_HAT_LIMIT} for {over} of "
            f"{len(table)} quantities: run longer"
        )
    for kind, value, name, column in (
        ("bulk", bulk, bulk_name, "ess_bulk"),
        ("tail", tail, tail_name, "ess_tail"),
    ):
        if value < ESS_LIMIT:
            under = int((finite[column] < ESS_LIMIT).sum())
            reasons.append(
                f"{kind} effective sample size is {value:.0f} for {name} and below "
                f"{ESS_LIMIT:.0f} for {under} of {len(table)} quantities: take more draws"
            )
    if divergences:
        reasons.append(f"{divergences} transitions diverged: tune longer or use stronger priors")
    if k_hat > K_HAT_LIMIT:
        reasons.append(
            f"k-hat of the hyperparameter proposals is {k_hat:.2f}, above {K_HAT_LIMIT}: not "
            "trusted; use engine='nuts' or stronger priors"
        )
    if e_bfmi < E_BFMI_LIMIT:
        reasons.append(f"E-BFMI is {e_bfmi:.2f}, below {E_BFMI_LIMIT}: reparametrise")
    return Gate(
        converged=not reasons,
        reasons=tuple(reasons),
        r_hat_max=r_hat,
        ess_bulk_min=bulk,
        ess_tail_min=tail,
        r_hat_worst=r_hat_name,
        ess_bulk_worst=bulk_name,
        ess_tail_worst=tail_name,
        divergences=divergences,
        k_hat=k_hat,
        e_bfmi_min=e_bfmi,
        quantities=len(table),
        draws=chains * draws,
        chains=chains,
    )


def _k_hat(stats: Any) -> float:
    """Return Pareto k of the importance ratios of the theta proposals, nan without any."""
    if "log_importance_ratio" not in stats:
        return math.nan
    from arviz_stats.base import array_stats  # noqa: PLC0415 - a second to import

    ratio = stats["log_importance_ratio"].to_numpy().ravel()
    ratio = ratio[np.isfinite(ratio)]
    if len(ratio) < 25 or np.ptp(ratio) == 0:
        return math.nan
    return float(array_stats.psislw(-ratio)[1])  # it takes log likelihoods: minus log weights


def _e_bfmi(stats: Any) -> float:
    if "energy" not in stats:
        return math.nan
    energy = stats["energy"].to_numpy()
    return float(np.min(np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1)))
