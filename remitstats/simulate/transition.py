"""Made-up countries with known turns, known changes of dependence, and known breaks of reporting.

The paths of the nine countries are smooth transitions, not what the model assumes (a random walk):
what it finds of them is no matter of course. Published net migration is smoothed the way the real
one is: held near one value within five years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from remitstats.models.transition_data import BREAKS, COLUMNS, COUNTRIES, YARDSTICK
from remitstats.panel.panel import Panel

Array = NDArray[np.float64]

YEARS = np.arange(1950, 2025)
LAST_MIGRATION, FIRST_REMITTANCES, LAST_INCOME, LAST_WDI_2022 = 2023, 1975, 2022, 2020


@dataclass(frozen=True)
class CountryTruth:
    """What a made-up country does.

    Parameters
    ----------
    before, after : float
        Net migration per thousand, early and late.
    turn : float, optional
        Year in the middle of the transition; None if there is none and `before` lasts.
    width : float
        Years a transition takes, about.
    deepening : float
        Change of the logarithm of remittances over product from 1980 to 2020, spread evenly.
    break_size : float
        What each known break of reporting adds to that logarithm.
    """

    before: float = -4.0
    after: float = 4.0
    turn: float | None = None
    width: float = 3.0
    deepening: float = 0.0
    break_size: float = 0.0

    def path(self) -> Array:
        """Return lasting net migration, shape (year,)."""
        if self.turn is None:
            return np.full(len(YEARS), self.before)
        share = special.expit((YEARS - self.turn) / self.width)
        return np.asarray(self.before + (self.after - self.before) * share)


TRUTHS: Mapping[str, CountryTruth] = {
    "ESP": CountryTruth(turn=1990, deepening=0.0, break_size=-1.5),
    "PRT": CountryTruth(turn=1988, after=5.0, deepening=0.0, break_size=-3.0),
    "IRL": CountryTruth(turn=1992, before=-5.0, after=6.0, deepening=-0.8),
    "ITA": CountryTruth(turn=1980, before=-3.0, deepening=-0.8),
    "KOR": CountryTruth(turn=2009, deepening=0.0, break_size=1.5),
    "MEX": CountryTruth(deepening=0.0, break_size=0.4),
    "SLV": CountryTruth(before=-8.0, deepening=1.6),
    "PHL": CountryTruth(deepening=1.2),
    "MAR": CountryTruth(before=-2.5, deepening=0.0),
}
"""Breaks that nothing real stands behind: Mexico's dependence seems to deepen and does not."""


@dataclass(frozen=True)
class TransitionSimulation:
    """A panel with one table, `world_year`, and the truth behind it.

    Parameters
    ----------
    panel : Panel
        The made-up figures.
    truths : mapping of str to CountryTruth
        Of the nine countries.
    dependence : mapping of str to array, shape (year,)
        Of each, the true logarithm of remittances over product, free of breaks of the reporting.
    seed : int
        What it was drawn with.
    """

    panel: Panel
    truths: Mapping[str, CountryTruth]
    dependence: Mapping[str, Array]
    seed: int


def simulate_transition(
    seed: int,
    truths: Mapping[str, CountryTruth] = TRUTHS,
    *,
    background: int = 60,
    noise: float = 0.7,
) -> TransitionSimulation:
    """Return a made-up world.

    Parameters
    ----------
    seed : int
        Seed of all chance.
    truths : mapping of str to CountryTruth
        Of the nine countries.
    background : int
        Other countries, whose paths wander and whose scales differ.
    noise : float
        Standard deviation, per thousand, of what the published net migration of five years is off
        by; years within have a tenth of it more.
    """
    rng = np.random.default_rng(seed)
    frames, dependence = [], {}
    span = (YEARS - YEARS[0]) // 5
    others = [f"X{chr(65 + i // 26)}{chr(65 + i % 26)}" for i in range(background)]
    for country in (*COUNTRIES, *others, YARDSTICK):
        if country in truths:
            truth = truths[country]
            lasting, off = truth.path(), noise
            share = truth.deepening * (YEARS - 1980) / 40.0
            moves = 0.05
        else:
            own = np.exp(0.6 * rng.standard_normal())
            lasting = -1.0 + 0.8 * own * np.cumsum(rng.standard_normal(len(YEARS)))
            off, moves = noise * own, 0.12 * own
            share = rng.standard_normal() + 0.0 * YEARS
        published = lasting + off * rng.standard_normal(span.max() + 1)[span]
        published = published + 0.1 * off * rng.standard_normal(len(YEARS))
        share = share + moves * np.cumsum(rng.standard_normal(len(YEARS)))
        reported = share + 0.5
        if country in truths:
            dependence[country] = share
            for year in BREAKS.get(country, ()):
                size = truths[country].break_size / len(BREAKS[country])
                reported = reported + size * (year <= YEARS)
        ratio = np.exp(reported)
        income = 9.0 + 0.01 * (YEARS - 1950) + 0.03 * np.cumsum(rng.standard_normal(len(YEARS)))
        frames.append(
            pd.DataFrame(
                {
                    "country": country,
                    "year": YEARS,
                    COLUMNS["migration"]: np.where(YEARS <= LAST_MIGRATION, published, np.nan),
                    COLUMNS["wdi_2022"]: np.where(
                        (YEARS >= FIRST_REMITTANCES) & (YEARS <= LAST_WDI_2022), ratio, np.nan
                    ),
                    COLUMNS["wdi_2025"]: np.where(YEARS >= 1994, ratio, np.nan),
                    COLUMNS["income"]: np.where(YEARS <= LAST_INCOME, np.exp(income), np.nan),
                    "population_thousand_maddison": 5000.0,
                }
            )
        )
    table = pd.concat(frames, ignore_index=True)
    return TransitionSimulation(Panel({"world_year": table}, {}), truths, dependence, seed)
