"""Tables for the ledger of claims: national series by year, net migration, single figures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.panel.account import Account
from remitstats.sources import banxico, nation

MONTHS = 12


def build_nation(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``national_year``, ``country_migration`` and ``published_figure``."""
    exchange, mexico = nation.read_exchange(raw), nation.read_mexico(raw)
    money = _yearly(banxico.read_national_months(raw))
    table = exchange.merge(mexico, on="year", how="outer").merge(money, on="year", how="outer")
    table["other_exports_usd_million"] = (
        table["merchandise_exports_usd_million"] - table["oil_exports_usd_million"]
    )
    migration, figures = nation.read_net_migration(raw), nation.read_figures(raw)
    for source, step, part, column, note in (
        ("inegi-trade", "exports", exchange, "oil_exports_usd_million", "from 1991"),
        ("wdi-tourism", "tourism", exchange, "tourism_receipts_usd_million", ""),
        ("wdi-remittances-2025", "remittances over GDP", mexico, "remittances_gdp_percent", ""),
        (
            "cps-born-in-mexico",
            "born in Mexico, living in the United States",
            mexico,
            "born_in_mexico_us_residents",
            f"{nation.DOUBLED_YEAR} is doubled in the file and left out",
        ),
        ("banxico-ce81", "remittances by year", money, "remittances_usd_million", "whole years"),
        ("wpp-2024", "net migration", migration, "net_migration_thousand", "nine countries"),
    ):
        missing = int(part[column].isna().sum())
        account.add(source, step, rows_in=len(part), rows_out=len(part), missing=missing, note=note)
    for source in ("enigh-receiving", "bls-compensation"):
        wages = figures["figure"] == "manufacturing_compensation_index"
        rows = int((wages if source == "bls-compensation" else ~wages).sum())
        account.add(source, "single figures", rows_in=rows, rows_out=rows)
    return {
        "national_year": table[["year", *sorted(set(table.columns) - {"year"})]].sort_values(
            "year", ignore_index=True
        ),
        "country_migration": migration,
        "published_figure": figures,
    }


def _yearly(months: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of the years that have all their months."""
    known = months.dropna(subset="remittances_usd_million")
    groups = known.groupby(known["month"].str.slice(0, 4).astype(int).rename("year"))
    sums = groups["remittances_usd_million"].sum()
    return sums[groups["month"].nunique() == MONTHS].reset_index()
