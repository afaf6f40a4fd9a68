"""Figures of later boundaries onto those of 2010, each by the weight its denominator calls for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from remitstats.panel.codes import fold

MIGRATION_WEIGHTS = {
    "receiving_percent": "dwellings",
    "emigrant_percent": "dwellings",
    "circular_percent": "dwellings",
    "return_percent": "dwellings",
}
"""Percentages of dwellings: the folded percentage is that of the dwellings together."""

COMPONENT_WEIGHTS = {
    "illiterate_percent": "population",
    "incomplete_primary_percent": "population",
    "incomplete_basic_percent": "population",
    "no_drainage_percent": "population",
    "no_electricity_percent": "population",
    "no_piped_water_percent": "population",
    "crowding_percent": "dwellings",
    "earth_floor_percent": "population",
    "small_locality_percent": "population",
    "low_income_percent": "population",
}
"""Percentages of persons or occupants by population, crowding (of dwellings) by dwellings.

Total population stands in for persons aged 15 and over, occupants and employed persons, which the
publisher does not give beside the percentages.
"""

INDEX_WEIGHTS = {
    "marginalisation_index": "population",
    "marginalisation_index_dp2": "population",
}
"""Indices are weighted sums of the components, so that a mean of the parts by population is the
index of both, as far as population stands in for the components' own denominators."""


def fold_components(
    published: pd.DataFrame, dwellings: pd.DataFrame, weights: Mapping[str, str]
) -> pd.DataFrame:
    """Return those columns of marginalisation that a year has on 2010 boundaries.

    Parameters
    ----------
    published : DataFrame
        As `remitstats.sources.conapo.read_marginalisation` gives it.
    dwellings : DataFrame
        ``cvegeo``, ``dwellings``: the weights of crowding.
    weights : mapping of str to str
        Column -> column of its weight; columns the year does not have are passed over.
    """
    with_weights = published.merge(dwellings, on="cvegeo", how="left")
    there = {name: by for name, by in weights.items() if name in published}
    return fold_percentages(with_weights, there)


def fold_percentages(table: pd.DataFrame, weights: Mapping[str, str]) -> pd.DataFrame:
    """Return percentages on 2010 boundaries: weighted means of the parts.

    No count is rounded on the way: the published percentages of 2020 have eight decimals, and
    about half of them are of a denominator a little smaller than all dwellings (those that
    answered), so that percentage times dwellings need not be whole.

    A part without a figure is left out of the mean, so that its parent's figure stands for both;
    if no part has one, the result is null.

    Parameters
    ----------
    table : DataFrame
        ``cvegeo`` on later boundaries, the percentages, and the columns of the weights.
    weights : mapping of str to str
        Percentage -> column of its weight.

    Returns
    -------
    DataFrame
        ``cvegeo`` and the percentages, one row a municipality of 2010, sorted.
    """
    key = fold(table["cvegeo"]).rename("cvegeo")
    alone = ~key.duplicated(keep=False)
    together = table[~alone]
    folded = pd.DataFrame(index=pd.Index(sorted(key.unique()), name="cvegeo"))
    for name, weight in weights.items():
        # Municipalities that nothing is folded into keep their figure to the last digit.
        folded[name] = pd.Series(table.loc[alone, name].to_numpy(), index=key[alone]).reindex(
            folded.index
        )
        base = together[weight].astype(float).where(together[name].notna())
        sums = pd.DataFrame({"part": together[name] * base, "base": base}).groupby(key[~alone])
        totals = sums.sum(min_count=1)
        folded.loc[totals.index, name] = totals["part"] / totals["base"]
    return folded.reset_index()


def fold_sums(
    table: pd.DataFrame, columns: Sequence[str], keys: Sequence[str] = ()
) -> pd.DataFrame:
    """Return counts on 2010 boundaries: sums of the parts (null if no part has one).

    Parameters
    ----------
    table : DataFrame
        ``cvegeo`` on later boundaries, `columns` and `keys`.
    columns : sequence of str
        Counts (dwellings, persons).
    keys : sequence of str
        Further columns that tell rows apart, such as ``year``.

    Returns
    -------
    DataFrame
        ``cvegeo``, `keys`, `columns`, sorted.
    """
    folded = table.assign(cvegeo=fold(table["cvegeo"]))
    groups = folded.groupby(["cvegeo", *keys])[list(columns)]
    return groups.sum(min_count=1).reset_index()
