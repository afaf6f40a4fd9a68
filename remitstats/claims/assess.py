"""Holding a ledger against data: a verdict on each claim, with why."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from remitstats.claims.evidence import Evidence, NoEvidenceError, Sources
from remitstats.claims.ledger import Claim, ClaimTest, Ledger, LedgerError
from remitstats.claims.measures import MEASURES
from remitstats.claims.regime import CONTRADICTED, INCONCLUSIVE, SUPPORTED
from remitstats.errors import RemitstatsError
from remitstats.estimands.files import plain

NOT_TESTABLE = "not testable here"
VERDICTS = (SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_TESTABLE)


@dataclass(frozen=True)
class Finding:
    """What a test came to.

    Parameters
    ----------
    test : ClaimTest
        The test.
    verdict : str
        Supported, contradicted or inconclusive.
    reason : str
        Why.
    evidence : Evidence or None
        What was found; None where there was nothing.
    run : str
        What to run to get what is missing.
    """

    test: ClaimTest
    verdict: str
    reason: str
    evidence: Evidence | None = None
    run: str = ""


@dataclass(frozen=True)
class Assessment:
    """What is to be said of a claim.

    Parameters
    ----------
    claim : Claim
        The claim.
    verdict : str
        One of `VERDICTS`.
    reason : str
        Why.
    probability : float
        The smallest probability among the tests that decide; nan where they give none.
    findings : tuple of Finding
        One a test, in the order of the ledger.
    """

    claim: Claim
    verdict: str
    reason: str
    probability: float
    findings: tuple[Finding, ...]

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings that the verdict rests on."""
        return _deciding(self.claim, self.findings)

    @property
    def run(self) -> tuple[str, ...]:
        """What to run to get what the verdict lacks."""
        return tuple(dict.fromkeys(f.run for f in self.deciding if f.run))

    def describe(self) -> dict[str, Any]:
        """Return it as plain values."""
        claim = self.claim
        return {
            "id": claim.id,
            "kind": claim.kind,
            "section": claim.section,
            "says": claim.says,
            "claimed": None
            if claim.value is None
            else {"value": _figure(claim.value), "unit": claim.unit, "date": claim.date},
            "verdict": self.verdict,
            "probability": plain(self.probability),
            "reason": self.reason,
            "tests": [_described(finding) for finding in self.findings],
            "data": list(claim.data),
            "caveats": list(claim.caveats),
            "needs": claim.needs,
            "run": list(self.run),
        }


def evaluate(ledger: Ledger, sources: Sources) -> tuple[Assessment, ...]:
    """Return a verdict on every claim of a ledger.

    Parameters
    ----------
    ledger : Ledger
        The claims with their rules.
    sources : Sources
        The panel and the results of fits to it. Fits that did not pass their gates count for
        nothing.

    Raises
    ------
    LedgerError
        If a claim asks for a table or a column that does not exist.
    """
    problems: list[str] = []
    found = [_assess(claim, sources, problems) for claim in ledger.claims]
    if problems:
        raise LedgerError(ledger.path, problems)
    return tuple(found)


def counts(assessments: Iterable[Assessment]) -> dict[str, int]:
    """Return how many claims got each verdict."""
    counted = Counter(assessment.verdict for assessment in assessments)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def document(ledger: Ledger, assessments: Iterable[Assessment]) -> dict[str, Any]:
    """Return ledger, counts and verdicts as plain values, as JSON can hold them."""
    found = list(assessments)
    return {
        "title": ledger.title,
        "source": ledger.source,
        "counts": counts(found),
        "rules": {name: plain(asdict(rule)) for name, rule in ledger.rules.items()},
        "claims": [assessment.describe() for assessment in found],
    }


def _assess(claim: Claim, sources: Sources, problems: list[str]) -> Assessment:
    findings = tuple(_find(claim, test, sources, problems) for test in claim.tests)
    deciding = _deciding(claim, findings)
    if not deciding:
        return Assessment(claim, NOT_TESTABLE, claim.needs, math.nan, findings)
    verdict, reason = _together(deciding)
    given = [f.evidence.probability for f in deciding if f.evidence is not None]
    known = [p for p in given if math.isfinite(p)]
    return Assessment(claim, verdict, reason, min(known, default=math.nan), findings)


