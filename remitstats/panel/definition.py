"""One record of the panel's dictionary, and the columns many tables share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """What one column holds.

    Parameters
    ----------
    column : str
        Its name.
    unit : str
        Unit of its values, or what kind of text it is.
    meaning : str
        What it says, how it was folded to 2010 boundaries, what to beware of.
    sources : tuple of str
        Keys of `remitstats.sources.files.FILES`; empty for what the project states itself.
    """

    column: str
    unit: str
    meaning: str
    sources: tuple[str, ...] = ()


CVEGEO = Definition(
    "cvegeo",
    "INEGI code, text of 5 digits",
    "Municipality on the boundaries of the 2010 census; thirteen later municipalities are part "
    "of the municipality they left.",
    ("geo-parents",),
)
STATE = Definition(
    "state", "INEGI code, text of 2 digits", "State, 01 to 32.", ("inegi-census-2020",)
)
QUARTER = Definition("quarter", "text, such as 2013Q1", "Quarter of the year.")
YEAR = Definition("year", "year", "Calendar year.")
