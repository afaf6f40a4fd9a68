"""Reliance: what the posterior says of municipalities, states, regions and the nation.

Everything is computed draw by draw from the linear predictor, so that totals add up and every
derived number carries its uncertainty.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from remitstats.estimands.predictive import predictive_check
from remitstats.estimands.results import COLUMNS, RelianceResults
from remitstats.estimands.summary import QUANTILES, estimate, parameter_table, run_summary
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.fitting.run_tree import seed_of
from remitstats.panel.code_form import codes_of
from remitstats.panel.missing import missing_for_reliance
from remitstats.panel.panel import Panel

Progress = Callable[[str, float], None]
THRESHOLDS = (5.0, 10.0, 20.0)
DESCRIPTIONS = {
    "state_sd": "standard deviation between states, all waves (logit)",
    "state_wave_sd": "standard deviation of a state's own movement between waves (logit)",
    "municipality_sd": "standard deviation between municipalities of a state, all waves (logit)",
    "municipality_share": "share of that variance that neighbours have in common",
    "municipality_wave_sd": "standard deviation of a municipality's own movement between waves",
    "municipality_wave_share": "share of that variance that neighbours have in common",
}


@dataclass(frozen=True)
class Draws:
    """Posterior draws of reliance in per cent of dwellings.

    Parameters
    ----------
    percent : DataArray, dims (chain, draw, wave, municipality)
        Share of dwellings that receive remittances.
    dwellings, published : array, shape (wave, municipality)
        As published; nan where there is none.
    """

    percent: xr.DataArray
    dwellings: NDArray[np.float64]
    published: NDArray[np.float64]

    @property
    def flat(self) -> NDArray[np.float32]:
        """Draws with chains joined, shape (sample, wave, municipality)."""
        values = self.percent.to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:]))

    @property
    def waves(self) -> list[int]:
        """Waves in order."""
        return [int(wave) for wave in self.percent["wave"].to_numpy()]

    @property
    def intervals(self) -> list[tuple[int, int]]:
        """Positions of every pair of waves, earlier first."""
        return list(itertools.combinations(range(len(self.waves)), 2))


def draws_of(fit: xr.DataTree) -> Draws:
    """Return the draws of reliance of a fit, in per cent."""
    eta = fit["posterior"]["linear_predictor"].transpose("chain", "draw", "wave", "municipality")
    data = fit["constant_data"]
    return Draws(
        percent=(100.0 * special.expit(eta)).astype(np.float32),
        dwellings=data["dwellings"].transpose("wave", "municipality").to_numpy(),
        published=data["published_percent"].transpose("wave", "municipality").to_numpy(),
    )


def ranks(percent: NDArray[Any]) -> NDArray[np.int32]:
    """Return the rank of every municipality within its wave and draw; 1 is the highest share."""
    order = np.argsort(-percent, axis=-1)
    rank = np.empty(percent.shape, dtype=np.int32)
    np.put_along_axis(rank, order, np.arange(1, percent.shape[-1] + 1, dtype=np.int32), axis=-1)
    return rank


def places(panel: Panel, codes: NDArray[Any]) -> pd.DataFrame:
    """Return `cvegeo, name, state, state_name, region` of municipalities, in the order given."""
    place = pd.DataFrame({"cvegeo": codes.astype(str)})
    municipality = panel.table("municipality").set_index("cvegeo")
    state = panel.table("state").set_index("state")
    place["name"] = municipality["name"].reindex(place["cvegeo"]).to_numpy()
    place["name"] = place["name"].fillna(place["cvegeo"])
    place["state"] = panel.states_of(place["cvegeo"])
    place["state_name"] = state["name"].reindex(place["state"]).to_numpy()
    place["state_name"] = place["state_name"].fillna(place["state"])
    place["region"] = state["region"].reindex(place["state"]).to_numpy()
    place["region"] = place["region"].fillna("unknown")
    return place


def level_table(
    draws: Draws, place: pd.DataFrame, rank: NDArray[np.int32], national: NDArray[np.float64]
) -> pd.DataFrame:
    """Return one row a municipality and wave (see `RelianceResults.level`).

    `national` holds the draws of the whole, shape (sample, wave).
    """
    flat = draws.flat
    rank_low, rank_middle, rank_high = np.quantile(rank, QUANTILES, axis=0)
    tables = []
    for w, wave in enumerate(draws.waves):
        part = flat[:, w]
        tables.append(
            place.assign(
                wave=wave,
                dwellings=draws.dwellings[w],
                published_percent=draws.published[w],
                measured=np.isfinite(draws.published[w]) & np.isfinite(draws.dwellings[w]),
                **estimate(part),
                rank_median=rank_middle[w],
                rank_eti90_lower=rank_low[w],
                rank_eti90_upper=rank_high[w],
                **{f"p_above_{t:g}": (part > t).mean(axis=0) for t in THRESHOLDS},
                p_above_nation=_share(part > national[:, w, None], national[:, w]),
            )
        )
    return pd.concat(tables, ignore_index=True)


def _share(above: NDArray[np.bool_], national: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of draws in which each is above; nan where the whole has no estimate."""
    share = above.mean(axis=0)
    return np.where(np.isfinite(national).all(), share, np.nan)


