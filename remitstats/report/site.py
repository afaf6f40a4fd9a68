"""Putting a report together: figures, pages and data files, staged and then moved into place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from remitstats.errors import RemitstatsError
from remitstats.panel.atomic import scratch_folder, whole_file
from remitstats.report import claims_page, explorer_page, left_out
from remitstats.report.formats import show, wave_label
from remitstats.report.languages import switch, to_top, write_in_language
from remitstats.report.localised import localised
from remitstats.report.model_pages import ModelPage, model_pages, of_its_own_fit
from remitstats.report.pages import Page, page_context, pages_of
from remitstats.report.picture import draw
from remitstats.report.pictures import draw_all
from remitstats.report.scope import find_scope, relabelled
from remitstats.report.shapes import load_shapes
from remitstats.report.surroundings import Surroundings
from remitstats.report.texts import LANGUAGES, Texts, require_language
from remitstats.report.validation_page import Validation
from remitstats.untrusted import parse_json, read_text

if TYPE_CHECKING:
    import pandas as pd

    from remitstats.claims.assess import Assessment
    from remitstats.claims.ledger import Ledger
    from remitstats.errors import PanelError
    from remitstats.estimands.results import RelianceResults
    from remitstats.panel.panel import Panel
    from remitstats.report.picture import Picture
    from remitstats.report.shapes import MapShapes

Progress = Callable[[str, float], None]
_LIST = "assets/files.json"


def build(
    results: RelianceResults,
    panel: Panel,
    out: Path,
    progress: Progress | None = None,
    others: Mapping[str, Any] | None = None,
    ledger: Ledger | None = None,
    language: str = LANGUAGES[0],
    languages: Sequence[str] = LANGUAGES,
    *,
    without: Mapping[str, PanelError] | None = None,
) -> Path:
    """Write a report; see `remitstats.report.build_report`."""
    report = progress or _silent
    order = tuple(dict.fromkeys((language, *languages)))
    for each in order:
        require_language(each)
    models = model_pages(others or {})
    try:
        out.mkdir(parents=True, exist_ok=True)
        with scratch_folder(out / "report") as stage:
            contents = Contents(results.rounded(), panel, models, ledger, without or {})
            _fill(contents, stage, report, order)
            report("moving into place", 0.98)
            _move(stage, out)
    except OSError as error:
        raise _unwritable(out, error) from error
    report("report", 1.0)
    return out / "index.html"


@dataclass(frozen=True)
class Contents:
    """What a report is made of, before it is put into a language.

    Parameters
    ----------
    results : RelianceResults
        Rounded as they are written.
    panel : Panel
        The panel that was fitted.
    models : tuple of ModelPage
        Pages of other models.
    ledger : Ledger or None
        Claims to be held against them.
    left_out : mapping of str to PanelError
        Models that the panel can't serve, with why.
    """

    results: RelianceResults
    panel: Panel
    models: tuple[ModelPage, ...]
    ledger: Ledger | None
    left_out: Mapping[str, PanelError]

    @cached_property
    def units(self) -> pd.DataFrame:
        """The municipalities, one row each."""
        return self.results.level[["cvegeo", "state"]].drop_duplicates("cvegeo")

    @cached_property
    def shapes(self) -> MapShapes | None:
        """Their shapes; None leaves out maps."""
        return load_shapes(self.panel, self.units)

    @cached_property
    def verdicts(self) -> tuple[Assessment, ...]:
        """Verdicts on the claims."""
        if self.ledger is None:
            return ()
        given = {"reliance": self.results, **{e.model.name: e.results for e in self.models}}
        return claims_page.assess(self.ledger, self.panel, given)

    @cached_property
    def validation(self) -> Validation:
        """What is kept with the package of what models were found worth on simulated data."""
        return Validation.shipped()

    @cached_property
    def _surroundings(self) -> Surroundings:
        texts = Texts(LANGUAGES[0])
        scope = find_scope(self.results, self.panel, texts)
        return Surroundings(self.panel, self.units, scope, texts, self.shapes)

    def surroundings(self, texts: Texts) -> Surroundings:
        """Return what the pages of a language are drawn in."""
        scope = find_scope(self.results, self.panel, texts)
        return self._surroundings.in_language(scope, texts)


def _fill(contents: Contents, stage: Path, progress: Progress, order: tuple[str, ...]) -> None:
    """Write data, pictures and pages: those of the first language on top, others below."""
    progress("map shapes", 0.0)
    assets = stage / "assets"
    assets.mkdir()
    _write_assets(assets)
    contents.shapes  # noqa: B018 - loaded here, where the progress says so
    for number, each in enumerate(order):
        first, last = (0.05 + 0.75 * (number + part) / len(order) for part in (0, 1))
        _write_pages(contents, stage, partial(_between, progress, first, last), each, order)
    progress("tables", 0.85)
    contents.results.write(stage)
    for model in contents.models:
        model.write(stage)
    contents.validation.write(stage)
    if contents.ledger is not None and contents.verdicts and _whole(contents):
        claims_page.write(stage, contents.ledger, contents.verdicts)


def _whole(contents: Contents) -> bool:
    """Whether the report covers the country as a whole, which claims are on."""
    return not contents.surroundings(Texts(LANGUAGES[0])).scope.partial


def _write_pages(
    contents: Contents, stage: Path, progress: Progress, language: str, order: tuple[str, ...]
) -> None:
    """Draw the pictures of one language and write its pages."""
    texts = Texts(language)
    texts = texts.with_constants(interval=texts.plain("site.interval"))
    surroundings = contents.surroundings(texts)
    scope, shapes, models = surroundings.scope, contents.shapes, contents.models
    display = relabelled(localised(contents.results, texts), scope, texts)
    pictures = draw_all(
        display, shapes, scope, texts, lambda name, share: progress(name, 0.6 * share)
    )
    for number, each in enumerate(models):
        at = 0.6 + 0.3 * number / len(models)
        pictures |= each.pictures(surroundings, partial(_at, progress, each.model.name, at))
    pictures |= draw(contents.validation.jobs(texts), True, texts, _silent)
    pictures = {
        name: _written(picture, stage / "assets", language) for name, picture in pictures.items()
    }

    progress("pages", 0.9)
    environment = _environment(language)
    places = [each.page for each in models]
    of_models = {each.model.name: each.context(surroundings) for each in models}
    given = {"reliance": display} | {
        each.model.name: localised(each.results, texts) for each in models
    }
    looked_up = explorer_page.explorer_context(given, surroundings)
    if language == order[0]:  # numbers alone, the same for all
        explorer_page.write_scripts(looked_up["explorer"], stage / "assets")
    claims: dict[str, Any] | None = None
    first: tuple[Page, ...] = ()
    if contents.ledger is not None and not scope.partial:
        claims = claims_page.claims_context(contents.ledger, contents.verdicts, texts)
        first = (claims_page.PAGE,)
    first = (*first, *contents.validation.pages)
    context = page_context(display, contents.panel, scope, texts, pictures, shapes, places, first)
    context["missing"] = left_out.notes(contents.results, contents.panel, contents.left_out, texts)
    context["simulated"] = bool(contents.panel.metadata.get("simulated"))
    context["lacking"] = left_out.lacking(contents.results)
    words = dict.fromkeys(word for each in of_models.values() for word in each["glossary"])
    context |= (
        of_models | {"models": of_models, "glossary": tuple(words), "claims": claims} | looked_up
    )
    context["validation"] = contents.validation.context()
    context["to_top"] = to_top(language, order)
    htmls = {}
    for page in (*places, *first, *pages_of(scope)):
        own = of_its_own_fit(of_models[page.key]) if page.key in of_models else {}
        if page in first:  # each verdict asks for its own fits, and validation for none
            own = {"converged": True}
        name = f"{page.key}.html"
        own["switch"] = switch(name, language, order)
        template = environment.get_template(f"{page.key}.html.j2")
        htmls[name] = template.render(context | own, page=page)
    template = environment.get_template("municipalities_state.html.j2")
    for page, own in explorer_page.state_pages(looked_up["explorer"], texts):
        name = f"{page.key}.html"
        own["switch"] = switch(name, language, order)
        htmls[name] = template.render(context | own, page=page)
    write_in_language(htmls, stage, language, order)


def _written(picture: Picture, assets: Path, language: str) -> Picture:
    """Write a picture and return it with the name of its file.

    A picture of another language than the first lies in a folder of that language, unless there
    are no words in it that would make it another one.
    """
    if language != LANGUAGES[0]:
        same = assets / picture.file
        if not (same.is_file() and same.read_bytes() == picture.content):
            picture = replace(picture, file=f"{language}/{picture.file}")
            (assets / language).mkdir(exist_ok=True)
    (assets / picture.file).write_bytes(picture.content)
    return picture


def _write_assets(folder: Path) -> None:
    """Write style sheets and scripts, among them the table library that itables carries."""
    own = files("remitstats.report") / "assets"
    (folder / "vendor").mkdir()
    vendor = [f"vendor/{name}" for name in explorer_page.VENDOR]
    for name in ("style.css", "municipalities.js", "language.js", *explorer_page.SCRIPTS, *vendor):
        (folder / name).write_bytes(own.joinpath(name).read_bytes())
    library = files("itables") / "html"
    source = library.joinpath("dt_bundle.js").read_text("utf-8")
    style = library.joinpath("dt_bundle.css").read_text("utf-8")
    (folder / "datatables.css").write_text(style, encoding="utf-8")
    # The library is a module, and browsers refuse to import modules from disk: a plain script
    # carries its text and imports it from memory.
    (folder / "datatables.js").write_text(
        "window.remitstatsTables = import(URL.createObjectURL(new Blob(["
        + json.dumps(source)
        + "], {type: 'text/javascript'})));\n",
        encoding="utf-8",
    )


@cache
def _environment(language: str) -> Environment:
    """Return what fills the templates, kept: compiling them takes as long as filling them."""
    environment = Environment(
        loader=PackageLoader("remitstats.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["show"] = partial(show, language=language)
    environment.filters["wave_label"] = wave_label
    return environment


def _move(stage: Path, out: Path) -> None:
    """Move staged files into place and drop what an earlier report left.

    `results.json`, by which a finished job is known again, and the front page go last. The front
    page goes away first: where moving is broken off, none leads to pages of two reports.
    """
    staged = [path.relative_to(stage) for path in stage.rglob("*") if path.is_file()]
    last = ("results.json", "index.html")
    names = sorted({path.as_posix() for path in staged} - set(last)) + [
        name for name in last if (stage / name).is_file()
    ]
    before = _earlier(out)
    (out / "index.html").unlink(missing_ok=True)
    _list(out, sorted(before | set(names)))
    for name in names:
        place = out / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (stage / name).replace(place)
    for name in before - set(names):
        (out / name).unlink(missing_ok=True)
    for language in LANGUAGES:  # the folder of a language that is on top now
        with suppress(OSError):
            (out / language).rmdir()
    _list(out, names)


def _list(out: Path, names: list[str]) -> None:
    """Write down which files of a folder are the report's."""
    with whole_file(out / _LIST) as temporary:
        temporary.write_text(json.dumps(names, indent=1), encoding="utf-8")


def _earlier(out: Path) -> set[str]:
    """Return the files that the earlier report in a folder listed as its own."""
    try:
        names = parse_json(read_text(out / _LIST))
    except (OSError, ValueError):
        return set()
    names = names if isinstance(names, list) else []
    # The list is a file anybody could have edited: never follow it out of the folder.
    paths = [PurePosixPath(name) for name in names if isinstance(name, str)]
    return {str(path) for path in paths if not path.is_absolute() and ".." not in path.parts}


def _unwritable(out: Path, error: OSError) -> RemitstatsError:
    reason = error.strerror or str(error)
    return RemitstatsError(
        f"Can't write the report to {out}: {reason}. Choose a folder you may write to."
    )


def _at(progress: Progress, model: str, share: float, figure: str, _of_figures: float) -> None:
    progress(f"{model}: {figure}", share)


def _between(progress: Progress, first: float, last: float, description: str, share: float) -> None:
    progress(description, first + (last - first) * share)


def _silent(_description: str, _fraction: float) -> None:
    """Report nothing."""
