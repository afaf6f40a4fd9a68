"""The tables ``country_year`` and ``world_year``: series of two countries and of all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.panel.account import Account
from remitstats.sources import world


def build_country(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``country_year`` and ``world_year``: one column a data set, nothing spliced."""
    table = world.read_gdp_per_person(raw)
    for column, (source, _) in world.SERIES.items():
        known = table.dropna(subset=column)
        account.add(
            source,
            "income per person of Mexico and the United States",
            rows_in=len(table),
            rows_out=len(table),
            missing=len(table) - len(known),
            note=f"{known['year'].min()} to {known['year'].max()}; other countries set aside",
        )
    every = world.read_world(raw)
    for column, (source, _) in world.WORLD_SERIES.items():
        known = every.dropna(subset=column)
        account.add(
            source,
            f"{column} of all countries",
            rows_in=len(every),
            rows_out=len(every),
            missing=len(every) - len(known),
            note=f"{known['country'].nunique()} countries, {known['year'].min()} to "
            f"{known['year'].max()}; groups of countries set aside",
        )
    return {"country_year": table, "world_year": every}
