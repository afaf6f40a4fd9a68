"""Macro: how fast each source of foreign exchange grows, and which grows fastest.

What the fit leaves out, because it is Gaussian given the standard deviations (drifts,
coverage), is drawn here exactly, one draw for each of the fit's, from a stream of the
fit's own seed. The gate judges every reported quantity.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import linalg

from remitstats.estimands.macro_results import COLUMNS, MacroResults
from remitstats.estimands.summary import estimate, run_summary
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.fitting.run_tree import seed_of
from remitstats.models.macro import MacroDensity, Priors
from remitstats.models.macro_data import FIRST, WINDOWS, MacroData
from remitstats.panel.panel import Panel
from remitstats.parts.prior_values import with_values

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

STREAM = 7  # of the fit's seed: the draws of what was integrated out
DESCRIPTIONS = {
    "shock_sd": "standard deviation of growth that passes within a year",
    "drift_sd": "standard deviation of the yearly change of drift",
}


@dataclass(frozen=True)
class Drawn:
    """Draws of what was integrated out.

    Parameters
    ----------
    drift : array, shape (chain, draw, year, source)
        Lasting growth, as a change of logarithms.
    coverage : array, shape (chain, draw, covered)
        What wider coverage added, one a covered year.
    """

    drift: Array
    coverage: Array


def density_of(fit: xr.DataTree) -> MacroDensity:
    """Return the density that was sampled, made again from what the fit holds."""
    growth = fit["observed_data"]["growth"]
    coords = {"year": growth["year"].to_numpy(), "source": growth["source"].to_numpy().astype(str)}
    covered = fit["constant_data"]["covered"].any("source").to_numpy()
    told = json.loads(fit["provenance"].attrs["specification"])["priors"]
    numbers = {
        name: tuple(float(v) for key, v in prior.items() if key != "prior")
        for name, prior in told.items()
    }
    data = MacroData(coords, growth.to_numpy(), tuple(coords["year"][covered].tolist()))
    return MacroDensity(data, with_values(Priors(), numbers))


def draw_latent(fit: xr.DataTree, density: MacroDensity, tell: Progress) -> Drawn:
    """Draw drifts and effects of coverage given each draw of the standard deviations."""
    posterior = fit["posterior"]
    scales = np.concatenate(
        [
            posterior["shock_sd"].transpose("chain", "draw", "source").to_numpy(),
            posterior["drift_sd"].transpose("chain", "draw", "source").to_numpy(),
        ],
        axis=-1,
    ).astype(float)
    seed = seed_of(fit)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM,)))
    chains, draws = scales.shape[:2]
    years, count = density.data.growth.shape
    rows = []
    for number, here in enumerate(scales.reshape(-1, scales.shape[-1])):
        rows.append(_given(density, here, rng))
        if number % 100 == 0:
            tell("drawing what was integrated out", number / (chains * draws))
    whole = np.stack(rows).reshape(chains, draws, -1)
    drift = whole[..., : count * years].reshape(chains, draws, count, years)
    return Drawn(
        np.swapaxes(drift, 2, 3),
        whole[..., count * years :],
    )


def _given(density: MacroDensity, scales: Array, rng: np.random.Generator) -> Array:
    """Draw all that is Gaussian given standard deviations and growths, by conditioning a draw.

    A joint draw from the prior is moved to the data by the regression on the growths: exact, and
    needs no factor of the conditional covariance.
    """
    latent, cross = density.latent(scales)
    variances = np.diag(latent.covariance)
    known = variances > 0
    noise = np.zeros(len(latent.mean))
    block = latent.covariance[np.ix_(known, known)]
    noise[known] = linalg.cholesky(block + 1e-14 * np.eye(len(block)), lower=True) @ (
        rng.standard_normal(len(block))
    )
    _, source = density.cells
    shocks = scales[: density.sources][source] * rng.standard_normal(len(source))
    simulated = density.adds.T @ noise + shocks
    root = linalg.cho_factor(density.covariance(scales), lower=True)
    moved = cross @ linalg.cho_solve(root, density.observed - simulated)
    return np.asarray(latent.mean + noise + moved)


def summarise_macro(
    fit: xr.DataTree,
    panel: Panel,  # noqa: ARG001 - every model's summary takes it
    *,
    command: str = "remitstats.summarise_macro(fit, panel)",
    progress: Progress | None = None,
) -> MacroResults:
    """Turn a fit of the macro model into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned for the macro model.
    panel : Panel
        The panel it was fitted to.
    command : str
        What to run to get this again; goes into the summary.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    MacroResults
        R-hat and ESS are those of every drift, window, difference, turn and parameter. Of a country
        that lacks a year of a window, that window and the turn are left out.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    density = density_of(fit)
    data = density.data
    drawn = draw_latent(fit, density, tell)
    sources = [str(name) for name in data.coords["source"]]
    years = [int(year) for year in data.coords["year"]]
    means = {name: _mean(drawn.drift, years, window) for name, window in data.windows.items()}
    windows = np.stack(list(means.values()), axis=2)
    judged = {
        "drift": xr.DataArray(
            drawn.drift,
            dims=("chain", "draw", "year", "source"),
            coords={"year": years, "source": sources},
        ),
        "window": xr.DataArray(
            windows,
            dims=("chain", "draw", "window", "source"),
            coords={"window": list(means), "source": sources},
        ),
        "difference": xr.DataArray(
            windows[..., :1] - windows[..., 1:],
            dims=("chain", "draw", "window", "against"),
            coords={"window": list(means), "against": sources[1:]},
        ),
    }
    if len(means) > 1:
        judged["turn"] = xr.DataArray(
            windows[:, :, 1] - windows[:, :, 0],
            dims=("chain", "draw", "source"),
            coords={"source": sources},
        )
    if drawn.coverage.size:
        judged["coverage"] = xr.DataArray(drawn.coverage, dims=("chain", "draw", "covered"))
    free = {str(name): array for name, array in fit["posterior"].data_vars.items()}
    table = convergence_of(free | judged, lambda share: tell("convergence", 0.5 + 0.5 * share))
    counts = {"sources": len(sources), "years": [years[0], years[-1]]}
    summary = run_summary(
        fit, judge(fit, table), counts, command=command, seconds=time.perf_counter() - start
    )
    tell("done", 1.0)
    return MacroResults(
        growth=_growth(data, drawn),
        window=_windows(data, means, table),
        difference=_differences(means, sources),
        turn=_turns(means, sources),
        coverage=_coverage(data, drawn),
        predictive=_predictive(fit, density, drawn),
        parameter=_parameters(fit, table),
        summary=summary,
    )


