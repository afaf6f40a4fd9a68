"""What changed between two runs: data, settings, gates, estimates and verdicts.

A run is a folder that ``remitstats run``, ``fit`` or ``report`` wrote results to. Estimates are
held against Monte Carlo error (`compare_estimates`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from remitstats import catalogue
from remitstats.errors import RemitstatsError
from remitstats.estimands.files import plain
from remitstats.report.compare_estimates import BEYOND, compare_estimates
from remitstats.untrusted import parse_json, read_text

_RUN = ("panel_hash", "code_version", "engine", "seed", "command", "interval")
_GATE = (
    *("converged", "reasons", "r_hat_max", "ess_bulk_min", "ess_tail_min", "divergences"),
    *("quantities", "draws", "chains"),
)
_NESTED = ("versions", "settings", "model_spec")


@dataclass(frozen=True)
class Line:
    """A setting of two runs that differs: what, and its two values; None where it is not told."""

    what: str
    a: Any
    b: Any


@dataclass(frozen=True)
class ModelComparison:
    """What changed in a model.

    Parameters
    ----------
    name : str
        The model's.
    run, gate : tuple of Line
        Settings that differ; and the gate's figures, also those that do not.
    withheld : tuple of str
        Runs ("A", "B") whose fits did not pass their gates: no estimates are compared then.
    rows : DataFrame
        Estimates of anything but single municipalities: ``table``, ``label``, ``headline``
        (whether it is of the nation or of a short table), then median and ends of the interval of
        each run (``a_median`` …), ``difference`` (B less A), ``error`` (its Monte Carlo standard
        error) and ``ratio`` (size of the difference over that error).
    municipalities : DataFrame
        One row a table of municipalities: ``table``, ``rows`` that both runs have, ``beyond``
        (that differ by more than `BEYOND` errors), ``only_a``, ``only_b``.
    largest : DataFrame
        The municipalities' estimates that differ most, as `rows`.
    """

    name: str
    run: tuple[Line, ...]
    gate: tuple[Line, ...]
    withheld: tuple[str, ...]
    rows: pd.DataFrame
    municipalities: pd.DataFrame
    largest: pd.DataFrame

    @property
    def beyond(self) -> pd.DataFrame:
        """The rows that differ by more than Monte Carlo error, largest first."""
        found = self.rows[self.rows["ratio"] > BEYOND]
        return found.sort_values("ratio", ascending=False, kind="stable")


@dataclass(frozen=True)
class Verdict:
    """A claim whose verdict differs; None where a run does not have the claim."""

    claim: str
    says: str
    a: str | None
    b: str | None
    reason_a: str
    reason_b: str


@dataclass(frozen=True)
class Comparison:
    """What changed between two runs.

    Parameters
    ----------
    a, b : Path
        The folders.
    models : tuple of ModelComparison
        Models that both have.
    only_a, only_b : tuple of str
        Models that one has.
    verdicts : tuple of Verdict
        Claims whose verdicts differ.
    judged : int or None
        Claims that both judge; None where a run has no verdicts.
    """

    a: Path
    b: Path
    models: tuple[ModelComparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    judged: int | None


def compare(a: Path, b: Path) -> Comparison:
    """Compare the results in two folders.

    Raises
    ------
    RemitstatsError
        If a folder is not there, holds no results, or they can't be read; or if both are one.
    """
    first, second = read_run(a), read_run(b)
    if a.resolve() == b.resolve():
        raise RemitstatsError(
            f"{a} and {b} are the same folder: there is nothing to compare. Name two runs."
        )
    both = [name for name in first if name in second]
    verdicts = _verdicts(a), _verdicts(b)
    return Comparison(
        a,
        b,
        tuple(_model(name, first[name], second[name]) for name in both),
        tuple(name for name in first if name not in second),
        tuple(name for name in second if name not in first),
        tuple(_changed(*verdicts)),
        None if None in verdicts else len(set(verdicts[0] or {}) & set(verdicts[1] or {})),
    )


def read_run(folder: Path) -> dict[str, Any]:
    """Return the results in a folder by name of model, in the order of the catalogue.

    Raises
    ------
    RemitstatsError
        If the folder is not there, holds no results, or they can't be read.
    """
    if not folder.exists():
        raise RemitstatsError(f"There is no folder {folder}. {_ACCEPTED}")
    if not folder.is_dir():
        raise RemitstatsError(f"{folder} is a file, not a folder. {_ACCEPTED}")
    found = {}
    for model in catalogue.CATALOGUE:
        place = folder / model.subfolder
        if (place / "results.json").is_file() and _names(place / "results.json", model.name):
            found[model.name] = model.load("results").read(place)
    if not found:
        inside = sorted(path.name for path in folder.iterdir())[:6]
        held = f"It holds {', '.join(inside)}." if inside else "It is empty."
        raise RemitstatsError(f"The folder {folder} holds no results of a fit. {held} {_ACCEPTED}")
    return found


_ACCEPTED = (
    "Name two folders that remitstats run, fit or report wrote to with --out: they hold "
    "results.json, or a folder of a model that does."
)


def _names(path: Path, model: str) -> bool:
    """Tell whether a document is of results of a model; one that can't be read is for its reader.

    The folder of one model's results may be given as a run itself, and reliance lies at the top.
    """
    try:
        document = parse_json(read_text(path))
    except (OSError, ValueError):
        return True
    told = document.get("model") if isinstance(document, dict) else None
    return told is None or model == catalogue.FIRST or str(told) == model


def _model(name: str, a: Any, b: Any) -> ModelComparison:
    run = [*_lines(a.summary, b.summary, _RUN)]
    for part in _NESTED:
        told = _lines(_flat(a.summary.get(part)), _flat(b.summary.get(part)), None, f"{part}.")
        run += (line for line in told if line.what != "settings.seed")  # it is told already
    gate = [
        Line(key, plain(a.summary.get(key)), plain(b.summary.get(key)))
        for key in _GATE
        if key in a.summary or key in b.summary
    ]
    withheld = tuple(side for side, one in (("A", a), ("B", b)) if not one.converged)
    tables = () if withheld else [table for table in a.tables if table in b.tables]
    return ModelComparison(
        name, tuple(run), tuple(gate), withheld, *compare_estimates(name, a, b, tables)
    )


def _lines(
    a: Mapping[str, Any], b: Mapping[str, Any], keys: tuple[str, ...] | None, prefix: str = ""
) -> Iterator[Line]:
    """Return the settings that differ, all of them or some."""
    for key in keys if keys is not None else dict.fromkeys([*a, *b]):
        one, other = plain(a.get(key)), plain(b.get(key))
        if one != other:
            yield Line(prefix + key, one, other)


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level, keys joined by full stops."""
    if not isinstance(tree, Mapping):
        return {prefix.rstrip("."): tree} if prefix else {}
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= _flat(value, f"{prefix}{key}.")
    return found


def _verdicts(folder: Path) -> dict[str, Mapping[str, Any]] | None:
    """Return what a run says of each claim, by its name; None where it says nothing.

    Raises
    ------
    RemitstatsError
        If there are verdicts that can't be read.
    """
    path = folder / "claims" / "results.json"
    if not path.is_file():
        return None
    try:
        document = parse_json(read_text(path))
        return {
            str(each["id"]): {**each, "verdict": each["verdict"]} for each in document["claims"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RemitstatsError(
            f"The verdicts in {path} can't be read: {error}. Make that report again, or remove the "
            "folder 'claims' to compare without verdicts."
        ) from error


def _changed(
    a: Mapping[str, Mapping[str, Any]] | None, b: Mapping[str, Mapping[str, Any]] | None
) -> Iterator[Verdict]:
    if a is None or b is None:
        return
    for name in dict.fromkeys([*a, *b]):
        one, other = a.get(name, {}), b.get(name, {})
        if one.get("verdict") != other.get("verdict"):
            yield Verdict(
                name,
                str((other or one).get("says") or ""),
                one.get("verdict"),
                other.get("verdict"),
                str(one.get("reason") or ""),
                str(other.get("reason") or ""),
            )
