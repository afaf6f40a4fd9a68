"""The estimands there are, by name, in `MEASURES`."""

from __future__ import annotations

from remitstats.claims import measures_of_models, measures_of_panel
from remitstats.claims.measure import MEASURES, Measure

__all__ = ["MEASURES", "Measure", "measures_of_models", "measures_of_panel"]
