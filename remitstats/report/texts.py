"""The report's texts: one catalogue file a language, looked up by dotted keys."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from markupsafe import Markup


class Texts:
    """A catalogue of texts.

    The catalogue's own texts are ours and may hold HTML; every value put into them is escaped
    unless it is `Markup` already.

    Parameters
    ----------
    language : str
        ``en``; the file is ``texts_LANGUAGE.toml``.
    constants : Any
        Values that any text may use, such as the interval's name.
    """

    def __init__(self, language: str = "en", **constants: Any) -> None:
        source = files("remitstats.report") / f"texts_{language}.toml"
        self.language = language
        self._texts = dict(_flat(tomllib.loads(source.read_text(encoding="utf-8"))))
        self._constants = constants

    def __call__(self, key: str, **values: Any) -> Markup:
        """Return the text of a key with its placeholders filled."""
        return Markup(self._texts[key].strip()).format(**{**self._constants, **values})  # noqa: S704

    def plain(self, key: str, **values: Any) -> str:
        """Return a text without HTML, for figures and attributes."""
        return self._texts[key].strip().format(**{**self._constants, **values})

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
