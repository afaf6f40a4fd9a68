"""Populations to come, and how a forecast made ten years earlier would have done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.estimands.depopulation_draws import DepopulationDraws, Judged, Single
from remitstats.estimands.summary import estimate
from remitstats.models.depopulation_census import Censuses, reference_date

Array = NDArray[np.float64]

STEPS = (5.0, 5.0)  # years of the intervals to come
LEVELS = (50, 80, 95)  # per cent, of the intervals whose coverage is counted
BINS = 10


@dataclass(frozen=True)
class Outlook:
    """Draws of what is to come.

    Parameters
    ----------
    year : tuple of int
        Years reached.
    growth, underlying : array, shape (sample, interval, municipality)
        In % a year.
    population : array, shape (sample, interval, municipality)
        Persons at the end of each interval.
    """

    year: tuple[int, ...]
    growth: Single
    underlying: Single
    population: Single


def outlook(draws: DepopulationDraws, seed: int) -> Outlook:
    """Draw populations five and ten years after the last census."""
    rng = np.random.default_rng((seed, 30))
    underlying, growth = draws.future(rng, STEPS)
    last = draws.data.censuses.population[-1].astype(np.float32)
    length = np.array(STEPS, dtype=np.float32)[None, :, None]
    population = last * np.exp(np.cumsum(growth * length, axis=1) / 100.0)
    year = int(draws.data.censuses.year[-1])
    years = tuple(int(year + reached) for reached in np.cumsum(STEPS))
    return Outlook(years, growth, underlying, population)


def outlook_table(
    draws: DepopulationDraws, found: Outlook, names: pd.DataFrame
) -> tuple[pd.DataFrame, Judged]:
    """Return a row a municipality and year: population and how probably it has lost people.

    Returns
    -------
    table : DataFrame
        `cvegeo, name, state, year, last`, the estimate of the population, `eti50_lower`,
        `eti50_upper`, `p_decline` (population below the last census) and `p_underlying_decline`
        (mean underlying rate below 0).
    judged : dict of str to array
        Draws of growth since the last census, shape (sample, interval, municipality).
    """
    data = draws.data
    last = data.censuses.population[-1]
    length = np.array(STEPS)
    tables = []
    for k, year in enumerate(found.year):
        population = found.population[:, k]
        mean = np.tensordot(found.underlying[:, : k + 1], length[: k + 1], axes=(1, 0))
        low, high = np.quantile(population, (0.25, 0.75), axis=0)
        tables.append(
            names.assign(
                year=year,
                last=last,
                **estimate(population),
                eti50_lower=low,
                eti50_upper=high,
                p_decline=(population < last).mean(axis=0),
                p_underlying_decline=(mean < 0).mean(axis=0),
            )
        )
    change = np.log(found.population / last.astype(np.float32))
    return pd.concat(tables, ignore_index=True), {"growth to come": change}


def future_table(
    draws: DepopulationDraws, found: Outlook, states: pd.DataFrame
) -> tuple[pd.DataFrame, Judged]:
    """Return how many municipalities are to lose people and how many persons there are to be.

    Returns
    -------
    table : DataFrame
        `level, code, name, year, quantity`, the estimate; quantities are `population`, `losing`
        and `losing_percent` (municipalities below their population at the last census) and
        `underlying_losing`, `underlying_losing_percent` (mean underlying rate below 0).
    judged : dict of str to array
        Draws of each.
    """
    data = draws.data
    last = data.censuses.population[-1].astype(np.float32)
    length = np.array(STEPS, dtype=np.float32)
    groups = [("nation", "00", "Mexico", np.ones(len(last), dtype=bool))]
    groups += [
        ("state", code, name, data.state_of == number)
        for number, (code, name) in enumerate(
            zip(states["state"].astype(str), states["name"].astype(str), strict=True)
        )
    ]
    rows: list[dict[str, Any]] = []
    judged: Judged = {}
    for k, year in enumerate(found.year):
        below = found.population[:, k] < last
        mean = np.tensordot(found.underlying[:, : k + 1], length[: k + 1], axes=(1, 0)) < 0
        for level, code, name, members in groups:
            count = int(members.sum())
            quantities = {
                "population": found.population[:, k, members].sum(axis=1, dtype=float),
                "losing": below[:, members].sum(axis=1),
                "underlying_losing": mean[:, members].sum(axis=1),
            }
            for quantity in ("losing", "underlying_losing"):
                quantities[f"{quantity}_percent"] = 100.0 * quantities[quantity] / count
            for quantity, values in quantities.items():
                key = {"level": level, "code": code, "name": name, "year": year}
                rows.append({**key, "quantity": quantity, **_numbers(values)})
                if not quantity.endswith("_percent"):  # whole numbers tell of those
                    judged[f"{quantity}, {level} {code}, {year}"] = values
    return pd.DataFrame(rows), judged


def _numbers(values: NDArray[Any]) -> dict[str, float]:
    return {name: float(value) for name, value in estimate(values).items()}


@dataclass(frozen=True)
class Hindcast:
    """How a fit to earlier censuses foretold the population of a later one.

    Parameters
    ----------
    score : DataFrame
        `forecast, quantity, level, value, expected`: coverage of central intervals and mean CRPS
        (% a year) of the model, of constant growth and of the nation's mean; mean error.
    pit : DataFrame
        `lower, upper, share`: where among its forecast the truth lay.
    municipality : DataFrame
        `cvegeo, observed`, the estimate of growth in % a year.
    """

    score: pd.DataFrame
    pit: pd.DataFrame
    municipality: pd.DataFrame


def score_hindcast(
    draws: DepopulationDraws, later: Censuses, year: int, seed: int
) -> tuple[Hindcast, Judged]:
    """Score a fit to the censuses before on the census of a later year.

    The target is growth from the fit's last census to `year`, a census ten years later; what was
    counted or surveyed in between is used neither for the forecast nor for its score.

    Parameters
    ----------
    draws : DepopulationDraws
        Of the fit to the earlier censuses.
    later : Censuses
        With the census that is foretold.
    year : int
        Its year.
    seed : int
        Of the draws of what is to come.
    """
    last = int(draws.data.censuses.year[-1])
    codes = draws.data.coords["municipality"]
    place = {code: i for i, code in enumerate(later.municipality)}
    column = np.array([place[code] for code in codes])
    rows = [int(np.flatnonzero(later.year == y)[0]) for y in (last, year)]
    start, end = later.between(*rows)
    length = reference_date(year) - reference_date(last)
    observed = (100.0 * np.log(end / start) / length)[column]
    half = length / 2.0
    rng = np.random.default_rng((seed, 40))
    _, growth = draws.future(rng, (half, half))
    foretold = growth.mean(axis=1)
    known = np.isfinite(observed)
    truth, forecast = observed[known], foretold[:, known]
    before = _constant(draws, known)
    usable = np.isfinite(before)
    score = [*_coverage(forecast, truth), *_errors("model", crps(forecast, truth), forecast, truth)]
    for name, point in (
        ("constant growth", before),
        ("nation's mean", np.full(len(truth), np.nanmean(before))),
    ):
        at = usable if name == "constant growth" else np.ones(len(truth), dtype=bool)
        score += _errors(name, np.abs(point - truth)[at], point[None, at], truth[at])
    score += _errors(
        "model, where growth before is known",
        crps(forecast[:, usable], truth[usable]),
        forecast[:, usable],
        truth[usable],
    )
    rank = (forecast < truth).mean(axis=0)
    counts, edges = np.histogram(rank, bins=BINS, range=(0.0, 1.0))
    pit = pd.DataFrame({"lower": edges[:-1], "upper": edges[1:], "share": counts / counts.sum()})
    municipality = pd.DataFrame({"cvegeo": codes, "observed": observed, **estimate(foretold)})
    return Hindcast(pd.DataFrame(score), pit, municipality), {"growth foretold": foretold}


def _constant(draws: DepopulationDraws, known: NDArray[np.bool_]) -> Array:
    """Return growth over the ten years before the fit's last census: no change foretold."""
    censuses = draws.data.censuses
    last = len(censuses.year) - 1
    first = int(np.argmin(np.abs(censuses.year - (censuses.year[-1] - 10))))
    start, end = censuses.between(first, last)
    length = censuses.date[last] - censuses.date[first]
    return np.asarray((100.0 * np.log(end / start) / length)[known])


