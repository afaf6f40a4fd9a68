"""Remittances and product of the states, in pesos, as the state model of dependence takes them.

Every step from dollars of a quarter to a ratio of a year is here:

1. dollars of a quarter times the exchange rate of that quarter (mean of its three monthly means of
   Banco de México's FIX rate) are pesos of that quarter;
2. a year's four quarters are added (a year with fewer is no year);
3. pesos of a year at current prices are divided by the state's gross domestic product of that
   year at current prices, as INEGI publishes it.

Nothing is deflated for the ratio: price changes cancel. Only the prediction of the product of a
year that has none yet looks at prices, because product in consumer prices is steadier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remitstats.errors import PanelError, Problem, unknown
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]

AGAINST = {  # what remittances are set against: column of state_year
    "product": "gdp_current_mxn_million",
    "manufacturing": "manufacturing_gdp_current_mxn_million",
    "oil": "oil_gdp_current_mxn_million",
}
CELLS = ("state", "year")
QUARTERS = 4
LEAST_YEARS, LEAST_STATES = 5, 2
NEEDED = {
    "state_quarter": ("remittances_usd_million",),
    "state_year": ("gdp_current_mxn_million",),
    "national_month": ("mxn_per_usd", "consumer_price_index"),
}


@dataclass(frozen=True, eq=False)
class StateData:
    """Money of the states by year.

    Parameters
    ----------
    coords : mapping of str to array
        `state` (codes), `region`, `year` (years with product), `later` (years with remittances
        whose product is not published yet; they follow on the others).
    dollars, pesos : array, shape (state, year and later)
        Remittances, millions of dollars and of pesos, current.
    product : array, shape (state, year)
        What remittances are set against, millions of current pesos.
    rate : array, shape (year and later,)
        Pesos per dollar, mean of the year.
    prices : array, shape (year and later,)
        Consumer prices, mean of the year.
    region_of : array of int, shape (state,)
        Position of every state's migration region.
    against : str
        A key of `AGAINST`.
    """

    coords: Mapping[str, NDArray[Any]]
    dollars: Array
    pesos: Array
    product: Array
    rate: Array
    prices: Array
    region_of: NDArray[np.int64]
    against: str = "product"

    @property
    def years(self) -> NDArray[np.int64]:
        """Years with product and the later ones, in order."""
        return np.concatenate([self.coords["year"], self.coords["later"]]).astype(np.int64)

    @property
    def percent(self) -> Array:
        """Remittances over product, per cent, shape (state, year): known, not estimated."""
        return np.asarray(100.0 * self.pesos[:, : self.product.shape[1]] / self.product)

    @property
    def log_percent(self) -> Array:
        """The model's data: logarithm of `percent`."""
        return np.log(self.percent)

    @property
    def real_growth(self) -> Array:
        """Change of log product in consumer prices, shape (state, year but the first)."""
        known = self.product.shape[1]
        return np.asarray(np.diff(np.log(self.product / self.prices[:known]), axis=1))

    def until(self, year: int) -> StateData:
        """Return what was known when the product of `year` was the last published.

        Remittances, exchange rates and prices of the year after stay: they are published first.
        """
        years = self.years
        kept, after = years <= year, (years > year) & (years <= year + 1)
        seen = kept | after
        known = self.coords["year"] <= year
        return replace(
            self,
            coords={**self.coords, "year": years[kept], "later": years[after]},
            dollars=self.dollars[:, seen],
            pesos=self.pesos[:, seen],
            product=self.product[:, known],
            rate=self.rate[seen],
            prices=self.prices[seen],
        )

    def observed_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what the likelihood sees, as variables with dims."""
        return {"log_percent": (CELLS, self.log_percent)}

    def constant_variables(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Return what else a reader of a fit needs, as variables with dims."""
        return {
            "remittances_usd_million": (("state", "money_year"), self.dollars),
            "remittances_mxn_million": (("state", "money_year"), self.pesos),
            "product_mxn_million": (CELLS, self.product),
            "mxn_per_usd": (("money_year",), self.rate),
            "consumer_prices": (("money_year",), self.prices),
            "region_of": (("state",), self.region_of),
        }


