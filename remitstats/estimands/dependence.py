"""The dependence model: what its posterior says of municipalities, states and the nation.

Everything is made of the draws of `dependence_draws`; every quantity that is reported goes through
the gate. See `DependenceResults` for the tables.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.estimands.dependence_check import predictive_check
from remitstats.estimands.dependence_draws import LatentDraws, Sampler, draw_all, window_weights
from remitstats.estimands.dependence_money import (
    Income,
    IncomeError,
    concentration,
    incomes,
)
from remitstats.estimands.dependence_results import DependenceResults, empty
from remitstats.estimands.summary import estimate, parameter_table, run_summary
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.models.dependence_data import DependenceData, prepare_data, years_of
from remitstats.models.dependence_density import DependenceDensity
from remitstats.models.dependence_form import Priors, population_kernel
from remitstats.models.dependence_measures import Measures, quarter_name
from remitstats.panel.panel import Panel
from remitstats.parts.priors import ScalePrior

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

REPEATS, EVERY = 4, 2  # four draws of the latent for every second draw of the parameters
TURN = 2020  # the year after which growth may have changed
THRESHOLDS = (5.0, 10.0, 20.0)  # per cent of income
SENSITIVITY = (0.0, 0.15, 0.3)  # of the error of income
FIRST = 100  # ranks that count as the top
NEWEST = "newest"
DESCRIPTIONS = {
    "level_sd": "level of steady municipalities within a state",
    "faint_level_sd": "level of faint municipalities within a state",
    "growth_sd": "growth a year between municipalities",
    "step_ratio": "steps at breaks of reporting over the noise of a quarter",
    "faint_step_sd": "steps at breaks of reporting, faint municipalities",
    "faint_ramp_sd": "what built up in faint municipalities under the second way of reporting",
    "faint_path_sd": "a year's step of the reporting path of faint municipalities",
    "state_level_sd": "level of states",
    "state_growth_sd": "growth a year between states",
    "state_walk_sd": "a year's step of a state's random walk",
    "state_season_sd": "departure of states from the nation's season",
    "state_noise_sd": "what a quarter alone has in a state",
    "nation_walk_sd": "a year's step of the nation's level",
    "nation_slope_sd": "a year's step of the nation's growth",
}


def density_of(fit: xr.DataTree, panel: Panel) -> DependenceDensity:
    """Return the density that a fit was made with.

    Parameters
    ----------
    fit : DataTree
        A fit of the dependence model.
    panel : Panel
        The panel it was fitted to.
    """
    known = json.loads(fit["provenance"].attrs["specification"])
    chosen = {**known["measures"], "breaks": tuple(known["measures"]["breaks"])}
    priors = {
        name: ScalePrior(prior["upper"], prior["tail"]) for name, prior in known["priors"].items()
    }
    data = prepare_data(panel, Measures(**chosen), last_quarter=known["last_quarter"])
    return DependenceDensity(data, Priors(**priors))


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of four quarters between which growth is measured.

    Parameters
    ----------
    data : DependenceData
        Gives the quarters.
    years : tuple of int
        Calendar years that are wanted besides, where the data have them whole.
    """

    data: DependenceData
    years: tuple[int, ...] = ()

    @cached_property
    def quarters(self) -> dict[str, list[str]]:
        """Quarters of each window by name; the first and the newest always."""
        all_ = [str(q) for q in self.data.coords["quarter"]]
        found = {self.first: all_[:4]}
        for year in sorted({TURN, *self.years}):
            inside = [q for q in all_ if q.startswith(str(year))]
            if len(inside) == 4 and str(year) != self.first:
                found[str(year)] = inside
        found[NEWEST] = all_[-4:]
        return found

    @property
    def first(self) -> str:
        """Name of the first window: its year if it is one."""
        all_ = [str(q) for q in self.data.coords["quarter"][:4]]
        whole = all_[0].endswith("Q1")
        return all_[0][:4] if whole else f"{all_[0]} to {all_[-1]}"

    @property
    def weights(self) -> Array:
        """Weights of the quarters, shape (window, quarter)."""
        return window_weights(self.data.coords["quarter"], self.quarters)

    def place(self, name: str) -> int:
        """Return the position of a window."""
        return list(self.quarters).index(name)

    @property
    def periods(self) -> dict[str, tuple[int, int, float]]:
        """First and last window of each period, and the years between their middles."""
        middle = self.weights @ np.arange(len(self.data.coords["quarter"]))
        ends = [(self.first, NEWEST)]
        if str(TURN) in self.quarters:
            ends += [(self.first, str(TURN)), (str(TURN), NEWEST)]
        found = {}
        for start, end in ends:
            a, b = self.place(start), self.place(end)
            found[f"{start} to {end}"] = (a, b, float(middle[b] - middle[a]) / 4.0)
        return found

    def growth(self, trend: Array) -> dict[str, Array]:
        """Return growth of every period, per cent a year, and what it changed by.

        Parameters
        ----------
        trend : array, shape (..., window)
            Logarithms.
        """
        found = {
            name: 100.0 * np.expm1((trend[..., b] - trend[..., a]) / years)
            for name, (a, b, years) in self.periods.items()
        }
        if len(found) == 3:
            _, before, after = found.values()
            found["acceleration"] = after - before
        return found


