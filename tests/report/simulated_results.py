"""Simulated results: draws from a made-up posterior, summarised as a real fit would be.

Nothing here is an estimate of anything; names, codes and numbers are invented.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely

from remitstats.estimands.results import RelianceResults
from remitstats.panel.panel import Panel

DRAWS = 400
NAMES = ("Ácambaro", "León de los Aldama", "Peñón Blanco", "Zumpango", "El Oro", "Tlalpan")


STATES = {"01": ("Uno", "North"), "02": ("Dos", "Centre"), "03": ("Tres", "Centre")}
CONVERGED = {"converged": True, "reasons": [], "r_hat_max": 1.003, "ess_bulk_min": 811.0}
STUCK = {
    "converged": False,
    "reasons": ["R-hat of sigma_state is 1.2", "bulk ESS of rho is 13 <b>bold</b>"],
    "remedies": ["take more draws: --draws 5600", "run several: --chains 4 <b>bold</b>"],
    "r_hat_max": 1.2,
    "ess_bulk_min": 13.0,
}


def _summary(draws: np.ndarray) -> dict[str, np.ndarray]:
    """Summaries over the first axis."""
    lower, median, upper = np.quantile(draws, [0.05, 0.5, 0.95], axis=0)
    return {
        "mean": draws.mean(0),
        "sd": draws.std(0),
        "median": median,
        "eti90_lower": lower,
        "eti90_upper": upper,
    }


def simulate(
    *,
    units: int = 18,
    waves: Sequence[int] = (2000, 2010, 2020),
    states: Sequence[str] = ("01", "02"),
    names: Sequence[str] = NAMES,
    converged: bool = True,
    seed: int = 1,
) -> RelianceResults:
    rng = np.random.default_rng(seed)
    state = np.array([states[i * len(states) // units] for i in range(units)])
    place = pd.DataFrame(
        {
            "cvegeo": [f"{s}{i + 1:03d}" for i, s in enumerate(state)],
            "name": [names[i % len(names)] for i in range(units)],
            "state": state,
            "state_name": [STATES[s][0] for s in state],
            "region": [STATES[s][1] for s in state],
        }
    )
    dwellings = rng.integers(300, 90_000, (units, len(waves)))
    truth = rng.normal(-2.5, 1, (units, 1)) + rng.normal(0, 0.4, (units, len(waves)))
    spread = 8 / np.sqrt(dwellings)
    draws = 100 / (1 + np.exp(-truth - spread * rng.normal(size=(DRAWS, units, len(waves)))))
    ranks = (-draws).argsort(1).argsort(1) + 1
    level, change, group, group_change = [], [], [], []
    whole = (draws * (dwellings / dwellings.sum(0))).sum(1, keepdims=True)
    for t, wave in enumerate(waves):
        rank = _summary(ranks[:, :, t])
        measured = np.ones(units, bool)
        measured[-1] = t > 0  # one municipality without data in the first wave
        published = np.where(measured, draws[0, :, t], np.nan)
        level.append(
            place.assign(
                wave=wave,
                dwellings=pd.array(np.where(measured, dwellings[:, t], 0), "Int64"),
                published_percent=published,
                measured=measured,
                **_summary(draws[:, :, t]),
                rank_median=rank["median"],
                rank_eti90_lower=rank["eti90_lower"],
                rank_eti90_upper=rank["eti90_upper"],
                **{f"p_above_{x}": (draws[:, :, t] > x).mean(0) for x in (5, 10, 20)},
                p_above_nation=(draws[:, :, t] > whole[:, :, t]).mean(0),
            )
        )
        level[-1].loc[~measured, "dwellings"] = pd.NA
    pairs = list(itertools.combinations(range(len(waves)), 2))
    for a, b in pairs:
        moved = draws[:, :, b] - draws[:, :, a]
        change.append(
            place.assign(
                from_wave=waves[a],
                to_wave=waves[b],
                **_summary(moved),
                p_increase=(moved > 0).mean(0),
            )
        )
    groups = [("nation", "MX", "Nowhere", np.ones(units, bool))]
    groups += [
        ("region", r, r, (place["region"] == r).to_numpy()) for r in place["region"].unique()
    ]
    groups += [("state", s, STATES[s][0], state == s) for s in dict.fromkeys(state)]
    for kind, code, name, members in groups:
        key = {"level": kind, "code": code, "name": name}
        weight = dwellings[members] / dwellings[members].sum(0)
        share = (draws[:, members] * weight).sum(1)
        for t, wave in enumerate(waves):
            total = int(dwellings[members, t].sum())
            receiving = _summary(share[:, t] * total / 100)
            group.append(
                {
                    **key,
                    "wave": wave,
                    "dwellings": total,
                    "published_percent": float(share[0, t]),
                    **_summary(share[:, t]),
                    "receiving_dwellings_mean": receiving["mean"],
                    "receiving_dwellings_eti90_lower": receiving["eti90_lower"],
                    "receiving_dwellings_eti90_upper": receiving["eti90_upper"],
                }
            )
        for a, b in pairs:
            moved = share[:, b] - share[:, a]
            group_change.append(
                {
                    **key,
                    "from_wave": waves[a],
                    "to_wave": waves[b],
                    **_summary(moved),
                    "p_increase": float((moved > 0).mean()),
                }
            )
    predictive = [
        {
            "statistic": statistic,
            "description": f"{statistic} of the published percentages",
            "wave": wave,
            "observed": float(rng.normal(10)),
            "replicated_mean": 10.0,
            "replicated_eti90_lower": 8.4,
            "replicated_eti90_upper": 11.6,
            "p_value": 0.4,
        }
        for statistic in ("mean", "sd", "largest")
        for wave in waves
    ]
    parameter = pd.DataFrame(
        [
            {
                "name": name,
                "description": f"simulated {name}",
                **_summary(rng.gamma(4, 0.2, DRAWS)),
                "r_hat": 1.002,
                "ess_bulk": 811.0,
                "ess_tail": 640.0,
            }
            for name in ("sigma_space", "rho")
        ]
    )
    summary = {
        **(CONVERGED if converged else STUCK),
        "model": "reliance (simulated results)",
        "engine": "none: simulated",
        "ess_tail_min": 640.0,
        "divergences": 0,
        "draws": DRAWS,
        "chains": 1,
        "k_hat": float("nan"),
        "wall_seconds": {"sampling": 1.5},
        "states": list(dict.fromkeys(state)),
        "waves": list(waves),
        "interval": {"kind": "eti", "probability": 0.9},
        "versions": {"remitstats": "0.0", "numpy": np.__version__},
        "panel_hash": "00000000simulated"[:16],
        "seed": seed,
        "model_spec": {"priors": {"rho": "Beta(1, 1)"}, "design_effect": 1.5},
        "command": "remitstats run --seed 1",
        "estimates": {"p_national_at_least_8": {str(wave): 0.001 for wave in waves}},
    }
    columns = ["level", "code", "name", "from_wave", "to_wave", "mean", "sd", "median"]
    return RelianceResults(
        level=pd.concat(level, ignore_index=True),
        change=pd.concat(change, ignore_index=True)
        if change
        else place.iloc[:0].assign(
            **{c: [] for c in (*columns[3:], "eti90_lower", "eti90_upper", "p_increase")}
        ),
        group=pd.DataFrame(group),
        group_change=pd.DataFrame(group_change)
        if group_change
        else pd.DataFrame(columns=[*columns, "eti90_lower", "eti90_upper", "p_increase"]),
        predictive=pd.DataFrame(predictive),
        parameter=parameter,
        summary=summary,
    )


def panel_for(results: RelianceResults, shapes: bool = True, all_states: bool = True) -> Panel:
    """A panel of squares in a grid, one a municipality, one of them with a hole and an island."""
    units = results.level.drop_duplicates("cvegeo")
    squares = [
        shapely.box(-100 + i % 6, 20 + i // 6, -99 + i % 6, 21 + i // 6) for i in range(len(units))
    ]
    squares[0] = shapely.union(
        squares[0].difference(shapely.box(-99.7, 20.3, -99.4, 20.6)),
        shapely.box(-101.5, 20.2, -101.2, 20.5),
    )
    codes = set(units["state"]) if all_states else {*units["state"], "03"}
    tables = {
        "municipality": units[["cvegeo", "name", "state"]].reset_index(drop=True),
        "state": pd.DataFrame(
            [{"state": c, "name": STATES[c][0], "region": STATES[c][1]} for c in sorted(codes)]
        ),
        "account": pd.DataFrame(
            [
                {
                    "source": "made up",
                    "step": "read <i>",
                    "rows_in": 18,
                    "merged": 0,
                    "missing": None,
                    "rows_out": 18,
                    "note": None,
                }
            ]
        ),
    }
    if shapes:
        tables["shape"] = pd.DataFrame(
            {"cvegeo": units["cvegeo"].to_numpy(), "geometry": shapely.to_wkb(squares)}
        )
    dictionary = [
        {
            "table": "municipality_wave",
            "column": "receiving_percent",
            "publisher": "Nobody",
            "source": "Simulated table",
            "vintage": "-",
            "unit": "% of dwellings",
            "definition": "Invented <b>percentage</b>",
            "terms": "none",
        }
    ]
    return Panel(
        tables,
        {"country": "Nowhere", "title": "Simulated panel", "dictionary": dictionary},
    )
