"""The report again, from what earlier runs left, without fitting anything.

For each model the first of these that is there is used:

1. results under the output folder, where `remitstats run` and `remitstats fit` write them, if they
   are of the panel and states asked for;
2. the newest fit among those kept, of this panel and made by this version of the code: it is
   summarised again, which takes seconds, and its tables are written.

Results of an older version of the code are used as they stand; an older fit is not, because what
summarises it may have changed with what made it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from remitstats import catalogue
from remitstats.catalogue import FIRST, Model
from remitstats.errors import PanelError, RemitstatsError
from remitstats.fitting.store import StoreError, load_fit, read_provenance
from remitstats.fitting.version import code_version
from remitstats.panel.panel import Panel
from remitstats.panel.turns import only_writer
from remitstats.pipeline import (
    Job,
    Progress,
    ledger_for,
    open_panel,
    require_writable,
    why_not,
    write_results,
)
from remitstats.report.texts import require_language
from remitstats.untrusted import parse_json, read_text


@dataclass(frozen=True)
class Rebuilt:
    """What a report was rebuilt from.

    Parameters
    ----------
    results : mapping of str to results
        By name of model.
    sources : mapping of str to Path
        Where they were found: a ``results.json`` or a stored fit.
    absent : mapping of str to str
        Models of which nothing was found that can be used, with why.
    page : Path
        The report's first page.
    """

    results: Mapping[str, Any]
    sources: Mapping[str, Path]
    absent: Mapping[str, str]
    page: Path


def rebuild(
    job: Job, models: Iterable[str] | None = None, progress: Progress | None = None
) -> Rebuilt:
    """Write the report of earlier fits; see the module's text for which are used.

    Parameters
    ----------
    job : Job
        Its `out`, `fits`, `panel`, `states`, `command` and `language`.
    models : iterable of str, optional
        Models of the catalogue; by default all of which something is found.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Raises
    ------
    RemitstatsError
        If there is nothing of reliance, or nothing of a model that was asked for by name.
    """
    tell = progress or (lambda _description, _fraction: None)
    named = None if models is None else {model.name for model in catalogue.choose(models)}
    require_language(job.language)
    require_writable(job.out / "assets")
    tell("reading the panel", 0.0)
    panel = open_panel(job.panel, job.states)
    tell("reading the panel", 1.0)
    wanted = [
        model for model in catalogue.CATALOGUE if named is None or model.name in {*named, FIRST}
    ]
    with only_writer([job.out, *map(job.folder, wanted)]):
        return _rebuild(job, wanted, named, panel, tell)


def _rebuild(
    job: Job,
    models: Iterable[Model],
    named: Collection[str] | None,
    panel: Panel,
    tell: Progress,
) -> Rebuilt:
    """Write the report, with the folders to ourselves."""
    from remitstats.report import build_report  # noqa: PLC0415 - drawing is heavy to import

    results: dict[str, Any] = {}
    sources: dict[str, Path] = {}
    absent: dict[str, str] = {}
    for model in models:
        found, why = _found(job, model, panel, tell)
        if found is not None:
            results[model.name], sources[model.name] = found
        elif model.name == FIRST or named is not None:
            raise RemitstatsError(
                f"There is nothing to make a report of the {model.name} model from: {why}. Fit it "
                f"first (remitstats fit {model.name}), or name the folders of an earlier run with "
                "--out and --fits."
            )
        else:
            absent[model.name] = why
    page = build_report(
        results[FIRST],
        panel,
        job.out,
        lambda _step, share: tell("drawing the report", share),
        others={name: found for name, found in results.items() if name != FIRST},
        ledger=ledger_for(panel),
        language=job.language,
        left_out=_left_out(panel, [model for model in models if model.name in absent]),
    )
    return Rebuilt(results, sources, absent, page)


def _left_out(panel: Panel, absent: Iterable[Model]) -> dict[str, PanelError]:
    """Return why a run leaves out those of the absent models that a panel can't serve."""
    found = {each.name: each.problems(panel) for each in absent if each.by_default}
    return {
        name: PanelError(why_not(name), problems) for name, problems in found.items() if problems
    }


def _found(
    job: Job, model: Model, panel: Panel, tell: Progress
) -> tuple[tuple[Any, Path] | None, str]:
    """Return results of a model with where they come from, or why there are none."""
    out = job.folder(model)
    path = out / "results.json"
    whys = []
    if path.is_file():
        why = _unfit(path, panel)
        if not why:
            return (model.load("results").read(out), path), ""
        whys.append(why)
    stored, why = _newest(job.fits, model, panel)
    if stored is not None:
        tree, place = stored
        return (write_results(model, tree, panel, out, job.command, tell), place), ""
    return None, "; ".join([*whys, why])


def _unfit(path: Path, panel: Panel) -> str:
    """Return why results can't be used; empty if they can."""
    try:
        summary = parse_json(read_text(path))
        same = summary["panel_hash"] == panel.hash
    except (OSError, ValueError, KeyError, TypeError):
        return f"{path} can't be read"
    return "" if same else f"{path} is of another panel or other states"


def _newest(
    folder: Path, model: Model, panel: Panel
) -> tuple[tuple[xr.DataTree, Path] | None, str]:
    """Return the newest stored fit that can be used with its file, or why there is none."""
    paths = [p for p in folder.glob("*.nc") if p.stem.rpartition("-")[0] == model.name]
    whys = []
    for path in sorted(paths, key=lambda p: (p.stat().st_mtime_ns, p.name), reverse=True):
        try:
            tree = load_fit(path)
            provenance = read_provenance(tree)
        except StoreError as error:
            whys.append(str(error).rstrip("."))
            continue
        if provenance["panel_hash"] != panel.hash:
            whys.append(f"{path} is of another panel or other states")
        elif provenance["code_version"] != code_version():
            whys.append(f"{path} was made by another version of remitstats")
        else:
            return (tree, path), ""
    return None, whys[0] if whys else f"no fit of it is kept in {folder}"
