"""The models that can be calibrated, one a module: what is drawn, and what is ranked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from remitstats.errors import unknown

if TYPE_CHECKING:
    from remitstats.panel.panel import Panel
    from remitstats.validation.calibration import Subject

MODELS = ("reliance", "macro", "dependence_state", "transition")
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
        If there is no such model, or the panel lacks what it needs.
    """
    if model not in MODELS:
        raise unknown("model to calibrate", model, MODELS)
    if model == "macro":
        from remitstats.validation.subjects.macro import Macro  # noqa: PLC0415 - one is needed

        return Macro.of(panel)
    if model == "dependence_state":
        from remitstats.validation.subjects.dependence_state import (  # noqa: PLC0415
            DependenceState,
        )

        return DependenceState.of(panel)
    if model == "transition":
        from remitstats.validation.subjects.transition import Transition  # noqa: PLC0415

        return Transition.of(panel)
    from remitstats.validation.subjects.reliance import Reliance  # noqa: PLC0415

    known = set(panel.table("state")["state"].astype(str)) if "state" in panel else set()
    chosen = states or (STATES if set(STATES) <= known else ())
    return Reliance(panel.select(list(chosen)) if chosen else panel)
