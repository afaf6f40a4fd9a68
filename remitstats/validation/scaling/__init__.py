"""Models whose priors can be power-scaled, one a module: log densities of the draws of a fit."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from remitstats.errors import unknown

if TYPE_CHECKING:
    from remitstats.validation.sensitivity import Scaling

MODELS = ("reliance", "macro", "circle")


def scaling_of(model: str) -> Scaling:
    """Return what makes log densities of the fits of a model.

    Raises
    ------
    RemitstatsError
        If the model is not one of `MODELS`.
    """
    if model not in MODELS:
        raise unknown("model to power-scale", model, MODELS)
    found: Scaling = importlib.import_module(f"{__name__}.{model}").scaled
    return found
