"""Ledgers of claims: what they hold, and how a TOML file is read into one.

A ledger has ``format = 1``, a ``title``, its ``source``, the ``language`` of its words (``en``
where it does not say), rules as ``[rule.NAME]`` (`claims.rules`)
and claims as ``[[claim]]`` with their tests as ``[[claim.test]]``:

    [[claim]]
    id = "households-receiving-share"     # letters, digits and hyphens
    kind = "figure"                       # figure, trend, link, loop or comparison
    section = "4, critical dependence"    # where the source says it
    says = "…"                            # in words of your own
    value = 8                             # the figure claimed, or [80, 90]
    unit = "% of households"
    date = "about 2003"
    data = ["…"]                          # what it is held against
    caveats = ["…"]
    needs = "…"                           # where it can't be tested: which data would

    [[claim.test]]
    basis = "near"                        # see `BASES`
    estimand = "reliance.national_percent"
    at = { wave = 2000 }
    rule = "figure"
    value = 8                             # if another figure than the claim's is to be met
    note = "dwellings, not households"

What estimands there are, `claims.measures.MEASURES` knows; ``remitstats claims --estimands`` lists
them. A ledger has no results in it: rules are kept with what they judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remitstats.claims.rules import Rule
from remitstats.errors import RemitstatsError

KINDS = ("figure", "trend", "link", "loop", "comparison")
BASES: Mapping[str, str] = {
    "own": "in the claim's own unit and date: decides",
    "fitted": "in the claim's own unit and date, from a model: decides too once that is fitted",
    "near": "in another unit, or some years apart: decides where no test is of the first kind",
    "beside": "of today, or of something else: shown beside, decides nothing",
}


@dataclass(frozen=True)
class ClaimTest:
    """How a claim is held against data.

    Parameters
    ----------
    basis : str
        One of `BASES`.
    estimand : str
        Name of a `Measure`.
    at : mapping
        What the estimand is asked for.
    rule : Rule
        When it speaks for the claim and when against it.
    claimed : (float, float), optional
        The figure to be met, as its ends; None where the rule needs none.
    note : str
        How what is measured differs from what is claimed.
    """

    basis: str
    estimand: str
    at: Mapping[str, Any]
    rule: Rule
    claimed: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """A statement and how it is tested; the module's text says what the fields mean."""

    id: str
    kind: str
    section: str
    says: str
    value: tuple[float, float] | None = None
    unit: str = ""
    date: str = ""
    data: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    needs: str = ""
    tests: tuple[ClaimTest, ...] = ()

    @property
    def deciding(self) -> tuple[ClaimTest, ...]:
        """The tests that the verdict rests on: those of the claim's own unit and date, if any."""
        own = tuple(test for test in self.tests if test.basis in ("own", "fitted"))
        return own or tuple(test for test in self.tests if test.basis == "near")


@dataclass(frozen=True)
class Ledger:
    """Claims of one source.

    Parameters
    ----------
    title, source : str
        What it is, and whose claims these are.
    rules : mapping of str to Rule
        By name.
    claims : tuple of Claim
        In the order of the file.
    path : Path
        The file.
    language : str
        What its words are written in, as a code such as ``en``.
    """

    title: str
    source: str
    rules: Mapping[str, Rule]
    claims: tuple[Claim, ...]
    path: Path
    language: str = "en"

    def claim(self, name: str) -> Claim:
        """Return the claim of an id."""
        return next(claim for claim in self.claims if claim.id == name)


class LedgerError(RemitstatsError):
    """A ledger that can't be used, with everything that is wrong with it.

    Parameters
    ----------
    path : Path
        The file.
    problems : sequence of str
        Each says line and key, what was found and what is accepted.
    """

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        lines = [f"{path} is not a ledger that can be used: {count}."]
        super().__init__("\n".join([*lines, *(f"  - {problem}" for problem in problems)]))
