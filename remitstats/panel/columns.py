"""Columns that recur in the tables of a panel: codes, periods, percentages, amounts, counts."""

from __future__ import annotations

from remitstats.panel.spec import ColumnSpec

CVEGEO = r"[0-9]{5}"
STATE = r"[0-9]{2}"
COUNTRY = r"[A-Z]{3}"
QUARTER = r"(19|20)[0-9]{2}Q[1-4]"
MONTH = r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])"


def municipality_code(
    name: str = "cvegeo", refers_to: str = "municipality", *, nullable: bool = False
) -> ColumnSpec:
    """Return a column of codes of municipalities; `refers_to` is the table that must have them."""
    return ColumnSpec(
        name,
        "text",
        "a municipality's code as text of five digits, such as 09001",
        required=True,
        nullable=nullable,
        pattern=CVEGEO,
        refers_to=refers_to,
    )


def state_code(refers_to: str = "state") -> ColumnSpec:
    """Return the column of codes of states; `refers_to` is the table that must have them."""
    return ColumnSpec(
        "state",
        "text",
        "a state's code as text of two digits, such as 09",
        required=True,
        nullable=False,
        pattern=STATE,
        refers_to=refers_to,
    )


def country_code() -> ColumnSpec:
    """Return the column of codes of countries."""
    return ColumnSpec(
        "country",
        "text",
        "a country's code of three capital letters (ISO 3166), such as MEX",
        required=True,
        nullable=False,
        pattern=COUNTRY,
    )


def text_column(
    name: str, accepted: str, *, required: bool = False, nullable: bool = True
) -> ColumnSpec:
    """Return a column of texts."""
    return ColumnSpec(name, "text", accepted, required=required, nullable=nullable)


def percent_column(name: str, *, required: bool = False) -> ColumnSpec:
    """Return a column of percentages of 0 to 100."""
    return ColumnSpec(
        name,
        "number",
        "a percentage from 0 to 100, or an empty cell for no data",
        required=required,
        minimum=0,
        maximum=100,
    )


def number_column(name: str) -> ColumnSpec:
    """Return a column of numbers of any sign, such as an index."""
    return ColumnSpec(name, "number", "a number, or an empty cell for no data")


def amount_column(name: str, unit: str) -> ColumnSpec:
    """Return a column of amounts of 0 or more, in a unit."""
    return ColumnSpec(name, "number", f"{unit}, 0 or more, or an empty cell for no data", minimum=0)


def year_column(name: str) -> ColumnSpec:
    """Return a column of years."""
    return ColumnSpec(
        name,
        "integer",
        "a year from 1900 to 2100",
        required=True,
        nullable=False,
        minimum=1900,
        maximum=2100,
    )


def count_column(
    name: str, accepted: str, *, minimum: int = 0, required: bool = False
) -> ColumnSpec:
    """Return a column of whole numbers."""
    return ColumnSpec(name, "integer", accepted, required=required, minimum=minimum)


def gini_column() -> ColumnSpec:
    """Return the column of Gini coefficients."""
    return ColumnSpec(
        "gini",
        "number",
        "a Gini coefficient from 0 to 1, or an empty cell for no data",
        minimum=0,
        maximum=1,
    )


def quarter_column() -> ColumnSpec:
    """Return the column of quarters."""
    return ColumnSpec(
        "quarter",
        "text",
        "a quarter written like 2013Q1",
        required=True,
        nullable=False,
        pattern=QUARTER,
    )


def month_column() -> ColumnSpec:
    """Return the column of months."""
    return ColumnSpec(
        "month",
        "text",
        "a month written like 1995-01",
        required=True,
        nullable=False,
        pattern=MONTH,
    )
