"""Numbers in pages, each marked with where it stands in ``results.json`` or the summaries.

``<data value="5.055" data-source="group|nation,MX,2020|median" data-kind="percent">5.06</data>``
lets a test, or a reader with a browser's inspector, follow every number back to its source. Results
that lie in a folder of their own carry its name: ``circle/link|…``, ``circle/results.json|…``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from remitstats.report.formats import MISSING, PERCENT, show

# Columns that tell the rows of a table apart; "NAME/table" where those of a model are others.
KEYS: Mapping[str, tuple[str, ...]] = {
    "level": ("cvegeo", "wave"),
    "change": ("cvegeo", "from_wave", "to_wave"),
    "group": ("level", "code", "wave"),
    "group_change": ("level", "code", "from_wave", "to_wave"),
    "predictive": ("statistic", "wave"),
    "parameter": ("name",),
    "link": ("level", "code", "interval", "reading", "to", "from"),
    "natural": ("change", "variable", "loop", "years"),
    "loop": ("level", "code", "reading", "quantity"),
    "regime": ("level", "code", "reading", "delta"),
    "impulse": ("level", "code", "loop", "variable", "years"),
    "specification": ("specification", "reading", "quantity"),
    "confusion": ("scenario", "verdict"),
    "coverage": ("scenario", "to", "from"),
    "agreement": ("scenario",),
    "contribution": ("cvegeo",),
    "moved": ("quantity",),
    "confounding": ("to", "from"),
    "comparison": ("variant",),
    "prediction": ("variant", "variable"),
    "depopulation/group": ("level", "code", "interval", "quantity"),
    "depopulation/share": ("kind", "definition", "period"),
    "depopulation/change": ("kind", "definition", "first", "last"),
    "depopulation/persistence": ("kind", "period", "given"),
    "depopulation/link": ("measure", "wave", "interval", "within", "quantity"),
    "depopulation/outlook": ("cvegeo", "year"),
    "depopulation/future": ("level", "code", "year", "quantity"),
    "depopulation/hindcast": ("forecast", "quantity", "level"),
    "depopulation/predictive": ("statistic", "interval"),
    "macro/growth": ("source", "year"),
    "macro/window": ("source", "window"),
    "macro/difference": ("window", "against"),
    "macro/turn": ("source",),
    "macro/coverage": ("year",),
    "macro/predictive": ("statistic", "source"),
    "macro/parameter": ("name", "source"),
    "dependence/level": ("cvegeo", "window"),
    "dependence/growth": ("cvegeo", "period"),
    "dependence/rank": ("cvegeo",),
    "dependence/path_growth": ("level", "code", "period"),
    "dependence/nation": ("quantity", "of"),
    "dependence/concentration": ("year", "top"),
    "dependence/income_sensitivity": ("year", "income_sd", "percent"),
    "dependence/predictive": ("statistic", "reporting"),
    "dependence_state/level": ("code", "year", "quantity"),
    "dependence_state/change": ("code", "from_year", "to_year"),
    "dependence_state/tendency": ("code",),
    "dependence_state/rank": ("code", "year"),
    "dependence_state/rank_change": ("code", "from_year", "to_year"),
    "dependence_state/concentration": ("year", "quantity"),
    "dependence_state/concentration_change": ("from_year", "to_year", "quantity"),
    "dependence_state/decomposition": ("code", "from_year", "to_year"),
    "dependence_state/predictive": ("statistic",),
    "dependence_state/claim": ("estimand",),
    "dependence_state/forecast": ("year", "method"),
    "transition/country_path": ("series", "country", "year"),
    "transition/reversal": ("country", "rule", "by"),
    "transition/level": ("country", "window"),
    "transition/change": ("series", "period", "reading", "country"),
    "transition/path_reversal": ("path", "rule", "by"),
    "transition/path_level": ("path", "window"),
    "transition/path_change": ("series", "period", "reading", "path"),
    "transition/background": ("rule", "by"),
    "transition/predictive": ("series", "statistic"),
    "transition/parameter": ("series", "name"),
    "paid_out/municipality": ("cvegeo",),
    "paid_out/group": ("code", "quantity"),
    "paid_out/hub": ("cvegeo",),
    "paid_out/disagreement": ("part",),
    "paid_out/correlation": ("pair",),
    "paid_out/predictive": ("statistic",),
    "paid_out/claim": ("estimand",),
    "paid_out/form": ("form",),
}


def keys_of(folder: str, table: str) -> tuple[str, ...]:
    """Return the columns that tell the rows of a table apart, in results of a folder."""
    return KEYS.get(f"{folder}{table}") or KEYS[table]


_MARK = Markup('<data value="{value}" data-source="{source}" data-kind="{kind}">{text}</data>')


class Numbers:
    """Marks numbers of one set of results.

    Parameters
    ----------
    document : Mapping
        What ``results.json`` holds.
    joiner : str
        Word between the ends of an interval.
    folder : str
        Where the results lie beside the pages: nothing, or such as ``circle/``.
    language : str
        Of the report.
    """

    def __init__(
        self, document: Mapping[str, Any], joiner: str, folder: str = "", language: str = "en"
    ) -> None:
        self._document = document
        self._joiner = joiner
        self._folder = folder
        self._language = language

    def cell(self, table: str, row: Mapping[str, Any], column: str, kind: str) -> Markup:
        """Return one cell of a table of the results as a marked number."""
        keys = ",".join(str(row[key]) for key in keys_of(self._folder, table))
        return self._mark(row[column], f"{self._folder}{table}|{keys}|{column}", kind)

    def estimate(self, table: str, row: Mapping[str, Any], kind: str, unit: str = "") -> Markup:
        """Return a median, its unit and its interval."""
        median = self.cell(table, row, "median", kind)
        unit = PERCENT[self._language] if unit == "%" else unit
        return Markup("{}{} <span class='interval'>({})</span>").format(
            median, unit, self.interval(table, row, kind)
        )

    def interval(self, table: str, row: Mapping[str, Any], kind: str) -> Markup:
        """Return the ends of an interval."""
        return Markup("{}&nbsp;{} {}").format(
            self.cell(table, row, "eti90_lower", kind),
            self._joiner,
            self.cell(table, row, "eti90_upper", kind),
        )

    def json(self, path: str, kind: str) -> Markup:
        """Return the number at a path (``headline/moved/0/rose``) of ``results.json``."""
        value: Any = self._document
        for step in path.split("/"):
            if isinstance(value, list):
                value = value[int(step)] if int(step) < len(value) else None
            elif isinstance(value, Mapping):
                value = value.get(step)
            else:
                value = None
        return self._mark(value, f"{self._folder}results.json|{path}", kind)

    def _mark(self, value: Any, source: str, kind: str) -> Markup:
        if isinstance(value, str | bool) or pd.isna(value):
            return Markup("<span class='missing'>{}</span>").format(MISSING)
        text = show(float(value), kind, self._language)
        return _MARK.format(value=repr(float(value)), source=source, kind=kind, text=text)
