"""The table ``municipality_wave``: migration, marginalisation, poverty at the census waves."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from remitstats.panel.account import Account
from remitstats.panel.harmonise import (
    COMPONENT_WEIGHTS,
    MIGRATION_WEIGHTS,
    fold_components,
    fold_percentages,
    fold_sums,
)
from remitstats.sources import conapo, coneval
from remitstats.sources.conapo import WAVES

COLUMNS = (
    *("cvegeo", "wave", "dwellings", *MIGRATION_WEIGHTS, *COMPONENT_WEIGHTS),
    *("patrimony_poverty_percent", "income_below_line_percent"),
    *("gini", "income_per_person_mxn_month"),
)

_MIGRATION_SOURCE = {2000: "conapo-iaim-2000", 2010: "conapo-iim-2010", 2020: "conapo-iim-2020"}


def build_wave(raw: Path, account: Account) -> dict[str, pd.DataFrame]:
    """Return ``municipality_wave``: 2,456 municipalities at three waves, null where no data."""
    waves = [_one_wave(raw, wave, account) for wave in WAVES]
    table = pd.concat(waves, ignore_index=True).sort_values(["cvegeo", "wave"], ignore_index=True)
    return {"municipality_wave": table.reindex(columns=list(COLUMNS))}


def _one_wave(raw: Path, wave: int, account: Account) -> pd.DataFrame:
    migration = conapo.read_migration(raw, wave)
    parts = fold_sums(migration, ["dwellings"]).merge(
        fold_percentages(migration, MIGRATION_WEIGHTS), on="cvegeo", validate="1:1"
    )
    source = _MIGRATION_SOURCE[wave]
    account.add_folded(source, f"migration {wave}", migration, parts, "dwellings")
    parts["wave"] = wave
    for extra in (
        _components(raw, wave, migration, account),
        _poverty(raw, wave, account),
        _incomes(raw, wave, account),
    ):
        if extra is not None:
            parts = parts.merge(extra, on="cvegeo", how="left", validate="1:1")
    return parts


def _components(raw: Path, wave: int, migration: pd.DataFrame, account: Account) -> pd.DataFrame:
    published = conapo.read_marginalisation(raw, wave)
    folded = fold_components(published, migration[["cvegeo", "dwellings"]], COMPONENT_WEIGHTS)
    source = "conapo-im-" + ("2020" if wave == 2020 else "1990-2015")
    note = "13 municipalities of 2010 did not exist yet and have no row" if wave == 2000 else ""
    step = f"marginalisation {wave}"
    account.add_folded(source, step, published, folded, "illiterate_percent", note)
    return folded


def _poverty(raw: Path, wave: int, account: Account) -> pd.DataFrame | None:
    if wave == 2000:
        return None
    published = coneval.read_income_below_line(raw, wave)
    folded = fold_percentages(published, {"income_below_line_percent": "population"})
    source = f"coneval-poverty-{wave}"
    note = ""
    if wave == 2020:
        note = "04012 and 07125 have no figure: that of 04004 and of 07080 stands alone"
    step = f"income below the line {wave}"
    account.add_folded(source, step, published, folded, "income_below_line_percent", note)
    return folded


def _incomes(raw: Path, wave: int, account: Account) -> pd.DataFrame:
    if wave < 2020:
        published = coneval.read_patrimony_and_gini(raw, wave)
        step = f"patrimony poverty and Gini {wave}"
        account.add_folded("coneval-1990-2010", step, published, published, "gini")
        return published
    published = coneval.read_income_per_person(raw)
    population = coneval.read_income_below_line(raw, wave)[["cvegeo", "population"]]
    weighted = published.merge(population, on="cvegeo", how="left", validate="1:1")
    folded = fold_percentages(weighted, {"income_per_person_mxn_month": "population"})
    column = "income_per_person_mxn_month"
    step = f"income per person {wave}"
    account.add_folded("coneval-ictpc-2020", step, published, folded, column)
    return folded