def prepare_data(panel: Panel, against: str = "product") -> StateData:
    """Return the money of the states by year.

    Parameters
    ----------
    panel : Panel
        With `state_quarter` (dollars by quarter), `state_year` (product at current prices) and
        `national_month` (exchange rate, consumer prices).
    against : str
        What remittances are set against: "product" (the state's whole gross domestic product),
        "manufacturing" or "oil" (that of an industry). States without the industry are left out.

    Raises
    ------
    PanelError
        If a table or column is missing, fewer than five years or two states are whole, or a state
        lacks a year that others have.
    """
    if against not in AGAINST:
        raise unknown("thing to set remittances against", against, AGAINST)
    column = AGAINST[against]
    problems = check(panel, against)
    if problems:
        raise PanelError("The panel can't be used for the dependence of states.", problems)
    month = by_quarter(panel.table("national_month"))
    dollars, pesos = remittances_by_year(panel.table("state_quarter"), month["mxn_per_usd"])
    table = panel.table("state_year")
    amount = pd.to_numeric(table[column]).astype(float)
    product = (
        table.assign(amount=amount, year=table["year"].astype(int))
        .pivot_table(index="state", columns="year", values="amount", dropna=False)
        .reindex(dollars.index)
    )
    if against != "product":  # a state without the industry has no ratio
        product = product[(product.fillna(0.0) > 0).sum(axis=1) == product.notna().any().sum()]
        dollars, pesos = dollars.loc[product.index], pesos.loc[product.index]
    product = product.where(product > 0)
    with_product = [int(str(y)) for y in product if product[y].notna().any() and y in dollars]
    _require_whole(product.reindex(columns=with_product), dollars)
    last = max(with_product)
    later = [year for year in map(int, map(str, dollars)) if year > last]
    years = [*with_product, *later]
    by_year = month.groupby(month.index.str[:4].astype(int)).mean()
    states = dollars.index.to_numpy(str)
    regions, region_of = _regions(panel, states)
    return StateData(
        coords={
            "state": states,
            "region": regions,
            "year": np.array(with_product),
            "later": np.array(later, dtype=np.int64),
        },
        dollars=dollars[years].to_numpy(float),
        pesos=pesos[years].to_numpy(float),
        product=product[with_product].to_numpy(float),
        rate=by_year["mxn_per_usd"].reindex(years).to_numpy(float),
        prices=by_year["consumer_price_index"].reindex(years).to_numpy(float),
        region_of=region_of,
        against=against,
    )


def _regions(panel: Panel, states: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the migration regions, and the position of each state's among them."""
    named = np.full(len(states), "all")
    if "state" in panel and "region" in panel.table("state"):
        region = panel.table("state").set_index("state")["region"].reindex(states)
        named = region.fillna("all").astype(str).to_numpy()
    regions, position = np.unique(named.astype(str), return_inverse=True)
    return regions, position.astype(np.int64)


def by_quarter(month: pd.DataFrame) -> pd.DataFrame:
    """Return the mean exchange rate and price index of every quarter with three months.

    Parameters
    ----------
    month : DataFrame
        The panel's `national_month`.

    Returns
    -------
    DataFrame
        Index `quarter` ("2020Q1"), columns `mxn_per_usd` and `consumer_price_index`; nan where a
        quarter lacks a month.
    """
    text = month["month"].astype(str)
    number = (text.str[5:7].astype(int) - 1) // 3 + 1
    quarter = (text.str[:4] + "Q" + number.astype(str)).rename("quarter")
    columns = ["mxn_per_usd", "consumer_price_index"]
    values = month[columns].astype(float)
    grouped = values.groupby(quarter)
    return grouped.mean().where(grouped.count() == 3)


def remittances_by_year(
    quarter: pd.DataFrame, rate: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return remittances of whole years in dollars and in pesos, states by years.

    Parameters
    ----------
    quarter : DataFrame
        The panel's `state_quarter`.
    rate : Series
        Pesos per dollar by quarter.

    Returns
    -------
    dollars, pesos : DataFrame
        Millions; a year of which a state lacks a quarter, or whose exchange rate is not known in
        a quarter, has no column.
    """
    dollars = pd.to_numeric(quarter["remittances_usd_million"]).astype(float)
    name = quarter["quarter"].astype(str)
    table = pd.DataFrame(
        {
            "state": quarter["state"].astype(str),
            "year": name.str[:4].astype(int),
            "dollars": dollars,
            "pesos": dollars * name.map(rate),
        }
    ).dropna()
    grouped = table.groupby(["state", "year"])
    whole = (grouped["dollars"].count().unstack() == QUARTERS).all()
    found = [grouped[c].sum().unstack().loc[:, whole[whole].index] for c in ("dollars", "pesos")]
    return found[0], found[1]


def check(panel: Panel, against: str = "product") -> list[Problem]:
    """Return why a panel can't be used for the dependence of states, as far as tables tell."""
    needed = NEEDED | {"state_year": (AGAINST[against],)}
    return [
        Problem(
            name,
            "-",
            wanted,
            "nothing",
            f"a table {name} with the column {wanted}",
            "add it: dependence of states is remittances over product, both in pesos",
        )
        for name, columns in needed.items()
        for wanted in columns
        if name not in panel
        or wanted not in panel.table(name)
        or panel.table(name)[wanted].isna().all()
    ]


def _require_whole(product: pd.DataFrame, dollars: pd.DataFrame) -> None:
    problems = [
        Problem(
            "state_year",
            f"state={state}, year={year}",
            "product",
            "nothing",
            "a positive amount: other states have one in this year",
            "fill it in, or leave the state out with panel.select",
        )
        for year in product
        for state in product.index[product[year].isna()]
    ]
    problems += [
        Problem("state_quarter", f"year={year}", "remittances_usd_million", "a gap",
                "four quarters in every state", "fill it in")
        for year in product
        if dollars[year].isna().any() or (dollars[year] <= 0).any()
    ]  # fmt: skip
    short = product.shape[1] < LEAST_YEARS or product.shape[0] < LEAST_STATES
    if short and not problems:
        problems.append(
            Problem(
                "state_year",
                "-",
                "year",
                f"{product.shape[0]} states, {product.shape[1]} years",
                f"at least {LEAST_STATES} states and {LEAST_YEARS} years with both amounts",
            )
        )
    if problems:
        raise PanelError("The panel can't be used for the dependence of states.", problems)
