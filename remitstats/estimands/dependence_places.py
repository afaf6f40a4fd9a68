"""Paths of the nation, of states and of some municipalities; what names a municipality."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.estimands.dependence_draws import LatentDraws, Sampler, draw_all
from remitstats.estimands.dependence_windows import Windows
from remitstats.estimands.summary import estimate
from remitstats.models.dependence_data import DependenceData
from remitstats.models.dependence_measures import quarter_name
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]
Judged = dict[str, xr.DataArray]
EACH = 3  # examples of each sort


def municipalities(panel: Panel, data: DependenceData) -> pd.DataFrame:
    """Return what names a municipality: code, name, state, reporting, quarters with figures."""
    codes = data.coords["municipality"]
    names = pd.Series(dtype=object)
    if "municipality" in panel.tables:
        names = panel.table("municipality").set_index("cvegeo")["name"]
    named = names.reindex(codes)
    faint = data.faint[data.kind_of]
    return pd.DataFrame(
        {
            "cvegeo": codes,
            "name": named.fillna(pd.Series(codes, index=codes)).astype(str).to_numpy(),
            "state": [code[:2] for code in codes],
            "reporting": np.where(faint, "faint", "steady"),
            "quarters": np.isfinite(data.observed).sum(axis=1),
        }
    )


def state_paths(
    panel: Panel,
    data: DependenceData,
    draws: LatentDraws,
    windows: Windows,
    numbers: NDArray[np.int64],
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, xr.DataArray]]:
    """Return paths and growth of nation and states, and the draws behind them."""
    states = [str(code) for code in data.coords["state"]]
    names = {}
    if "state" in panel.tables:
        table = panel.table("state")
        names = dict(zip(table["state"].astype(str), table["name"].astype(str), strict=True))
    quarters = [str(q) for q in data.coords["quarter"]]
    later = [quarter_name(int(n)) for n in numbers]
    steady = ~data.faint[data.kind_of]
    count = np.bincount(data.state_of[steady], minlength=len(states))
    if not steady.any():
        steady = ~steady
        count = np.bincount(data.state_of, minlength=len(states))
    share = count / count.sum()
    nation = (
        np.einsum("cdsq,s->cdq", part, share) for part in (draws.state_trend, draws.state_ahead)
    )
    places = [("nation", "00", "Mexico", *nation, steady)]
    if len(states) > 1:
        places += [
            (
                "state",
                code,
                names.get(code, code),
                draws.state_trend[:, :, s],
                draws.state_ahead[:, :, s],
                steady & (data.state_of == s),
            )
            for s, code in enumerate(states)
            if count[s]
        ]
    rows, growth_rows, judged = [], [], {}
    for level, code, name, trend, ahead, inside in places:
        observed = np.exp(_mean(data.observed[inside]))
        key = {"level": level, "code": code, "name": name}
        for series, at, value, seen in (
            ("trend", quarters, np.exp(trend), observed),
            ("ahead", later, np.exp(ahead), np.full(len(later), np.nan)),
        ):
            frame = pd.DataFrame(estimate(value.reshape(-1, len(at))))
            rows.append(frame.assign(**key, quarter=at, series=series, observed=seen))
            judged[f"path[{code}, {series}]"] = xr.DataArray(
                value, dims=("chain", "draw", "quarter"), coords={"quarter": at}
            )
        for period, value in windows.growth(trend @ windows.weights.T).items():
            numbers_ = {k: float(v) for k, v in estimate(value.ravel()).items()}
            growth_rows.append(
                {**key, "period": period, **numbers_, "p_positive": float((value > 0).mean())}
            )
            judged[f"path_growth[{code}, {period}]"] = xr.DataArray(value, dims=("chain", "draw"))
    return pd.concat(rows, ignore_index=True), pd.DataFrame(growth_rows), judged


def _mean(y: Array) -> Array:
    """Return means of what is seen in each quarter, of series of very different level.

    A missing quarter is filled with the series' own mean plus what the quarter has in common.
    """
    own = np.nanmean(np.where(np.isfinite(y).any(axis=1, keepdims=True), y, 0.0), axis=1)
    common = np.nanmean(y - own[:, None], axis=0)
    filled = np.where(np.isfinite(y), y, own[:, None] + common)
    return np.asarray(filled.mean(axis=0))


def examples(
    sampler: Sampler,
    fit: xr.DataTree,
    tables: dict[str, pd.DataFrame],
    *,
    repeats: int,
    every: int,
    seed: int,
) -> tuple[pd.DataFrame, Judged]:
    """Return quarterly paths of some municipalities, and the draws behind them.

    The three with the highest newest level, the three that rose and the three that fell fastest
    since the first year (steady ones), and the three faint ones with most people.

    Parameters
    ----------
    sampler : Sampler
        Of the fit.
    fit : DataTree
        The fit.
    tables : mapping of str to DataFrame
        `level` and `growth`.
    repeats, every, seed
        As for `draw_all`.
    """
    data = sampler.density.data
    chosen = _interesting(data, tables)
    quarters = [str(q) for q in data.coords["quarter"]]
    later = [quarter_name(int(n)) for n in sampler.numbers[len(quarters) :]]
    one = Sampler(
        sampler.density,
        np.eye(len(quarters)),
        sampler.horizon,
        np.array([place for _, place in chosen]),
    )
    drawn = draw_all(one, fit, repeats=repeats, every=every, seed=seed + 1)
    names = tables["level"].drop_duplicates("cvegeo").set_index("cvegeo")
    rows, judged = [], {}
    for m, (why, place) in enumerate(chosen):
        code = str(data.coords["municipality"][place])
        about = names.loc[code]
        for series, at, value, seen in (
            ("trend", quarters, drawn.trend[:, :, m], np.exp(data.observed[place])),
            ("ahead", later, drawn.ahead[:, :, m], np.full(len(later), np.nan)),
        ):
            frame = pd.DataFrame(estimate(np.exp(value).reshape(-1, len(at))))
            rows.append(
                frame.assign(
                    cvegeo=code,
                    name=about["name"],
                    state=about["state"],
                    reporting=about["reporting"],
                    why=why,
                    quarter=at,
                    series=series,
                    observed=seen,
                )
            )
            judged[f"example[{code}, {series}]"] = xr.DataArray(
                value, dims=("chain", "draw", "quarter"), coords={"quarter": at}
            )
    return pd.concat(rows, ignore_index=True), judged


def _interesting(data: DependenceData, tables: dict[str, pd.DataFrame]) -> list[tuple[str, int]]:
    """Return why and where: the municipalities to show."""
    place = {str(code): i for i, code in enumerate(data.coords["municipality"])}
    level, growth = tables["level"], tables["growth"]
    newest = level[level["window"] == level["window"].iloc[-1]]
    since = growth[growth["period"] == growth["period"].iloc[0]]
    people = pd.Series(data.log_population[:, -1], index=data.coords["municipality"])
    steady, faint = (since["reporting"] == kind for kind in ("steady", "faint"))
    high = newest[newest["reporting"] == "steady"].nlargest(EACH, "median")["cvegeo"]
    lists: list[tuple[str, list[str]]] = [
        ("highest", list(high)),
        ("rose", list(since[steady].nlargest(EACH, "median")["cvegeo"])),
        ("fell", list(since[steady].nsmallest(EACH, "median")["cvegeo"])),
        ("faint", list(people.reindex(since[faint]["cvegeo"]).nlargest(EACH).index)),
    ]
    found: dict[int, str] = {}
    for why, codes in lists:
        for code in codes:
            found.setdefault(place[str(code)], why)
    return [(why, at) for at, why in found.items()]
