"""What identifies a fit: data, model, priors, settings and the code that ran."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from remitstats.fitting.settings import Settings

CODE = ("parts", "models", "fitting", "estimands")  # what a fit and its summaries depend on


@functools.cache
def code_version() -> str:
    """Return a hash of the code that fits and summarises depend on, 16 hexadecimal digits."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def code_of(*patterns: str) -> str:
    """Return a hash of some of the package's code, 16 hexadecimal digits.

    Parameters
    ----------
    patterns : str
        Files below the package, such as ``models/circle*.py``.

    Raises
    ------
    ValueError
        If a pattern finds no file: whatever it stood for would go unnoticed.
    """
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for pattern in patterns:
        paths = sorted(root.glob(pattern))
        if not paths:
            raise ValueError(f"no code in {pattern}")
        for path in paths:
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def fit_key(specification: dict[str, Any], panel_hash: str, settings: Settings) -> str:
    """Return the key of a fit: equal exactly when a finished fit may be used again.

    Parameters
    ----------
    specification : dict
        Priors and design of the model, as plain values.
    panel_hash : str
        `Panel.hash` of the data.
    settings : Settings
        Engine, lengths and seed.
    """
    parts = {
        "specification": specification,
        "panel": panel_hash,
        "settings": settings.describe(),
        "code": code_version(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