def percent(log_growth: Any) -> Any:
    """Return a change of logarithms as per cent."""
    return 100.0 * np.expm1(log_growth)


def _flat(draws: Array) -> Array:
    return draws.reshape(-1, *draws.shape[2:])


def _mean(drift: Array, years: list[int], window: tuple[int, int]) -> Array:
    """Return the mean drift of the growths inside a window, shape (chain, draw, source)."""
    inside = [i for i, year in enumerate(years) if window[0] < year <= window[1]]
    return np.asarray(drift[:, :, inside].mean(axis=2))


def _row(draws: Array) -> dict[str, float]:
    return {key: float(value) for key, value in estimate(draws).items()}


def _growth(data: MacroData, drawn: Drawn) -> pd.DataFrame:
    rows = []
    for j, source in enumerate(data.coords["source"]):
        for t, year in enumerate(data.coords["year"]):
            if not data.known[t, j]:
                continue
            found = _row(percent(_flat(drawn.drift)[:, t, j]))
            observed = float(percent(data.growth[t, j]))
            rows.append({"source": str(source), "year": int(year), "observed": observed, **found})
    return pd.DataFrame(rows)


def _windows(data: MacroData, means: dict[str, Array], table: pd.DataFrame) -> pd.DataFrame:
    known = table.set_index("quantity")[["r_hat", "ess_bulk"]].to_dict("index")
    rows = []
    for name, draws in means.items():
        flat, (first, last) = _flat(draws), WINDOWS[name]
        fastest = flat.argmax(axis=1)
        inside = (data.coords["year"] > first) & (data.coords["year"] <= last)
        for j, source in enumerate(data.coords["source"]):
            judged = known[f"window[{name}, {source}]"]
            rows.append(
                {
                    "source": str(source),
                    "window": name,
                    "from_year": first,
                    "to_year": last,
                    "observed": float(percent(data.growth[inside, j].mean())),
                    **_row(percent(flat[:, j])),
                    "p_fastest": float((fastest == j).mean()),
                    "r_hat": float(judged["r_hat"]),
                    "ess_bulk": float(judged["ess_bulk"]),
                }
            )
    return pd.DataFrame(rows)


