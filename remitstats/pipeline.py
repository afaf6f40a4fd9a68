"""The main job end to end: panel -> models -> fits -> estimands -> files -> report.

The command line, the fit scripts and `make report` all go through here, so that the same seed
gives the same numbers by every way in. Which models there are, `catalogue` says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from remitstats import catalogue
from remitstats.catalogue import FIRST, Model
from remitstats.errors import PanelError, RemitstatsError
from remitstats.fitting.run import fit
from remitstats.fitting.settings import AskedSettings, Settings
from remitstats.fitting.store import fit_name, fit_or_reuse
from remitstats.fitting.version import code_version, fit_key
from remitstats.models.reliance_data import design_of
from remitstats.panel.load import load_mexico, load_panel
from remitstats.panel.panel import Panel
from remitstats.panel.turns import only_writer
from remitstats.parts.sampling_error import SamplingDesign
from remitstats.report.texts import require_language
from remitstats.untrusted import parse_json, read_text

if TYPE_CHECKING:
    from remitstats.claims.ledger import Ledger

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Job:
    """What to fit models to, how, and where the files go.

    Parameters
    ----------
    out : Path
        Folder of the results (and of the report).
    fits : Path
        Folder where finished fits are kept for later runs.
    panel : Path, optional
        A panel of your own; by default the shipped one.
    states : tuple of str
        Codes to keep; empty for all.
    settings : AskedSettings
        Engine, seed, lengths; lengths left open are each model's own.
    priors : mapping of str to priors
        By name of model; those that are not there have their defaults.
    design : SamplingDesign, optional
        Assumed census sample, for the models that take one.
    command : str
        What to run to get the same again; goes into the results.
    language : str
        What the report opens with, ``en`` or ``es``; it holds both.
    """

    out: Path
    fits: Path
    panel: Path | None = None
    states: tuple[str, ...] = ()
    settings: AskedSettings = field(default_factory=AskedSettings)
    priors: Mapping[str, Any] = field(default_factory=dict)
    design: SamplingDesign | None = None
    command: str = "remitstats run"
    language: str = "en"

    def folder(self, model: Model) -> Path:
        """Return where the results of a model go."""
        return self.out / model.subfolder


@dataclass(frozen=True)
class Outcome:
    """What came of fitting a model.

    Parameters
    ----------
    panel : Panel
        The panel that was fitted.
    results : results of the model, such as RelianceResults
        The tables, as they were written.
    fit_file : Path
        The stored fit.
    reused : bool
        Whether a finished fit of the same data, model, priors, seed and code was used.
    """

    panel: Panel
    results: Any
    fit_file: Path
    reused: bool


@dataclass(frozen=True)
class Run:
    """What came of a run.

    Parameters
    ----------
    outcomes : mapping of str to Outcome
        By name of model.
    left_out : mapping of str to str
        Models that nobody asked for by name and the panel can't serve, with why.
    page : Path
        The report's first page.
    """

    outcomes: Mapping[str, Outcome]
    left_out: Mapping[str, str]
    page: Path


def open_panel(path: Path | None, states: Iterable[str]) -> Panel:
    """Return the shipped panel or the one at `path`, cut to some states if any are named."""
    panel = load_mexico() if path is None else load_panel(path)
    chosen = list(states)
    return panel.select(chosen) if chosen else panel


def require_writable(folder: Path, option: str = "--out") -> None:
    """Make sure, before hours of work, that a folder can be written.

    Parameters
    ----------
    folder : Path
        The folder; it need not exist.
    option : str
        Option of the command line that names another.

    Raises
    ------
    RemitstatsError
        If it can't be written; nothing is left behind.
    """
    another = f"choose another with {option}."
    try:
        str(folder).encode()
        existing = folder
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        if not existing.is_dir():
            raise RemitstatsError(f"{existing} is a file, not a folder: {another}")
        with tempfile.TemporaryFile(dir=existing):
            pass
    except UnicodeEncodeError as error:
        raise RemitstatsError(f"The folder's name {folder!s} is no text: {another}") from error
    except OSError as error:
        raise RemitstatsError(
            f"The folder {folder} can't be written ({error.strerror}): {another}"
        ) from error


def fit_model(job: Job, name: str, progress: Progress | None = None) -> Outcome:
    """Fit a model, or find the finished fit, and write its tables.

    Writes ``results.json`` and ``summaries/`` under ``job.folder(model)``.

    Parameters
    ----------
    job : Job
        What is asked for.
    name : str
        A model of the catalogue.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Raises
    ------
    RemitstatsError
        For a name, a panel, an option or a folder that can't be used; before anything is written.
    """
    tell = progress or _silent
    model = catalogue.find(name)
    panel = _ready(job, [model], tell)
    _require_serves(model, panel)
    with only_writer([job.folder(model)]):
        return _fit(job, model, panel, tell)


def run(job: Job, models: Iterable[str] | None = None, progress: Progress | None = None) -> Run:
    """Fit models one after the other and write the report of all of them.

    A model that does not converge keeps none of the others from theirs: the report says of which
    nothing is stated.

    Parameters
    ----------
    job : Job
        What is asked for.
    models : iterable of str, optional
        Models of the catalogue, reliance among them: the report starts from it. By default those
        that are fitted without being named; of these, what the panel can't serve is left out.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Raises
    ------
    RemitstatsError
        As for `fit_model`.
    """
    tell = progress or _silent
    chosen = catalogue.choose(models)
    named = {model.name for model in chosen if models is not None} | {FIRST}
    if FIRST not in {model.name for model in chosen}:
        names = ",".join(model.name for model in chosen)
        raise RemitstatsError(
            f"The report starts from the model {FIRST}: name it too (--models {FIRST},{names}), "
            f"or fit without a report (remitstats fit {chosen[0].name})."
        )
    require_language(job.language)
    require_writable(job.out / "assets")
    panel = _ready(job, chosen, tell)
    for model in chosen:
        if model.name in named:
            _require_serves(model, panel)
    with only_writer([job.out, *map(job.folder, chosen)]):
        return _run(job, chosen, named, panel, tell)


def _run(
    job: Job, chosen: Sequence[Model], named: Collection[str], panel: Panel, tell: Progress
) -> Run:
    """Fit models to a panel and write the report, with the folders to ourselves."""
    from remitstats.report import build_report  # noqa: PLC0415 - drawing is heavy to import

    outcomes: dict[str, Outcome] = {}
    left_out: dict[str, PanelError] = {}
    for model in chosen:
        spoken = partial(_of, model.name, tell) if len(chosen) > 1 else tell
        try:
            _require_serves(model, panel)
            outcomes[model.name] = _fit(job, model, panel, spoken)
        except PanelError as error:
            if model.name in named:
                raise
            left_out[model.name] = error
    page = build_report(
        outcomes[FIRST].results,
        panel,
        job.out,
        lambda _step, share: tell("drawing the report", share),
        others={name: o.results for name, o in outcomes.items() if name != FIRST},
        ledger=ledger_for(panel),
        language=job.language,
        left_out=left_out,
    )
    return Run(outcomes, {name: str(error) for name, error in left_out.items()}, page)


def ledger_for(panel: Panel) -> Ledger | None:
    """Return the claims that a report of a panel is to judge: those on Mexico, or none."""
    from remitstats.claims.read import read_ledger  # noqa: PLC0415 - only reports need it

    return read_ledger() if panel.metadata.get("country") == "Mexico" else None


def _silent(_description: str, _fraction: float) -> None:
    """Report nothing."""


def _of(name: str, tell: Progress, description: str, fraction: float) -> None:
    tell(f"{name}: {description}", fraction)


def _ready(job: Job, models: Iterable[Model], tell: Progress) -> Panel:
    """Make sure that the folders can be written and return the panel."""
    for model in models:
        require_writable(job.folder(model) / "summaries")
    require_writable(job.fits, "--fits")
    tell("reading the panel", 0.0)
    panel = open_panel(job.panel, job.states)
    tell("reading the panel", 1.0)
    return panel


def why_not(model: str) -> str:
    """Return the sentence under which the problems of a panel for a model stand."""
    return f"The panel can't be used for the {model} model."


def _require_serves(model: Model, panel: Panel) -> None:
    problems = model.problems(panel)
    if problems:
        raise PanelError(why_not(model.name), problems)


def _fit(job: Job, entry: Model, panel: Panel, tell: Progress) -> Outcome:
    """Fit a model to a panel that its check finds nothing wrong with, and write its tables."""
    out, results_of = job.folder(entry), entry.load("results")
    prepared = _prepared(job, entry, panel, tell)
    known = _finished(out, results_of, prepared.key)
    path = job.fits / fit_name(entry.name, prepared.key)
    if known is not None and path.is_file():
        return Outcome(panel, known, path, reused=True)
    tree, path, reused = prepared.fitted()
    results = write_results(entry, tree, panel, out, job.command, tell)
    return Outcome(panel, results, path, reused)


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A model of a panel, ready to be fitted as a job asks."""

    job: Job
    model: Any
    panel: Panel
    settings: Settings
    tell: Progress

    @property
    def key(self) -> str:
        return fit_key(self.model.specification, self.panel.hash, self.settings)

    def fitted(self) -> tuple[xr.DataTree, Path, bool]:
        """Return the fit, where it is kept, and whether it was there."""

        def sample() -> xr.DataTree:
            return fit(self.model, self.panel, **self.settings.describe(), progress=self.tell)

        return fit_or_reuse(self.job.fits, self.model, self.panel, self.settings, sample)


