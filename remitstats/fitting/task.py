"""One job, from its panel to its outcome: what runs in a worker, wherever that is."""

from __future__ import annotations

import os
import platform
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cloudpickle
from threadpoolctl import threadpool_limits

from remitstats.errors import RemitstatsError
from remitstats.fitting.folds import hold_out
from remitstats.fitting.gate import Gate, gate
from remitstats.fitting.jobs import FitJob, Judged, own_build
from remitstats.fitting.run import fit
from remitstats.fitting.store import (
    StoreError,
    fit_bytes,
    fit_name,
    fit_or_reuse,
    load_fit,
    model_name,
)
from remitstats.fitting.version import code_version, fit_key
from remitstats.panel.load import load_mexico, load_panel
from remitstats.panel.panel import Panel

SAMPLING = (0.05, 0.9)  # of a job's time, for its progress: before sampling, and until its end
_BUILDING = threading.Lock()  # PyTensor is not made for several threads at once
_STOPPED: set[str] = set()  # runs that were called off while their fits are under way


@dataclass(frozen=True)
class Task:
    """A job with what its worker must know.

    Parameters
    ----------
    job : FitJob
        What to do.
    number : int
        Its place among the jobs.
    code : str
        Version of the code that asks for it; a worker with another one refuses.
    folder : Path
        Where fits are kept.
    probe : str
        Name of a file there by which a worker on another machine sees that its folder of that name
        is the same one; empty where that goes without saying.
    finished : frozenset of str
        Names of files there, for workers that can't look.
    shipped : str
        Hash of the shipped panel where it was asked for, to be compared with the worker's own;
        empty where that goes without saying.
    cores : int
        Cores for this fit.
    run : str
        Which call of `fit_many` it belongs to.
    own : dict, optional
        Identity of a build function that is not part of remitstats.
    """

    job: FitJob
    number: int
    code: str
    folder: Path
    probe: str = ""
    finished: frozenset[str] = frozenset()
    shipped: str = ""
    cores: int = 1
    run: str = ""
    own: dict[str, str] | None = None

    @property
    def at_hand(self) -> bool:
        """Whether the folder of fits can be reached from here."""
        return not self.probe or (self.folder / self.probe).is_file()


@dataclass(frozen=True)
class Done:
    """What a worker sends back.

    Parameters
    ----------
    file : str
        Name of the fit's file; empty if it came to no fit.
    content : bytes, optional
        The file itself, from a worker that can't reach the folder.
    known : bool
        It is among the finished ones, and so was not fitted (nor summarised).
    summary, gate, error, reused, seconds, worker
        See `FitOutcome`.
    """

    file: str = ""
    content: bytes | None = None
    known: bool = False
    summary: Any = None
    gate: Gate | None = None
    error: str = ""
    reused: bool = False
    seconds: float = 0.0
    worker: str = ""


class StoppedError(Exception):
    """The run was called off."""


def run_packed(packed: bytes, tell: Callable[[float], None]) -> bytes:
    """Run a task that was packed by `cloudpickle` and return what came of it, packed again."""
    start = time.perf_counter()
    try:
        task: Task = cloudpickle.loads(packed)
    except Exception as error:  # whatever unpickling raises
        done = Done(error=f"The job could not be read by its worker: {_in_words(error)}")
    else:
        done = run_task(task, tell)
    done = replace(done, seconds=time.perf_counter() - start, worker=_here())
    try:
        return bytes(cloudpickle.dumps(done))
    except Exception as error:  # whatever a summary holds that can't be pickled
        lost = f"Its summary can't be sent back: {_in_words(error)}. Return tables or numbers."
        return bytes(cloudpickle.dumps(replace(done, summary=None, error=lost)))


def run_task(task: Task, tell: Callable[[float], None]) -> Done:
    """Fit a job, or find the finished fit, judge and summarise it.

    Parameters
    ----------
    task : Task
        The job.
    tell : callable
        Called with the fraction of the job that is done.

    Returns
    -------
    Done
        Also for a job that fails: then with the reason in words. Only an interrupt is raised.
    """
    try:
        # Also while the model is built: a sum's last bits depend on the number of threads.
        with threadpool_limits(limits=1):
            return _run(task, tell)
    except Exception as error:  # a job's failure must not stop the others
        return Done(error=_in_words(error))


