"""Transition: whether net migration turned, when, whether dependence deepens, how income moved.

The fit holds the parameters only. Paths are drawn here exactly, one for each of the fit's draws and
each country, from a stream of the fit's own seed. The gate judges every reported quantity: paths,
levels, changes, parameters, and of turns the margins and dates (`transition_rules`), of which their
probabilities and counts are made.

The logarithms of remittances and income hardly pass: the model takes them for exact, and its
intervals would be those of figures without an error. Changes therefore have an error of the source
added, `SOURCE_ERROR`: two vintages of the World Bank differ in the change of remittances over
product, 2001-05 to 2015-19, by a standard deviation of 0.085 over 102 countries; Maddison and the
Penn World Table in that of relative income, 1990-94 to 2001-05, by 0.19 (148 countries, from the
median deviation), of which each is given its half of the variance. It was added after a first fit
and makes what is said less sure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.errors import RemitstatsError
from remitstats.estimands.summary import estimate, run_summary
from remitstats.estimands.transition_predictive import predictive
from remitstats.estimands.transition_results import TransitionResults
from remitstats.estimands.transition_rules import (
    DEEPER,
    RULES,
    SENDING,
    WIDER,
    margin,
    reversal,
)
from remitstats.fitting.convergence import convergence_of
from remitstats.fitting.gate import judge
from remitstats.fitting.run_tree import seed_of
from remitstats.models.transition_data import (
    COUNTRIES,
    PATHS,
    SERIES,
    TransitionData,
    prepare_data,
)
from remitstats.panel.panel import Panel
from remitstats.parts.local_level import PARAMETERS, Series
from remitstats.parts.local_level_draws import LevelDraws, draw_levels

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

BY = (2005, 2023)
"""Years from which a turn is looked for: that of the paper's data, and the last of the series."""
WINDOWS = {"1960-74": (1960, 1974), "2001-05": (2001, 2005), "2019-23": (2019, 2023)}
SPANS = ("1980-84", "1990-94", "2001-05", "2015-19", "2018-22", "2020-24")
PERIODS: dict[str, tuple[str, ...]] = {
    "wdi_2022": ("1980-84 to 2015-19", "1990-94 to 2001-05", "2001-05 to 2015-19"),
    "wdi_2025": ("2001-05 to 2015-19", "2001-05 to 2020-24"),
    "income": ("1980-84 to 2001-05", "2001-05 to 2018-22"),
}
SOURCE_ERROR = {"wdi_2022": 0.10, "wdi_2025": 0.10, "income": 0.14}
"""Standard deviation of the error of a change, as a logarithm."""
READINGS = ("moves", "reporting")
RARE = 0.05  # below this probability of a turn there is no date to speak of
STREAM = 11  # of the fit's seed: the draws of what was summed out
DESCRIPTIONS = {
    "log_scale": "logarithm of the typical lasting change in a year",
    "log_noise": "logarithm of what passes, in lasting changes of a year",
    "log_spread": "logarithm of nu: the smaller, the more the scales of countries differ",
    "logit_event": "logit of the probability of an event",
    "log_size": "logarithm of the size of events, in lasting changes of a year",
}
PATH_OF = {country: path for path, countries in PATHS.items() for country in countries}


@dataclass(frozen=True)
class Drawn:
    """Draws of the paths.

    Parameters
    ----------
    shape : (int, int)
        Chains and draws of the fit.
    levels : dict of str to dict of str to LevelDraws
        By series and country of the paths.
    errors : dict of str to array, shape (country, period, draw)
        By series, errors of the source in changes.
    turned : dict of (str, int) to array, shape (draw,)
        Per cent of the background's senders that had turned, by rule and year.
    senders : array, shape (draw,)
        How many countries of the background lost people.
    """

    shape: tuple[int, int]
    levels: dict[str, dict[str, LevelDraws]]
    errors: dict[str, Array]
    turned: dict[tuple[str, int], Array]
    senders: Array


def draw_paths(
    fit: xr.DataTree, data: TransitionData, units: dict[str, dict[str, Series]], tell: Progress
) -> Drawn:
    """Draw the paths of the nine countries, and what the background did."""
    posterior = fit["posterior"]
    values = np.stack(
        [posterior[n].transpose("chain", "draw", "series").to_numpy() for n in PARAMETERS], axis=-1
    ).astype(float)
    chains, draws = values.shape[:2]
    flat = values.reshape(chains * draws, len(SERIES), len(PARAMETERS))
    seed = seed_of(fit)
    levels: dict[str, dict[str, LevelDraws]] = {name: {} for name in SERIES}
    turned = {(rule, by): np.zeros(len(flat)) for rule in RULES for by in BY}
    senders = np.zeros(len(flat))
    for s, name in enumerate(SERIES):
        # only of net migration do the others tell something that is reported
        wanted = [c for c in units[name] if c in COUNTRIES or name == "migration"]
        for i, country in enumerate(wanted):
            place = list(data.coords["country"]).index(country)
            stream = np.random.SeedSequence(seed, spawn_key=(STREAM, s, place))
            drawn = draw_levels(units[name][country], flat[:, s], np.random.default_rng(stream))
            if country in COUNTRIES:
                levels[name][country] = drawn
            else:
                senders += _mean(drawn.path, data.years, SENDING) < 0
                for rule, by in turned:
                    turned[rule, by] += np.isfinite(reversal(drawn.path, data.years, rule, by))
            if i % 10 == 0:
                tell("drawing what was summed out", (s + i / len(wanted)) / len(SERIES))
    shares = {key: 100.0 * count / np.maximum(senders, 1) for key, count in turned.items()}
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM,)))
    errors = {
        name: sd * rng.standard_normal((len(COUNTRIES), len(PERIODS[name]), len(flat)))
        for name, sd in SOURCE_ERROR.items()
    }
    return Drawn((chains, draws), levels, errors, shares, senders)