def _prepared(job: Job, entry: Model, panel: Panel, tell: Progress) -> _Prepared:
    tell("building the model", 0.0)
    options = {entry.design: design_of(panel, job.design)} if entry.design else {}
    model = entry.load("build")(panel, priors=job.priors.get(entry.name), **options)
    tell("building the model", 1.0)
    return _Prepared(job, model, panel, job.settings.settings(getattr(model, "lengths", {})), tell)


def stored_fit(job: Job, name: str, panel: Panel, progress: Progress | None = None) -> xr.DataTree:
    """Return the fit of a model to a panel: the finished one, or a new one that is kept.

    Parameters
    ----------
    job : Job
        What is asked for.
    name : str
        A model of the catalogue.
    panel : Panel
        The panel of the job (`open_panel`).
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.

    Raises
    ------
    RemitstatsError
        If the panel can't be used, or the folder of fits can't be written.
    """
    entry = catalogue.find(name)
    require_writable(job.fits, "--fits")
    _require_serves(entry, panel)
    tree, _, _ = _prepared(job, entry, panel, progress or _silent).fitted()
    return tree


def write_results(
    model: Model, tree: xr.DataTree, panel: Panel, out: Path, command: str, tell: Progress
) -> Any:
    """Summarise a fit, write its tables into a folder and return them as they were written."""
    results = model.load("summarise")(
        tree,
        panel,
        command=command,
        progress=lambda _step, share: tell("estimates and their convergence", share),
    )
    # results.json is written last and vouches for the tables beside it; an older one must not
    # vouch for tables that an interruption leaves half replaced.
    _withdraw(out / "results.json")
    results.rounded().write(out)
    return model.load("results").read(out)


def _withdraw(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RemitstatsError(
            f"{path} can't be replaced ({error.strerror}): choose another folder with --out."
        ) from error


def _finished(out: Path, results_of: Any, key: str) -> Any:
    """Return the results in a folder if they are whole and those of this very fit."""
    try:
        summary = parse_json(read_text(out / "results.json"))
        if (summary["fit_key"], summary["code_version"]) != (key, code_version()):
            return None
        return results_of.read(out)
    except (OSError, ValueError, KeyError, TypeError, RemitstatsError):
        return None
