"""Names of municipalities, as Banco de México prints them, to codes.

CE166 identifies municipalities by state and name only. A name counts as exact if it is that of
the 2010 index of CONAPO letter by letter, as accent-folded if it is so without accents, case and
punctuation. The six that remain are resolved here one by one, with the reason. Nothing is guessed:
a name that is none of these stops the build and shows the nearest names.
"""

from __future__ import annotations

import difflib
import unicodedata

import pandas as pd

from remitstats.errors import PanelError, Problem
from remitstats.geography.regions import STATE_NAMES

EXPLICIT: dict[tuple[str, str], tuple[str, str]] = {
    ("11", "Dolores Hidalgo Cuna de la Independencia Nal."): (
        "11014",
        "renamed: abbreviates 'Nacional' in Dolores Hidalgo Cuna de la Independencia Nacional.",
    ),
    ("20", "San Juan Mixtepec - Distr. 08 -"): (
        "20208",
        "ambiguous: two municipalities of Oaxaca are called San Juan Mixtepec; the one in "
        "district 08 is 20208, which CONAPO writes 'San Juan Mixtepec -Dto. 08 -'.",
    ),
    ("20", "San Juan Mixtepec - Distr. 26 -"): (
        "20209",
        "ambiguous: two municipalities of Oaxaca are called San Juan Mixtepec; the one in "
        "district 26 is 20209, which CONAPO writes 'San Juan Mixtepec -Dto. 26 -'.",
    ),
    ("20", "San Pedro Mixtepec - Distr. 22 -"): (
        "20318",
        "ambiguous: two municipalities of Oaxaca are called San Pedro Mixtepec; the one in "
        "district 22 is 20318, which CONAPO writes 'San Pedro Mixtepec -Dto. 22 -'.",
    ),
    ("20", "San Pedro Mixtepec - Distr. 26 -"): (
        "20319",
        "ambiguous: two municipalities of Oaxaca are called San Pedro Mixtepec; the one in "
        "district 26 is 20319, which CONAPO writes 'San Pedro Mixtepec -Dto. 26 -'.",
    ),
    ("20", "Zapotitlán del Río"): (
        "20566",
        "renamed: INEGI's census tables call 20566 Zapotitlán del Río, CONAPO's indices call it "
        "San Mateo Yucutindó.",
    ),
}
"""(state, name as published) -> (cvegeo, how it was resolved)."""

DISPLAY_NAMES: dict[str, str] = {
    "20208": "San Juan Mixtepec (Distrito 08)",
    "20209": "San Juan Mixtepec (Distrito 26)",
    "20318": "San Pedro Mixtepec (Distrito 22)",
    "20319": "San Pedro Mixtepec (Distrito 26)",
}
"""Names that the 2020 census leaves ambiguous within Oaxaca, told apart by their district."""


def fold_name(name: str) -> str:
    """Return a name without accents, case and punctuation, for comparison.

    Examples
    --------
    >>> fold_name("  Gral. Zuazua ") == fold_name("GRAL ZUAZUA")
    True
    """
    marked = unicodedata.normalize("NFKD", name).casefold()
    letters = (letter for letter in marked if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters).split())


_STATE_CODES = {
    # CE166 calls state 15 "Estado de México" in its total and "México" in its municipalities.
    **{fold_name(name): code for code, name in STATE_NAMES.items()},
    fold_name("Estado de México"): "15",
}


def resolve_states(published: pd.Series[str]) -> pd.Series[str]:
    """Return the code of each state from the name Banco de México gives it.

    Raises
    ------
    PanelError
        For names of no state.
    """
    codes = {name: _STATE_CODES.get(fold_name(name)) for name in published.unique()}
    unknown = [name for name, code in codes.items() if code is None]
    if unknown:
        accepted = ", ".join(STATE_NAMES.values())
        raise PanelError(
            "Not every name of a state is known.",
            [Problem("banxico-ce166", "Título", "state", repr(name), accepted) for name in unknown],
        )
    return published.map(codes)


def resolve_names(published: pd.DataFrame, municipalities: pd.DataFrame) -> pd.DataFrame:
    """Return the code of every published name, each municipality exactly once.

    Parameters
    ----------
    published : DataFrame
        ``state``, ``name`` as Banco de México prints them, one row a series.
    municipalities : DataFrame
        ``cvegeo``, ``name`` of all municipalities that must be found.

    Returns
    -------
    DataFrame
        ``state``, ``published_name``, ``cvegeo``, ``how``: "exact", "accent-folded", or
        "renamed: …" / "ambiguous: …" with a sentence.

    Raises
    ------
    PanelError
        For names without a municipality (with the nearest names of the state), names that fit
        two, and municipalities without a name.
    """
    exact: dict[tuple[str, str], list[str]] = {}
    folded: dict[tuple[str, str], list[str]] = {}
    for code, name in municipalities[["cvegeo", "name"]].itertuples(index=False):
        exact.setdefault((code[:2], name), []).append(code)
        folded.setdefault((code[:2], fold_name(name)), []).append(code)
    problems: list[Problem] = []
    rows = []
    for state, name in published[["state", "name"]].itertuples(index=False):
        if (state, name) in EXPLICIT:
            code, how = EXPLICIT[state, name]
            rows.append((state, name, code, how))
        elif len(codes := exact.get((state, name), [])) == 1:
            rows.append((state, name, codes[0], "exact"))
        elif len(codes := folded.get((state, fold_name(name)), [])) == 1:
            rows.append((state, name, codes[0], "accent-folded"))
        else:
            problems.append(_unresolved(state, name, codes, municipalities))
    resolved = pd.DataFrame(rows, columns=["state", "published_name", "cvegeo", "how"])
    problems += _incomplete(resolved, municipalities)
    if problems:
        raise PanelError("Not every name of a municipality leads to one code.", problems)
    return resolved.sort_values(["state", "cvegeo"], ignore_index=True)


def _unresolved(state: str, name: str, codes: list[str], municipalities: pd.DataFrame) -> Problem:
    if codes:
        accepted = "a name that fits one municipality, not " + " and ".join(codes)
    else:
        known = municipalities.loc[municipalities["cvegeo"].str.startswith(state), "name"]
        by_fold = {fold_name(other): other for other in known}
        near = difflib.get_close_matches(fold_name(name), list(by_fold), n=3, cutoff=0.4)
        nearest = ", ".join(by_fold[other] for other in near) or "none"
        accepted = f"a municipality of state {state} (nearest: {nearest})"
    return Problem("banxico-ce166", f"state {state}", "Título", repr(name), accepted)


def _incomplete(resolved: pd.DataFrame, municipalities: pd.DataFrame) -> list[Problem]:
    counts = resolved["cvegeo"].value_counts()
    names = municipalities.set_index("cvegeo")["name"]
    never = [code for code in names.index if code not in counts.index]
    found = {code: f"no series of {names[code]}" for code in never}
    found |= {str(code): f"{count} series" for code, count in counts.items() if count > 1}
    return [
        Problem("banxico-ce166", f"cvegeo={code}", "Título", what, "one series")
        for code, what in found.items()
    ]