def _coverage(forecast: Single, truth: Array) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for level in LEVELS:
        tail = 0.5 * (1.0 - level / 100.0)
        low, high = np.quantile(forecast, (tail, 1.0 - tail), axis=0)
        inside = 100.0 * float(((truth >= low) & (truth <= high)).mean())
        rows.append(_row("model", "coverage_percent", level, inside, float(level)))
        rows.append(_row("model", "median_width", level, float(np.median(high - low)), np.nan))
    return rows


def _errors(
    name: str, score: Array, forecast: NDArray[np.floating], truth: Array
) -> list[dict[str, Any]]:
    error = np.median(forecast, axis=0) - truth
    return [
        _row(name, "crps", 0, float(score.mean()), np.nan),
        _row(name, "mean_error", 0, float(error.mean()), 0.0),
        _row(name, "losing_percent", 0, 100.0 * float((forecast < 0).mean()), _losing(truth)),
        _row(name, "municipalities", 0, float(len(truth)), np.nan),
    ]


def _losing(truth: Array) -> float:
    return 100.0 * float((truth < 0).mean())


def _row(forecast: str, quantity: str, level: int, value: float, expected: float) -> dict[str, Any]:
    return {
        "forecast": forecast,
        "quantity": quantity,
        "level": level,
        "value": value,
        "expected": expected,
    }


def crps(forecast: NDArray[np.floating], truth: Array) -> Array:
    """Return the continuous ranked probability score of draws, one number a column.

    E|X - y| - E|X - X'| / 2 by the sorted draws (Gneiting and Raftery 2007, JASA 102: 359-378,
    section 4.2); for a point forecast it is the absolute error.

    Parameters
    ----------
    forecast : array, shape (sample, column)
        Draws.
    truth : array, shape (column,)
        What came.
    """
    ordered = np.sort(forecast.astype(float), axis=0)
    count = len(ordered)
    weight = (2.0 * np.arange(1, count + 1) - count - 1.0)[:, None]
    spread = (weight * ordered).sum(axis=0) / count**2
    return np.asarray(np.abs(ordered - truth).mean(axis=0) - spread)
