"""Reading a ledger from TOML; every mistake is told with line, key and what is accepted."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from remitstats.claims.ledger import BASES, KINDS, Claim, ClaimTest, Ledger, LedgerError
from remitstats.claims.lines import find_lines, line_of
from remitstats.claims.measure import ACCEPTED, Measure
from remitstats.claims.measures import MEASURES
from remitstats.claims.rules import KINDS as RULES
from remitstats.claims.rules import OPTIONS, Rule
from remitstats.errors import RemitstatsError
from remitstats.untrusted import parse_toml, read_text

SHIPPED = "ledger.toml"
FORMAT = 1
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TOP = ("format", "title", "source", "language", "rule", "claim")
_CLAIM = (
    *("id", "kind", "section", "says", "value", "unit", "date", "data", "caveats", "needs"),
    "test",
)
_TEST = ("basis", "estimand", "at", "rule", "value", "note")
_FIGURE = "a number, or two in rising order such as [80, 90]"
_TEXTS = "a list of texts"
Place = tuple[str | int, ...]


def read_ledger(path: str | Path | None = None) -> Ledger:
    """Read a ledger.

    Parameters
    ----------
    path : path-like, optional
        The TOML file; by default the shipped ledger of Delgado Wise and Márquez (2006).

    Raises
    ------
    LedgerError
        With every mistake: line, key, what was found, what is accepted.
    RemitstatsError
        If there is no such file or it can't be read.
    """
    place = Path(str(files("remitstats.claims") / SHIPPED)) if path is None else Path(path)
    text = _text(place)
    try:
        content = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise LedgerError(place, [f"it is not TOML: {error}"]) from error
    reader = _Reader(find_lines(text.replace("\r\n", "\n")))
    found = reader.ledger(content, place)
    if reader.problems:
        raise LedgerError(place, [said for _, said in sorted(reader.problems)])
    return found


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError as error:
        raise RemitstatsError(f"There is no ledger at {path}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise LedgerError(path, ["it is not text in UTF-8: save it as such"]) from error
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise RemitstatsError(f"The ledger {path} can't be read: {reason}.") from error


class _Reader:
    """Reads the parts of a ledger and collects what is wrong with them."""

    def __init__(self, lines: dict[Place, int]) -> None:
        self.lines = lines
        self.problems: list[tuple[int, str]] = []

    def problem(self, place: Place, found: Any, accepted: str) -> None:
        """Note a value that can't be used."""
        shown = "nothing" if found is None else _shown(found)
        self._say(place, f"found {shown}; accepted: {accepted}")

    def _say(self, place: Place, what: str) -> None:
        line = line_of(self.lines, place)
        key = next((part for part in reversed(place) if isinstance(part, str)), "-")
        self.problems.append((line, f"line {line}, key {key}: {what}"))

    def names(self, place: Place, table: Mapping[str, Any], known: Iterable[str]) -> None:
        """Note keys that mean nothing."""
        for key in table:
            if key not in known:
                self._say((*place, key), f"there is no such key{_near(key, known)}")

    def choice(self, place: Place, value: Any, known: Iterable[str]) -> bool:
        """Whether a value is one of some names; a mistake is noted."""
        if isinstance(value, str) and value in known:
            return True
        names = list(known)
        near = _near(value, names) if isinstance(value, str) else f"; one of: {', '.join(names)}"
        self._say(place, f"found {'nothing' if value is None else _shown(value)}{near}")
        return False

    def text(self, place: Place, table: Mapping[str, Any], *, required: bool = True) -> str:
        """Return the text at the end of a place."""
        value = table.get(str(place[-1]))
        if isinstance(value, str) and (value.strip() or not required):
            return value.strip()
        if value is None and not required:
            return ""
        self.problem(place, value, "a text")
        return ""

    def texts(self, place: Place, table: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the list of texts at the end of a place."""
        value = table.get(str(place[-1]), [])
        if isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(v.strip() for v in value)
        self.problem(place, value, _TEXTS)
        return ()

    def figure(self, place: Place, table: Mapping[str, Any]) -> tuple[float, float] | None:
        """Return the figure at the end of a place as its ends; None if there is none."""
        value = table.get(str(place[-1]))
        if value is None:
            return None
        ends = value if isinstance(value, list) else [value]
        if len(ends) in (1, 2) and all(map(_is_number, ends)) and ends[0] <= ends[-1]:
            low, high = float(ends[0]), float(ends[-1])
            return low, high
        self.problem(place, value, _FIGURE)
        return None

    def ledger(self, content: Mapping[str, Any], path: Path) -> Ledger:
        """Return the whole ledger."""
        self.names((), content, _TOP)
        if content.get("format") != FORMAT or isinstance(content.get("format"), bool):
            self.problem(("format",), content.get("format"), f"{FORMAT}")
        title = self.text(("title",), content)
        source = self.text(("source",), content)
        rules = self.rules(content.get("rule", {}))
        given = content.get("claim")
        if not isinstance(given, list) or not all(isinstance(c, dict) for c in given) or not given:
            self.problem(("claim",), given, "[[claim]] tables, at least one")
            given = []
        claims = [self.claim(("claim", i), table, rules) for i, table in enumerate(given)]
        first: dict[str, int] = {}
        for i, claim in enumerate(claims):
            if claim.id in first and claim.id:
                line = line_of(self.lines, ("claim", first[claim.id], "id"))
                accepted = f"an id of its own; line {line} has it already"
                self.problem(("claim", i, "id"), claim.id, accepted)
            first.setdefault(claim.id, i)
        language = self.language(content)
        return Ledger(title, source, rules, tuple(claims), path, language)

    def language(self, content: Mapping[str, Any]) -> str:
        """Return the language of the ledger's words."""
        value = content.get("language", "en")
        if isinstance(value, str) and _LANGUAGE.fullmatch(value):
            return value
        self.problem(("language",), value, "a code such as en or es-MX")
        return "en"

    def rules(self, given: Any) -> dict[str, Rule]:
        """Return the rules by name."""
        if not isinstance(given, dict):
            self.problem(("rule",), given, "[rule.NAME] tables")
            return {}
        found = {}
        for name, table in given.items():
            place: Place = ("rule", name)
            if not isinstance(table, dict):
                self.problem(place, table, f"a table [rule.{name}]")
                continue
            if not self.choice((*place, "is"), table.get("is"), RULES):
                continue
            kind = table["is"]
            self.names(place, table, ("is", "why", *OPTIONS[kind]))
            limits = {}
            for key in OPTIONS[kind]:
                if key in table and not _is_number(table[key]):
                    self.problem((*place, key), table[key], "a number")
                elif key in table:
                    limits[key] = float(table[key])
            try:
                found[name] = Rule(name, kind, self.text((*place, "why"), table), **limits)
            except ValueError as error:
                self._say(place, f"{error}")
        return found

    def claim(self, place: Place, table: Mapping[str, Any], rules: Mapping[str, Rule]) -> Claim:
        """Return a claim."""
        self.names(place, table, _CLAIM)
        name = self.text((*place, "id"), table)
        if name and not _ID.fullmatch(name):
            accepted = "small letters, digits and single hyphens, such as paper-eight-percent"
            self.problem((*place, "id"), name, accepted)
        self.choice((*place, "kind"), table.get("kind"), KINDS)
        value = self.figure((*place, "value"), table)
        for key in ("unit", "date") if value is not None else ():
            self.text((*place, key), table)
        given = table.get("test", [])
        if not isinstance(given, list) or not all(isinstance(test, dict) for test in given):
            self.problem((*place, "test"), given, "[[claim.test]] tables")
            given = []
        tests = [self.test((*place, "test", i), t, rules, value) for i, t in enumerate(given)]
        claim = Claim(
            id=name,
            kind=str(table.get("kind")),
            section=self.text((*place, "section"), table),
            says=self.text((*place, "says"), table),
            value=value,
            unit=self.text((*place, "unit"), table, required=False),
            date=self.text((*place, "date"), table, required=False),
            data=self.texts((*place, "data"), table),
            caveats=self.texts((*place, "caveats"), table),
            needs=self.text((*place, "needs"), table, required=False),
            tests=tuple(test for test in tests if test is not None),
        )
        decides = any(test.get("basis") != "beside" for test in given)
        if not decides and not claim.needs:
            accepted = "which data would be needed: no test of this claim decides it"
            self.problem((*place, "needs"), table.get("needs"), accepted)
        return claim

    def test(
        self,
        place: Place,
        table: Mapping[str, Any],
        rules: Mapping[str, Rule],
        value: tuple[float, float] | None,
    ) -> ClaimTest | None:
        """Return a test; None if it can't be used."""
        before = len(self.problems)
        self.names(place, table, _TEST)
        self.choice((*place, "basis"), table.get("basis"), BASES)
        known = self.choice((*place, "estimand"), table.get("estimand"), MEASURES)
        ruled = self.choice((*place, "rule"), table.get("rule"), rules)
        claimed = self.figure((*place, "value"), table) or value
        note = self.text((*place, "note"), table, required=False)
        at = table.get("at", {})
        if known:
            at = self.arguments((*place, "at"), at, MEASURES[table["estimand"]])
        if known and ruled:
            rule, measure = rules[table["rule"]], MEASURES[table["estimand"]]
            if rule.needs != measure.gives:
                fitting = [n for n, r in rules.items() if r.needs == measure.gives]
                self.problem(
                    (*place, "rule"),
                    rule.name,
                    f"a rule for a {measure.gives}, which is what {measure.name} gives; here: "
                    f"{', '.join(fitting) or 'none'}",
                )
            elif rule.kind == "near" and claimed is not None and 0.0 in claimed:
                self.problem(
                    (*place, "value"),
                    0,
                    "a figure other than 0: nothing is within some per cent of it",
                )
            elif rule.against_figure and claimed is None:
                self.problem((*place, "value"), None, f"{_FIGURE}; the rule {rule.name} needs it")
        if len(self.problems) > before:
            return None
        rule = rules[table["rule"]]
        shown = claimed if rule.against_figure else None
        return ClaimTest(table["basis"], table["estimand"], at, rule, shown, note)

    def arguments(self, place: Place, at: Any, measure: Measure) -> Mapping[str, Any]:
        """Return what an estimand is asked for, after a look at names and kinds."""
        if not isinstance(at, dict):
            self.problem(place, at, f"a table with {', '.join(measure.parameters) or 'nothing'}")
            return {}
        self.names(place, at, measure.parameters)
        for name in measure.required:
            if name not in at:
                kind = ACCEPTED[measure.parameters[name]]
                self.problem((*place, name), None, f"{kind}; {measure.name} needs it")
        for name, value in at.items():
            if name in measure.parameters and not measure.accepts(name, value):
                self.problem((*place, name), value, ACCEPTED[measure.parameters[name]])
        return at


def _near(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return f"{hint}; one of: {', '.join(names)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) < 1e300
    )
