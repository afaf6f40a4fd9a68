"""Much work of one kind: in parallel, each result kept as it comes, to be gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

from remitstats.errors import RemitstatsError
from remitstats.estimands.files import replace_file
from remitstats.fitting.settings import available_cores
from remitstats.untrusted import parse_json, read_text

Progress = Callable[[str, float], None]


class Kept(Protocol):
    """A result that can be kept in a file."""

    def to_json(self) -> str:
        """Return it as text."""


def resumed[Item, Result: Kept](
    items: Mapping[str, Item],
    work: Callable[[Item], Result],
    read: Callable[[str], Result],
    name_of: Callable[[Result], str],
    place: Path,
    *,
    title: str,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    before: Callable[[], object] | None = None,
) -> list[Result]:
    """Do what has not been done yet, and return all results.

    Parameters
    ----------
    items : mapping of str to item
        What is to be worked on, by the name of its result's file (without the ending).
    work : callable
        Makes a result of an item; runs in another process.
    read : callable
        Makes a result of the text that `to_json` wrote; ValueError where it is something else.
    name_of : callable
        Returns the name of a result's file.
    place : Path
        Folder of the results, each written as soon as it is there. What can't be read there is
        done again.
    title : str
        What is being done, for the progress.
    workers : int, optional
        Processes; by default one a core.
    cluster : str, optional
        Address of a Dask scheduler to run on instead.
    progress : callable, optional
        Called with the title and a fraction between 0 and 1.
    before : callable, optional
        Called once if there is anything to do, before the work begins.

    Returns
    -------
    list of result
        One an item, in the items' order.

    Raises
    ------
    RemitstatsError
        If the cluster can't be reached.
    """
    tell = progress or (lambda _description, _fraction: None)
    found = {name: one for name in items if (one := kept(place, name, read, name_of)) is not None}
    missing = [item for name, item in items.items() if name not in found]
    tell(title, len(found) / max(len(items), 1))
    if missing and before is not None:
        before()
    for result in _results(work, missing, workers, cluster) if missing else ():
        name = name_of(result)
        replace_file(place / f"{name}.json", result.to_json() + "\n")
        found[name] = result
        tell(title, len(found) / len(items))
    return [found[name] for name in items]


def kept[Result: Kept](
    place: Path, name: str, read: Callable[[str], Result], name_of: Callable[[Result], str]
) -> Result | None:
    """Return the result kept under a name, or None where there is none that can be used."""
    try:
        result = read(read_text(place / f"{name}.json"))
    except (OSError, ValueError):
        return None
    return result if name_of(result) == name else None


def record_from[Result](make: Callable[..., Result], text: str, what: str) -> Result:
    """Return what the fields in a text make; lists become tuples again.

    Parameters
    ----------
    make : callable
        Takes the fields by name.
    text : str
        A JSON object.
    what : str
        What the text should hold, such as "record of a simulated panel".

    Raises
    ------
    ValueError
        If the text is something else.
    """
    try:
        found: dict[str, Any] = parse_json(text)
        return make(**{k: tuple(v) if isinstance(v, list) else v for k, v in found.items()})
    except (TypeError, AttributeError) as error:
        raise ValueError(f"no {what}: {error}") from error


def _results[Item, Result](
    work: Callable[[Item], Result], items: list[Item], workers: int | None, cluster: str | None
) -> Iterator[Result]:
    if workers == 1 and cluster is None:
        yield from (_one(work, item) for item in items)
        return
    with _place_of_work(cluster):
        pool = Parallel(
            n_jobs=-1 if cluster else workers or available_cores(),
            return_as="generator_unordered",
            batch_size=1,
        )
        yield from pool(delayed(_one)(work, item) for item in items)


def _place_of_work(cluster: str | None) -> AbstractContextManager[Any]:
    """Return the context in which joblib runs its work: here, or on a Dask cluster."""
    if cluster is None:
        return nullcontext()
    try:
        from distributed import Client  # noqa: PLC0415 - an optional dependency

        Client(cluster, timeout="10s")
    except ImportError as error:
        raise RemitstatsError(
            "A cluster needs the package 'distributed': pip install 'remitstats[cluster]'."
        ) from error
    except (OSError, ValueError) as error:
        raise RemitstatsError(f"No Dask scheduler answers at {cluster}: {error}") from error
    context: AbstractContextManager[Any] = parallel_config(backend="dask")
    return context


def _one[Item, Result](work: Callable[[Item], Result], item: Item) -> Result:
    with threadpool_limits(limits=1):
        return work(item)
