"""The models that the program knows, written down once: names, and where their parts stand.

The command line, `pipeline` and the report ask here and nowhere else what models there are. To add
a model, say ``depopulation``, write its files and add one line to `CATALOGUE`:

    Model("depopulation", check="models.depopulation_data:check"),

What the line leaves out is looked for under these names, each ``module:attribute`` in the package:

==============  ==================================================================================
``check``       none; else ``check(panel) -> list[Problem]``: why a panel can't be used, at once
``priors``      ``models.NAME:Priors``, a frozen dataclass of priors and numbers; its fields are
                the names that ``--prior`` takes (see `parts.prior_values`)
``build``       ``models.NAME:build``, called as ``build(panel, priors=…)``; priors may be None
``summarise``   ``estimands.NAME:summarise_NAME``, called as ``summarise_NAME(fit, panel,
                command=…, progress=…)``
``results``     ``estimands.NAME_results:NameResults`` with `tables`, `summary`, `gate`,
                `converged`, `rounded()`, `document()`, `write(out)` and ``read(out)``
``context``     ``report.NAME_page:NAME_context``, called as ``NAME_context(results,
                surroundings)``; returns a dict that the templates have under the model's name
``pictures``    ``report.NAME_pictures:NAME_jobs``, called as ``NAME_jobs(results,
                surroundings)``; returns a list of `report.picture.Job` whose names begin with
                the model's
==============  ==================================================================================

``design="design"`` says that `build` also takes the assumed census sample, under that name;
``page=False`` that the report has no page of the model; ``by_default=False`` that only those who
ask for the model by name get it; ``of_mexico=True`` that it knows Mexico's publishers, censuses and
breaks, and is refused for a panel that says it is of another country. Without a `check`, a panel
that lacks what is needed is refused by `build` (`PanelError`). In `remitstats run`, a model that
nobody asked for by name and that the panel can't serve is left out, and the program says so.

The report, for a model with a page, also needs (see `report.model_pages`)

- the template ``NAME.html.j2``, which extends ``base.html.j2``;
- where the front page shall say something of a fit that converged, ``NAME_front.html.j2``: what
  stands under the heading, without the heading and without a link to the page;
- the texts ``nav.NAME``, ``NAME.title`` and ``NAME.front`` (its heading on the front page);
- keys of its tables in `report.numbers.KEYS`, as ``"NAME/table"``, where they differ from those of
  the tables of the same name there.

What it knows of single municipalities the explorer shows if `report.explorer.SECTIONS` says so.
Words of the model in the glossary: the context's ``glossary`` lists the keys under ``[glossary]``.

Results of a model lie in the folder ``NAME`` below those of reliance, which the report starts from.
Nothing is imported before it is used.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remitstats.errors import RemitstatsError, unknown

if TYPE_CHECKING:
    from remitstats.errors import Problem
    from remitstats.panel.panel import Panel

FIRST = "reliance"
"""The model that the report starts from."""


@dataclass(frozen=True)
class Model:
    """A model and where its parts stand; the module's text says what each is.

    Parameters
    ----------
    name : str
        What it is called on the command line, in files and in the report.
    check, priors, build, summarise, results, context, pictures : str
        ``module:attribute``; empty for the place that the name tells.
    design : str
        Name by which `build` takes the assumed census sample; empty if it takes none.
    folder : str, optional
        Folder of the results below that of the whole job; by default the name.
    page : bool
        Whether the report has a page of it.
    by_default : bool
        Whether it is fitted without being asked for by name.
    of_mexico : bool
        Whether it can be fitted to panels of Mexico alone.
    """

    name: str
    check: str = ""
    priors: str = ""
    build: str = ""
    summarise: str = ""
    results: str = ""
    context: str = ""
    pictures: str = ""
    design: str = ""
    folder: str | None = None
    page: bool = True
    by_default: bool = True
    of_mexico: bool = False

    @property
    def subfolder(self) -> str:
        """Folder of the results below that of the whole job."""
        return self.name if self.folder is None else self.folder

    def problems(self, panel: Panel) -> list[Problem]:
        """Return why a panel can't be used, as far as can be told without building the model."""
        from remitstats.panel.code_form import problems_of_another_country  # noqa: PLC0415

        found: list[Problem] = []
        if self.of_mexico:
            found += problems_of_another_country(panel.metadata)
        if self.check and not found:
            found += _load(self.check)(panel)
        return found

    def load(self, part: str) -> Any:
        """Import and return a part by the name of its field, such as ``build``.

        Raises
        ------
        RemitstatsError
            If the model has no such part.
        """
        usual = {
            "priors": f"models.{self.name}:Priors",
            "build": f"models.{self.name}:build",
            "summarise": f"estimands.{self.name}:summarise_{self.name}",
            "results": f"estimands.{self.name}_results:{_camel(self.name)}Results",
            "context": f"report.{self.name}_page:{self.name}_context",
            "pictures": f"report.{self.name}_pictures:{self.name}_jobs",
        }
        if part not in usual:
            raise unknown("part", part, usual)
        return _load(getattr(self, part) or usual[part])


CATALOGUE: tuple[Model, ...] = (
    Model(
        "reliance",
        check="panel.check:check_for_reliance",
        summarise="estimands.reliance:summarise",
        results="estimands.results:RelianceResults",
        design="design",
        folder="",
        page=False,  # the whole report is of it
    ),
    # By name only: with its specification curve it takes longer than all the others together.
    Model("circle", design="design", summarise="claims.circle:summarise", by_default=False),
    Model(
        "circle_region",
        summarise="estimands.circle:summarise_circle",
        results="estimands.circle_results:CircleResults",
        context="report.circle_place_page:circle_region_context",
        design="design",
        by_default=False,
    ),
    Model(
        "circle_state",
        summarise="estimands.circle:summarise_circle",
        results="estimands.circle_results:CircleResults",
        context="report.circle_place_page:circle_state_context",
        design="design",
        by_default=False,
    ),
    # By name only: with the forecast it is scored by, two fits of minutes.
    Model(
        "depopulation",
        check="models.depopulation_data:check",
        by_default=False,
        of_mexico=True,
    ),
    Model("macro", check="models.macro_data:check"),
    Model("transition", check="models.transition_data:check", of_mexico=True),
    Model("dependence", of_mexico=True),
    Model("dependence_state", check="models.dependence_state_data:check", of_mexico=True),
    # By name only: sampling it takes minutes.
    Model(
        "paid_out",
        check="models.paid_out_data:check",
        design="design",
        by_default=False,
        of_mexico=True,
    ),
)

NAMES = tuple(model.name for model in CATALOGUE)


def find(name: str) -> Model:
    """Return the model of a name, or say which one was probably meant.

    Raises
    ------
    RemitstatsError
        If there is no such model.
    """
    for model in CATALOGUE:
        if model.name == name:
            return model
    raise unknown("model", name, NAMES)


def choose(names: Iterable[str] | None) -> tuple[Model, ...]:
    """Return the models of some names, in the order of the catalogue.

    Parameters
    ----------
    names : iterable of str, optional
        By default, those fitted without being asked for by name.

    Raises
    ------
    RemitstatsError
        If there is no such model, or no name at all.
    """
    if names is None:
        return tuple(model for model in CATALOGUE if model.by_default)
    asked = {find(name).name for name in names}
    if not asked:
        raise RemitstatsError(f"No model is named. Models: {', '.join(NAMES)}.")
    return tuple(model for model in CATALOGUE if model.name in asked)


def _load(place: str) -> Callable[..., Any]:
    module, _, attribute = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(f"remitstats.{module}"), attribute)
    return found


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
