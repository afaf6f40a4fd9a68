"""What the dependence model takes for given about money, population and reporting."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from remitstats.errors import RemitstatsError, unknown

CONSTANT_PESOS, DOLLARS = "constant pesos", "dollars"
UNITS = (CONSTANT_PESOS, DOLLARS)
_POSITIVE = ("error_least", "error_sds", "population_bridge_sd", "population_growth_sd")


@dataclass(frozen=True)
class Measures:
    """How remittances per person are measured, and what counts as reporting.

    Parameters
    ----------
    unit : str
        "constant pesos": dollars at the mean exchange rate of the quarter, deflated by consumer
        prices (July 2018 = 100): what the money buys where it is spent. "dollars": as published,
        not deflated.
    breaks : tuple of str
        First quarters of the second and third way of reporting.
    faint_dollars : float
        A municipality whose median quarter, zeros counted, stays below this many dollars per person
        under the first or the third way of reporting is *faint*: what is told of it depends on how
        payouts were ascribed. The others are *steady*.
    error_least, error_sds : float
        A quarter further than both from the running median of nine, in logarithms and in robust
        standard deviations of the municipality, is a gross error of reporting and is set aside.
    classes : int
        Classes of volatility that steady municipalities are divided into.
    population_bridge_sd : float
        Population between the censuses of 2010 and 2020 is a Brownian bridge around constant
        growth; standard deviation of a year's step of its logarithm. The default is what the
        count of 2005 shows between the censuses of 2000 and 2010 (0.032) and the survey of 2015
        between those of 2010 and 2020 (0.025, sampling error included).
    population_growth_sd : float
        After 2020 growth continues, off by this a year besides the steps. The default is how
        much growth changed from 2000-10 to 2010-20 (robust standard deviation 0.0087).
    population_common_sd : float
        The same, for what all municipalities have in common: no data of the model can tell it from
        growth of remittances, so it widens what is said of growth. By default about how much the
        median municipality's growth changed from 2000-10 to 2010-20 (0.002; 0.005 in the largest
        fifth).
    unidentified_sd : float
        Money of unidentified municipalities is spread over a state's municipalities in proportion;
        the state's shift is known up to this share of itself (standard deviation).
    """

    unit: str = CONSTANT_PESOS
    breaks: tuple[str, str] = ("2018Q1", "2022Q3")
    faint_dollars: float = 10.0
    error_least: float = 1.0
    error_sds: float = 6.0
    classes: int = 5
    population_bridge_sd: float = 0.03
    population_growth_sd: float = 0.009
    population_common_sd: float = 0.003
    unidentified_sd: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        if self.unit not in UNITS:
            raise unknown("unit", self.unit, UNITS)
        if len(self.breaks) != 2 or not self.breaks[0] < self.breaks[1]:
            raise RemitstatsError(
                f"'breaks' must be two quarters, such as ('2018Q1', '2022Q3'), found "
                f"{self.breaks!r}."
            )
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise RemitstatsError(f"'{name}' must be above 0, found {getattr(self, name)!r}.")
        for name in ("faint_dollars", "unidentified_sd", "population_common_sd"):
            if not getattr(self, name) >= 0:
                raise RemitstatsError(f"'{name}' must not be below 0, found {getattr(self, name)}.")
        if self.classes < 1:
            raise RemitstatsError(f"'classes' must be at least 1, found {self.classes!r}.")

    def describe(self) -> dict[str, Any]:
        """Return the choices as plain values, for provenance."""
        return {**asdict(self), "breaks": list(self.breaks)}


def quarter_number(quarter: str) -> int:
    """Return a quarter such as "2013Q1" as a whole number that rises by one a quarter.

    Raises
    ------
    RemitstatsError
        If it is not a quarter.
    """
    try:
        year, number = int(quarter[:4]), int(quarter[5:])
    except ValueError:
        year, number = 0, 0
    if len(quarter) != 6 or quarter[4] != "Q" or not (year and 1 <= number <= 4):
        raise RemitstatsError(f"{quarter!r} is no quarter; quarters are written like 2013Q1.")
    return 4 * year + number - 1


def quarter_name(number: int) -> str:
    """Return the quarter of a number; the inverse of `quarter_number`."""
    return f"{number // 4}Q{number % 4 + 1}"