class Ledger:
    """Rows of tables, and the draws behind them for the gate."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.judged: dict[str, xr.DataArray] = {}

    def add(self, table: str, keys: dict[str, Any], draws: Array, **more: float) -> None:
        """Add an estimate with its keys and probabilities."""
        found = {key: float(value) for key, value in estimate(draws).items()}
        self.rows.setdefault(table, []).append({**keys, **found, **more})
        self.judge(table, keys, draws)

    def judge(self, table: str, keys: dict[str, Any], draws: Array) -> None:
        """Have the gate look at draws; what never varies has no convergence to look at."""
        if np.ptp(draws) > 0:
            name = f"{table}[{', '.join(str(value) for value in keys.values())}]"
            self.judged[name] = xr.DataArray(draws.reshape(self.shape), dims=("chain", "draw"))


def summarise_transition(
    fit: xr.DataTree,
    panel: Panel,
    *,
    command: str = "remitstats.summarise_transition(fit, panel)",
    progress: Progress | None = None,
) -> TransitionResults:
    """Turn a fit of the transition model into tables, judged by the gate.

    Parameters
    ----------
    fit : DataTree
        What `remitstats.fit` returned.
    panel : Panel
        The panel it was fitted to.
    command : str
        What to run to get this again.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Raises
    ------
    RemitstatsError
        If the panel is another one.
    """
    tell = progress or (lambda _description, _fraction: None)
    start = time.perf_counter()
    if fit["provenance"].attrs["panel_hash"] != panel.hash:
        raise RemitstatsError("The fit is of another panel: pass the one it was fitted to.")
    data = prepare_data(panel)
    units = {name: data.series(name) for name in SERIES}
    drawn = draw_paths(fit, data, units, lambda what, share: tell(what, 0.5 * share))
    ledger = Ledger(drawn.shape)
    _paths(ledger, data, drawn)
    _reversals(ledger, data, drawn)
    _levels(ledger, data, drawn)
    _changes(ledger, data, drawn)
    for (rule, by), share in drawn.turned.items():
        keys = {"rule": rule, "by": by, "senders_mean": float(drawn.senders.mean())}
        ledger.add("background", keys, share)
    free = {str(name): array for name, array in fit["posterior"].data_vars.items()}
    table = convergence_of(
        free | ledger.judged, lambda share: tell("convergence", 0.5 + 0.4 * share)
    )
    counts = {
        "countries": {name: len(found) for name, found in units.items()},
        "years": [int(data.years[0]), int(data.years[-1])],
    }
    summary = run_summary(
        fit, judge(fit, table), counts, command=command, seconds=time.perf_counter() - start
    )
    frames = {name: pd.DataFrame(rows) for name, rows in ledger.rows.items()}
    results = TransitionResults(
        **frames,
        predictive=predictive(fit, units),
        parameter=_parameters(fit, table),
        summary=summary,
    )
    tell("done", 1.0)
    return results


def in_units(series: str, path: Array) -> Array:
    """Return a path as it is reported: per thousand, or per cent."""
    if series == "migration":
        return path
    return np.asarray((100.0 if series == "income" else 1.0) * np.exp(path))


def ends(window: str) -> tuple[int, int]:
    """Return first and last year of a window such as 2001-05."""
    first = int(window[:4])
    last = first // 100 * 100 + int(window[5:])
    return first, last


def _mean(path: Array, years: NDArray[np.int64], window: tuple[int, int]) -> Array:
    inside = (years >= window[0]) & (years <= window[1])
    return np.asarray(path[..., inside].mean(axis=-1))


def _paths(ledger: Ledger, data: TransitionData, drawn: Drawn) -> None:
    for series, found in drawn.levels.items():
        for country, levels in found.items():
            values = data.of(series, country)
            known = np.flatnonzero(np.isfinite(values))
            for t in range(known[0], known[-1] + 1):
                keys = {
                    "series": series,
                    "path": PATH_OF[country],
                    "country": country,
                    "year": int(data.years[t]),
                }
                observed = float(in_units(series, values[t]))
                ledger.add(
                    "country_path",
                    {**keys, "observed": observed},
                    in_units(series, levels.path[:, t]),
                )


def _reversals(ledger: Ledger, data: TransitionData, drawn: Drawn) -> None:
    found = drawn.levels["migration"]
    for rule in RULES:
        for by in BY:
            dates = {c: reversal(d.path, data.years, rule, by) for c, d in found.items()}
            for country, date in dates.items():
                keys = {"path": PATH_OF[country], "country": country, "rule": rule, "by": by}
                turned = np.isfinite(date)
                ledger.judge("margin", keys, margin(found[country].path, data.years, rule, by))
                if turned.mean() >= RARE:
                    ledger.judge("reversal", keys, np.where(turned, date, by + 1.0))
                low, middle, high = (
                    np.quantile(date[turned], (0.05, 0.5, 0.95))
                    if turned.mean() >= RARE
                    else (np.nan,) * 3
                )
                ledger.rows.setdefault("reversal", []).append(
                    {
                        **keys,
                        "p_reversed": float(turned.mean()),
                        "year_median": float(middle),
                        "year_eti90_lower": float(low),
                        "year_eti90_upper": float(high),
                    }
                )
            for path, countries in PATHS.items():
                count = np.sum([np.isfinite(dates[c]) for c in countries], axis=0).astype(float)
                group = {"path": path, "countries": len(countries), "rule": rule, "by": by}
                low, high = np.quantile(count, (0.05, 0.95))
                ledger.rows.setdefault("path_reversal", []).append(
                    {
                        **group,
                        "p_all": float((count == len(countries)).mean()),
                        "p_none": float((count == 0).mean()),
                        "reversed_mean": float(count.mean()),
                        "reversed_eti90_lower": float(low),
                        "reversed_eti90_upper": float(high),
                    }
                )


def _levels(ledger: Ledger, data: TransitionData, drawn: Drawn) -> None:
    found = drawn.levels["migration"]
    for window, span in WINDOWS.items():
        means = {c: _mean(d.path, data.years, span) for c, d in found.items()}
        for country, mean in means.items():
            keys = {"path": PATH_OF[country], "country": country, "window": window}
            ledger.add("level", keys, mean, p_below_zero=float((mean < 0).mean()))
        for path, countries in PATHS.items():
            together = np.stack([means[c] for c in countries])
            group = {"path": path, "countries": len(countries), "window": window}
            chance = float((together < 0).all(axis=0).mean())
            ledger.add("path_level", group, together.mean(axis=0), p_all_below_zero=chance)


def _changes(ledger: Ledger, data: TransitionData, drawn: Drawn) -> None:
    for series, periods in PERIODS.items():
        up, down = (DEEPER, DEEPER) if series.startswith("wdi") else (WIDER, WIDER)
        for number, period in enumerate(periods):
            before, after = period.split(" to ")
            for reading in READINGS if series.startswith("wdi") else READINGS[:1]:
                common = {
                    "series": series,
                    "period": period,
                    "reading": reading,
                    "from_window": before,
                    "to_window": after,
                }
                found = {}
                for country, levels in drawn.levels[series].items():
                    if not _covers(data, series, country, before, after):
                        continue
                    path = levels.path if reading == "moves" else levels.without_jump()
                    first, last = (_mean(path, data.years, ends(w)) for w in (before, after))
                    error = drawn.errors[series][COUNTRIES.index(country), number]
                    found[country] = np.expm1(last - first + error)
                    keys = {**common, "path": PATH_OF[country], "country": country}
                    ledger.add(
                        "change",
                        keys,
                        100.0 * found[country],
                        p_rose=float((found[country] > up).mean()),
                        p_fell=float((found[country] < -down).mean()),
                        p_above_zero=float((found[country] > 0).mean()),
                    )
                for path_name, countries in PATHS.items():
                    there = [found[c] for c in countries if c in found]
                    if not there:
                        continue
                    both = np.stack(there)
                    whole = len(there) == len(countries)  # of a part nothing is said of all
                    ledger.add(
                        "path_change",
                        {**common, "path": path_name, "countries": len(there)},
                        100.0 * both.mean(axis=0),
                        p_all_rose=_chance((both > up).all(axis=0), whole),
                        p_none_rose=_chance((both <= up).all(axis=0), whole),
                        p_all_fell=_chance((both < -down).all(axis=0), whole),
                    )


def _chance(happened: NDArray[np.bool_], whole: bool) -> float:
    return float(happened.mean()) if whole else float("nan")


def _covers(data: TransitionData, series: str, country: str, before: str, after: str) -> bool:
    """Whether both windows lie inside the years with figures."""
    years = data.years[data.known(series, country)]
    return bool(years[0] <= ends(before)[0] and ends(after)[1] <= years[-1])


def _parameters(fit: xr.DataTree, table: pd.DataFrame) -> pd.DataFrame:
    columns = ["r_hat", "ess_bulk", "ess_tail"]
    known: dict[Any, dict[Any, Any]] = table.set_index("quantity")[columns].to_dict("index")
    rows = []
    for series in SERIES:
        for name in PARAMETERS:
            draws = fit["posterior"][name].sel(series=series).to_numpy().ravel()
            found = {key: float(value) for key, value in estimate(draws).items()}
            keys = {"series": series, "name": name, "description": DESCRIPTIONS[name]}
            rows.append({**keys, **found, **known[f"{name}[{series}]"]})
    return pd.DataFrame(rows)
