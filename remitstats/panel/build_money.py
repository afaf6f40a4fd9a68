"""Remittances, GDP, exchange rate and prices: quarterly, yearly and monthly tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.panel.account import Account
from remitstats.panel.names import resolve_names, resolve_states
from remitstats.sources import banxico, conapo, inegi

ROUNDING_USD_MILLION = 5e-4
"""How far municipal sums may be from Banxico's state totals.

CE166 prints municipalities with six decimals and states with four: a sum of up to 571 figures may
be off by 571 x 0.0000005 + 0.00005 = 0.00034 million dollars from rounding alone.
"""


def build_money(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return the tables of money: municipal, state and national, and the names resolved.

    Raises
    ------
    PanelError
        If a name leads to no code, or municipal sums are not the state totals.
    """
    ce166 = banxico.read_municipal_quarters(raw)
    published = ce166.municipal.assign(state=resolve_states(ce166.municipal["state_name"]))
    names = resolve_names(
        published[["state", "name"]].drop_duplicates(), conapo.read_municipal_names(raw)
    )
    municipal = published.merge(
        names.rename(columns={"published_name": "name"}), on=["state", "name"], validate="m:1"
    )
    quarters = municipal[["cvegeo", "quarter", "remittances_usd_million"]]
    quarters = quarters.sort_values(["cvegeo", "quarter"], ignore_index=True)
    zeros = int((quarters["remittances_usd_million"] == 0).sum())
    how = names["how"].str.split(":").str[0].value_counts()
    account.add(
        "banxico-ce166",
        "names to codes",
        rows_in=len(names),
        rows_out=len(names),
        note=", ".join(f"{count:,} {kind}" for kind, count in how.items()),
    )
    account.add(
        "banxico-ce166",
        "municipal remittances",
        rows_in=len(ce166.municipal),
        rows_out=len(quarters),
        missing=int(quarters["remittances_usd_million"].isna().sum()),
        note=f"{zeros:,} published zeros kept: they show how payouts were reported",
    )
    states = _state_quarters(raw, ce166, account)
    _check_sums(quarters, states)
    return {
        "municipality_quarter": quarters,
        "state_quarter": states,
        "state_year": _state_years(raw, states, account),
        "national_month": _national_months(raw, account),
        "name_resolution": names[names["how"] != "exact"].reset_index(drop=True),
    }


def _state_quarters(
    raw: Path, ce166: banxico.MunicipalRemittances, account: Account
) -> pd.DataFrame:
    revised = banxico.read_state_quarters(raw)
    totals = ce166.state.assign(state=resolve_states(ce166.state["state_name"]))
    unidentified = ce166.unidentified.assign(state=resolve_states(ce166.unidentified["state_name"]))
    key = ["state", "quarter"]
    table = revised.merge(
        totals.drop(columns="state_name"), on=key, how="outer", validate="1:1"
    ).merge(unidentified.drop(columns="state_name"), on=key, how="outer", validate="1:1")
    money = unidentified["unidentified_usd_million"].sum()
    for source, step, part, column, note in (
        ("banxico-ce100", "state remittances, revised", revised, "remittances_usd_million", ""),
        ("banxico-ce166", "state totals", totals, "remittances_ce166_usd_million", ""),
        (
            "banxico-ce166",
            "unidentified money",
            unidentified,
            "unidentified_usd_million",
            f"{money:,.1f} USD million in all, kept with its state",
        ),
    ):
        missing = int(part[column].isna().sum())
        account.add(source, step, rows_in=len(part), rows_out=len(part), missing=missing, note=note)
    return table.sort_values(key, ignore_index=True)


def _check_sums(quarters: pd.DataFrame, states: pd.DataFrame) -> None:
    sums = quarters.groupby([quarters["cvegeo"].str.slice(0, 2).rename("state"), "quarter"])
    known = states.dropna(subset="unidentified_usd_million").set_index(["state", "quarter"])
    total = sums["remittances_usd_million"].sum() + known["unidentified_usd_million"]
    apart = (total - known["remittances_ce166_usd_million"]).abs()
    wrong = apart[~(apart <= ROUNDING_USD_MILLION)]  # a lost quarter is NaN and wrong, too
    if not wrong.empty:
        places = wrong.reset_index(name="apart").astype({"state": str, "quarter": str})
        raise PanelError(
            "Municipal and unidentified remittances don't add up to Banxico's state totals.",
            [
                Problem(
                    "banxico-ce166",
                    f"state={state}, quarter={quarter}",
                    "-",
                    f"{value:.6f} USD million apart",
                    f"up to {ROUNDING_USD_MILLION} from rounding",
                )
                for state, quarter, value in places.itertuples(index=False)
            ],
        )


def _state_years(raw: Path, states: pd.DataFrame, account: Account) -> pd.DataFrame:
    year = states["quarter"].str.slice(0, 4).astype(int).rename("year")
    groups = states.groupby(["state", year])["remittances_usd_million"]
    complete = groups.sum(min_count=4)[groups.count() == 4].reset_index()
    gdp = inegi.read_state_gdp(raw)
    table = complete.merge(gdp, on=["state", "year"], how="outer", validate="1:1")
    account.add(
        "banxico-ce100",
        "state remittances by year",
        rows_in=len(states),
        merged=len(states) - len(complete),
        rows_out=len(complete),
        note="four quarters a year; a year without all four is left out here",
    )
    account.add(
        "inegi-state-gdp",
        "state GDP by industry",
        rows_in=3 * len(gdp),
        rows_out=len(table),
        missing=int(table["gdp_current_mxn_million"].isna().sum()),
        note="three industries side by side; 41 other industries and the national rows set aside",
    )
    return table.sort_values(["state", "year"], ignore_index=True)


def _national_months(raw: Path, account: Account) -> pd.DataFrame:
    money = banxico.read_national_months(raw)
    rate = banxico.read_exchange_rate(raw)
    prices = inegi.read_prices(raw)
    table = money.merge(rate, on="month", how="outer", validate="1:1").merge(
        prices, on="month", how="outer", validate="1:1"
    )
    for source, step, part, column, note in (
        ("banxico-ce81", "national remittances", money, "remittances_usd_million", ""),
        ("banxico-fix", "exchange rate", rate, "mxn_per_usd", "zeros of 1991 are missing values"),
        ("inegi-inpc", "consumer prices", prices, "consumer_price_index", ""),
    ):
        account.add(
            source,
            step,
            rows_in=len(part),
            rows_out=len(part),
            missing=int(part[column].isna().sum()),
            note=note,
        )
    return table.sort_values("month", ignore_index=True)
