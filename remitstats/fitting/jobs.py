"""What `fit_many` is given and what it gives back: jobs and outcomes."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remitstats.errors import RemitstatsError
from remitstats.fitting.gate import Gate
from remitstats.fitting.settings import Settings
from remitstats.models import check_name
from remitstats.panel.panel import Panel
from remitstats.parts.sampling_error import SamplingDesign

Cell = tuple[str, int]  # cvegeo and wave


@dataclass(frozen=True)
class Simulate:
    """How the percentages of a job's panel are to be simulated before it is fitted.

    Parameters
    ----------
    seed : int
        Everything random in the panel follows from it.
    hyperparameters : mapping of str to float
        True values; those not named are drawn from their priors.
    priors, design : optional
        What to simulate from where it differs from what is fitted.
    """

    seed: int
    hyperparameters: Mapping[str, float] = field(default_factory=dict)
    priors: Any = None
    design: SamplingDesign | None = None


@dataclass(frozen=True)
class FitJob:
    """One fit among many.

    Parameters
    ----------
    name : str
        What its outcome is called; no two jobs of a call share one.
    model : str or callable
        Name of a model, or a build function of your own: a function at the top of a module, called
        with the panel and, where they are given, `priors` and `design`. A fit is used again only
        as long as the file that the function stands in does not change.
    panel : Panel or path, optional
        What to fit; by default the shipped panel.
    states : sequence of str
        Two-digit codes of the states to keep; empty for all.
    priors, design : optional
        Passed on to the build function.
    settings : Settings
        Engine, lengths, seed.
    simulate : Simulate, optional
        Replace the panel's percentages by simulated ones.
    hold_out : sequence of (cvegeo, wave)
        Cells whose percentages the fit must not see (see `folds.hold_out`).
    summary : callable, optional
        Called where the fit was made with the tree and its panel; what it returns comes back
        instead of the draws. It may return `Judged`.

    Raises
    ------
    RemitstatsError
        If the model is not known or can't be sent to another process, or a value has no sense.
    """

    name: str
    model: str | Callable[..., Any] = "reliance"
    panel: Panel | Path | str | None = None
    states: Sequence[str] = ()
    priors: Any = None
    design: SamplingDesign | None = None
    settings: Settings = field(default_factory=Settings)
    simulate: Simulate | None = None
    hold_out: Sequence[Cell] = ()
    summary: Callable[[Any, Panel], Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be run."""
        if not isinstance(self.name, str) or not self.name.strip():
            raise RemitstatsError(f"A job's name must be a text, found {self.name!r}.")
        if isinstance(self.states, str):
            raise RemitstatsError(
                f"The states of the job '{self.name}' must be a sequence of codes such as "
                f"('14', '32'), found the text {self.states!r}."
            )
        if isinstance(self.model, str):
            check_name(self.model)
        else:
            own_build(self.model)
        if self.summary is not None and not callable(self.summary):
            raise RemitstatsError(
                f"The summary of the job '{self.name}' must be a function of a fit and its panel, "
                f"found {self.summary!r}."
            )


@dataclass(frozen=True)
class Judged:
    """A summary that comes with its own verdict, so that the fit is not judged twice.

    Parameters
    ----------
    value : any
        The summary.
    gate : Gate
        Verdict on all that it reports.
    """

    value: Any
    gate: Gate


@dataclass(frozen=True)
class FitOutcome:
    """What came of a job.

    Parameters
    ----------
    name : str
        The job's.
    path : Path, optional
        Where the fit is stored; None if there is none.
    summary : any
        What the job's `summary` function returned; None without one.
    gate : Gate, optional
        Verdict on everything stored in the fit (or what a `Judged` summary said).
    error : str
        What went wrong, in words; empty if nothing did.
    reused : bool
        Whether a finished fit was found.
    seconds : float
        How long it took where it ran, verdict and summary included; without lost attempts.
    worker : str
        Where it ran last.
    attempts : int
        How often it was begun.
    lost : tuple of str
        Why earlier attempts came to nothing.
    """

    name: str
    path: Path | None = None
    summary: Any = None
    gate: Gate | None = None
    error: str = ""
    reused: bool = False
    seconds: float = 0.0
    worker: str = ""
    attempts: int = 1
    lost: tuple[str, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether the fit may be reported."""
        return not self.error and self.gate is not None and self.gate.converged


def own_build(function: Any) -> dict[str, str]:
    """Return what identifies a build function that is not part of remitstats.

    Returns
    -------
    dict
        ``function`` (module and name) and ``source``, a hash of the file it stands in.

    Raises
    ------
    RemitstatsError
        If it is no plain function at the top of a module, or its source can't be found: then it
        could change without anyone noticing that stored fits are no longer its fits.
    """
    name = getattr(function, "__qualname__", repr(function))
    if not inspect.isfunction(function) or "<" in name or function.__closure__:
        raise RemitstatsError(
            f"A job's model must be the name of a model or a function at the top of a module, "
            f"found {name}."
        )
    try:
        file = inspect.getsourcefile(function)
        source = Path(file).read_bytes() if file and Path(file).is_file() else b""
        source = source or inspect.getsource(function).encode()
    except (OSError, TypeError) as error:
        raise RemitstatsError(
            f"The source of the build function {name} can't be found: put it into a file."
        ) from error
    return {
        "function": f"{function.__module__}:{name}",
        "source": hashlib.sha256(source).hexdigest()[:16],
    }
