"""`fit_many`: many fits through one function, on this machine or on a Dask cluster.

Each finished fit is stored at once under its key, so that a call that was interrupted is made
again and does only what is missing. A fit depends on its job alone: where it runs, beside what
and in which attempt change nothing in it.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle

from remitstats.errors import RemitstatsError
from remitstats.fitting.jobs import FitJob, FitOutcome, own_build
from remitstats.fitting.local import OnLost, Result, Watch, run_here, run_on_processes
from remitstats.fitting.run_chains import Progress
from remitstats.fitting.settings import available_cores
from remitstats.fitting.store import is_fit, keep_fit
from remitstats.fitting.task import Done, Task, reuse
from remitstats.fitting.version import code_version
from remitstats.panel.atomic import remove_stale, whole_file
from remitstats.panel.load import load_mexico, load_panel
from remitstats.panel.panel import Panel


def fit_many(
    jobs: Iterable[FitJob],
    *,
    folder: str | Path,
    workers: int | None = None,
    cluster: Any = None,
    progress: Progress | None = None,
    retries: int = 2,
    cores: int | None = None,
) -> list[FitOutcome]:
    """Fit many models, several at a time.

    Parameters
    ----------
    jobs : iterable of FitJob
        What to fit; their names differ.
    folder : path-like
        Where finished fits are kept and found again.
    workers : int, optional
        Number of processes on this machine; by default one a core, and no more than there are
        jobs. With 1 everything runs in this process.
    cluster : str or dask.distributed.Client, optional
        Run on this Dask cluster instead: the address of its scheduler, or a client. Best with
        workers of one thread each: each thread runs one fit.
    progress : callable, optional
        Called with a description and a fraction between 0 and 1.
    retries : int
        How often a fit is begun again whose worker was lost (killed, out of memory, machine gone).
    cores : int, optional
        Cores for each fit; by default those of this machine divided by `workers`, on a cluster 1.

    Returns
    -------
    list of FitOutcome
        One a job, in their order. What went wrong with a job stands in its outcome; the others go
        on.

    Raises
    ------
    RemitstatsError
        If nothing can be done at all: names that are not unique, a job that can't be sent to
        another process, a folder that can't be written, a cluster that does not answer.
    KeyboardInterrupt
        After the workers were stopped; what is finished is kept.

    Examples
    --------
    >>> import remitstats
    >>> from remitstats.fitting.jobs import FitJob
    >>> jobs = [FitJob(state, states=[state, "14"]) for state in ("16", "32")]
    >>> outcomes = remitstats.fit_many(jobs, folder="fits")  # doctest: +SKIP
    """
    jobs = list(jobs)
    folder = Path(folder).absolute()
    _check(jobs, workers, cluster, retries, cores)
    if not jobs:
        return []
    _require_folder(folder)
    tell = progress or (lambda _description, _fraction: None)
    title = f"fitting {len(jobs)} models" if len(jobs) > 1 else "fitting a model"
    outcomes: dict[int, FitOutcome] = {}

    done = 0.0

    def watch(under_way: float) -> None:
        nonlocal done  # it never goes back, though a lost attempt's work is lost
        done = max(done, (len(outcomes) + under_way) / len(jobs))
        tell(title, done)

    def on_lost(task: Task, reason: str) -> None:
        tell(f"again, for {reason}: {task.job.name}", done)

    tell(title, 0.0)
    running = _running(jobs, folder, workers, cluster, retries, cores, watch, on_lost)
    with closing(running):
        for result in running:
            outcomes[result.task.number] = _outcome(result, folder)
            watch(0.0)
    tell(title, 1.0)
    return [outcomes[number] for number in range(len(jobs))]


def _check(jobs: Sequence[Any], workers: Any, cluster: Any, retries: Any, cores: Any) -> None:
    for job in jobs:
        if not isinstance(job, FitJob):
            raise RemitstatsError(f"fit_many takes FitJob objects, found {job!r}.")
    names = [job.name for job in jobs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RemitstatsError(
            f"Each job needs a name of its own; used more than once: {', '.join(twice)}."
        )
    if workers is not None and cluster is not None:
        raise RemitstatsError("Give either workers, for this machine, or a cluster; not both.")
    for name, value, least in (
        ("workers", workers, 1),
        ("retries", retries, 0),
        ("cores", cores, 1),
    ):
        if value is not None and (not isinstance(value, int) or value < least):
            raise RemitstatsError(
                f"'{name}' must be a whole number of at least {least}, found {value!r}."
            )


def _require_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RemitstatsError(
            f"The folder {folder} can't be written ({error.strerror}): choose another with --fits."
        ) from error


def _running(
    jobs: Sequence[FitJob],
    folder: Path,
    workers: int | None,
    cluster: Any,
    retries: int,
    cores: int | None,
    watch: Watch,
    on_lost: OnLost,
) -> Generator[Result]:
    """Give results as they come; stop what is under way when closed."""
    tasks = [_task(job, number, folder) for number, job in enumerate(jobs)]
    try:
        if cluster is not None:
            yield from _on_cluster(tasks, folder, cluster, retries, cores or 1, watch, on_lost)
            return
        count = min(workers or available_cores(), len(jobs))
        share = cores or max(1, available_cores() // count)
        tasks = [replace(task, cores=share) for task in tasks]
        if count == 1:
            yield from run_here(tasks, watch)
        else:
            yield from run_on_processes(tasks, count, retries, watch, on_lost)
    finally:
        with suppress(OSError):
            remove_stale(folder, is_fit)  # of workers that were stopped


def _task(job: FitJob, number: int, folder: Path) -> Task:
    own = None if isinstance(job.model, str) else own_build(job.model)
    task = Task(job, number, code_version(), folder, own=own)
    try:
        cloudpickle.dumps(task)
    except Exception as error:  # whatever the parts of a job raise
        raise RemitstatsError(
            f"The job '{job.name}' can't be sent to another process ({error}): give it plain "
            "values and functions that can be imported."
        ) from error
    return task


def _on_cluster(
    tasks: Sequence[Task],
    folder: Path,
    cluster: Any,
    retries: int,
    cores: int,
    watch: Watch,
    on_lost: OnLost,
) -> Generator[Result]:
    from remitstats.fitting.cluster import connected, run_on_cluster  # noqa: PLC0415 - optional

    with connected(cluster) as client, _probe(folder) as probe:
        have = frozenset(path.name for path in folder.iterdir() if is_fit(path.name))
        panels: dict[Any, Panel] = {}
        sent = []
        for task in tasks:
            try:
                task = _with_panel(task, panels)  # noqa: PLW2901 - the task as it travels
            except RemitstatsError as error:
                yield Result(task, Done(error=str(error)))
                continue
            sent.append(replace(task, cores=cores, probe=probe, finished=have))
        while sent:
            again = []
            with closing(run_on_cluster(sent, client, retries, watch, on_lost)) as results:
                for result in results:
                    if result.done is None or not result.done.known:
                        yield result
                        continue
                    # Its worker can't see the folder, but was told that the fit is there.
                    done = reuse(result.task, folder / result.done.file)
                    if done is None:
                        again.append(replace(result.task, finished=frozenset()))
                    else:
                        yield replace(result, done=done)
            sent = again


def _with_panel(task: Task, panels: dict[Any, Panel]) -> Task:
    """Return the task as it can travel: with the panel instead of the name of a file here."""
    panel = task.job.panel
    if panel is None:  # every worker has the shipped one
        if None not in panels:
            panels[None] = load_mexico()
        return replace(task, shipped=panels[None].hash)
    if isinstance(panel, Panel):
        panel = Panel(dict(panel.tables), panel.metadata)
    else:
        path = str(panel)
        if path not in panels:
            loaded = load_panel(path)
            panels[path] = Panel(dict(loaded.tables), loaded.metadata)
        panel = panels[path]
    return replace(task, job=replace(task.job, panel=panel))


@contextmanager
def _probe(folder: Path) -> Iterator[str]:
    """Put a file into the folder for as long as the block runs, and give its name."""
    with suppress(_EndedError), whole_file(folder / f"{secrets.token_hex(8)}.nc") as probe:
        yield probe.name
        raise _EndedError  # it never takes its place


class _EndedError(Exception):
    """The temporary file is not needed any longer."""


def _outcome(result: Result, folder: Path) -> FitOutcome:
    """Return what came of a job, and store the fit if it came back as bytes."""
    name, lost = result.task.job.name, result.lost
    if result.done is None:
        times = "once" if len(lost) == 1 else f"{len(lost)} times"
        return FitOutcome(
            name,
            error=f"Its worker was lost {times}: {lost[-1]}.",
            attempts=len(lost),
            lost=lost,
        )
    done = result.done
    path = folder / done.file if done.file else None
    error = done.error
    if done.content is not None:
        try:
            keep_fit(folder, done.file, done.content)
        except RemitstatsError as problem:
            path, error = None, str(problem)
    return FitOutcome(
        name,
        path=path,
        summary=done.summary,
        gate=done.gate,
        error=error,
        reused=done.reused,
        seconds=done.seconds,
        worker=done.worker,
        attempts=len(lost) + 1,
        lost=lost,
    )