def _differences(means: dict[str, Array], sources: list[str]) -> pd.DataFrame:
    rows = []
    for name, draws in means.items():
        flat = percent(_flat(draws))
        for j, source in enumerate(sources):
            if source != FIRST:
                away = flat[:, sources.index(FIRST)] - flat[:, j]
                faster = float((away > 0).mean())
                rows.append({"window": name, "against": source, **_row(away), "p_faster": faster})
    return pd.DataFrame(rows)


def _turns(means: dict[str, Array], sources: list[str]) -> pd.DataFrame:
    if len(means) < 2:
        return pd.DataFrame(columns=list(COLUMNS["turn"]))
    (first, before), (last, after) = means.items()
    moved = percent(_flat(after)) - percent(_flat(before))
    return pd.DataFrame(
        [
            {
                "source": source,
                "from_window": first,
                "to_window": last,
                **_row(moved[:, j]),
                "p_slower": float((moved[:, j] < 0).mean()),
            }
            for j, source in enumerate(sources)
        ]
    )


def _coverage(data: MacroData, drawn: Drawn) -> pd.DataFrame:
    years = data.coords["year"][(data.covered & data.known).any(axis=1)]
    if not len(years):
        return pd.DataFrame(columns=list(COLUMNS["coverage"]))
    flat = _flat(drawn.coverage)
    return pd.DataFrame(
        [
            {
                "year": int(year),
                **_row(percent(flat[:, i])),
                "p_positive": float((flat[:, i] > 0).mean()),
            }
            for i, year in enumerate(years)
        ]
    )


def _predictive(fit: xr.DataTree, density: MacroDensity, drawn: Drawn) -> pd.DataFrame:
    """Hold statistics of the growths against growths replicated around the drawn drifts."""
    data = density.data
    seed = seed_of(fit)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM, 1)))
    shock = fit["posterior"]["shock_sd"].transpose("chain", "draw", "source").to_numpy()
    drift = _flat(drawn.drift)
    again = drift + _flat(shock)[:, None] * rng.standard_normal(drift.shape)
    covered = data.covered & data.known
    if covered.any():
        again[:, covered] += _flat(drawn.coverage)
    rows = []
    statistics: dict[str, Callable[[Array], Array]] = {
        "standard deviation of growth": lambda g: g.std(axis=-1),
        "largest growth": lambda g: percent(g.max(axis=-1)),
        "smallest growth": lambda g: percent(g.min(axis=-1)),
        "correlation of successive years": _successive,
    }
    for j, source in enumerate(data.coords["source"]):
        own = data.known[:, j]
        for name, statistic in statistics.items():
            here = float(statistic(data.growth[own, j]))
            there = statistic(again[:, own, j])
            found = _row(there)
            rows.append(
                {
                    "statistic": name,
                    "source": str(source),
                    "observed": here,
                    "replicated_mean": found["mean"],
                    "replicated_eti90_lower": found["eti90_lower"],
                    "replicated_eti90_upper": found["eti90_upper"],
                    "p_value": float((there >= here).mean()),
                }
            )
    return pd.DataFrame(rows)


def _successive(growth: Array) -> Array:
    centred = growth - growth.mean(axis=-1, keepdims=True)
    product = (centred[..., 1:] * centred[..., :-1]).sum(axis=-1)
    squares = np.asarray((centred**2).sum(axis=-1))
    return np.divide(product, squares, out=np.zeros_like(squares), where=squares > 0)


def _parameters(fit: xr.DataTree, table: pd.DataFrame) -> pd.DataFrame:
    columns = ["r_hat", "ess_bulk", "ess_tail"]
    known: dict[Any, dict[Any, Any]] = table.set_index("quantity")[columns].to_dict("index")
    rows = []
    for name, array in fit["posterior"].data_vars.items():
        for source in array["source"].to_numpy():
            draws = array.sel(source=source).to_numpy().ravel()
            rows.append(
                {
                    "name": str(name),
                    "source": str(source),
                    "description": DESCRIPTIONS[str(name)],
                    **_row(draws),
                    **known[f"{name}[{source}]"],
                }
            )
    return pd.DataFrame(rows)