def _deciding(claim: Claim, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that decide: those of models not fitted don't, where there are others."""
    asked = tuple(f for f in findings if f.test in claim.deciding)
    found = tuple(f for f in asked if f.evidence is not None or f.test.basis != "fitted")
    return found or asked


def _find(claim: Claim, test: ClaimTest, sources: Sources, problems: list[str]) -> Finding:
    try:
        evidence = MEASURES[test.estimand].find(sources, **test.at)
    except NoEvidenceError as error:
        return Finding(test, INCONCLUSIVE, error.reason, run=error.run)
    except RemitstatsError as error:
        problems.append(f"claim {claim.id}, estimand {test.estimand}: {error}")
        return Finding(test, INCONCLUSIVE, str(error))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        # What a user's ledger asks for may be of a kind that no table has.
        said = f"{type(error).__name__}: {error}"
        problems.append(f"claim {claim.id}, estimand {test.estimand}, at {dict(test.at)}: {said}")
        return Finding(test, INCONCLUSIVE, said)
    verdict, reason = test.rule.judge(evidence, test.claimed)
    return Finding(test, verdict, reason, evidence)


def _together(findings: Sequence[Finding]) -> tuple[str, str]:
    """Return what tests that decide say together: anything but one voice is inconclusive."""
    missing = [f for f in findings if f.evidence is None]
    if missing:
        return INCONCLUSIVE, missing[0].reason
    verdicts = {f.verdict for f in findings}
    said = "; ".join(dict.fromkeys(_said(f) for f in findings))
    if len(verdicts) == 1:
        return findings[0].verdict, said
    if {SUPPORTED, CONTRADICTED} <= verdicts:
        return INCONCLUSIVE, f"the tests contradict each other: {said}"
    return INCONCLUSIVE, f"the tests do not agree: {said}"


def _said(finding: Finding) -> str:
    """Return what was measured, what it came to and what that means, as a clause."""
    evidence, test = finding.evidence, finding.test
    note = f"{test.note}: " if test.note else ""
    if evidence is None:
        return f"{note}{finding.reason}"
    shown = show_evidence(evidence, MEASURES[test.estimand].unit)
    return f"{note}{shown}{', ' if shown else ''}{finding.reason}"


def show_evidence(evidence: Evidence, unit: str = "") -> str:
    """Return a figure with its interval, or a probability, as text; empty if it is neither."""
    if math.isfinite(evidence.value):
        ends = ""
        if evidence.lower != evidence.upper:
            ends = f" ({show_number(evidence.lower)} to {show_number(evidence.upper)})"
        return f"{show_number(evidence.value)}{ends}{_joined(unit)}"
    return ""


def show_number(value: float) -> str:
    """Return a number in up to four digits, whole ones whole."""
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def show_figure(value: tuple[float, float], unit: str) -> str:
    """Return a claimed figure with its unit."""
    low, high = value
    ends = show_number(low) if low == high else f"{show_number(low)} to {show_number(high)}"
    return f"{ends}{_joined(unit)}"


def _joined(unit: str) -> str:
    return "" if not unit else unit if unit.startswith("%") else f" {unit}"


def _figure(value: tuple[float, float]) -> float | list[float]:
    return value[0] if value[0] == value[1] else list(value)


def _described(finding: Finding) -> dict[str, Any]:
    test, evidence = finding.test, finding.evidence
    found: Mapping[str, Any] | None = None
    if evidence is not None:
        found = {
            "value": plain(evidence.value),
            "lower": plain(evidence.lower),
            "upper": plain(evidence.upper),
            "unit": MEASURES[test.estimand].unit,
            "probability": plain(evidence.probability),
            "source": evidence.source,
        }
    return {
        "basis": test.basis,
        "estimand": test.estimand,
        "at": dict(test.at),
        "rule": test.rule.name,
        "claimed": None if test.claimed is None else _figure(test.claimed),
        "note": test.note,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "found": found,
    }
