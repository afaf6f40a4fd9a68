"""From probabilities to a verdict: by one rule, for every claim that is in a posterior or is not.

A claim is true of a share of the posterior draws. That share is found under every reading of the
headline fit (readings that no data can choose between), and again under every core specification
(choices that are as defensible as the headline's). A verdict that a defensible choice turns around
is none to rely on: it is inconclusive.

What the rule is worth, how often it says "supported" where nothing is, is not found here but on
simulated panels whose truth is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from remitstats.errors import RemitstatsError
from remitstats.estimands.circle import LAGGED, ORDERED

SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
NO_VERDICT = "none"
VERDICTS = (SUPPORTED, CONTRADICTED, INCONCLUSIVE, NO_VERDICT)
CLAIMS = ("vicious", "virtuous")
_NAMED = 3  # how many specifications a reason lists by name


@dataclass(frozen=True)
class Chance:
    """How probable a claim is.

    Parameters
    ----------
    holds : float
        Share of draws in which it holds; nan where there is no fit that may be used.
    undefined : float
        Share of draws in which what it speaks of does not exist. They count neither for the claim
        nor against it: it is at least `holds` and at most `holds + undefined` probable.

    Raises
    ------
    ValueError
        If the shares are no shares.
    """

    holds: float
    undefined: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if self.known and not (min(self.holds, self.undefined) >= 0 and self.most <= 1 + 1e-6):
            raise ValueError(f"no shares of draws: {self.holds} and {self.undefined}")

    @property
    def most(self) -> float:
        """The probability if the claim held in all draws that leave it undefined."""
        return self.holds + self.undefined

    @property
    def known(self) -> bool:
        """Whether there is a probability."""
        return math.isfinite(self.holds) and math.isfinite(self.undefined)


NO_CHANCE = Chance(math.nan)
Chances = Mapping[str, Chance]  # by reading


@dataclass(frozen=True)
class VerdictRule:
    """When a claim is supported or contradicted; everything else is inconclusive.

    Parameters
    ----------
    supported_at : float
        Least probability in every reading of the headline fit.
    possible_at : float
        Least probability in every core specification besides: none may find the claim more likely
        false than true.
    contradicted_at : float
        Greatest probability in every reading of the headline fit and every core specification.
    readings : tuple of str
        Readings that the headline fit must have.

    Raises
    ------
    RemitstatsError
        If the limits are not probabilities in this order: contradicted, possible, supported.
    """

    supported_at: float = 0.95
    possible_at: float = 0.5
    contradicted_at: float = 0.05
    readings: tuple[str, ...] = (LAGGED, ORDERED)

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other."""
        order = (self.contradicted_at, self.possible_at, self.supported_at)
        if not 0 <= order[0] < order[1] <= order[2] <= 1:
            raise RemitstatsError(
                "The limits of a verdict must be probabilities with contradicted_at < possible_at "
                f"<= supported_at, found {order[0]}, {order[1]} and {order[2]}."
            )
        if not self.readings:
            raise RemitstatsError("A verdict needs the name of at least one reading.")

    def describe(self) -> dict[str, Any]:
        """Return the rule as plain values, for provenance."""
        return asdict(self) | {"readings": list(self.readings)}


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a claim.

    Parameters
    ----------
    verdict : str
        One of `VERDICTS`.
    probability : float
        Smallest probability over the readings of the headline fit; nan without a verdict.
    probability_most : float
        Greatest probability over them.
    reason : str
        Why, as sentences.
    """

    verdict: str
    probability: float
    probability_most: float
    reason: str

    def describe(self) -> dict[str, Any]:
        """Return the verdict as plain values, as results hold it."""
        return asdict(self)


def chances_of(
    regime: pd.DataFrame, claim: str, *, level: str = "nation", code: str = "00"
) -> dict[str, Chance]:
    """Return the probability of a regime by reading, from the table of a fit of the circle.

    Parameters
    ----------
    regime : DataFrame
        ``CircleResults.regime``, with one delta.
    claim : str
        "vicious" or "virtuous".
    level, code : str
        Of which place.

    Raises
    ------
    ValueError
        If a reading has more than one row: the table then holds several deltas, and the choice
        between them is not to be made here.
    """
    rows = regime[(regime["level"] == level) & (regime["code"] == code)]
    if rows["reading"].duplicated().any():
        raise ValueError(f"several probabilities of one reading of {level} {code}: choose a delta")
    return {
        str(row["reading"]): Chance(float(row[f"p_{claim}"]), float(row["p_undefined"]))
        for row in rows.to_dict("records")
    }


def regime_verdicts(
    regime: pd.DataFrame,
    specifications: Mapping[str, pd.DataFrame | None] | None = None,
    *,
    rule: VerdictRule | None = None,
    converged: bool = True,
) -> dict[str, Verdict]:
    """Return the verdicts on the vicious and the virtuous circle of the nation.

    Parameters
    ----------
    regime : DataFrame
        ``CircleResults.regime`` of the headline fit.
    specifications : mapping of str to (DataFrame or None), optional
        The same of every core specification by name; None where its fit did not pass its gate.
    rule, converged : optional
        See `verdict_on`.
    """
    found = {}
    for claim in CLAIMS:
        others = {
            name: {} if table is None else chances_of(table, claim)
            for name, table in (specifications or {}).items()
        }
        chances = chances_of(regime, claim)
        found[claim] = verdict_on(chances, others, rule=rule, converged=converged)
    return found


def verdict_on(
    headline: Chances,
    specifications: Mapping[str, Chances] | None = None,
    *,
    rule: VerdictRule | None = None,
    converged: bool = True,
) -> Verdict:
    """Return the verdict on a claim.

    Parameters
    ----------
    headline : mapping of str to Chance
        The claim's probability by reading, in the headline specification.
    specifications : mapping of str to (mapping of str to Chance), optional
        The same of every core specification, by its name. Only the rule's readings count; a
        specification that has none of them, or an unknown one (`NO_CHANCE`: its fit did not pass
        its gate), can't be counted on either side.
    rule : VerdictRule, optional
        The limits.
    converged : bool
        Whether the headline fit passed its gate; without that there is no verdict.

    Returns
    -------
    Verdict
        "none" where the headline fit, or a specification on which it depends, may not be used.
    """
    rule = rule or VerdictRule()
    if not converged:
        return _no_verdict("The fit did not pass its gate, so that nothing follows from it.")
    chances = {name: headline.get(name, NO_CHANCE) for name in rule.readings}
    unknown = [name for name, chance in chances.items() if not chance.known]
    if unknown:
        return _no_verdict(f"There is no probability for the reading {_list(unknown)}.")
    least = min(chance.holds for chance in chances.values())
    most = max(chance.most for chance in chances.values())
    found, reason = _decide(chances, specifications or {}, rule)
    if found == NO_VERDICT:
        return _no_verdict(reason)
    return Verdict(found, least, most, reason)


def _decide(
    chances: Chances, specifications: Mapping[str, Chances], rule: VerdictRule
) -> tuple[str, str]:
    """Return verdict and reason where every reading of the headline has a probability."""
    here = f"Its probability is {_shown(chances)}"
    supported = all(chance.holds >= rule.supported_at for chance in chances.values())
    contradicted = all(chance.most <= rule.contradicted_at for chance in chances.values())
    if not (supported or contradicted):
        return INCONCLUSIVE, f"{here}: {_between(chances, rule)}."
    known, missing = [], []
    for name, readings in specifications.items():
        counted = [readings[reading] for reading in rule.readings if reading in readings]
        if not counted or not all(chance.known for chance in counted):
            missing.append(name)
        known += [(name, chance) for chance in counted if chance.known]
    if supported:
        against = [(name, c.holds) for name, c in known if c.holds < rule.possible_at]
        limit = f"below {rule.possible_at:g}"
    else:
        against = [(name, c.most) for name, c in known if c.most > rule.contradicted_at]
        limit = f"above {rule.contradicted_at:g}"
    if against:
        worst = (min if supported else max)(against, key=lambda pair: pair[1])
        names = list(dict.fromkeys(name for name, _ in against))
        return INCONCLUSIVE, (
            f"{here}, but {limit} in {len(names)} of {len(specifications)} core specifications "
            f"({_list(names)}; {_number(worst[1])} in {worst[0]})."
        )
    if missing:
        return NO_VERDICT, (
            f"No fit that passed its gate of {len(missing)} of {len(specifications)} core "
            f"specifications ({_list(missing)}), on which the verdict depends."
        )
    if not specifications:
        return _named(supported), f"{here}. No other specification was tried."
    ends = [c.holds if supported else c.most for _, c in known]
    bound = f"at least {_number(min(ends))}" if supported else f"at most {_number(max(ends))}"
    whole = f"{bound} in all {len(specifications)} core specifications"
    return _named(supported), f"{here}, and {whole}."


def _named(supported: bool) -> str:
    return SUPPORTED if supported else CONTRADICTED


def _no_verdict(reason: str) -> Verdict:
    return Verdict(NO_VERDICT, math.nan, math.nan, reason)


def _shown(chances: Chances) -> str:
    return _list([f"{_number(c.holds)} ({name})" for name, c in chances.items()], of=len(chances))


def _between(chances: Chances, rule: VerdictRule) -> str:
    """Return why the headline alone decides nothing."""
    high = [c.holds >= rule.supported_at for c in chances.values()]
    low = [c.most <= rule.contradicted_at for c in chances.values()]
    undefined = max(chance.undefined for chance in chances.values())
    if any(high) and any(low):
        return "the readings contradict each other"
    if undefined > rule.contradicted_at:
        return f"what it speaks of does not exist in {_number(undefined)} of the draws"
    if any(high) or any(low):
        return "the readings do not agree"
    return f"neither at least {rule.supported_at:g} nor at most {rule.contradicted_at:g}"


def _number(probability: float) -> str:
    """Return a probability in digits that never make a certainty of what is none."""
    if 0 < probability < 0.0005:
        return "below 0.001"
    if 0.9995 <= probability < 1:
        return "above 0.999"
    return f"{probability:.3f}"


def _list(names: list[str], of: int = _NAMED) -> str:
    """Return names as people list them, the first few."""
    more = [f"and {len(names) - of} more"] if len(names) > of else []
    return ", ".join([*names[:of], *more])
