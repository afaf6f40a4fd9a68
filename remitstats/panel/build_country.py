"""The table ``country_year``: income per person of Mexico and of the United States."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.panel.account import Account
from remitstats.sources import world


def build_country(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``country_year``: one column a data set, so that the gap is taken within one."""
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
    return {"country_year": table}
