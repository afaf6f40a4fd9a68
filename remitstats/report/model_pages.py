"""Pages of the models that a report has beside reliance, each drawn only where its results are.

What such a page needs, `remitstats.catalogue` tells. Its template gets what all templates get
(`pages.page_context`), and under the model's name what the model's `context` returns, with

- ``n``: `Numbers` of its results, which marks each number with where it stands;
- ``converged``, ``advice``, ``notes``, ``summary``: of its fit;
- ``files``: names of its tables that have rows.

On the page itself ``converged``, ``advice``, ``summary``, ``versions`` and ``panel_hash`` are those
of the model's own fit, so that the warning of ``base.html.j2`` speaks of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remitstats import catalogue
from remitstats.estimands.files import plain
from remitstats.report.localised import localised
from remitstats.report.numbers import Numbers
from remitstats.report.pages import Page
from remitstats.report.picture import draw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from remitstats.report.picture import Picture
    from remitstats.report.surroundings import Surroundings


@dataclass(frozen=True)
class ModelPage:
    """Page of a model.

    Parameters
    ----------
    model : Model
        The model's entry in the catalogue.
    results : results of the model
        Rounded as they are written.
    """

    model: catalogue.Model
    results: Any

    @property
    def page(self) -> Page:
        """Its place in the report."""
        return Page(self.model.name, "models")

    def write(self, out: Path) -> None:
        """Write the model's tables below the folder of the report."""
        self.results.write(out / self.model.subfolder)

    def pictures(
        self, surroundings: Surroundings, progress: Callable[[str, float], None]
    ) -> dict[str, Picture]:
        """Draw the model's figures."""
        results = localised(self.results, surroundings.texts)
        jobs = self.model.load("pictures")(results, surroundings)
        return draw(jobs, self.results.converged, surroundings.texts, progress)

    def context(self, surroundings: Surroundings) -> dict[str, Any]:
        """Return what the templates may use under the model's name."""
        texts = surroundings.texts
        results = localised(self.results, texts)
        folder = f"{self.model.subfolder}/"
        return {
            "n": Numbers(results.document(), texts.plain("site.to"), folder, texts.language),
            "converged": self.results.converged,
            "advice": self.results.gate.advice(),
            "notes": self.results.gate.notes,
            "summary": plain(self.results.summary),
            "files": [name for name, table in self.results.tables.items() if len(table)],
            "glossary": (),
            **self.model.load("context")(results, surroundings),
        }


def model_pages(results: Mapping[str, Any]) -> tuple[ModelPage, ...]:
    """Return the pages of some models, in the order of the catalogue.

    Parameters
    ----------
    results : mapping of str to results
        By name of model.

    Raises
    ------
    RemitstatsError
        If there is no such model.
    """
    if not results:
        return ()
    models = [model for model in catalogue.choose(results) if model.page]
    return tuple(ModelPage(model, results[model.name].rounded()) for model in models)


def of_its_own_fit(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model's page says of its own fit instead of the one of reliance."""
    summary = context["summary"]
    return {
        "converged": context["converged"],
        "advice": context["advice"],
        "summary": summary,
        "versions": summary.get("versions") or {},
        "panel_hash": str(summary.get("panel_hash") or ""),
    }
