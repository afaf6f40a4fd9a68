"""Words that come with the data, in another language: descriptions, reasons, claims, names.

``phrases_LANGUAGE.toml`` has the English words as keys and the other language's as values; words
put together by the program hold ``{placeholders}``. What stands in one is said in the other
language too where it is known. A placeholder whose name begins with ``number`` holds a number
only, one that begins with ``year`` a year, ``2025/26`` or a quarter, one that begins with
``chance`` a probability, one that begins with ``names`` some names after each other; any other
holds anything.

The words of the shipped ledger have a file of their own, ``claims/ledger_LANGUAGE.toml``, by id of
the claim: a claim of that id in a ledger of somebody's own is said in the other language only as
far as its words are those of ours.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

COMMON = "common"
"""Words in a file of phrases of a ledger that several claims share."""

PLACES = "places"
"""Names in a file of phrases that are those of places alone."""

_KINDS = {
    "number": r"[-−+]?\d[\d.,]*",
    "year": r"\d{4}(?:Q\d|/\d\d)?",
    "chance": r"(?:below |above )?\d[\d.]*",
}


class Phrases:
    """Phrases of one language; of English there are none, since words come in it.

    Parameters
    ----------
    language : str
        What to say them in.
    """

    def __init__(self, language: str) -> None:
        self._places = dict(_read("report", "phrases", language).get(PLACES, {}))
        self._exact, self._patterns = _phrases(language)
        self._of_claims = _read("claims", "ledger", language)

    def find(self, text: str, about: str = "") -> str | None:
        """Return the words for a text, with its first letter as in the text; None if unknown.

        Parameters
        ----------
        text : str
            English words.
        about : str
            Id of the claim that they are of, if any.
        """
        claim, common = self._of_claims.get(about, {}), self._of_claims.get(COMMON, {})
        low = text[:1].lower() + text[1:]
        for table in (claim, common, self._exact):
            for words in (text, low):
                if words in table:
                    found = str(table[words])
                    return found if words == text else found[:1].upper() + found[1:]
        if "; " in text:  # several sources beside each other
            said = [self.find(part, about) for part in text.split("; ")]
            if all(said):
                return "; ".join(map(str, said))
        for pattern, wording in self._patterns:
            for words in (text, low):
                match = pattern.fullmatch(words)
                if match:
                    parts = {k: self._part(k, v, about) for k, v in match.groupdict().items()}
                    found = wording.format(**parts)
                    return found if words == text else found[:1].upper() + found[1:]
        return None

    def place(self, name: str) -> str:
        """Return the name of a place; as it is where it has no other."""
        return str(self._places.get(name, name))

    def _part(self, kind: str, text: str, about: str) -> str:
        if kind.startswith("names"):
            return ", ".join(self._part("", name, about) for name in text.split(", "))
        found = self.find(text, about)
        return self.place(text) if found is None else found


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return the texts of nested tables by dotted key."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


@cache
def _read(package: str, name: str, language: str) -> Mapping[str, Mapping[str, str]]:
    path = files(f"remitstats.{package}") / f"{name}_{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


@cache
def _phrases(language: str) -> tuple[Mapping[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Return phrases without placeholders, and the others in the order of the file."""
    exact, patterns = {}, []
    for section, table in _read("report", "phrases", language).items():
        if section == PLACES:
            continue
        for text, wording in table.items():
            if "{" in text:
                patterns.append((re.compile(_expression(text), re.DOTALL), wording))
            else:
                exact[text] = wording
    return exact, tuple(patterns)


def _expression(text: str) -> str:
    """Return the regular expression that a phrase with placeholders stands for."""
    parts = re.split(r"\{(\w+)\}", text)
    found = []
    for i, part in enumerate(parts):
        if i % 2 == 0:
            found.append(re.escape(part))
            continue
        kind = next((kind for name, kind in _KINDS.items() if part.startswith(name)), ".+?")
        found.append(f"(?P<{part}>{kind})")
    return "".join(found)
