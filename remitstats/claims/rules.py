"""Rules of a ledger: what must be found for a claim to be supported or contradicted.

Kinds, told apart by ``is``:

``near``
    A figure. Supported if what is found lies, with its whole interval, within ``within_percent`` of
    what is claimed; contradicted if its whole interval lies more than ``beyond_percent`` away.
``at least``, ``at most``
    A bound. Supported if the whole interval keeps it, contradicted if the whole interval breaks it.
``lower bound``
    What is found is known to be less than what the claim speaks of: it can support "at least", and
    can't contradict it.
``rise``, ``fall``
    A change. Supported if it is at least ``margin`` in the claimed direction, with its whole
    interval; contradicted if it is as much in the other one. Less is no clear change.
``probability``
    Supported from ``supported_at`` on, contradicted down to ``contradicted_at``.
``share``
    The same of a figure in per cent that counts cases, such as the windows of years in which
    something holds: a share of choices that are as good as each other, no probability.
``calibrated``
    The verdict that the results hold themselves, by a rule tried on simulated panels whose truth is
    known (`claims.regime`); none before that trial.

Everything between is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remitstats.claims.evidence import Evidence
from remitstats.claims.regime import CONTRADICTED, INCONCLUSIVE, SUPPORTED

FIGURE, PROBABILITY, VERDICT = "figure", "probability", "verdict"
"""What an estimand may give."""

KINDS: Mapping[str, str] = {
    "near": FIGURE,
    "at least": FIGURE,
    "at most": FIGURE,
    "lower bound": FIGURE,
    "rise": FIGURE,
    "fall": FIGURE,
    "probability": PROBABILITY,
    "share": FIGURE,
    "calibrated": VERDICT,
}
"""Kind of rule to what its estimand must give."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "near": ("within_percent", "beyond_percent"),
    "at least": (),
    "at most": (),
    "lower bound": (),
    "rise": ("margin",),
    "fall": ("margin",),
    "probability": ("supported_at", "contradicted_at"),
    "share": ("supported_at", "contradicted_at"),
    "calibrated": (),
}


@dataclass(frozen=True)
class Rule:
    """A rule of a ledger; the module's text says what each kind means.

    Parameters
    ----------
    name : str
        What tests call it.
    kind : str
        One of `KINDS`.
    why : str
        Why these limits.
    within_percent, beyond_percent : float
        Of "near".
    supported_at, contradicted_at : float
        Of "probability" and "share".
    margin : float
        Of "rise" and "fall", in the unit of the estimand.

    Raises
    ------
    ValueError
        If the limits are in no order that makes sense.
    """

    name: str
    kind: str
    why: str = ""
    within_percent: float = 10.0
    beyond_percent: float = 25.0
    supported_at: float = 0.95
    contradicted_at: float = 0.05
    margin: float = 5.0

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other."""
        if not 0 <= self.within_percent <= self.beyond_percent < float("inf"):
            raise ValueError(
                "within_percent must be at least 0 and at most beyond_percent, found "
                f"{self.within_percent:g} and {self.beyond_percent:g}"
            )
        if not 0 <= self.contradicted_at < self.supported_at <= 1:
            raise ValueError(
                "contradicted_at and supported_at must be probabilities, the first the smaller, "
                f"found {self.contradicted_at:g} and {self.supported_at:g}"
            )

        if not 0 <= self.margin < float("inf"):
            raise ValueError(f"margin must be at least 0, found {self.margin:g}")

    @property
    def against_figure(self) -> bool:
        """Whether it holds what is found against a figure that is claimed."""
        return self.kind in ("near", "at least", "at most", "lower bound")

    @property
    def needs(self) -> str:
        """What its estimand must give."""
        return KINDS[self.kind]

    def judge(self, found: Evidence, claimed: tuple[float, float] | None) -> tuple[str, str]:
        """Return the verdict on what was found, and why.

        Parameters
        ----------
        found : Evidence
            What the estimand says.
        claimed : (float, float) or None
            Ends of the figure claimed; equal for a single one. None for rules without a figure.
        """
        if self.kind == "calibrated":
            return found.verdict, found.reason
        if self.kind == "probability":
            verdict, limits = self._limits(found.probability)
            return verdict, f"probability {chance(found.probability)}, {limits}"
        if self.kind == "share":
            verdict, limits = self._limits(found.value / 100)
            return verdict, f"{limits} of the cases"
        if self.kind in ("rise", "fall"):
            return self._change(found)
        if claimed is None:
            raise ValueError(f"the rule {self.name} needs a figure that is claimed")
        if self.kind == "near":
            return self._near(found, claimed)
        return self._bound(found, claimed)

    def _limits(self, share: float) -> tuple[str, str]:
        if share >= self.supported_at:
            return SUPPORTED, f"at least {self.supported_at:g}"
        if share <= self.contradicted_at:
            return CONTRADICTED, f"at most {self.contradicted_at:g}"
        return INCONCLUSIVE, (
            f"neither at least {self.supported_at:g} nor at most {self.contradicted_at:g}"
        )

    def _near(self, found: Evidence, claimed: tuple[float, float]) -> tuple[str, str]:
        low, high = claimed
        inner = _widened(low, high, self.within_percent)
        outer = _widened(low, high, self.beyond_percent)
        if inner[0] <= found.lower and found.upper <= inner[1]:
            return SUPPORTED, f"within {self.within_percent:g}% of what is claimed"
        if found.upper < outer[0] or found.lower > outer[1]:
            side = "below" if found.upper < outer[0] else "above"
            return CONTRADICTED, f"more than {self.beyond_percent:g}% {side} what is claimed"
        return INCONCLUSIVE, (
            f"neither within {self.within_percent:g}% of what is claimed nor more than "
            f"{self.beyond_percent:g}% away"
        )

    def _change(self, found: Evidence) -> tuple[str, str]:
        rises, falls = found.lower >= self.margin, found.upper <= -self.margin
        if not rises and not falls:
            return INCONCLUSIVE, f"no clear change: less than {self.margin:g} either way, or unsure"
        verdict = SUPPORTED if rises == (self.kind == "rise") else CONTRADICTED
        return verdict, f"a {'rise' if rises else 'fall'} of at least {self.margin:g}"

    def _bound(self, found: Evidence, claimed: tuple[float, float]) -> tuple[str, str]:
        if self.kind == "lower bound":
            if found.lower >= claimed[0]:
                return SUPPORTED, "even this lower bound reaches what is claimed"
            return INCONCLUSIVE, "a lower bound that does not reach what is claimed"
        if self.kind == "at least":
            kept, broken = found.lower >= claimed[0], found.upper < claimed[0]
        else:
            kept, broken = found.upper <= claimed[1], found.lower > claimed[1]
        if kept:
            return SUPPORTED, f"{self.kind} what is claimed"
        if broken:
            return CONTRADICTED, f"not {self.kind} what is claimed"
        return INCONCLUSIVE, "the interval holds what is claimed and what is not"


def chance(probability: float) -> str:
    """Return a probability in digits that never make a certainty of what is none."""
    if 0 < probability < 0.0005:
        return "below 0.001"
    if 0.9995 <= probability < 1:
        return "above 0.999"
    return f"{probability:.3f}"


def _widened(low: float, high: float, percent: float) -> tuple[float, float]:
    return low - abs(low) * percent / 100, high + abs(high) * percent / 100
