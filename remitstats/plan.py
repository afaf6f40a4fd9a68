"""Plans: a TOML file that lists variations of a model, read into the jobs of `fit_many`.

    engine = "laplace"          # keys before the first variation hold for all of them

    [[variation]]
    name = "main"

    [[variation]]
    name = "design effect 4"
    design_effect = 4.0

    [[variation]]
    name = "west, wide"
    states = ["14", "16", "32"]
    priors.state_sd = [3.0, 0.05]

    [[variation]]
    name = "simulated"
    simulate.seeds = [1, 2, 3]
    simulate.hyperparameters.state_sd = 0.5

`KEYS` lists what a variation may hold.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from remitstats.errors import RemitstatsError
from remitstats.fitting.jobs import FitJob, Simulate
from remitstats.fitting.settings import ENGINES, LIMITS, Settings
from remitstats.models import MODELS, reliance
from remitstats.parts.sampling_error import SamplingDesign
from remitstats.untrusted import parse_toml, read_text

KEYS = {
    "name": "a text of its own for each variation",
    "model": f"one of {', '.join(MODELS)}",
    "panel": "the path of a panel, from the folder of the plan",
    "states": 'a list of two-digit codes, such as ["14", "32"]',
    "engine": f"one of {', '.join(ENGINES)}",
    **{name: f"a whole number from {least} to {most:,}" for name, (least, most) in LIMITS.items()},
    "priors": "a table of priors, such as state_sd = [1.0, 0.05]",
    "design_effect": "a number of at least 1",
    "complete_below": "a number of at least 1",
    "simulate": "a table with seeds = [1, 2, …] and, if need be, hyperparameters",
}
_MISSING = object()


@dataclass(frozen=True)
class Plan:
    """What a plan file asks for.

    Parameters
    ----------
    path : Path
        The file.
    jobs : tuple of FitJob
        In the order of the file; one that simulates gives one job a seed.
    """

    path: Path
    jobs: tuple[FitJob, ...]


class PlanError(RemitstatsError):
    """A plan that can't be used, with everything that is wrong with it.

    Parameters
    ----------
    path : Path
        The file.
    problems : sequence of str
        Each says where, what was found and what is accepted.
    """

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        lines = [f"{path} is not a plan that can be used: {count}."]
        super().__init__("\n".join([*lines, *(f"  - {problem}" for problem in problems)]))


def read_plan(path: str | Path, overrides: Mapping[str, Any] | None = None) -> Plan:
    """Read a plan.

    Parameters
    ----------
    path : path-like
        The TOML file.
    overrides : mapping, optional
        Keys and values that replace those of every variation.

    Returns
    -------
    Plan
        The jobs, without a `summary`.

    Raises
    ------
    PlanError
        With every mistake: place, key, what was found, what is accepted.
    """
    path = Path(path)
    common = _content(path)
    variations = common.pop("variation", None)
    reader = _Reader(path.parent)
    reader.check_names("the top of the plan", common, [name for name in KEYS if name != "name"])
    if not isinstance(variations, list) or not all(isinstance(v, dict) for v in variations):
        reader.problem("the plan", "variation", variations, "[[variation]] tables, at least one")
        variations = []
    jobs: list[FitJob] = []
    for number, variation in enumerate(variations, 1):
        name = variation.get("name")
        where = f"variation {number}" + (f" ('{name}')" if isinstance(name, str) else "")
        reader.check_names(where, variation, list(KEYS))
        jobs += reader.jobs(where, {**common, **variation, **(overrides or {})})
    names = [job.name for job in jobs]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        reader.problem("the plan", "name", f"{name} more than once", KEYS["name"])
    if reader.problems:
        raise PlanError(path, list(dict.fromkeys(reader.problems)))
    return Plan(path, tuple(jobs))


def _content(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_text(path))
    except FileNotFoundError as error:
        raise RemitstatsError(f"There is no plan at {path}. Check the path.") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RemitstatsError(f"The plan {path} can't be read: {reason}.") from error
    except UnicodeDecodeError as error:
        raise PlanError(path, ["it is not text in UTF-8: save it as such"]) from error
    except tomllib.TOMLDecodeError as error:
        raise PlanError(path, [f"it is not TOML: {error}"]) from error


class _Reader:
    """Reads the values of variations and collects what is wrong with them.

    Parameters
    ----------
    folder : Path
        What paths in the plan start from.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def problem(self, where: str, key: str, found: Any, accepted: str) -> None:
        """Note a mistake."""
        shown = "nothing" if found is None else repr(found)
        self.problems.append(f"{where}, key {key}: found {shown}; accepted: {accepted}")

    def check_names(self, where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        """Note keys that mean nothing."""
        for key in table:
            if key not in known:
                near = get_close_matches(key, known, n=1, cutoff=0.4)
                hint = f" (did you mean '{near[0]}'?)" if near else ""
                self.problems.append(f"{where}: there is no key '{key}'{hint}; {_listed(known)}")

    def jobs(self, where: str, values: Mapping[str, Any]) -> list[FitJob]:
        """Return the jobs of one variation; none if it can't be used."""
        before = len(self.problems)
        name = self._value(where, values, "name", _is_text)
        model = self._value(where, values, "model", lambda v: v in MODELS, "reliance")
        panel = self._value(where, values, "panel", _is_text, None)
        states = self._value(where, values, "states", _are_codes, [])
        settings = self._settings(where, values)
        priors = self._priors(where, values)
        design = self._design(where, values)
        simulations = self._simulations(where, values)
        if len(self.problems) > before:
            return []
        job = FitJob(
            name,
            model=model,
            panel=None if panel is None else self.folder / panel,
            states=tuple(states),
            priors=priors,
            design=design,
            settings=settings,
        )
        if simulations is None:
            return [job]
        return [
            replace(job, name=f"{name}, seed {simulation.seed}", simulate=simulation)
            for simulation in simulations
        ]

    def _value(
        self,
        where: str,
        values: Mapping[str, Any],
        key: str,
        is_good: Callable[[Any], bool],
        default: Any = _MISSING,
    ) -> Any:
        value = values.get(key, default)
        if value is not default and is_good(value):
            return value
        if value is default and default is not _MISSING:
            return default
        self.problem(where, key, None if value is _MISSING else value, KEYS[key])
        return default

    def _settings(self, where: str, values: Mapping[str, Any]) -> Settings:
        default = Settings()
        engine = self._value(where, values, "engine", lambda v: v in ENGINES, default.engine)
        numbers = {
            name: self._value(where, values, name, _whole(*LIMITS[name]), getattr(default, name))
            for name in LIMITS
        }
        good = {name: v for name, v in numbers.items() if _whole(*LIMITS[name])(v)}
        return Settings(engine=engine, **good)

    def _priors(self, where: str, values: Mapping[str, Any]) -> reliance.Priors:
        given = self._value(where, values, "priors", lambda v: isinstance(v, dict), {})
        priors = reliance.Priors()
        for name, numbers in given.items():
            if not isinstance(numbers, list) or not all(map(_is_number, numbers)):
                self.problem(where, f"priors.{name}", numbers, "a list of numbers")
                continue
            try:
                priors = priors.with_values({name: tuple(map(float, numbers))})
            except RemitstatsError as error:
                self.problems.append(f"{where}, key priors.{name}: found {numbers!r}. {error}")
        return priors

    def _design(self, where: str, values: Mapping[str, Any]) -> SamplingDesign:
        options: dict[str, Any] = {}
        for key in ("design_effect", "complete_below"):
            least = self._value(where, values, key, lambda v: _is_number(v) and v >= 1, None)
            if least is not None:
                options[key] = float(least)
        return SamplingDesign(**options)

    def _simulations(self, where: str, values: Mapping[str, Any]) -> list[Simulate] | None:
        table = self._value(where, values, "simulate", lambda v: isinstance(v, dict), None)
        if table is None:
            return None
        for key in table:
            if key not in ("seeds", "hyperparameters"):
                self.problem(where, f"simulate.{key}", table[key], KEYS["simulate"])
        seeds, truth = table.get("seeds"), table.get("hyperparameters", {})
        is_seed = _whole(*LIMITS["seed"])
        if not isinstance(seeds, list) or not seeds or not all(map(is_seed, seeds)):
            accepted = f"a list of whole numbers from 0 to {LIMITS['seed'][1]:,}"
            self.problem(where, "simulate.seeds", seeds, accepted)
            seeds = []
        if not isinstance(truth, dict) or not all(map(_is_number, truth.values())):
            self.problem(where, "simulate.hyperparameters", truth, "a table of numbers")
            truth = {}
        return [Simulate(seed, {k: float(v) for k, v in truth.items()}) for seed in seeds]


def _listed(known: Sequence[str]) -> str:
    return f"keys: {', '.join(known)}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _are_codes(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(_is_text, value))


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and least <= v <= most
