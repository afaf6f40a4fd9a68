"""How long and with what a model is fitted; part of what identifies a fit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from remitstats.errors import RemitstatsError, unknown

ENGINES = ("laplace", "nuts")
LIMITS = {  # least and most
    "draws": (10, 1_000_000),
    "tune": (10, 1_000_000),
    "chains": (1, 100),
    "seed": (0, 2**32 - 1),  # what both engines take
}


@dataclass(frozen=True)
class Settings:
    """Length, seed and engine of a fit.

    Parameters
    ----------
    engine : {"laplace", "nuts"}
        "laplace": Markov chains whitened by a sparse Laplace approximation (the default for the
        country); "nuts": nutpie on the plain PyMC model.
    draws, tune, chains : int
        Kept and discarded iterations of every chain, and number of chains. The country has 25,000
        reported quantities, and the largest R-hat among so many needs more draws than their ESS.
    seed : int
        Everything random in the fit follows from it.
    """

    engine: str = "laplace"
    draws: int = 1000
    tune: int = 60
    chains: int = 4
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what can't be run."""
        if self.engine not in ENGINES:
            raise unknown("engine", self.engine, ENGINES)
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= most:
                raise RemitstatsError(
                    f"'{name}' must be a whole number from {least} to {most:,}, found {value!r}."
                )

    def quick(self) -> Settings:
        """Return settings for a trial run: too short for the gate on the whole country."""
        return Settings(self.engine, draws=100, tune=100, chains=2, seed=self.seed)

    def describe(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class AskedSettings:
    """What a user asks of a fit; what is left open, the model decides.

    Parameters
    ----------
    engine, seed
        See `Settings`.
    draws, tune, chains : int, optional
        By default those of the model, else those of `Settings`.
    quick : bool
        Whether the lengths left open shall be those of a trial run.
    """

    engine: str = "laplace"
    seed: int = 1
    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    quick: bool = False

    def __post_init__(self) -> None:
        """Refuse what can't be run with any model."""
        self.settings({})

    def settings(self, lengths: Mapping[str, int]) -> Settings:
        """Return the settings of a fit.

        Parameters
        ----------
        lengths : mapping of str to int
            The model's own lengths (`model.lengths`).

        Raises
        ------
        RemitstatsError
            If they can't be run.
        """
        base = Settings(self.engine, **lengths, seed=self.seed)
        base = base.quick() if self.quick else base
        given = {name: getattr(self, name) for name in ("draws", "tune", "chains")}
        return replace(base, **{name: n for name, n in given.items() if n is not None})


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