def summarise_dependence(
    fit: xr.DataTree,
    panel: Panel,
    *,
    income_error: IncomeError | None = None,
    command: str = "remitstats.summarise_dependence(fit, panel)",
    progress: Progress | None = None,
) -> DependenceResults:
    """Turn a fit of the dependence model into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned for the dependence model.
    panel : Panel
        The panel it was fitted to: gives series, names and incomes.
    income_error : IncomeError, optional
        How far estimated incomes may be off.
    command : str
        What to run to get this again; goes into the summary.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Returns
    -------
    DependenceResults
        R-hat and ESS in its summary are those of all parameters and of every quantity reported.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    error = income_error or IncomeError()
    density = density_of(fit, panel)
    data = density.data
    seed = int(json.loads(fit["provenance"].attrs["settings"])["seed"])
    quarters = [str(q) for q in data.coords["quarter"]]
    whole = [int(q[:4]) for q in quarters if q.endswith("Q1") and f"{q[:4]}Q4" in quarters]
    income = incomes(panel, data, error, sorted(set(whole)))
    windows = Windows(data, tuple(one.year for one in income))
    sampler = Sampler(density, windows.weights)
    many = int(fit["posterior"].sizes["draw"]) >= 2 * EVERY
    draws = draw_all(
        sampler,
        fit,
        repeats=REPEATS,
        every=EVERY if many else 1,
        seed=seed,
        progress=lambda share: tell("drawing levels, growth and forecasts", share),
    )
    tell("tables", 0.0)
    places = municipalities(panel, data)
    reported = Reported(data, windows, draws, places)
    tables = {
        "level": reported.level(),
        "growth": reported.growth(),
        "rank": reported.rank(),
        "ahead": reported.ahead(sampler.numbers[len(quarters) :]),
        "nation": reported.nation(income, seed),
        "income_share": reported.income_share(income, seed),
        "concentration": reported.concentration(seed),
    }
    paths = state_paths(panel, data, draws, windows, sampler.numbers[len(quarters) :])
    tables |= {"path": paths[0], "path_growth": paths[1]}
    tell("convergence of every reported quantity", 0.0)
    judged = convergence_of(
        {str(k): v for k, v in fit["posterior"].data_vars.items()} | reported.judged | paths[2],
        lambda share: tell("convergence of every reported quantity", share),
    )
    tell("posterior predictive check", 0.0)
    tables["predictive"] = predictive_check(sampler, fit, seed=seed)
    parameter = parameter_table(_named(fit), judged, _descriptions(data))
    faint = data.faint[data.kind_of]
    counts = {
        "municipalities": len(faint),
        "steady": int((~faint).sum()),
        "faint": int(faint.sum()),
        "complete": int(np.isfinite(data.observed).all(axis=1).sum()),
        "groups": len(data.grouped.kind),
        "gross_errors": int(data.errors.sum()),
        "states": len(data.coords["state"]),
        "quarters": len(quarters),
        "first_quarter": quarters[0],
        "last_quarter": quarters[-1],
        "steady_dollar_percent": 100.0
        * float(np.nansum(data.dollars[~faint]) / np.nansum(data.dollars)),
    }
    summary = run_summary(
        fit, judge(fit, judged), counts, command=command, seconds=time.perf_counter() - start
    )
    summary |= {
        "unit": data.measures.unit,
        "windows": {name: f"{q[0]} to {q[-1]}" for name, q in windows.quarters.items()},
        "periods": {name: round(years, 4) for name, (_, _, years) in windows.periods.items()},
        "income_error": error.describe(),
        "income_sd": {
            str(one.year): {
                str(kind): round(float(one.sd[one.source == kind].mean()), 4)
                for kind in np.unique(one.source[one.source != ""])
            }
            for one in income
        },
        "latent_draws": [int(n) for n in draws.trend.shape[:2]],
    }
    tell("done", 1.0)
    return DependenceResults(
        parameter=parameter,
        summary=summary,
        income_sensitivity=reported.income_sensitivity(income, error),
        **tables,
    )


def municipalities(panel: Panel, data: DependenceData) -> pd.DataFrame:
    """Return what names a municipality: code, name, state, reporting, quarters with figures."""
    codes = data.coords["municipality"]
    names = pd.Series(dtype=object)
    if "municipality" in panel.tables:
        names = panel.table("municipality").set_index("cvegeo")["name"]
    faint = data.faint[data.kind_of]
    return pd.DataFrame(
        {
            "cvegeo": codes,
            "name": names.reindex(codes).fillna(pd.Series(codes, index=codes)).astype(str).to_numpy(),
            "state": [code[:2] for code in codes],
            "reporting": np.where(faint, "faint", "steady"),
            "quarters": np.isfinite(data.observed).sum(axis=1),
        }
    )


@dataclass(frozen=True, eq=False)
class Reported:
    """Tables of municipalities, and the draws behind them for the gate.

    Parameters
    ----------
    data : DependenceData
        The data.
    windows : Windows
        Between which growth is measured.
    draws : LatentDraws
        The draws.
    places : DataFrame
        What names each municipality.
    """

    data: DependenceData
    windows: Windows
    draws: LatentDraws
    places: pd.DataFrame

    @cached_property
    def judged(self) -> dict[str, xr.DataArray]:
        """Draws of everything reported, by name; filled as tables are made."""
        return {}

    def _table(self, name: str, column: str, parts: Mapping[Any, Array], **more: Any) -> pd.DataFrame:
        """Return the rows of all municipalities for each part, and keep the draws."""
        frames = []
        for key, value in parts.items():
            label = f"{name}[{key}]" if column else name
            self.judged[label] = xr.DataArray(
                value,
                dims=("chain", "draw", "municipality"),
                coords={"municipality": self.data.coords["municipality"]},
            )
            flat = value.reshape(-1, value.shape[2])
            frame = self.places.copy()
            if column:
                frame[column] = key
            for title, numbers in estimate(flat).items():
                frame[title] = numbers
            for title, of in more.items():
                frame[title] = of(flat)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def level(self) -> pd.DataFrame:
        """Return levels of all windows."""
        parts = {
            name: np.exp(self.draws.trend[..., w]) for w, name in enumerate(self.windows.quarters)
        }
        return self._table("level", "window", parts)

    @cached_property
    def _growth(self) -> dict[str, Array]:
        return self.windows.growth(self.draws.trend)

    def growth(self) -> pd.DataFrame:
        """Return growth of all periods."""
        return self._table("growth", "period", self._growth, p_positive=lambda x: (x > 0).mean(0))

    def rank(self) -> pd.DataFrame:
        """Return ranks of the newest level."""
        newest = self.draws.trend[..., -1]
        rank = np.argsort(np.argsort(-newest, axis=2), axis=2).astype(np.int32) + 1
        return self._table(
            "rank", "", {"": rank}, p_first_100=lambda x: (x <= FIRST).mean(axis=0)
        )

    def ahead(self, numbers: NDArray[np.int64]) -> pd.DataFrame:
        """Return the next quarters."""
        parts = {
            quarter_name(int(n)): np.exp(self.draws.ahead[..., h]) for h, n in enumerate(numbers)
        }
        return self._table("ahead", "quarter", parts)

    def _share(self, income: Income, sd: Array, seed: int) -> Array:
        """Draw remittances in per cent of income, shape (chain, draw, municipality).

        The year's money is what was paid out, zeros included, with the state's unidentified money
        spread; uncertain are income, population and how that money is spread.
        """
        rng = np.random.default_rng([seed, income.year])
        mean, own = self._received(income.year)
        shape = self.draws.trend.shape[:3]
        off = np.hypot(sd, own) * rng.standard_normal(shape)
        return np.asarray(100.0 * np.exp(mean - income.log_quarter + off))

    def _received(self, year: int) -> tuple[Array, Array]:
        """Return the logarithm of money per person and quarter of a year, and its uncertainty."""
        data = self.data
        at = np.array([str(q).startswith(str(year)) for q in data.coords["quarter"]])
        shift = data.shift[data.state_of][:, at]
        per_person = np.exp(shift + data.log_value[at] - data.log_population[:, at])
        money = (np.nan_to_num(data.dollars[:, at]) * per_person).mean(axis=1)
        middle = np.array([years_of(data.numbers[at]).mean()])
        people = float(population_kernel(middle, data.measures)[0, 0])
        spread = data.shift_sd[data.state_of][:, at].mean(axis=1)
        paid = np.where(money > 0, money, np.nan)  # nothing was reported: nothing is known
        return np.log(paid), np.sqrt(people + spread**2)

    def income_share(self, income: list[Income], seed: int) -> pd.DataFrame:
        """Return remittances over income, years in which income was estimated."""
        frames = []
        for one in income:
            share = self._share(one, one.sd, seed)
            known = np.isfinite(one.mxn_month)
            more: dict[str, Any] = {
                f"p_above_{int(x)}": (lambda value, x=x: (value > x).mean(axis=0))
                for x in THRESHOLDS
            }
            frame = self._table("income_share", "year", {one.year: share}, **more)
            frame["income_source"], frame["income_mxn_month"] = one.source, one.mxn_month
            frames.append(frame[known & frame["mean"].notna().to_numpy()])
        if not frames:
            return empty("income_share")
        return pd.concat(frames, ignore_index=True)

    def income_sensitivity(self, income: list[Income], error: IncomeError) -> pd.DataFrame:
        """Return how many municipalities lie above a share, by the assumed error of income."""
        rows = []
        for one in income:
            known = np.isfinite(one.mxn_month)
            mean, own = self._received(one.year)
            mean = mean - one.log_quarter
            for sd in SENSITIVITY:
                whole = np.sqrt(np.maximum(one.sd**2 - error.sd**2, 0.0) + sd**2 + own**2)
                for x in THRESHOLDS:
                    away = (mean - np.log(x / 100.0)) / whole
                    rows.append(
                        {
                            "year": one.year,
                            "income_sd": sd,
                            "percent": x,
                            "probably": int((away[known] > 0).sum()),
                            "almost_certainly": int((away[known] > 1.6449).sum()),
                        }
                    )
        return pd.DataFrame(rows) if rows else empty("income_sensitivity")

    def nation(self, income: list[Income], seed: int) -> pd.DataFrame:
        """Return how many municipalities grow, and national remittances over income."""
        parts: dict[tuple[str, str], tuple[int, Array]] = {}
        faint = self.data.faint[self.data.kind_of]
        for label, inside in (("steady", ~faint), ("faint", faint), ("all", faint | ~faint)):
            if not inside.any():
                continue
            for period, growth in self._growth.items():
                what = "accelerating" if period == "acceleration" else f"rising, {period}"
                share = 100.0 * (growth[..., inside] > 0).mean(axis=2)
                parts[f"{what}, per cent of municipalities", label] = (int(inside.sum()), share)
        for one in income:
            at = np.array([str(q).startswith(str(one.year)) for q in self.data.coords["quarter"]])
            people = np.exp(self.data.log_population[:, at]).mean(axis=1)
            known = np.isfinite(one.mxn_month) & np.isfinite(self._received(one.year)[0])
            share = self._share(one, one.sd, seed)[..., known] / 100.0
            earned = people[known] * np.exp(one.log_quarter[known])
            rng = np.random.default_rng([seed, one.year])
            off = one.sd * rng.standard_normal(self.draws.trend.shape[:3])
            whole = earned * np.exp(-off[..., known])
            ratio = 100.0 * (share * whole).sum(axis=2) / whole.sum(axis=2)
            parts[f"remittances over income of households, {one.year}, per cent", "all"] = (
                int(known.sum()),
                ratio,
            )
            for x in THRESHOLDS:
                above = 100.0 * (100.0 * share > x).mean(axis=2)
                title = f"above {x:g}% of income, {one.year}, per cent of municipalities"
                parts[title, "all"] = (int(known.sum()), above)
        rows = []
        for (what, label), (count, value) in parts.items():
            if np.ptp(value) > 0:
                self.judged[f"nation[{what}, {label}]"] = xr.DataArray(value, dims=("chain", "draw"))
            numbers = {k: float(v) for k, v in estimate(value.ravel()).items()}
            rows.append({"quantity": what, "municipalities": count, "of": label, **numbers})
        return pd.DataFrame(rows)

    def concentration(self, seed: int) -> pd.DataFrame:
        """Return the share of money of the municipalities with most."""
        chains, length = self.draws.trend.shape[:2]
        keys, value = concentration(self.data, chains, length, np.random.default_rng([seed, 7]))
        if not keys:
            return empty("concentration")
        labels = [f"{key['year']}, {key['top']}" for key in keys]
        moves = np.ptp(value, axis=(0, 1)) > 0
        if moves.any():
            self.judged["concentration"] = xr.DataArray(
                value[..., moves],
                dims=("chain", "draw", "row"),
                coords={"row": [label for label, kept in zip(labels, moves, strict=True) if kept]},
            )
        numbers = estimate(value.reshape(-1, len(keys)))
        return pd.DataFrame(keys).assign(**numbers)


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
    money = np.nan_to_num(data.dollars) * np.exp(data.log_value)
    people = np.exp(data.log_population)
    places = [("nation", "00", "Mexico", draws.nation_trend, draws.nation_ahead, slice(None))]
    if len(states) > 1:
        places += [
            (
                "state",
                code,
                names.get(code, code),
                draws.state_trend[:, :, s],
                draws.state_ahead[:, :, s],
                data.state_of == s,
            )
            for s, code in enumerate(states)
        ]
    rows, growth_rows, judged = [], [], {}
    for s, (level, code, name, trend, ahead, inside) in enumerate(places):
        unknown = data.unidentified.sum(axis=0) if s == 0 else data.unidentified[s - 1]
        observed = money[inside].sum(axis=0) + unknown * np.exp(data.log_value)
        observed = observed / people[inside].sum(axis=0)
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


def _named(fit: xr.DataTree) -> xr.DataTree:
    """Return the fit with each parameter a variable of its own, as `parameter_table` wants."""
    flat: dict[str, Any] = {}
    for name, array in fit["posterior"].data_vars.items():
        if array.ndim == 2:
            flat[str(name)] = array
            continue
        dim = array.dims[2]
        for label in array[dim].to_numpy():
            flat[f"{name}[{label}]"] = array.sel({dim: label}, drop=True)
    return xr.DataTree.from_dict({"posterior": xr.Dataset(flat)})


def _descriptions(data: DependenceData) -> dict[str, str]:
    found = dict(DESCRIPTIONS)
    words = {
        "noise_sd": "what a quarter alone has",
        "walk_sd": "a year's step of a municipality's random walk",
        "season_sd": "departure from the nation's season",
    }
    for kind in data.coords["kind"]:
        found |= {f"{name}[{kind}]": f"{text}, {kind}" for name, text in words.items()}
    for number, label in enumerate(("second reporting", "third reporting")):
        found[f"step_ratio[{label}]"] = (
            f"step at break {number + 1} over the noise of a quarter, steady municipalities"
        )
    return found
