"""What every page of a model may need beside its results: panel, place, texts, map shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from remitstats.report.scope import Scope
from remitstats.report.shapes import MapShapes, load_state_shapes
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    import pandas as pd

    from remitstats.panel.panel import Panel


@dataclass(frozen=True)
class Surroundings:
    """What a model's page is drawn in.

    Parameters
    ----------
    panel : Panel
        The panel that was fitted.
    units : DataFrame
        ``cvegeo`` and ``state`` of the municipalities, one row each.
    scope : Scope
        What the report covers, in words.
    texts : Texts
        The catalogue.
    shapes : MapShapes or None
        Shapes of the municipalities; None leaves out maps.
    """

    panel: Panel
    units: pd.DataFrame
    scope: Scope
    texts: Texts
    shapes: MapShapes | None

    @cached_property
    def population(self) -> pd.Series[float] | None:
        """Persons counted last in each municipality, by its code; None where none were counted."""
        if "municipality_census" not in self.panel:
            return None
        counts = self.panel.table("municipality_census").dropna(subset=["population"])
        newest = counts.sort_values("year").drop_duplicates("cvegeo", keep="last")
        return newest.set_index("cvegeo")["population"].astype(float) if len(newest) else None

    @cached_property
    def states(self) -> MapShapes | None:
        """Shapes of the states, made of those of their municipalities; None leaves out maps."""
        return load_state_shapes(self.panel, self.units)

    def in_language(self, scope: Scope, texts: Texts) -> Surroundings:
        """Return the same in another language; shapes of the states are made once for all."""
        found = replace(self, scope=scope, texts=texts)
        found.__dict__["states"] = self.states
        return found
