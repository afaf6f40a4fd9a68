"""Municipal codes (cvegeo): leading zeros, validity, and later municipalities into parents.

The unit of analysis is the municipality on the boundaries of the 2010 census: 2,456 of them.
Thirteen municipalities were created afterwards. Each is folded, whole, into the municipality
that most of its area came from. For 02006 to 23011 the shares come from an overlay of the 2015
and 2020 boundaries; Bacalar (23010) had left Othón P. Blanco (23004) already in 2011.

Folding whole moves a little land to the wrong side where the new municipality took from two: a
quarter of Emiliano Zapata (07123) came from 07027, an eighth of Coatetelco (17034) from 17017, and
less elsewhere. Area does not say where people live, so nobody is spread over two by a guess.
"""

from __future__ import annotations

import re

import pandas as pd

from remitstats.errors import PanelError, Problem

PARENTS: dict[str, str] = {
    "02006": "02001",  # San Quintín, from Ensenada
    "04012": "04004",  # Seybaplaya, from Champotón
    "07120": "07080",  # Capitán Luis Ángel Vidal, from Siltepec
    "07121": "07072",  # Rincón Chamula San Pedro, from Pueblo Nuevo Solistahuacán
    "07122": "07107",  # El Parral, from Villa Corzo
    "07123": "07002",  # Emiliano Zapata, from Acala (a quarter from Chiapa de Corzo)
    "07124": "07092",  # Mezcalapa, from Tecpatán
    "07125": "07080",  # Honduras de la Sierra, from Siltepec
    "17034": "17015",  # Coatetelco, from Miacatlán
    "17035": "17017",  # Xoxocotla, from Puente de Ixtla
    "17036": "17022",  # Hueyapan, from Tetela del Volcán
    "23010": "23004",  # Bacalar, from Othón P. Blanco
    "23011": "23005",  # Puerto Morelos, from Benito Juárez
}
"""Municipality created after the 2010 census -> the 2010 municipality it is folded into."""

NO_DATA_2000: tuple[str, ...] = (
    *("12077", "12078", "12079", "12080", "12081", "14125", "15123", "15124", "15125"),
    *("23009", "30211", "30212", "32058"),
)
"""Municipalities of 2010 that did not exist at the 2000 census: their 2000 figures are null."""

N_MUNICIPALITIES = 2456
N_STATES = 32

_CVEGEO = re.compile(r"(0[1-9]|[12]\d|3[0-2])(?!000)\d{3}")


def is_cvegeo(code: object) -> bool:
    """Return whether a value is a municipal code: text, 5 digits, a state from 01 to 32."""
    return isinstance(code, str) and _CVEGEO.fullmatch(code) is not None


def pad(code: object) -> str | None:
    """Return the code meant by one that lost its leading zero, or None if there is none.

    Examples
    --------
    >>> pad(1001)
    '01001'
    >>> pad("9.0") is None
    True
    """
    text = str(code).strip().removesuffix(".0")
    padded = text.zfill(5) if len(text) in (4, 5) else text
    return padded if is_cvegeo(padded) else None


def state_of(cvegeo: pd.Series[str]) -> pd.Series[str]:
    """Return the two digits of the state of each code."""
    return cvegeo.str.slice(0, 2)


def fold(cvegeo: pd.Series[str]) -> pd.Series[str]:
    """Return codes on 2010 boundaries: later municipalities become their parents."""
    return cvegeo.replace(PARENTS)


def check_parents(published: pd.DataFrame, where: str) -> None:
    """Refuse an overlay of boundaries that names other main parents than `PARENTS`.

    Parameters
    ----------
    published : DataFrame
        ``cvegeo``, ``parent``, ``area_share``, as `remitstats.sources.geo.read_parents` gives.
    where : str
        Name of the file, for the message.

    Raises
    ------
    PanelError
        Naming each municipality whose parent is another one or not known.
    """
    main = published.sort_values("area_share").drop_duplicates("cvegeo", keep="last")
    problems = [
        Problem(where, later, "parent", parent, PARENTS.get(later, "no such code"))
        for later, parent in main[["cvegeo", "parent"]].astype(str).to_numpy()
        if PARENTS.get(later) != parent
    ]
    if problems:
        raise PanelError(f"{where} names other parents than the panel folds into.", problems)
