"""What a report leaves out because the panel lacks something, and why, in the report's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from markupsafe import Markup

from remitstats.panel.code_form import problems_of_another_country

if TYPE_CHECKING:
    from remitstats.errors import PanelError
    from remitstats.estimands.results import RelianceResults
    from remitstats.panel.panel import Panel
    from remitstats.report.texts import Texts

IN_MODEL = ("neighbours", "waves", "states")
"""Keys of `panel.missing` that change the model of reliance itself."""


def lacking(results: RelianceResults) -> list[str]:
    """Return the keys of what the panel lacked, in the order in which they are told."""
    known = (*IN_MODEL, "shapes")
    given = results.summary.get("missing") or []
    return [key for key in known if key in given]


def notes(
    results: RelianceResults, panel: Panel, left_out: Mapping[str, PanelError], texts: Texts
) -> list[Markup]:
    """Return a sentence for everything that was left out.

    Parameters
    ----------
    results : RelianceResults
        Its summary tells what the panel lacked for reliance.
    panel : Panel
        Tells whether it is of another country, for which some models can't be fitted at all.
    left_out : mapping of str to PanelError
        Other models that the panel can't serve, with why.
    texts : Texts
        The catalogue.
    """
    said = [texts(f"missing.{key}") for key in lacking(results)]
    foreign = [
        name
        for name, error in left_out.items()
        if set(error.problems) & set(problems_of_another_country(panel.metadata))
    ]
    if foreign:
        said.append(texts("missing.of_mexico", models=_names(foreign, texts)))
    for name, error in left_out.items():
        if name in foreign:
            continue
        tables = list(dict.fromkeys(problem.table for problem in error.problems))
        values = {"model": texts(f"nav.{name}")}
        if tables:
            marked = Markup(", ").join(Markup("<code>{}</code>").format(table) for table in tables)
            said.append(texts("missing.tables", **values, tables=marked))
        else:
            said.append(texts("missing.model", **values, why=texts.said(error.summary)))
    return said


def _names(models: list[str], texts: Texts) -> Markup:
    return Markup(", ").join(texts(f"nav.{name}") for name in models)
