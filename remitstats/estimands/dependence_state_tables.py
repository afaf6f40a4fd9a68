"""Tables of the state model of dependence, made from draws of its paths."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from remitstats.estimands.dependence_state_paths import Paths
from remitstats.estimands.summary import estimate
from remitstats.models.dependence_state_data import StateData

Array = NDArray[np.float64]

NATION = ("nation", "00", "All states")
MARKS = (2008, 2013, 2019)  # between the ends of the data: crisis, new reporting, pandemic
TOPS = (5, 10)
TYPICAL = ("nation", "typical", "Typical state")


@dataclass(frozen=True)
class Period:
    """Two years by their positions; `predicted` if the last one has no product yet."""

    first: int
    last: int
    predicted: bool


@dataclass
class Judged:
    """What is reported, as draws for the gate: each (chain, draw, *dims)."""

    chains: int
    arrays: dict[str, xr.DataArray] = field(default_factory=dict)

    def add(self, name: str, draws: NDArray[Any], **coords: Any) -> None:
        """Add draws of shape (chain x draw, *coords)."""
        shaped = draws.reshape(self.chains, -1, *draws.shape[1:])
        known = {k: np.asarray(v) for k, v in coords.items()}
        self.arrays[name] = xr.DataArray(shaped, dims=("chain", "draw", *known), coords=known)


@dataclass(frozen=True, eq=False)
class Money:
    """Ratios and trends of states and nation, as draws.

    Parameters
    ----------
    data : StateData
        What is known.
    paths : Paths
        What is not.
    names : mapping of str to str
        Names of the states.
    """

    data: StateData
    paths: Paths
    names: Mapping[str, str]

    @property
    def known(self) -> int:
        """Number of years with product."""
        return int(self.data.product.shape[1])

    @cached_property
    def product(self) -> Array:
        """Known and predicted product, shape (draw, state, year)."""
        count = len(self.paths.product)
        known = np.broadcast_to(self.data.product, (count, *self.data.product.shape))
        return np.concatenate([known, self.paths.product], axis=2)

    @cached_property
    def trend_money(self) -> Array:
        """Millions of pesos that the trend makes of product, shape (draw, state, year)."""
        return np.asarray(np.exp(self.paths.trend) / 100.0 * self.product)

    @cached_property
    def nation(self) -> Array:
        """National ratio in per cent, shape (draw, year)."""
        return 100.0 * self.data.pesos.sum(axis=0) / self.product.sum(axis=1)

    @cached_property
    def nation_trend(self) -> Array:
        """Mean of the states' trends weighted by product, per cent, shape (draw, year)."""
        return np.asarray(100.0 * self.trend_money.sum(axis=1) / self.product.sum(axis=1))

    @cached_property
    def observed_nation(self) -> Array:
        """Known national ratio, nan in later years."""
        known = self.data.pesos[:, : self.known].sum(axis=0) / self.data.product.sum(axis=0)
        return np.append(100.0 * known, np.full(len(self.data.years) - self.known, np.nan))

    @cached_property
    def observed(self) -> Array:
        """Known ratios of the states, nan in later years."""
        later = np.full((len(self.names), len(self.data.years) - self.known), np.nan)
        return np.concatenate([self.data.percent, later], axis=1)

    def periods(self) -> list[Period]:
        """Return the periods reported: between marks, and the whole; then those to the last year.

        The last ones end in a predicted year.
        """
        years = [int(y) for y in self.data.years]
        end = years[self.known - 1]
        marks = [years[0], *(m for m in MARKS if years[0] < m < end), end]
        pairs = list(itertools.pairwise(marks))
        if len(pairs) > 1:
            pairs.append((years[0], end))
        found = [Period(years.index(a), years.index(b), False) for a, b in pairs]
        if len(years) > self.known:
            last = len(years) - 1
            found += [Period(years.index(a), last, True) for a in dict.fromkeys(
                (marks[-2], years[0]))]  # fmt: skip
        return found


def _rows(keys: Sequence[Mapping[str, Any]], draws: Array, **more: Any) -> list[dict[str, Any]]:
    """Return one row a key: the key, the estimate of its draws (draw, key), and what else."""
    found = estimate(draws)
    return [
        {
            **key,
            **{name: value[i] for name, value in more.items()},
            **{name: float(value[i]) for name, value in found.items()},
        }
        for i, key in enumerate(keys)
    ]


