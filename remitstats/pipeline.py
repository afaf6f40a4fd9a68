"""The main job end to end: panel -> model -> fit -> estimands -> files -> report.

The command line, the fit scripts and `make report` all go through here, so that the same seed
gives the same numbers by every way in.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import xarray as xr

from remitstats.errors import PanelError, RemitstatsError
from remitstats.estimands.reliance import summarise
from remitstats.estimands.results import RelianceResults
from remitstats.fitting.run import fit
from remitstats.fitting.settings import Settings
from remitstats.fitting.store import fit_or_reuse
from remitstats.fitting.version import code_version, fit_key
from remitstats.models import reliance
from remitstats.panel.check import check_for_reliance
from remitstats.panel.load import load_mexico, load_panel
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Job:
    """What to fit, to what, and where the files go.

    Parameters
    ----------
    out : Path
        Folder of the results (and of the report).
    fits : Path
        Folder where finished fits are kept for later runs.
    panel : Path, optional
        A panel of your own; by default the shipped one.
    states : tuple of str
        Two-digit codes to keep; empty for all.
    settings : Settings
        Engine, lengths, seed.
    priors, design
        Priors and assumed census sample of the model.
    command : str
        What to run to get the same again; goes into the results.
    """

    out: Path
    fits: Path
    panel: Path | None = None
    states: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    priors: reliance.Priors = field(default_factory=reliance.Priors)
    design: SamplingDesign = field(default_factory=SamplingDesign)
    command: str = "remitstats run"


@dataclass(frozen=True)
class Outcome:
    """What a job produced.

    Parameters
    ----------
    panel : Panel
        The panel that was fitted.
    results : RelianceResults
        The tables, as they were written.
    fit_file : Path
        The stored fit.
    reused : bool
        Whether a finished fit of the same data, model, priors, seed and code was used.
    """

    panel: Panel
    results: RelianceResults
    fit_file: Path
    reused: bool


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


def fit_reliance(job: Job, progress: Progress | None = None) -> Outcome:
    """Fit the reliance model, or find the finished fit, and write its tables.

    Writes ``results.json`` and ``summaries/`` under `job.out`.

    Raises
    ------
    RemitstatsError
        For a panel, an option or a folder that can't be used; before anything is written.
    """
    tell = progress or (lambda _description, _fraction: None)
    require_writable(job.out / "summaries")
    require_writable(job.fits, "--fits")
    tell("reading the panel", 0.0)
    panel = open_panel(job.panel, job.states)
    problems = check_for_reliance(panel)
    if problems:
        raise PanelError("The panel can't be used for the reliance model.", problems)
    tell("reading the panel", 1.0)
    tell("building the model", 0.0)
    model = reliance.build(panel, job.priors, job.design)
    tell("building the model", 1.0)
    settings = job.settings

    def run() -> xr.DataTree:
        return fit(
            model,
            panel,
            **settings.describe(),
            progress=tell,
        )

    key = fit_key(model.specification, panel.hash, settings)
    known = _finished(job, key)
    path = job.fits / f"{reliance.NAME}-{key}.nc"
    if known is not None and path.is_file():
        return Outcome(panel, known, path, reused=True)
    tree, path, reused = fit_or_reuse(job.fits, model, panel, settings, run)
    results = summarise(
        tree,
        panel,
        command=job.command,
        progress=lambda _step, share: tell("estimates and their convergence", share),
    )
    # results.json is written last and vouches for the tables beside it; an older one must not
    # vouch for tables that an interruption leaves half replaced.
    _withdraw(job.out / "results.json")
    results.rounded().write(job.out)
    return Outcome(panel, RelianceResults.read(job.out), path, reused)


def _withdraw(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RemitstatsError(
            f"{path} can't be replaced ({error.strerror}): choose another folder with --out."
        ) from error


def _finished(job: Job, key: str) -> RelianceResults | None:
    """Return the results in `job.out` if they are whole and those of this very fit."""
    try:
        summary = json.loads((job.out / "results.json").read_text(encoding="utf-8"))
        if (summary["fit_key"], summary["code_version"]) != (key, code_version()):
            return None
        return RelianceResults.read(job.out)
    except (OSError, ValueError, KeyError, TypeError, RemitstatsError):
        return None


def run(job: Job, progress: Progress | None = None) -> tuple[Outcome, Path]:
    """Do the whole job and return what came of it and the path of the report's first page."""
    from remitstats.report import build_report  # noqa: PLC0415 - drawing is heavy to import

    tell = progress or (lambda _description, _fraction: None)
    require_writable(job.out / "assets")
    outcome = fit_reliance(job, tell)
    page = build_report(
        outcome.results,
        outcome.panel,
        job.out,
        lambda _step, share: tell("drawing the report", share),
    )
    return outcome, page