def _run(task: Task, tell: Callable[[float], None]) -> Done:
    if task.code != code_version():
        raise RemitstatsError(
            f"The worker on {platform.node()} runs another version of remitstats "
            f"({code_version()}, here {task.code}), or its code was changed meanwhile: have the "
            "same one in both places and start again."
        )
    job, settings = task.job, task.job.settings
    if task.shipped and load_mexico().hash != task.shipped:
        raise RemitstatsError(
            f"The worker on {platform.node()} has another shipped panel than the one here: install "
            "the same version of remitstats and start it again."
        )
    panel = panel_of(job)
    with _BUILDING:
        model = _model_of(task, panel)
    before, after = SAMPLING

    def progress(description: str, fraction: float) -> None:
        if task.run in _STOPPED:
            raise StoppedError
        if description.startswith("sampling"):
            tell(before + (after - before) * fraction)

    def run() -> Any:
        return fit(
            model,
            panel,
            **settings.describe(),
            cores=task.cores,
            progress=progress,
        )

    content = None
    if task.at_hand:
        tree, path, reused = fit_or_reuse(task.folder, model, panel, settings, run)
        file = path.name
    else:
        key = fit_key(model.specification, panel.hash, settings)
        file, reused = fit_name(model_name(model), key), False
        if file in task.finished:
            return Done(file=file, known=True)
        tree = run()
        content = fit_bytes(tree)
    tell(after)
    return replace(judged(job, tree, panel), file=file, content=content, reused=reused)


def reuse(task: Task, path: Path) -> Done | None:
    """Judge and summarise a stored fit; None if the file is not whole."""
    start = time.perf_counter()
    try:
        tree = load_fit(path)
        if (
            fit_name(tree["provenance"].attrs["model"], tree["provenance"].attrs["key"])
            != path.name
        ):
            return None
        with threadpool_limits(limits=1):
            done = judged(task.job, tree, panel_of(task.job))
    except StoreError:
        return None
    except RemitstatsError as error:
        done = Done(error=str(error))
    seconds = time.perf_counter() - start
    return replace(done, file=path.name, reused=True, seconds=seconds, worker=_here())


def judged(job: FitJob, tree: Any, panel: Panel) -> Done:
    """Return the summary and the verdict of a fit; a summary that fails is reported in words."""
    summary: Any = None
    if job.summary is not None:
        try:
            summary = job.summary(tree, panel)
        except Exception as error:  # somebody else's function may raise anything
            reason = f"The fit is stored, but its summary failed: {_in_words(error)}"
            return Done(error=reason, gate=gate(tree))
    if isinstance(summary, Judged):
        return Done(summary=summary.value, gate=summary.gate)
    return Done(summary=summary, gate=gate(tree))


def panel_of(job: FitJob) -> Panel:
    """Return the panel that a job is fitted to.

    Raises
    ------
    PanelError
        If it can't be used.
    """
    panel = job.panel
    if panel is None:
        panel = load_mexico()
    elif not isinstance(panel, Panel):
        panel = load_panel(panel)
    if job.states:
        panel = panel.select(job.states)
    if job.simulate is not None:
        from remitstats.simulate import simulate_reliance  # noqa: PLC0415 - seldom needed

        panel = simulate_reliance(
            panel,
            seed=job.simulate.seed,
            hyperparameters=job.simulate.hyperparameters,
            priors=job.simulate.priors or job.priors,
            design=job.simulate.design or job.design,
        ).panel
    return hold_out(panel, job.hold_out) if job.hold_out else panel


def _model_of(task: Task, panel: Panel) -> Any:
    job = task.job
    given = {"priors": job.priors, "design": job.design}
    options = {name: value for name, value in given.items() if value is not None}
    if isinstance(job.model, str):
        from remitstats import models  # noqa: PLC0415 - each model is imported when first used

        return getattr(models, job.model).build(panel, **options)
    model = job.model(panel, **options)
    if not isinstance(getattr(model, "specification", None), dict):
        raise RemitstatsError(
            f"The build function {job.model.__qualname__} did not return a model of remitstats: "
            "start from one, such as remitstats.reliance.build(panel)."
        )
    # The specification is part of the fit's key: a changed function makes another fit.
    model.specification = {**model.specification, "build": task.own or own_build(job.model)}
    return model


def call_off(run: str) -> None:
    """Let the fits of a run that are under way in this process end soon and be forgotten."""
    _STOPPED.add(run)


def _in_words(error: BaseException) -> str:
    if isinstance(error, RemitstatsError):
        return str(error)
    if isinstance(error, StoppedError):
        return "The run was called off."
    if isinstance(error, MemoryError):
        return "There is not enough memory: ask for fewer draws, fewer states or fewer workers."
    place = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(place[-1].filename).name}, line {place[-1].lineno})" if place else ""
    return f"{type(error).__name__}: {error}{where}"


def _here() -> str:
    return f"{platform.node()}, process {os.getpid()}"
