"""The page of the claims and what the front page says of them: plain records, no HTML."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from remitstats.claims.assess import (
    NOT_TESTABLE,
    VERDICTS,
    Assessment,
    counts,
    document,
    evaluate,
    show_figure,
    show_number,
)
from remitstats.claims.evidence import Sources
from remitstats.claims.ledger import Claim, ClaimTest, Ledger
from remitstats.claims.measures import MEASURES
from remitstats.claims.regime import CONTRADICTED, INCONCLUSIVE, SUPPORTED
from remitstats.estimands.files import replace_file, write_csv
from remitstats.report.formats import capital
from remitstats.report.numbers import Numbers
from remitstats.report.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from remitstats.panel.panel import Panel
    from remitstats.report.texts import Texts

FOLDER = "claims/"
PAGE = Page("claims", "results")
WORDS = {
    SUPPORTED: "supported",
    CONTRADICTED: "contradicted",
    INCONCLUSIVE: "inconclusive",
    NOT_TESTABLE: "untestable",
}
"""Verdict to the word of it in keys of texts and classes of style."""


def assess(ledger: Ledger, panel: Panel, results: Mapping[str, Any]) -> tuple[Assessment, ...]:
    """Hold a ledger against the panel and the results of a report.

    Parameters
    ----------
    ledger : Ledger
        The claims.
    panel : Panel
        Of the report.
    results : mapping of str to results
        By name of model, rounded as they are written.
    """
    return evaluate(ledger, Sources(panel, results))


def write(out: Path, ledger: Ledger, found: Sequence[Assessment]) -> None:
    """Write verdicts as ``claims/results.json`` and ``claims/claims.csv`` below a folder."""
    text = json.dumps(document(ledger, found), indent=2, ensure_ascii=False, allow_nan=False)
    replace_file(out / FOLDER / "results.json", text + "\n")
    rows = [
        {
            "id": each.claim.id,
            "kind": each.claim.kind,
            "section": each.claim.section,
            "says": each.claim.says,
            "claimed": _claimed(each),
            "verdict": each.verdict,
            "probability": each.probability,
            "reason": each.reason,
        }
        for each in found
    ]
    write_csv(out / FOLDER / "claims.csv", pd.DataFrame(rows))


def claims_context(ledger: Ledger, found: Sequence[Assessment], texts: Texts) -> dict[str, Any]:
    """Return what the templates may use of the claims, under the name ``claims``.

    Parameters
    ----------
    ledger : Ledger
        The claims.
    found : sequence of Assessment
        The verdicts, in the order of the ledger.
    texts : Texts
        Of the report's language.
    """
    held = document(ledger, found)
    records = [_record(number, each, _Words(ledger, texts)) for number, each in enumerate(found)]
    numbers = counts(found)
    return {
        "n": Numbers(held, texts.plain("site.to"), FOLDER, texts.language),
        "source": texts.said(ledger.source, ledger.language),
        "language": ledger.language,
        "total": len(found),
        "verdicts": [(verdict, WORDS[verdict]) for verdict in VERDICTS],
        "groups": [
            (WORDS[verdict], [r for r in records if r["verdict"] == verdict])
            for verdict in VERDICTS
            if numbers[verdict]
        ],
        "waiting": _waiting(found),
        "rules": list(ledger.rules.values()),
        "front": [r for r in records if r["verdict"] in (SUPPORTED, CONTRADICTED)],
    }


@dataclass(frozen=True)
class _Words:
    """Words of a ledger in the language of a report."""

    ledger: Ledger
    texts: Texts

    def say(self, words: str, claim: Claim) -> Markup:
        """Return words of a claim; those without a translation marked with their language."""
        return self.texts.said(words, self.ledger.language, claim.id) if words else Markup("")

    def joined(self, unit: str, claim: Claim) -> str:
        """Return a unit with the blank that stands before it."""
        said = self.texts.said_plain(unit, claim.id)
        if said.startswith("%"):
            return said.replace("%", self.texts.percent, 1)
        return f" {said}" if said else ""


def _record(number: int, each: Assessment, words: _Words) -> dict[str, Any]:
    claim = each.claim
    deciding = {id(finding) for finding in each.deciding}
    lines = [
        {
            "at": f"claims/{number}/tests/{i}",
            "basis": finding.test.basis,
            "decides": id(finding) in deciding,
            "note": _note(finding.test, claim, words),
            "unit": words.joined(MEASURES[finding.test.estimand].unit, claim),
            "kind": _kind(finding.evidence.value if finding.evidence else math.nan),
            "known": finding.evidence is not None and math.isfinite(finding.evidence.value),
            "interval": finding.evidence is not None
            and finding.evidence.lower < finding.evidence.upper,
            "verdict": finding.verdict,
            "word": WORDS[finding.verdict],
            "reason": words.texts.said(finding.reason),
            "rule": finding.test.rule.name,
        }
        for i, finding in enumerate(each.findings)
    ]
    return {
        "id": claim.id,
        "kind": claim.kind,
        "section": words.say(claim.section, claim),
        "says": words.say(claim.says, claim),
        "claimed": _claimed_in(each, words),
        "date": words.say(claim.date, claim),
        "verdict": each.verdict,
        "reason": each.reason,
        "deciding": [line for line in lines if line["decides"]],
        "rules": list(dict.fromkeys(line["rule"] for line in lines if line["decides"])),
        "others": [line for line in lines if not line["decides"]],
        "data": [words.say(source, claim) for source in claim.data],
        "caveats": [words.say(caveat, claim) for caveat in claim.caveats],
        "needs": words.say(claim.needs, claim),
        "run": each.run,
    }


def _note(test: ClaimTest, claim: Claim, words: _Words) -> Markup:
    """Return how what is measured differs from what is claimed; else what it is."""
    if test.note:
        return words.say(capital(test.note), claim)
    return words.texts.said(capital(MEASURES[test.estimand].description.rstrip(".")))


def _claimed(each: Assessment) -> str:
    claim = each.claim
    return "" if claim.value is None else show_figure(claim.value, claim.unit)


def _claimed_in(each: Assessment, words: _Words) -> str:
    claim = each.claim
    if claim.value is None:
        return ""
    low, high = map(show_number, claim.value)
    ends = low if low == high else f"{low} {words.texts.plain('site.to')} {high}"
    return f"{ends}{words.joined(claim.unit, claim)}"


def _kind(value: float) -> str:
    """Return the kind of number that shows a figure of any size."""
    whole = math.isfinite(value) and value == round(value)
    return "count" if whole or abs(value) >= 1000 else "plain"


def _waiting(found: Sequence[Assessment]) -> list[tuple[str, int]]:
    """Return what to run, and how many verdicts wait for it."""
    runs = [command for each in found for command in each.run]
    return [(command, runs.count(command)) for command in dict.fromkeys(runs)]
