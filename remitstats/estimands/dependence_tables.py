"""Tables of municipalities, and the draws behind them for the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from remitstats.estimands.dependence_draws import LatentDraws
from remitstats.estimands.dependence_money import Income, IncomeError, concentration
from remitstats.estimands.dependence_results import empty
from remitstats.estimands.dependence_windows import Windows
from remitstats.estimands.summary import estimate
from remitstats.models.dependence_data import DependenceData, years_of
from remitstats.models.dependence_form import population_kernel
from remitstats.models.dependence_measures import quarter_name

Array = NDArray[np.float64]
THRESHOLDS = (5.0, 10.0, 20.0)  # per cent of income
SENSITIVITY = (0.0, 0.15, 0.3)  # of the error of income
FIRST = 100  # ranks that count as the top


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

    def _table(
        self, name: str, column: str, parts: Mapping[Any, NDArray[Any]], **more: Any
    ) -> pd.DataFrame:
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
    def _growth(self) -> dict[str, NDArray[Any]]:
        return self.windows.growth(self.draws.trend)

    def growth(self) -> pd.DataFrame:
        """Return growth of all periods."""
        return self._table("growth", "period", self._growth, p_positive=lambda x: (x > 0).mean(0))

    def rank(self) -> pd.DataFrame:
        """Return ranks of the newest level."""
        newest = self.draws.trend[..., -1]
        rank = np.argsort(np.argsort(-newest, axis=2), axis=2).astype(np.int32) + 1
        return self._table("rank", "", {"": rank}, p_first_100=lambda x: (x <= FIRST).mean(axis=0))

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
            known = np.isfinite(one.mxn_month)
            share = self._share(one, one.sd, seed) / 100.0
            earned = people[known] * np.exp(one.log_quarter[known])
            rng = np.random.default_rng([seed, one.year, 1])
            off = one.sd[known] * rng.standard_normal((*share.shape[:2], int(known.sum())))
            received = np.nan_to_num(np.exp(self._received(one.year)[0][known])) * people[known]
            ratio = 100.0 * received.sum() / (earned * np.exp(off)).sum(axis=2)
            parts[f"remittances over income of households, {one.year}, per cent", "all"] = (
                int(known.sum()),
                ratio,
            )
            inside = known & ~faint & np.isfinite(self._received(one.year)[0])
            for x in THRESHOLDS:
                above = 100.0 * (100.0 * share[..., inside] > x).mean(axis=2)
                title = f"above {x:g}% of income, {one.year}, per cent of municipalities"
                parts[title, "steady"] = (int(inside.sum()), above)
        rows = []
        for (what, label), (count, value) in parts.items():
            if np.ptp(value) > 0:
                self.judged[f"nation[{what}, {label}]"] = xr.DataArray(
                    value, dims=("chain", "draw")
                )
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
