"""When a country has turned, when dependence deepens: rules on paths, written before any fit.

The paths are yearly: lasting net migration per thousand persons, what passes within a few years
taken out. All rules are functions of one drawn path, so that a posterior of paths becomes a
probability and a posterior of dates.

A country has turned from net emigration to net immigration by a year E if

1. its mean over `SENDING` (1960 to 1974) was below zero, and
2. there is a year d, from `EARLIEST` on and at least `SETTLED` years before E, both counted, such
   that
   - rule "unbroken": from d to E no year is at or below zero;
   - rule "balance": from d to every year up to E, more came than left, added up from d. A later
     loss does not undo the turn unless it takes back all that was gained since.

The date is the first such d. "Unbroken" is the turn in the plain sense of the word and takes any
relapse for its end; "balance" forgives relapses and may date a turn from an earlier, passing wave
of returns. Where they differ, nothing is concluded.

Dependence deepens, in a period, if the ratio rose by more than `DEEPER` of itself between the means
of two windows of years; the gap widens if relative income fell by more than `WIDER` of itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RULES = ("unbroken", "balance")
SENDING = (1960, 1974)
SETTLED = 5
EARLIEST = SENDING[0] + SETTLED
DEEPER = 0.10
WIDER = 0.05


def reversal(path: Array, years: NDArray[np.int64], rule: str, by: int) -> Array:
    """Return the year in which each path turned for good, as seen from a year; nan if it had not.

    Parameters
    ----------
    path : array, shape (..., year)
        Lasting net migration.
    years : array of int, shape (year,)
        Consecutive years.
    rule : str
        "unbroken" or "balance".
    by : int
        The last year looked at.

    Returns
    -------
    array, shape (...)
    """
    worst, shown = _worst(path, years, rule, by)
    sending = (years >= SENDING[0]) & (years <= SENDING[1])
    holds = (worst > 0) & (path[..., sending].mean(axis=-1) < 0)[..., None]
    first = holds.argmax(axis=-1)
    return np.where(holds.any(axis=-1), shown[first].astype(float), np.nan)


def margin(path: Array, years: NDArray[np.int64], rule: str, by: int) -> Array:
    """Return by how much each path kept or missed what a turn asks for; above zero if it turned.

    The smaller one of how far the mean of `SENDING` was below zero, and how far the worst year (or
    the worst sum) since the best possible date is above. Unlike whether it turned, it varies in
    every draw: what convergence can be told of.
    """
    worst, _ = _worst(path, years, rule, by)
    sending = (years >= SENDING[0]) & (years <= SENDING[1])
    return np.minimum(worst.max(axis=-1), -path[..., sending].mean(axis=-1))


def _worst(
    path: Array, years: NDArray[np.int64], rule: str, by: int
) -> tuple[Array, NDArray[np.int64]]:
    """Return the least value (or sum) from each possible date on, and these dates."""
    seen, shown = path[..., years <= by], years[years <= by]
    if rule not in RULES:
        raise ValueError(f"a rule is one of {', '.join(RULES)}, found {rule}")
    before: Array | float = 0.0
    if rule == "balance":  # the sum from d to t is that up to t less that up to the year before d
        before = np.concatenate(
            [np.zeros_like(seen[..., :1]), np.cumsum(seen, axis=-1)[..., :-1]], axis=-1
        )
        seen = np.cumsum(seen, axis=-1)
    worst = np.flip(np.minimum.accumulate(np.flip(seen, -1), axis=-1), -1) - before
    possible = (shown >= EARLIEST) & (shown <= by - SETTLED + 1)
    return worst[..., possible], shown[possible]
