"""The models that can be calibrated, one a module: what is drawn, and what is ranked."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from remitstats.errors import RemitstatsError, unknown

if TYPE_CHECKING:
    from remitstats.panel.panel import Panel
    from remitstats.validation.calibration import Subject

PLACES = {
    "reliance": "Reliance",
    "macro": "Macro.of",
    "dependence_state": "DependenceState.of",
    "transition": "Transition.of",
    "depopulation": "Depopulation",
    "dependence": "Dependence.of",
    "paid_out": "PaidOut.of",
}
"""By model, what in its module makes the subject of a panel; imported when it is needed."""
MODELS = tuple(PLACES)
MUNICIPAL = ("reliance", "depopulation", "dependence", "paid_out")
"""Models of municipalities, which are simulated on some states."""
STATES = ("01", "06", "22")
"""Whose geography is simulated where a model has municipalities and nothing else is asked for."""


def subject_of(model: str, panel: Panel, states: Sequence[str] = ()) -> Subject:
    """Return a model to be calibrated.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    panel : Panel
        Whose geography, sampling sizes and gaps are taken.
    states : sequence of str
        Whose municipalities; `STATES` where none is given and the panel has them, else all.

    Raises
    ------
    RemitstatsError
        If there is no such model, it knows no states, or the panel lacks what it needs.
    """
    if model not in MODELS:
        raise unknown("model to calibrate", model, MODELS)
    if states and model not in MUNICIPAL:
        raise RemitstatsError(
            f"The model '{model}' is simulated whole: --states is for {', '.join(MUNICIPAL)}."
        )
    if model in MUNICIPAL:
        known = set(panel.table("state")["state"].astype(str)) if "state" in panel else set()
        chosen = states or (STATES if set(STATES) <= known else ())
        panel = panel.select(list(chosen)) if chosen else panel
    module = importlib.import_module(f"{__name__}.{model}")
    found: Subject = attrgetter(PLACES[model])(module)(panel)
    return found