def change_table(draws: Draws, place: pd.DataFrame) -> pd.DataFrame:
    """Return one row a municipality and pair of waves (see `RelianceResults.change`)."""
    if not draws.intervals:
        return no_change("change")
    flat = draws.flat
    tables = []
    for a, b in draws.intervals:
        moved = flat[:, b] - flat[:, a]
        tables.append(
            place.assign(
                from_wave=draws.waves[a],
                to_wave=draws.waves[b],
                **estimate(moved),
                p_increase=(moved > 0).mean(axis=0),
            )
        )
    return pd.concat(tables, ignore_index=True)


def no_change(table: str) -> pd.DataFrame:
    """Return a table of changes without rows: of one wave there is none to report."""
    text = ("cvegeo", "name", "state", "state_name", "region", "level", "code")
    kinds = {
        column: "object" if column in text else "int64" if column.endswith("_wave") else "float64"
        for column in COLUMNS[table]
    }
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in kinds.items()})


def groups_of(place: pd.DataFrame) -> list[tuple[str, str, str, NDArray[np.bool_]]]:
    """Return level, code, name and members of the nation, its regions and its states."""
    found: list[tuple[str, str, str, NDArray[np.bool_]]] = [
        ("nation", "00", "All municipalities", np.ones(len(place), dtype=bool))
    ]
    for region in sorted(place["region"].unique()):
        found.append(("region", region, region, (place["region"] == region).to_numpy()))
    for state, rows in place.groupby("state", sort=True):
        member = (place["state"] == state).to_numpy()
        found.append(("state", str(state), str(rows["state_name"].iloc[0]), member))
    return found


def group_draws(draws: Draws, place: pd.DataFrame) -> xr.DataArray:
    """Return dwelling-weighted reliance of every group, dims (chain, draw, group, wave).

    Only municipalities with published dwellings in a wave count in that wave.
    """
    groups = groups_of(place)
    member = np.stack([rows for _, _, _, rows in groups])
    values = draws.percent.to_numpy()
    out = np.empty((*values.shape[:2], len(groups), len(draws.waves)))
    for w, dwellings in enumerate(np.nan_to_num(draws.dwellings)):
        weight = member * dwellings
        total = weight.sum(axis=1, keepdims=True)
        share = np.divide(weight, total, out=np.full(weight.shape, np.nan), where=total > 0)
        for chain, percent in enumerate(values[:, :, w]):
            out[chain, :, :, w] = percent.astype(float) @ share.T
    labels = [f"{level}:{code}" for level, code, _, _ in groups]
    return xr.DataArray(
        out,
        dims=("chain", "draw", "group", "wave"),
        coords={"group": labels, "wave": draws.waves},
    )


