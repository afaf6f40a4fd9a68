"""Putting a report together: figures, pages and data files, staged and then moved into place."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from remitstats.errors import RemitstatsError
from remitstats.report import claims_page
from remitstats.report.formats import show, wave_label
from remitstats.report.model_pages import ModelPage, model_pages, of_its_own_fit
from remitstats.report.pages import PAGES, Page, page_context
from remitstats.report.pictures import draw_all
from remitstats.report.scope import find_scope, relabelled
from remitstats.report.shapes import load_shapes
from remitstats.report.surroundings import Surroundings
from remitstats.report.texts import Texts

if TYPE_CHECKING:
    from remitstats.claims.ledger import Ledger
    from remitstats.estimands.results import RelianceResults
    from remitstats.panel.panel import Panel

Progress = Callable[[str, float], None]
_LIST = "assets/files.json"


def build(
    results: RelianceResults,
    panel: Panel,
    out: Path,
    progress: Progress | None = None,
    others: Mapping[str, Any] | None = None,
    ledger: Ledger | None = None,
) -> Path:
    """Write a report; see `remitstats.report.build_report`."""
    report = progress or _silent
    models = model_pages(others or {})
    try:
        out.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".report-", dir=out))
    except OSError as error:
        raise _unwritable(out, error) from error
    try:
        _fill(results, panel, stage, report, models, ledger)
        report("moving into place", 0.98)
        _move(stage, out)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    report("report", 1.0)
    return out / "index.html"


def _fill(
    results: RelianceResults,
    panel: Panel,
    stage: Path,
    progress: Progress,
    models: tuple[ModelPage, ...],
    ledger: Ledger | None,
) -> None:
    results = results.rounded()
    texts = Texts("en")
    texts = Texts("en", interval=texts.plain("site.interval"))
    scope = find_scope(results, panel, texts)

    progress("map shapes", 0.0)
    units = results.level[["cvegeo", "state"]].drop_duplicates("cvegeo")
    display = relabelled(results, scope, texts)
    shapes = load_shapes(panel, units)
    pictures = draw_all(
        display, shapes, scope, texts, lambda name, share: progress(name, 0.05 + 0.75 * share)
    )
    surroundings = Surroundings(panel, units, scope, texts, shapes)
    for number, each in enumerate(models):
        at = 0.8 + 0.02 * number / len(models)
        pictures |= each.pictures(surroundings, partial(_at, progress, each.model.name, at))
    assets = stage / "assets"
    assets.mkdir()
    for picture in pictures.values():
        (assets / picture.file).write_bytes(picture.content)
    _write_assets(assets)

    progress("tables", 0.82)
    results.write(stage)
    for each in models:
        each.write(stage)

    progress("pages", 0.88)
    environment = Environment(
        loader=PackageLoader("remitstats.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["show"] = show
    environment.filters["wave_label"] = wave_label
    places = [each.page for each in models]
    of_models = {each.model.name: each.context(surroundings) for each in models}
    claims: dict[str, Any] | None = None
    first: tuple[Page, ...] = ()
    if ledger is not None and not scope.partial:  # claims are on the country as a whole
        given = {"reliance": results, **{each.model.name: each.results for each in models}}
        found = claims_page.assess(ledger, panel, given)
        claims_page.write(stage, ledger, found)
        claims, first = claims_page.claims_context(ledger, found, texts), (claims_page.PAGE,)
    context = page_context(display, panel, scope, texts, pictures, shapes, places, first)
    words = dict.fromkeys(word for each in of_models.values() for word in each["glossary"])
    context |= of_models | {"models": of_models, "glossary": tuple(words), "claims": claims}
    for page in (*places, *first, *PAGES):
        own = of_its_own_fit(of_models[page.key]) if page.key in of_models else {}
        if page in first:  # each verdict asks for its own fits
            own = {"converged": True}
        html = environment.get_template(f"{page.key}.html.j2").render(context | own, page=page)
        (stage / f"{page.key}.html").write_text(html, encoding="utf-8", newline="\n")


def _write_assets(folder: Path) -> None:
    """Write style sheets and scripts, among them the table library that itables carries."""
    own = files("remitstats.report") / "assets"
    for name in ("style.css", "municipalities.js"):
        (folder / name).write_text(own.joinpath(name).read_text("utf-8"), encoding="utf-8")
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


def _move(stage: Path, out: Path) -> None:
    """Move staged files into place and drop what an earlier report left.

    `results.json`, by which a finished job is known again, and the front page go last.
    """
    staged = [path.relative_to(stage) for path in stage.rglob("*") if path.is_file()]
    last = ("results.json", "index.html")
    names = sorted({path.as_posix() for path in staged} - set(last)) + [
        name for name in last if (stage / name).is_file()
    ]
    before = _earlier(out)
    for name in names:
        place = out / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (stage / name).replace(place)
    for name in before - set(names):
        (out / name).unlink(missing_ok=True)
    (out / _LIST).write_text(json.dumps(names, indent=1), encoding="utf-8")


def _earlier(out: Path) -> set[str]:
    """Return the files that the earlier report in a folder listed as its own."""
    try:
        names = json.loads((out / _LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
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


def _silent(_description: str, _fraction: float) -> None:
    """Report nothing."""