def _places(money: Money) -> list[dict[str, str]]:
    return [
        {"level": "state", "code": str(code), "name": money.names.get(str(code), str(code))}
        for code in money.data.coords["state"]
    ]


def _nation() -> dict[str, str]:
    return dict(zip(("level", "code", "name"), NATION, strict=True))


def level_table(money: Money, judged: Judged) -> pd.DataFrame:
    """Return the trend in every year and the predicted ratios (see `DependenceStateResults`)."""
    years, known = money.data.years, money.known
    states = _places(money)
    blocks = [
        ([_nation()], money.nation_trend[:, None], money.observed_nation[None], "trend", 0),
        (states, np.exp(money.paths.trend), money.observed, "trend", 0),
    ]
    if len(years) > known:
        blocks += [
            ([_nation()], money.nation[:, None], money.observed_nation[None], "ratio", known),
            (states, np.exp(money.paths.log_ratio), money.observed, "ratio", known),
        ]
    rows: list[dict[str, Any]] = []
    for places, draws, observed, quantity, first in blocks:
        judged.add(
            f"{quantity} of {places[0]['level']}",
            draws[:, :, first:],
            place=[p["code"] for p in places],
            year=years[first:],
        )
        for i, place in enumerate(places):
            keys = [{**place, "year": int(y), "quantity": quantity} for y in years[first:]]
            rows += _rows(
                keys,
                draws[:, i, first:],
                observed=observed[i, first:],
                predicted=[t >= known for t in range(first, len(years))],
            )
    return pd.DataFrame(rows)


def change_table(money: Money, judged: Judged) -> pd.DataFrame:
    """Return changes of the trend by period, per cent of the ratio a year."""
    rows: list[dict[str, Any]] = []
    places = [_nation(), *_places(money)]
    log_trend = np.concatenate([np.log(money.nation_trend)[:, None], money.paths.trend], axis=1)
    observed = np.log(np.concatenate([money.observed_nation[None], money.observed]))
    years = money.data.years
    for period in money.periods():
        moved = log_trend[:, :, period.last] - log_trend[:, :, period.first]
        length = int(years[period.last] - years[period.first])
        of_states, of_nation = money.paths.period_sd(period.first, period.last)
        chance = np.concatenate([of_nation[:, None], of_states], axis=1)
        yearly = 100.0 * np.expm1(moved / length)
        seen = 100.0 * np.expm1((observed[:, period.last] - observed[:, period.first]) / length)
        label = f"{years[period.first]}-{years[period.last]}"
        judged.add(f"change {label}", yearly, place=[p["code"] for p in places])
        head = {
            "from_year": int(years[period.first]),
            "to_year": int(years[period.last]),
            "predicted": period.predicted,
        }
        rows += _rows(
            [{**place, **head} for place in places],
            yearly,
            observed=seen,
            p_rising=(moved > 0).mean(axis=0),
            p_tendency=stats.norm.cdf(moved / chance).mean(axis=0),
        )
    return pd.DataFrame(rows)


def tendency_table(money: Money, judged: Judged) -> pd.DataFrame:
    """Return the mean yearly growth behind the whole path, per cent of the ratio."""
    typical = dict(zip(("level", "code", "name"), TYPICAL, strict=True))
    draws = np.column_stack([money.paths.national_tendency, money.paths.tendency])
    yearly = 100.0 * np.expm1(draws)
    places = [typical, *_places(money)]
    judged.add("tendency", yearly, place=[p["code"] for p in places])
    return pd.DataFrame(_rows(places, yearly, p_rising=(draws > 0).mean(axis=0)))


