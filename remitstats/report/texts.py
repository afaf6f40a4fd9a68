"""The report's texts: one catalogue file a language, looked up by dotted keys.

What a report shows is written in two ways. Texts of the report itself have a key, and each language
has them all in its ``texts_LANGUAGE.toml``. Words that come with the data, such as the description
of a parameter or a claim of a ledger, are English there; `Texts.said` says them in the report's
language where `phrases` knows them, and else as they are, marked with the language they are in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup, escape

from remitstats.errors import unknown
from remitstats.report.formats import PERCENT
from remitstats.report.phrases import Phrases, flat

LANGUAGES = ("en", "es")
"""Languages of a report, the default first; every report holds all of them."""


def require_language(language: str) -> str:
    """Return a language of reports.

    Raises
    ------
    RemitstatsError
        If there are no reports in it.
    """
    if language not in LANGUAGES:
        raise unknown("language", language, LANGUAGES)
    return language


class Texts:
    """A catalogue of texts.

    The catalogue's own texts are ours and may hold HTML; every value put into them is escaped
    unless it is `Markup` already.

    Parameters
    ----------
    language : str
        One of `LANGUAGES`; the file is ``texts_LANGUAGE.toml``.
    constants : Any
        Values that any text may use, such as the interval's name.
    """

    def __init__(self, language: str = "en", **constants: Any) -> None:
        self.language = language
        self.percent = PERCENT[language]
        self._texts = _catalogue(language)
        self._first = _catalogue(LANGUAGES[0])
        self._constants = constants
        self._phrases = Phrases(language)

    def __call__(self, key: str, **values: Any) -> Markup:
        """Return the text of a key with its placeholders filled.

        A text that a catalogue lacks is given in the first language, marked as such.
        """
        given = {**self._constants, **values}
        if key in self._texts:
            return Markup(self._texts[key].strip()).format(**given)  # noqa: S704
        found = Markup(self._first[key].strip()).format(**given)  # noqa: S704
        return Markup('<span lang="{}">{}</span>').format(LANGUAGES[0], found)

    def plain(self, key: str, **values: Any) -> str:
        """Return a text without HTML, for figures and attributes."""
        text = self._texts[key] if key in self._texts else self._first[key]
        return text.strip().format(**{**self._constants, **values})

    def with_constants(self, **constants: Any) -> Texts:
        """Return the same catalogue, whose texts may use further values."""
        return Texts(self.language, **{**self._constants, **constants})

    def said(self, text: Any, language: str = "en", about: str = "") -> Markup:
        """Return words that came with the data in the report's language.

        Parameters
        ----------
        text : Any
            The words, as they came.
        language : str
            The language they came in.
        about : str
            Id of a claim, where they are the words of one.

        Returns
        -------
        Markup
            Escaped; what there is no translation of is marked with its language.
        """
        found = self._phrases.find(str(text), about)
        if found is not None:
            return escape(found)
        if language == self.language or not any(letter.isalpha() for letter in str(text)):
            return escape(text)
        return Markup('<span lang="{}">{}</span>').format(language, text)

    def said_plain(self, text: Any, about: str = "") -> str:
        """Return such words without HTML, for figures and attributes."""
        found = self._phrases.find(str(text), about)
        return str(text) if found is None else found

    def place(self, name: Any) -> str:
        """Return the name of the country, a region or a state; a name of no such place as it is."""
        return self._phrases.place(str(name))

    def __contains__(self, key: str) -> bool:
        return key in self._first

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    source = files("remitstats.report") / f"texts_{language}.toml"
    return dict(flat(tomllib.loads(source.read_text(encoding="utf-8"))))
