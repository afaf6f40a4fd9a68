"""How a country writes the codes of its municipalities and states.

Mexico's are five digits and their first two. A panel of another country says how its own are
written, under ``codes`` in its metadata::

    {"country": "El Salvador", "codes": {"municipality": "9999", "state": "99"}}

A form is a pattern in which 9 stands for a digit, A for a capital letter and every other character
for itself, or the word ``any``. It is no regular expression: files that somebody else wrote must
not be able to keep the program busy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

from remitstats.errors import Problem
from remitstats.panel import words
from remitstats.panel.columns import CVEGEO, STATE
from remitstats.panel.schema import TABLES
from remitstats.panel.spec import ColumnSpec, TableSpec

LONGEST = 20
MEXICO = (None, "Mexico", "México")
KEY = "codes"
_ANY = "any"
_ANY_PATTERN = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}"
_FORM = re.compile(_ANY_PATTERN)
_PARTS = ("municipality", "state")
_ACCEPTED = (
    f"any, or a form of 1 to {LONGEST} characters such as 9999 or AA-99: 9 for a digit, A for a "
    "capital letter, other letters, digits, '-', '_' and '.' for themselves"
)


@dataclass(frozen=True)
class CodeForm:
    """How a code is written.

    Parameters
    ----------
    form : str
        Such as ``9999``; see the module's text.
    """

    form: str

    @cached_property
    def pattern(self) -> str:
        """Regular expression that every code matches as a whole."""
        if self.form == _ANY:
            return _ANY_PATTERN
        parts = []
        for character, run in groupby(self.form):
            length = len(list(run))
            kind = {"9": "[0-9]", "A": "[A-Z]"}.get(character)
            parts.append(re.escape(character) * length if kind is None else f"{kind}{{{length}}}")
        return "".join(parts)

    def matches(self, code: str) -> bool:
        """Whether a text is a code of this form."""
        return re.fullmatch(self.pattern, code) is not None

    def padded(self, code: str) -> str:
        """Return a code of digits with the leading zeros that it may have lost."""
        return code.zfill(len(self.form)) if set(self.form) == {"9"} else code

    @property
    def in_words(self) -> str:
        """What is accepted, for messages."""
        if self.form == _ANY:
            return f"text of 1 to {LONGEST} letters, digits, '-', '_' or '.'"
        return f"text written like {self.form} (9 for a digit, A for a capital letter)"


@dataclass(frozen=True)
class Codes:
    """How the codes of a panel are written.

    Parameters
    ----------
    municipality, state : CodeForm
        Of the two kinds of codes.
    own : bool
        Whether the panel says so itself, as one of another country does; if not, they are written
        as Mexico's are.
    """

    municipality: CodeForm
    state: CodeForm
    own: bool = False

    def state_of(self, code: str) -> str:
        """Return the state of a municipality, as far as its code alone tells.

        The beginning of the code, if that is written as codes of states are; else one code for
        all, which are one group then.
        """
        if self.state.form == _ANY:
            return "all"
        start = code[: len(self.state.form)]
        known = len(start) < len(code) and self.state.matches(start)
        return start if known else self.state.form.replace("9", "0")


MEXICAN = Codes(CodeForm("99999"), CodeForm("99"))


def codes_of(metadata: Mapping[str, Any]) -> Codes:
    """Return how the codes of a panel with these metadata are written.

    What `problems_of_codes` finds wrong is taken for codes written as Mexico's.
    """
    given = metadata.get(KEY)
    if given is None or problems_of_codes(metadata):
        return MEXICAN
    municipality, state = (CodeForm(given.get(part, _ANY)) for part in _PARTS)
    return Codes(municipality, state, own=True)


def tables_for(codes: Codes) -> Mapping[str, TableSpec]:
    """Return the schema of a panel whose codes are written in some way.

    Parameters
    ----------
    codes : Codes
        As `codes_of` tells from the panel's metadata.
    """
    if not codes.own:
        return TABLES
    forms = {CVEGEO: ("municipality", codes.municipality), STATE: ("state", codes.state)}

    def own(column: ColumnSpec) -> ColumnSpec:
        if column.pattern not in forms:
            return column
        kind, form = forms[column.pattern]
        accepted = f"the code of a {kind} as {form.in_words}"
        return replace(column, pattern=form.pattern, accepted=accepted)

    return {
        name: replace(table, columns=tuple(map(own, table.columns)))
        for name, table in TABLES.items()
    }


def problems_of_codes(metadata: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with what a panel's metadata say of its codes."""
    given = metadata.get(KEY)
    if given is None:
        return []
    if not isinstance(given, Mapping):
        found, accepted = words.show(given), 'an object such as {"municipality": "9999"}'
        return [_problem(KEY, found, accepted)]
    problems = [
        _problem(f"{KEY}.{words.name(part)}", words.show(form), _ACCEPTED)
        if part in _PARTS
        else _problem(
            f"{KEY}.{words.name(part)}",
            "an unknown name",
            " and ".join(_PARTS),
            words.nearest(str(part), _PARTS),
        )
        for part, form in given.items()
        if part not in _PARTS or not (isinstance(form, str) and _FORM.fullmatch(form))
    ]
    country = metadata.get("country")
    if country in MEXICO or not isinstance(country, str):
        remedy = f"name the country, or leave out {KEY}: Mexico's codes are known"
        problems.append(_problem("country", words.show(country), "the name of the country", remedy))
    return problems


def problems_of_another_country(metadata: Mapping[str, Any]) -> list[Problem]:
    """Return why a panel can't be used for a model that is of Mexico; nothing if it can."""
    if not codes_of(metadata).own:
        return []
    accepted = "Mexico, whose publishers, censuses and breaks of series the model knows"
    return [_problem("country", words.show(metadata.get("country")), accepted)]


def _problem(place: str, found: str, accepted: str, remedy: str = "") -> Problem:
    return words.problem("metadata.json", "-", place, found, accepted, remedy)