def group_tables(
    draws: Draws, place: pd.DataFrame, grouped: xr.DataArray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the group levels and changes (see `RelianceResults`)."""
    levels, changes = [], []
    values = grouped.to_numpy().reshape(-1, *grouped.shape[2:])
    for g, (level, code, name, member) in enumerate(groups_of(place)):
        head: dict[str, Any] = {"level": level, "code": code, "name": name}
        for w, wave in enumerate(draws.waves):
            counted = member & np.isfinite(draws.dwellings[w])  # as in `group_draws`
            known = counted & np.isfinite(draws.published[w])
            total = float(draws.dwellings[w][counted].sum())
            weight = draws.dwellings[w][known]
            published = (
                float(draws.published[w][known] @ weight / weight.sum()) if len(weight) else np.nan
            )
            found = {key: float(v) for key, v in estimate(values[:, g, w]).items()}
            levels.append(
                {
                    **head,
                    "wave": wave,
                    "dwellings": total,
                    "published_percent": published,
                    **found,
                    **{
                        f"receiving_dwellings_{key}": found[key] * total / 100.0
                        for key in ("mean", "eti90_lower", "eti90_upper")
                    },
                }
            )
        for a, b in draws.intervals:
            moved = values[:, g, b] - values[:, g, a]
            changes.append(
                {
                    **head,
                    "from_wave": draws.waves[a],
                    "to_wave": draws.waves[b],
                    **{key: float(v) for key, v in estimate(moved).items()},
                    "p_increase": float((moved > 0).mean()),
                }
            )
    change = pd.DataFrame(changes) if changes else no_change("group_change")
    return pd.DataFrame(levels), change


def summarise(
    fit: xr.DataTree,
    panel: Panel,
    *,
    command: str = "remitstats.summarise(fit, panel)",
    progress: Progress | None = None,
) -> RelianceResults:
    """Turn a fit of the reliance model into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned for the reliance model.
    panel : Panel
        The panel it was fitted to: gives names, states and regions.
    command : str
        What to run to get this again; goes into the summary.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    RelianceResults
        Shares in per cent of dwellings, changes in percentage points, 90% equal-tailed
        intervals. R-hat and ESS are those of everything reported: all municipalities and waves,
        changes, ranks, aggregates and hyperparameters.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    draws = draws_of(fit)
    place = places(panel, fit["posterior"]["municipality"].to_numpy())
    tell("estimates", 0.1)
    rank = ranks(draws.flat)
    grouped = group_draws(draws, place)
    national = grouped.sel(group="nation:00").to_numpy().reshape(-1, len(draws.waves))
    level = level_table(draws, place, rank, national)
    change = change_table(draws, place)
    group, group_change = group_tables(draws, place, grouped)
    tell("posterior predictive check", 0.3)
    seed = seed_of(fit)
    predictive = predictive_check(fit, panel, seed=seed)
    tell("convergence of every reported quantity", 0.4)
    posterior = fit["posterior"]
    derived = _derived(draws, rank, grouped)
    table = convergence_of(
        {str(k): v for k, v in posterior.data_vars.items()} | derived,
        lambda fraction: tell("convergence of every reported quantity", 0.4 + 0.6 * fraction),
    )
    summary = run_summary(
        fit,
        judge(fit, table),
        {
            "units": len(place),
            "states": int(place["state"].nunique()),
            "waves": draws.waves,
            "measured": int(np.isfinite(draws.published).sum()),
        },
        command=command,
        seconds=time.perf_counter() - start,
    )
    lacking = missing_for_reliance(panel)
    if lacking:
        summary["missing"] = lacking
    if codes_of(panel.metadata).own:
        summary["of_another_country"] = True
    else:
        summary["estimates"] = {
            "p_national_at_least_8": {
                str(wave): float((national[:, w] >= 8.0).mean())
                for w, wave in enumerate(draws.waves)
            }
        }
    tell("done", 1.0)
    return RelianceResults(
        level=level,
        change=change,
        group=group,
        group_change=group_change,
        predictive=predictive,
        parameter=parameter_table(fit, table, DESCRIPTIONS | _wave_scales(draws.waves)),
        summary=summary,
    )


def _wave_scales(waves: list[int]) -> dict[str, str]:
    return {
        f"wave_scale_{wave}": f"spread of the effects in {wave} relative to the last wave"
        for wave in waves
    }


def _derived(
    draws: Draws, rank: NDArray[np.int32], grouped: xr.DataArray
) -> dict[str, xr.DataArray]:
    """Return what is reported beside the posterior variables, for the gate."""
    percent = draws.percent
    shape = percent.shape
    derived = {
        "rank": xr.DataArray(
            rank.reshape(shape), dims=percent.dims, coords={k: percent[k] for k in percent.dims[2:]}
        ),
        "group": grouped,
        "above nation": percent - grouped.sel(group="nation:00", drop=True),
    }
    for a, b in draws.intervals:
        label = f"{draws.waves[a]}-{draws.waves[b]}"
        derived[f"change {label}"] = percent.isel(wave=b, drop=True) - percent.isel(
            wave=a, drop=True
        )
        derived[f"group change {label}"] = grouped.isel(wave=b, drop=True) - grouped.isel(
            wave=a, drop=True
        )
    return derived