def rank_tables(money: Money, judged: Judged) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ranks of the trend by year, and their changes by period."""
    years, states = money.data.years, _places(money)
    rank = stats.rankdata(-money.paths.trend, axis=1, method="ordinal").astype(np.int64)
    seen = stats.rankdata(-money.observed, axis=0, nan_policy="omit")
    seen[:, money.known :] = np.nan
    judged.add("rank", rank, place=[s["code"] for s in states], year=years)
    rows: list[dict[str, Any]] = []
    for t, year in enumerate(years):
        rows += _rows(
            [{"code": s["code"], "name": s["name"], "year": int(year)} for s in states],
            rank[:, :, t],
            observed=seen[:, t],
            predicted=[t >= money.known] * len(states),
            p_first=(rank[:, :, t] == 1).mean(axis=0),
        )
    changes: list[dict[str, Any]] = []
    for period in money.periods():
        up = rank[:, :, period.first] - rank[:, :, period.last]
        label = f"{years[period.first]}-{years[period.last]}"
        judged.add(f"rank change {label}", up, place=[s["code"] for s in states])
        head = {
            "from_year": int(years[period.first]),
            "to_year": int(years[period.last]),
            "predicted": period.predicted,
        }
        changes += _rows(
            [{"code": s["code"], "name": s["name"], **head} for s in states],
            up,
            observed=seen[:, period.first] - seen[:, period.last],
            p_up=(up > 0).mean(axis=0),
        )
    return pd.DataFrame(rows), pd.DataFrame(changes)


def concentration(money: Array) -> dict[str, Array]:
    """Return measures of how concentrated money is on states.

    Parameters
    ----------
    money : array, shape (..., state, year)
        Amounts.

    Returns
    -------
    dict of str to array, shape (..., year)
        ``top5_share`` and ``top10_share`` (per cent; where there are so many states) and
        ``effective_states``, the number of equal states that would be as concentrated
        (1 / sum of squared shares).
    """
    share = money / money.sum(axis=-2, keepdims=True)
    ordered = -np.sort(-share, axis=-2)
    found = {
        f"top{top}_share": 100.0 * ordered[..., :top, :].sum(axis=-2)
        for top in TOPS
        if top < share.shape[-2]
    }
    return {**found, "effective_states": 1.0 / np.sum(share**2, axis=-2)}


def concentration_tables(money: Money, judged: Judged) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the concentration of remittances by year, and its changes by period.

    Remittances are known in every year, also in those without product.
    """
    years, rows, changes = money.data.years, [], []
    seen, drawn = concentration(money.data.pesos), concentration(money.trend_money)
    for quantity, draws in drawn.items():
        judged.add(quantity, draws, year=years)
        rows += _rows(
            [{"year": int(y), "quantity": quantity} for y in years],
            draws,
            observed=seen[quantity],
            predicted=[False] * len(years),
        )
        for period in money.periods():
            moved = draws[:, period.last] - draws[:, period.first]
            head = {
                "from_year": int(years[period.first]),
                "to_year": int(years[period.last]),
                "predicted": False,
                "quantity": quantity,
            }
            change = seen[quantity][period.last] - seen[quantity][period.first]
            changes += _rows(
                [head],
                moved[:, None],
                observed=[float(change)],
                p_rising=[float((moved > 0).mean())],
            )
    return pd.DataFrame(rows), pd.DataFrame(changes)


def decomposition_table(money: Money) -> pd.DataFrame:
    """Return what moved the known ratios: dollars, exchange rate, product; log per cent a year.

    Pesos over dollars of a year is the exchange rate at which a state's dollars came in.
    """
    data, rows = money.data, []
    nation = [np.sum(a, axis=0, keepdims=True) for a in (data.dollars, data.pesos, data.product)]
    for places, (dollars, pesos, product) in (
        ([_nation()], nation),
        (_places(money), (data.dollars, data.pesos, data.product)),
    ):
        for period in money.periods():
            if period.predicted:
                continue
            a, b = period.first, period.last
            length = int(data.years[b] - data.years[a])

            def growth(amount: Array, a: int = a, b: int = b, length: int = length) -> Array:
                return np.asarray(100.0 * np.log(amount[:, b] / amount[:, a]) / length)

            ratio = growth(pesos[:, : money.known] / product)
            parts = (growth(dollars), growth(pesos / dollars), growth(product))
            rows += [
                {
                    **place,
                    "from_year": int(data.years[a]),
                    "to_year": int(data.years[b]),
                    "ratio": float(ratio[i]),
                    **{n: float(v[i]) for n, v in zip(
                        ("dollars", "exchange", "product"), parts, strict=True)},
                }
                for i, place in enumerate(places)
            ]  # fmt: skip
    return pd.DataFrame(rows)
