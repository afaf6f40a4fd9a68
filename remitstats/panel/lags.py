"""The value of a column in an earlier period, for panels whose periods are unevenly spaced."""

from __future__ import annotations

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.panel import words

_MOST_PROBLEMS = 50


def lag(
    table: pd.DataFrame,
    column: str,
    *,
    by: str = "cvegeo",
    over: str = "wave",
    steps: int = 1,
) -> pd.Series:
    """Return the values that a column had `steps` periods earlier.

    The periods are the distinct values of `over` in the table as a whole, in order; rows are
    never counted. With waves 2000, 2010 and 2020, the lag of 2020 is 2010; a municipality without
    a row of 2010 has none, even if it has one of 2000. Of a table cut to 2000 and 2020 the lag of
    2020 is 2000: keep an eye on how far periods are apart.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a unit and period, in any order and of any index.
    column : str
        The column to look back in.
    by : str
        Column of the units, such as municipalities.
    over : str
        Column of the periods: ``"wave"`` in ``municipality_wave``, ``"year"`` in
        ``municipality_condition``.
    steps : int
        How many periods to look back, 1 or more.

    Returns
    -------
    pandas.Series
        Named as the column, with the table's index and order; missing where there is no such
        earlier period, no row of it or no value in it. Whole numbers and truth values come in
        the types that can be missing (``Int64``, ``boolean``).

    Raises
    ------
    PanelError
        If there is no such column, a unit or period is empty, a unit has a period twice, or
        `steps` is not 1 or more.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"cvegeo": ["09002"] * 2, "wave": [2010, 2000], "share": [3.0, 4.0]})
    >>> lag(table, "share").tolist()
    [4.0, nan]
    """
    _check_columns(table, {"column": column, "by": by, "over": over})
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise PanelError(f"A lag of {steps} steps is asked for; accepted: 1 or more, whole.")
    _check_keys(table, by, over)
    place, _ = pd.factorize(table[over], sort=True)
    unit, _ = pd.factorize(table[by])
    values = _may_be_missing(table[column])
    here = pd.MultiIndex.from_arrays([unit, place])
    earlier = pd.MultiIndex.from_arrays([unit, place - steps])
    lagged = values.set_axis(here).reindex(earlier)
    return lagged.set_axis(table.index).rename(column)


def _may_be_missing(values: pd.Series) -> pd.Series:
    # Whole numbers would turn into floats, but only where something is missing.
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("boolean")
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.astype("Int64")
    return values


def _check_columns(table: pd.DataFrame, asked: dict[str, str]) -> None:
    for name in asked.values():
        if name not in table.columns:
            known = [str(column) for column in table.columns]
            hint = words.nearest(name, known) or f"it has {', '.join(known)}."
            raise PanelError(f"The table has no column {words.name(name)}: {hint}")


def _check_keys(table: pd.DataFrame, by: str, over: str) -> None:
    empty = table[[by, over]].isna().any(axis=1)
    if empty.any():
        raise PanelError(
            f"{int(empty.sum())} rows have no {by} or no {over}; accepted: both in every row."
        )
    twice = table.duplicated([by, over], keep=False)
    if twice.any():
        pairs = table.loc[twice, [by, over]].drop_duplicates().sort_values([by, over])
        raise PanelError(
            f"The table has more than one row of a {by} and {over}, so that its lag is not known.",
            [
                Problem("the table", f"{by}={unit}, {over}={period}", over, "twice", "once")
                for unit, period in pairs.head(_MOST_PROBLEMS).itertuples(index=False)
            ],
        )
